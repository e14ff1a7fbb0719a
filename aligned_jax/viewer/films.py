"""Films through pinned latents, and the commands that make the same."""

import dataclasses
import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.morphs import morph
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.viewer.engine import Engine
from aligned_jax.viewer.rows import row_groups
from aligned_jax.viewer.state import read_state
from aligned_jax.viewer.tasks import ViewTask

PINS, FRAMES = 24, 240  # the most; frames from a pin to the next
PINS_FILE = "pins.npz"


@dataclass(frozen=True)
class FilmRequest:
    """A film that a page asks for.

    Attributes:
      pins: states of one row each; edits and blends in them do not count.
      first, last: numbers of the columns that draw the first and the last pin.
      frames: from a pin to the next.
      loop: whether it goes on to the first pin.
      scale: a pixel becomes a square of so many.
    """

    pins: tuple[Mapping[str, Any], ...]
    first: int
    last: int
    frames: int
    loop: bool
    scale: int


def read_film(given: Mapping[str, Any], columns: int) -> FilmRequest:
    """A request from JSON; UserError naming everything that is unknown or cannot be."""
    usual: dict[str, Any] = {"first": 0, "last": 0, "frames": 24, "loop": True, "scale": 4}
    wrong = [f"{key} is unknown" for key in given if key not in ("pins", *usual)]
    fields = usual | dict(given)
    most = {"first": columns - 1, "last": columns - 1, "frames": FRAMES, "scale": 16}
    least = {"frames": 2, "scale": 1}
    for key, end in most.items():
        if type(fields[key]) is not int or not least.get(key, 0) <= fields[key] <= end:
            wrong.append(f"{key} is a whole number from {least.get(key, 0)} to {end}")
    if not isinstance(fields["loop"], bool):
        wrong.append("loop is true or false")
    pins = fields.get("pins")
    if not isinstance(pins, list) or not 2 <= len(pins) <= PINS:
        wrong.append(f"a film goes through 2 to {PINS} pins")
    if wrong:
        raise UserError("; ".join(wrong))
    return FilmRequest(**{**fields, "pins": tuple(pins or ())})


def pinned(engine: Engine, request: FilmRequest) -> LatentBatch:
    """The latents of all pins: as they are if all are in z at one psi, or else w of the parent.

    Raises:
      UserError: if a pin is no single row.
    """
    parent, rows = engine.family.parent, list[LatentBatch]()
    for place, pin in enumerate(request.pins):
        groups = row_groups(read_state(pin), parent, engine.pictures)
        if len(groups) != 1 or len(groups[0].latents) != 1:
            raise UserError(f"pins[{place}] is no single row: one seed, a pad, or one picture")
        rows.append(groups[0].latents)
    alike = {
        (frozenset(one.arrays), one.psi, one.arrays["z"].shape[1:]) for one in rows if one.in_z
    }
    if len(alike) != 1 or not all(one.in_z for one in rows):
        rows = [one.in_space(parent, "w+") for one in rows]
        rows = [dataclasses.replace(one, arrays={"ws": one.arrays["ws"]}) for one in rows]
    arrays = {key: np.concatenate([one.arrays[key] for one in rows]) for key in rows[0].arrays}
    names = tuple(f"pin {place}" for place in range(len(rows)))
    return LatentBatch(arrays, names, np.arange(len(rows), dtype=np.uint32), rows[0].psi)


def film_bytes(engine: Engine, request: FilmRequest, latents: LatentBatch, task: ViewTask) -> bytes:
    """The film as webp. It is drawn without the engine's lock: pages go on meanwhile."""
    networks = list(engine.family.networks.values())
    first = networks[request.first]
    child = None if request.last == request.first else networks[request.last]
    film = morph(
        first,
        child,
        latents,
        psi=latents.psi if latents.in_z else None,
        frames=request.frames,
        easing="linear",
        hold=0,
        loop=request.loop,
        scale=request.scale,
        batch=1,
        report=task,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.webp"
        film.write(path, report=task)
        return path.read_bytes()


def film_command(engine: Engine, request: FilmRequest, latents: LatentBatch) -> str:
    """The line that makes the same film of the saved pins; empty for networks in memory."""
    sources = engine.family.sources
    chosen = [sources[request.first]]
    chosen += [] if request.last == request.first else [sources[request.last]]
    if None in chosen:
        return ""
    words = ["aligned", "morph", *map(str, chosen), PINS_FILE]
    words += ["--psi", repr(latents.psi)] if latents.in_z else []
    words += ["--frames", str(request.frames), "--easing", "linear", "--hold", "0"]
    words += ["--loop"] if request.loop else []
    words += ["--scale", str(request.scale), "--batch", "1"]
    words += ["--network-key", engine.family.key] if engine.family.key != "G_ema" else []
    return shlex.join([*words, "--out", "film.webp"])
