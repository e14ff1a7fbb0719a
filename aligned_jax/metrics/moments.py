"""Mean and covariance of features in one pass, in float64."""

from typing import NamedTuple

import numpy as np

from aligned_jax.errors import UserError

# Merging costs D x D additions, whatever the number of rows: few large pieces are best.
_ROWS = 4096


class Moments(NamedTuple):
    """What is known of the distribution of rows.

    Attributes:
      count: rows.
      mean: float64 [D].
      scatter: float64 [D, D], the sum of outer products of deviations from the mean.
    """

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs
    mean: np.ndarray
    scatter: np.ndarray

    def covariance(self, ddof: int = 0) -> np.ndarray:
        """Scatter over count - ddof, float64 [D, D]; the official metrics have ddof 0.

        Raises:
          UserError: with no more than `ddof` rows.
        """
        if self.count <= ddof:
            raise UserError(f"a covariance with ddof {ddof} needs more than {self.count} rows")
        return self.scatter / (self.count - ddof)


def moments_of(rows: np.ndarray) -> Moments:
    """Count, mean and scatter of rows [N, D], computed in float64.

    Raises:
      UserError: without rows, or with numbers that are not finite.
    """
    rows = np.asarray(rows, np.float64)
    if rows.ndim != 2 or not len(rows):
        raise UserError(f"features have shape {rows.shape}; expected [N, D] with at least one row")
    if not np.isfinite(rows).all():
        bad = int((~np.isfinite(rows).all(axis=1)).sum())
        raise UserError(f"features of {bad} of {len(rows)} images are not finite")
    mean = rows.mean(axis=0)
    centred = rows - mean
    return Moments(len(rows), mean, centred.T @ centred)


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of the rows of both (Chan, Golub and LeVeque, 1979).

    Raises:
      UserError: if the features have different widths.
    """
    if a.mean.shape != b.mean.shape:
        raise UserError(
            f"features of {len(a.mean)} and of {len(b.mean)} numbers do not go together"
        )
    count = a.count + b.count
    step = b.mean - a.mean
    weight = a.count * b.count / count
    scatter = a.scatter + b.scatter + weight * np.outer(step, step)
    return Moments(count, a.mean + step * (b.count / count), scatter)


class RunningMoments:
    """Moments of batches as they come, however they are cut.

    Args:
      rows: that are held in memory at a time.
    """

    def __init__(self, rows: int = _ROWS) -> None:
        self._rows = rows
        self._held: list[np.ndarray] = []
        self._total: Moments | None = None

    def add(self, batch: np.ndarray) -> None:
        """Takes rows [n, D]; raises UserError as `moments_of`, now or later."""
        self._held.append(np.asarray(batch))
        if sum(map(len, self._held)) >= self._rows:
            self._settle()

    def result(self) -> Moments:
        """Moments of all rows so far; UserError if there are none."""
        if self._held:
            self._settle()
        if self._total is None:
            raise UserError("there are no images to take statistics of")
        return self._total

    def _settle(self) -> None:
        latest = moments_of(np.concatenate(self._held))
        self._total = latest if self._total is None else merge(self._total, latest)
        self._held = []
