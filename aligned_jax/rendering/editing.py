"""Latents that are edited before they are drawn, whatever space they and the edits are in."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.edits import Edit, shifts, style_shifts
from aligned_jax.translation import space_of

_ORDER = ("z", "w", "s")


def check_edits(config: GeneratorConfig, latents: LatentBatch, edits: Sequence[Edit]) -> None:
    """Raises UserError if one of the edits does not fit the network, or comes too late.

    Latents in W have no z to be edited, and style vectors no w.
    """
    for edit in edits:
        edit.check(config)
    first = _ORDER.index("z" if latents.in_z else "w" if "ws" in latents.arrays else "s")
    late = [edit.name for edit in edits if _ORDER.index(edit.space) < first]
    if late:
        raise UserError(
            f"{', '.join(late)}: an edit in an earlier space than the latents, which are in "
            f"{_ORDER[first]}; give seeds, or another direction"
        )
    _check_targets(latents, edits)


def _check_targets(latents: LatentBatch, edits: Sequence[Edit]) -> None:
    """Whether targets are defined for these latents, before anything is drawn."""
    names = {"z": "z", "w": "ws"}
    for space in ("z", "w"):
        chosen = [edit for edit in edits if edit.space == space and edit.to]
        if chosen and names[space] in latents.arrays:
            shifts(latents.arrays[names[space]], chosen, _rows_differ(latents))


def edited(
    network: Network, latents: LatentBatch, edits: Sequence[Edit], factor: float = 1.0
) -> LatentBatch:
    """Latents after edits; those in Z come first, then those in W, then those in S.

    Each is applied where `network` reads it: in Z before its mapping network, in W to what it maps
    and truncates, in S to what its affine layers make.

    Args:
      network: that draws them.
      latents: to be edited.
      edits: in any order; those of one space are one shift.
      factor: share of the way.

    Returns:
      latents of the space of the last edit, or as they are without edits.

    Raises:
      UserError: as `check_edits`.
    """
    check_edits(network.config, latents, edits)
    for space in _ORDER:
        chosen = [edit for edit in edits if edit.space == space]
        if not chosen:
            continue
        if space == "z":
            latents = _moved(latents, "z", chosen, factor)
        elif space == "w":
            latents = _moved(latents.in_space(network, "w+"), "ws", chosen, factor)
        else:
            latents = _styles_moved(network, latents.styles(network), chosen, factor)
    return latents


def _moved(latents: LatentBatch, key: str, edits: Sequence[Edit], factor: float) -> LatentBatch:
    x = latents.arrays[key]
    if key == "z" and x.ndim == 2 and any(edit.rows is not None for edit in edits):
        raise UserError("z is the same for all rows; `layers` needs directions in w or s")
    moved = x + shifts(x, edits, _rows_differ(latents), factor)
    arrays = {**latents.arrays, key: moved.astype(np.float32)}
    return dataclasses.replace(latents, arrays=arrays)


def _rows_differ(latents: LatentBatch) -> bool:
    return space_of(latents.arrays) in ("z+", "w+")


def _styles_moved(
    network: Network, latents: LatentBatch, edits: Sequence[Edit], factor: float
) -> LatentBatch:
    arrays = dict(latents.arrays)
    for layer, step in style_shifts(network.config, edits, factor).items():
        key = f"styles/{layer}"
        arrays[key] = (arrays[key] + step).astype(np.float32)
    return dataclasses.replace(latents, arrays=arrays)
