"""Linear models that read a number from a latent in W or S: who is labelled by whom.

A model says x @ weights + intercept of a latent x: log-odds of a label, or the value of something
that varies continuously. It is fitted in a parent, and what it says of latents of an aligned child
are labels that the child's domain never had (StyleAlign, figures 7 and 29).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import concatenate_styles, split_styles, style_layers
from aligned_jax.networks.network import Network
from aligned_jax.semantics.direction import Direction
from aligned_jax.types import AnyArray
from aligned_jax.utils.blocks import blocks

ModelSpace = Literal["w", "s"]
MODEL_SPACES: tuple[ModelSpace, ...] = get_args(ModelSpace)
_BATCH = 500


@dataclass(frozen=True, eq=False)
class LatentModel:
    """A linear model of one number.

    Attributes:
      name: of what it reads, such as "glasses".
      space: of the latents, "w" or "s".
      weights: float64 [D]; or [L, D] in w, of which every row reads one row of W+.
      intercept: added to what the weights say.
      binary: whether it says log-odds, of which those above 0 mean yes; else a value.
      network: `networks.fingerprint` of the network that it was fitted in; "" if not known.
      facts: how it was fitted, JSON-able.
    """

    name: str
    space: ModelSpace
    weights: np.ndarray
    intercept: float
    binary: bool = True
    network: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def scores(self, latents: AnyArray) -> np.ndarray:
        """What the model says of latents, float32 [N].

        Args:
          latents: [N, D] of its space, or W+ [N, L, D], whose rows are averaged for weights [D].

        Raises:
          UserError: if they are of another width.
        """
        rows = np.asarray(latents, np.float64)
        if self.weights.ndim == 2 and rows.ndim == 2 and self.space == "w":
            rows = np.repeat(rows[:, None], len(self.weights), axis=1)
        if rows.ndim == self.weights.ndim + 2:
            rows = rows.mean(axis=1)
        if rows.shape[1:] != self.weights.shape:
            raise UserError(
                f"the model of {self.name} has weights {list(self.weights.shape)} in "
                f"{self.space}; latents {list(rows.shape[1:])} are of another network"
            )
        flat = rows.reshape(len(rows), -1) @ self.weights.ravel()
        return (flat + self.intercept).astype(np.float32)

    def check_network(self, config: GeneratorConfig) -> None:
        """Raises UserError if latents of a network of these sizes do not fit the model."""
        expected: list[tuple[int, ...]] = [(width(config, self.space),)]
        if self.space == "w":
            expected.append((config.num_ws, config.w_dim))
        if self.weights.shape not in expected:
            raise UserError(
                f"the model of {self.name} has weights {list(self.weights.shape)} in "
                f"{self.space}; this network's are {list(expected[0])}: it is of another network"
            )

    def direction(self, config: GeneratorConfig, latents: AnyArray) -> Direction:
        """The same as a direction, whose scores are those of the model over a constant.

        Args:
          config: of the network.
          latents: [N, D], at psi 1, whose scores' deviation is the direction's sigma.

        Raises:
          UserError: if all weights are zero.
        """
        length = float(np.linalg.norm(self.weights))
        if not length:
            raise UserError(f"the model of {self.name} has no weights: it leads nowhere")
        found = {"label": self.name, "binary": self.binary, "scale": length, **self.facts}
        spread = float(np.std(self.scores(latents), dtype=np.float64))
        if self.space == "w":
            vectors = {"w": (self.weights / length).astype(np.float32)}
            sigma, intercept = spread / length, self.intercept / length
        else:
            # In S a number is a shift in units of the style: one sigma of the scores along the way.
            step = spread / length
            row = jnp.asarray(self.weights / length * step, jnp.float32)
            styles = split_styles(config, row[None])
            vectors = {layer: np.asarray(value)[0] for layer, value in styles.items()}
            sigma, intercept = 1.0, self.intercept / length * step
        return Direction(self.space, vectors, sigma, self.network, float(intercept), None, found)


def model_of_direction(
    name: str, direction: Direction, config: GeneratorConfig, binary: bool = True
) -> LatentModel:
    """A direction as a model: x @ vector + intercept.

    Args:
      name: of what it reads.
      direction: in w or s.
      config: of the network that it is for.
      binary: whether the sign of its scores is a label, which takes an intercept.

    Raises:
      UserError: for a direction in z, one of another network's sizes, or one without an intercept
        where a boundary is needed.
    """
    if direction.space == "z":
        raise UserError(f"the direction of {name} is in z, where latents have no linear scores")
    if direction.intercept is None and binary:
        raise UserError(
            f"the direction of {name} has no intercept, so that it has no boundary; "
            "use quantiles of the child's population (`threshold='tails'`)"
        )
    if direction.space == "w":
        weights = np.asarray(direction.vectors["w"], np.float64)
    else:
        layers = {layer.name: layer.channels for layer in style_layers(config)}
        strange = [layer for layer in direction.vectors if layer not in layers]
        wide = [
            layer
            for layer, value in direction.vectors.items()
            if layer in layers and value.shape != (layers[layer],)
        ]
        if strange or wide:
            raise UserError(
                f"the direction of {name} does not fit this network: {', '.join(strange + wide)}"
            )
        parts = [
            np.asarray(direction.vectors.get(layer, np.zeros(count)), np.float64)
            for layer, count in layers.items()
        ]
        weights = np.concatenate(parts)
    space: ModelSpace = "w" if direction.space == "w" else "s"
    intercept = float(direction.intercept or 0.0)
    facts = {"method": "direction", **direction.found}
    model = LatentModel(name, space, weights, intercept, binary, direction.network, facts)
    model.check_network(config)
    return model


def width(config: GeneratorConfig, space: ModelSpace) -> int:
    """Numbers of a latent of the space."""
    return config.w_dim if space == "w" else sum(one.channels for one in style_layers(config))


def check_space(space: str) -> ModelSpace:
    """The space of a name; raises UserError unless models can be had in it."""
    for one in MODEL_SPACES:
        if one == space:
            return one
    raise UserError(f"space is {space!r:.40}; linear models are in {' or '.join(MODEL_SPACES)}")


def model_latents(network: Network, ws: AnyArray, space: ModelSpace) -> np.ndarray:
    """Latents in the space of a model, of W+ or of W.

    Args:
      network: whose latents they are.
      ws: [N, D] or [N, L, D].
      space: "w", where W+ stays as it is unless its rows are alike; or "s".

    Returns:
      float32 [N, D] or, of W+ in w, [N, L, D].
    """
    rows = np.asarray(ws, np.float32)
    if space == "w":
        if rows.ndim == 3 and np.array_equal(rows, np.repeat(rows[:, :1], rows.shape[1], axis=1)):
            return rows[:, 0]
        return rows
    parts = [
        np.asarray(concatenate_styles(network.config, network.styles(rows[block])))[:kept]
        for block, kept in blocks(len(rows), _BATCH)
    ]
    return np.concatenate(parts)
