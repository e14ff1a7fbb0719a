"""Prepares datasets and looks at them.

A dataset is a folder of TFDS array_record files, from which `aligned pretrain`
and `aligned finetune` read. `avatars` draws faces with known attributes,
`images` imports a folder or an official dataset zip, `inspect` counts and shows
what a dataset holds. An interrupted `avatars` or `images` goes on from where it
stopped when the same command is given again.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import finite, list_of, name, whole
from aligned_jax.cli.console import command
from aligned_jax.data.styles import STYLES

EXAMPLE = (
    "  aligned data avatars --style personas --count 50000 --resolution 64 --out people\n"
    "  aligned data images photos.zip --resolution 256 --out photos\n"
    "  aligned data inspect people --out people.png"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-verbs and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="avatars|images|inspect")
    _add_avatars(actions.add_parser("avatars", help="draw faces", allow_abbrev=False))
    _add_images(actions.add_parser("images", help="import images", allow_abbrev=False))
    _add_inspect(actions.add_parser("inspect", help="look at a dataset", allow_abbrev=False))


def _add_avatars(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--style", required=True, help=", ".join(STYLES))
    parser.add_argument("--count", type=whole(1), required=True, help="images to train on")
    parser.add_argument(
        "--test", type=whole(0), help="images of the split test (default: a tenth more)"
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="another one, other faces")
    for option, start, metavar, text in (
        ("--roll", 0.0, "DEG", "rotate by up to DEG"),
        ("--yaw", 0.0, "Y", "turn by up to Y, at most 1"),
        ("--zoom", 1.0, "Z", "enlarge about the middle (default 1)"),
    ):
        parser.add_argument(option, type=finite, default=start, metavar=metavar, help=text)
    parser.add_argument(
        "--background",
        type=list_of(str),
        default=["#ffffff"],
        metavar="COLOURS",
        help="one of #rrggbb,... for each image (default white)",
    )
    _add_writing(parser)


def _add_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SRC", help="a folder (sub-folders are classes) or zip")
    number, text = finite, "fraction for the split test"
    parser.add_argument("--test", type=number, default=0.0, metavar="F", help=text)
    channels = parser.add_mutually_exclusive_group()
    channels.add_argument("--gray", action="store_true", help="one channel instead of three")
    channels.add_argument("--alpha", action="store_true", help="four channels, the last is opacity")
    parser.add_argument(
        "--fit",
        choices=("crop", "pad", "stretch"),
        default="crop",
        help="pictures that are not square (default: the middle is kept)",
    )
    parser.add_argument(
        "--pad-colour",
        metavar="C",
        help="#rrggbb of --fit pad (default white, or with --alpha none)",
    )
    parser.add_argument(
        "--no-labels", action="store_true", help="leave out sub-folders or dataset.json as labels"
    )
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave damaged files out; they are named"
    )
    _add_writing(parser)


def _add_writing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--resolution", type=whole(8, 2048), required=True, metavar="R")
    parser.add_argument(
        "--workers", type=whole(1), metavar="N", help="processes (default: all cores)"
    )
    parser.add_argument("--out", type=name, required=True, metavar="D", help="the new folder")


def _add_inspect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar="D")
    parser.add_argument("--out", type=name, metavar="X.png", help="a sheet of its images")
    parser.add_argument("--images", type=whole(1, 4096), default=64, help="on a sheet (default 64)")
    parser.add_argument(
        "--check", action="store_true", help="compare all files with their recorded SHA-256"
    )
    arguments.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Draws, imports or shows."""
    if args.action == "inspect":
        _inspect(args)
    else:
        _write(args)


def _write(args: argparse.Namespace) -> None:
    from aligned_jax import jobs

    work = {"workers": args.workers, "command": command(args), "report": console.CONSOLE}
    if args.action == "avatars":
        names = ("test", "seed", "roll", "yaw", "background", "zoom")
        options = {name: getattr(args, name) for name in names}
        written = jobs.draw_avatars(
            args.out, args.style, args.count, args.resolution, **options, **work
        )
    else:
        names = ("test", "gray", "alpha", "fit", "pad_colour", "skip_bad")
        options = {name: getattr(args, name) for name in names}
        written = jobs.import_images(
            args.source, args.out, args.resolution, labels=not args.no_labels, **options, **work
        )
    for line in written.bad:
        console.warn(f"left out {line}")
    counts = ", ".join(f"{count} {split}" for split, count in written.counts.items())
    reused = f"; went on after {written.reused} finished files" if written.reused else ""
    console.say(f"wrote {args.out}: {counts} images of {args.resolution} px{reused}")
    for line in written.told:
        console.say(f"  {line}")


def _inspect(args: argparse.Namespace) -> None:
    from aligned_jax import jobs, viz

    if args.out:
        viz.check_file(args.out, args.overwrite)
    if args.check:
        count = jobs.check_data(args.dataset, console.CONSOLE)
        console.say(f"{args.dataset}: the SHA-256 of {count} files are those that were recorded")
    inspected = jobs.inspect_data(args.dataset)
    console.say(inspected.text())
    if args.out:
        inspected.write_sheet(args.out, args.images, command(args), args.overwrite)
        shown = ", ".join(inspected.splits)
        console.say(f"\nwrote {args.out}: up to {args.images} images of {shown}")
