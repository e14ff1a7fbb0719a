"""From features to numbers, metric by metric."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aligned_jax import metrics
from aligned_jax.evaluation.catalogue import Options
from aligned_jax.evaluation.collect import Gathered
from aligned_jax.evaluation.pairs import pair_distances
from aligned_jax.evaluation.paths import path_steps


@dataclass
class Task:
    """What a metric may need besides features.

    Attributes:
      pictures: what is scored.
      network: the metric's feature network.
      options: of all metrics.
      run: batch, devices and advance.
    """

    pictures: Any
    network: Any
    options: Options
    run: dict[str, Any]


# A score by name, and settings that belong to it.
Found = tuple[dict[str, float], dict[str, Any]]


def _frechet(name: str, task: Task, ours: Gathered, theirs: Gathered) -> Found:
    ddof = task.options.ddof
    return {name: metrics.frechet_distance(theirs.moments, ours.moments, ddof)}, {"ddof": ddof}


def _kernel(name: str, task: Task, ours: Gathered, theirs: Gathered) -> Found:
    o = task.options
    found = metrics.kernel_distance(theirs.rows, ours.rows, o.subsets, o.subset_size, o.seed)
    settings = {"subsets": found.subsets, "subset_size": found.size, "seed": o.seed}
    return {name: found.mean, f"{name}_std": found.std}, settings


def _manifold(name: str, task: Task, ours: Gathered, theirs: Gathered) -> Found:
    k, suffix = task.options.neighbours, name.removeprefix("pr")
    precision, recall = metrics.precision_and_recall(theirs.rows, ours.rows, k)
    return {f"precision{suffix}": precision, f"recall{suffix}": recall}, {"neighbours": k}


def _inception_score(name: str, task: Task, ours: Gathered, theirs: Any) -> Found:
    mean, std = metrics.inception_score_of(ours.probabilities, task.options.splits)
    return {name: mean, f"{name}_std": std}, {"splits": task.options.splits}


def _path(name: str, task: Task, ours: Any, theirs: Any) -> Found:
    path, run = task.options.path, task.run
    steps = path_steps(task.pictures, task.network, path, run["batch"], run["advance"])
    value, kept = metrics.path_length(steps)
    return {name: value}, {**asdict(path), "filter": "1st to 99th percentile", "kept": kept}


def _diversity(name: str, task: Task, ours: Any, theirs: Any) -> Found:
    pictures, options = task.pictures, task.options
    pairs = metrics.pairs_of(len(pictures), options.pairs, options.seed)
    take = (lambda n: pictures.take(pairs[n, 0])), (lambda n: pictures.take(pairs[n, 1]))
    return _spread(name, pair_distances(task.network, *take, len(pairs), **task.run))


def _diversity_z(name: str, task: Task, ours: Any, theirs: Any) -> Found:
    pictures = task.pictures
    count = min(task.options.pairs, len(pictures))
    later = pictures.seed + len(pictures)  # no image has noise of these seeds
    take = pictures.take, (lambda n: pictures.take(n, n + later))
    return _spread(name, pair_distances(task.network, *take, count, **task.run))


def _spread(name: str, distances: np.ndarray) -> Found:
    mean, error = metrics.diversity_of(distances)
    return {name: mean, f"{name}_error": error}, {"pairs": len(distances)}


COMPUTED: Mapping[str, Callable[..., Found]] = {
    "fid": _frechet,
    "kid": _kernel,
    "pr": _manifold,
    "is": _inception_score,
    "ppl": _path,
    "fd_vgg": _frechet,
    "kid_vgg": _kernel,
    "pr_vgg": _manifold,
    "diversity": _diversity,
    "diversity_z": _diversity_z,
}
