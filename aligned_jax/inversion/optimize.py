"""Inversion of any number of images by optimisation (StyleGAN2, section 5; StyleAlign, 4)."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.inversion import steps
from aligned_jax.inversion.inverted import InversionProgress, Inverted, Watch, joined, nearer
from aligned_jax.inversion.options import Settings, latent_noises, learning_rates
from aligned_jax.inversion.perceptual import Perceptual
from aligned_jax.inversion.spaces import as_start, statistics
from aligned_jax.inversion.steps import Problem, State, StepOptions, Variable
from aligned_jax.latents import labels_missing, labels_unwanted
from aligned_jax.networks.network import Network
from aligned_jax.types import AnyArray, Array
from aligned_jax.utils import loops
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.precision import products


def invert(
    network: Network,
    targets: AnyArray,
    perceptual: Perceptual,
    settings: Settings,
    key: Array,
    start: AnyArray | None = None,
    *,
    c: AnyArray | None = None,
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
    finished = parts(
        network,
        targets,
        perceptual,
        settings,
        key,
        start,
        c=c,
        batch=batch,
        watch=watch,
        every=every,
    )
    return joined(list(finished))


def parts(
    network: Network,
    targets: AnyArray,
    perceptual: Perceptual,
    settings: Settings,
    key: Array,
    start: AnyArray | None = None,
    *,
    c: AnyArray | None = None,
    batch: int = 8,
    watch: Watch | None = None,
    every: int = 50,
) -> Iterator[Inverted]:
    """As `invert`, but yields the results of a few images at a time, as soon as they are known."""
    pixels, label = _checked(network, targets), _label(network, c)
    count, restarts = len(pixels), settings.restarts
    known = statistics(network, settings.space, settings.samples, settings.samples_seed, label)
    if start is None:
        latent = np.broadcast_to(known.mean, (count, *known.mean.shape))
    else:
        latent = np.asarray(as_start(network, settings.space, start, count))
    keys, turns = _restart_keys(key, restarts), _turns(restarts, max(1, batch))
    options = StepOptions.of(settings, network, len(turns[0][0]))
    constants = label, jnp.asarray(known.spread), jnp.float32(settings.noise_weight)
    for rows, kept in blocks(count, max(1, batch // restarts)):
        images = _scaled(pixels[rows])
        with products(settings.precision):
            goal = _embedded(perceptual, images, settings.resolution)
        problem = Problem(network, perceptual, goal, *constants)
        part = _Part(problem, options, images, int(rows[0]), kept, range(restarts))
        results = _attempts(part, latent[rows], keys, turns, settings, watch, every)
        yield functools.reduce(nearer, results)


def _attempts(
    part: "_Part",
    latent: np.ndarray,
    keys: Array,
    turns: Sequence[tuple[np.ndarray, int]],
    settings: Settings,
    watch: Watch | None,
    every: int,
) -> Iterator[Inverted]:
    """The best attempt of each turn at the inversion of the images of a part."""
    for numbers, own in turns:
        attempts = range(int(numbers[0]), int(numbers[0]) + own)
        turn, random = part._replace(attempts=attempts), keys[numbers]
        state = steps.begin(part.problem, part.options, latent, random, settings.spread)
        yield _run(turn, state, random, settings, watch, every)


def _turns(restarts: int, rows: int) -> list[tuple[np.ndarray, int]]:
    """Numbers of the restarts that go together: `rows` or fewer at a time, as even as can be."""
    most = -(-restarts // -(-restarts // rows))
    return list(blocks(restarts, most))


class _Part(NamedTuple):
    """Images that are inverted together; those from `kept` on only fill up the batch.

    So do restarts beyond `attempts`, which repeat the last one.
    """

    problem: Problem
    options: StepOptions
    targets: np.ndarray
    first: int
    kept: int
    attempts: range

    def finish(self, variable: Variable) -> dict[str, Any]:
        """The results of the kept images, as `steps.finish` returns them."""
        ended = steps.finish(self.problem, self.options, self.targets, variable)
        return jax.tree.map(lambda x: np.asarray(x)[: self.kept], ended)

    def progress(self, step: int, variable: Variable, distance: np.ndarray) -> InversionProgress:
        """Where these images stand, from the distances of all rows."""
        last = distance.reshape(-1, self.options.restarts)[: self.kept]
        best = np.where(np.isfinite(last), last, np.inf).min(axis=1)
        draw = functools.partial(self._images, variable)
        return InversionProgress(self.first, self.attempts, step, best, draw)

    def _images(self, variable: Variable) -> np.ndarray:
        return self.finish(variable)["images"]


def _run(
    part: _Part, state: State, keys: Array, settings: Settings, watch: Watch | None, every: int
) -> Inverted:
    """Takes all steps: in one go, unless somebody watches or loops are slow."""
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
        state, terms = steps.advance(part.problem, part.options, state, keys, now)
        traces.append(terms)
        done = min(begin + length, count)
        if watch and (done % every == 0 or done == count):
            watch(part.progress(done, state.variable, np.asarray(terms["distance"][-1])))
    ended = part.finish(state.variable)
    best = np.arange(part.kept) * part.options.restarts + ended["restart"]
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


def _restart_keys(key: Array, restarts: int) -> Array:
    return jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(restarts, dtype=jnp.uint32))


_embedded = jax.jit(steps.embed, static_argnames="resolution")


def _checked(network: Network, targets: AnyArray) -> np.ndarray:
    """The images as a NumPy array of their own type, [N, R, R, C]."""
    config, pixels = network.config, np.asarray(targets)
    size = (config.img_resolution, config.img_resolution, config.img_channels)
    if pixels.ndim != 4 or pixels.shape[1:] != size or not len(pixels):
        raise UserError(
            f"the images to invert have shape {pixels.shape}; this network takes [N, "
            f"{', '.join(map(str, size))}]"
        )
    if pixels.dtype != np.uint8 and not (np.abs(pixels) <= 1.5).all():  # nor is nan
        raise UserError("the images to invert hold numbers outside of [-1, 1]")
    return pixels


def _scaled(targets: np.ndarray) -> np.ndarray:
    """The same images as float32 in [-1, 1]."""
    if targets.dtype == np.uint8:
        return targets.astype(np.float32) / 127.5 - 1
    return targets.astype(np.float32)


def _label(network: Network, c: AnyArray | None) -> Array | None:
    """The label [1, c_dim] of a conditional network, checked; None for another network."""
    width = network.config.c_dim
    if not width:
        if c is not None and np.size(c):
            raise labels_unwanted()
        return None
    if c is None or np.shape(c) != (1, width):
        raise labels_missing(width, 1)
    return jnp.asarray(c, jnp.float32)
