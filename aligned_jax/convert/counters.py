"""Numbers that training scripts keep among the tensors of a network, such as epochs."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aligned_jax.convert.files.inert import show
from aligned_jax.utils.text import listed

_SHAPES = ((), (1,))
_PARTS = {"", "synthesis", "mapping"}  # of a network; what stands directly in them is in no layer
# In a block of a certain resolution, or called as the parameters of layers are.
_OF_A_LAYER = re.compile(r"(^|/)\d+x\d+/|(^|\.)b\d+\.|(^|[./])(weight|bias|w|b)$")
_INTEGERS = ("bool", "int8", "int16", "int32", "int64", "uint8")


def counters(
    tensors: Mapping[str, Any], strange: Iterable[str], known: Collection[str]
) -> list[str]:
    """Names out of `strange` that belong to no layer and hold a single number.

    Args:
      tensors: lazy tensors by name.
      strange: names that no StyleGAN2 has.
      known: names that it has. A number beside one of them, in the same layer, or in a
        block of some resolution may be part of what is computed, unless it is a whole number.
    """
    layers = {_layer(name) for name in known} - _PARTS
    return [
        name
        for name in strange
        if tuple(tensors[name].shape) in _SHAPES
        and (
            str(tensors[name].dtype) in _INTEGERS
            or not (_layer(name) in layers or _OF_A_LAYER.search(name))
        )
    ]


def warning(key: str, names: Iterable[str]) -> str:
    """What is said when they are left out."""
    return f"{key}: single numbers that no layer uses were left out: {listed(map(show, names))}"


def _layer(name: str) -> str:
    """What stands before the last dot or slash."""
    return max(name.rpartition(".")[0], name.rpartition("/")[0], key=len)
