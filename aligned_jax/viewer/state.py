"""What the page shows, in full: read from JSON, every field of it checked.

A state holds no file names: directions, pictures and networks are named by what the command line
gave or the session made.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aligned_jax.errors import UserError
from aligned_jax.rendering.pasting import FEATHER
from aligned_jax.utils.text import listed
from aligned_jax.weights import COMPONENTS

ROWS, EDITS, PICTURES = 9, 24, 9  # the most of each
_SEED_END = 2**32
_NOISES, _SPACES, _SIDES = ("const", "none", "random"), ("z", "w"), ("parent", "child")
_FURTHEST = 1e4  # of strengths and weights


@dataclass(frozen=True)
class Pad:
    """A point between the latents of four seeds.

    Attributes:
      seeds: top left, top right, bottom left, bottom right.
      x, y: from 0 to 1, right and down.
      space: "z", or "w": the parent's.
    """

    seeds: tuple[int, ...]
    x: float
    y: float
    space: str = "z"


@dataclass(frozen=True)
class Blend:
    """A network made of the parent and a child; what is left out does nothing.

    First components are reset, then layers swapped, then all weights interpolated.

    Attributes:
      child: number of its column.
      reset: components that are the parent's.
      reset_at: only in blocks of these resolutions; () for all.
      swap: last resolution that the coarse network draws; None swaps nothing.
      coarse: who draws the coarse layers, "parent" or "child".
      smooth: width of the switch in layers; None is a hard one.
      t2: share of the child's weights.
      t1: share of the child in the latents w; None leaves the mapping to the blend itself.
    """

    child: int
    reset: tuple[str, ...] = ()
    reset_at: tuple[int, ...] = ()
    swap: int | None = None
    coarse: str = "parent"
    smooth: float | None = None
    t2: float = 1.0
    t1: float | None = None

    @property
    def weights(self) -> tuple[Any, ...]:
        """All that decides its weights."""
        return (
            *(self.child, self.reset, self.reset_at, self.swap, self.coarse),
            *(self.smooth, self.t2),
        )


@dataclass(frozen=True)
class StackedEdit:
    """One edit of the stack.

    Attributes:
      name: a style channel ("15_45"), or a direction that the session knows.
      by: strength in sigmas of the parent.
      layers: rows of W+ that move; None for the direction's own.
      on: whether it counts.
    """

    name: str
    by: float
    layers: tuple[int, ...] | None = None
    on: bool = True


@dataclass(frozen=True)
class Paste:
    """Faces of uploads go back into their photographs.

    Attributes:
      feather: width of the seam in sides of the square, from 0 to 0.5.
    """

    feather: float = FEATHER


@dataclass(frozen=True)
class ViewState:
    """All that decides the pictures of a page.

    Attributes:
      seeds: one row each.
      psi: truncation of z, and of w between the corners of a pad.
      label: class of conditional networks.
      noise: "const", "none" or "random".
      noise_seed: of random noise.
      pad: one more row, or None.
      pictures: uploads that are shown, one more row each.
      blend: one more column, or None.
      edits: of all columns.
      paste: photographs with the faces of all columns in their places, or None.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    psi: float = 0.7
    label: int | None = None
    noise: str = "const"
    noise_seed: int = 0
    pad: Pad | None = None
    pictures: tuple[str, ...] = ()
    blend: Blend | None = None
    edits: tuple[StackedEdit, ...] = field(default=())
    paste: Paste | None = None

    @property
    def active(self) -> tuple[StackedEdit, ...]:
        """The edits that are on."""
        return tuple(edit for edit in self.edits if edit.on)


def read_state(given: Any) -> ViewState:
    """The state that JSON describes.

    Args:
      given: what `json.loads` returned: the fields of `ViewState` by name, any of which may be
        left out.

    Raises:
      UserError: naming every field that is unknown, or not as it should be.
    """
    reader = _Reader()
    state = reader.state(given)
    if reader.wrong:
        raise UserError(f"this state cannot be shown: {'; '.join(reader.wrong)}")
    return state


