"""Finds the direction that tells pictures with an attribute from those without.

--judge says what is in random pictures of NETWORK: a reader (`aligned attributes`), a function
images -> {name: scores}, or a table of scores by seed. Those at either end of the scores count
(--tails), and what the direction is worth is measured on other latents. Or give two sets,
--positive and --negative: seeds, files of latents, folders of `aligned invert`, or pictures.

--without takes attributes of the judge and files of directions; what is found
has nothing in common with them. InterFaceGAN (Shen et al. 2020).
"""

import argparse
from typing import Any

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import finite, list_of, whole
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError
from aligned_jax.utils.text import options as listed_options

EXAMPLE = """\
  aligned directions find zoo:personas64 --judge zoo:people-reader --attribute glasses \\
    --out glasses.npz
  aligned directions find zoo:personas64 --judge judge.py:scores --without yaw --out found
  aligned directions find zoo:personas64 --judge scores.csv --psi 0.7 --tails all --out found
  aligned directions find zoo:personas64 --positive smiling --negative serious --out smile.npz"""
_OF_JUDGE = ("attribute", "count", "held_out", "effect", "tails", "threshold")
_DEFAULTS: dict[str, Any] = {
    "count": 5000,
    "held_out": 2000,
    "effect": 16,
    "tails": 0.02,
    "threshold": 0.0,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the sub-verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add(
        "--judge",
        type=arguments.name,
        metavar="J",
        help="a reader, F.py:FUNCTION, scores.csv or .npz",
    )
    add("--attribute", type=list_of(str), metavar="LIST", help="of the judge's (default: all)")
    for name, metavar, text in (
        ("--positive", "A", "what it leads to"),
        ("--negative", "B", "what it comes from"),
    ):
        add(name, nargs="+", type=arguments.name, metavar=metavar, help=text)
    add("--space", choices=("z", "w", "s"), default="w", help="(default w)")
    add("--method", choices=("svm", "logistic", "mean"), default="svm", help="(default svm)")
    add("--tails", type=_tails, metavar="F", help="share at either end, or all (default 0.02)")
    add("--threshold", type=_threshold, metavar="T", help="a score, or median (default 0)")
    add("--without", nargs="+", type=arguments.name, default=(), metavar="X", help="what it lacks")
    add("--layers", metavar="ROWS", help="of W+, where it is meant, like 0-6")
    add("--torgb", action="store_true", help="in s, also layers that make colours")
    add("--count", type=whole(10), metavar="N", help="latents (default 5000)")
    add("--held-out", type=whole(10), metavar="N", help="that measure it (default 2000)")
    add("--effect", type=whole(0), metavar="N", help="that are edited and judged (default 16)")
    add("--bootstrap", type=whole(0), default=10, metavar="N", help="draws again (default 10)")
    add("--seed", type=arguments.seed, default=0, help="of what is drawn at random (default 0)")
    add("--psi", type=finite, help="truncation of the pictures (default 1, none)")
    add("--label", type=whole(0), metavar="K", help="class of a conditional network, from 0")
    add("--batch", type=whole(1), default=8, help="images at a time (default 8)")
    arguments.add_inversion(parser)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.npz for one direction, or a folder")


def run(args: argparse.Namespace) -> None:
    """Finds, writes and tells."""
    between = args.positive is not None or args.negative is not None
    if between == (args.judge is not None) or (args.positive is None) != (args.negative is None):
        raise UserError("give either --judge, or both --positive and --negative")
    given = [name for name in _OF_JUDGE if getattr(args, name) is not None]
    if between and given:
        raise UserError(f"{listed_options(given)} can only be used together with --judge")
    if args.judge and args.out.endswith(".npz") and len(args.attribute or ()) != 1:
        raise UserError("NAME.npz holds one direction: give one --attribute, or a folder as --out")
    inversion = arguments.fill_inversion_defaults(args)
    if args.judge and inversion:
        raise UserError(f"{listed_options(inversion)}: there are no pictures to invert")
    from aligned_jax import jobs, latents, viz
    from aligned_jax.jobs.direction_files import check_direction_file

    alone = args.out.endswith(".npz")
    if between or alone:
        check_direction_file(args.out, args.overwrite)
    else:
        viz.check_folder(args.out, args.overwrite)
    asked = {name: getattr(args, name) for name in _DEFAULTS}
    settings = {name: _DEFAULTS[name] if value is None else value for name, value in asked.items()}
    options = jobs.SearchOptions(
        args.space,
        args.method,
        None if settings["tails"] == "all" else settings["tails"],
        settings["threshold"],
        None if args.layers is None else tuple(latents.parse_rows(args.layers)),
        args.torgb,
        args.bootstrap,
        args.seed,
    )
    names = ("without", "label", "batch", "network_key")
    shared: dict[str, Any] = {name: getattr(args, name) for name in names}
    shared |= {"options": options, "report": console.CONSOLE}
    if between:
        sets = [one[0] if len(one) == 1 else one for one in (args.positive, args.negative)]
        shared |= {"psi": args.psi, "pictures": arguments.picture_options(args)}
        found = {"": jobs.direction_between(args.network, *sets, **shared)}
    else:
        shared |= {name: settings[name] for name in ("count", "held_out", "effect")}
        shared["psi"] = 1.0 if args.psi is None else args.psi
        found = jobs.find_directions(args.network, args.judge, args.attribute, **shared)
    for one in found.values():
        console.say(one.table())
    if between or alone:
        [one] = found.values()
        one.write(args.out, command(args), args.overwrite)
    else:
        known = {name: one.direction for name, one in found.items()}
        jobs.write_directions(args.out, known, command(args), args.overwrite)
    console.say(f"wrote {args.out}: {', '.join(one.name for one in found.values())}")


def _tails(text: str) -> Any:
    return text if text == "all" else finite(text)


def _threshold(text: str) -> Any:
    return text if text == "median" else finite(text)
