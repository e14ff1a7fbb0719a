"""Which style channels control a part of the picture, or an attribute (StyleSpace, sections 4, 5).

Also a survey that needs neither: which channels do most, act locally, and are least entangled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.semantics.alignment import regions, share_outside, unit
from aligned_jax.semantics.effect_maps import EffectMaps

# What is in no part.
REST = "rest"
# A channel belongs to a part if it is the part of more than half of the pictures that have it,
# and of more by a quarter than of any other part.
_LEAST, _AHEAD = 0.5, 0.25


@dataclass(frozen=True, eq=False)
class Survey:
    """What S channels do, without labels; float32 [S] each.

    Attributes:
      effect: mean absolute change of a pixel in [-1, 1].
      leakage: share of the change outside the tenth of the picture that changes most; the lower,
        the more local.
      entanglement: largest absolute cosine of the signed map with that of another channel.
    """

    effect: np.ndarray
    leakage: np.ndarray
    entanglement: np.ndarray


@dataclass(frozen=True, eq=False)
class PartVotes:
    """How often each of S channels acts in each of K parts, the last one being the rest.

    Attributes:
      frequency: share of the pictures with the part in which the channel acts there most,
        float32 [S, K].
      inside: share of the channel's gradient that is inside the part, float32 [S, K].
      pictures: how many have the part, int [K].
    """

    frequency: np.ndarray
    inside: np.ndarray
    pictures: np.ndarray

    def ahead(self, part: int) -> np.ndarray:
        """How far the part's frequency is before that of the best other part, [S]."""
        others = np.delete(self.frequency, part, axis=1)
        return self.frequency[:, part] - others.max(axis=1)

    def accepted(self, part: int) -> np.ndarray:
        """Which channels are the part's by StyleSpace's rule, bool [S]."""
        return (self.frequency[:, part] > _LEAST) & (self.ahead(part) > _AHEAD)

    def ranking(self, part: int) -> np.ndarray:
        """Channels from the part's most own to its least: by lead, then by gradient inside."""
        return np.lexsort((-self.inside[:, part], -self.ahead(part)))


def survey(maps: EffectMaps) -> Survey:
    """What the channels of one network do, from their maps alone."""
    spread, flat = maps.spread(), unit(maps.mean())
    cosines = np.abs(flat @ flat.T)
    np.fill_diagonal(cosines, 0)
    leakage = share_outside(spread, regions(spread))
    return Survey(maps.effect, leakage.astype(np.float32), cosines.max(axis=1, initial=0))


def part_votes(gradients: np.ndarray, parts: np.ndarray) -> PartVotes:
    """Votes of pictures for the part in which each channel acts.

    In every picture a part of o places is compared with the o places at which the channel's
    gradient is largest; n of them lie in the part, and the vote goes to the part with the
    largest n / o**2.

    Args:
      gradients: float32 [N, S, P, P], absolute, mean over colours.
      parts: float32 [N, P, P, K], how much of each place each part covers; what no part covers
        is the rest. A place belongs to the part with the most of it.

    Raises:
      UserError: if the sizes do not fit, or no picture has any part.
    """
    pictures, channels, side, _ = gradients.shape
    if parts.shape[:3] != (pictures, side, side):
        raise UserError(
            f"the parts have shape {parts.shape}, expected [{pictures}, {side}, {side}, K]"
        )
    rest = np.clip(1 - parts.sum(axis=-1, keepdims=True), 0, 1)
    owner = np.concatenate([parts, rest], axis=-1).reshape(pictures, side * side, -1)
    masks = owner.argmax(axis=-1)[..., None] == np.arange(owner.shape[-1])  # [N, P * P, K]
    areas = masks.sum(axis=1)  # [N, K]
    if not areas[:, :-1].any():
        raise UserError("none of the pictures has any of the parts; give others, or more seeds")
    flat = gradients.reshape(pictures, channels, -1)
    total = flat.sum(axis=-1, keepdims=True)
    votes = np.zeros((channels, owner.shape[-1]), np.float32)
    inside = np.zeros_like(votes)
    for values, sums, mask, area in zip(flat, total, masks, areas, strict=True):
        alive = sums[:, 0] > 0
        order = np.argsort(-values, axis=1, kind="stable")
        hits = np.cumsum(mask[order], axis=1)  # [S, P * P, K]: of the first places, in the part
        share = np.zeros_like(votes)
        for part, size in enumerate(area):
            if size:
                share[:, part] = hits[:, size - 1, part] / float(size) ** 2
        votes[np.flatnonzero(alive), share.argmax(axis=1)[alive]] += 1
        inside += (values @ mask) / np.where(sums > 0, sums, 1)
    present = (areas > 0).sum(axis=0)
    known = np.maximum(present, 1).astype(np.float32)
    return PartVotes(votes / known, inside / known, present)


def attribute_relevance(
    styles: Mapping[str, np.ndarray],
    mean: Mapping[str, np.ndarray],
    std: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """How consistently examples of an attribute have each channel on one side of the mean.

    Args:
      styles: {layer: [N, C]} of the examples, two or more.
      mean, std: {layer: [C]} of the population, at psi 1.

    Returns:
      The mean shift of the examples in standard deviations, [S], and the relevance, its absolute
      value over the deviation among the examples, [S]; both are 0 for channels that never vary.

    Raises:
      UserError: for fewer examples than two.
    """
    count = len(next(iter(styles.values())))
    if count < 2:
        raise UserError(f"{count} example; channels are ranked by what several have in common")
    shifts = []
    for layer, values in styles.items():
        varies = std[layer] > 0
        unit_of = np.where(varies, std[layer], 1)
        shifts.append(np.where(varies, (values - mean[layer]) / unit_of, 0))
    shift = np.concatenate(shifts, axis=1).astype(np.float64)
    centre, spread = shift.mean(axis=0), shift.std(axis=0)
    # Examples that do not differ at all in a channel would be infinitely sure of it.
    return centre, np.abs(centre) / np.where(spread > 1e-6, spread, np.inf)
