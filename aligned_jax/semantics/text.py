"""Directions from words: StyleCLIP's global directions (Patashnik et al. 2021), in style channels.

Every channel is moved to either side, and what that changes in the vectors of pictures is compared
with what the words change in the vectors of texts. Both live in the space of a CLIP, which is only
known here by its functions.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import concatenate_styles, split_styles, style_layers
from aligned_jax.networks.network import Network
from aligned_jax.types import AnyArray, AnyStyles, Array

# Pictures [N, H, W, C] in [-1, 1] to vectors [N, E]: a pytree, `jax.tree_util.Partial(f, weights)`.
PictureVectors = Callable[[Array], Array]
# Texts to vectors [N, E].
TextVectors = Callable[[Sequence[str]], AnyArray]

TEMPLATES = (
    "{}",
    "a photo of {}",
    "a picture of {}",
    "a portrait of {}",
    "an image of {}",
)
SHIFT = 5.0  # sigmas to either side
_SILENT = 1e-5  # a change of a vector of unit length below it is rounding
_STEPS = tuple(round(0.99 - 0.01 * k, 2) for k in range(90))  # StyleCLIP's end at 0.29
_KEPT = 20
_DRAWS = 400


@dataclass(frozen=True, eq=False)
class RelevanceIndex:
    """What every channel changes in the vectors of pictures.

    Attributes:
      channels: (layer, number) of each, in order of evaluation.
      means: float32 [G, C, E]; for each of G groups of seeds the mean of the changes of unit
        length that each of C channels makes; zeros where it changes nothing.
      counts: seeds of each group, [G].
    """

    channels: list[tuple[str, int]]
    means: np.ndarray
    counts: np.ndarray

    @functools.cached_property
    def mean(self) -> np.ndarray:
        """The mean over all seeds, [C, E]; its lengths are `consistency`."""
        return np.average(self.means, axis=0, weights=self.counts)

    @property
    def consistency(self) -> np.ndarray:
        """How much seeds agree on what a channel changes: [C], 1 for all, 0 for nothing at all."""
        return np.linalg.norm(self.mean, axis=1)

    @property
    def alive(self) -> np.ndarray:
        """Channels that change anything, bool [C]."""
        return self.consistency > 0


def conv_channels(config: GeneratorConfig) -> list[tuple[str, int]]:
    """Every style channel of a convolution (toRGB's are left out), in order of evaluation."""
    return [
        (layer.name, number)
        for layer in style_layers(config)
        if layer.kind == "conv"
        for number in range(layer.channels)
    ]


def columns(config: GeneratorConfig, channels: Sequence[tuple[str, int]]) -> np.ndarray:
    """Places of channels in S as one array, int [C]."""
    starts, start = {}, 0
    for layer in style_layers(config):
        starts[layer.name] = start
        start += layer.channels
    return np.asarray([starts[layer] + number for layer, number in channels])


def channel_changes(
    network: Network,
    embed: PictureVectors,
    styles: AnyStyles,
    channel: tuple[str, int],
    low: float,
    high: float,
) -> np.ndarray:
    """What one channel changes in the vectors of pictures.

    The channel is set to `low` and to `high`, around which all others keep the value that the
    seed has; `styles` stay as they are.

    Args:
      network: that draws.
      embed: see `PictureVectors`.
      styles: of N seeds, {layer: [N, C]}.
      channel: layer and number.
      low, high: its values, such as its mean and five sigmas to either side.

    Returns:
      float32 [N, E]: differences of vectors of unit length, high less low, themselves of unit
      length; zeros where nothing changes.
    """
    s = concatenate_styles(network.config, styles)
    [column] = columns(network.config, [channel])
    numbers = (np.int32(column), np.float32(low), np.float32(high))
    return np.asarray(_changes(network, embed, s, *numbers))


@jax.jit
def _changes(
    network: Network, embed: PictureVectors, s: Array, column: Array, low: Array, high: Array
) -> Array:
    both = jnp.concatenate([s.at[:, column].set(low), s.at[:, column].set(high)])
    images = network.render(split_styles(network.config, both))
    less, more = jnp.split(_unit(embed(images)), 2)
    return _unit(more - less)


def _unit(vectors: Array) -> Array:
    length = jnp.linalg.norm(vectors, axis=-1, keepdims=True)
    return jnp.where(length > _SILENT, vectors / jnp.maximum(length, _SILENT), 0)


def text_change(
    embed: TextVectors, target: str, neutral: str, templates: Sequence[str] = TEMPLATES
) -> np.ndarray:
    """What words change in the vectors of texts: from `neutral` to `target`, float32 [E].

    Args:
      embed: see `TextVectors`.
      target, neutral: what is wanted, "a face with glasses", and what it is wanted of, "a face".
      templates: sentences with {} in the place of either; vectors of unit length are averaged.

    Returns:
      Of unit length, as the mean of each side is before they are subtracted.

    Raises:
      UserError: if a template has no {}, or both texts have the same vector.
    """
    wrong = [template for template in templates if template.count("{}") != 1]
    if wrong or not templates:
        raise UserError(f"templates hold {{}} once each, unlike {wrong or 'none'}")
    sides = [text_vector(embed, text, templates) for text in (target, neutral)]
    change = sides[0] - sides[1]
    length = float(np.linalg.norm(change))
    if length < 1e-3:
        raise UserError(
            f"{target!r} and {neutral!r} are the same to this CLIP; it knows no difference between "
            "them to look for"
        )
    return (change / length).astype(np.float32)


def text_vector(embed: TextVectors, text: str, templates: Sequence[str] = TEMPLATES) -> np.ndarray:
    """The mean vector of a text in all templates, float32 [E], of unit length."""
    vectors = np.asarray(embed([template.replace("{}", text) for template in templates]))
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = vectors.mean(axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def relevance(index: RelevanceIndex, change: np.ndarray) -> np.ndarray:
    """How much each channel does what the words do: cosines, float32 [C]; 0 of dead channels."""
    return _relevance(index.mean, change)


def _relevance(mean: np.ndarray, change: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(mean, axis=1)
    return (mean @ change) / np.where(length > 0, length, 1)


def automatic_threshold(relevances: np.ndarray, kept: int = _KEPT) -> float:
    """As StyleCLIP's: the largest of 0.99, 0.98, ... 0.10 that more than `kept` channels reach.

    StyleCLIP begins at 0.29. In a CLIP that sees little besides what is asked for, hundreds of
    channels reach that.

    Where none does, the one that `kept` channels reach, or all that are alive.
    """
    sizes = np.sort(np.abs(relevances))[::-1]
    for step in _STEPS:
        if (sizes >= step).sum() > kept:
            return step
    return float(sizes[min(kept, int(np.count_nonzero(sizes))) - 1]) if sizes.any() else 0.0


def shift_of(
    config: GeneratorConfig,
    index: RelevanceIndex,
    relevances: np.ndarray,
    sigma: AnyStyles,
    threshold: float,
) -> dict[str, np.ndarray]:
    """The direction in S: channels that reach the threshold, the most relevant by one sigma.

    Args:
      config: of the network.
      index: whose channels they are.
      relevances: of `relevance`, [C].
      sigma: of every channel in the parent, {layer: [C]}.
      threshold: least size of a relevance.

    Returns:
      {layer: float32 [C]} of the layers that move.

    Raises:
      UserError: if no channel reaches the threshold, naming the largest one that passes any.
    """
    largest = float(np.abs(relevances).max(initial=0))
    if not largest:
        raise UserError("no style channel changes what this CLIP sees; there is no direction")
    kept = (np.abs(relevances) >= threshold) & (relevances != 0)
    if not kept.any():
        raise UserError(
            f"no style channel has a relevance of {threshold:g}; the largest threshold that passes "
            f"one is {np.floor(largest * 1000) / 1000:g}"
        )
    whole: dict[str, np.ndarray] = {}
    for (layer, number), value, is_kept in zip(index.channels, relevances, kept, strict=True):
        if is_kept:
            width = np.asarray(sigma[layer]).shape[0]
            vector = whole.setdefault(layer, np.zeros(width, np.float32))
            vector[number] = value / largest * float(sigma[layer][number])
    order = [layer.name for layer in style_layers(config)]
    return {layer: whole[layer] for layer in order if layer in whole}


def agreement(index: RelevanceIndex, change: np.ndarray, seed: int = 0) -> float:
    """How much the seeds agree on the relevances: mean cosine of those of random halves.

    1 if every group of seeds gives the same; about 0 if they have nothing in common. Needs two
    groups; nan with one.
    """
    groups = len(index.counts)
    if groups < 2:
        return float("nan")
    random = np.random.default_rng(seed)
    cosines = []
    for _ in range(20):
        order = random.permutation(groups)
        halves = [order[: groups // 2], order[groups // 2 :]]
        pair = [
            _relevance(np.average(index.means[h], axis=0, weights=index.counts[h]), change)
            for h in halves
        ]
        lengths = np.linalg.norm(pair[0]) * np.linalg.norm(pair[1])
        cosines.append(float(pair[0] @ pair[1] / lengths) if lengths else 0.0)
    return float(np.mean(cosines))


def chance(index: RelevanceIndex, relevances: np.ndarray, seed: int = 0) -> float:
    """How often words without meaning would do as well: a share of random directions.

    A direction that means nothing is as large as any other. Compared are the largest relevance,
    as of an attribute that one channel moves, and the mean of the 20 largest, as of one that many
    move; the rarer of both counts, twice, since there are two.

    Args:
      index: of the channels.
      relevances: of the words, [C].
      seed: of the random directions.
    """
    random = np.random.default_rng(seed)
    changes = random.standard_normal((index.mean.shape[1], _DRAWS))
    changes /= np.linalg.norm(changes, axis=0)
    lengths = index.consistency[:, None]
    sizes = np.abs(index.mean @ changes) / np.where(lengths > 0, lengths, 1)
    others, own = np.sort(sizes, axis=0), np.sort(np.abs(relevances))
    shares = [
        float((others[-kept:].mean(axis=0) >= own[-kept:].mean()).mean()) for kept in (1, _KEPT)
    ]
    return min(1.0, 2 * min(shares))


def rises(
    vectors: AnyArray, edited: AnyArray, target: np.ndarray, neutral: np.ndarray
) -> np.ndarray:
    """By how much edits bring pictures nearer to the target than to the neutral text.

    Args:
      vectors, edited: of the same pictures [N, E] before and after.
      target, neutral: vectors of texts [E], of unit length.

    Returns:
      float32 [N]: the cosine with the target less that with the neutral text, after less before.
    """

    def scores(rows: AnyArray) -> np.ndarray:
        rows = np.asarray(rows)
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return np.asarray(rows @ (target - neutral))

    return scores(edited) - scores(vectors)
