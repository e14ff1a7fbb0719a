"""Config dataclasses to plain JSON-able dictionaries and back, with every mistake named.

The dataclasses' own annotations are the schema: what comes out of `from_dict` has, down to
the last number of a tuple, the types that the fields declare, whatever the document held.
Ranges are the business of the dataclasses, which check them when they are made.
"""

import contextlib
import dataclasses
import math
import types
import typing
from typing import Any

from aligned_jax.errors import ConfigError
from aligned_jax.utils.text import listed

_LARGEST = 2**53  # beyond it, JSON of other programs loses digits
_LONGEST = 4096  # entries of a tuple or dictionary


def to_dict(config: Any) -> dict[str, Any]:
    """Plain JSON-able dictionary of a config dataclass; tuples become lists."""
    return _plain(dataclasses.asdict(config))


def from_dict(cls: type, values: dict[str, Any], where: str = "") -> Any:
    """Inverse of `to_dict`; missing fields take their defaults.

    Raises:
      ConfigError: naming every unknown, missing or ill-typed field, or what the dataclass
        itself finds wrong.
    """
    where = where or cls.__name__
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be an object, got {type(values).__name__}")
    fields = dataclasses.fields(cls)
    known = {f.name for f in fields}
    unknown = sorted(f"{key:.80}" for key in set(values) - known)
    required = {
        f.name
        for f in fields
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    missing = sorted(required - set(values))
    if unknown or missing:
        parts = [f"unknown: {listed(unknown)}"] * bool(unknown)
        parts += [f"missing: {listed(missing)}"] * bool(missing)
        raise ConfigError(f"{where}: {'; '.join(parts)}; known fields: {', '.join(sorted(known))}")
    hints = typing.get_type_hints(cls)
    made, wrong = {}, []
    for key, value in values.items():
        try:
            made[key] = _typed(hints[key], value, f"{where}.{key}")
        except ConfigError as error:
            wrong.append(str(error))
    if wrong:
        raise ConfigError("; ".join(wrong))
    return cls(**made)


def _typed(hint: Any, value: Any, where: str) -> Any:
    """`value` as what a field of type `hint` takes; ConfigError if it is nothing like it."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _one_of(hint, arguments, value, where)
    if origin is typing.Literal and type(value) is str and value in arguments:
        return value
    if origin is tuple and isinstance(value, list | tuple):
        return _tuple(hint, arguments, value, where)
    if origin is dict and isinstance(value, dict) and len(value) <= _LONGEST:
        return {
            key: _typed(arguments[1], item, f"{where}.{key:.80}") for key, item in value.items()
        }
    if hint in (bool, str, type(None)) and type(value) is hint:
        return value
    if hint in (int, float) and type(value) in (int, hint):
        return _number(hint, value, where)
    raise ConfigError(f"{where} is {_shown(value)}, which is not of type {_name(hint)}")


def _one_of(hint: Any, options: tuple[Any, ...], value: Any, where: str) -> Any:
    """`value` as the first of several types that takes it."""
    if value is None and type(None) in options:
        return None
    real = [option for option in options if option is not type(None)]
    if len(real) == 1:
        return _typed(real[0], value, where)
    for option in sorted(real, key=lambda option: option is float):  # whole numbers stay so
        with contextlib.suppress(ConfigError):
            return _typed(option, value, where)
    raise ConfigError(f"{where} is {_shown(value)}, which is not of type {_name(hint)}")


def _tuple(hint: Any, arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    endless = len(arguments) == 2 and arguments[1] is Ellipsis
    if len(value) > _LONGEST:
        raise ConfigError(f"{where} has {len(value)} entries, more than anything here has")
    if not endless and len(value) != len(arguments):
        raise ConfigError(f"{where} has {len(value)} entries; it needs {len(arguments)}")
    hints = [arguments[0]] * len(value) if endless else arguments
    entries = zip(hints, value, strict=True)
    return tuple(_typed(h, item, f"{where}[{i}]") for i, (h, item) in enumerate(entries))


def _number(hint: type, value: int | float, where: str) -> int | float:
    if isinstance(value, int) and abs(value) >= _LARGEST:
        raise ConfigError(f"{where} is a number beyond 2**53")
    if not math.isfinite(value):
        raise ConfigError(f"{where} is {value}; it must be a finite number")
    return hint(value)


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python does not print numbers of thousands of digits
        return "a number of thousands of digits"


def _name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
