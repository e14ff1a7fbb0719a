"""From a user's file of weights to the parameters of a frozen network."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from aligned_jax.convert.checks import FLOATS, shape_text
from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.torch_tensors import read_tensors
from aligned_jax.errors import FormatError
from aligned_jax.features.networks import FROM_FILES, NETWORKS, from_torch, shapes, torch_shape
from aligned_jax.utils.text import listed

_COUNTER = "num_batches_tracked"  # how long a normalisation was trained; nothing depends on it


class Weights(NamedTuple):
    """Parameters of a frozen network by dotted name, float32, and where they are from.

    `origin` is JSON-able: `network`, `file`, `bytes`, `sha256`.
    """

    network: str
    arrays: dict[str, np.ndarray]
    origin: dict[str, Any]


def read_weights(path: str | os.PathLike) -> Weights:
    """Recognises the network in a PyTorch or safetensors file and checks all of it.

    Raises:
      FormatError: if the file is damaged, unsafe or of no network in
        `NETWORKS`, or naming every tensor that is missing, left over, of the
        wrong shape or type, or not finite.
    """
    tensors, container = read_tensors(path)
    tensors = {name: t for name, t in tensors.items() if not name.endswith(_COUNTER)}
    file = os.path.basename(os.fspath(path))
    network, names = _recognise(file, tensors, container)
    # A program's archive may hold constants of its own besides the weights.
    ignored = ("",) if container == "torch-script" else NETWORKS[network].leftover
    unexpected = [
        f"{show(name)} {shape_text(tuple(tensor.shape))} is unexpected"
        for name, tensor in tensors.items()
        if name not in names.values() and not name.startswith(ignored)
    ]
    expected = {theirs: torch_shape(shapes(network)[ours]) for ours, theirs in names.items()}
    if wrong := [*unexpected, *problems(tensors, expected)]:
        raise FormatError(
            f"{file}: it is not the {network} that is needed: {listed(wrong, separator='; ')}. Get "
            f"{NETWORKS[network].source}"
        )
    arrays = {ours: from_torch(tensors[theirs].numpy()) for ours, theirs in names.items()}
    return Weights(network, arrays, {"network": network, **file_facts(path)})


def problems(tensors: Mapping[str, Any], expected: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Sentences on every tensor that is missing, misshapen, of the wrong type or not finite."""
    sentences = []
    for name, shape in expected.items():
        if name not in tensors:
            sentences.append(f"{name} {shape_text(shape)} is missing")
        elif problem := _problem(name, tensors[name], shape):
            sentences.append(f"{name} {problem}")
    return sentences


def file_facts(path: str | os.PathLike) -> dict[str, Any]:
    """Name, size and SHA-256 of a file."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"file": os.path.basename(os.fspath(path)), "bytes": file.tell(), "sha256": digest}


def _problem(name: str, tensor: Any, shape: tuple[int, ...]) -> str:
    if tuple(tensor.shape) != shape:
        return f"has shape {shape_text(tuple(tensor.shape))}, expected {shape_text(shape)}"
    if str(tensor.dtype) not in FLOATS:
        return f"holds {tensor.dtype}, expected floating-point numbers"
    with np.errstate(over="ignore"):  # a double can be infinite as a float
        values = np.asarray(tensor.numpy(), np.float32)
    if not np.isfinite(values).all():
        return "holds values that are not finite"
    if name.endswith("running_var") and values.min() < 0:
        return "holds negative variances"
    return ""


def _recognise(file: str, tensors: Iterable[str], container: str) -> tuple[str, dict[str, str]]:
    """The network most of whose names are there, and its names in the file by ours."""
    present = set(tensors)
    best: tuple[str, dict[str, str]] = ("", {})
    shared = 0.5
    for network in FROM_FILES:
        for table in ({}, *NETWORKS[network].renamed):
            names = {ours: table.get(ours, ours) for ours in shapes(network)}
            share = len(present & set(names.values())) / len(names)
            if share > shared:
                best, shared = (network, names), share
    if not best[0]:
        # The likeliest mistake: NVIDIA's file of Inception.
        is_program = container == "torch-script"
        program = "a TorchScript program with other names; " if is_program else ""
        known = "; ".join(f"{name}: {NETWORKS[name].source}" for name in FROM_FILES)
        raise FormatError(
            f"{file}: {program}its tensors ({listed(sorted(map(show, present)), 3)}) are "
            f"those of no network that can be added. These can be: {known}"
        )
    return best
