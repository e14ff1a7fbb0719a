"""Labels from few answers: which examples to ask about, a model of the answers, and its worth.

Few answers go far if the model measures latents by what can be seen: latents are brought to
coordinates that a network's own pictures decide, in which a step is as long as the picture's change
is large. Regularised there, sixty answers do the work of thousands in W as it is. The model stays
linear in the latents.
"""

from dataclasses import dataclass

import numpy as np

from aligned_jax.semantics.linear_fits import Fit, check_classes, fit_binary, logistic

# What an answer is, in arrays of answers.
NOT_ASKED, NO, YES, UNCLEAR = -2, 0, 1, -1
_STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
_RIDGE = 0.05  # of the map from latents to pictures, a share of the number of rows
_NEAR_BOUNDARY = 0.05  # share of the examples that count as uncertain
_IMBALANCE = 2  # times as many answers of one kind call for the other
_REPEATS, _BOOTSTRAPS = 4, 200
# When answers are enough: of each kind, and how alike models of fewer answers judge.
ENOUGH_OF_EACH, ENOUGH_AGREEMENT = 10, 0.97


@dataclass(frozen=True, eq=False)
class VisibleCoordinates:
    """A linear change of coordinates of latents.

    Attributes:
      mean: float64 [D].
      matrix: float64 [D, K].
    """

    mean: np.ndarray
    matrix: np.ndarray

    def of(self, latents: np.ndarray) -> np.ndarray:
        """Coordinates float64 [N, K] of latents [N, D]."""
        return (np.asarray(latents, np.float64) - self.mean) @ self.matrix

    def plain(self, fit: Fit) -> Fit:
        """A model of coordinates as one of latents."""
        weights = self.matrix @ fit[0]
        return weights, float(fit[1] - self.mean @ weights)


def visible_coordinates(latents: np.ndarray, pictures: np.ndarray) -> VisibleCoordinates:
    """Coordinates in which a step is as long as the picture's change is large.

    Pictures are regressed on standardised latents; the singular vectors of that map are the
    axes, its singular values their units.

    Args:
      latents: float [N, D] of random examples.
      pictures: float [N, P], what is seen of them, such as pixels averaged over blocks.
    """
    rows = np.asarray(latents, np.float64)
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread == 0] = 1
    rows = (rows - mean) / spread
    seen = pictures - pictures.mean(axis=0)
    gram = rows.T @ rows + _RIDGE * len(rows) * np.eye(rows.shape[1])
    left, units, _ = np.linalg.svd(np.linalg.solve(gram, rows.T @ seen), full_matrices=False)
    matrix = left * units
    size = (rows @ matrix).std() or 1.0  # pictures that never change decide nothing
    return VisibleCoordinates(mean, matrix / size / spread[:, None])


def next_examples(
    coordinates: np.ndarray, answers: np.ndarray, count: int, seed: int = 0
) -> list[int]:
    """Examples whose answers would tell most, the most telling first.

    While one kind of answer is missing, the examples that are least like those asked about. Then
    those near the model's boundary and far from each other; where one kind of answer is rare,
    every other time the example that is most likely of that kind.

    Args:
      coordinates: float [N, K].
      answers: int [N], of the constants of this module.
      count: how many; fewer if there are no more.
      seed: of the first example, and of the folds.

    Returns:
      different numbers of examples that were not asked about.
    """
    asked = answers != NOT_ASKED
    chosen: list[int] = []
    scores = None
    if (answers == YES).any() and (answers == NO).any():
        known = np.isin(answers, (YES, NO))
        weights, intercept = fit_coordinates(coordinates[known], answers[known] == YES, seed)
        scores = coordinates @ weights + intercept
    counts = {kind: int((answers == kind).sum()) for kind in (YES, NO)}
    distances = _distances(coordinates, np.flatnonzero(asked))
    for _ in range(min(count, int((~asked).sum()))):
        free = np.flatnonzero(~asked)
        rare = min(counts, key=lambda kind: counts[kind])
        lacking = sum(counts.values()) % 2 == 0 and _IMBALANCE * counts[rare] < max(counts.values())
        if scores is None:
            place = _farthest(distances, free, seed)
        elif lacking:
            place = int(free[np.argmax(scores[free] if rare == YES else -scores[free])])
            counts[rare] += 1
        else:
            most = max(5, round(_NEAR_BOUNDARY * len(coordinates)))
            near = free[np.argsort(np.abs(scores[free]), kind="stable")[:most]]
            place = _farthest(distances, near, seed)
            counts[YES if scores[place] > 0 else NO] += 1
        chosen.append(place)
        asked[place] = True
        distances = np.minimum(distances, _distances(coordinates, np.asarray([place])))
    return chosen


