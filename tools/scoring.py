"""What `aligned evaluate` opens, and how its scores are told."""

import argparse
from typing import Any

from aligned_jax import evaluation, loading
from aligned_jax.errors import UserError
from aligned_jax.metrics import PathOptions
from aligned_jax.tools import sources
from aligned_jax.versions import versions


def options_of(args: argparse.Namespace) -> evaluation.Options:
    """Options of the metrics; raises ConfigError for values that cannot be."""
    path = PathOptions(args.ppl_space, args.ppl_sampling, args.ppl_epsilon, args.ppl_crop)
    return evaluation.Options(
        ddof=args.ddof,
        subsets=args.subsets,
        subset_size=args.subset_size,
        neighbours=args.neighbours,
        splits=args.splits,
        path=path,
        pairs=args.pairs,
        seed=args.metric_seed,
    )


def open_reals(args: argparse.Namespace) -> evaluation.Stored | None:
    """The images of --data, or None without it."""
    if args.data is None:
        return None
    options = {"split": args.split, "labels": args.labels}
    data = sources.open_images(args.data, args.mirror, **options)
    return evaluation.Stored(data, args.data, args.max_reals)


def open_pictures(args: argparse.Namespace, reals: Any) -> evaluation.Pictures:
    """What is scored; raises UserError as loading and opening do."""
    if sources.kind_of(args.source) != "network":
        data = sources.open_images(args.source, split=args.split)
        return evaluation.Stored(data, args.source, args.num)
    network, labels = loading.load(args.source, args.network_key), None
    if network.config.c_dim:
        if args.labels is None or reals is None:
            raise UserError(
                f"{args.source} is conditional; give the data with --data and their feature with "
                "--labels, from which its labels are drawn"
            )
        labels = evaluation.labels_like(reals.dataset, args.num, args.metric_seed)
    return evaluation.Generated(
        network,
        args.source,
        args.num,
        seed=args.seed,
        psi=args.psi,
        noise=args.noise,
        labels=labels,
        half=args.half,
    )


def document(
    args: argparse.Namespace, scores: evaluation.Scores, pictures: Any, reals: Any
) -> dict[str, Any]:
    """Scores with all that they were computed from, JSON-able."""
    return {
        "scores": scores.values,
        "metrics": scores.details,
        "images": pictures.facts(),
        "reals": None if reals is None else reals.facts(),
        "warnings": scores.warnings,
        "command": args.command_line,
        "versions": versions(),
    }


def table(document: dict[str, Any]) -> str:
    """The same for people: a line for every number."""
    images, reals = document["images"], document["reals"]
    made = f", psi {images['psi']:g}, seeds {images['seeds']}" if "psi" in images else ""
    lines = [f"{images['source']}: {images['images']} images{made}"]
    if reals:
        lines.append(f"against {reals['source']}: {reals['images']} images")
    width = max(map(len, document["scores"]))
    return "\n".join([*lines, *(f"  {k:<{width}}  {v:.6g}" for k, v in document["scores"].items())])
