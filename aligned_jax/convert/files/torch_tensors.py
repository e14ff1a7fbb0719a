"""Tensors of a PyTorch file by name, whichever way it holds them."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from aligned_jax.convert.files import safetensors_file
from aligned_jax.convert.files.container import Loaded, read_pickle
from aligned_jax.convert.files.inert import Opaque, show
from aligned_jax.convert.files.tensor import LazyTensor, Tensor
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

# What TorchScript calls the classes of its programs, and its lists of numbers.
_SCRIPT = ("__torch__.", "torch.jit._pickle.")
_DEPTH, _OBJECTS = 32, 100_000


def read_tensors(path: str | os.PathLike) -> tuple[Mapping[str, Tensor], str]:
    """Tensors by dotted name, read when their `numpy()` is called, and the kind of file.

    Args:
      path: a state dictionary saved by torch (zip or older stream), also
        inside a dictionary of other things; a TorchScript archive, whose
        program is not looked at; or a safetensors file.

    Returns:
      The tensors, and "torch-zip", "torch-legacy", "torch-script", "pickle" or
      "safetensors".

    Raises:
      FormatError: beginning with the file's name, if it is damaged, mentions
        anything but tensors, or holds none.
    """
    loaded = None if safetensors_file.is_safetensors(path) else read_pickle(path)
    try:
        tensors = _tensors(loaded) if loaded else safetensors_file.read_tensors(path)[0]
        if not tensors:
            raise FormatError("it holds no tensors by name")
    except FormatError as error:
        raise FormatError(f"{os.path.basename(os.fspath(path))}: {error}") from None
    return tensors, loaded.container if loaded else "safetensors"


def _tensors(loaded: Loaded) -> Mapping[str, Tensor]:
    is_script = loaded.container == "torch-script"
    foreign = [
        name for name in loaded.unknown_globals if not (is_script and name.startswith(_SCRIPT))
    ]
    if foreign:
        raise FormatError(
            f"it mentions {listed(foreign)}, so it is no file of plain weights; nothing was run. "
            "Save a state dictionary instead: torch.save(network.state_dict(), FILE)"
        )
    return dict(_members(loaded.value)) if is_script else _state_dictionary(loaded.value)


def _state_dictionary(value: Any) -> dict[str, LazyTensor]:
    """The value itself, or the one of its items that names the most tensors."""
    candidates = [value, *value.values()] if isinstance(value, Mapping) else []
    dictionaries = [_named(candidate) for candidate in candidates if isinstance(candidate, Mapping)]
    return max(dictionaries, key=len, default={})


def _named(values: Mapping[Any, Any]) -> dict[str, LazyTensor]:
    items = values.items()
    return {k: v for k, v in items if isinstance(k, str) and isinstance(v, LazyTensor)}


def _members(root: Any) -> Iterator[tuple[str, LazyTensor]]:
    """Tensors of a tree of objects; each object once, by the names on the way to it."""
    pending, seen = [("", root, 0)], set()
    while pending:
        prefix, node, depth = pending.pop()
        if not isinstance(node, Opaque) or type(node.state) is not dict or id(node) in seen:
            continue
        seen.add(id(node))
        if depth > _DEPTH or len(seen) > _OBJECTS:
            raise FormatError(f"objects nest too deep at {show(prefix)}")
        for key, value in node.state.items():
            if isinstance(value, LazyTensor):
                yield f"{prefix}{key}", value
            else:
                pending.append((f"{prefix}{key}.", value, depth + 1))
