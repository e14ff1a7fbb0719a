"""Shows generated pictures beside the training pictures nearest to them: is anything memorised?

Nearness is that of pooled VGG16 features. A row is a seed: its distance from the nearest picture
of --data, and which share of the pictures that the network has not seen are as near: those of
the split test, or of --unseen. Copies are nearer than nearly all of them.

--out NAME.html or NAME.png shows pictures; NAME.json has all numbers.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import name, whole
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned nearest runs/people --data people --seeds 0-15 --out nearest.html
  aligned nearest ffhq.pkl --data ffhq.zip --mirror --unseen faces --psi 0.7 --out nearest.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("--data", type=name, required=True, metavar="D", help="what it was trained on: a dataset, "
        "a folder or a zip")  # fmt: skip
    add("--split", default="train", help="of a dataset (default train)")
    add("--mirror", action="store_true", help="it was trained on mirrored pictures as well")
    add("--unseen", type=name, metavar="D", help="real pictures that it was not trained on "
        "(default: those of --data)")  # fmt: skip
    add("--unseen-split", default="test", metavar="SPLIT", help="of a dataset (default test)")
    add("--most", type=whole(1), metavar="N", help="only the first N pictures of both")
    add("--neighbours", type=whole(1), default=5, metavar="K", help="shown of each (default 5)")
    arguments.add_sampling(parser, seeds="0-7", psi=1.0, batch=16)
    add("--no-cache", action="store_true", help="keep no features of the real pictures")
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.html, NAME.png or NAME.json")


def run(args: argparse.Namespace) -> None:
    """Looks, tells and writes."""
    from aligned_jax import jobs

    found = jobs.nearest(
        args.network,
        args.data,
        split=args.split,
        mirror=args.mirror,
        unseen=args.unseen,
        unseen_split=args.unseen_split,
        most=args.most,
        neighbours=args.neighbours,
        network_key=args.network_key,
        cache=not args.no_cache,
        out=args.out,
        overwrite=args.overwrite,
        **arguments.sampling(args),
    )
    found.write(args.out, command(args), args.overwrite)
    console.say(f"wrote {args.out}: {found.summary()}")
