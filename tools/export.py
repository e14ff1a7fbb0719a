"""Writes a network as .safetensors with the official names and layouts.

Every tensor is, bit for bit, what an official file of this network would hold
(unless --half rounds it).
In PyTorch: G.load_state_dict(safetensors.torch.load_file("ffhq.safetensors")).
With --network-key all, names begin with "G_ema.", "G." or "D."; a list such as
G_ema,D takes these.
"""

import argparse
from typing import TYPE_CHECKING

from aligned_jax import provenance
from aligned_jax.cli import console, groups, values
from aligned_jax.cli.command_line import command
from aligned_jax.errors import UserError

if TYPE_CHECKING:
    from aligned_jax.types import Variables

EXAMPLE = "  aligned export dog-reset dog-reset.safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument("destination", type=values.name, metavar="DST.safetensors")
    parser.add_argument(
        "--network-key",
        default="G_ema",
        metavar="KEYS",
        help="networks of the source: G_ema, G, D, E, some of them, or all (default G_ema)",
    )
    parser.add_argument(
        "--half", action="store_true", help="store float16: half the size, about three digits"
    )
    groups.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Exports."""
    if not args.destination.endswith(".safetensors"):
        raise UserError(f"{args.destination}: give a name that ends in .safetensors")
    from aligned_jax import convert, loading
    from aligned_jax.jobs import surgery
    from aligned_jax.viz import check_file

    check_file(args.destination, args.overwrite)
    manifest = loading.describe(args.network)
    keys = list(manifest.configs) if args.network_key == "all" else args.network_key.split(",")
    if wrong := [key for key in keys if key not in manifest.configs]:
        raise UserError(
            f"{args.network} has no network {', '.join(map(repr, wrong))}; "
            f"it has {', '.join(manifest.configs)}"
        )

    def variables(key: str) -> "Variables":
        tree = loading.load(args.network, key).variables
        surgery.check_finite(key, tree)
        return tree

    # Functions, so that one network after the other is in memory.
    trees = {key: (manifest.configs[key], lambda key=key: variables(key)) for key in keys}
    origin = provenance.origin(command(args), {"network": (args.network, manifest)})
    if "E" in keys and "generator" in manifest.provenance:
        origin["generator"] = manifest.provenance["generator"]  # whose encoder it is
    convert.write_safetensors(args.destination, trees, origin, args.half)
    console.say(f"wrote {args.destination}: {', '.join(keys)}")
