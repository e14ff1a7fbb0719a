"""Training of what tells parts of pictures apart; the trunk of the reader stays as it is."""

import functools
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
import optax

from aligned_jax.config.attributes import ReaderConfig
from aligned_jax.features.attributes.network import PartsNetwork
from aligned_jax.training.attributes import ADAM, ReaderTraining, augmented_colours, rate_of
from aligned_jax.training.optimizer import finite
from aligned_jax.types import Array, PyTree
from aligned_jax.utils.reporting import Advance, no_advance


def train_parts(
    config: ReaderConfig,
    trunk: PyTree,
    options: ReaderTraining,
    images: np.ndarray,
    masks: np.ndarray,
    advance: Advance = no_advance,
) -> PyTree:
    """Trains `PartsNetwork` by cross-entropy of every pixel.

    Args:
      config: of the reader, with its parts.
      trunk: parameters of the reader's trunk, which are not trained.
      options: how; pictures are mirrored with their masks, and blurred and made noisy in place.
      images: uint8 [N, R, R, 3], R the reader's resolution.
      masks: uint8 [N, R, R], numbers in `config.parts`.
      advance: hears of every picture of every epoch, with the loss as its note.

    Returns:
      parameters of `PartsNetwork` but the trunk, float32.
    """
    batch = min(options.batch, len(images))
    steps = len(images) // batch
    image = jnp.zeros((1, *images.shape[1:]), jnp.float32)
    drawn = dict(jax.jit(PartsNetwork(config).init)(jax.random.key(options.seed), image)["params"])
    params = {name: value for name, value in drawn.items() if name != "trunk"}
    moments = ADAM.init(params)
    key = jax.random.key(options.seed)
    for epoch in range(options.epochs):
        order = np.random.default_rng((options.seed, epoch)).permutation(len(images))
        for step in range(steps):
            rows = order[step * batch : (step + 1) * batch]
            number = epoch * steps + step
            state = (params, moments, rate_of(options, number, steps * options.epochs))
            taken = (jnp.asarray(images[rows]), jnp.asarray(masks[rows]))
            draws = jax.random.fold_in(key, number)
            params, moments, loss = _step(
                config, options.flip, options.augment, trunk, *state, *taken, draws
            )
            advance(batch, f"loss {float(loss):.3f}" if step % 10 == 0 else "")
    return params


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _step(
    config: ReaderConfig,
    flip: bool,
    augment: bool,
    trunk: PyTree,
    params: PyTree,
    moments: PyTree,
    rate: Array,
    images: Array,
    masks: Array,
    key: Array,
) -> tuple[PyTree, PyTree, Array]:
    flips, changes = jax.random.split(key)
    x = images.astype(jnp.float32) / 127.5 - 1
    if flip:
        flipped = jax.random.bernoulli(flips, 0.5, (len(x), 1, 1))
        x = jnp.where(flipped[..., None], x[:, :, ::-1], x)
        masks = jnp.where(flipped, masks[:, :, ::-1], masks)
    if augment:
        x = augmented_colours(changes, x)

    def objective(params: PyTree) -> Array:
        logits = PartsNetwork(config).apply({"params": {"trunk": trunk, **params}}, x)
        losses = optax.softmax_cross_entropy_with_integer_labels(
            cast("Array", logits), masks.astype(jnp.int32)
        )
        return losses.mean()

    loss, slopes = jax.value_and_grad(objective)(params)
    with jax.numpy_dtype_promotion("standard"):  # optax raises betas to an integer power
        updates, moments = ADAM.update(finite(slopes), moments)
    params = jax.tree.map(lambda value, update: value + rate * update, params, updates)
    return params, moments, loss
