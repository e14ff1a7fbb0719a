"""TensorFlow variables to official PyTorch tensors: names and transforms."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aligned_jax.convert.description import Derived
from aligned_jax.convert.files.tensor import Tensor


def _dense(array: np.ndarray) -> np.ndarray:
    return array.T


def _kernel(array: np.ndarray) -> np.ndarray:
    return array.transpose(3, 2, 0, 1)


def _turned_kernel(array: np.ndarray) -> np.ndarray:
    return array[::-1, ::-1].transpose(3, 2, 0, 1)


def _plus_one(array: np.ndarray) -> np.ndarray:
    return array + np.float32(1)


def _without_batch(array: np.ndarray) -> np.ndarray:
    return array[0]


def _plane(array: np.ndarray) -> np.ndarray:
    return array[0, 0]


# Kind of variable -> official name within its layer, rank and transform.
_Rule = tuple[str, int, Callable[[np.ndarray], np.ndarray]] | tuple[str, None, None]
_PLAIN: dict[str, _Rule] = {"bias": ("bias", None, None)}
_DENSE: dict[str, _Rule] = {"weight": ("weight", 2, _dense), **_PLAIN}
_CONV: dict[str, _Rule] = {"weight": ("weight", 4, _kernel), **_PLAIN}
_STYLED: dict[str, _Rule] = {
    **_CONV,
    "noise_strength": ("noise_strength", None, None),
    "mod_weight": ("affine.weight", 2, _dense),
    "mod_bias": ("affine.bias", 1, _plus_one),
}
_TURNED: dict[str, _Rule] = {**_STYLED, "weight": ("weight", 4, _turned_kernel)}
_CONST: dict[str, _Rule] = {"const": ("const", 4, _without_batch)}

# Pattern of a layer's name -> official prefix, with {} for its number, and rules.
_GENERATOR = (
    (r"mapping/LabelEmbed", "mapping.embed.", _DENSE),
    (r"mapping/Dense(\d+)", "mapping.fc{}.", _DENSE),
    (r"synthesis/4x4/Const", "synthesis.b4.", _CONST),
    (r"synthesis/4x4/Conv", "synthesis.b4.conv1.", _STYLED),
    (r"synthesis/(\d+)x\1/Conv0_up", "synthesis.b{}.conv0.", _TURNED),
    (r"synthesis/(\d+)x\1/Conv1", "synthesis.b{}.conv1.", _STYLED),
    (r"synthesis/(\d+)x\1/ToRGB", "synthesis.b{}.torgb.", _STYLED),
    (r"synthesis/(\d+)x\1/Skip", "synthesis.b{}.skip.", _TURNED),
)
_DISCRIMINATOR = (
    (r"LabelEmbed", "mapping.embed.", _DENSE),
    (r"Mapping(\d+)", "mapping.fc{}.", _DENSE),
    (r"(\d+)x\1/FromRGB", "b{}.fromrgb.", _CONV),
    (r"(\d+)x\1/Conv0", "b{}.conv0.", _CONV),
    (r"(\d+)x\1/Conv1_down", "b{}.conv1.", _CONV),
    (r"(\d+)x\1/Skip", "b{}.skip.", _CONV),
    (r"4x4/Conv", "b4.conv.", _CONV),
    (r"4x4/Dense0", "b4.fc.", _DENSE),
    (r"Output", "b4.out.", _DENSE),
)


def official_tensors(
    variables: Mapping[str, Any], is_generator: bool
) -> tuple[dict[str, Any], list[str]]:
    """Lazy tensors by official name, and the variables that have none.

    Names of a generator's variables begin with `mapping/` or `synthesis/`. An
    image layer named by level of detail 0 is the one at the highest
    resolution. `lod`, the level that training had reached, is left out.
    """
    tensors, strange = {}, []
    sides = (re.search(r"(?:^|/)(\d{1,4})x\1/", name) for name in variables)
    highest = max((int(match[1]) for match in sides if match), default=0)
    for name, tensor in variables.items():
        by_resolution = re.sub(r"(To|From)RGB_lod0/", rf"{highest}x{highest}/\1RGB/", name)
        official = _official(by_resolution, tensor, is_generator)
        if official:
            tensors[official[0]] = official[1]
        elif name.rpartition("/")[2] != "lod":
            strange.append(name)
    return tensors, strange


def _official(name: str, tensor: Tensor, is_generator: bool) -> tuple[str, Tensor] | None:
    if is_generator and name == "dlatent_avg":
        return "mapping.w_avg", tensor
    if is_generator and (noise := re.fullmatch(r"synthesis/noise(\d{1,2})", name)):
        return f"synthesis.{_noise_layer(int(noise[1]))}.noise_const", _derived(tensor, 4, _plane)
    layer, _, kind = name.rpartition("/")
    for pattern, prefix, rules in _GENERATOR if is_generator else _DISCRIMINATOR:
        match = re.fullmatch(pattern, layer)
        if match and kind in rules:
            official, rank, transform = rules[kind]
            return prefix.format(*match.groups()) + official, _derived(tensor, rank, transform)
    return None


def _noise_layer(index: int) -> str:
    """Layer of a noise map: one at 4x4, then two a resolution."""
    layer = "conv0" if index % 2 else "conv1"
    return f"b{2 ** (2 + (index + 1) // 2)}.{layer}"


def _derived(tensor: Tensor, rank: int | None, transform: Callable | None) -> Tensor:
    """The transformed tensor; one of another rank stays as it is, for the checks to name."""
    if transform is None or len(tensor.shape) != rank or 0 in tensor.shape:
        return tensor
    outline = np.broadcast_to(np.float32(0), tensor.shape)
    return Derived(tensor, transform(outline).shape, transform)
