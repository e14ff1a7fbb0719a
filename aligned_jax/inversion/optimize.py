"""Inversion of any number of images by optimisation (StyleGAN2, section 5; StyleAlign, 4)."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.inversion import steps
from aligned_jax.inversion.options import Settings, latent_noises, learning_rates
from aligned_jax.inversion.perceptual import Perceptual
from aligned_jax.inversion.spaces import as_start, statistics
from aligned_jax.inversion.steps import Manner, Problem, State, Variable
from aligned_jax.networks.network import Network
from aligned_jax.types import Array
from aligned_jax.utils import loops
from aligned_jax.utils.blocks import blocks


@dataclass(frozen=True, eq=False)
class Inverted:
    """Latents of N images, and how near they came.

    Attributes:
      settings: of the inversion.
      latent: float32 [N, ...] of the settings' space.
      noise: maps [N, R, R] by layer if the settings keep them, else None.
      distances: `perceptual` and `pixel` at the end, [N] each: the loss without
        its regulariser, and the mean squared difference of pixels in [-1, 1].
      trace: `distance` and `regulariser` before every step, [steps, N] each.
      images: of the latents, float32 [N, R, R, C], unclipped.
      restart: which attempt was the best, [N].
    """

    settings: Settings
    latent: np.ndarray
    noise: dict[str, np.ndarray] | None
    distances: dict[str, np.ndarray]
    trace: dict[str, np.ndarray]
    images: np.ndarray
    restart: np.ndarray

    @property
    def finite(self) -> np.ndarray:
        """Which inversions did not grow beyond all bounds, bool [N]."""
        return np.isfinite([*self.distances.values()]).all(axis=0)


@dataclass(frozen=True, eq=False)
class Progress:
    """Where some attempts at the inversion of some images stand.

    Restarts that a batch has no room for take turns: all steps of some of them, then
    all steps of the next ones.

    Attributes:
      first: number of the first of the images.
      attempts: numbers of the attempts that take their turn.
      step: steps of theirs that are done.
      distances: perceptual, of each image's best of them before the last step, [n].
      images: draws the latents as they are, float32 [n, R, R, C]; to be called at
        once, since the next step takes their memory.
    """

    first: int
    attempts: range
    step: int
    distances: np.ndarray
    images: Callable[[], np.ndarray]


Watch = Callable[[Progress], None]
_ROWS = ("latent", "noise", "distances")  # of `Inverted`, with a row for each image


def invert(
    network: Network,
    targets: Array,
    perceptual: Perceptual,
    settings: Settings,
    key: Array,
    start: Array | None = None,
    *,
    c: Array | None = None,
    batch: int = 8,
    watch: Watch | None = None,
    every: int = 50,
) -> Inverted:
    """Latents whose images come near to `targets`.

    Args:
      network: the generator.
      targets: [N, R, R, C] of the network's size, float32 in [-1, 1] or uint8.
      perceptual: what shall become small, for example `features.lpips("vgg")`.
      settings: space, steps and all the rest.
      key: PRNG key; the same numbers are drawn for every image.
      start: latents to start from, as `as_start` takes them; by default the mean.
      c: label [1, c_dim] of a conditional network, for all images; [1, 0] or None of another.
      batch: rows (images times restarts) in a program, never more; restarts that
        find no room take turns. Changes a result by rounding only, which grows over
        the steps.
      watch: hears how the images stand, after every `every` steps or fewer.

    Raises:
      UserError: if shapes do not fit or targets are not finite.
    """
    options = {"c": c, "batch": batch, "watch": watch, "every": every}
    return _joined(list(parts(network, targets, perceptual, settings, key, start, **options)))


def parts(
    network: Network,
    targets: Array,
    perceptual: Perceptual,
    settings: Settings,
    key: Array,
    start: Array | None = None,
    *,
    c: Array | None = None,
    batch: int = 8,
    watch: Watch | None = None,
    every: int = 50,
) -> Iterator[Inverted]:
    """What `invert` returns, in parts: each as soon as it is finished."""
    targets, labels = _checked(network, targets), _label(network, c)
    count, restarts = len(targets), settings.restarts
    found = statistics(network, settings.space, settings.samples, settings.samples_seed, labels)
    if start is None:
        latent = np.broadcast_to(found.mean, (count, *found.mean.shape))
    else:
        latent = np.asarray(as_start(network, settings.space, start, count))
    keys, turns = _restart_keys(key, restarts), _turns(restarts, max(1, batch))
    manner = Manner.of(settings, network, len(turns[0][0]))
    constants = labels, jnp.asarray(found.spread), jnp.float32(settings.noise_weight)
    for rows, kept in blocks(count, max(1, batch // restarts)):
        images = _scaled(targets[rows])
        goal = _embedded(perceptual, images, settings.resolution)
        problem, best = Problem(network, perceptual, goal, *constants), None
        for numbers, own in turns:
            attempts = range(int(numbers[0]), int(numbers[0]) + own)
            part = _Part(problem, manner, images, int(rows[0]), kept, attempts)
            state = steps.begin(problem, manner, latent[rows], keys[numbers], settings.spread)
            result = _run(part, state, keys[numbers], settings, watch, every)
            best = result if best is None else _nearer(best, result)
        yield best


def _turns(restarts: int, rows: int) -> list[tuple[np.ndarray, int]]:
    """Numbers of the restarts that go together, `rows` or fewer, as even as can be."""
    most = -(-restarts // -(-restarts // rows))
    return list(blocks(restarts, most))


def _nearer(one: Inverted, other: Inverted) -> Inverted:
    """Of each image the inversion that came nearer; of equals that of `one`."""
    ours, theirs = (found.distances["perceptual"] for found in (one, other))
    chosen = np.isfinite(theirs) & ~(ours <= theirs)  # what is not finite is never nearer

    def choose(name: str, axis: int = 0) -> Any:
        def rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            shape = [-1 if i == axis else 1 for i in range(a.ndim)]
            return np.where(chosen.reshape(shape), b, a)

        return jax.tree.map(rows, getattr(one, name), getattr(other, name))

    names = ("images", "restart")
    return Inverted(one.settings, *map(choose, _ROWS), choose("trace", 1), *map(choose, names))


class _Part(NamedTuple):
    """Images that are inverted together; those from `kept` on only fill up.

    So do restarts beyond `attempts`, which repeat the last.
    """

    problem: Problem
    manner: Manner
    targets: np.ndarray
    first: int
    kept: int
    attempts: range

    def finish(self, variable: Variable) -> dict[str, Any]:
        """What `steps.finish` says of the kept images."""
        ended = steps.finish(self.problem, self.manner, self.targets, variable)
        return jax.tree.map(lambda x: np.asarray(x)[: self.kept], ended)

    def progress(self, step: int, variable: Variable, distance: np.ndarray) -> Progress:
        """Where it stands, from the distances of all rows."""
        last = distance.reshape(-1, self.manner.restarts)[: self.kept]
        best = np.where(np.isfinite(last), last, np.inf).min(axis=1)
        draw = functools.partial(self._images, variable)
        return Progress(self.first, self.attempts, step, best, draw)

    def _images(self, variable: Variable) -> np.ndarray:
        return self.finish(variable)["images"]


def _run(
    part: _Part, state: State, keys: Array, settings: Settings, watch: Watch | None, every: int
) -> Inverted:
    """All steps; in one go, unless somebody watches or loops are slow."""
    count = settings.steps
    every = _stretch(count, every) if watch else max(1, count)
    length = 1 if loops.slow() else every
    schedule = {
        "step": np.arange(count, dtype=np.uint32),
        "learning_rate": learning_rates(settings).astype(np.float32),
        "latent_noise": latent_noises(settings).astype(np.float32),
    }
    nothing = np.zeros((0, len(state.variable.latent)), np.float32)
    traces = [dict.fromkeys(("distance", "regulariser"), nothing)]
    for begin in range(0, count, length):
        now = {name: values[begin : begin + length] for name, values in schedule.items()}
        state, terms = steps.advance(part.problem, part.manner, state, keys, now)
        traces.append(terms)
        done = min(begin + length, count)
        if watch and (done % every == 0 or done == count):
            watch(part.progress(done, state.variable, np.asarray(terms["distance"][-1])))
    ended = part.finish(state.variable)
    best = np.arange(part.kept) * part.manner.restarts + ended["restart"]
    return Inverted(
        settings,
        ended["latent"],
        ended["noise"] or None,
        {name: ended[name] for name in ("perceptual", "pixel")},
        {name: np.concatenate([t[name] for t in traces])[:, best] for name in traces[0]},
        ended["images"],
        part.attempts.start + ended["restart"],
    )


def _stretch(steps: int, most: int) -> int:
    """A length of at most `most` that divides `steps`, so that one program does for all.

    If all such are far shorter it is `most`, and the last stretch has a program of its own.
    """
    most = max(1, min(steps, most))
    length = max(d for d in range(1, most + 1) if steps % d == 0)
    return length if 2 * length > most else most


def _joined(found: list[Inverted]) -> Inverted:
    def rows(name: str, axis: int = 0) -> Any:
        values = [getattr(part, name) for part in found]
        return jax.tree.map(lambda *x: np.concatenate(x, axis), *values)

    return Inverted(
        found[0].settings,
        *map(rows, _ROWS),
        rows("trace", axis=1),
        *map(rows, ("images", "restart")),
    )


def _restart_keys(key: Array, restarts: int) -> Array:
    return jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(restarts, dtype=jnp.uint32))


_embedded = jax.jit(steps.embed, static_argnames="resolution")


def _checked(network: Network, targets: Array) -> np.ndarray:
    config, targets = network.config, np.asarray(targets)
    size = (config.img_resolution, config.img_resolution, config.img_channels)
    if targets.ndim != 4 or targets.shape[1:] != size or not len(targets):
        raise UserError(
            f"the images to invert have shape {targets.shape}; this network takes [N, "
            f"{', '.join(map(str, size))}]"
        )
    if targets.dtype != np.uint8 and not (np.abs(targets) <= 1.5).all():  # nor is nan
        raise UserError("the images to invert hold numbers outside of [-1, 1]")
    return targets


def _scaled(targets: np.ndarray) -> np.ndarray:
    """float32 in [-1, 1]."""
    if targets.dtype == np.uint8:
        return targets.astype(np.float32) / 127.5 - 1
    return targets.astype(np.float32)


def _label(network: Network, c: Array | None) -> Array | None:
    """[1, c_dim] of a conditional network; other networks have none, or [1, 0]."""
    width = network.config.c_dim
    if not width:
        if c is not None and np.size(c):
            raise UserError("a label was given, but this network is unconditional; leave it out")
        return None
    if c is None or np.shape(c) != (1, width):
        raise UserError(f"this network is conditional; give one label of shape [1, {width}]")
    return jnp.asarray(c, jnp.float32)
