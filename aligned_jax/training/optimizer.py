"""Adam for lazily regularised networks, and which discriminator layers it leaves alone."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from aligned_jax.config import DiscriminatorConfig
from aligned_jax.training.options import AdamOptions
from aligned_jax.types import PyTree


def correct_for_interval(adam: AdamOptions, interval: int | None) -> AdamOptions:
    """Adam settings that keep their pace under lazy regularisation (StyleGAN2, appendix B).

    With a regularisation step after every `interval` main steps the optimiser
    runs (interval + 1) / interval times as often.
    """
    if interval is None:
        return adam
    ratio = interval / (interval + 1)
    return AdamOptions(
        learning_rate=adam.learning_rate * ratio,
        betas=(adam.betas[0] ** ratio, adam.betas[1] ** ratio),
        eps=adam.eps,
    )


def lazy_adam(adam: AdamOptions, interval: int | None) -> optax.GradientTransformation:
    """The optimiser shared by the main and the regularisation steps of one network."""
    adam = correct_for_interval(adam, interval)
    return optax.adam(adam.learning_rate, b1=adam.betas[0], b2=adam.betas[1], eps=adam.eps)


def finite(gradients: PyTree) -> PyTree:
    """Gradients with not-a-numbers set to 0 and infinities to +-1e5."""
    return jax.tree.map(lambda g: jnp.nan_to_num(g, nan=0.0, posinf=1e5, neginf=-1e5), gradients)


def take_step(
    adam: optax.GradientTransformation, gradients: PyTree, moments: PyTree, params: PyTree
) -> tuple[PyTree, PyTree]:
    """Parameters and moments after one step, non-finite gradients replaced."""
    with jax.numpy_dtype_promotion("standard"):  # optax raises betas to an integer power
        updates, moments = adam.update(finite(gradients), moments)
    return optax.apply_updates(params, updates), moments


def frozen_layers(config: DiscriminatorConfig) -> tuple[tuple[str, str], ...]:
    """(block, layer) of the `config.freeze_layers` layers nearest to the image (FreezeD).

    Counted in the order fromrgb, conv0, conv1, skip, next block; the 4x4 end
    and the label mapping are never frozen.
    """
    order = []
    for resolution in config.resolutions[:-1]:
        layers = ["fromrgb"] if config.has_fromrgb(resolution) else []
        layers += ["conv0", "conv1"] + ["skip"] * (config.architecture == "resnet")
        order += [(f"b{resolution}", layer) for layer in layers]
    return tuple(order[: max(config.freeze_layers, 0)])


def split_frozen(config: DiscriminatorConfig, params: PyTree) -> tuple[PyTree, PyTree]:
    """Discriminator parameters as (trainable, frozen), each nested by block and layer."""
    frozen = frozen_layers(config)

    def select(wanted: bool) -> dict[str, Any]:
        chosen = {
            block: {
                name: layer for name, layer in layers.items() if ((block, name) in frozen) == wanted
            }
            for block, layers in params.items()
        }
        return {block: layers for block, layers in chosen.items() if layers}

    return select(False), select(True)


def merge_frozen(trainable: PyTree, frozen: PyTree) -> PyTree:
    """Trainable and frozen parameters in one tree again: undoes `split_frozen`."""
    blocks = sorted({*trainable, *frozen})
    return {block: {**trainable.get(block, {}), **frozen.get(block, {})} for block in blocks}
