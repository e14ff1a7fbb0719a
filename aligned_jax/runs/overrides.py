"""Overrides of a run's config as they are typed: `--gan.r1-gamma 0.2 --data.mirror`.

The name has a dot and is that of one field of the config, however deeply nested it is
(tyro reads it).
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aligned_jax.data.options import DataOptions
from aligned_jax.errors import UserError
from aligned_jax.runs.config import RunConfig

_BOX = "╭╮╰╯│─"
# Given by options of their own, or decided by the data.
_FIXED = ("data.path", "gan.batch_size", "losses.batch_size", "start", "partial", "fingerprint")


@dataclass(frozen=True)
class _Data:
    data: DataOptions


def data_options(path: str, overrides: Sequence[str]) -> DataOptions:
    """Options of the data, which are needed before all others; UserError as `override`."""
    start = _Data(DataOptions(path))
    return override(start, [w for group in _groups(overrides, "data.") for w in group]).data


def override(config: Any, overrides: Sequence[str]) -> Any:
    """The config with the overrides in it.

    Raises:
      UserError: in one line, for an option that does not exist, a value of
        another type, or one that cannot be.
    """
    if not overrides:
        return config
    for group in _groups(overrides, ""):
        name = group[0].removeprefix("--").partition("=")[0].replace("-", "_")
        if name in _FIXED:
            raise UserError(f"{group[0]} cannot be overridden; {_INSTEAD[name]}")
    code, _, message, result = _parse(config, overrides)
    if code is None:
        return result
    raise UserError(_one_line(message))


def describe(config: RunConfig) -> str:
    """All overrides with their present values, as a help page."""
    return _parse(config, ["--help"])[1]


_INSTEAD = {
    "data.path": "use --data",
    "gan.batch_size": "use --batch",
    "losses.batch_size": "use --batch",
}


def _parse(config: Any, words: Sequence[str]) -> tuple[int | None, str, str, Any]:
    """(exit code or None, what went to stdout, to stderr, the result)."""
    import tyro

    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            result = tyro.cli(
                type(config), default=config, args=list(words), prog="aligned", use_underscores=True
            )
    except SystemExit as exit_:
        return int(exit_.code or 0), out.getvalue(), err.getvalue(), None
    return None, out.getvalue(), err.getvalue(), result


def _groups(overrides: Sequence[str], prefix: str) -> list[list[str]]:
    """Overrides whose names begin with `prefix`, each with its values."""
    groups: list[list[str]] = []
    for word in overrides:
        if word.startswith("--"):
            groups.append([])
        groups[-1].append(word)
    return [group for group in groups if group[0].startswith(f"--{prefix}")]


def _one_line(message: str) -> str:
    """What tyro says in a box, as one line."""
    lines = [line.strip(_BOX + " ") for line in message.splitlines()]
    useful = [line for line in lines[1:] if line.strip("-") and "helptext" not in line]
    return " ".join(useful)[:500] or "an override cannot be read"
