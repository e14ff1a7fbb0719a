"""Scores how much of what a parent's style channels do is kept by its children.

Every style channel of the PARENT is shifted alone, by --strength of the parent's
standard deviations at psi 1, around each seed's own value; the same shift is made
in every CHILD. A channel is kept if the picture changes alike. Nothing needs
labels, and any networks of one shape do, official files included. A --control,
which did not come from the parent, and shuffled channels show what chance gives.
A CHILD that is the folder of a run stands for its snapshots (RUN@KIMG for one).

DIR/index.html holds scores with errors, heat maps by layer and resolution, and
pictures; DIR/alignment.json the same numbers, and those of every channel.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned alignment zoo:personas64 zoo:toon-head64 zoo:critters64 \\
      --control zoo:critters64-scratch --out alignment
  aligned alignment ffhq.pkl runs/dog --snapshots 6 --out alignment
  aligned alignment ffhq.pkl shifted.pkl upside.pkl --moved right:60 flip:vertical --out alignment
  aligned alignment ffhq.pkl dog.pkl --judge judges.py:faces --child-judge judges.py:dogs \\
      --out alignment"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("parent", metavar="PARENT")
    add("children", nargs="+", metavar="CHILD")
    add("--control", metavar="NETWORK", help="a network that did not come from the parent")
    add(
        "--strength",
        type=arguments.finite,
        default=5.0,
        metavar="S",
        help="shift to either side in standard deviations of the parent (default 5)",
    )
    add("--no-torgb", action="store_true", help="leave out the channels of toRGB layers")
    add(
        "--snapshots",
        type=arguments.whole(2),
        default=8,
        metavar="N",
        help="of each run, at most; dense at its beginning (default 8)",
    )
    add(
        "--resamples",
        type=arguments.whole(0),
        default=50,
        metavar="N",
        help="draws of seeds for the errors of scores (default 50)",
    )
    add(
        "--moved",
        nargs="+",
        metavar="MOVE",
        help="what was done to each CHILD's data, to tell whether channels stay or follow: "
        "right:8, down:-4, flip:vertical, flip:horizontal or none",
    )
    arguments.add_unit(parser)
    group = parser.add_argument_group(
        "judges: a reader, or FILE.py:FUNCTION from pictures to scores"
    )
    judge = group.add_argument
    judge("--judge", metavar="J", help="of the parent's pictures, or of all")
    judge("--child-judge", metavar="J", help="of the other pictures")
    judge(
        "--judged",
        type=arguments.whole(1),
        default=32,
        metavar="N",
        help="channels whose slopes are judged: the parent's most effective (default 32)",
    )
    arguments.add_names(parser)
    arguments.add_sampling(parser, seeds="0-15", psi=1.0, batch=32)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "DIR", "the folder of the report")


def run(args: argparse.Namespace) -> None:
    """Measures, draws and writes."""
    from aligned_jax import jobs, viz
    from aligned_jax.jobs.judges import load_picture_judge

    viz.check_folder(args.out, args.overwrite)
    result = jobs.alignment(
        args.parent,
        args.children,
        control=args.control,
        names=args.names,
        strength=args.strength,
        torgb=not args.no_torgb,
        judge=args.judge and load_picture_judge(args.judge),
        child_judge=args.child_judge and load_picture_judge(args.child_judge),
        judged=args.judged,
        moved=args.moved,
        snapshots=args.snapshots,
        resamples=args.resamples,
        statistics=args.statistics,
        network_key=args.network_key,
        **arguments.sampling(args),
    )
    result.write(args.out, command(args), args.overwrite)
    console.say(f"{result.table()}\nwrote {args.out}: open index.html there")
