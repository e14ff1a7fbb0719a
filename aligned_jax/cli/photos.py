"""Arguments of verbs that put faces back into photographs, and what results keep of pictures."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.utils.text import counted

if TYPE_CHECKING:
    from aligned_jax.jobs import EditedFamily, PasteOptions, Translation
    from aligned_jax.jobs.families import FamilySheet
    from aligned_jax.jobs.pasted_films import MorphFilm

FOLDER = "a folder for the photographs with the new faces in their places"


def add_paste(parser: arguments.Arguments, metavar: str, what: str) -> None:
    """--paste-back and --feather of a verb.

    Args:
      parser: or a group of its arguments.
      metavar: of --paste-back.
      what: --paste-back is, for the help.
    """
    add = parser.add_argument
    add("--paste-back", type=arguments.name, metavar=metavar, help=what)
    add(
        "--feather",
        type=arguments.finite,
        metavar="F",
        help="width of the seam, in sides of the square that was cut out (default 0.1)",
    )


def paste_options(args: argparse.Namespace) -> "PasteOptions":
    """What they say; UserError for --feather alone, and for a name given twice."""
    if args.feather is not None and args.paste_back is None:
        raise UserError("--feather can only be used together with --paste-back")
    if args.paste_back and os.path.realpath(args.paste_back) == os.path.realpath(args.out):
        raise UserError(f"--paste-back and --out are both {args.out}; give each its own name")
    from aligned_jax import jobs

    feather = {} if args.feather is None else {"feather": args.feather}
    return jobs.PasteOptions(args.paste_back, overwrite=args.overwrite, **feather)


def add_photos(parser: argparse.ArgumentParser, reader: bool = True) -> None:
    """--paste-back, --feather, --keep and --keep-colour; --reader unless the verb has it."""
    group = parser.add_argument_group("photographs, and what results keep of the pictures")
    add_paste(group, "DIR", FOLDER)
    add = group.add_argument
    add(
        "--keep",
        type=arguments.name,
        metavar="M",
        help="F.png, white where pictures stay as they were; with --reader, parts: hair,beard",
    )
    if reader:
        add("--reader", type=arguments.name, metavar="R", help="who finds the parts of --keep")
    add(
        "--keep-colour",
        action="store_true",
        help="results get mean and deviation of the pictures' colours, in L*a*b*",
    )


def photo_options(args: argparse.Namespace) -> dict[str, Any]:
    """`keep` and `paste` of jobs; UserError as `paste_options`."""
    paste = paste_options(args)
    from aligned_jax import jobs

    keep = jobs.KeepOptions(
        keep=args.keep,
        reader=args.reader if names_parts(args.keep, args.reader) else None,
        keep_colour=args.keep_colour,
    )
    return {"keep": keep, "paste": paste}


def names_parts(mask: str | None, reader: str | None) -> bool:
    """Whether a mask names parts that the reader finds, rather than a picture."""
    return reader is not None and mask is not None and not os.path.splitext(mask)[1]


def check_reader(args: argparse.Namespace, *masks: str) -> None:
    """Raises UserError for a --reader that none of these options has work for."""
    if args.reader and not any(names_parts(getattr(args, mask), args.reader) for mask in masks):
        options = " or ".join(f"--{mask}" for mask in masks)
        raise UserError(f"--reader finds the parts that {options} names; name them, like hair")


def write_photos(
    args: argparse.Namespace, result: "EditedFamily | FamilySheet | Translation", command: Command
) -> None:
    """Writes the photographs, if they are wanted, and says so."""
    if args.paste_back is None:
        return
    photos = result.photographs(console.CONSOLE)
    photos.write(args.paste_back, command, args.overwrite, console.CONSOLE)
    console.say(f"wrote {args.paste_back}: {counted(len(photos), 'photograph')}")


def write_films(args: argparse.Namespace, film: "MorphFilm") -> None:
    """Writes a film, and that of its photograph, if it is wanted, and says so of the latter."""
    how = (command(args), args.overwrite, console.CONSOLE, args.lossless)
    if args.paste_back is None:
        film.write(args.out, *how)
        return
    from aligned_jax.jobs.films import drawn_once

    with drawn_once(film) as shared:
        shared.write(args.out, *how)
        whole = film.in_photograph(shared)
        whole.write(args.paste_back, *how)
    _, height, width, _ = whole.shape
    place = film.placement.photo if film.placement else ""
    console.say(f"wrote {args.paste_back}: {whole.summary} of {width}x{height} pixels, in {place}")
