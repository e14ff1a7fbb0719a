"""Pivotal tuning: a generator bent until it draws given pictures at given latents (PTI).

Roich, Mokady, Bermano and Cohen-Or, "Pivotal Tuning for Latent-based Editing of Real Images"
(2021), sections 3.2 and 3.3. The defaults are those of the authors' code, danielroich/PTI,
`configs/hyperparameters.py`; what the paper leaves open is as `training/coaches` and
`criteria/localitly_regulizer.py` have it there.

Only the synthesis is tuned, with all its trainable numbers: constant, convolutions, affine layers,
tRGB, biases and strengths of noise. The mapping network, the mean of w and the stored maps of noise
stay: the latents of the network remain what they were.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import ConfigError, UserError, too_small
from aligned_jax.inversion import tuning_steps
from aligned_jax.inversion.perceptual import Perceptual, distances
from aligned_jax.inversion.tuning_steps import Held, TuningProblem
from aligned_jax.latents import broadcast_w
from aligned_jax.networks.network import Network
from aligned_jax.types import AnyArray, Array, PyTree
from aligned_jax.utils import loops

REGULARISERS = ("none", "locality")
_LEAST = {"steps": 0, "samples": 1}


@dataclass(frozen=True)
class TuningSettings:
    """How a generator is tuned.

    Attributes:
      steps: of Adam, for each picture; at most.
      learning_rate: of all steps.
      until: LPIPS at which tuning ends; every picture must have come as near. Negative for never.
      perceptual_weight, pixel_weight: of LPIPS, and of the mean squared difference of pixels in
        [-1, 1].
      regulariser: "locality" holds the pictures of other latents where they were (section 3.3);
        "none" lets them go.
      samples: latents of each step at which they are held.
      alpha: distance of those latents from the pivot, in W+.
      psi: truncation of the random latents that say in which direction they lie.
      regulariser_perceptual, regulariser_pixels: weights of LPIPS and pixels there.
    """

    steps: int = 350
    learning_rate: float = 3e-4
    until: float = 0.06
    perceptual_weight: float = 1.0
    pixel_weight: float = 1.0
    regulariser: str = "none"
    samples: int = 1
    alpha: float = 30.0
    psi: float = 0.5
    regulariser_perceptual: float = 0.1
    regulariser_pixels: float = 0.1

    def __post_init__(self) -> None:
        wrong = [f"{line} in tuning" for line in too_small(self, _LEAST)]
        if self.regulariser not in REGULARISERS:
            known = " or ".join(REGULARISERS)
            wrong.append(f"the regulariser of tuning is {self.regulariser!r}; it can be {known}")
        for name in ("learning_rate", "perceptual_weight", "pixel_weight", "alpha"):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                value = getattr(self, name)
                wrong.append(f"{name} of tuning is {value}; it must be finite and not negative")
        if math.isnan(self.until):
            wrong.append("the LPIPS at which tuning ends is not a number")
        if wrong:
            raise ConfigError("; ".join(wrong))


@dataclass(frozen=True, eq=False)
class Tuned:
    """A tuned generator, and how it came about.

    Attributes:
      network: of the same sizes; the provenance is left out.
      steps: of Adam that were taken, over all pictures.
      trace: `perceptual`, `pixel` and `regulariser` before every step, of the picture whose turn it
        was, [T] each. If tuning ended early the last of them was followed by no step.
    """

    network: Network
    steps: int
    trace: dict[str, np.ndarray]

    @property
    def finite(self) -> bool:
        """Whether nothing grew beyond all bounds."""
        leaves = jax.tree.leaves(self.network.variables["params"]["synthesis"])
        return all(bool(jnp.isfinite(leaf).all()) for leaf in leaves)


class Nearness(NamedTuple):
    """How near a generator comes to pictures at their pivots.

    Attributes:
      images: float32 [N, R, R, C], unclipped.
      perceptual: LPIPS [N], or zeros where nothing perceptual is compared.
      pixel: mean squared difference of clipped pixels in [-1, 1], [N].
    """

    images: np.ndarray
    perceptual: np.ndarray
    pixel: np.ndarray


def tune(
    network: Network,
    ws: AnyArray,
    targets: AnyArray,
    perceptual: Perceptual | None,
    settings: TuningSettings,
    key: Array,
    *,
    c: AnyArray | None = None,
    watch: Callable[[int, float], None] | None = None,
    every: int = 25,
) -> Tuned:
    """Bends the synthesis of a generator until it draws pictures at their pivots.

    Several pictures share the generator and take turns: a step for each of them, and again.

    Args:
      network: the generator.
      ws: pivots, W [N, w_dim] or W+ [N, L, w_dim].
      targets: pictures [N, R, R, C] of the network's size, float32 in [-1, 1] or uint8.
      perceptual: `features.lpips("alex")` is the authors' choice; None compares pixels alone.
      settings: steps and all the rest.
      key: PRNG key of the latents at which pictures are held.
      c: label [1, c_dim] of a conditional network; only the regulariser needs it.
      watch: hears after every `every` turns or fewer how many were taken, all pictures together,
        and the last distance.
      every: turns in a compiled program, where loops are not slow.

    Raises:
      UserError: if shapes do not fit, or locality is wanted of a network without a mean of w.
    """
    problem = problem_of(network, ws, targets, perceptual, settings, c)
    held = Held(settings.samples, settings.psi) if settings.regulariser == "locality" else Held()
    count = len(problem.ws)
    turns = np.arange(settings.steps * count, dtype=np.uint32)
    length = 1 if loops.slow() else max(1, every)
    state, taken = tuning_steps.begin(problem), 0
    traces = [dict.fromkeys(("perceptual", "pixel", "regulariser"), np.zeros(0, np.float32))]
    for first in range(0, len(turns), length):
        state, terms = tuning_steps.advance(
            problem, held, state, key, turns[first : first + length]
        )
        ran = np.asarray(terms.pop("stepped"))
        taken += int(ran.sum())
        stopped = bool(state.done)
        kept = int(ran.sum()) + 1 if stopped else len(ran)
        traces.append({name: np.asarray(values)[:kept] for name, values in terms.items()})
        now = min(first + length, len(turns))
        if watch and (stopped or now == len(turns) or now % every < length):
            watch(now, float(traces[-1]["perceptual"][-1]))
        if stopped:
            break
    trace = {name: np.concatenate([t[name] for t in traces]) for name in traces[0]}
    network = tuning_steps.with_synthesis(network, state.synthesis)
    return Tuned(network, taken, trace)


def measure(
    network: Network, ws: AnyArray, targets: AnyArray, perceptual: Perceptual | None
) -> Nearness:
    """How near a generator's pictures of pivots, with the stored noise, come to their targets.

    Args:
      network, ws, targets, perceptual: as for `tune`.
    """
    rows, goals = _checked(network, ws, targets)
    found = [
        _near(network, rows[i : i + 1], goals[i : i + 1], perceptual) for i in range(len(rows))
    ]
    return Nearness(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def problem_of(
    network: Network,
    ws: AnyArray,
    targets: AnyArray,
    perceptual: Perceptual | None,
    settings: TuningSettings,
    c: AnyArray | None = None,
) -> TuningProblem:
    """What the steps of `tune` work on; arguments and errors as there."""
    pivots, goals = _checked(network, ws, targets)
    check_held(network.config, settings)
    embedded: PyTree = [] if perceptual is None else _embedded(perceptual, goals)
    names = (
        *("learning_rate", "until", "perceptual_weight", "pixel_weight", "alpha"),
        *("regulariser_perceptual", "regulariser_pixels"),
    )
    weights = {name: jnp.float32(getattr(settings, name)) for name in names}
    if perceptual is None:  # there is no LPIPS that could be small enough
        weights["until"] = jnp.float32(-1)
    label = jnp.asarray(c, jnp.float32) if network.config.c_dim and c is not None else None
    return TuningProblem(network, perceptual, pivots, goals, embedded, label, weights)


def check_held(config: GeneratorConfig, settings: TuningSettings) -> None:
    """Raises UserError if the regulariser needs what a generator of this config has not."""
    if settings.regulariser == "locality" and config.mapping.w_avg_beta is None:
        raise UserError("this network keeps no mean of w, which locality needs; tune without it")


@jax.jit
def _embedded(perceptual: Perceptual, images: Array) -> PyTree:
    return perceptual.embed(images)


@jax.jit
def _near(
    network: Network, ws: Array, targets: Array, perceptual: Perceptual | None
) -> tuple[Array, Array, Array]:
    images = network.synthesis(ws)
    pixel = jnp.square(jnp.clip(images, -1, 1) - targets).mean(axis=(1, 2, 3))
    if perceptual is None:
        return images, jnp.zeros_like(pixel), pixel
    return images, distances(perceptual.embed(images), perceptual.embed(targets)), pixel


def _checked(network: Network, ws: AnyArray, targets: AnyArray) -> tuple[Array, Array]:
    """Pivots [N, L, D] and pictures [N, R, R, C] in [-1, 1], both float32."""
    config, pixels = network.config, np.asarray(targets)
    size = (config.img_resolution, config.img_resolution, config.img_channels)
    pivots = jnp.asarray(ws, jnp.float32)
    fits = pivots.shape[1:] in ((config.w_dim,), (config.num_ws, config.w_dim))
    if not fits or pixels.shape[1:] != size or len(pivots) != len(pixels) or not len(pixels):
        raise UserError(
            f"pivots have shape {list(pivots.shape)} and pictures {list(pixels.shape)}; this "
            f"network is tuned at [N, {config.w_dim}] or [N, {config.num_ws}, {config.w_dim}] to "
            f"pictures [N, {', '.join(map(str, size))}]"
        )
    if pixels.dtype == np.uint8:
        pixels = pixels.astype(np.float32) / 127.5 - 1
    return broadcast_w(pivots, config.num_ws), jnp.asarray(pixels, jnp.float32)
