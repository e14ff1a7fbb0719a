"""Teaches a linear model of latents a label that no classifier knows, by answers about seeds.

--yes and --no list seeds that show it and seeds that do not; --unclear ones teach nothing. With
--page a page asks instead, about the seeds whose answers tell most: keys Y, N and U,
or arrows. It is served to this machine alone; answers are saved as they are given, and the
same command goes on from them.

Cross-validation says when there are enough answers, and which seeds would tell most.
NAME.json holds answers, model and scores (aligned zero-shot --labels takes it), NAME.csv
the scores alone: columns seed and the label's name, log-odds, a judge for other verbs.
"""

import argparse
from typing import Any

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError

EXAMPLE = """\
  aligned label zoo:personas64 --name glasses --page --out glasses.json
  aligned label zoo:personas64 --name bald --yes 3,7,9 --no 0-2,4 --unclear 5 --out bald.json
  aligned label zoo:personas64 --name bald --yes 3,7,9 --no 0-2,4 --pool 0-9999 --out bald.csv"""
_GIVEN = ("yes", "no", "unclear")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("--name", required=True, metavar="LABEL", help="of the label, such as glasses")
    add("--yes", default="", metavar="LIST", help="seeds that show it, like 3,7,20-25")
    add("--no", default="", metavar="LIST", help="seeds that do not")
    add("--unclear", default="", metavar="LIST", help="seeds of which nobody can tell")
    add("--page", action="store_true", help="ask about seeds on a page")
    add("--port", type=arguments.whole(1, 65535), metavar="P", help="of the page (default any)")
    add("--space", choices=("w", "s"), default="w", help="of the model (default w)")
    add("--pool", default="0-1999", metavar="LIST", help="seeds to ask about and score (0-1999)")
    add("--suggest", type=arguments.whole(0), default=12, metavar="N", help="seeds (default 12)")
    add("--psi", type=arguments.finite, default=1.0, help="truncation; 1 is none (default)")
    add("--label", type=arguments.whole(0), metavar="K", help="class of a conditional network")
    add("--seed", type=arguments.seed, default=0, help="of folds and choices (default 0)")
    add("--batch", type=arguments.whole(1), default=8, help="images at a time (default 8)")
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.json, or NAME.csv for the scores alone")


def run(args: argparse.Namespace) -> None:
    """Asks or reads, fits and writes."""
    if args.port is not None and not args.page:
        raise UserError("--port is that of the page; give --page too")
    from aligned_jax import jobs
    from aligned_jax.jobs.seed_labels.answers import check_labels_file

    if args.page:
        found = jobs.label_on_page(
            args.network,
            args.name,
            args.out,
            lambda url: console.CONSOLE.note(f"open {url} and press `finish` there at the end"),
            port=args.port or 0,
            overwrite=args.overwrite,
            command=command(args),
            **_options(args),
        )
    else:
        check_labels_file(args.out, args.overwrite)
        found = jobs.label_seeds(args.network, args.name, **_options(args))
    if found.model is None and args.out.endswith(".csv"):
        console.say(f"wrote {args.out}.answers.json: {found.summary}")
        return
    # The page's own file is there already.
    found.write(args.out, command(args), args.overwrite or args.page)
    console.say(f"wrote {args.out}: {found.summary}")
    if found.suggested:
        console.say(f"seeds that would tell most: {','.join(map(str, found.suggested))}")


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """Arguments that both jobs take."""
    names = ("pool", "space", "psi", "label", "suggest", "seed", "batch", "network_key")
    lists = {name: getattr(args, name) or () for name in _GIVEN}
    return {**lists, **{name: getattr(args, name) for name in names}, "report": console.CONSOLE}
