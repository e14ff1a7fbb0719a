"""Draws aligned pairs of a parent and its children as a dataset, for pix2pix or distillation.

Pair k is drawn from seed --seed + k: the feature image is the parent's, the others are called
after the children. With it stand the seed, z, labels of conditional networks and, with judges,
what they tell of each picture. An interrupted command goes on when it is given again.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import finite, name, seed, whole
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned data pairs zoo:personas64 zoo:critters64 --count 10000 --test 500 --out pairs
  aligned data pairs ffhq.pkl dog.pkl --count 50000 --psi 0.7 --judge judges.py:faces --out pairs"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the sub-verb."""
    add = parser.add_argument
    add("parent", metavar="PARENT")
    add("children", nargs="+", metavar="CHILD")
    add("--count", type=whole(1), required=True, metavar="N", help="pairs to train on")
    add("--test", type=whole(0), default=0, metavar="N", help="pairs of the split test")
    add("--seed", type=seed, default=0, help="of the first pair (default 0)")
    add("--psi", type=finite, default=1.0, help="truncation; 1 is none (default 1)")
    add("--label", type=whole(0), metavar="K", help="class of conditional networks, from 0")
    add("--judge", metavar="J", help="scores the parent's pictures: a reader, or FILE.py:FUNCTION")
    add("--child-judge", metavar="J", help="scores those of the children")
    arguments.add_names(parser)
    add("--batch", type=whole(1), default=8, help="images at a time (default 8)")
    arguments.add_network_key(parser)
    add("--out", type=name, required=True, metavar="D", help="the new folder")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs

    judges = [one and jobs.load_judge(one) for one in (args.judge, args.child_judge)]
    written = jobs.draw_pairs(
        args.out,
        args.parent,
        args.children,
        args.count,
        test=args.test,
        seed=args.seed,
        psi=args.psi,
        label=args.label,
        judge=judges[0],
        child_judge=judges[1],
        names=args.names,
        batch=args.batch,
        network_key=args.network_key,
        command=command(args),
        report=console.CONSOLE,
    )
    counts = ", ".join(f"{count} {split}" for split, count in written.counts.items())
    reused = f"; went on after {written.reused} finished files" if written.reused else ""
    console.say(f"wrote {args.out}: {counts} pairs{reused}")
    for line in written.told:
        console.say(f"  {line}")
