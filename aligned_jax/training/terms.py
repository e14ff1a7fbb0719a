"""The four loss terms, as functions of parameters, rows of the batch, and draws."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig
from aligned_jax.errors import ConfigError
from aligned_jax.losses import (
    fake_loss,
    generator_loss,
    path_length_penalty,
    path_lengths,
    r1_penalty,
    real_loss,
)
from aligned_jax.networks import module_of
from aligned_jax.training import parallel
from aligned_jax.training.draws import Draws, draw
from aligned_jax.training.options import GanOptions
from aligned_jax.types import Array, Variables
from aligned_jax.utils.precision import Precision, products

# (images [N, H, W, C], probability, key, row numbers [N], row numbers [M] of all images that
# the devices augment at the same time) -> images of the same shape. Draws should be made from
# key and row number; the last argument serves what a batch shares, such as a common width of
# padding, without an exchange between devices.
Augment = Callable[[Array, Array, Array, Array, Array], Array]
# (probability, signs [2], iterations done) -> the next probability and signs.
Adapt = Callable[[Array, Array, Array], tuple[Array, Array]]
# (key of the term, term, row numbers [N]) -> draws.
Draw = Callable[[Array, str, Array], Draws]

# Which third of a batch's labels for generated images a term takes.
_LABELS = {"Gmain": 0, "Greg": 1, "Dmain": 2}


class Batch(NamedTuple):
    """Rows of the global batch, on one device or dealt to several."""

    images: Array  # [N, H, W, C], uint8 in 0..255 or float32 in [-1, 1]
    rows: Array  # int32 [N], row numbers in the global batch
    labels: Array  # float32 [N, c_dim], of the real images
    gen_labels: Array  # float32 [N, 3, c_dim], for generated images


class Networks(NamedTuple):
    """What a term reads of the state."""

    G: Variables
    D: Variables
    augment_p: Array
    pl_mean: Array


class TermOutcome(NamedTuple):
    """What a term reports besides its loss."""

    reports: dict[str, Array]  # means over the rows, by official name
    w_mean: Array | None = None  # [w_dim], mean of the first latents' w
    pl_mean: Array | None = None  # updated running mean of path lengths


@dataclass(frozen=True)
class Recipe:
    """All that is fixed during a run: sizes, options, and functions passed in.

    Attributes:
      generator, discriminator: sizes; resolution, channels and labels must agree.
      options: losses, schedule, optimisers.
      augment: applied to whatever the discriminator sees, or None.
      adapt: moves the augmentation probability after every iteration, or None.
      draw: where latents and noise come from; None draws them from the key.

    Raises:
      ConfigError: naming everything in which the two networks disagree, or if
        half precision is asked for that neither network has a use for.
    """

    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    options: GanOptions
    augment: Augment | None = None
    adapt: Adapt | None = None
    draw: Draw | None = None

    def __post_init__(self) -> None:
        g, d = self.generator, self.discriminator
        wrong = [
            f"{name} is {getattr(g, name)} in the generator, {getattr(d, name)} in the "
            "discriminator"
            for name in ("img_resolution", "img_channels", "c_dim")
            if getattr(g, name) != getattr(d, name)
        ]
        if wrong:
            raise ConfigError(f"the networks do not fit each other: {'; '.join(wrong)}")
        if self.options.half and not g.half_resolutions + d.half_resolutions:
            raise ConfigError(
                f"half is {self.options.half}, but neither network marks resolutions for it; "
                "set num_fp16_res in their configs (4 is the official choice)"
            )

    def draws(self, key: Array, term: str, rows: Array) -> Draws:
        """Draws of `term` for these rows of the global batch."""
        if self.draw is not None:
            return self.draw(key, term, rows)
        return draw(key, rows, self.generator, self.options.style_mixing_prob)

    def together(self, rows: Array) -> Array:
        """All rows that the devices work on at the same time as these."""
        count = self.options.batch_size // self.options.rounds
        return rows[0] // count * count + jnp.arange(count, dtype=rows.dtype)


def g_main(recipe: Recipe, nets: Networks, batch: Batch, key: Array) -> tuple[Array, TermOutcome]:
    """Generated images should be taken for real."""
    draws = recipe.draws(key, "Gmain", batch.rows)
    labels = batch.gen_labels[:, _LABELS["Gmain"]]
    half = recipe.options.half
    with _products(recipe, half):
        images, w_mean = _generate(recipe, nets, draws, labels, half)
        scores = _critic(recipe, nets, batch.rows, labels, draws.augment_fake, half)(images)
        loss = generator_loss(scores)
    reports = _scores("fake", scores) | {"Loss/G/loss": loss.mean()}
    return loss.mean(), TermOutcome(reports, w_mean)


def g_reg(recipe: Recipe, nets: Networks, batch: Batch, key: Array) -> tuple[Array, TermOutcome]:
    """Path lengths should be alike; on the first 1 / `pl_batch_shrink` of the rows."""
    options = recipe.options
    batch = jax.tree.map(lambda v: v[: v.shape[0] // options.pl_batch_shrink], batch)
    draws = recipe.draws(key, "Greg", batch.rows)
    module: Any = module_of(recipe.generator)

    def synthesize(ws: Array) -> Array:
        return module.apply(nets.G, ws, draws.noise, method="synthesize")

    with _products(recipe, None):
        ws, w_mean = mixed_ws(recipe, nets.G, draws, batch.gen_labels[:, _LABELS["Greg"]])
        lengths = path_lengths(synthesize, ws, draws.pl_noise)
        # The mean length of all devices enters the penalty, one number exchanged ahead of the
        # gradient. A single exchange could do: with m the new running mean and L the mean length
        # the gradient is 2 E[l grad l] - 2 (m + decay (L - m)) E[grad l], two averages that do not
        # need m. That takes twice the traffic and a second backward pass, the dearest part of this
        # term, to save the latency of four bytes every `g_reg_interval` iterations.
        penalty, pl_mean = path_length_penalty(
            lengths, nets.pl_mean, options.pl_decay, parallel.mean
        )
    loss = penalty.mean() * options.pl_weight
    reports = {"Loss/pl_penalty": penalty.mean(), "Loss/G/reg": loss}
    return loss, TermOutcome(reports, w_mean, pl_mean)


def d_main(recipe: Recipe, nets: Networks, batch: Batch, key: Array) -> tuple[Array, TermOutcome]:
    """Real images should be told from generated ones."""
    draws = recipe.draws(key, "Dmain", batch.rows)
    labels = batch.gen_labels[:, _LABELS["Dmain"]]
    half = recipe.options.half
    with _products(recipe, half):
        images, w_mean = _generate(recipe, nets, draws, labels, half)
        fake = _critic(recipe, nets, batch.rows, labels, draws.augment_fake, half)(images)
        critic = _critic(recipe, nets, batch.rows, batch.labels, draws.augment_real, half)
        real = critic(as_float(batch.images))
        loss = fake_loss(fake).mean() + real_loss(real).mean()
    reports = _scores("fake", fake) | _scores("real", real) | {"Loss/D/loss": loss}
    return loss, TermOutcome(reports, w_mean)


def d_reg(recipe: Recipe, nets: Networks, batch: Batch, key: Array) -> tuple[Array, TermOutcome]:
    """R1 at the real images, through the augmentation."""
    draws = recipe.draws(key, "Dreg", batch.rows)
    critic = _critic(recipe, nets, batch.rows, batch.labels, draws.augment_real, None)
    with _products(recipe, None):
        penalty, scores = r1_penalty(critic, as_float(batch.images))
    loss = penalty.mean() * (recipe.options.r1_gamma / 2)
    reports = {"Loss/r1_penalty": penalty.mean(), "Loss/D/reg": loss}
    return loss, TermOutcome(_scores("real", scores) | reports)


# By the name of the term; each takes (recipe, networks, batch, key of the term) and returns
# the mean loss over the rows and what else there is to say.
LOSSES = {"Gmain": g_main, "Greg": g_reg, "Dmain": d_main, "Dreg": d_reg}


def mixed_ws(
    recipe: Recipe, variables: Variables, draws: Draws, labels: Array
) -> tuple[Array, Array]:
    """W+ [N, L, w_dim] with style mixing, and the mean [w_dim] of the first latents' w."""
    z, n = draws.z, draws.z.shape[0]
    if draws.z_mix is not None:  # both latents in one pass
        z, labels = jnp.concatenate([z, draws.z_mix]), jnp.concatenate([labels, labels])
    module: Any = module_of(recipe.generator)
    ws = module.apply(variables, z, labels, method="map")
    w_mean = lax.stop_gradient(ws[:n, 0].mean(axis=0))
    if draws.z_mix is not None and draws.cutoff is not None:
        first = jnp.arange(ws.shape[1])[None, :, None] < draws.cutoff
        ws = jnp.where(first, ws[:n], ws[n:])
    return ws, w_mean


