"""What a run folder tells in JSON, read with suspicion: every mistake is named by file and line."""

import math
import re
from collections.abc import Mapping
from typing import Any

from aligned_jax.errors import CheckpointError, FormatError
from aligned_jax.utils.reading import parse_json
from aligned_jax.utils.text import listed

_DEEPEST = 64  # levels of nesting; a run's own records have fewer than ten
_SCORE = re.compile(r"[A-Za-z0-9_-]{1,100}")  # names of scores become names of files


def shallow(value: Any, where: str) -> Any:
    """A JSON document as it is.

    Args:
      value: the document.
      where: what messages call it.

    Raises:
      FormatError: if it is nested more deeply than any record of a run.
    """
    level = [value]
    for _ in range(_DEEPEST):
        inner = [list(v.values()) if isinstance(v, dict) else v for v in level]
        level = [item for items in inner if isinstance(items, list) for item in items]
        if not level:
            return value
    raise FormatError(f"{where} cannot be read: it is nested too deeply")


def statistics(content: bytes, name: str) -> list[dict[str, Any]]:
    """Lines of `stats.jsonl`; one that was cut off at the end is left out.

    Args:
      content: of the file.
      name: of the file, for messages.

    Raises:
      CheckpointError: naming the lines that are damaged.
    """
    *texts, last = content.split(b"\n")
    lines, wrong = [], []
    for number, text in enumerate([*texts, last], 1):
        if not text.strip():
            continue
        try:
            lines.append(_line(text, f"line {number}"))
        except FormatError as error:
            if number <= len(texts):
                wrong.append(str(error))
    if wrong:
        raise CheckpointError(
            f"{name} is damaged: {listed(wrong, 4, '; ')}. The run's networks can still be used, "
            "and without such lines, which only curves are drawn from, it goes on"
        )
    return lines


def _line(text: bytes, where: str) -> dict[str, Any]:
    try:
        line = shallow(parse_json(text.decode("utf-8"), where), where)
    except UnicodeDecodeError:
        raise FormatError(f"{where} is not UTF-8") from None
    if mistake := _mistake(line):
        raise FormatError(f"{where} {mistake}")
    return line


def _mistake(line: dict[str, Any]) -> str:
    """What is wrong with a line of the statistics, in words; "" for nothing."""
    lacking = [field for field in ("kimg", "step", "timing") if field not in line]
    if lacking:
        return f"lacks {', '.join(lacking)}"
    wrong = [field for field in ("kimg", "step") if not _is_count(line[field])]
    timing, scores = line["timing"], line.get("scores", {})
    seconds = timing.get("total_seconds") if isinstance(timing, Mapping) else None
    if not _is_number(seconds):
        wrong.append("timing.total_seconds")
    if not isinstance(scores, Mapping) or not all(
        _SCORE.fullmatch(name) and _is_number(value) for name, value in scores.items()
    ):
        wrong.append("scores")
    return f"has no numbers in {', '.join(wrong)}" if wrong else ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_number(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and abs(value) < 2**53 and math.isfinite(value)
