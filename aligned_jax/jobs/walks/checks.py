"""What arguments of a walk mean together, looked at before any network is read."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.walks.centres import CentreSource
from aligned_jax.jobs.walks.names import OF_A_CHILD, PSI, SWAP, T2, is_number
from aligned_jax.jobs.walks.schedule import Schedule
from aligned_jax.latents import parse_rows, parse_seeds
from aligned_jax.loading import NetworkSource
from aligned_jax.utils.text import counted, listed

# What the curves of each space may be, the usual one first.
_CURVES = {"w": ("cubic", "linear"), "z": ("spherical",)}


def kind_of_way(space: str | None, path: str, curve: str | None, loop: bool) -> tuple[str, str]:
    """The space and the kind of curve; raises UserError unless they go together."""
    if path not in ("seeds", "circle"):
        raise UserError(f"path is {path!r:.40}; it is seeds or circle")
    if space is None:
        space = "z" if path == "circle" else "w"
    if space not in _CURVES:
        raise UserError(f"space is {space!r:.40}; a walk is in {' or '.join(_CURVES)}")
    if path == "circle":
        if space != "z":
            raise UserError("a circle is in z; leave `space` out")
        if not loop:
            raise UserError("a circle always closes; leave `loop=False` out")
    if curve is None:
        return space, "circle" if path == "circle" else _CURVES[space][0]
    if space == "z":
        raise UserError(
            f"curve is {curve!r:.40}, but in z a walk follows great circles; leave `curve` out, "
            "or walk in w"
        )
    if curve not in _CURVES[space]:
        raise UserError(
            f"curve is {curve!r:.40}; in w it is {' or '.join(_CURVES[space])}. A file of numbers "
            "is `curve_file`"
        )
    return space, curve


def keys_of_a_cell(seeds: int, across: int, down: int) -> int:
    """How many seeds each cell has; raises UserError unless they are equally many."""
    if across < 1 or down < 1:
        raise UserError(f"the grid is {across}x{down}; it has 1 or more cells across and down")
    cells = across * down
    if not seeds or seeds % cells:
        raise UserError(
            f"{counted(seeds, 'seed')} for {counted(cells, 'cell')}: every cell has equally many; "
            f"give {2 * cells}, {3 * cells} or another multiple of {cells}"
        )
    return seeds // cells


def with_psi(
    plan: Schedule, psi: float | None, cutoff: int | None, centre: CentreSource | None
) -> Schedule:
    """The schedule with a psi for every frame."""
    if psi is not None and PSI in plan.tracks:
        raise UserError("psi moves already; leave `psi` out")
    tracks = {PSI: np.full(len(plan), 1.0 if psi is None else float(psi)), **plan.tracks}
    if not all(map(is_number, tracks[PSI])):
        raise UserError(f"psi is {psi!r:.40}; it must be a finite number")
    if (tracks[PSI] == 1).all() and (centre is not None or cutoff is not None):
        given = "`centre`" if centre is not None else "`cutoff`"
        raise UserError(f"{given} is of truncation, and with psi 1 there is none; give `psi`")
    return dataclasses.replace(plan, tracks=tracks)


def held_seeds(
    mix: str | Sequence[int] | None, layers: str | Sequence[int] | None, cells: int
) -> tuple[Sequence[int], Sequence[int]] | None:
    """Seeds of `mix`, one for each cell, and rows of W+."""
    if mix is None and layers is None:
        return None
    if mix is None or layers is None:
        raise UserError("`mix` names the seeds and `mix_layers` the rows that come from them: both")
    seeds = parse_seeds(mix) if isinstance(mix, str) else [*mix]
    rows = parse_rows(layers) if isinstance(layers, str) else [*layers]
    if len(seeds) not in (1, cells):
        raise UserError(
            f"{counted(len(seeds), 'seed')} to mix for {counted(cells, 'cell')}; give 1 or {cells}"
        )
    return (seeds * cells if len(seeds) == 1 else seeds), rows


def check_child(plan: Schedule, child: NetworkSource | None, smooth: float | None) -> None:
    """Raises UserError for parameters without a child, or a child without parameters."""
    moved = [name for name in OF_A_CHILD if name in plan.tracks]
    if moved and child is None:
        raise UserError(f"{listed(moved)} lead to another network; name it with `child`")
    if child is not None and not moved:
        raise UserError("nothing leads to `child`; animate t1, t2 or swap")
    if T2 in moved and SWAP in moved:
        raise UserError("t2 and swap both decide whose weights draw; animate one of them")
    if smooth is not None and (SWAP not in moved or not 0 < smooth < np.inf):
        raise UserError("`smooth` is the width of the switch of swap, a number above 0")
