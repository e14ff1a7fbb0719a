"""Morphing: from a picture of one network to a picture of another (StyleAlign, figures 24 to 27).

Latents move with t1 from A to B, weights with t2 from the parent to the child:

- Latents are W+: (1 - t1) * w_A + t1 * w_B. A belongs to the parent and B to the
  child; a z becomes w once, by the mapping of its own network and truncated
  towards that network's own mean. So the mapping networks and their means stay
  as they are, and only what renders is blended.
- Weights are (1 - t2) * parent + t2 * child, those of the affine layers included.
- Noise is the same in every frame, so that nothing flickers: the stored maps
  (blended like weights; a child keeps its parent's), fixed fields, or none.

(0, 0) is A in the parent and (1, 1) is B in the child.

A path goes through any number of key frames, leg by leg, and each leg is such a morph: from
one key frame's latents and weights to those of the next.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.latents import broadcast_w, lerp
from aligned_jax.networks.network import Network
from aligned_jax.types import AnyArray, Array
from aligned_jax.utils.blocks import blocks
from aligned_jax.weights.interpolate import interpolate

# "const", "none", or fields [R, R] by layer.
StillNoise = str | Mapping[str, AnyArray]
Easing = Callable[[np.ndarray], np.ndarray]

EASINGS: dict[str, Easing] = {
    "linear": lambda t: t,
    "smooth": lambda t: t * t * (3 - 2 * t),
    "smoother": lambda t: t**3 * (t * (6 * t - 15) + 10),
    "sine": lambda t: (1 - np.cos(np.pi * t)) / 2,
    "ease-in": lambda t: t**2,
    "ease-out": lambda t: 1 - (1 - t) ** 2,
}


def timeline(
    frames: int,
    easing: str | Easing = "linear",
    hold: int = 0,
    ping_pong: bool = False,
    keys: int = 2,
    loop: bool = False,
) -> np.ndarray:
    """Where each frame stands, float64 [T]: at key frame k it is k, and between them between.

    Args:
      frames: from a key frame to the next, both included; at least 2.
      easing: of every such leg; one of EASINGS, or any function of an array in [0, 1].
      hold: frames that each key frame lasts longer.
      ping_pong: goes back the same way, without the two ends, for a loop in which
        no frame comes twice but held ones.
      keys: number of key frames, at least 2. With two, all stands between 0 and 1.
      loop: goes from the last key frame to the first, which is not shown again.

    Raises:
      UserError: for too few frames or key frames, an unknown easing, or both ways of a loop.
    """
    if frames < 2 or hold < 0:
        raise UserError(f"{frames} frames, {hold} held: there must be 2 or more, and 0 or more")
    check_keys(keys)
    if loop and ping_pong:
        raise UserError(
            "a film goes back the way it came (ping_pong) or on to its first key frame "
            "(loop), not both"
        )
    if not callable(easing):
        if easing not in EASINGS:
            raise UserError(f"no such easing: {easing!r:.40}; there are {', '.join(EASINGS)}")
        easing = EASINGS[easing]
    leg = np.asarray(easing(np.linspace(0, 1, frames)), np.float64)
    legs = keys if loop else keys - 1
    parts = [leg[:-1]]
    for k in range(1, legs):
        parts += [np.repeat(k + leg[:1], hold), k + leg[:-1]]
    way = np.concatenate(parts if loop else [*parts, legs - 1 + leg[-1:]])
    back = way[-2:0:-1] if ping_pong else way[:0]
    last = way[:0] if loop else np.repeat(way[-1:], hold)
    return np.concatenate([np.repeat(way[:1], hold), way, last, back])


def check_keys(count: int) -> None:
    """Raises UserError unless so many key frames make a film."""
    if count < 2:
        given = f"{count} was" if count == 1 else f"{count} were"
        raise UserError(f"a film goes through 2 or more key frames; {given} given")


def images(
    parent: Network,
    child: Network,
    a: AnyArray,
    b: AnyArray,
    t1: AnyArray,
    t2: AnyArray,
    noise: StillNoise = "const",
) -> Array:
    """Images float32 [K, M, R, R, C] of K blends of the weights, M latents each.

    One compiled program for all blends: they are made and used one after another,
    so that memory holds the weights of one.

    Args:
      parent, child: networks of equal structure; the result has the parent's options.
      a, b: the two ends, [1, w_dim] or [1, L, w_dim].
      t1: of the latents, [K, M].
      t2: of the weights, [K].
      noise: "const", "none", or fields [R, R] by layer, for all images the same.

    Raises:
      UserError: for noise that would flicker, or a shape that does not fit.
      ConfigError: if the networks do not fit, with every difference.
    """
    t1, t2 = jnp.asarray(t1, jnp.float32), jnp.asarray(t2, jnp.float32)
    if t1.ndim != 2 or t2.shape != t1.shape[:1]:
        raise UserError(f"t1 has shape {t1.shape} and t2 {t2.shape}, expected [K, M] and [K]")
    if isinstance(noise, str) and noise not in ("const", "none"):
        raise UserError(f"noise is {noise!r:.40}; in a morph it is const, none, or fixed fields")
    first, last = _one(parent, a), _one(child, b)
    mode, fields = "fields", None
    if isinstance(noise, str):
        mode = noise
    else:
        fields = {layer: jnp.asarray(field) for layer, field in noise.items()}
    return _images(parent, child, first, last, t1, t2, fields, mode)


def frames(
    parent: Network,
    child: Network,
    a: AnyArray,
    b: AnyArray,
    times: AnyArray,
    noise: StillNoise = "const",
    batch: int = 8,
) -> Iterator[np.ndarray]:
    """The diagonal t1 = t2: images float32 [n, R, R, C], at most `batch` at a time.

    Args:
      parent, child, a, b, noise: as in `images`.
      times: of each frame, [T], in [0, 1].
      batch: frames that one call of the program draws.
    """
    yield from path(parent, child, [a, b], times, noise, batch)


def path(
    parent: Network,
    child: Network | None,
    keys: Sequence[AnyArray],
    places: AnyArray,
    noise: StillNoise = "const",
    batch: int = 8,
    loop: bool = False,
) -> Iterator[np.ndarray]:
    """A way through key frames: images float32 [n, R, R, C], at most `batch` at a time.

    Args:
      parent, noise, batch: as in `frames`.
      child: to which the weights go, by the same amount in every leg, from the parent at the
        first key frame to the child at the last; and all the way back in the leg that closes a
        loop. None: the parent draws everything.
      keys: two or more latents, [1, w_dim] or [1, L, w_dim] each.
      places: of each frame, [T], as of `timeline`.
      loop: whether what lies beyond the last key frame is on the way back to the first.

    Raises:
      UserError: for fewer than two key frames, and as `images`.
    """
    count, places = len(keys), np.asarray(places, np.float64)
    check_keys(count)
    weights = weights_at(count) if child is not None else np.zeros(count)
    legs = np.clip(np.floor(places).astype(int), 0, count - 1 if loop else count - 2)
    times = (places - legs).astype(np.float32)
    runs = np.split(np.arange(len(places)), np.flatnonzero(np.diff(legs)) + 1)
    # All blocks have one size, so that one program draws them.
    size = min(batch, max(map(len, runs)))
    for run in runs:
        for start in range(0, len(run), size):
            rows = run[np.minimum(np.arange(start, start + size), len(run) - 1)]
            near, far = legs[run[0]], (legs[run[0]] + 1) % count
            ends, t = (keys[near], keys[far]), times[rows]
            t2 = (1 - t) * np.float32(weights[near]) + t * np.float32(weights[far])
            if child is None:
                drawn = images(parent, parent, *ends, t[None], t2[:1], noise)[0]
            else:
                drawn = images(parent, child, *ends, t[:, None], t2, noise)[:, 0]
            yield np.asarray(drawn)[: len(run) - start]


def weights_at(keys: int) -> np.ndarray:
    """How far the weights have gone to the child at each of so many key frames, float64 [keys]."""
    return np.linspace(0, 1, keys)


def grid(
    parent: Network,
    child: Network,
    a: AnyArray,
    b: AnyArray,
    rows: int,
    columns: int,
    noise: StillNoise = "const",
    batch: int = 8,
) -> Iterator[np.ndarray]:
    """The whole (t1, t2) plane: a row of images float32 [columns, R, R, C] at a time.

    Weights go down from the parent to the child in `rows` steps, latents go right
    from A to B in `columns` steps; one call of the program draws at most `batch` images.
    """
    t1 = np.linspace(0, 1, columns, dtype=np.float32)
    for t2 in np.linspace(0, 1, rows, dtype=np.float32):
        parts = []
        for places, kept in blocks(columns, batch):
            drawn = images(parent, child, a, b, t1[None, places], t2[None], noise)[0]
            parts.append(np.asarray(drawn)[:kept])
        yield np.concatenate(parts)


def _one(network: Network, w: AnyArray) -> Array:
    ws = broadcast_w(jnp.asarray(w, jnp.float32), network.config.num_ws)
    if ws.shape[0] != 1:
        raise UserError(f"a morph has one latent at each end; {ws.shape[0]} were given")
    return ws


@functools.partial(jax.jit, static_argnames="mode")
def _images(
    parent: Network,
    child: Network,
    a: Array,
    b: Array,
    t1: Array,
    t2: Array,
    fields: dict[str, Array] | None,
    mode: str,
) -> Array:
    def one(times: tuple[Array, Array]) -> Array:
        t1, t2 = times
        blend = interpolate(parent, child, t2)
        ws = lerp(a, b, t1[:, None, None])
        return blend.synthesis(ws, mode if fields is None else fields)

    # One blend after another: convolutions of many kernels at once are slow.
    return jax.lax.map(one, (t1, t2))
