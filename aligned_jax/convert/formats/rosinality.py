"""Checkpoints of the community PyTorch port (rosinality/stylegan2-pytorch).

A dictionary with state dicts g_ema, g and d, and latent_avg, the mean of w; or
a bare state dict. The port has one architecture: a skip generator and a
residual discriminator without labels. Its tensors differ from the official
ones in name and in axes of length 1 only.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from aligned_jax.config import DEFAULT_FILTER, MAX_RESOLUTION
from aligned_jax.convert import counters
from aligned_jax.convert.description import Derived, Description, InMemory
from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.problems import number
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.formats import foreign_networks, lost_labels
from aligned_jax.convert.formats.port_names import (
    FORMAT_VERSION,
    KEYS,
    METADATA_KEY,
    checksum,
    discriminator_place,
    generator_place,
    is_kernel,
    kernel_gain,
)
from aligned_jax.convert.rules import filter_kernel
from aligned_jax.errors import FormatError
from aligned_jax.utils.checksums import check_seal
from aligned_jax.utils.reading import parse_json
from aligned_jax.utils.text import listed

CODE_BASE = "stylegan2-pytorch (rosinality)"

_SAMPLES, _SAMPLE_SEED = 10_000, 123  # for a mean of w that is not recorded
_NOISE_SEED = 0
_MAX_DEPTH, _MAX_WIDTH = 16, 2048
_MAX_WEIGHTS = 2**23  # of a mapping that is evaluated on trust; the official one has 2**21


def read(value: Mapping[str, Any]) -> tuple[dict[str, Description], dict[str, Any]]:
    """Networks of a checkpoint by key, and facts on where they come from.

    `value` is what the inert reader returns for the file. Raises FormatError
    when it holds no network of that port. A missing mean of w is computed from
    10,000 latents, and a warning says so.
    """
    states = {KEYS[key]: value[key] for key in KEYS if isinstance(value.get(key), dict)}
    if not states:
        states = {"D" if "final_linear.0.weight" in value else "G_ema": value}
    described: dict[str, Description] = {}
    warnings: list[str] = []
    cautions: list[str] = []
    for key, state in states.items():
        _check_state(key, state)
        tensors = _renamed(key, state, warnings)
        if key != "D":
            cautions += lost_labels.cautions(key, tensors, as_long_as_w=True)
            _complete(key, tensors, value.get("latent_avg"), warnings)
        described[key] = Description(key != "D", tensors, has_filters=False)
    source: dict[str, Any] = {"code_base": CODE_BASE, "warnings": cautions + warnings}
    source |= {"cautions": cautions} if cautions else {}
    p = value.get("ada_aug_p")
    if isinstance(p, int | float) and 0 <= p <= 1:
        source["augment_p"] = float(p)
    return described, source | _own(value)


def _own(value: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance of a file that we wrote, whose tensors must have the recorded checksum."""
    text = value.get(METADATA_KEY)
    if text is None:
        return {}
    document = parse_json(text if isinstance(text, str) else "", "what it records of its making")
    version = document.get("format_version")
    if version != FORMAT_VERSION:
        raise FormatError(
            f"its format version is {number(version)}, this release reads {FORMAT_VERSION}; "
            "update aligned_jax"
        )
    check_seal(document, "what it records of its making")
    if document.get("checksum") != checksum(value):
        raise FormatError(
            "it is damaged: its tensors are not those that were written (their checksum differs "
            f"from the recorded one; who changes them on purpose removes the entry {METADATA_KEY})"
        )
    made = document.get("provenance")
    return {"provenance": made} if made is not None else {}


def is_checkpoint(value: Mapping[Any, Any]) -> bool:
    """Whether a dictionary looks like a checkpoint or state dict of that port."""
    if any(isinstance(value.get(key), dict) for key in KEYS):
        return True
    return bool(value) and all(hasattr(tensor, "numpy") for tensor in value.values())


def _check_state(key: str, state: Mapping[Any, Any]) -> None:
    wrong = [
        show(str(name))
        for name, tensor in state.items()
        if not isinstance(name, str) or not hasattr(tensor, "numpy")
    ]
    if wrong or not state:
        raise FormatError(f"{key} is no dictionary of tensors: {listed(wrong) or 'it is empty'}")
    foreign_networks.refuse(key, state)


