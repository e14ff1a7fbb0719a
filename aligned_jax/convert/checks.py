"""What is wrong with the tensors of a network, all of it at once."""

from collections.abc import Mapping

import numpy as np

from aligned_jax.config import AnyConfig
from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.rules import filters, official_shapes, read

FLOATS = ("float16", "bfloat16", "float32", "float64")


def tensor_problems(
    config: AnyConfig, tensors: Mapping[str, Tensor], has_filters: bool = True
) -> list[str]:
    """Sentences on every tensor that does not fit the network; empty if all do.

    Checks names, shapes, types, finiteness and that the stored resampling
    filters are those of `config`; `has_filters` says whether the format stores
    any. Tensors are read one at a time.
    """
    buffers = filters(config)
    expected = {
        name: shape
        for name, shape in official_shapes(config).items()
        if has_filters or name not in buffers
    }
    missing = [
        f"{name} {shape_text(shape)} is missing"
        for name, shape in expected.items()
        if name not in tensors
    ]
    unexpected = [
        f"{show(name)} {shape_text(tensor.shape)} is unexpected"
        for name, tensor in tensors.items()
        if name not in expected
    ]
    wrong = []
    for name, shape in expected.items():
        if name in tensors:
            problem = _problem(tensors[name], shape, buffers.get(name))
            wrong += [f"{name} {problem}"] * bool(problem)
    return missing + unexpected + wrong


def rounded(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of tensors that are stored in another type than float32."""
    return [name for name, tensor in tensors.items() if str(tensor.dtype) != "float32"]


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape in words: [2, 3], or its rank if it is a long one."""
    return str(list(shape[:8])) if len(shape) <= 8 else f"of rank {len(shape)}"


def _problem(tensor: Tensor, shape: tuple[int, ...], kernel: np.ndarray | None) -> str:
    if tuple(tensor.shape) != shape:
        return f"has shape {shape_text(tensor.shape)}, expected {shape_text(shape)}"
    if str(tensor.dtype) not in FLOATS:
        return f"holds {tensor.dtype}, expected floating-point numbers"
    with np.errstate(over="ignore"):  # a double can be infinite as a float
        values = np.asarray(read(tensor), np.float32)
    if not np.isfinite(values).all():
        count = int(values.size - np.isfinite(values).sum())
        return f"holds {count} of {values.size} values that are not finite"
    # The order of summation in the normalisation may differ in the last bit.
    if kernel is not None and not np.allclose(values, kernel, rtol=1e-6, atol=0.0):
        return "is not the filter that the constructor arguments describe"
    return ""
