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

from aligned_jax.config import DEFAULT_FILTER
from aligned_jax.convert.description import Derived, Description, InMemory
from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.formats import foreign_networks
from aligned_jax.convert.rules import filter_kernel
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

CODE_BASE = "stylegan2-pytorch (rosinality)"

_KEYS = {"g_ema": "G_ema", "g": "G", "d": "D"}
_SAMPLES, _SAMPLE_SEED = 10_000, 123  # for a mean of w that is not recorded
_NOISE_SEED = 0
_MAX_DEPTH, _MAX_WIDTH = 16, 2048

# Part of a layer -> official part, and the rank that the official tensor has.
_MODULATED = {
    "conv.weight": ("weight", 4),
    "conv.modulation.weight": ("affine.weight", 2),
    "conv.modulation.bias": ("affine.bias", 1),
    "noise.weight": ("noise_strength", 0),
    "activate.bias": ("bias", 1),
    "bias": ("bias", 1),
}
_DENSE = {"weight": ("weight", 2), "bias": ("bias", 1)}
_CONV = {"0.weight": ("weight", 4), "1.bias": ("bias", 1)}
_RESIDUAL = {
    "conv1.0.weight": ("conv0.weight", 4),
    "conv1.1.bias": ("conv0.bias", 1),
    "conv2.1.weight": ("conv1.weight", 4),
    "conv2.2.bias": ("conv1.bias", 1),
    "skip.1.weight": ("skip.weight", 4),
}
_KERNELS = r"(.*\.)?(blur|upsample)\.kernel|convs\.\d+\.(conv2|skip)\.0\.kernel"


def read(value: Mapping[str, Any]) -> tuple[dict[str, Description], dict[str, Any]]:
    """Networks of a checkpoint by key, and facts on where they come from.

    `value` is what the inert reader returns for the file. Raises FormatError
    when it holds no network of that port. A missing mean of w is computed from
    10,000 latents, and a warning says so.
    """
    states = {_KEYS[key]: value[key] for key in _KEYS if isinstance(value.get(key), dict)}
    if not states:
        states = {"D" if "final_linear.0.weight" in value else "G_ema": value}
    described: dict[str, Description] = {}
    warnings: list[str] = []
    for key, state in states.items():
        _check_state(key, state)
        tensors = _renamed(key, state)
        if key != "D":
            _complete(key, tensors, value.get("latent_avg"), warnings)
        described[key] = Description(key != "D", tensors, has_filters=False)
    source: dict[str, Any] = {"code_base": CODE_BASE, "warnings": warnings}
    p = value.get("ada_aug_p")
    if isinstance(p, int | float) and 0 <= p <= 1:
        source["augment_p"] = float(p)
    return described, source


def is_checkpoint(value: Mapping[Any, Any]) -> bool:
    """Whether a dictionary looks like a checkpoint or state dict of that port."""
    if any(isinstance(value.get(key), dict) for key in _KEYS):
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


def _renamed(key: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors by official name; the fixed blur kernels are checked and left out."""
    blocks = [re.match(r"convs\.(\d{1,2})\.conv1\.", name) for name in state]
    highest = 4 << max((int(match[1]) for match in blocks if match), default=0)
    tensors, strange = {}, []
    for name, tensor in state.items():
        if re.fullmatch(_KERNELS, name):
            _check_kernel(name, tensor, gain=1 if key == "D" else 4)
            continue
        named = _discriminator_name(name, highest) if key == "D" else _generator_name(name)
        if named is None:
            strange.append(show(name))
        else:
            tensors[named[0]] = _squeezed(tensor, named[1])
    if strange:
        raise FormatError(
            f"{key} has tensors that no StyleGAN2 of the community port has: {listed(strange)}. "
            f"{foreign_networks.READABLE}"
        )
    return tensors


def _generator_name(name: str) -> tuple[str, int] | None:
    """Official name and rank of a generator's tensor."""
    if name == "input.input":
        return "synthesis.b4.const", 3
    if noise := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
        return f"synthesis.{_layer(int(noise[1]) - 1)}.noise_const", 2
    patterns = (
        (r"style\.(\d{1,2})\.(.+)", _DENSE, lambda n: f"mapping.fc{n - 1}"),
        (r"conv1()\.(.+)", _MODULATED, lambda _: "synthesis.b4.conv1"),
        (r"to_rgb1()\.(.+)", _MODULATED, lambda _: "synthesis.b4.torgb"),
        (r"convs\.(\d{1,2})\.(.+)", _MODULATED, lambda n: f"synthesis.{_layer(n)}"),
        (r"to_rgbs\.(\d{1,2})\.(.+)", _MODULATED, lambda n: f"synthesis.b{8 << n}.torgb"),
    )
    for pattern, parts, layer in patterns:
        match = re.fullmatch(pattern, name)
        if match and match[2] in parts:
            part, rank = parts[match[2]]
            return f"{layer(int(match[1] or 0))}.{part}", rank
    return None


def _discriminator_name(name: str, highest: int) -> tuple[str, int] | None:
    """Official name and rank of a discriminator's tensor; `highest` is its resolution."""
    patterns = (
        (r"convs\.(0)\.(.+)", _CONV, lambda _: f"b{highest}.fromrgb"),
        (r"convs\.(\d{1,2})\.(.+)", _RESIDUAL, lambda n: f"b{2 * highest >> n}"),
        (r"final_conv()\.(.+)", _CONV, lambda _: "b4.conv"),
        (r"final_linear\.(0)\.(.+)", _DENSE, lambda _: "b4.fc"),
        (r"final_linear\.(1)\.(.+)", _DENSE, lambda _: "b4.out"),
    )
    for pattern, parts, layer in patterns:
        match = re.fullmatch(pattern, name)
        if match and match[2] in parts:
            part, rank = parts[match[2]]
            return f"{layer(int(match[1] or 0))}.{part}", rank
    return None


def _layer(index: int) -> str:
    """The convolution with this number above 4x4, where index -1 is the one at 4x4."""
    return f"b{8 << index // 2}.conv{index % 2}" if index >= 0 else "b4.conv1"


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


def _check_kernel(name: str, tensor: Tensor, gain: int) -> None:
    expected = filter_kernel(DEFAULT_FILTER) * np.float32(gain)
    if tuple(tensor.shape) != expected.shape or not np.allclose(tensor.numpy(), expected, 1e-6, 0):
        raise FormatError(f"{show(name)} is not the filter [1, 3, 3, 1] of that port")


def _complete(key: str, tensors: dict[str, Tensor], latent_avg: Any, warnings: list[str]) -> None:
    """Adds the mean of w, and noise maps to files that are older than them."""
    if hasattr(latent_avg, "numpy"):
        tensors["mapping.w_avg"] = _squeezed(latent_avg, 1)
    elif (mean := _mean_w(tensors)) is not None:
        tensors["mapping.w_avg"] = InMemory(mean)
        warnings.append(
            f"{key}: the file has no mean of w (latent_avg); it was computed from {_SAMPLES:,} "
            f"latents, numpy seed {_SAMPLE_SEED}"
        )
    strengths = [name for name in tensors if name.endswith(".noise_strength")]
    if strengths and not any(name.endswith(".noise_const") for name in tensors):
        random = np.random.RandomState(_NOISE_SEED)
        for name in strengths:
            side = int(re.findall(r"\.b(\d+)\.", name)[0])
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
    if not layers:
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