def _renamed(key: str, state: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """Tensors by official name; the fixed blur kernels are checked and left out."""
    blocks = [re.match(r"convs\.(\d{1,2})\.conv1\.", name) for name in state]
    highest = 4 << max((int(match[1]) for match in blocks if match), default=0)
    tensors, strange = {}, []
    for name, tensor in state.items():
        if is_kernel(name):
            _check_kernel(name, tensor, kernel_gain(key != "D"))
            continue
        place = discriminator_place(name, highest) if key == "D" else generator_place(name)
        if place is None:
            strange.append(name)
        else:
            tensors[place.name] = _squeezed(tensor, place.rank)
    left_out = counters.counters(state, strange, state.keys() - set(strange))
    warnings += [counters.warning(key, left_out)] * bool(left_out)
    if strange := [show(name) for name in strange if name not in left_out]:
        raise FormatError(
            f"{key} has tensors that no StyleGAN2 of the community port has: {listed(strange)}. "
            f"{foreign_networks.READABLE}"
        )
    return tensors


def _squeezed(tensor: Tensor, rank: int) -> Tensor:
    """Without axes of length 1: leading ones first, then trailing ones, down to `rank`."""
    shape = tuple(tensor.shape)
    while len(shape) > rank and shape[0] == 1:
        shape = shape[1:]
    while len(shape) > rank and shape[-1] == 1:
        shape = shape[:-1]
    if shape == tuple(tensor.shape):
        return tensor
    return Derived(tensor, shape, lambda array: array.reshape(shape))


def _first_row(mean: Tensor) -> Tensor:
    """The mean of w, of which encoders' programs keep a copy for each row of W+."""
    if len(mean.shape) != 2 or 0 in mean.shape:
        return mean
    return Derived(mean, tuple(mean.shape[1:]), lambda array: array[0])


def _check_kernel(name: str, tensor: Tensor, gain: int) -> None:
    expected = filter_kernel(DEFAULT_FILTER) * np.float32(gain)
    if tuple(tensor.shape) != expected.shape or not np.allclose(tensor.numpy(), expected, 1e-6, 0):
        raise FormatError(f"{show(name)} is not the filter [1, 3, 3, 1] of that port")


def _complete(key: str, tensors: dict[str, Tensor], latent_avg: Any, warnings: list[str]) -> None:
    """Adds the mean of w, and noise maps to files that are older than them."""
    if hasattr(latent_avg, "numpy"):
        tensors["mapping.w_avg"] = _first_row(_squeezed(latent_avg, 1))
    elif (mean := _mean_w(tensors)) is not None:
        tensors["mapping.w_avg"] = InMemory(mean)
        warnings.append(
            f"{key}: the file has no mean of w (latent_avg); it was computed from {_SAMPLES:,} "
            f"latents, numpy seed {_SAMPLE_SEED}"
        )
    strengths = [name for name in tensors if name.endswith(".noise_strength")]
    sides = [int(re.findall(r"\.b(\d+)\.", name)[0]) for name in strengths]
    if max(sides, default=0) > MAX_RESOLUTION:
        return  # the checks name what no network has
    if strengths and not any(name.endswith(".noise_const") for name in tensors):
        random = np.random.RandomState(_NOISE_SEED)
        for name, side in zip(strengths, sides, strict=True):
            noise = random.randn(side, side).astype(np.float32)
            tensors[name.replace("noise_strength", "noise_const")] = InMemory(noise)
        warnings.append(f"{key}: the file has no noise maps; they were drawn, seed {_NOISE_SEED}")


def _mean_w(tensors: Mapping[str, Tensor]) -> np.ndarray | None:
    """Mean mapping output over random latents, [w_dim]; None when layers do not fit."""
    layers: list[tuple[Any, Any]] = []
    while len(layers) < _MAX_DEPTH and f"mapping.fc{len(layers)}.weight" in tensors:
        prefix = f"mapping.fc{len(layers)}"
        layers.append((tensors[f"{prefix}.weight"], tensors.get(f"{prefix}.bias")))
    for i, (weight, bias) in enumerate(layers):
        if bias is None or len(weight.shape) != 2 or tuple(bias.shape) != weight.shape[:1]:
            return None
        if (i and weight.shape[1] != layers[i - 1][0].shape[0]) or not _sound(weight.shape):
            return None
    if not layers or sum(math.prod(weight.shape) for weight, _ in layers) > _MAX_WEIGHTS:
        return None
    layers = [(weight.numpy(), bias.numpy()) for weight, bias in layers]
    random, chunk = np.random.RandomState(_SAMPLE_SEED), 1000
    total = np.zeros(layers[-1][1].shape)
    for _ in range(_SAMPLES // chunk):
        x = random.randn(chunk, layers[0][0].shape[1]).astype(np.float32)
        x = x / np.sqrt(np.mean(x**2, axis=1, keepdims=True) + np.float32(1e-8))
        for weight, bias in layers:
            x = _fully_connected(x, weight, bias)
        total += x.sum(0, dtype=np.float64)
    return (total / _SAMPLES).astype(np.float32)


def _sound(shape: tuple[int, ...]) -> bool:
    """Whether a layer is small enough to be evaluated on trust."""
    return min(shape) > 0 and max(shape) <= _MAX_WIDTH


def _fully_connected(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """One equalised layer at the learning-rate multiplier 0.01, leaky ReLU, gain sqrt(2)."""
    multiplier = np.float32(0.01)
    with np.errstate(all="ignore"):  # the check of the tensors names what is not finite
        x = x @ (weight.T * (multiplier / np.float32(math.sqrt(weight.shape[1]))))
        x = x + bias * multiplier
        return np.maximum(x, x * np.float32(0.2)) * np.float32(math.sqrt(2))
