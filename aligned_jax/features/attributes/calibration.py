"""Log-odds that mean what they say, and how right a reader is on pictures it never saw.

Labels are float32: [N] 0 or 1 for what is there or not, numbers of categories, numbers; RGB [N, 3]
for colours. NaN stands for what is not known.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from aligned_jax.config.attributes import AttributeHead

_STEPS = 50
_MOST = 50.0  # of a scale, where all labels are told apart
# A weak prior keeps what few labels would drive to infinity near no change.
_PRIOR = 1e-2


def calibrated(
    heads: tuple[AttributeHead, ...],
    outputs: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
) -> tuple[AttributeHead, ...]:
    """The heads with scale and offset of log-odds by maximum likelihood.

    What is there or not gets both (Platt 1999), categories a temperature (Guo et al. 2017); a
    head without two different labels stays as it is.

    Args:
      heads: not calibrated yet.
      outputs: of the network, [N, width] each, on pictures that were not trained on.
      labels: of the same pictures.
    """
    return tuple(_calibrated(head, outputs[head.name], labels[head.name]) for head in heads)


def _calibrated(head: AttributeHead, output: np.ndarray, label: np.ndarray) -> AttributeHead:
    if head.kind not in ("binary", "category"):
        return head
    known = np.isfinite(label)
    output, label = np.asarray(output[known], np.float64), label[known]
    if len(np.unique(label)) < 2:
        return head
    if head.kind == "binary":
        scale, offset = _platt(output[:, 0], label)
    else:
        scale, offset = _inverse_temperature(output, label.astype(int)), 0.0
    return dataclasses.replace(head, scale=scale, offset=offset)


def _platt(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Scale and offset by Newton's method, never of the other sign, in few halved steps."""
    rows = np.stack([x, np.ones_like(x)], axis=1)
    start = np.asarray([1.0, 0.0])
    at = start.copy()

    def loss(at: np.ndarray) -> float:
        odds = rows @ at
        likelihood = np.logaddexp(0, odds).sum() - odds @ y
        return float(likelihood + _PRIOR / 2 * ((at - start) ** 2).sum())

    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-np.clip(rows @ at, -500, 500)))
        gradient = rows.T @ (share - y) + _PRIOR * (at - start)
        curvature = (rows * (share * (1 - share))[:, None]).T @ rows + _PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > 1e-6 and loss(at - size * step) > loss(at):
            size /= 2
        at = at - size * step
        if np.abs(size * step).max() < 1e-8:
            break
    return float(np.clip(at[0], 1 / _MOST, _MOST)), float(np.clip(at[1], -_MOST, _MOST))


def _inverse_temperature(logits: np.ndarray, label: np.ndarray) -> float:
    """Scale of logits [N, K]; the loss is convex in it, so its slope is halved between bounds."""
    own = logits[np.arange(len(label)), label]

    def slope(scale: float) -> float:
        powers = scale * (logits - logits.max(axis=1, keepdims=True))
        shares = np.exp(powers)
        shares /= shares.sum(axis=1, keepdims=True)
        return float(((shares * logits).sum(axis=1) - own).sum() + _PRIOR * (scale - 1))

    low, high = 1 / _MOST, _MOST
    for _ in range(_STEPS):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return float((low * high) ** 0.5)


def scored(
    heads: tuple[AttributeHead, ...],
    readings: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
) -> dict[str, dict[str, Any]]:
    """How right readings are, by attribute.

    Args:
      heads: the attributes.
      readings: what a `Reader` returns of N pictures.
      labels: of the same pictures.

    Returns:
      JSON-able {name: {"kind", "images", ...}}: accuracy, balanced accuracy (mean over the
      classes that occur), chance (share of the commonest class) and for what is there or not
      auc and calibration error (expected, of ten bins); mae and r2 of numbers and colours, and
      for what is odd the share of right signs. What cannot be computed is left out.
    """
    return {head.name: _scored(head, readings[head.name], labels[head.name]) for head in heads}


def _scored(head: AttributeHead, reading: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    known = np.isfinite(label.reshape(len(label), -1)).all(axis=1)
    reading, label = np.asarray(reading[known], np.float64), np.asarray(label[known], np.float64)
    told: dict[str, Any] = {"kind": head.kind, "images": int(known.sum())}
    if not known.any():
        return told
    if head.kind == "binary":
        told |= _classes((reading > 0.5).astype(int), label.astype(int))
        told |= _odds(reading, label > 0.5)
    elif head.kind == "category":
        told |= _classes(reading.argmax(axis=1), label.astype(int))
    else:
        told |= _numbers(reading, label)
        if head.odd and (label != 0).any():
            right = np.sign(reading[label != 0]) == np.sign(label[label != 0])
            told["signs"] = float(right.mean())
    return told


def _classes(found: np.ndarray, label: np.ndarray) -> dict[str, float]:
    right = found == label
    values, counts = np.unique(label, return_counts=True)
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean([right[label == value].mean() for value in values])),
        "chance": float(counts.max() / len(label)),
    }


def _odds(share: np.ndarray, there: np.ndarray) -> dict[str, float]:
    bins = np.minimum((share * 10).astype(int), 9)
    gaps = [abs((share - there)[bins == b].sum()) for b in range(10)]
    told = {"calibration_error": float(sum(gaps) / len(share))}
    if there.any() and not there.all():
        told["auc"] = _auc(share, there)
    return told


def _auc(score: np.ndarray, there: np.ndarray) -> float:
    """Share of pairs in which what is there has the higher score; ties count half."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    yes = int(there.sum())
    return float((ranks[there].sum() - yes * (yes + 1) / 2) / (yes * (len(score) - yes)))


def _numbers(reading: np.ndarray, label: np.ndarray) -> dict[str, float]:
    error = reading - label
    spread = float(((label - label.mean(axis=0)) ** 2).sum())
    told = {"mae": float(np.abs(error).mean())}
    return told | ({"r2": 1 - float((error**2).sum()) / spread} if spread > 0 else {})
