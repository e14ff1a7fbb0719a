"""What an edit of the stack moves, as readers see it: its target, and what leaks beside it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.rendering.draw import render
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.semantics.leakage import score_leakage
from aligned_jax.utils.reporting import Advance
from aligned_jax.viewer.engine import Engine, Scene
from aligned_jax.viewer.family import BLEND
from aligned_jax.viewer.kept import Kept
from aligned_jax.viewer.state import read_state
from aligned_jax.viewer.tasks import ViewTask

PICTURES = 48  # random ones of a network, over which deviations of scores are taken
_OTHERS = 4  # that are named

Deviations = Kept[dict[str, float]]


@dataclass(frozen=True)
class MovesRequest:
    """What a page asks for.

    Attributes:
      state: that is shown, as JSON.
      edit: number of the edit on the stack.
      target: the score that it is for; None is the one that it moves most in the parent.
    """

    state: Mapping[str, Any]
    edit: int
    target: str | None

    def switched(self, on: bool) -> dict[str, Any]:
        """The state with this edit on or off."""
        edits = [dict(one) for one in self.state["edits"]]
        edits[self.edit]["on"] = on
        return {**self.state, "edits": edits}


def read_moves(given: Mapping[str, Any], engine: Engine) -> MovesRequest:
    """A request from JSON; UserError naming everything that is unknown or cannot be."""
    known = {name for reader in engine.readers for name in reader.names or ()}
    named = all(reader.names is not None for reader in engine.readers)
    if not engine.readers:
        raise UserError("no reader was given; start the page with --reader zoo:people-reader")
    wrong = [f"{key} is unknown" for key in given if key not in ("state", "edit", "target")]
    edit, target = given.get("edit"), given.get("target")
    edits = read_state(given.get("state")).edits
    if type(edit) is not int or not 0 <= edit < len(edits):
        wrong.append(f"edit is {edit!r:.40}; it is the number of one of {len(edits)} on the stack")
    if target is not None and (not isinstance(target, str) or (named and target not in known)):
        wrong.append(f"target is {target!r:.40}; readers know {', '.join(sorted(known))}")
    if wrong:
        raise UserError("; ".join(wrong))
    return MovesRequest(given["state"], int(edit or 0), target)


def moves(
    engine: Engine, request: MovesRequest, task: ViewTask, *, known: Deviations
) -> dict[str, Any]:
    """How far the edit moves scores of the pictures that are shown, column by column.

    Args:
      engine: that draws.
      request: what is asked.
      task: hears of every picture.
      known: deviations that were measured before, and will be kept.

    Returns:
      JSON-able: `target`; and `columns`, of each its `name`, `change` of the target, `leakage` (the
      mean change of all other scores over that of the target; None where the target does not
      move) and `others`, names and changes of those that move most. Changes are means over the
      rows, in deviations of the score over random pictures of the same network.

    Raises:
      UserError: if a state cannot be shown, or its pictures drawn.
    """
    scenes = [engine.scene(read_state(request.switched(on))) for on in (True, False)]
    columns = range(len(scenes[0].columns))
    keys = [_key(scenes[0], column) for column in columns]
    total = PICTURES * sum(known.find(key) is None for key in keys)
    total += 2 * len(scenes[0].rows) * len(columns)
    with task.progress(total, "pictures") as advance:
        after, before = ([_shown(engine, one, k, advance) for k in columns] for one in scenes)
        spread = []
        for column, key in enumerate(keys):
            measure = functools.partial(_deviations, engine, scenes[0], column, advance)
            spread.append(known.get(key, measure))
    changes = [
        {name: float(np.mean(now[name] - was[name])) / max(far[name], 1e-12) for name in now}
        for now, was, far in zip(after, before, spread, strict=True)
    ]
    target = request.target or max(changes[0], key=lambda name: abs(changes[0][name]))
    if target not in changes[0]:
        raise UserError(f"target is {target!r:.40}; readers know {', '.join(changes[0])}")
    told = []
    for column, change in enumerate(changes):
        others = sorted((name for name in change if name != target), key=lambda n: -abs(change[n]))
        try:
            [leaks] = score_leakage(target, [before[column], after[column]], spread[column])
        except UserError:  # it does not move the target
            leaks = None
        told.append(
            {
                "name": scenes[0].columns[column],
                "change": change[target],
                "leakage": None if leaks is None else float(leaks),
                "others": [[name, change[name]] for name in others[:_OTHERS]],
            }
        )
    return {"target": target, "columns": told}


def _shown(engine: Engine, scene: Scene, column: int, advance: Advance) -> dict[str, np.ndarray]:
    """Scores of a column's pictures, [rows] each."""
    rows = []
    for row, (group, place) in enumerate(scene.rows):
        cell = engine.cell(scene, column, row, group, place)
        if cell.error:
            raise UserError(cell.error)
        rows.append(cell.read)
        advance(1)
    return {name: np.asarray([one[name] for one in rows], np.float64) for name in rows[0]}


def _deviations(engine: Engine, scene: Scene, column: int, advance: Advance) -> dict[str, float]:
    """Standard deviations of scores over random pictures of a column's network, unedited."""
    state, network = scene.state, engine.network(scene, column)
    latents = latents_of_seeds(network.config, range(PICTURES), state.label, state.psi)
    rows = []
    for place in range(PICTURES):
        with engine.lock:  # one by one, so that the page goes on
            rows.append(engine.read(render(network, latents.take([place]), scene.options)))
        advance(1)
    return {name: float(np.std([one[name] for one in rows])) for name in rows[0]}


def _key(scene: Scene, column: int) -> tuple[object, ...]:
    """All that decides the deviations of a column."""
    state, name = scene.state, scene.columns[column]
    made = state.blend.weights if state.blend and name == BLEND else None
    return name, made, state.label, state.psi, scene.options
