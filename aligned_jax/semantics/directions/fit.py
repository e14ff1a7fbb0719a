"""Whether a direction fits a network, and the unit in which it is counted."""

from collections.abc import Mapping

import jax
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import sample_z, style_layers
from aligned_jax.latents.labels import labels_for
from aligned_jax.networks.network import Network
from aligned_jax.semantics.direction import Direction, Space
from aligned_jax.utils.text import listed

SPACES: tuple[Space, ...] = ("z", "w", "s")
_COUNT, _BATCH = 10_000, 1000


def vector_shapes(config: GeneratorConfig, space: Space) -> dict[str, list[tuple[int, ...]]]:
    """The shapes that vectors of a space may have in a network of these sizes, by name."""
    if space == "z":
        return {"z": [(config.z_dim,)]}
    if space == "w":
        return {"w": [(config.w_dim,), (config.num_ws, config.w_dim)]}
    return {layer.name: [(layer.channels,)] for layer in style_layers(config)}


def misfits(config: GeneratorConfig, direction: Direction) -> list[str]:
    """A line for everything in a direction that does not fit a network of these sizes."""
    shapes = vector_shapes(config, direction.space)
    wrong = []
    for name, vector in direction.vectors.items():
        if name not in shapes:
            wrong.append(f"there is no {name:.40} in this network")
        elif vector.shape not in shapes[name]:
            allowed = " or ".join(str(list(shape)) for shape in shapes[name])
            wrong.append(f"{name} has shape {list(vector.shape)}, this network's is {allowed}")
    rows = [str(row) for row in direction.layers or () if not 0 <= row < config.num_ws]
    if rows:
        wrong.append(f"rows {listed(rows)} are beyond those of this network, 0 to {config.num_ws}")
    return wrong


def check_direction(config: GeneratorConfig, direction: Direction, name: str = "") -> None:
    """Raises UserError, naming everything of a direction that does not fit the network.

    Args:
      config: of the network.
      direction: to be used in it.
      name: of the direction, for the message.
    """
    if wrong := misfits(config, direction):
        raise UserError(
            f"{name or 'the direction'} is of a network of other sizes: "
            f"{listed(wrong, separator='; ')}"
        )


def unit(vectors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same vectors, of length 1 if they are taken as one; float32.

    Raises:
      UserError: if all numbers are zero, or one is not finite.
    """
    wide = {name: np.asarray(vector, np.float64) for name, vector in vectors.items()}
    length = np.sqrt(sum(float((vector**2).sum()) for vector in wide.values()))
    if not np.isfinite(length) or length == 0:
        raise UserError(f"the vector has length {length:g}; a direction needs a finite one")
    return {name: (vector / length).astype(np.float32) for name, vector in wide.items()}


def deviation(
    network: Network,
    space: Space,
    vectors: Mapping[str, np.ndarray],
    label: int | None = None,
    count: int = _COUNT,
) -> float:
    """Standard deviation of x @ vector over random latents x at psi 1: the sigma of a direction.

    Args:
      network: the parent.
      space: "z", in which it is that of a normal distribution; "w"; or "s", in which a number
        is a shift as it is, so that sigma is 1.
      vectors: as of `Direction`.
      label: class of a conditional network.
      count: latents that are drawn.

    Raises:
      UserError: for a label that does not fit, or a vector along which nothing varies.
    """
    if space == "s":
        return 1.0
    [vector] = vectors.values()
    wide = np.asarray(vector, np.float64)
    if space == "z":
        return float(np.sqrt((wide**2).sum()))
    row = wide if wide.ndim == 1 else wide.sum(axis=0)
    labels = labels_for(network.config, label, _BATCH)
    key, scores = jax.random.key(0), []
    for start in range(0, count, _BATCH):
        z = sample_z(jax.random.fold_in(key, start), network.config, _BATCH)
        w = np.asarray(network.mapping(z, labels)[:, 0], np.float64)
        scores.append(w @ row)
    found = float(np.concatenate(scores)[:count].std())
    if not found > 0:
        raise UserError("nothing varies along this direction in W; sigma would be 0")
    return found
