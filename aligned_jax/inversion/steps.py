"""Steps of an inversion: latents and noise maps that bring images nearer to their targets.

Rows are independent of each other: `restarts` of them belong to each target,
one target after the other. Random numbers depend on the restart and the step,
not on the image, so that an image's inversion is the same in any company.
"""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from aligned_jax.inversion.noise import Fields, noise_regulariser, normalised
from aligned_jax.inversion.options import Settings
from aligned_jax.inversion.perceptual import Perceptual, distances
from aligned_jax.inversion.spaces import to_styles
from aligned_jax.latents import noise_fields
from aligned_jax.networks.network import Network
from aligned_jax.ops.resize import area
from aligned_jax.types import Array, PyTree
from aligned_jax.utils import loops
from aligned_jax.utils.precision import products

# Numbers of draws of a restart that belong to no step.
_START, _NOISE = np.uint32(2**32 - 1), np.uint32(2**32 - 2)
_ADAM = optax.scale_by_adam(b1=0.9, b2=0.999, eps=1e-8)


class StepOptions(NamedTuple):
    """The settings that a compiled program depends on; `restarts` are those in it."""

    space: str
    psi: float
    noise: str
    resolution: int
    restarts: int
    precision: str = "exact"

    @classmethod
    def of(cls, settings: Settings, network: Network, restarts: int | None = None) -> "StepOptions":
        """The options of an inversion with these settings.

        Args:
          settings: of the inversion.
          network: one without noise layers has no maps to optimise, whatever the settings say.
          restarts: in a program; by default all of the settings.
        """
        restarts = settings.restarts if restarts is None else restarts
        noise = settings.noise if network.config.synthesis.use_noise else "none"
        resolution, precision = settings.resolution, settings.precision
        return cls(settings.space, settings.psi, noise, resolution, restarts, precision)

    @property
    def optimises_noise(self) -> bool:
        """Whether there are maps to optimise."""
        return self.noise in ("drop", "keep")


class Problem(NamedTuple):
    """What does not change over the steps.

    `goal` are the embeddings of the targets; `c` is [1, c_dim] or None; `spread`
    has the shape of one latent, `noise_weight` none.
    """

    network: Network
    perceptual: Perceptual
    goal: PyTree
    c: Array | None
    spread: Array
    noise_weight: Array


class Variable(NamedTuple):
    """What is optimised: latents [rows, ...] and noise maps [rows, R, R] by layer, or none."""

    latent: Array
    noise: Fields


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["variable", "adam"], meta_fields=[]
)
@dataclass(frozen=True)
class State:
    """An optimisation between two steps."""

    variable: Variable
    adam: Any


def embed(perceptual: Perceptual, images: Array, resolution: int) -> PyTree:
    """Embeddings of images [N, R, R, C], averaged down to `resolution` if they are larger."""
    if images.shape[1] > resolution:
        images = area(images, resolution)
    return perceptual.embed(images)


def draw(problem: Problem, options: StepOptions, latent: Array, noise: Any) -> Array:
    """Images of latents [rows, ...]; `noise` as in `Network.render`."""
    styles = to_styles(problem.network, options.space, latent, options.psi, problem.c)
    return problem.network.render(styles, noise)


def gradients(
    problem: Problem, options: StepOptions, variable: Variable, perturbation: Array
) -> tuple[Variable, dict[str, Array]]:
    """Slopes of the loss, and its terms `distance` and `regulariser`, [rows] each.

    Args:
      problem, options: what is optimised.
      variable: where.
      perturbation: added to the latents, of their shape.
    """

    def loss(variable: Variable) -> tuple[Array, dict[str, Array]]:
        noise = variable.noise if options.optimises_noise else options.noise
        images = draw(problem, options, variable.latent + perturbation, noise)
        embedded = embed(problem.perceptual, images, options.resolution)
        distance = distances(embedded, problem.goal, options.restarts)
        regulariser: Array = jnp.zeros_like(distance)
        if options.optimises_noise:
            regulariser = noise_regulariser(variable.noise)
        total = distance + problem.noise_weight * regulariser
        return total.sum(), {"distance": distance, "regulariser": regulariser}

    with products(options.precision):
        return jax.grad(loss, has_aux=True)(variable)


def start(variable: Variable) -> State:
    """A state in which the optimiser knows no step yet."""
    return State(variable, _ADAM.init(variable))


