"""Trains readers, which tell what is in a picture, and reads with them.

`train` learns attributes from pictures for which they are known: a dataset of
`aligned data`, a table (.csv) with columns file,name,value or with file and one
column for each attribute, or CelebA's list_attr_celeba.txt. Kinds are deduced:
binary, category, colour, number. A part of the pictures is held out: it calibrates
probabilities, and gives the accuracy that `show` tells. `read` tells the attributes of
pictures, or with --seeds of what a network draws; written to a .csv or .npz these are
scores by seed, a judge for other verbs. `parts` adds to a reader where hair, face, mouth
and others are: of drawn avatars, or from a folder of masks.

READER is a file, zoo:people-reader or zoo:monsters-reader. Other verbs take it as --judge,
where its scores are called like the attribute (glasses, yaw), by the value of a category
(hair=long), or by the part of a colour (hair_color.red, .green, .blue or .lightness).
"""

import argparse

from aligned_jax.cli import arguments, attributes, console
from aligned_jax.cli.arguments import finite, name, whole
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError

EXAMPLE = """\
  aligned attributes train --data people --out people.safetensors
  aligned attributes train --data list_attr_celeba.txt --images img_align_celeba --out c.safetensors
  aligned attributes parts people.safetensors --data people --out people-parts.safetensors
  aligned attributes show zoo:people-reader
  aligned attributes read people.safetensors zoo:personas64 --seeds 0-15 --out read.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-verbs and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="train|parts|show|read")
    attributes.add_training(
        actions.add_parser("train", help="learn from labelled pictures", allow_abbrev=False)
    )
    parts = actions.add_parser("parts", help="teach a reader parts of pictures", allow_abbrev=False)
    attributes.add_parts(parts)
    show = actions.add_parser("show", help="what a reader tells, and how well", allow_abbrev=False)
    show.add_argument("reader", type=name, metavar="READER")
    show.add_argument("--json", action="store_true", help="print JSON instead of a table")
    _add_read(actions.add_parser("read", help="attributes of pictures", allow_abbrev=False))


def _add_read(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("reader", type=name, metavar="READER")
    add("source", nargs="+", type=name, metavar="IMAGES|NETWORK", help="files, folders, zips")
    add("--seeds", metavar="LIST", help="drawn by NETWORK, like 0-15")
    add("--psi", type=finite, default=None, help="truncation of what is drawn (default 1, none)")
    add("--label", type=whole(0), metavar="K", help="class of a conditional network, from 0")
    add("--align", choices=("center", "none"), default="center", help="cut pictures square")
    add("--json", action="store_true", help="print JSON instead of a table")
    add("--out", type=name, metavar="X", help="NAME.json, .csv, .npz (scores), or .png")
    arguments.add_overwrite(parser)
    arguments.add_network_key(parser)


def run(args: argparse.Namespace) -> None:
    """Trains, shows or reads."""
    {"train": _train, "parts": _parts, "show": _show, "read": _read}[args.action](args)


def _train(args: argparse.Namespace) -> None:
    from aligned_jax import jobs

    trained = jobs.train_attributes(args.data, report=console.CONSOLE, **attributes.options(args))
    trained.write(args.out, command(args), args.overwrite)
    for line in trained.told:
        console.say(line)
    console.say(jobs.reader_card(args.out).text())


def _parts(args: argparse.Namespace) -> None:
    from aligned_jax import jobs

    chosen = attributes.parts_options(args)
    taught = jobs.teach_parts(args.reader, args.data, report=console.CONSOLE, **chosen)
    taught.write(args.out, command(args), args.overwrite)
    console.say(jobs.reader_card(args.out).text())


def _show(args: argparse.Namespace) -> None:
    import json

    from aligned_jax import jobs

    card = jobs.reader_card(args.reader)
    console.say(json.dumps(card.document(), indent=2) if args.json else card.text())


def _read(args: argparse.Namespace) -> None:
    import json

    from aligned_jax import jobs
    from aligned_jax.jobs.attributes.reading import check_target

    if args.out:
        check_target(args.out, args.overwrite)
    if args.seeds is not None and len(args.source) > 1:
        raise UserError(f"--seeds are drawn by one NETWORK, {len(args.source)} were given")
    if args.seeds is None and (args.psi is not None or args.label is not None):
        raise UserError("--psi and --label are of what a NETWORK draws: give --seeds too")
    readings = jobs.read_attributes(
        args.reader,
        args.source if args.seeds is None else args.source[0],
        seeds=args.seeds,
        psi=args.psi,
        label=args.label,
        network_key=args.network_key,
        align=args.align,
        report=console.CONSOLE,
    )
    if args.out:
        readings.write(args.out, command(args), args.overwrite)
    document = readings.document(command(args)) if args.json else {}
    console.say(json.dumps(document, indent=2) if args.json else readings.table())
