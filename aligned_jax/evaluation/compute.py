"""From features to numbers, metric by metric."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aligned_jax import metrics
from aligned_jax.evaluation.catalogue import Options
from aligned_jax.evaluation.collect import Gathered, present
from aligned_jax.evaluation.pairs import pair_distances
from aligned_jax.evaluation.paths import path_steps


@dataclass
class ScoreInputs:
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


# Scores by name, and settings that belong to them.
Numbers = tuple[dict[str, float], dict[str, Any]]


def _frechet(name: str, inputs: ScoreInputs, ours: Gathered, theirs: Gathered) -> Numbers:
    ddof = inputs.options.ddof
    distance = metrics.frechet_distance(present(theirs.moments), present(ours.moments), ddof)
    return {name: distance}, {"ddof": ddof}


def _kernel(name: str, inputs: ScoreInputs, ours: Gathered, theirs: Gathered) -> Numbers:
    o = inputs.options
    rows = present(theirs.rows), present(ours.rows)
    distance = metrics.kernel_distance(*rows, o.subsets, o.subset_size, o.seed)
    settings = {"subsets": distance.subsets, "subset_size": distance.size, "seed": o.seed}
    return {name: distance.mean, f"{name}_std": distance.std}, settings


def _manifold(name: str, inputs: ScoreInputs, ours: Gathered, theirs: Gathered) -> Numbers:
    k, suffix = inputs.options.neighbours, name.removeprefix("pr")
    precision, recall = metrics.precision_and_recall(present(theirs.rows), present(ours.rows), k)
    return {f"precision{suffix}": precision, f"recall{suffix}": recall}, {"neighbours": k}


def _inception_score(name: str, inputs: ScoreInputs, ours: Gathered, theirs: Any) -> Numbers:
    probabilities = present(ours.probabilities)
    mean, std = metrics.inception_score_of(probabilities, inputs.options.splits)
    return {name: mean, f"{name}_std": std}, {"splits": inputs.options.splits}


def _path(name: str, inputs: ScoreInputs, ours: Any, theirs: Any) -> Numbers:
    path, run = inputs.options.path, inputs.run
    steps = path_steps(inputs.pictures, inputs.network, path, run["batch"], run["advance"])
    value, kept = metrics.path_length(steps)
    return {name: value}, {**asdict(path), "filter": "1st to 99th percentile", "kept": kept}


def _diversity(name: str, inputs: ScoreInputs, ours: Any, theirs: Any) -> Numbers:
    pictures, options = inputs.pictures, inputs.options
    pairs = metrics.pairs_of(len(pictures), options.pairs, options.seed)
    take = (lambda n: pictures.take(pairs[n, 0])), (lambda n: pictures.take(pairs[n, 1]))
    return _spread(name, pair_distances(inputs.network, *take, len(pairs), **inputs.run))


def _diversity_z(name: str, inputs: ScoreInputs, ours: Any, theirs: Any) -> Numbers:
    pictures = inputs.pictures
    count = min(inputs.options.pairs, len(pictures))
    later = pictures.seed + len(pictures)  # no image has noise of these seeds
    take = pictures.take, (lambda n: pictures.take(n, n + later))
    return _spread(name, pair_distances(inputs.network, *take, count, **inputs.run))


def _spread(name: str, distances: np.ndarray) -> Numbers:
    mean, error = metrics.diversity_of(distances)
    return {name: mean, f"{name}_error": error}, {"pairs": len(distances)}


COMPUTED: Mapping[str, Callable[..., Numbers]] = {
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
