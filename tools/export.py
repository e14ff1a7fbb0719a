"""Writes a network as .safetensors with the official names and layouts, or as .pt.

Every tensor is, bit for bit, what an official file of this network would hold
(unless --half rounds it).
In PyTorch: G.load_state_dict(safetensors.torch.load_file("ffhq.safetensors")).
With --network-key all, names begin with "G_ema.", "G." or "D."; a list such as
G_ema,D takes these.

NAME.pt has the layout of the community port (rosinality/stylegan2-pytorch), which
pSp, e4e, StyleCLIP and GANSpace start from: g_ema, g, d and latent_avg. The port has
skip generators and residual discriminators without labels only; others are refused.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned export dog-reset dog-reset.safetensors
  aligned export dog-reset dog-reset.pt"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument(
        "destination", type=arguments.name, metavar="DST", help="NAME.safetensors or NAME.pt"
    )
    parser.add_argument(
        "--network-key",
        default="G_ema",
        metavar="KEYS",
        help="networks of the source: G_ema, G, D, E, some of them, or all (default G_ema)",
    )
    parser.add_argument(
        "--half", action="store_true", help="store float16: half the size, about three digits"
    )
    arguments.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Exports."""
    from aligned_jax import jobs

    exported = jobs.export_networks(
        args.network,
        args.destination,
        None if args.network_key == "all" else args.network_key.split(","),
        half=args.half,
        command=command(args),
        overwrite=args.overwrite,
    )
    console.say(f"wrote {args.destination}: {', '.join(exported.keys)}")
    for note in exported.notes:
        console.say(note)