def step(
    problem: Problem, options: StepOptions, state: State, learning_rate: Array, perturbation: Array
) -> tuple[State, dict[str, Array]]:
    """One step of Adam, after which noise maps are normalised; returns the loss before it."""
    slopes, terms = gradients(problem, options, state.variable, perturbation)
    with jax.numpy_dtype_promotion("standard"):  # optax raises betas to an integer power
        moves, adam = _ADAM.update(slopes, state.adam)
    moved = jax.tree.map(lambda x, move: x - learning_rate * move, state.variable, moves)
    return State(Variable(moved.latent, normalised(moved.noise)), adam), terms


@functools.partial(jax.jit, static_argnames="options", donate_argnames="state")
def advance(
    problem: Problem, options: StepOptions, state: State, keys: Array, schedule: dict[str, Array]
) -> tuple[State, dict[str, Array]]:
    """Many steps in one compiled loop; one or few of them where loops are slow.

    Args:
      problem, options: what is optimised.
      state: before these steps; its memory is used for the result.
      keys: of the restarts, [restarts].
      schedule: `step`, `learning_rate` and `latent_noise` of every step, [T] each.

    Returns:
      The state after the steps, and the terms of the loss before each, [T, rows].
    """

    def body(state: State, now: dict[str, Array]) -> tuple[State, dict[str, Array]]:
        shape = state.variable.latent.shape
        drawn = _normal(keys, now["step"], shape[1:])  # [restarts, ...]
        drawn = drawn * (now["latent_noise"] * problem.spread)[None]
        perturbation = _rows(drawn, shape[0])
        return step(problem, options, state, now["learning_rate"], perturbation)

    return loops.scan(body, state, schedule)


@functools.partial(jax.jit, static_argnames=("options", "spread"))
def begin(
    problem: Problem, options: StepOptions, latent: Array, keys: Array, spread: float
) -> State:
    """The state before the first step.

    Args:
      problem, options: what is optimised.
      latent: where each target's inversion starts, [N, ...].
      keys: of the restarts, [restarts].
      spread: of random starts around `latent`, in units of the latents' own.
    """
    latent = jnp.repeat(latent, options.restarts, axis=0)
    rows = len(latent)
    if spread:
        drawn = _normal(keys, _START, latent.shape[1:])
        latent = latent + _rows(drawn * (spread * problem.spread)[None], rows)
    if not options.optimises_noise:
        return start(Variable(latent, {}))
    number = jnp.full(1, _NOISE)
    fields = jax.vmap(lambda key: noise_fields(problem.network.config, key, number))(keys)
    noise = {layer: _rows(field[:, 0], rows) for layer, field in fields.items()}
    return start(Variable(latent, noise))


@functools.partial(jax.jit, static_argnames="options")
def finish(
    problem: Problem, options: StepOptions, targets: Array, variable: Variable
) -> dict[str, Any]:
    """The best restart of every target, measured with the noise that is kept.

    Args:
      problem, options: what was optimised.
      targets: [N, R, R, C].
      variable: after the last step, rows of all restarts.

    Returns:
      `latent` [N, ...], `noise` {layer: [N, R, R]} (empty unless it is kept),
      `images` [N, R, R, C], `restart` [N], and `perceptual` and `pixel` [N]: the
      loss without its regulariser, and the mean squared difference of clipped
      pixels in [-1, 1].
    """
    kept = options.noise == "keep"
    mode = {"keep": variable.noise, "drop": "const"}.get(options.noise, options.noise)
    with products(options.precision):
        images = draw(problem, options, variable.latent, mode)
        embedded = embed(problem.perceptual, images, options.resolution)
    perceptual = distances(embedded, problem.goal, options.restarts)
    ours = jnp.repeat(targets, options.restarts, axis=0)
    pixel = jnp.square(jnp.clip(images, -1, 1) - ours).mean(axis=(1, 2, 3))
    # What is not finite is farther than everything else.
    ranked = jnp.where(jnp.isfinite(perceptual), perceptual, jnp.inf)
    restart = ranked.reshape(-1, options.restarts).argmin(axis=1)
    best = jnp.arange(len(targets)) * options.restarts + restart
    rows = {"latent": variable.latent, "noise": variable.noise if kept else {}}
    rows |= {"images": images, "perceptual": perceptual, "pixel": pixel}
    return jax.tree.map(lambda x: x[best], rows) | {"restart": restart}


def _normal(keys: Array, number: Array | np.uint32, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers of one step, [restarts, ...], of every restart's own key."""
    return jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, number), shape))(keys)


def _rows(drawn: Array, rows: int) -> Array:
    """Numbers [restarts, ...] repeated for one target after the other, [rows, ...]."""
    return jnp.tile(drawn, (rows // len(drawn), *[1] * (drawn.ndim - 1)))
