"""Latents as rows of a matrix, and vectors of such rows as directions again.

A row is z [D], w [D], all rows of W+ [L * D], or the style vectors of some layers one after the
other. Linear models are fitted to rows; what they find is a direction of the same space.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers
from aligned_jax.networks.network import Network
from aligned_jax.semantics.direction import Direction, Space
from aligned_jax.semantics.directions.fit import check_direction, unit
from aligned_jax.types import AnyArray


@dataclass(frozen=True)
class Features:
    """What a row of the matrix is made of.

    Attributes:
      space: "z", "w" or "s".
      wide: in W, whether all rows of W+ are taken one after the other.
      layers: names of the style layers, in S.
    """

    space: Space
    wide: bool = False
    layers: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        config: GeneratorConfig,
        space: Space,
        wide: bool = False,
        torgb: bool = False,
        rows: Sequence[int] | None = None,
    ) -> "Features":
        """Features of a network of these sizes.

        Args:
          config: of the network.
          space: "z", "w" or "s".
          wide: in W, all rows of W+.
          torgb: in S, whether the layers that make colours are among them.
          rows: in S, only layers that read these rows of W+.

        Raises:
          UserError: if no style layer is left, or a row is not there.
        """
        if bad := [str(row) for row in rows or () if not 0 <= row < config.num_ws]:
            raise UserError(f"no row {', '.join(bad)} of W+; there are 0 to {config.num_ws - 1}")
        if space != "s":
            return cls(space, wide and space == "w")
        chosen = tuple(
            layer.name
            for layer in style_layers(config)
            if (torgb or layer.kind == "conv") and (rows is None or layer.w_row in rows)
        )
        if not chosen:
            raise UserError("no style layer reads these rows alone; allow toRGB or other rows")
        return cls(space, layers=chosen)

    def matrix(self, network: Network, latents: Mapping[str, AnyArray]) -> np.ndarray:
        """Rows of latents, float64 [N, F].

        Args:
          network: whose latents they are.
          latents: `z` [N, D] in Z; else `ws` [N, L, D], truncated as they are drawn, or in S
            `styles/<layer>` [N, C].
        """
        if self.space == "z":
            return np.asarray(latents["z"], np.float64)
        if self.space == "w":
            ws = np.asarray(latents["ws"], np.float64)
            return ws.reshape(len(ws), -1) if self.wide else ws[:, 0]
        if "ws" in latents:
            styles = network.styles(latents["ws"])
            parts = [np.asarray(styles[layer], np.float64) for layer in self.layers]
        else:
            parts = [np.asarray(latents[f"styles/{layer}"], np.float64) for layer in self.layers]
        return np.concatenate(parts, axis=1)

    def vectors(self, config: GeneratorConfig, row: np.ndarray) -> dict[str, np.ndarray]:
        """A row [F] as vectors of `Direction`, float32."""
        if self.space != "s":
            shape = (config.num_ws, config.w_dim) if self.wide else (-1,)
            return {self.space: row.reshape(shape).astype(np.float32)}
        widths = {layer.name: layer.channels for layer in style_layers(config)}
        ends = np.cumsum([widths[layer] for layer in self.layers])[:-1]
        parts = np.split(row.astype(np.float32), ends)
        return dict(zip(self.layers, parts, strict=True))

    def row(self, config: GeneratorConfig, direction: Direction, name: str = "") -> np.ndarray:
        """The unit vector of a direction as a row, float64 [F]; undoes `vectors`.

        In W, one vector for all rows of W+ is that vector in each of them.

        Args:
          config: of the network.
          direction: of the same space.
          name: of the direction, for messages.

        Raises:
          UserError: if it is of another space or size, or moves nothing that is in a row.
        """
        called = name or "the direction"
        if direction.space != self.space:
            raise UserError(f"{called} is in {direction.space}, not in {self.space}")
        check_direction(config, direction, name)
        if self.space == "s":
            widths = {layer.name: layer.channels for layer in style_layers(config)}
            values = [
                direction.vectors.get(layer, np.zeros(widths[layer], np.float32))
                for layer in self.layers
            ]
            return np.asarray(unit({"s": np.concatenate(values)})["s"], np.float64)
        vector = direction.vectors[self.space]
        if self.wide and vector.ndim == 1:
            vector = np.broadcast_to(vector, (config.num_ws, config.w_dim))
        if not self.wide and vector.ndim == 2:
            if np.ptp(vector, axis=0).any():
                raise UserError(f"{called} differs between rows of W+; here it must be one vector")
            vector = vector[0]
        return np.asarray(unit({"v": vector})["v"], np.float64).ravel()
