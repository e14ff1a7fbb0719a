"""Writes a network as .safetensors with the official names and layouts.

Every tensor is, bit for bit, what an official file of this network would hold.
In PyTorch: G.load_state_dict(safetensors.torch.load_file("ffhq.safetensors")).
With --network-key all, names begin with "G_ema.", "G." or "D.".
"""

import argparse
from typing import TYPE_CHECKING

from aligned_jax.errors import UserError
from aligned_jax.tools import common

if TYPE_CHECKING:
    from aligned_jax.types import Variables

EXAMPLE = "  aligned export dog-reset dog-reset.safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument("destination", type=common.name, metavar="DST.safetensors")
    parser.add_argument(
        "--network-key",
        choices=("G_ema", "G", "D", "all"),
        default="G_ema",
        help="which network of the source (default G_ema)",
    )
    common.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Exports."""
    if not args.destination.endswith(".safetensors"):
        raise UserError(f"{args.destination}: give a name that ends in .safetensors")
    from aligned_jax import convert, loading
    from aligned_jax.tools import surgery
    from aligned_jax.viz import check_file

    check_file(args.destination, args.overwrite)
    manifest = loading.describe(args.network)
    keys = list(manifest.configs) if args.network_key == "all" else [args.network_key]

    def variables(key: str) -> "Variables":
        tree = loading.load(args.network, key).variables
        surgery.check_finite(key, tree)
        return tree

    # Functions, so that one network after the other is in memory.
    trees = {key: (manifest.configs.get(key), lambda key=key: variables(key)) for key in keys}
    provenance = common.origin(args, {"network": (args.network, manifest)})
    convert.write_safetensors(args.destination, trees, provenance)
    common.say(f"wrote {args.destination}: {', '.join(keys)}")
