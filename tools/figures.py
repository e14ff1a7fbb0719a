"""Draws every figure of the paper, and a page of them all.

Without --parent from the family of the zoo, in less than half an hour on two cores. With --parent
and others from your own networks: what a figure needs and was not given is named, and the figure
is left out. Every figure has what one should see, what would speak against the paper, a number,
and the command that draws it alone. The same command goes on where it was stopped.
"""

import argparse
import contextlib
import io
from collections.abc import Sequence
from typing import Any

from aligned_jax.cli import arguments, console
from aligned_jax.errors import UserError
from aligned_jax.utils.text import listed, printable
from aligned_jax.utils.text import options as options_text

EXAMPLE = """  aligned figures --only 5,16-19 --out gallery
  aligned figures --parent ffhq.pkl --child mega.pkl dog.pkl --only 1-6 --out gallery"""
_MEMBERS = (
    *("child", "grandchild", "control", "moved", "small", "edges", "run", "pictures"),
    *("encoder", "judge", "attributes", "data", "edit", "channel"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("--only", metavar="LIST", help="figures like 5,16-19 (default: all, 1 to 37)")
    add(
        "--out",
        type=arguments.name,
        default="gallery",
        metavar="DIR",
        help="folder of the page and of all that it shows (default gallery)",
    )
    add("--seed", type=arguments.whole(0, 2**20), default=0, metavar="S", help="other latents")
    own = parser.add_argument_group("your own networks")
    add = own.add_argument
    add("--parent", metavar="NETWORK", help="of all others (default: the zoo's family)")
    add("--child", nargs="+", metavar="NETWORK", help="from the nearest to the most distant one")
    add("--grandchild", nargs="+", metavar="NETWORK", help="children of the last child")
    add("--control", metavar="NETWORK", help="of the last child's data, aligned with nothing")
    add(
        "--moved",
        nargs="+",
        metavar="MOVE=NETWORK",
        help="children of moved data, like right:8=shifted.pkl flip:vertical=upside.pkl",
    )
    add("--small", metavar="NETWORK", help="the parent at half its size, trained on")
    add("--edges", metavar="NETWORK", help="a child that draws edge maps")
    add("--run", metavar="RUN", help="a run that fine-tuned the parent")
    add("--pictures", nargs="+", metavar="IMAGE", help="of the parent's domain")
    add("--encoder", nargs="+", metavar="SPACE=E", help="of the parent, like z=runs/z w+=runs/e4e")
    add("--judge", metavar="J", help="of the parent's pictures, as of `aligned zero-shot`")
    add("--attributes", nargs=2, metavar="A", help="of the judge: one yes or no, one with a sign")
    add("--data", metavar="D", help="labelled pictures of the last child's domain")
    add("--edit", nargs="+", metavar="X", help="three directions of the parent")
    add("--channel", nargs="+", metavar="C", help="three style channels (default: some that show)")


def run(args: argparse.Namespace) -> int:
    """Everything; returns the exit code."""
    from aligned_jax import jobs
    from aligned_jax.jobs.command_steps import StepStopped

    only = jobs.parse_only(args.only) if args.only else None
    given = [name for name in _MEMBERS if getattr(args, name)]
    if args.parent is None and given:
        raise UserError(f"{options_text(given)}: of your own networks; give --parent as well")

    def carry_out(argv: Sequence[str]) -> int:
        # Only pictures and training speak on stderr: bars, rates, warnings.
        with contextlib.redirect_stdout(io.StringIO()):
            return args.program.carry_out(argv)

    plan = jobs.zoo_plan(args.out, args.seed) if args.parent is None else _plan(args)
    try:
        jobs.make_figures(plan, only, carry_out, _tell)
    except StepStopped as stop:
        console.warn("stopped and saved; the same command goes on from here")
        return stop.code
    return 0


def _plan(args: argparse.Namespace) -> Any:
    from aligned_jax import jobs

    return jobs.FigurePlan(
        out=args.out,
        parent=args.parent,
        children=tuple(args.child or ()),
        grandchildren=tuple(args.grandchild or ()),
        control=args.control,
        moved=_pairs(args.moved, "moved", "MOVE=NETWORK"),
        small=args.small,
        edges=args.edges,
        run=args.run,
        pictures=tuple(args.pictures or ()),
        encoders=_pairs(args.encoder, "encoder", "SPACE=E"),
        judge=args.judge,
        readings=tuple(args.attributes) if args.attributes else None,
        data=args.data,
        edits=tuple(args.edit or ()),
        channels=tuple(args.channel or ()),
        seed=args.seed,
    )


def _pairs(words: Sequence[str] | None, option: str, form: str) -> dict[str, str]:
    """What stands before and behind the first "=" of each word."""
    wrong = [word for word in words or () if not all(word.partition("="))]
    if wrong:
        raise UserError(f"--{option} {listed(wrong)}: write it {form}")
    parts = [word.partition("=") for word in words or ()]
    return {before: behind for before, _, behind in parts}


def _tell(text: str) -> None:
    # At once, also into a file: somebody waits.
    print(printable(text), flush=True)
