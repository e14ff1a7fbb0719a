"""Directions from labelled latents: linear SVM, logistic regression, and the shift of means.

InterFaceGAN (Shen et al. 2020, section 3): the unit normal of the plane that separates latents
whose pictures have an attribute from those whose pictures do not. Which of them count is decided
by scores: the ends of their order, or all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from aligned_jax.errors import UserError

Method = Literal["svm", "logistic", "mean"]
METHODS: tuple[Method, ...] = get_args(Method)
_FEWEST = 5  # of each side


@dataclass(frozen=True, eq=False)
class Boundary:
    """A plane between latents: x @ normal + intercept is positive on one side.

    Attributes:
      normal: float64 [F], of length 1.
      intercept: its distance from the origin, with its sign.
    """

    normal: np.ndarray
    intercept: float

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Signed distances of rows [N, F], float64 [N]."""
        return x @ self.normal + self.intercept


def choose_examples(
    scores: np.ndarray, threshold: float, tails: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Which latents a boundary is fitted to, and on which side they are.

    Args:
      scores: [N].
      threshold: between the sides where all count.
      tails: share of N at either end that counts, up to 0.5; None for all.

    Returns:
      rows int [M], and bool [M]: whether the score is high.

    Raises:
      UserError: for scores that are not finite, all equal, all on one side, or too few.
    """
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise UserError("scores must be one finite number for each latent")
    if np.ptp(scores) == 0:
        raise UserError(f"all {len(scores)} scores are {scores[0]:g}; nothing can be told apart")
    if tails is None:
        rows, positive = np.arange(len(scores)), scores > threshold
        if positive.all() or not positive.any():
            side = "above" if positive.all() else "not above"
            raise UserError(
                f"all {len(scores)} scores are {side} {threshold:g}, so that there is a single "
                "class; choose another threshold, or `threshold='median'`"
            )
    else:
        if not 0 < tails <= 0.5:
            raise UserError(f"tails are {tails:g}; a share of the scores from 0 to 0.5")
        count = int(len(scores) * tails)
        order = np.argsort(scores, kind="stable")
        rows = np.concatenate([order[: max(count, 0)], order[len(order) - count :]])
        positive = np.arange(len(rows)) >= count
        if count and scores[order[count - 1]] == scores[order[len(order) - count]]:
            raise UserError("the highest and the lowest scores are the same; use more of them")
    _check_enough(positive)
    return rows, positive


def _check_enough(positive: np.ndarray, fewest: int = _FEWEST) -> None:
    high, low = int(positive.sum()), int((~positive).sum())
    if min(high, low) < fewest:
        raise UserError(
            f"{high} latents with the attribute and {low} without; a direction needs at least "
            f"{fewest} of each: draw more, or widen the tails"
        )


def fit_boundary(
    x: np.ndarray, positive: np.ndarray, method: Method, fewest: int = _FEWEST
) -> Boundary:
    """The plane between two sets of latents.

    Args:
      x: rows [N, F].
      positive: bool [N], which of them the normal points to.
      method: "svm" (linear, C = 1), "logistic" (L2, C = 1), both by scikit-learn; or "mean", from
        one mean to the other, with the plane in the middle.
      fewest: rows of either kind.

    Raises:
      UserError: for an unknown method, too few rows of one kind, sets that cannot be told
        apart, or if scikit-learn is not installed.
    """
    if method not in METHODS:
        raise UserError(f"method is {method!r:.40}; it is {', '.join(METHODS)}")
    _check_enough(positive, fewest)
    if method == "mean":
        high, low = x[positive].mean(axis=0), x[~positive].mean(axis=0)
        return _scaled(high - low, float((high**2).sum() - (low**2).sum()) / -2)
    model = _model(method).fit(x, positive)
    return _scaled(model.coef_[0], float(model.intercept_[0]))


def _scaled(normal: np.ndarray, intercept: float) -> Boundary:
    length = float(np.linalg.norm(normal))
    if not np.isfinite(length) or length < 1e-12:
        raise UserError("both kinds of latents are the same, so that no direction tells them apart")
    return Boundary(np.asarray(normal, np.float64) / length, intercept / length)


def _model(method: Method) -> Any:
    try:
        from sklearn import linear_model, svm
    except ImportError:
        raise UserError(
            f"method {method} needs the extra semantics (pip install 'aligned_jax[semantics]'); "
            "method mean needs nothing"
        ) from None
    if method == "svm":
        return svm.SVC(kernel="linear", C=1.0)
    return linear_model.LogisticRegression(C=1.0, max_iter=10_000)


def condition(
    boundary: Boundary, others: Sequence[np.ndarray], x: np.ndarray, positive: np.ndarray
) -> Boundary:
    """The same without what it shares with other directions.

    The normal loses its projection onto the span of the others, and the plane goes through the
    middle between the means of both kinds.

    Args:
      boundary: to be conditioned.
      others: rows [F], any number; they may depend on each other.
      x, positive: as of `fit_boundary`.

    Returns:
      a boundary whose normal is orthogonal to each of the others.

    Raises:
      UserError: if nothing is left.
    """
    if not others:
        return boundary
    # Singular vectors span what the others span, however dependent they are.
    units = np.stack([other / np.linalg.norm(other) for other in others])
    _, values, span = np.linalg.svd(units, full_matrices=False)
    span = span[values > 1e-6 * values[0]]
    normal = boundary.normal
    for _ in range(2):  # once more for what rounding has left
        normal = normal - span.T @ (span @ normal)
    length = float(np.linalg.norm(normal))
    if length < 1e-6:
        raise UserError("nothing is left of the direction: it lies in the span of the others")
    normal = normal / length
    middle = (x[positive].mean(axis=0) + x[~positive].mean(axis=0)) / 2
    return Boundary(normal, -float(normal @ middle))


def bootstrap_cosines(
    x: np.ndarray, positive: np.ndarray, method: Method, normal: np.ndarray, count: int, seed: int
) -> np.ndarray:
    """How much a direction depends on the latents that happened to be drawn.

    Args:
      x, positive, method: as of `fit_boundary`.
      normal: fitted to all of them, [F].
      count: new draws with replacement from either kind.
      seed: of the draws.

    Returns:
      float64 [count]: cosines between `normal` and those of the draws.
    """
    random, cosines = np.random.default_rng(seed), []
    kinds = [np.flatnonzero(positive), np.flatnonzero(~positive)]
    for _ in range(count):
        rows = np.concatenate([random.choice(kind, len(kind)) for kind in kinds])
        cosines.append(fit_boundary(x[rows], positive[rows], method).normal @ normal)
    return np.asarray(cosines)
