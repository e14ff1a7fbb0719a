"""Config dataclasses to plain JSON-able dictionaries and back, with every mistake named."""

import dataclasses
import types
import typing
from typing import Any

from aligned_jax.errors import ConfigError
from aligned_jax.utils.text import listed


def to_dict(config: Any) -> dict[str, Any]:
    """Plain JSON-able dictionary of a config dataclass; tuples become lists."""
    return _plain(dataclasses.asdict(config))


def from_dict(cls: type, values: dict[str, Any], where: str = "") -> Any:
    """Inverse of `to_dict`; missing fields take their defaults.

    Raises ConfigError naming every unknown field and every ill-typed value.
    """
    where = where or cls.__name__
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be an object, got {type(values).__name__}")
    hints = typing.get_type_hints(cls)
    known = {f.name for f in dataclasses.fields(cls)}
    unknown = sorted(str(key) for key in set(values) - known)
    required = {
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    missing = sorted(required - set(values))
    if unknown or missing:
        parts = [f"unknown: {listed(unknown)}"] * bool(unknown)
        parts += [f"missing: {listed(missing)}"] * bool(missing)
        raise ConfigError(f"{where}: {'; '.join(parts)}; known fields: {', '.join(sorted(known))}")
    return cls(
        **{key: _typed(hints[key], value, f"{where}.{key}") for key, value in values.items()}
    )


def _typed(hint: Any, value: Any, where: str) -> Any:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where)
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in options:
        return None
    if isinstance(value, list | tuple):
        if any(typing.get_origin(option) is tuple for option in options):
            return _numbers(value, where)
    elif isinstance(value, bool):
        if bool in options:
            return value
    elif isinstance(value, int) and {int, float} & set(options):
        if abs(value) >= 2**53:
            raise ConfigError(f"{where} is a number beyond 2**53")
        return value if int in options else float(value)
    elif isinstance(value, float | str) and type(value) in options:
        return value
    raise ConfigError(f"{where} is {value!r:.80}, which is not of type {hint}")


def _numbers(values: Any, where: str) -> tuple:
    """Lists of numbers, or lists of those, as tuples."""
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | list | tuple):
            raise ConfigError(f"{where} holds {value!r:.80}, which is not a number")
    return tuple(_numbers(v, where) if isinstance(v, list | tuple) else v for v in values)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
