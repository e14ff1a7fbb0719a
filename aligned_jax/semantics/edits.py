"""Edits: how far latents are moved along a direction, by so much or to a given score.

One unit serves all of them, the direction's sigma: the deviation of scores in the parent at psi 1.
How what is drawn is truncated never changes a shift. All edits of one space are applied at once,
so that their order does not matter.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import channel_name, style_layers
from aligned_jax.semantics.direction import Direction, Space
from aligned_jax.semantics.directions.fit import check_direction


@dataclass(frozen=True, eq=False)
class Edit:
    """One edit.

    Attributes:
      direction: where to.
      amount: so many sigmas are added; or, with `to`, the score that is reached, in sigmas from
        the direction's boundary.
      to: whether `amount` is a target.
      layers: rows of W+ that move; None for those that the direction recommends.
      name: how pictures and messages call it.
    """

    direction: Direction
    amount: float
    to: bool = False
    layers: tuple[int, ...] | None = None
    name: str = "edit"

    @property
    def space(self) -> Space:
        """The space in which it moves latents."""
        return self.direction.space

    @property
    def rows(self) -> tuple[int, ...] | None:
        """Rows of W+ or Z+ that move; None for all."""
        return self.direction.layers if self.layers is None else self.layers

    @property
    def summary(self) -> str:
        """ "smile +3", "yaw to -1"."""
        return f"{self.name} to {self.amount:+g}" if self.to else f"{self.name} {self.amount:+g}"

    def with_amount(self, amount: float) -> "Edit":
        """The same, but so far."""
        return replace(self, amount=amount)

    def check(self, config: GeneratorConfig) -> None:
        """Raises UserError if it cannot be applied in a network of these sizes."""
        check_direction(config, self.direction, self.name)
        bad = [str(row) for row in self.layers or () if not 0 <= row < config.num_ws]
        if bad or self.layers == ():
            raise UserError(
                f"{self.name}: no row {', '.join(bad)} of W+; this network has rows 0 to "
                f"{config.num_ws - 1}"
            )
        if not np.isfinite(self.amount):
            raise UserError(f"{self.name}: the strength is {self.amount}; give a finite number")
        if not self.to:
            return
        if self.space == "s":
            raise UserError(f"{self.name} is in s, where no target is defined; use `to=False`")
        if self.direction.intercept is None:
            raise UserError(f"{self.name} has no boundary to count a target from; use `to=False`")
        if self.space == "w" and self._vector.ndim == 2 and self.rows is not None:
            raise UserError(
                f"{self.name} has a vector for every row of W+; a target needs them all: leave "
                "out `layers`, or use `to=False`"
            )

    @property
    def _vector(self) -> np.ndarray:
        [vector] = self.direction.vectors.values()
        return vector

    def key(self) -> tuple[str, str]:
        """Space and content: edits are applied in an order of their own, not the given one."""
        parts = (self.amount, self.to, self.rows, self.direction.sigma, self.direction.intercept)
        digest = hashlib.sha256(repr(parts).encode())
        for name, vector in sorted(self.direction.vectors.items()):
            digest.update(name.encode() + np.ascontiguousarray(vector, np.float32).tobytes())
        return self.space, digest.hexdigest()


def channel_direction(
    config: GeneratorConfig,
    layer: str,
    channel: int,
    deviations: Mapping[str, np.ndarray],
    network: str,
) -> Direction:
    """A style channel as a direction: a step is one deviation of the channel.

    Args:
      config: of the parent.
      layer, channel: such as "b16.conv1" and 23.
      deviations: {layer: [C]} at psi 1, of `LatentStatistics`.
      network: fingerprint of the parent.

    Raises:
      UserError: if the channel never varies.
    """
    vector = np.zeros_like(deviations[layer], np.float32)
    vector[channel] = deviations[layer][channel]
    name = channel_name(config, layer, channel)
    if not vector[channel] > 0:
        raise UserError(f"style channel {name} never varies, so that its shifts have no unit")
    return Direction("s", {layer: vector}, 1.0, network, found={"method": "channel", "name": name})


def shifts(
    x: np.ndarray, edits: Sequence[Edit], rows_differ: bool = False, factor: float = 1.0
) -> np.ndarray:
    """What edits in Z or W add to latents.

    Args:
      x: z [N, D], or W+ [N, L, D].
      edits: all in this space, and checked.
      rows_differ: whether latents are those of W+ (or Z+) rather than of W.
      factor: share of the way: 1 is the whole, -1 the whole in the other direction.

    Returns:
      float64 of the shape of x.

    Raises:
      UserError: for a target of latents whose rows have scores of their own, or targets that
        exclude each other.
    """
    total = np.zeros(x.shape, np.float64)
    ordered = sorted(edits, key=Edit.key)
    for edit in ordered:
        if not edit.to:
            vector = edit.direction.vectors[edit.space].astype(np.float64)
            step = edit.amount * edit.direction.sigma * vector
            total += _in_rows(step, x, edit.rows)
    targets = [edit for edit in ordered if edit.to]
    if targets:
        total += _towards(x + total, targets, rows_differ)
    return factor * total


def _in_rows(step: np.ndarray, x: np.ndarray, rows: tuple[int, ...] | None) -> np.ndarray:
    """A step [D] or [L, D], for latents like x, in some rows alone."""
    if x.ndim == 2:
        return step
    kept = np.ones(x.shape[1]) if rows is None else np.isin(np.arange(x.shape[1]), rows)
    return np.asarray(step * kept[:, None])[None]


def _towards(x: np.ndarray, targets: Sequence[Edit], rows_differ: bool) -> np.ndarray:
    """The shortest shift after which every target has its score."""
    wide = [edit for edit in targets if edit._vector.ndim == 2]
    if wide and len(wide) < len(targets):
        raise UserError(
            "targets of directions with a vector for every row of W+ cannot be mixed with others"
        )
    if rows_differ and not wide:
        names = ", ".join(edit.name for edit in targets)
        raise UserError(
            f"{names}: the rows of these latents differ (W+), so that they have no single score; "
            "use `to=False`"
        )
    rows = {edit.rows for edit in targets}
    if len(rows) > 1:
        raise UserError("targets must be reached in the same rows; give one `layers`")
    flat = x.reshape(len(x), -1) if wide else (x[:, 0] if x.ndim == 3 else x)
    units = np.stack([edit._vector.astype(np.float64).ravel() for edit in targets])
    wanted = np.asarray([edit.amount * edit.direction.sigma for edit in targets])
    offsets = np.asarray([edit.direction.intercept or 0.0 for edit in targets])
    missing = wanted - offsets - flat @ units.T
    inverse = np.linalg.pinv(units)  # [F, K]
    step = missing @ inverse.T
    if np.abs(step @ units.T - missing).max() > 1e-4 * max(1.0, np.abs(missing).max()):
        names = ", ".join(edit.name for edit in targets)
        raise UserError(f"{names}: these targets exclude each other")
    if wide:
        return step.reshape(x.shape)
    if x.ndim == 2:
        return step
    kept = np.isin(np.arange(x.shape[1]), [*(rows.pop() or range(x.shape[1]))])
    return step[:, None] * kept[:, None]


def style_shifts(
    config: GeneratorConfig, edits: Sequence[Edit], factor: float = 1.0
) -> dict[str, np.ndarray]:
    """What edits in S add to the style vectors of every image, {layer: float64 [C]}.

    Args:
      config: of the network.
      edits: all in S, and checked.
      factor: share of the way.
    """
    rows_of = {layer.name: layer.w_row for layer in style_layers(config)}
    total: dict[str, np.ndarray] = {}
    for edit in sorted(edits, key=Edit.key):
        for layer, vector in edit.direction.vectors.items():
            if edit.rows is None or rows_of[layer] in edit.rows:
                step = factor * edit.amount * edit.direction.sigma * vector.astype(np.float64)
                total[layer] = total.get(layer, 0.0) + step
    return total