class _Reader:
    """Takes values out of JSON and keeps a sentence for each that cannot be."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def state(self, given: Any) -> ViewState:
        usual = ViewState()
        fields = self._object("the state", given, vars(usual))
        seeds = self._numbers("seeds", fields.get("seeds", list(usual.seeds)), ROWS)
        pad = fields.get("pad")
        if not seeds and pad is None and not fields.get("pictures"):
            self.wrong.append("seeds are empty; give one or more, a pad, or pictures")
        return ViewState(
            seeds=seeds,
            psi=self._real("psi", fields.get("psi", usual.psi)),
            label=self._perhaps_whole("label", fields.get("label"), 10**6),
            noise=self._one_of("noise", fields.get("noise", usual.noise), _NOISES),
            noise_seed=self._whole("noise_seed", fields.get("noise_seed", 0), _SEED_END),
            pad=None if pad is None else self._pad(pad),
            pictures=self._words("pictures", fields.get("pictures", []), PICTURES),
            blend=None if fields.get("blend") is None else self._blend(fields["blend"]),
            edits=self._edits(fields.get("edits", [])),
            paste=None if fields.get("paste") is None else self._paste(fields["paste"]),
        )

    def _pad(self, given: Any) -> Pad:
        fields = self._object("pad", given, ("seeds", "x", "y", "space"))
        seeds = self._numbers("pad.seeds", fields.get("seeds", []), 4)
        if len(seeds) != 4:
            self.wrong.append(f"pad.seeds has {len(seeds)} seeds; it has 4 corners")
        x, y = (self._real(f"pad.{key}", fields.get(key, 0.5), 0, 1) for key in "xy")
        return Pad(seeds, x, y, self._one_of("pad.space", fields.get("space", "z"), _SPACES))

    def _blend(self, given: Any) -> Blend:
        fields = self._object("blend", given, Blend.__dataclass_fields__)
        swap, smooth, t1 = (fields.get(key) for key in ("swap", "smooth", "t1"))
        reset = self._words("blend.reset", fields.get("reset", []), len(COMPONENTS))
        if unknown := [name for name in reset if name not in COMPONENTS]:
            told = f"blend.reset names {listed(unknown)}; components are {', '.join(COMPONENTS)}"
            self.wrong.append(told)
        return Blend(
            child=self._whole("blend.child", fields.get("child"), 100),
            reset=reset,
            reset_at=self._numbers("blend.reset_at", fields.get("reset_at", []), 12),
            swap=self._perhaps_whole("blend.swap", swap, 2**14),
            coarse=self._one_of("blend.coarse", fields.get("coarse", "parent"), _SIDES),
            smooth=None if smooth is None else self._real("blend.smooth", smooth, 0),
            t2=self._real("blend.t2", fields.get("t2", 1.0)),
            t1=None if t1 is None else self._real("blend.t1", t1),
        )

    def _paste(self, given: Any) -> Paste:
        fields = self._object("paste", given, ("feather",))
        return Paste(self._real("paste.feather", fields.get("feather", FEATHER), 0, 0.5))

    def _edits(self, given: Any) -> tuple[StackedEdit, ...]:
        if not isinstance(given, list) or len(given) > EDITS:
            self.wrong.append(f"edits are a list of at most {EDITS}")
            return ()
        return tuple(self._edit(f"edits[{place}]", one) for place, one in enumerate(given))

    def _edit(self, name: str, given: Any) -> StackedEdit:
        fields = self._object(name, given, ("name", "by", "layers", "on"))
        layers, on = fields.get("layers"), fields.get("on", True)
        if not isinstance(on, bool):
            self.wrong.append(f"{name}.on is {on!r:.40}; it is true or false")
        rows = None if layers is None else self._numbers(f"{name}.layers", layers, 40)
        [word] = self._words(f"{name}.name", [fields.get("name")], 1) or ("",)
        return StackedEdit(word, self._real(f"{name}.by", fields.get("by")), rows, bool(on))

    def _object(self, name: str, given: Any, known: Any) -> Mapping[str, Any]:
        if not isinstance(given, dict):
            self.wrong.append(f"{name} is {given!r:.40}; it is an object")
            return {}
        if unknown := [key for key in given if key not in known]:
            self.wrong.append(f"{name} has no field {listed(unknown)}; it has {', '.join(known)}")
        return given

    def _real(
        self, name: str, value: Any, least: float = -math.inf, most: float = math.inf
    ) -> float:
        number = type(value) in (int, float) and abs(value) <= _FURTHEST
        if not number or not least <= value <= most:
            bounds = f" from {least:g} to {most:g}" if least > -math.inf else ""
            self.wrong.append(f"{name} is {value!r:.40}; it is a number{bounds}")
            return 0.0
        return float(value)

    def _whole(self, name: str, value: Any, end: int) -> int:
        if type(value) is not int or not 0 <= value < end:
            self.wrong.append(f"{name} is {value!r:.40}; it is a whole number from 0 to {end - 1}")
            return 0
        return value

    def _perhaps_whole(self, name: str, value: Any, end: int) -> int | None:
        return None if value is None else self._whole(name, value, end)

    def _numbers(self, name: str, value: Any, most: int) -> tuple[int, ...]:
        if not isinstance(value, list) or len(value) > most:
            self.wrong.append(f"{name} is {value!r:.40}; it is a list of at most {most}")
            return ()
        return tuple(self._whole(f"{name}[{k}]", one, _SEED_END) for k, one in enumerate(value))

    def _words(self, name: str, value: Any, most: int) -> tuple[str, ...]:
        fine = isinstance(value, list) and len(value) <= most
        if not fine or not all(isinstance(one, str) and 0 < len(one) <= 200 for one in value):
            self.wrong.append(f"{name} is {value!r:.40}; it is a list of at most {most} words")
            return ()
        return tuple(value)

    def _one_of(self, name: str, value: Any, known: tuple[str, ...]) -> str:
        if value not in known:
            self.wrong.append(f"{name} is {value!r:.40}; it is {', '.join(known)}")
            return known[0]
        return str(value)
