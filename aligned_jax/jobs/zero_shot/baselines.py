"""What zero-shot labels are held against: models trained on the child's own labels, and chance."""

import numpy as np

from aligned_jax.jobs.zero_shot.pictures import Pictures, seen
from aligned_jax.jobs.zero_shot.ways import fit_pictures
from aligned_jax.zero_shot import (
    Figures,
    Threshold,
    chance_of_labels,
    chance_of_values,
    decided,
    label_figures,
    value_figures,
)

_FOLDS = 5
_FEWEST = 10  # labels, of each class, for a model


def baselines(
    name: str,
    task: str,
    pictures: Pictures,
    training: Pictures | None,
    latents: np.ndarray | None,
) -> dict[str, Figures]:
    """Figures of models that know the child's labels, and of chance.

    Args:
      name: of the attribute, whose truth is known for some of the pictures.
      task: "classify" or "regress".
      pictures: that are scored.
      training: others, with labels; None cross-validates on the pictures themselves.
      latents: float [N, D] of the pictures, whose cross-validated model tells how much of the
        attribute is left in them; None without inversions.
    """
    truth = pictures.truth(name, task)
    if truth is None:
        return {}
    known = np.isfinite(truth)
    target, rows = truth[known], seen(pictures.images[known])
    found: dict[str, Figures] = {}
    if training is None:
        found |= _crossed("supervised, cross-validated", rows, target, task)
    else:
        found |= _trained(name, task, training, rows, target)
    if latents is not None:
        found |= _crossed("supervised on latents, cross-validated", latents[known], target, task)
    chance = chance_of_labels(target > 0) if task == "classify" else chance_of_values(target)
    return {**found, "chance": chance}


def figures(task: str, truth: np.ndarray, scores: np.ndarray) -> Figures:
    """Figures of scores whose boundary is 0, or of values; arrays [N]."""
    if task == "regress":
        return value_figures(truth, scores)
    return label_figures(truth > 0, scores, decided(scores, Threshold("boundary", 0.0, 0.0)))


def _enough(target: np.ndarray, task: str) -> bool:
    if task == "regress":
        return len(target) >= 2 * _FEWEST and np.ptp(target) > 0
    return min((target > 0).sum(), (target <= 0).sum()) >= _FEWEST


def _scores(target: np.ndarray, task: str) -> np.ndarray:
    """What `fit_pictures` takes: above 0 for yes."""
    return np.where(target > 0, 1.0, -1.0) if task == "classify" else target


def _trained(
    name: str, task: str, training: Pictures, rows: np.ndarray, target: np.ndarray
) -> dict[str, Figures]:
    truth = training.truth(name, task)
    if truth is None:
        return {}
    known = np.isfinite(truth)
    if not _enough(truth[known], task):
        return {}
    taught = _scores(truth[known], task)
    weights, intercept = fit_pictures(seen(training.images[known]), taught, task == "classify")
    return {"supervised": figures(task, target, rows @ weights + intercept)}


def _crossed(title: str, rows: np.ndarray, target: np.ndarray, task: str) -> dict[str, Figures]:
    from sklearn.model_selection import KFold, StratifiedKFold

    if not _enough(target, task):
        return {}
    kind = StratifiedKFold if task == "classify" else KFold
    unseen = np.zeros(len(target))
    for fit, left in kind(_FOLDS, shuffle=True, random_state=0).split(rows, target > 0):
        taught = _scores(target[fit], task)
        weights, intercept = fit_pictures(rows[fit], taught, task == "classify")
        unseen[left] = rows[left] @ weights + intercept
    return {title: figures(task, target, unseen)}
