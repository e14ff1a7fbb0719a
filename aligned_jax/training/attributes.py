"""Training of readers: one loss for each attribute, and the loop over epochs."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
import optax

from aligned_jax.config.attributes import AttributeHead, ReaderConfig
from aligned_jax.errors import ConfigError, too_small
from aligned_jax.features.attributes.network import AttributeNetwork, start
from aligned_jax.training.optimizer import finite
from aligned_jax.types import Array, PyTree
from aligned_jax.utils.reporting import Advance, no_advance

_SHIFT = 2  # pixels of 64
_NOISE = 0.08
_WARM = 0.05  # of the steps, until the full learning rate
ADAM = optax.adam(1.0, b2=0.99)  # its steps are multiplied by the learning rate
Labels = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class ReaderTraining:
    """How a reader is trained.

    Attributes:
      epochs: times that every picture is seen.
      batch: pictures of a step.
      learning_rate: the largest; it rises at first, then falls to 0 as a cosine.
      seed: of first parameters, order, flips and noise.
      flip: whether half of the pictures are mirrored; what is odd then changes its sign.
      augment: whether pictures are shifted by a few pixels, blurred and made noisy, which
        drawn pictures never are and generated ones always.

    Raises:
      ConfigError: naming everything that does not fit.
    """

    epochs: int = 12
    batch: int = 64
    learning_rate: float = 2e-3
    seed: int = 0
    flip: bool = True
    augment: bool = True

    def __post_init__(self) -> None:
        wrong = too_small(self, {"epochs": 1, "batch": 1, "seed": 0})
        if not 0 < self.learning_rate <= 1:
            wrong.append(f"learning_rate is {self.learning_rate}; it must be above 0, at most 1")
        if wrong:
            raise ConfigError("; ".join(wrong))


def train_heads(
    config: ReaderConfig,
    options: ReaderTraining,
    images: np.ndarray,
    labels: Labels,
    advance: Advance = no_advance,
) -> PyTree:
    """Trains the network of a reader.

    Args:
      config: of the reader.
      options: how.
      images: uint8 [N, R, R, 3], R the reader's resolution, of the order 0..255.
      labels: float32 by attribute, [N], of colours [N, 3]; NaN where not known.
      advance: hears of every picture of every epoch, with the loss as its note.

    Returns:
      parameters of `AttributeNetwork`, float32; the same arguments give the same ones on one
      machine.
    """
    batch = min(options.batch, len(images))
    steps = len(images) // batch
    params = start(config, options.seed)
    moments = ADAM.init(params)
    key = jax.random.key(options.seed)
    for epoch in range(options.epochs):
        order = np.random.default_rng((options.seed, epoch)).permutation(len(images))
        for step in range(steps):
            rows = order[step * batch : (step + 1) * batch]
            taken = {head.name: jnp.asarray(labels[head.name][rows]) for head in config.heads}
            number = epoch * steps + step
            state = (params, moments, rate_of(options, number, steps * options.epochs))
            drawn = (jnp.asarray(images[rows]), taken, jax.random.fold_in(key, number))
            params, moments, loss = _step(config, options.flip, options.augment, *state, *drawn)
            advance(batch, f"loss {float(loss):.3f}" if step % 10 == 0 else "")
    return params


def rate_of(options: ReaderTraining, step: int, steps: int) -> np.float32:
    """The learning rate of a step: rising, then falling as a cosine."""
    warm = max(1, round(steps * _WARM))
    rising = (step + 1) / warm
    falling = 0.5 + 0.5 * math.cos(math.pi * (step - warm) / max(1, steps - warm))
    return np.float32(options.learning_rate * (rising if step < warm else falling))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _step(
    config: ReaderConfig,
    flip: bool,
    augment: bool,
    params: PyTree,
    moments: PyTree,
    rate: Array,
    images: Array,
    labels: dict[str, Array],
    key: Array,
) -> tuple[PyTree, PyTree, Array]:
    flips, changes = jax.random.split(key)
    x = images.astype(jnp.float32) / 127.5 - 1
    if flip:
        flipped = jax.random.bernoulli(flips, 0.5, (len(x),))
        x = jnp.where(flipped[:, None, None, None], x[:, :, ::-1], x)
        labels = mirrored_labels(config.heads, labels, flipped)
    if augment:
        x = augmented(changes, x)

    def objective(params: PyTree) -> Array:
        told = AttributeNetwork(config).apply({"params": params}, x)
        outputs = cast("dict[str, Array]", told)
        losses = [head_loss(head, outputs[head.name], labels[head.name]) for head in config.heads]
        return jnp.stack(losses).mean()

    loss, slopes = jax.value_and_grad(objective)(params)
    with jax.numpy_dtype_promotion("standard"):  # optax raises betas to an integer power
        updates, moments = ADAM.update(finite(slopes), moments)
    params = jax.tree.map(lambda value, update: value + rate * update, params, updates)
    return params, moments, loss


def mirrored_labels(
    heads: tuple[AttributeHead, ...], labels: dict[str, Array], flipped: Array
) -> dict[str, Array]:
    """Labels of pictures of which those with `flipped` [N] were mirrored."""
    signs = jnp.where(flipped, jnp.float32(-1), jnp.float32(1))
    return labels | {head.name: labels[head.name] * signs for head in heads if head.odd}


def head_loss(head: AttributeHead, output: Array, label: Array) -> Array:
    """The loss of one attribute, a scalar: the mean over the pictures where it is known, else 0.

    Cross-entropy of what is there or not and of categories; squared deviations of colours (black
    and white are -1 and 1) and of numbers, in deviations from the mean.

    Args:
      head: the attribute.
      output: of the network, [N, width].
      label: [N], of colours [N, 3]; NaN where not known.
    """
    known = jnp.isfinite(label.reshape(label.shape[0], -1)).all(axis=1)
    filled = jnp.nan_to_num(label, nan=0.0)
    if head.kind == "binary":
        loss = optax.sigmoid_binary_cross_entropy(output[:, 0], filled)
    elif head.kind == "category":
        loss = optax.softmax_cross_entropy_with_integer_labels(output, filled.astype(jnp.int32))
    elif head.kind == "colour":
        loss = jnp.square(output - (2 * filled - 1)).mean(axis=1) * 2
    else:
        loss = jnp.square(output[:, 0] - (filled - head.mean) / head.deviation)
    weights = known.astype(jnp.float32)
    return (loss * weights).sum() / jnp.maximum(weights.sum(), 1)


def augmented(key: Array, images: Array) -> Array:
    """Pictures [N, R, R, C], each shifted by a few pixels, blurred and made noisy."""
    keys = jax.random.split(key)
    count, side = images.shape[:2]
    most = max(1, round(_SHIFT * side / 64))
    padded = jnp.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    corners = jax.random.randint(keys[0], (count, 2), 0, 2 * most + 1)

    def cut(image: Array, corner: Array) -> Array:
        start = (corner[0], corner[1], jnp.zeros_like(corner[0]))
        return jax.lax.dynamic_slice(image, start, (side, side, image.shape[-1]))

    return augmented_colours(keys[1], jax.vmap(cut)(padded, corners))


def augmented_colours(key: Array, images: Array) -> Array:
    """Pictures [N, R, R, C], each blurred and made noisy, in its place."""
    keys = jax.random.split(key, 3)
    count, x = images.shape[0], images
    blurred = _blurred(x)
    one_each = (count, 1, 1, 1)
    x = x + jax.random.uniform(keys[0], one_each) * (blurred - x)
    strength = jax.random.uniform(keys[1], one_each) * jnp.float32(_NOISE)
    return x + strength * jax.random.normal(keys[2], x.shape)


def _blurred(x: Array) -> Array:
    """Mean over 3x3 pixels, the border repeated."""
    for axis in (1, 2):
        widths = [(1, 1) if a == axis else (0, 0) for a in range(4)]
        wide = jnp.pad(x, widths, mode="edge")
        size = x.shape[axis]
        parts = [jax.lax.slice_in_dim(wide, k, k + size, axis=axis) for k in range(3)]
        x = (parts[0] + parts[1] + parts[2]) / 3
    return x
