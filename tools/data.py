"""Prepares datasets and looks at them.

A dataset is a folder of TFDS array_record files, from which `aligned pretrain`
and `aligned finetune` read. `avatars` draws faces with known attributes,
`images` imports a folder or an official dataset zip, `pairs` draws the same latents by
a parent and its children, `inspect` counts and shows what a dataset holds. What was
interrupted goes on from where it stopped when the same command is given again.
"""

import argparse
import importlib
from types import ModuleType

from aligned_jax.cli import console
from aligned_jax.cli.arguments import finite, list_of, name, whole
from aligned_jax.cli.console import command, help_of
from aligned_jax.data.styles import STYLES

EXAMPLE = (
    "  aligned data avatars --style personas --count 50000 --resolution 64 --out people\n"
    "  aligned data images photos.zip --resolution 256 --out photos\n"
    "  aligned data pairs zoo:personas64 zoo:critters64 --count 10000 --out pairs\n"
    "  aligned data inspect people --out people.png"
)
# In modules of their own, data_NAME beside this one.
_APART = {"pairs": "draw aligned pairs of pictures", "inspect": "look at a dataset"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-verbs and their arguments."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="avatars|images|pairs|inspect"
    )
    _add_avatars(actions.add_parser("avatars", help="draw faces", allow_abbrev=False))
    _add_images(actions.add_parser("images", help="import images", allow_abbrev=False))
    for apart, summary in _APART.items():
        module = _module(apart)
        module.add_arguments(actions.add_parser(apart, help=summary, **help_of(module)))


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


def run(args: argparse.Namespace) -> None:
    """Draws, imports or shows."""
    if args.action in _APART:
        _module(args.action).run(args)
    else:
        _write(args)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.data_{name}")


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
