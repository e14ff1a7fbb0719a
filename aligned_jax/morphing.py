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
"""

import functools
from collections.abc import Callable, Iterator, Mapping

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
    frames: int, easing: str | Easing = "linear", hold: int = 0, ping_pong: bool = False
) -> np.ndarray:
    """Where each frame stands between 0 and 1, float64 [T].

    Args:
      frames: on the way, both ends included; at least 2.
      easing: one of EASINGS, or any function of an array in [0, 1].
      hold: frames that each end lasts longer.
      ping_pong: goes back the same way, without the two ends, for a loop in which
        no frame comes twice but held ones.

    Raises:
      UserError: for too few frames, or an unknown easing.
    """
    if frames < 2 or hold < 0:
        raise UserError(f"{frames} frames, {hold} held: there must be 2 or more, and 0 or more")
    if not callable(easing):
        if easing not in EASINGS:
            raise UserError(f"no such easing: {easing!r:.40}; there are {', '.join(EASINGS)}")
        easing = EASINGS[easing]
    way = np.asarray(easing(np.linspace(0, 1, frames)), np.float64)
    back = way[-2:0:-1] if ping_pong else way[:0]
    return np.concatenate([np.repeat(way[:1], hold), way, np.repeat(way[-1:], hold), back])


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
    times = np.asarray(times, np.float32)
    for rows, kept in blocks(len(times), batch):
        t = times[rows]
        drawn = images(parent, child, a, b, t[:, None], t, noise)[:, 0]
        yield np.asarray(drawn)[:kept]


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
