"""How good labels and values are, where the truth is known (scikit-learn's measures)."""

import numpy as np

from aligned_jax.zero_shot.decisions import NEUTRAL, POSITIVE

Figures = dict[str, float]


def label_figures(truth: np.ndarray, scores: np.ndarray, kinds: np.ndarray) -> Figures:
    """Accuracy, balanced accuracy, AUC, and the share that was decided.

    Args:
      truth: bool [N].
      scores: float [N], higher for yes.
      kinds: int [N] of `decided`; neutral ones count in AUC alone.

    Returns:
      NaN for what cannot be said, as where the truth is all the same.
    """
    from sklearn.metrics import roc_auc_score

    sure = kinds != NEUTRAL
    right = (kinds == POSITIVE) == truth
    both = truth.any() and not truth.all()
    sides = [right[sure & (truth == side)] for side in (True, False)]
    return {
        "n": float(len(truth)),
        "accuracy": _mean(right[sure]),
        "balanced accuracy": float(np.mean([_mean(side) for side in sides])),
        "AUC": float(roc_auc_score(truth, scores)) if both else float("nan"),
        "decided": float(sure.mean()),
    }


def value_figures(truth: np.ndarray, values: np.ndarray) -> Figures:
    """Mean absolute error, R2, rank correlation, and how often the sign is right.

    Args:
      truth: float [N].
      values: float [N].

    Returns:
      NaN for what cannot be said. The sign is that of what is not 0; where all have one, it says
      nothing.
    """
    from scipy.stats import spearmanr
    from sklearn.metrics import mean_absolute_error, r2_score

    varies = np.ptp(truth) > 0
    ranks = varies and np.ptp(values) > 0
    turned = truth != 0 if np.ptp(np.sign(truth)) > 1 else np.zeros(len(truth), bool)
    return {
        "n": float(len(truth)),
        "MAE": float(mean_absolute_error(truth, values)),
        "R2": float(r2_score(truth, values)) if varies else float("nan"),
        "Spearman": float(spearmanr(truth, values).statistic) if ranks else float("nan"),
        "sign": _mean(np.sign(values[turned]) == np.sign(truth[turned])),
    }


def chance_of_labels(truth: np.ndarray) -> Figures:
    """What saying the commoner label of every picture comes to; truth: bool [N]."""
    share = float(truth.mean())
    return {
        "n": float(len(truth)),
        "accuracy": max(share, 1 - share),
        "balanced accuracy": 0.5,
        "AUC": 0.5,
        "decided": 1.0,
    }


def chance_of_values(truth: np.ndarray) -> Figures:
    """What saying the mean, or the commoner sign, of every picture comes to; truth: float [N]."""
    turned = truth[truth != 0] if np.ptp(np.sign(truth)) > 1 else truth[:0]
    share = _mean(turned > 0)
    return {
        "n": float(len(truth)),
        "MAE": float(np.abs(truth - truth.mean()).mean()),
        "R2": 0.0,
        "Spearman": 0.0,
        "sign": max(share, 1 - share),
    }


def mirror_figures(values: np.ndarray, mirrored: np.ndarray) -> Figures:
    """Whether values of mirrored pictures are the negative ones, as those of yaw must be.

    Args:
      values, mirrored: float [N], of pictures and of the same mirrored.

    Returns:
      their correlation, -1 at best; the share whose sign changes, 1 at best; and the mean of both
      over their deviation, 0 at best, by which values are off to one side.
    """
    spread = float(np.concatenate([values, mirrored]).std())
    both = np.ptp(values) > 0 and np.ptp(mirrored) > 0
    nan = float("nan")
    return {
        "n": float(len(values)),
        "correlation": float(np.corrcoef(values, mirrored)[0, 1]) if both else nan,
        "sign changes": _mean(np.sign(values) == -np.sign(mirrored)),
        "bias": float((values + mirrored).mean() / 2 / spread) if spread else nan,
    }


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


# What counts as a claim that holds.
_OF_SUPERVISED, _OVER_CONTROL, _TURNED = 0.9, 0.05, 0.0


def judged_by(task: str, odd: bool) -> str:
    """The figure that tells whether a claim holds.

    Args:
      task: "classify" or "regress".
      odd: whether the sign of values says something, as that of yaw does.
    """
    if task == "classify":
        return "balanced accuracy"
    return "sign" if odd else "Spearman"


def verdict(
    by: str,
    child: Figures,
    chance: Figures,
    supervised: Figures | None = None,
    control: Figures | None = None,
    mirror: Figures | None = None,
) -> str:
    """Whether the child's pictures can be labelled for free, in one sentence.

    It holds with 90 % of what a supervised model reaches, and clearly more than an unaligned
    control and than chance.

    Args:
      by: name of the figure that decides, see `judged_by`.
      child, chance, supervised, control: figures of each, as far as there are any.
      mirror: of what is odd, see `mirror_figures`: where values of mirrored pictures do not turn,
        something else is read, however often the sign is right.
    """
    reached = child[by]
    others = {"chance": chance, "the control": control, "supervised": supervised}
    said = ", ".join(f"{who} {found[by]:.2f}" for who, found in others.items() if found)
    floors = [found[by] for found in (chance, control) if found]
    if not reached > max(floors) + _OVER_CONTROL:
        return f"fails: {by} {reached:.2f} is no better than without alignment ({said})"
    if mirror and mirror["correlation"] > _TURNED:
        return (
            f"fails: {by} {reached:.2f} ({said}), but values of mirrored pictures do not turn "
            f"(correlation {mirror['correlation']:.2f}): something else is read"
        )
    if supervised and reached < _OF_SUPERVISED * supervised[by]:
        share = reached / supervised[by]
        return f"holds in part: {by} {reached:.2f}, {share:.0%} of supervised ({said})"
    return f"holds: {by} {reached:.2f} ({said})"
