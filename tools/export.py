"""Writes a network as .safetensors with the official names and layouts.

Every tensor is, bit for bit, what an official file of this network would hold.
In PyTorch: G.load_state_dict(safetensors.torch.load_file("ffhq.safetensors")).
With --network-key all, names begin with "G_ema.", "G." or "D.".
"""

import argparse

from aligned_jax.errors import UserError
from aligned_jax.tools import common

EXAMPLE = "  aligned export dog-reset dog-reset.safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument("destination", metavar="DST.safetensors")
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
    from aligned_jax.viz import check_file

    check_file(args.destination, args.overwrite)
    if args.network_key == "all":
        networks = loading.load_all(args.network)
    else:
        networks = {args.network_key: loading.load(args.network, args.network_key)}
    first = next(iter(networks.values()))
    provenance = common.origin(args, {"network": (args.network, first)})
    trees = {key: (network.config, network.variables) for key, network in networks.items()}
    convert.write_safetensors(args.destination, trees, provenance)
    common.say(f"wrote {args.destination}: {', '.join(networks)}")
