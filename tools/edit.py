"""Edits pictures of a parent, and with the same shift those of its children.

--edit takes a file of a direction (see `aligned directions`), zoo:NAME (`aligned directions show
zoo:` lists them) or a style channel, with :S behind it for its strength in sigmas of PARENT, and
may be repeated: glasses.npz:3, 15_45:-8. With --to, S is the score that is reached. --channel and
--random show a single channel to both sides. What a direction means in the parent it means in
aligned children as far as they have anything of the kind: hair becomes fur, glasses may become
nothing. Truncation (--psi) changes no shift. StyleAlign, figures 2, 3 and 9 to 12.

--pictures are inverted in PARENT first, and shown in the first column. --mask keeps an edit to
the white of a picture, or with --reader to parts of each picture, such as hair.

--paste-back DIR puts edited faces back into the photographs that --align F.json cut them out of;
--keep and --keep-colour leave them parts and colours of the pictures, or of what PARENT draws.

--film FILM edits a face in every frame of a film; --out and --paste-back are then films of the
square and of the whole frames.

--out NAME.png or NAME.html has a row for each network; NAME.webp, .mp4 and .gif are films of the
way and back. NAME.json, the recipe, is written beside it: --recipe does the same again. So are the
latents of pictures, NAME.npz: with --latents nothing is inverted again.
"""

import argparse
from typing import TYPE_CHECKING

from aligned_jax.cli import arguments, console, edits, footage, photos
from aligned_jax.cli.arguments import whole
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError

if TYPE_CHECKING:
    from aligned_jax.rendering.latent_words import WordKind

EXAMPLE = """\
  aligned edit ffhq.pkl dog.pkl --channel 15_45 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --edit zoo:roll:4 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --edit glasses.npz:3 --edit 5_23:-4 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --edit yaw.npz --strength auto --out edit.webp
  aligned edit zoo:personas64 --pictures me.png photos --edit yaw.npz:2 --out edit.png
  aligned edit ffhq.pkl --pictures party.jpg --align faces.json --edit smile.npz:2 \\
    --paste-back party --out edited.png
  aligned edit zoo:personas64 --edit red.npz:5 --mask hair --reader zoo:people-reader \\
    --out edit.png
  aligned edit zoo:personas64 --latents inverted --edit smile.npz:1 --to --mask mouth.png \\
    --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --random 0 --out edit.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("parent", metavar="PARENT")
    add("children", nargs="*", metavar="CHILD")
    edits.add_edits(parser)
    add("--both", action="store_true", help="also show the other side")
    add("--columns", type=whole(2), metavar="N", help="columns for each picture (default 2 or 3)")
    edits.add_auto(parser)
    edits.add_film(parser)
    arguments.add_names(parser)
    edits.add_latents(parser)
    photos.add_photos(parser, reader=False)
    footage.add_footage(parser)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.png, NAME.html, NAME.webp, NAME.mp4 or NAME.gif")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    if args.film:
        footage.edit_film(args, edits.request_options(args))
        return
    footage.check_footage(args)
    kinds: dict[str, WordKind] = {"pictures": "pictures", "latents": "latents", "seeds": "seeds"}
    sources = [name for name in kinds if getattr(args, name)]
    if len(sources) > 1:
        raise UserError("give one of --seeds, --latents, --pictures and --film")
    film = edits.film_options(args)
    given = arguments.fill_inversion_defaults(args)
    given += ["invert_space"] if args.invert_space else []
    wanted, back = edits.request_options(args), photos.photo_options(args)
    from aligned_jax import jobs, viz
    from aligned_jax.inversion.setup import warn_skipped
    from aligned_jax.jobs.edits.recipes import recipe_file
    from aligned_jax.rendering.records import beside, to_keep
    from aligned_jax.viz import sheet

    recipe, found = recipe_file(args.out), beside(args.out)
    if film:
        viz.check_video(args.out, args.overwrite, film["fps"])
    else:
        sheet.check_sheet(args.out, args.overwrite)
    viz.check_file(recipe, args.overwrite or args.recipe == recipe)
    if args.pictures:
        viz.check_file(found, args.overwrite)
    edits.check_apart(args, [args.out, recipe, *([found] if args.pictures else [])])
    # The latents of seeds are known by their numbers, and those of this very file are kept.
    from_files = [""] if args.latents else []
    files = to_keep(args.out, from_files, args.latents or (), args.overwrite)
    kept = bool(args.pictures or files)
    family = jobs.edit(
        [args.parent, *args.children],
        jobs.EditRequest(**wanted),
        latents=getattr(args, sources[0]) if sources else "0-2",
        kind=kinds[sources[0]] if sources else None,
        invert_space=args.invert_space,
        pictures=arguments.picture_options(args),
        **back,
        both=args.both or None,
        names=args.names,
        psi=args.psi,
        label=args.label,
        batch=args.batch,
        network_key=args.network_key,
        report=console.CONSOLE,
    )
    if kept:  # at once: pictures took the time
        family.write_latents(found, command(args), args.overwrite)
    drawn: jobs.Film | sheet.Sheet
    if film:
        drawn = family.film(**film, report=console.CONSOLE)
    else:
        drawn = family.sheet(args.columns, console.CONSOLE)
    drawn.write(args.out, command(args), args.overwrite)
    photos.write_photos(args, family, command(args))
    family.recipe.write(recipe, command(args), args.overwrite or args.recipe == recipe)
    changes = ", ".join(f"{name} {change:.3f}" for name, change in family.changes.items())
    console.say(f"wrote {args.out}: {family.summary}; change of a pixel: {changes}")
    if family.inside:
        inside = ", ".join(f"{name} {share:.0%}" for name, share in family.inside.items())
        console.say(f"of the whole change, the mask keeps: {inside}")
    if kept:
        console.say(f"wrote {found}: the latents, for --latents")
    if family.choice:
        console.say(family.choice)
    arguments.warn_unused(args, family.usage, given)
    warn_skipped(family.latents.skipped, console.CONSOLE)
