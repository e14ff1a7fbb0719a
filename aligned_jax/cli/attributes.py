"""Arguments of the training of readers."""

import argparse
from typing import Any

from aligned_jax.cli import arguments
from aligned_jax.cli.arguments import finite, name, seed, whole
from aligned_jax.errors import UserError


def add_training(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `aligned attributes train`."""
    add = parser.add_argument
    add("--data", type=name, required=True, metavar="D", help="dataset, .csv, or CelebA's list")
    add("--images", type=name, metavar="DIR", help="pictures of a table (default: beside it)")
    add("--attributes", metavar="A,B", help="those to learn (default: all that vary)")
    add(
        "--kind",
        action="append",
        default=[],
        metavar="A=KIND",
        help="binary, category, colour or number, where it is not what is deduced; repeatable",
    )
    add("--odd", metavar="A,B", help="numbers whose sign the mirror changes (default roll,yaw)")
    add("--split", default="train", help="of a dataset (default train)")
    add("--resolution", type=whole(8, 512), default=64, help="pixels it looks at (default 64)")
    add("--num", type=whole(1), default=20_000, help="pictures at most (default 20000)")
    add("--held-out", type=finite, default=0.2, metavar="F", help="fraction (default 0.2)")
    add("--epochs", type=whole(1), default=12, help="times all are seen (default 12)")
    add("--batch", type=whole(1), default=64, help="pictures of a step (default 64)")
    add("--learning-rate", type=finite, default=2e-3, metavar="R", help="at most (default 0.002)")
    add("--seed", type=seed, default=0, help="of all random numbers (default 0)")
    add("--no-flip", action="store_true", help="no mirror images, in training and reading")
    add("--no-mirror", action="store_true", help="do not average mirror images in reading")
    add("--no-augment", action="store_true", help="no shifts, blur and noise in training")
    add("--half", action="store_true", help="store float16, half the size")
    add("--skip-bad", action="store_true", help="leave damaged pictures out")
    arguments.add_out(parser, "READER.safetensors", "the file")


def add_parts(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `aligned attributes parts`."""
    add = parser.add_argument
    add("reader", type=name, metavar="READER", help="that is to learn parts")
    add("--data", type=name, required=True, metavar="D", help="drawn avatars, or with --masks DIR")
    add("--masks", type=name, metavar="DIR", help="PNGs named as the pictures: numbers of parts")
    add("--names", metavar="A,B", help="of the parts in --masks, from 0 on")
    add("--num", type=whole(1), default=1000, help="pictures at most (default 1000)")
    add("--epochs", type=whole(1), default=8, help="times all are seen (default 8)")
    add("--batch", type=whole(1), default=32, help="pictures of a step (default 32)")
    add("--learning-rate", type=finite, default=2e-3, metavar="R", help="at most (default 0.002)")
    add("--seed", type=seed, default=0, help="of all random numbers (default 0)")
    add("--no-flip", action="store_true", help="no mirror images")
    add("--no-augment", action="store_true", help="no blur and noise")
    add("--half", action="store_true", help="store float16, half the size")
    arguments.add_out(parser, "READER.safetensors", "the file")


def parts_options(args: argparse.Namespace) -> dict[str, Any]:
    """What was parsed, by the names that `jobs.teach_parts` gives it."""
    return {
        "masks": args.masks,
        "names": _names(args.names),
        "num": args.num,
        "half": args.half,
        "training": _training(args),
        "out": args.out,
        "overwrite": args.overwrite,
    }


def options(args: argparse.Namespace) -> dict[str, Any]:
    """What was parsed, by the names that `jobs.train_attributes` gives it."""
    return {
        "images": args.images,
        "attributes": _names(args.attributes),
        "kinds": _kinds(args.kind),
        "odd": _names(args.odd),
        "split": args.split,
        "resolution": args.resolution,
        "num": args.num,
        "held_out": args.held_out,
        "mirror": not (args.no_mirror or args.no_flip),
        "half": args.half,
        "skip_bad": args.skip_bad,
        "training": _training(args),
        "out": args.out,
        "overwrite": args.overwrite,
    }


def _training(args: argparse.Namespace) -> Any:
    from aligned_jax.training.attributes import ReaderTraining

    return ReaderTraining(
        epochs=args.epochs,
        batch=args.batch,
        learning_rate=args.learning_rate,
        seed=args.seed,
        flip=not args.no_flip,
        augment=not args.no_augment,
    )


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _kinds(pairs: list[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if not pair.partition("=")[2]]
    if wrong:
        raise UserError(f"--kind {', '.join(wrong)}: write ATTRIBUTE=KIND, such as age=number")
    return {pair.rpartition("=")[0]: pair.rpartition("=")[2] for pair in pairs}
