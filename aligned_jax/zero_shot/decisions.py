"""From scores of a parent's model to labels and values in a child."""

from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError

NEGATIVE, NEUTRAL, POSITIVE = 0, -1, 1
THRESHOLDS = ("boundary", "prevalence", "tails")


@dataclass(frozen=True)
class Threshold:
    """Scores above `high` mean yes, those at `low` or below mean no, those between neither.

    Attributes:
      kind: how they were chosen, one of `THRESHOLDS`.
      low, high: bounds, the same where every score is decided.
    """

    kind: str
    low: float
    high: float

    @property
    def middle(self) -> float:
        """Between yes and no."""
        return (self.low + self.high) / 2


def threshold_of(
    kind: str, population: np.ndarray, parent: np.ndarray, tails: float = 0.1
) -> Threshold:
    """Where labels begin.

    Args:
      kind: "boundary": log-odds of 0, where the parent's model changes its mind, its intercept
        included. "prevalence": as many of the child's population are positive as of the
        parent's. "tails": the highest and the lowest scores of the child's population; what is
        between is neutral.
      population: scores of the child's population, float [N].
      parent: scores of the parent's, float [M].
      tails: share of the population in either tail.

    Raises:
      UserError: for another kind, or a share that is not above 0 and at most one half.
    """
    if kind not in THRESHOLDS:
        raise UserError(f"the threshold is {kind!r:.40}; it is {', '.join(THRESHOLDS)}")
    if not 0 < tails <= 0.5:
        raise UserError(f"tails are {tails:g}; they are a share above 0 and at most 0.5")
    if kind == "boundary":
        return Threshold(kind, 0.0, 0.0)
    if kind == "prevalence":
        level = float(np.quantile(population, 1 - (parent > 0).mean()))
        return Threshold(kind, level, level)
    low, high = np.quantile(population, (tails, 1 - tails))
    return Threshold(kind, float(low), float(high))


def decided(scores: np.ndarray, threshold: Threshold) -> np.ndarray:
    """POSITIVE, NEGATIVE or NEUTRAL, int64 [N], of scores [N]."""
    kinds = np.full(len(scores), NEUTRAL)
    kinds[scores > threshold.high] = POSITIVE
    kinds[scores <= threshold.low] = NEGATIVE
    return kinds


def standardised(scores: np.ndarray, population: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Scores moved and stretched so that the population has the parent's mean and deviation.

    Where inversion draws latents to the middle, or a child's latents lie elsewhere, values keep
    the parent's unit.

    Args:
      scores: float [N].
      population: scores of the child's population, float [M].
      parent: of the parent's, float [K].

    Raises:
      UserError: if the population's scores are all equal.
    """
    spread = float(population.std())
    if spread == 0:
        raise UserError("all scores of the child's population are equal; they tell nothing")
    return (scores - population.mean()) / spread * parent.std() + parent.mean()