def as_float(images: Array) -> Array:
    """Images as float32 in [-1, 1]; uint8 counts from 0 to 255."""
    if images.dtype == jnp.uint8:
        return images.astype(jnp.float32) / 127.5 - 1
    return images


def _generate(
    recipe: Recipe, nets: Networks, draws: Draws, labels: Array, half: str | None
) -> tuple[Array, Array]:
    ws, w_mean = mixed_ws(recipe, nets.G, draws, labels)
    module: Any = module_of(recipe.generator, half)
    return module.apply(nets.G, ws, draws.noise, method="synthesize"), w_mean


def _critic(
    recipe: Recipe, nets: Networks, rows: Array, labels: Array, key: Array, half: str | None
) -> Callable[[Array], Array]:
    """Images [N, H, W, C] to logits [N, 1], augmentation included."""
    module: Any = module_of(recipe.discriminator, half)

    def score(images: Array) -> Array:
        if recipe.augment is not None:
            together = recipe.together(rows)
            images = recipe.augment(images, nets.augment_p, key, rows, together)
        return module.apply(nets.D, images, labels)

    return score


def _scores(kind: str, scores: Array) -> dict[str, Array]:
    return {
        f"Loss/scores/{kind}": scores.mean(),
        f"Loss/signs/{kind}": jnp.sign(scores).mean(),
    }


def _products(recipe: Recipe, half: str | None) -> contextlib.AbstractContextManager:
    """The precision of the options; beside half precision, which rounds more, the fastest."""
    return products(Precision.FAST if half else recipe.options.precision)
