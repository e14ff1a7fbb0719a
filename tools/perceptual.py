"""LPIPS of pairs of images: how far apart two pictures look.

A and B are two image files, or two folders or zips whose images are paired by
name. Prints the distance of every pair, and their mean.
"""

import argparse

from aligned_jax.cli import console, groups, values
from aligned_jax.errors import UserError
from aligned_jax.provenance import versions

EXAMPLE = "  aligned perceptual originals translated --out distances.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("first", type=values.name, metavar="A")
    add("second", type=values.name, metavar="B")
    add("--net", choices=("vgg", "alex"), default="vgg", help="network (default vgg)")
    add("--batch", type=values.whole(1), default=16, help="images at a time (default 16)")
    add("--json", action="store_true", help="print JSON instead of a table")
    add("--out", type=values.name, metavar="X.json", help="write the JSON to a file")
    groups.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Compares, prints, writes."""
    import numpy as np

    from aligned_jax import evaluation, viz
    from aligned_jax.data import sources
    from aligned_jax.jobs import scoring

    if args.out:
        viz.check_file(args.out, args.overwrite)
    first, second, names = sources.open_pairs(args.first, args.second)
    lpips = evaluation.load(f"lpips_{args.net}")
    with console.progress(len(names), "pairs") as advance:
        distances = evaluation.pair_distances(
            lpips, first, second, len(names), args.batch, advance=advance
        )
    if not np.isfinite(distances).all():
        raise UserError(f"distances are not finite: the weights of {lpips.name} are damaged")
    document = {
        "mean": float(distances.mean()),
        "pairs": dict(zip(names, map(float, distances), strict=True)),
        "network": {"network": lpips.name, "sha256": lpips.sha256},
        "command": args.command_line,
        "versions": versions(),
    }
    width = max(len("mean"), *map(len, names))
    lines = [f"{name:<{width}}  {value:.6f}" for name, value in document["pairs"].items()]
    lines.append(f"{'mean':<{width}}  {document['mean']:.6f}")
    scoring.tell(args, document, "\n".join(lines))
