"""Fits linear models of latents: logistic regression, support vectors, ridge, distances.

scikit-learn fits them on standardised latents; weights and intercept are those of plain latents.
The intercept is kept: without it the boundary lies elsewhere.
"""

import importlib.util
from typing import Any, Literal

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.utils.text import counted

BinaryMethod = Literal["logistic", "svm"]
NumberMethod = Literal["ridge", "distance"]
BINARY_METHODS: tuple[BinaryMethod, ...] = ("logistic", "svm")
NUMBER_METHODS: tuple[NumberMethod, ...] = ("ridge", "distance")
# Of each class, below which nothing is fitted.
FEWEST = 2
# The inverse of the regulariser's weight is chosen by cross-validation up to so many rows.
_GRID = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_CHOSEN_UP_TO, _OTHERWISE = 2000, 0.1
_ALPHAS = np.logspace(-1, 5, 13)
# Share of the rows at either end that support vectors see (InterFaceGAN).
TAILS = 0.02
_FEWEST_IN_TAILS = 50

Fit = tuple[np.ndarray, float]  # weights float64 [D], intercept


def check_scikit_learn() -> None:
    """Raises UserError unless scikit-learn is there."""
    if importlib.util.find_spec("sklearn") is None:
        raise UserError(
            "linear models need scikit-learn; install it with pip install 'aligned_jax[semantics]'"
        )


def check_classes(name: str, positive: np.ndarray) -> None:
    """Raises UserError unless both classes have enough rows.

    Args:
      name: of the label.
      positive: bool [N].
    """
    yes, no = int(positive.sum()), int((~positive).sum())
    if not yes or not no:
        raise UserError(
            f"{name}: all {counted(len(positive), 'example')} are of a single class, "
            f"{'yes' if yes else 'no'}; a model needs examples of both"
        )
    if min(yes, no) < FEWEST:
        raise UserError(
            f"{name}: {yes} yes and {no} no; a model needs {FEWEST} examples of each at least"
        )


def check_varies(name: str, values: np.ndarray) -> None:
    """Raises UserError for values float [N] that are too few, not finite, or all equal."""
    if len(values) < 2 * FEWEST:
        raise UserError(
            f"{name}: {counted(len(values), 'example')}; a model needs {2 * FEWEST} at least"
        )
    if not np.isfinite(values).all():
        raise UserError(f"{name}: some scores are not finite")
    if np.ptp(values) == 0:
        raise UserError(
            f"{name}: all {len(values)} scores are equal ({values[0]:g}); it is no label"
        )


def fit_binary(
    latents: np.ndarray, positive: np.ndarray, strength: float | None = None, seed: int = 0
) -> Fit:
    """Logistic regression.

    Args:
      latents: float [N, D].
      positive: bool [N], both classes `FEWEST` times at least.
      strength: inverse weight of the regulariser; None chooses it by cross-validation where there
        are few rows.
      seed: of the folds.

    Returns:
      weights float64 [D], and the intercept: log-odds of x are x @ weights + intercept.
    """
    chosen = strength if strength is not None else best_strength(latents, positive, seed)
    return _plain(latents, logistic(chosen), positive)


def logistic(strength: float) -> Any:
    """A logistic regression of scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=5000)


def best_strength(latents: np.ndarray, positive: np.ndarray, seed: int = 0) -> float:
    """The inverse weight of the regulariser that does best in cross-validation."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = min(5, int(positive.sum()), int((~positive).sum()))
    if folds < 2 or len(latents) > _CHOSEN_UP_TO:
        return _OTHERWISE
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    found = [
        cross_val_score(
            make_pipeline(StandardScaler(), logistic(strength)),
            latents,
            positive,
            cv=splits,
            scoring="neg_log_loss",
        ).mean()
        for strength in _GRID
    ]
    return _GRID[int(np.argmax(found))]


