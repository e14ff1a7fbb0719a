"""What a direction is worth, in numbers and in sentences.

Accuracy is that of a random population that the direction was not fitted to. On the ends of the
order of scores, where InterFaceGAN measures, it is flattering.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

# Beyond these numbers something is said.
_OTHER, _UNCHANGED, _UNSTABLE, _CHANCE, _RARE = 0.7, 0.99, 0.5, 0.6, 0.01


@dataclass(frozen=True)
class Merits:
    """Figures of merit of a direction.

    Attributes:
      target: the attribute it is for.
      population: latents that it was measured on.
      positive: share of them with the attribute.
      deviation: standard deviation of their scores.
      accuracy: share on the right side; of the guess "always the larger side", `guess`.
      balanced: mean of the shares on both sides.
      auc: of the distance from the plane as a score; 0.5 is chance.
      correlation: Spearman's, of that distance with the attribute's scores.
      correlations: the same with the scores of other attributes, by name.
      cosines: with directions of other attributes, or with others that were named.
      bootstrap: mean cosine with directions of new draws; None if there were none.
      conditioned: cosine with what it was before conditioning; None if it was not.
    """

    target: str
    population: int
    positive: float
    deviation: float
    accuracy: float
    guess: float
    balanced: float
    auc: float
    correlation: float
    correlations: Mapping[str, float] = field(default_factory=dict)
    cosines: Mapping[str, float] = field(default_factory=dict)
    bootstrap: float | None = None
    conditioned: float | None = None

    def warnings(self) -> list[str]:
        """What is wrong with it, a sentence each; none if nothing is."""
        said = []
        if min(self.positive, 1 - self.positive) < _RARE:
            said.append(
                f"{self.target} hardly varies: {self.positive:.1%} of {self.population} latents "
                "have it, and what few examples tell may be chance"
            )
        if self.auc < _CHANCE:
            said.append(f"it does not tell {self.target}: AUC {self.auc:.2f}, where 0.5 is chance")
        if self.bootstrap is not None and self.bootstrap < _UNSTABLE:
            said.append(
                f"other draws find other directions (cosine {self.bootstrap:.2f}); use more latents"
            )
        if self.conditioned is not None and self.conditioned > _UNCHANGED:
            said.append(
                f"the conditioning changes nothing (cosine {self.conditioned:.3f} with what it was)"
            )
        for name, value in self.correlations.items():
            if abs(value) > max(abs(self.correlation), _OTHER):
                said.append(
                    f"this direction of {self.target} is rather one of {name}: its distance goes "
                    f"with {name} ({value:+.2f}) more than with {self.target} "
                    f"({self.correlation:+.2f})"
                )
        for name, value in self.cosines.items():
            if abs(value) > _OTHER:
                said.append(f"it is nearly the direction of {name} (cosine {value:+.2f})")
        return said


def area_under_curve(distances: np.ndarray, positive: np.ndarray) -> float:
    """AUC: the chance that one with the attribute is ahead of one without; 0.5 for one kind alone.

    Args:
      distances: [N].
      positive: bool [N].
    """
    high, low = int(positive.sum()), int((~positive).sum())
    if not high or not low:
        return 0.5
    ranks = stats.rankdata(distances)
    return float((ranks[positive].sum() - high * (high + 1) / 2) / (high * low))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's correlation of two arrays [N]; 0 if one of them is constant."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


def measure(
    target: str,
    distances: np.ndarray,
    scores: Mapping[str, np.ndarray],
    threshold: float,
    cosines: Mapping[str, float] | None = None,
    bootstrap: float | None = None,
    conditioned: float | None = None,
) -> Merits:
    """Merits on a random population.

    Args:
      target: the attribute.
      distances: from the plane, [N].
      scores: of the target and of other attributes, [N] each.
      threshold: above which a score of the target is positive.
      cosines, bootstrap, conditioned: as of `Merits`.
    """
    own = scores[target]
    positive, said = own > threshold, distances > 0
    sides = [float((said[kind] == side).mean()) for side in (True, False)
             if (kind := positive == side).any()]  # fmt: skip
    share = float(positive.mean())
    return Merits(
        target=target,
        population=len(own),
        positive=share,
        deviation=float(own.std()),
        accuracy=float((said == positive).mean()),
        guess=max(share, 1 - share),
        balanced=float(np.mean(sides)),
        auc=area_under_curve(distances, positive),
        correlation=rank_correlation(distances, own),
        correlations={
            name: rank_correlation(distances, values)
            for name, values in scores.items()
            if name != target
        },
        cosines=dict(cosines or {}),
        bootstrap=bootstrap,
        conditioned=conditioned,
    )
