"""What `aligned evaluate` opens, and how its scores are told."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from aligned_jax import evaluation, loading, viz
from aligned_jax.cli import console
from aligned_jax.data import sources
from aligned_jax.errors import UserError
from aligned_jax.metrics import PathOptions
from aligned_jax.provenance import versions


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


def open_reals(args: argparse.Namespace) -> evaluation.StoredImages | None:
    """The images of --data, or None without it."""
    if args.data is None:
        return None
    options = {"split": args.split, "labels": args.labels}
    data = sources.open_images(args.data, args.mirror, **options)
    return evaluation.StoredImages(data, args.data, args.max_reals)


def open_pictures(args: argparse.Namespace, reals: Any) -> evaluation.ImageSet:
    """What is scored; raises UserError as loading and opening do."""
    if sources.kind_of(args.source) != "network":
        data = sources.open_images(args.source, split=args.source_split or args.split)
        return evaluation.StoredImages(data, args.source, args.num)
    network, labels = loading.load(args.source, args.network_key), None
    if network.config.c_dim:
        if args.labels is None or reals is None:
            raise UserError(
                f"{args.source} is conditional; give the data with --data and their feature with "
                "--labels, from which its labels are drawn"
            )
        labels = evaluation.labels_like(reals.dataset, args.num, args.metric_seed)
    return evaluation.GeneratedImages(
        network,
        args.source,
        args.num,
        seed=args.seed,
        psi=args.psi,
        noise=args.noise,
        labels=labels,
        half=args.half,
    )


# Whose metrics an option is about.
_ABOUT = {
    "ddof": ("fid", "fd_vgg"),
    "subsets": ("kid", "kid_vgg"),
    "subset_size": ("kid", "kid_vgg"),
    "neighbours": ("pr", "pr_vgg"),
    "splits": ("is",),
    "path": ("ppl",),
    "pairs": ("diversity", "diversity_z"),
}
_OF_NETWORKS = {"seed": 0, "psi": 1.0, "noise": "random", "half": None, "network_key": "G_ema"}


def tell_idle(
    args: argparse.Namespace,
    pictures: evaluation.ImageSet,
    names: Sequence[str],
    options: evaluation.Options,
) -> None:
    """A warning naming every option that was given and changes nothing."""
    usual = evaluation.Options()
    idle = [
        "ppl-..." if name == "path" else name
        for name, about in _ABOUT.items()
        if getattr(options, name) != getattr(usual, name) and not set(about) & set(names)
    ]
    if isinstance(pictures, evaluation.GeneratedImages):
        idle += ["source_split"] if args.source_split else []
        idle += ["labels"] if args.labels and pictures.labels is None else []
    else:
        idle += [name for name, value in _OF_NETWORKS.items() if getattr(args, name) != value]
        idle += ["labels"] if args.labels else []
    if args.half_pixel and "inception" not in evaluation.networks_of(names):
        idle.append("half_pixel")
    if idle:
        given = ", ".join(f"--{name.replace('_', '-')}" for name in idle)
        console.warn(f"{given}: without effect on these metrics and images")


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


def tell(args: argparse.Namespace, document: dict[str, Any], text: str) -> None:
    """Writes a document to --out, and prints it, or the same for people without --json."""
    written = json.dumps(document, indent=2)
    if args.out:
        with viz.writing(args.out, args.overwrite) as file:
            file.write(f"{written}\n".encode())
    console.say(written if args.json else text)
