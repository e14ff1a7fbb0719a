"""The spaces in which images are inverted: shapes, statistics, and the way to styles.

A latent is one array: z [N, z_dim], z+ [N, L, z_dim], w [N, w_dim],
w+ [N, L, w_dim], and s [N, sum of channels], the style vectors of all layers in
order of evaluation.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.latents import broadcast_w, concatenate_styles, split_styles, style_layers
from aligned_jax.latents.shapes import latent_shape
from aligned_jax.networks.network import Network
from aligned_jax.types import AnyArray, Array, Styles
from aligned_jax.utils.blocks import blocks

SPACES = ("z", "z+", "w", "w+", "s")
# Spaces that hold the latents of another.
WIDER = {
    "z": ("z", "z+", "w", "w+", "s"),
    "z+": ("z+", "w+", "s"),
    "w": ("w", "w+", "s"),
    "w+": ("w+", "s"),
    "s": ("s",),
}
_CHUNK = 1000  # latents at a time


def is_z(space: str) -> bool:
    """Whether latents of this space go through the mapping network."""
    return space in ("z", "z+")


def to_ws(
    network: Network, space: str, latent: AnyArray, psi: float = 1.0, c: AnyArray | None = None
) -> Array:
    """W+ [N, L, w_dim], truncated, of latents of any space but S."""
    if not is_z(space):
        return jnp.asarray(broadcast_w(latent, network.config.num_ws))
    return network.mapping(latent, None if c is None else jnp.repeat(c, len(latent), 0), psi)


def to_styles(
    network: Network, space: str, latent: AnyArray, psi: float = 1.0, c: AnyArray | None = None
) -> Styles:
    """Style vectors of latents of any space.

    Args:
      network: the generator.
      space: of the latents.
      latent: [N, ...].
      psi: truncation of Z and Z+.
      c: label [1, c_dim] of a conditional network, needed in Z and Z+.
    """
    if space == "s":
        return split_styles(network.config, jnp.asarray(latent))
    return network.styles(to_ws(network, space, latent, psi, c))


def latent_arrays(network: Network, space: str, latent: AnyArray) -> dict[str, np.ndarray]:
    """Latents [N, ...] of any space by the names that files of latents use.

    They are `z`, `ws` [N, L, w_dim], or `styles/<layer>` [N, C] of every layer.
    """
    if is_z(space):
        return {"z": np.asarray(latent)}
    if space == "s":
        styles = split_styles(network.config, jnp.asarray(latent))
        return {f"styles/{layer}": np.asarray(value) for layer, value in styles.items()}
    return {"ws": np.asarray(to_ws(network, space, latent))}


@dataclass(frozen=True)
class Statistics:
    """Where latents of a space lie.

    Attributes:
      mean: float32 [...], of the shape of one latent.
      spread: the same shape: root of the summed squared deviations of all
        channels of w, or of a layer's styles; 1 in Z.
    """

    mean: np.ndarray
    spread: np.ndarray


def statistics(
    network: Network, space: str, samples: int = 10_000, seed: int = 123, c: AnyArray | None = None
) -> Statistics:
    """Mean and spread of a space, estimated as NVIDIA's projector does.

    Args:
      network: the generator.
      space: one of `SPACES`.
      samples, seed: random latents, drawn by NumPy's legacy generator.
      c: label [1, c_dim] of a conditional network.
    """
    shape = latent_shape(network.config, space)
    if is_z(space):
        return Statistics(np.zeros(shape, np.float32), np.ones(shape, np.float32))
    w = _sampled_w(network, samples, seed, c)
    if space == "s":
        return _style_statistics(network, w)
    mean = w.mean(axis=0)
    # One number: squares are summed, not averaged, over the channels.
    spread = np.sqrt(np.sum((w - mean) ** 2) / samples)
    return Statistics(np.broadcast_to(mean, shape), np.full(shape, spread, np.float32))


def _sampled_w(network: Network, samples: int, seed: int, c: AnyArray | None) -> np.ndarray:
    """W [samples, w_dim] of random z."""
    z = np.random.RandomState(seed).randn(samples, network.config.z_dim).astype(np.float32)
    chunks = []
    for rows, kept in blocks(samples, _CHUNK):
        labels = None if c is None else jnp.repeat(c, len(rows), axis=0)
        chunks.append(np.asarray(network.mapping(z[rows], labels)[:, 0])[:kept])
    return np.concatenate(chunks)


def _style_statistics(network: Network, w: np.ndarray) -> Statistics:
    # Styles are linear in w, so that those of the mean are the mean.
    mean = _styles_of(network, w.mean(axis=0, keepdims=True))[0]
    squares = np.zeros(len(mean))
    for start in range(0, len(w), _CHUNK):
        squares += ((_styles_of(network, w[start : start + _CHUNK]) - mean) ** 2).sum(axis=0)
    ends = np.cumsum([layer.channels for layer in style_layers(network.config)])
    parts = np.split(squares, ends[:-1])
    spread = [np.full(len(part), np.sqrt(part.sum() / len(w))) for part in parts]
    return Statistics(mean, np.concatenate(spread).astype(np.float32))


def _styles_of(network: Network, w: np.ndarray) -> np.ndarray:
    return np.asarray(concatenate_styles(network.config, network.styles(w)))


def as_start(network: Network, space: str, start: AnyArray, count: int) -> Array:
    """Latents to start from, [count, ...], brought to the space of an inversion.

    Args:
      network: the generator.
      space: of the inversion.
      start: latents of that space; or z for Z+, w for W+, and W or W+ for S.
      count: of images.

    Raises:
      UserError: for another shape, or numbers that are not finite.
    """
    config, start = network.config, jnp.asarray(start, jnp.float32)
    shape, given = latent_shape(config, space), start.shape[1:]
    if not np.isfinite(np.asarray(start)).all():
        raise UserError("the latents to start from are not all finite")
    if len(start) == count and given == shape:
        return start
    if len(start) == count and shape == (config.num_ws, *given):
        return jnp.repeat(start[:, None], config.num_ws, axis=1)
    rows = ((config.w_dim,), (config.num_ws, config.w_dim))
    if len(start) == count and space == "s" and given in rows:
        return concatenate_styles(config, network.styles(start))
    raise UserError(
        f"the latents to start from have shape {start.shape}; an inversion of {count} images in "
        f"{space} takes {(count, *shape)}"
    )
