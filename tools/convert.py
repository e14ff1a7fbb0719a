"""Reads an official file into a checkpoint folder, running nothing from it.

Understood are pickles of stylegan2-ada-pytorch, of the stylegan3 repository
(StyleGAN2 networks) and of the TensorFlow releases, .pt files of the community
PyTorch port, and .safetensors with official names. All networks of the file
are converted: G_ema, G and D, as far as it has them.
"""

import argparse

from aligned_jax.cli import console, groups, values
from aligned_jax.provenance import versions

EXAMPLE = "  aligned convert ffhq.pkl ffhq"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("source", type=values.name, metavar="SRC", help="the official file")
    parser.add_argument(
        "destination", type=values.name, metavar="DST", help="the new checkpoint folder"
    )
    groups.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Converts, with one network in memory at a time."""
    from aligned_jax import checkpoint, convert
    from aligned_jax.jobs import describe

    checkpoint.check_target(args.destination, args.overwrite)
    official = convert.read_official(args.source)
    facts = {"command": args.command_line, "versions": versions()}
    provenance = {"kind": "converted", **official.source, **facts}
    networks = {
        key: (network.config, network.variables) for key, network in official.networks.items()
    }
    checkpoint.write(args.destination, networks, provenance, args.overwrite)
    for warning in official.source.get("warnings", ()):
        console.warn(warning)
    main = official.networks.get("G_ema") or next(iter(official.networks.values()))
    console.say(
        f"wrote {args.destination}: {describe.headline(main.config)}; {', '.join(networks)} "
        f"of {describe.origin_line(provenance)}"
    )
