"""Attributes of many pictures as columns of numbers, whose kinds are deduced from the values."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.config.attributes import KINDS
from aligned_jax.errors import UserError
from aligned_jax.utils.text import counted, listed

# Numbers that change their sign when left and right are exchanged.
ODD = ("roll", "yaw")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0", "-1")
_UNKNOWN = ("", "unknown", "?", "nan", "none given")
_COLOUR = re.compile("#([0-9a-fA-F]{6})")
_MOST_VALUES = 200


@dataclass(frozen=True, eq=False)
class AttributeColumn:
    """One attribute of N pictures.

    Attributes:
      name: of the attribute.
      kind: "binary", "category", "colour" or "number".
      values: names of the categories, sorted; () for other kinds.
      labels: float32 [N]: 0 or 1, number of the category, or the number itself; of colours RGB in
        [0, 1] [N, 3]. NaN where it is not known.
    """

    name: str
    kind: str
    values: tuple[str, ...]
    labels: np.ndarray

    @property
    def varies(self) -> bool:
        """Whether two pictures differ in it."""
        known = self.labels[self.known]
        return len(known) > 1 and bool((known != known[0]).any())

    @property
    def known(self) -> np.ndarray:
        """For which pictures it is known, bool [N]."""
        return np.isfinite(self.labels.reshape(len(self.labels), -1)).all(axis=1)

    def take(self, rows: np.ndarray) -> "AttributeColumn":
        """The column of some pictures alone."""
        return AttributeColumn(self.name, self.kind, self.values, self.labels[rows])

    def says_the_same(self, other: "AttributeColumn") -> bool:
        """Whether either can be told from the other wherever both are known."""
        if (self.kind == "category") != (other.kind == "category"):
            return False
        both = self.known & other.known
        if not both.any() or (self.known != other.known).any():
            return False
        mine, its = self.labels[both], other.labels[both]
        if self.kind != "category":
            return mine.shape == its.shape and bool((mine == its).all())
        return len({*zip(mine, its, strict=True)}) == len({*mine}) == len({*its})


def columns(
    table: Mapping[str, Sequence[Any]],
    kinds: Mapping[str, str] | None = None,
    categories: Sequence[str] = (),
) -> dict[str, AttributeColumn]:
    """Columns of all attributes.

    Args:
      table: values by attribute: texts, numbers, RGB in [0, 1] of three numbers (-1 where there
        is none), or None where not known.
      kinds: of attributes for which they are not to be deduced.
      categories: attributes whose texts are names, though they may look like numbers.

    Raises:
      UserError: naming all attributes whose values are not of their kind, and unknown kinds.
    """
    kinds = dict(kinds or {})
    wrong = [f"no attribute {name}" for name in kinds if name not in table]
    wrong += [f"{name} is no {kind!r:.20}" for name, kind in kinds.items() if kind not in KINDS]
    if wrong:
        raise UserError(
            f"kinds of attributes: {listed(wrong)}; attributes are {listed(table, 60)}, and kinds "
            f"{', '.join(KINDS)}"
        )
    found: dict[str, AttributeColumn] = {}
    for name, raw in table.items():
        plain = [_plain(value) for value in raw]
        usual = "category" if name in categories and not _is_binary(plain) else None
        kind = kinds.get(name) or usual or _kind(plain)
        try:
            found[name] = _column(name, kind, plain)
        except ValueError as error:
            wrong.append(f"{name} as {kind}: {error}")
    if wrong:
        raise UserError(f"values that cannot be read: {listed(wrong, separator='; ')}")
    return found


def _plain(value: Any) -> Any:
    """None where a value is not known; texts without spaces around them."""
    if isinstance(value, str):
        text = value.strip()
        return None if text.lower() in _UNKNOWN else text
    if isinstance(value, np.ndarray):
        return None if (value < 0).any() or not np.isfinite(value).all() else tuple(value)
    return value


def _kind(values: Sequence[Any]) -> str:
    known = [value for value in values if value is not None]
    if any(isinstance(value, tuple) for value in known):
        return "colour"
    if _is_binary(values):
        return "binary"
    if known and all(isinstance(v, str) and _COLOUR.fullmatch(v) for v in known):
        return "colour"
    return "number" if all(map(_is_number, known)) else "category"


def _is_binary(values: Sequence[Any]) -> bool:
    """Whether values are yes and no, or two of 1, 0 and -1."""
    texts = {_text(value) for value in values if value is not None}
    return 0 < len(texts) <= 2 and texts <= {*_YES, *_NO}


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower()


def _is_number(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False


def _column(name: str, kind: str, values: Sequence[Any]) -> AttributeColumn:
    """ValueError says which values are not of the kind."""
    if kind == "category":
        names = sorted({str(value) for value in values if value is not None})
        if len(names) > _MOST_VALUES:
            raise ValueError(f"{counted(len(names), 'value')}, more than {_MOST_VALUES}")
        place = {value: float(k) for k, value in enumerate(names)}
        labels = [np.nan if value is None else place[str(value)] for value in values]
        return AttributeColumn(name, kind, tuple(names), np.asarray(labels, np.float32))
    readers: dict[str, Callable[[Any], Any]] = {"binary": _yes, "colour": _rgb, "number": float}
    read = readers[kind]
    unknown: Any = (np.nan,) * 3 if kind == "colour" else np.nan
    labels, wrong = [], []
    for value in values:
        try:
            labels.append(unknown if value is None else read(value))
        except (TypeError, ValueError):
            wrong.append(f"{value!r:.40}")
    if wrong:
        raise ValueError(listed(dict.fromkeys(wrong), 4))
    return AttributeColumn(name, kind, (), np.asarray(labels, np.float32))


def _yes(value: Any) -> float:
    text = _text(value)
    if text not in (*_YES, *_NO):
        raise ValueError
    return float(text in _YES)


def _rgb(value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        match = _COLOUR.fullmatch(value)
        if not match:
            raise ValueError
        return tuple(number / 255 for number in bytes.fromhex(match[1]))
    if not isinstance(value, tuple) or len(value) != 3:
        raise ValueError
    return tuple(float(number) for number in value)
