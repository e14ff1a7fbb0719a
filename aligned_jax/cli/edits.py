"""Arguments of `aligned edit`: what is edited, how far and where, and films of it."""

import argparse
from typing import Any

from aligned_jax.cli import arguments
from aligned_jax.cli.arguments import finite, whole
from aligned_jax.cli.photos import check_reader, names_parts
from aligned_jax.errors import UserError
from aligned_jax.utils.text import options

_FILM: dict[str, Any] = {"frames": 40, "fps": 20.0, "scale": 1}
_REQUEST = (
    *("channel", "random", "recipe", "strength", "to", "mask", "space"),
    *("judge", "attribute"),
)


def add_edits(parser: argparse.ArgumentParser) -> None:
    """--edit and whatever else names edits, their strength, and where they show."""
    add = parser.add_argument
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
    add(
        "--mask",
        type=arguments.name,
        metavar="M",
        help="F.png, white where edits show; with --reader, parts of each picture: hair,beard",
    )
    add(
        "--reader",
        type=arguments.name,
        metavar="R",
        help="who finds the parts of --mask and --keep",
    )
    add("--space", choices=("z", "w", "s"), help="of vectors of other programs (.npy, .pt)")


def add_latents(parser: argparse.ArgumentParser) -> None:
    """--seeds, --latents and --pictures, and how pictures are inverted."""
    add = parser.add_argument
    add("--latents", nargs="+", type=arguments.name, metavar="F", help="in place of --seeds")
    add(
        "--pictures",
        nargs="+",
        type=arguments.name,
        metavar="IMAGE",
        help="files, folders and zips, inverted in PARENT, in place of --seeds",
    )
    arguments.add_sampling(parser, seeds="0-2", psi=0.7)
    parser.set_defaults(psi=None, seeds=None)  # files of latents say psi themselves
    arguments.add_inversion(parser)
    add(
        "--invert-space",
        choices=("z", "z+", "w", "w+", "s"),
        help="of pictures (default w+, or the encoder's); w for --to, z for edits in z",
    )


def add_auto(parser: argparse.ArgumentParser) -> None:
    """What --strength auto goes by."""
    auto = parser.add_argument_group("with --strength auto")
    auto.add_argument("--judge", type=arguments.name, metavar="J", help="as of `directions find`")
    auto.add_argument("--attribute", metavar="A", help="of the judge's, that the edits are for")
    auto.add_argument("--rise", type=finite, metavar="R", help="that is too much (default 0.15)")


def add_film(parser: argparse.ArgumentParser) -> None:
    """--frames, --fps and --scale."""
    film = parser.add_argument_group("with films")
    film.add_argument("--frames", type=whole(2), metavar="N", help="(default 40)")
    film.add_argument("--fps", type=finite, metavar="F", help="(default 20)")
    film.add_argument("--scale", type=whole(1), metavar="K", help="a pixel becomes KxK (default 1)")


def film_options(args: argparse.Namespace) -> dict[str, Any] | None:
    """How a film is shown, or None for a picture; UserError for options of the other."""
    film = args.out.endswith((".webp", ".mp4", ".gif"))
    if film and args.columns is not None:
        raise UserError(f"--columns is of pictures and pages; {args.out} is a film, with --frames")
    if not film:
        idle = [name for name in _FILM if getattr(args, name) is not None]
        if idle:
            raise UserError(
                f"{options(idle, ' and ')}: of films, such as --out NAME.webp; {args.out} is none"
            )
        return None
    given = {name: getattr(args, name) for name in _FILM}
    return {name: _FILM[name] if value is None else value for name, value in given.items()}


def request_options(args: argparse.Namespace) -> dict[str, Any]:
    """What was parsed, by the names of `jobs.EditRequest`; UserError for --rise alone."""
    if args.rise is not None and args.strength != "auto":
        raise UserError("--rise can only be used together with --strength auto")
    check_reader(args, "mask", "keep")
    from aligned_jax import latents

    return {
        "edits": args.edit or (),
        "layers": None if args.layers is None else latents.parse_rows(args.layers),
        **{name: getattr(args, name) for name in _REQUEST},
        "reader": args.reader if names_parts(args.mask, args.reader) else None,
        **({} if args.rise is None else {"rise": args.rise}),
    }


def check_apart(args: argparse.Namespace, results: list[str]) -> None:
    """Raises UserError if results would take the places of files that are given."""
    from aligned_jax.data import targets
    from aligned_jax.jobs.edits.words import strength_in

    given = [strength_in(word)[0] for word in args.edit or ()]
    given += [*(args.pictures or ()), args.film, args.align, args.mask, args.keep]
    targets.check_apart([name for name in given if name], results)


def _strength(text: str) -> float | str:
    return text if text == "auto" else finite(text)
