"""Inception Score (Salimans et al., 2016)."""

import numpy as np

from aligned_jax.errors import UserError


def inception_score_of(probabilities: np.ndarray, splits: int = 10) -> tuple[float, float]:
    """Mean and standard deviation over splits of exp(mean KL(p(y|x) || p(y))).

    Args:
      probabilities: of classes, [N, K]; rows add up to 1. The official metric
        takes the softmax of the network's scores without their bias.
      splits: consecutive parts of the rows, each with a p(y) of its own.

    Raises:
      UserError: if there are fewer rows than splits.
    """
    rows = np.asarray(probabilities, np.float64)
    if not 1 <= splits <= len(rows):
        raise UserError(f"{len(rows)} images cannot be cut into {splits} splits")
    scores = []
    for part in np.split(rows, [i * len(rows) // splits for i in range(1, splits)]):
        scores.append(np.exp((_plogp(part) - part * _log(part.mean(axis=0))).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Class probabilities of scores [N, K]."""
    logits = np.asarray(logits, np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _log(p: np.ndarray) -> np.ndarray:
    # A class that never occurs adds nothing.
    return np.log(np.maximum(p, np.finfo(np.float64).tiny))


def _plogp(p: np.ndarray) -> np.ndarray:
    return p * _log(p)
