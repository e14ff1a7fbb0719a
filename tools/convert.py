"""Reads an official file into a checkpoint folder, running nothing from it.

Understood are pickles of stylegan2-ada-pytorch, of the stylegan3 repository
(StyleGAN2 networks) and of the TensorFlow releases, .pt files of the community
PyTorch port, and .safetensors with official names. All networks of the file
are converted: G_ema, G and D, as far as it has them.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = "  aligned convert ffhq.pkl ffhq"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("source", type=arguments.name, metavar="SRC", help="the official file")
    parser.add_argument(
        "destination", type=arguments.name, metavar="DST", help="the new checkpoint folder"
    )
    arguments.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Converts, with one network in memory at a time."""
    from aligned_jax import checkpoint, jobs
    from aligned_jax.jobs.describe import headline, origin_line

    checkpoint.check_target(args.destination, args.overwrite)
    converted = jobs.convert_file(args.source)
    converted.write(args.destination, command(args), args.overwrite)
    for warning in converted.warnings:
        console.warn(warning)
    console.say(
        f"wrote {args.destination}: {headline(converted.config)}; "
        f"{', '.join(converted.official.networks)} of {origin_line(converted.provenance)}"
    )