def fit_tails(latents: np.ndarray, scores: np.ndarray, tails: float = TAILS) -> Fit:
    """A linear support vector machine on the rows with the highest and the lowest scores.

    Args:
      latents: float [N, D].
      scores: float [N], above 0 for yes.
      tails: share of the rows taken at either end; at least 50 rows, or half of all.

    Returns:
      weights float64 [D], and the intercept.

    Raises:
      UserError: for a share that is not above 0 and at most one half.
    """
    from sklearn.svm import LinearSVC

    if not 0 < tails <= 0.5:
        raise UserError(f"tails are {tails:g}; they are a share above 0 and at most 0.5")
    count = min(max(round(tails * len(scores)), _FEWEST_IN_TAILS), len(scores) // 2)
    order = np.argsort(scores, kind="stable")
    rows = np.concatenate([order[:count], order[-count:]])
    positive = np.arange(2 * count) >= count
    machine = LinearSVC(C=0.01, dual="auto", max_iter=20000, random_state=0)
    return _plain(latents[rows], machine, positive)


def fit_ridge(latents: np.ndarray, values: np.ndarray) -> Fit:
    """Ridge regression whose penalty is chosen by leaving one out.

    Args:
      latents: float [N, D].
      values: float [N].

    Returns:
      weights float64 [D], and the intercept: values of x are x @ weights + intercept.
    """
    from sklearn.linear_model import RidgeCV

    return _plain(latents, RidgeCV(_ALPHAS), values)


def fit_distance(latents: np.ndarray, values: np.ndarray, tails: float = TAILS) -> Fit:
    """Signed distances to a hyperplane between high and low values, brought to their unit.

    The hyperplane is that of `fit_tails`; one straight line of values over distances makes values
    of them (LARGE, section 3).
    """
    weights, intercept = fit_tails(latents, values, tails)
    distances = (latents @ weights + intercept) / np.linalg.norm(weights)
    slope, offset = np.polyfit(distances, values, 1)
    factor = slope / np.linalg.norm(weights)
    return weights * factor, float(intercept * factor + offset)


def _plain(latents: np.ndarray, model: Any, target: np.ndarray) -> Fit:
    """Fits a model of standardised rows; its weights and intercept for plain rows."""
    rows = np.asarray(latents, np.float64)
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread == 0] = 1
    model.fit((rows - mean) / spread, target)
    weights = np.asarray(model.coef_, np.float64).ravel() / spread
    return weights, float(np.ravel(model.intercept_)[0] - mean @ weights)


def fit_rows(inputs: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression of many numbers at once, whose penalty is chosen by leaving one out.

    Args:
      inputs: float [N, D].
      outputs: float [N, K].

    Returns:
      matrix float64 [D, K] and offset [K]: outputs of x are x @ matrix + offset.
    """
    from sklearn.linear_model import RidgeCV

    rows = np.asarray(inputs, np.float64)
    mean = rows.mean(axis=0)
    # One scale for all: block means of one picture have one unit.
    scale = float((rows - mean).std()) or 1.0
    model = RidgeCV(_ALPHAS).fit((rows - mean) / scale, np.asarray(outputs, np.float64))
    matrix = np.asarray(model.coef_, np.float64).reshape(-1, rows.shape[1]).T / scale
    return matrix, np.ravel(model.intercept_) - mean @ matrix


def fit_wide(inputs: np.ndarray, positive: np.ndarray) -> Fit:
    """A classifier of rows with many numbers of one unit, such as pixels.

    Ridge regression on -1 and 1, whose scores logistic regression turns into log-odds: far faster
    than logistic regression of all numbers, and as good.

    Args:
      inputs: float [N, D].
      positive: bool [N], of both classes.

    Returns:
      weights float64 [D], and the intercept.
    """
    matrix, offset = fit_rows(inputs, np.where(positive, 1.0, -1.0)[:, None])
    scores = inputs @ matrix + offset
    line = logistic(1.0).fit(scores, positive)
    scale = float(line.coef_[0, 0])
    return matrix[:, 0] * scale, float(offset[0] * scale + line.intercept_[0])
