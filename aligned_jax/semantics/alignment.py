"""How well the style channels of a child still do what they do in its parent.

Nothing here needs labels: a channel is known by the map of what it changes. StyleAlign shows this
by examples (figures 2, 3 and 9 to 12); the numbers are ours.
"""

from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.semantics.effect_maps import EffectMaps

RESAMPLES = 50
_PERMUTATIONS = 100
# The part of a map that counts as the region of a channel.
_REGION = 0.1
# A channel whose map is weaker than this share of the strongest one is dead.
_DEAD = 1e-6


@dataclass(frozen=True, eq=False)
class ChannelScores:
    """How the S channels of a child compare with those of its parent, one number a channel.

    Attributes:
      alive: whether the channel changes the parent's pictures at all, bool [S]; the other scores
        are 0 where it does not.
      cosine: of the signed maps of the channel in parent and child, in [-1, 1].
      nearest: whether, of all the child's channels, that of the same name has the map most like
        the parent's: 0 or 1.
      nearest_in_layer: the same among the channels of its layer.
      overlap: intersection over union of the tenth of the picture that changes most.
      leakage: share of the child's change that lies outside the parent's tenth of the picture.
      own_leakage: the same of the parent's own change.
    """

    alive: np.ndarray
    cosine: np.ndarray
    nearest: np.ndarray
    nearest_in_layer: np.ndarray
    overlap: np.ndarray
    leakage: np.ndarray
    own_leakage: np.ndarray

    def means(self, rows: np.ndarray | None = None) -> dict[str, float]:
        """Mean of every score over the channels that are alive, or those of `rows` [S] alone."""
        kept = self.alive if rows is None else self.alive & rows
        if not kept.any():
            return dict.fromkeys(SCORES, np.nan)
        return {name: float(getattr(self, name)[kept].mean()) for name in SCORES}


# The scores of `ChannelScores`, in the order of tables.
SCORES = (
    "nearest",
    "nearest_in_layer",
    "cosine",
    "overlap",
    "leakage",
    "own_leakage",
)


