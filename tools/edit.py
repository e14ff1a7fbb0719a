"""Edits pictures of a parent, and with the same shift those of its children.

--edit takes a file of a direction (see `aligned directions`), zoo:NAME or a style channel, with :S
behind it for its strength in sigmas of PARENT, and may be repeated: glasses.npz:3, 15_45:-8. With
--to, S is the score that is reached. --channel and --random show a single channel to both sides.
What a direction means in the parent it also means in aligned children; truncation (--psi) changes
no shift. StyleAlign, figures 2, 3 and 9 to 12.

--out NAME.png is a row for each network; NAME.webp and NAME.mp4 are films of the way and back.
NAME.json, the recipe, is written beside it: --recipe does the same again.
"""

import argparse
from typing import Any

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import finite, whole
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError
from aligned_jax.utils.text import options

EXAMPLE = """\
  aligned edit ffhq.pkl dog.pkl --channel 15_45 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --edit zoo:roll:4 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --edit glasses.npz:3 --edit 5_23:-4 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --edit yaw.npz --strength auto --out edit.webp
  aligned edit zoo:personas64 --latents inverted --edit smile.npz:1 --to --mask mouth.png \\
    --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --random 0 --out edit.png"""
_FILM: dict[str, Any] = {"frames": 40, "fps": 20.0, "scale": 1}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("parent", metavar="PARENT")
    add("children", nargs="*", metavar="CHILD")
    add("--edit", action="append", metavar="X[:S]", help="a direction or channel")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--channel", metavar="LAYER_CHANNEL", help="like 15_45 or b128.conv1_45 (StyleSpace)"
    )
    which.add_argument(
        "--random",
        type=arguments.seed,
        metavar="SEED",
        help="a channel drawn at random among those that show in the parent's images",
    )
    add("--recipe", type=arguments.name, metavar="F.json", help="edits of an earlier run")
    add(
        "--strength",
        type=_strength,
        metavar="S",
        help="of edits without :S, in sigmas (default 3, channels 6); auto: until leakage rises",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--by", action="store_true", help="strengths are shifts (default)")
    how.add_argument("--to", action="store_true", help="strengths are scores to be reached")
    add("--layers", metavar="ROWS", help="of W+ that move, like 0-6 (default: each edit's own)")
    add("--mask", type=arguments.name, metavar="F.png", help="white where edits show")
    add("--space", choices=("z", "w", "s"), help="of vectors of other programs (.npy, .pt)")
    add("--latents", nargs="+", type=arguments.name, metavar="F", help="in place of --seeds")
    add("--both", action="store_true", help="also show the other side")
    add("--steps", type=whole(2), metavar="N", help="columns for each picture (default 2 or 3)")
    auto = parser.add_argument_group("with --strength auto")
    auto.add_argument("--judge", type=arguments.name, metavar="J", help="as of `directions find`")
    auto.add_argument("--attribute", metavar="A", help="of the judge's, that the edits are for")
    auto.add_argument("--rise", type=finite, metavar="R", help="that is too much (default 0.15)")
    film = parser.add_argument_group("with films")
    film.add_argument("--frames", type=whole(2), metavar="N", help="(default 40)")
    film.add_argument("--fps", type=finite, metavar="F", help="(default 20)")
    film.add_argument("--scale", type=whole(1), metavar="K", help="a pixel becomes KxK (default 1)")
    arguments.add_names(parser)
    arguments.add_sampling(parser, seeds="0-2", psi=0.7)
    parser.set_defaults(psi=None, seeds=None)  # files of latents say psi themselves
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.png, NAME.webp or NAME.mp4")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    if args.seeds and args.latents:
        raise UserError("give one of --seeds and --latents")
    film = args.out.endswith((".webp", ".mp4"))
    idle = [name for name in _FILM if getattr(args, name) is not None] if not film else []
    idle += ["steps"] if film and args.steps is not None else []
    if idle:
        raise UserError(f"{options(idle)} cannot be used with {args.out}")
    if args.rise is not None and args.strength != "auto":
        raise UserError("--rise can only be used together with --strength auto")
    from aligned_jax import jobs, latents, viz
    from aligned_jax.jobs.edits.recipes import recipe_file
    from aligned_jax.viz import sheet

    recipe = recipe_file(args.out)
    if film:
        shown = {name: default if getattr(args, name) is None else getattr(args, name)
                 for name, default in _FILM.items()}  # fmt: skip
        viz.check_video(args.out, args.overwrite, shown["fps"])
    else:
        sheet.check_picture(args.out, args.overwrite)
    viz.check_file(recipe, args.overwrite or args.recipe == recipe)
    names = ("channel", "random", "recipe", "strength", "to", "mask", "space", "judge", "attribute")
    request = jobs.EditRequest(
        args.edit or (),
        layers=None if args.layers is None else latents.parse_rows(args.layers),
        **{name: getattr(args, name) for name in names},
        **({} if args.rise is None else {"rise": args.rise}),
    )
    family = jobs.edit(
        [args.parent, *args.children],
        request,
        latents=args.latents or args.seeds or "0-2",
        both=args.both or None,
        names=args.names,
        psi=args.psi,
        label=args.label,
        batch=args.batch,
        network_key=args.network_key,
        report=console.CONSOLE,
    )
    drawn: jobs.Film | sheet.Sheet
    if film:
        drawn = family.film(**shown, report=console.CONSOLE)
    else:
        drawn = family.sheet(args.steps, console.CONSOLE)
    drawn.write(args.out, command(args), args.overwrite)
    family.recipe.write(recipe, command(args), args.overwrite or args.recipe == recipe)
    changes = ", ".join(f"{name} {change:.3f}" for name, change in family.changes.items())
    console.say(f"wrote {args.out}: {family.summary}; change of a pixel: {changes}")
    if family.choice:
        console.say(family.choice)
    if args.psi is not None and not family.usage.in_z:
        console.warn("--psi changes nothing: these latents are not in z")


def _strength(text: str) -> float | str:
    return text if text == "auto" else finite(text)
