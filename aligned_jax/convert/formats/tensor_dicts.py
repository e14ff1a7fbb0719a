"""Dictionaries of tensors, whichever code base named them and whatever was put around them."""

from collections.abc import Mapping
from typing import Any

from aligned_jax.convert.description import Description
from aligned_jax.convert.formats import encoders, rosinality, state_dicts, wrappers

Described = tuple[dict[str, Description], dict[str, Any]]


def read(value: Mapping[Any, Any], guess: bool = True) -> Described | None:
    """Networks of a dictionary by key, and facts on where they come from.

    None if it is nothing that any reader knows. Tensors under unknown names are taken for a
    state dict of the community port, the most common, unless `guess` is False. Raises
    FormatError for what is known and cannot be read.
    """
    value, warnings = wrappers.unwrapped(value)
    if encoders.is_checkpoint(value):
        described, source = encoders.read(value)
    elif _is_state_dict(value) and state_dicts.has_official_names(value):
        described, source = state_dicts.read(value)
    elif rosinality.is_checkpoint(value) and (guess or not _is_state_dict(value)):
        described, source = rosinality.read(value)
    else:
        return None
    return described, {**source, "warnings": source["warnings"] + warnings}


def _is_state_dict(value: Mapping[Any, Any]) -> bool:
    return all(hasattr(tensor, "numpy") for tensor in value.values())
