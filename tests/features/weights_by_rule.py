"""Weights made from their names, so that large networks need no large files."""

import json
import zlib

import numpy as np


def uniform(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of mean zero and variance one from the name alone, float64."""
    key, count = zlib.crc32(name.encode()), int(np.prod(shape))
    raw = np.random.Philox(key=key).random_raw(count) >> np.uint64(40)
    return ((2 * (raw / 2.0**24) - 1) * np.sqrt(3)).reshape(shape)


def tensor_shapes(arrays) -> dict[str, tuple[int, ...]]:
    """Shapes by name of a reference file."""
    names, shapes = arrays["tensor_names"].tolist(), arrays["tensor_shapes"].tolist()
    return {name: tuple(json.loads(shape)) for name, shape in zip(names, shapes, strict=True)}


def made(
    shapes: dict[str, tuple[int, ...]], gain: float = 2.0, slopes: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """Tensors in the layout of PyTorch.

    `gain` is the variance of kernels times their fan-in; names that end in one
    of `slopes` are those of PReLU.
    """
    tensors = {}
    for name, shape in shapes.items():
        v = uniform(name, shape)
        if name.endswith("running_var"):
            v = 1 + 0.2 * v
        elif name.endswith(("bias", "running_mean")):
            v = 0.1 * v
        elif slopes and name.endswith(slopes):
            v = 0.25 + 0.1 * v
        elif len(shape) == 1:
            v = 1 + 0.1 * v
        else:
            v = v * np.sqrt((gain if len(shape) == 4 else 1) / np.prod(shape[1:]))
        tensors[name] = v.astype(np.float32)
    return tensors
