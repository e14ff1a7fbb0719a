"""Writes a network for other programs, by the ending of the name.

NAME.safetensors: every tensor, with the official name and layout, is bit for bit what
an official file of this network would hold (unless --half rounds it). In PyTorch:
G.load_state_dict(safetensors.torch.load_file("ffhq.safetensors")). With
--network-key all, names begin with "G_ema.", "G." or "D."; a list such as G_ema,D
takes these.

NAME.pt: the layout of the community port (rosinality/stylegan2-pytorch), which
pSp, e4e, StyleCLIP and GANSpace start from: g_ema, g, d and latent_avg. The port has
skip generators and residual discriminators without labels only; others are refused.

NAME.onnx: a generator that draws in onnxruntime and wherever else ONNX runs. It takes
z (with labels c, and the number psi), w, ws or styles/LAYER, and gives images
[N, C, R, R]. NAME.jaxexport: the same as StableHLO, for jax.export.deserialize; its
images are [N, R, R, C]. Both are compared with JAX before they are written, and need
pip install 'aligned_jax[onnx]'.
"""

import argparse
from typing import Any

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError
from aligned_jax.utils.text import options

EXAMPLE = """\
  aligned export dog-reset dog-reset.safetensors
  aligned export dog-reset dog-reset.pt
  aligned export dog-reset dog-reset.onnx --space w+"""
_NETWORKS, _PROGRAMS = (".safetensors", ".pt"), (".onnx", ".jaxexport")
# What is of programs alone is None if it was not given: names of arguments, and of options.
_OF_PROGRAMS = {"space": "space", "psi": "psi", "noise": "noise", "check": "no_check"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument(
        "destination",
        type=arguments.name,
        metavar="DST",
        help="NAME.safetensors, NAME.pt, NAME.onnx or NAME.jaxexport",
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
    add = parser.add_argument_group("of an .onnx or .jaxexport").add_argument
    add("--space", choices=("z", "w", "w+", "s"), help="of the latents (default z)")
    add(
        "--psi",
        type=arguments.finite,
        help="build this truncation in; without it programs of z take psi as an input",
    )
    add("--noise", choices=("const", "none"), help="the stored maps (default), or none")
    add(
        "--no-check",
        dest="check",
        action="store_false",
        default=None,
        help="do not compare with JAX, which takes a minute for large networks",
    )


def run(args: argparse.Namespace) -> None:
    """Exports."""
    given = {name: getattr(args, name) for name in _OF_PROGRAMS if getattr(args, name) is not None}
    if args.destination.endswith(_PROGRAMS):
        _export_program(args, given)
    elif not args.destination.endswith(_NETWORKS):
        endings = ", ".join(_NETWORKS + _PROGRAMS[:1])
        raise UserError(f"{args.destination}: give a name that ends in {endings} or {_PROGRAMS[1]}")
    elif given:
        named = options((_OF_PROGRAMS[name] for name in given), " and ")
        raise UserError(f"{named} can only be used together with {' or '.join(_PROGRAMS)}")
    else:
        _export_networks(args)


def _export_program(args: argparse.Namespace, given: dict[str, Any]) -> None:
    from aligned_jax import jobs
    from aligned_jax.jobs.describe import signature

    exported = jobs.export_program(
        args.network,
        args.destination,
        args.network_key,
        half=args.half,
        command=command(args),
        overwrite=args.overwrite,
        **given,
    )
    told = signature(exported.inputs, exported.images)
    console.say(f"wrote {args.destination}: {told}")
    if exported.difference is not None:
        console.say(f"its images differ from those of JAX by {exported.difference:.1e} at most")


def _export_networks(args: argparse.Namespace) -> None:
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
