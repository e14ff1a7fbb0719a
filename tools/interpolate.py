"""Blends two networks of the same sizes: (1 - weight) * A + weight * B.

Give one --weight; or --weights by component or by resolution, what they leave
out staying as in A; or --strip, which draws the same latents at several
weights as a picture instead of writing a network. At 0 the result is A and at
1 it is B, to the last bit; outside of that range it extrapolates.
"""

import argparse
import functools

from aligned_jax.cli import arguments, results

EXAMPLE = """\
  aligned interpolate ffhq.pkl dog.pkl --weight 0.5 --out half
  aligned interpolate ffhq.pkl dog.pkl --weights conv=0.3,torgb=1 --out part
  aligned interpolate ffhq.pkl dog.pkl --strip 0,0.25,0.5,0.75,1 --out strip.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("a", metavar="A")
    parser.add_argument("b", metavar="B")
    weight = parser.add_mutually_exclusive_group(required=True)
    weight.add_argument("--weight", type=arguments.finite, metavar="W", help="share of B")
    weight.add_argument(
        "--weights", type=_by_name, metavar="LIST", help="like conv=0.3,torgb=1 or 4=0,8=1"
    )
    weight.add_argument(
        "--strip", type=arguments.list_of(arguments.finite), metavar="LIST", help="weights to draw"
    )
    parser.add_argument("--components", metavar="LIST", help="blend only these (default all)")
    parser.add_argument("--resolutions", metavar="LIST", help="blend only these (default all)")
    arguments.add_strip_sampling(parser)
    arguments.add_network_key(parser)
    what = "the new checkpoint folder; with --strip, NAME.png or NAME.html"
    arguments.add_out(parser, "DST", what)


def run(args: argparse.Namespace) -> None:
    """Blends and writes a network, or draws a strip."""
    arguments.fill_strip_defaults(args)
    from aligned_jax import jobs

    chosen = {
        "components": args.components,
        "resolutions": args.resolutions,
        "network_key": args.network_key,
    }
    weight = args.weights if args.weight is None else args.weight
    results.write_blend(
        args,
        functools.partial(jobs.interpolate, args.a, args.b, weight, **chosen),
        functools.partial(jobs.interpolate_strip, args.a, args.b, args.strip, **chosen),
    )


def _by_name(text: str) -> dict[str, float]:
    """{name: weight} of "conv=0.3,torgb=1"."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not name or name in weights:
            reason = "is given twice" if name in weights else "is not of the form NAME=WEIGHT"
            raise argparse.ArgumentTypeError(f"{part!r} {reason}")
        weights[name] = arguments.finite(value)
    return weights
