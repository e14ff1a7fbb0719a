"""Values of arguments: what argparse calls their `type`."""

import argparse
import math
from collections.abc import Callable
from typing import Any

_FLOAT32_MAX = (2 - 2**-23) * 2.0**127


def finite(text: str) -> float:
    """A float from the command line; refuses nan, inf and what is infinite in float32."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= _FLOAT32_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Type of an argument that is a whole number from `least` on, or to `most`."""
    bound = "on" if most is None else f"to {most}"

    def parse(text: str) -> int:
        # Python converts no more than some thousands of digits.
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 100 else -1
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} {bound}")
        return value

    return parse


# JAX makes the same keys of larger seeds again, or none.
seed = whole(0, 2**32 - 1)


def name(text: str) -> str:
    """Type of an argument that names a file or folder; an empty one would mean this folder."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    return text


def list_of(parse: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """Type of an argument that is a list of values joined by commas."""
    return lambda text: [parse(part.strip()) for part in text.split(",")]
