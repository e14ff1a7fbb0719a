"""Films of all that a page shows, while one of its sliders moves."""

import copy
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.data.opening import pixels_of
from aligned_jax.errors import UserError
from aligned_jax.viewer.engine import Engine
from aligned_jax.viewer.state import read_state
from aligned_jax.viewer.tasks import ViewTask
from aligned_jax.viz import figure
from aligned_jax.viz.webp import save_webp

FRAMES, MILLISECONDS = 120, 50  # the most from end to end; that a frame is shown
_SLIDER = re.compile(r"psi|pad\.[xy]|blend\.(t1|t2|smooth)|edits\.(\d{1,2})\.by")
_SAID = {
    "pad.x": "pad, across",
    "pad.y": "pad, down",
    "blend.t1": "t1 latents",
    "blend.t2": "t2 weights",
    "blend.smooth": "smoothness",
}
_SLIDERS = "psi, pad.x, pad.y, blend.t1, blend.t2, blend.smooth, edits.0.by, ..."


@dataclass(frozen=True)
class SlideRequest:
    """A film that a page asks for.

    Attributes:
      state: that is shown, as JSON.
      slider: of its numbers, like "psi" or "edits.0.by".
      start, end: between which it moves, in equal steps.
      frames: from one to the other.
      back: whether it returns; the film then closes without a repeated frame.
    """

    state: Mapping[str, Any]
    slider: str
    start: float
    end: float
    frames: int
    back: bool

    @property
    def values(self) -> list[float]:
        """Of the slider, frame by frame."""
        there = [float(value) for value in np.linspace(self.start, self.end, self.frames)]
        return there + there[-2:0:-1] if self.back else there

    @property
    def said(self) -> str:
        """What the slider is called on the page."""
        if not self.slider.startswith("edits."):
            return _SAID.get(self.slider, self.slider)
        return str(self.state["edits"][int(self.slider.split(".")[1])].get("name"))

    def at(self, value: float) -> dict[str, Any]:
        """The state with the slider at a value."""
        state = copy.deepcopy(dict(self.state))
        holder: Any = state
        *path, last = self.slider.split(".")
        for part in path:
            holder = holder[int(part) if part.isdigit() else part]
        holder[last] = value
        return state


def read_slide(given: Mapping[str, Any]) -> SlideRequest:
    """A request from JSON; UserError naming everything that is unknown or cannot be."""
    usual: dict[str, Any] = {"frames": 24, "back": True}
    needed = ("state", "slider", "start", "end")
    wrong = [f"{key} is unknown" for key in given if key not in (*needed, *usual)]
    wrong += [f"{key} is missing" for key in needed if key not in given]
    fields: dict[str, Any] = {**dict.fromkeys(needed), **usual, **given}
    for key in ("start", "end"):
        if type(fields[key]) not in (int, float) or not np.isfinite(fields[key]):
            wrong.append(f"{key} is a number")
    if type(fields["frames"]) is not int or not 2 <= fields["frames"] <= FRAMES:
        wrong.append(f"frames is a whole number from 2 to {FRAMES}")
    if not isinstance(fields["back"], bool):
        wrong.append("back is true or false")
    slider = fields["slider"]
    if not isinstance(slider, str) or not _SLIDER.fullmatch(slider):
        wrong.append(f"slider is one of {_SLIDERS}")
    if wrong:
        raise UserError("; ".join(wrong))
    request = SlideRequest(**{key: fields[key] for key in (*needed, *usual)})
    _check_there(request)
    for value in (request.start, request.end):
        read_state(request.at(value))
    return request


def slide_bytes(engine: Engine, request: SlideRequest, task: ViewTask) -> bytes:
    """The film as webp: the page's pictures in rows and columns, as it shows them.

    Raises:
      UserError: if a state on the way cannot be shown.
    """
    values = request.values
    first = engine.scene(read_state(request.at(values[0])))
    each = len(first.rows) * len(first.columns)

    def frames() -> Iterator[np.ndarray]:
        with task.progress(len(values) * each, "pictures") as advance:
            for value in values:
                scene = engine.scene(read_state(request.at(value)))
                pictures = []
                for cell in engine.cells(scene):
                    if cell.error:
                        raise UserError(f"{request.said} at {value:g}: {cell.error}")
                    pictures.append(pixels_of(cell.png))
                    advance(1)
                shown = np.stack(pictures)
                shape = (len(scene.rows), len(scene.columns), *shown.shape[1:])
                names = [group.latents.names[place] for group, place in scene.rows]
                title = f"{request.said} {value:.2f}"
                yield figure(shown.reshape(shape), scene.columns, names, title=title)

    buffer = io.BytesIO()
    save_webp(buffer, frames(), [MILLISECONDS] * len(values), lossless=True)
    return buffer.getvalue()


def _check_there(request: SlideRequest) -> None:
    """Raises UserError unless the state has what the slider moves."""
    state, parts = request.state, request.slider.split(".")
    if not isinstance(state, Mapping):
        raise UserError("state is what the page shows, by name")
    if parts[0] in ("pad", "blend") and not isinstance(state.get(parts[0]), Mapping):
        raise UserError(f"there is no {parts[0]} to move; show one first")
    if parts[0] == "edits":
        edits = state.get("edits")
        if not isinstance(edits, list) or int(parts[1]) >= len(edits):
            raise UserError(f"there is no edit {parts[1]} on the stack; add one first")
        if not isinstance(edits[int(parts[1])], Mapping):
            raise UserError(f"edit {parts[1]} is no edit")