@dataclass(frozen=True)
class Interval:
    """A score, and its standard error over the latents that it was measured with."""

    value: float
    error: float

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of a normal distribution."""
        return self.value - 1.96 * self.error, self.value + 1.96 * self.error


def channel_scores(
    parent: EffectMaps,
    child: EffectMaps,
    weights: np.ndarray | None = None,
    order: np.ndarray | None = None,
) -> ChannelScores:
    """Compares the maps of two networks, channel by channel.

    Args:
      parent, child: maps of the same channels, around the same latents.
      weights: of the groups of latents, [G]; by default each latent counts once.
      order: the child's channels in another order, [S]; a baseline where it is a permutation.

    Raises:
      UserError: if the maps are not of the same channels, strengths and latents.
    """
    _check(parent, child)
    before, after = parent.mean(weights), child.mean(weights)
    wide, wide_after = parent.spread(weights), child.spread(weights)
    if order is not None:
        after, wide_after = after[order], wide_after[order]
    strength = np.linalg.norm(before, axis=1)
    alive = strength > _DEAD * max(float(strength.max(initial=0)), 1e-30)
    cosines = unit(before) @ unit(after).T
    own = np.arange(len(parent))
    same_layer = parent.layer_of[:, None] == parent.layer_of[None]
    region, region_after = regions(wide), regions(wide_after)
    scores = {
        "cosine": cosines[own, own],
        "nearest": cosines.argmax(axis=1) == own,
        "nearest_in_layer": np.where(same_layer, cosines, -2).argmax(axis=1) == own,
        "overlap": (region & region_after).sum(axis=1) / (region | region_after).sum(axis=1),
        "leakage": share_outside(wide_after, region),
        "own_leakage": share_outside(wide, region),
    }
    return ChannelScores(alive, **{k: np.where(alive, v, 0.0) for k, v in scores.items()})


def intervals(
    parent: EffectMaps, child: EffectMaps, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Interval]:
    """The mean of every score of `channel_scores` with its bootstrap error over the latents.

    The groups of latents are drawn anew with replacement, the same ones for parent and child;
    the error is the deviation of the score over such draws. With one group it is not known: nan.

    Args:
      parent, child: as of `channel_scores`.
      resamples: draws.
      seed: of the draws.
    """
    means = channel_scores(parent, child).means()
    groups = len(parent.weights)
    if groups < 2 or resamples < 2:
        return {name: Interval(value, np.nan) for name, value in means.items()}
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        times = np.bincount(random.integers(groups, size=groups), minlength=groups)
        weights = parent.weights * times
        drawn.append(channel_scores(parent, child, weights / weights.sum()).means())
    return {
        name: Interval(value, float(np.std([one[name] for one in drawn], ddof=1)))
        for name, value in means.items()
    }


def permuted(parent: EffectMaps, child: EffectMaps, seed: int = 0) -> dict[str, float]:
    """What every score comes to if the child's channels are shuffled: that of chance.

    They are shuffled within their layers for "nearest_in_layer" and the scores of places, and
    all over for "nearest" and "cosine"; the means of many shuffles.

    Args:
      parent, child: as of `channel_scores`.
      seed: of the shuffles.
    """
    random = np.random.default_rng(seed)
    count, layers = len(parent), parent.layer_of
    # The neighbours do not change with their names, so that one comparison serves all shuffles.
    everywhere = [random.permutation(count) for _ in range(_PERMUTATIONS)]
    within = [_shuffled(layers, random) for _ in range(_PERMUTATIONS)]
    cosines = unit(parent.mean()) @ unit(child.mean()).T
    same_layer = layers[:, None] == layers[None]
    nearest = cosines.argmax(axis=1)
    in_layer = np.where(same_layer, cosines, -2).argmax(axis=1)
    own = np.arange(count)
    one = channel_scores(parent, child, order=within[0]).means()
    return one | {
        "nearest": float(np.mean([nearest == order for order in everywhere])),
        "nearest_in_layer": float(np.mean([in_layer == order for order in within])),
        "cosine": float(np.mean([cosines[own, order] for order in everywhere])),
    }


def by_layer(scores: ChannelScores, maps: EffectMaps) -> dict[str, dict[str, float]]:
    """Means of every score over the channels of each layer, by its name."""
    return {c.name: scores.means(maps.layer_of == c.index) for c in maps.layers}


def by_resolution(scores: ChannelScores, maps: EffectMaps) -> dict[int, dict[str, float]]:
    """Means of every score over the channels of each resolution."""
    resolutions = {layer.name: layer.resolution for layer in maps.layers}
    resolution = np.asarray([resolutions[layer] for layer, _ in maps.channels])
    return {int(r): scores.means(resolution == r) for r in np.unique(resolution)}


def _check(parent: EffectMaps, child: EffectMaps) -> None:
    if parent.channels != child.channels or parent.signed.shape != child.signed.shape:
        raise UserError("the maps are not of the same channels, latents and sizes")
    if parent.strength != child.strength:
        raise UserError(
            f"the channels were shifted by {parent.strength:g} and {child.strength:g} sigma; "
            "maps are compared at one strength"
        )


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of unit length; those that are zero stay so."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def regions(spread: np.ndarray) -> np.ndarray:
    """The tenth of the places with most change, bool [S, P * P]; of equals, the first ones."""
    flat = spread.reshape(len(spread), -1)
    count = max(1, round(_REGION * flat.shape[1]))
    places = np.argsort(-flat, axis=1, kind="stable")[:, :count]
    region = np.zeros(flat.shape, bool)
    np.put_along_axis(region, places, True, axis=1)
    return region


def share_outside(spread: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Share of the change that lies outside a region, [S]; 0 where nothing changes."""
    flat = spread.reshape(len(spread), -1)
    total = flat.sum(axis=1)
    return np.where(region, 0, flat).sum(axis=1) / np.where(total > 0, total, 1)


def _shuffled(layers: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A permutation that leaves every channel in its layer."""
    order = np.arange(len(layers))
    for layer in np.unique(layers):
        rows = np.flatnonzero(layers == layer)
        order[rows] = random.permutation(rows)
    return order