def _distances(coordinates: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Squared distance of every example to the nearest of some; infinite if there are none."""
    nearest = np.full(len(coordinates), np.inf)
    for place in places:
        nearest = np.minimum(nearest, ((coordinates - coordinates[place]) ** 2).sum(axis=1))
    return nearest


def _farthest(distances: np.ndarray, places: np.ndarray, seed: int) -> int:
    """Of some examples a random one of the farthest tenth: the very farthest are freaks."""
    order = places[np.argsort(-distances[places], kind="stable")]
    few = order[: max(1, len(order) // 10)]
    asked = int(np.isinf(distances).sum() + (distances == 0).sum())
    return int(few[np.random.default_rng([seed, asked]).integers(len(few))])


def fit_coordinates(coordinates: np.ndarray, positive: np.ndarray, seed: int = 0) -> Fit:
    """Logistic regression in visible coordinates, whose lengths it respects.

    Args:
      coordinates: float [N, K].
      positive: bool [N].
      seed: of the folds that choose the regulariser.

    Returns:
      weights [K], and the intercept.
    """
    model = logistic(_strength(coordinates, positive, seed)).fit(coordinates, positive)
    return model.coef_.ravel().astype(np.float64), float(model.intercept_[0])


def _strength(coordinates: np.ndarray, positive: np.ndarray, seed: int) -> float:
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    folds = min(5, int(positive.sum()), int((~positive).sum()))
    if folds < 2:
        return 0.1
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    found = [
        cross_val_score(
            logistic(strength), coordinates, positive, cv=splits, scoring="neg_log_loss"
        ).mean()
        for strength in _STRENGTHS
    ]
    return _STRENGTHS[int(np.argmax(found))]


@dataclass(frozen=True)
class CrossValidation:
    """What a model of answers is worth, by models that did not see each of them.

    Attributes:
      yes, no: answers.
      auc: of the answers, scored by models that did not see them. Where the answers are the
        hard ones, as `next_examples` chooses them, other examples do better.
      low, high: 95 % interval of it, over resampled answers.
      agreement: mean correlation of the scores, over all examples, of the model with those of
        models of part of the answers.
      enough: whether more answers are unlikely to change much.
      says: why, or what is missing, in one sentence.
    """

    yes: int
    no: int
    auc: float
    low: float
    high: float
    agreement: float
    enough: bool
    says: str


def cross_validated(
    coordinates: np.ndarray, answers: np.ndarray, seed: int = 0
) -> CrossValidation | None:
    """Cross-validates the model of the answers; None while there are fewer than 2 of a kind.

    Args:
      coordinates, answers: as for `next_examples`.
      seed: of the folds and the resampling.
    """
    known = np.flatnonzero(np.isin(answers, (YES, NO)))
    rows, positive = coordinates[known], answers[known] == YES
    yes, no = int(positive.sum()), int((~positive).sum())
    if min(yes, no) < 2:
        return None
    weights, intercept = fit_coordinates(rows, positive, seed)
    whole = coordinates @ weights + intercept
    unseen, agreements = _unseen(coordinates, known, positive, whole, seed)
    auc, low, high = auc_interval(positive, unseen, seed)
    agreement = float(np.mean(agreements))
    says = _verdict(yes, no, auc, low, agreement)
    return CrossValidation(yes, no, auc, low, high, agreement, not says, says or "enough")


def _unseen(
    coordinates: np.ndarray, known: np.ndarray, positive: np.ndarray, whole: np.ndarray, seed: int
) -> tuple[np.ndarray, list[float]]:
    """Mean score of each answer by models without it, and how alike these and the whole judge."""
    from sklearn.model_selection import RepeatedStratifiedKFold

    folds = min(5, int(positive.sum()), int((~positive).sum()))
    splits = RepeatedStratifiedKFold(n_splits=folds, n_repeats=_REPEATS, random_state=seed)
    rows = coordinates[known]
    strength = _strength(rows, positive, seed)
    unseen, agreements = np.zeros(len(rows)), []
    for seen, left in splits.split(rows, positive):
        model = logistic(strength).fit(rows[seen], positive[seen])
        scores = model.decision_function(coordinates)
        unseen[left] += scores[known[left]] / _REPEATS
        varies = np.ptp(scores) > 0 and np.ptp(whole) > 0
        agreements.append(float(np.corrcoef(scores, whole)[0, 1]) if varies else 0.0)
    return unseen, agreements


def _verdict(yes: int, no: int, auc: float, low: float, agreement: float) -> str:
    """What speaks against the answers being enough; nothing if they are."""
    if min(yes, no) < ENOUGH_OF_EACH:
        return f"{yes} yes and {no} no; {ENOUGH_OF_EACH} of each are needed at least"
    if low <= 0.5:
        return (
            f"answers cannot be foreseen (AUC {auc:.2f}, from {low:.2f} on): give more, or what is "
            "asked cannot be read from latents along a line"
        )
    if agreement < ENOUGH_AGREEMENT:
        return (
            f"models of part of the answers judge otherwise (correlation {agreement:.2f}, "
            f"{ENOUGH_AGREEMENT} is wanted): give more"
        )
    return ""


def auc_interval(
    positive: np.ndarray, scores: np.ndarray, seed: int = 0
) -> tuple[float, float, float]:
    """Area under the curve of true against false positives, and its 95 % bootstrap interval.

    Args:
      positive: bool [N], of both kinds.
      scores: float [N], higher for yes.
      seed: of the resampling, which keeps the number of each kind.
    """
    yes, no = scores[positive][:, None], scores[~positive][None]
    # The area is the share of pairs in which the yes has the higher score (Mann and Whitney).
    wins = (yes > no) + 0.5 * (yes == no)
    random = np.random.default_rng(seed)
    found = [
        wins[random.integers(len(wins), size=len(wins))]
        .mean(axis=0)[random.integers(wins.shape[1], size=wins.shape[1])]
        .mean()
        for _ in range(_BOOTSTRAPS)
    ]
    low, high = np.quantile(found, (0.025, 0.975))
    return float(wins.mean()), float(low), float(high)


def fit_answers(
    name: str,
    latents: np.ndarray,
    coordinates: VisibleCoordinates | None,
    positive: np.ndarray,
    seed: int = 0,
) -> Fit:
    """A linear model of answers, for plain latents.

    Args:
      name: of the label, for messages.
      latents: [N, D] of the answered examples.
      coordinates: in which it is regularised; None for standardised latents as they are.
      positive: bool [N].
      seed: of the folds that choose the regulariser.

    Raises:
      UserError: unless there are two answers of each kind.
    """
    check_classes(name, positive)
    if coordinates is None:
        return fit_binary(latents, positive, seed=seed)
    return coordinates.plain(fit_coordinates(coordinates.of(latents), positive, seed))
