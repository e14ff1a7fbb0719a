"""What several tests share: reference files, orders of axes, and measures of agreement."""

import json
from pathlib import Path

import jax
import numpy as np

from aligned_jax.config import NetworkConfig
from aligned_jax.convert.rules import filters, official_shapes

DATA = Path(__file__).parent / "files"


def reference(name: str) -> dict[str, np.ndarray]:
    """Arrays of `tests/files/NAME.npz`."""
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def document(arrays: dict[str, np.ndarray], key: str) -> dict:
    """The JSON document stored under `key`."""
    return json.loads(str(arrays[key]))


def random_tensors(config: NetworkConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Official tensors of a network: normal numbers, and its resampling filters."""
    rng = np.random.default_rng(seed)
    shapes = official_shapes(config)
    tensors = {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    return tensors | filters(config)


def relative_error(actual, expected) -> float:
    """Largest absolute difference over the largest absolute expected value."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    if expected.size == 0:
        return 0.0
    return float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-30))


def worst_error(actual, expected, share: float = 1e-3) -> float:
    """Largest error of a leaf, relative to its size or to that share of the largest leaf."""
    largest = max(np.abs(leaf).max() for leaf in jax.tree.leaves(expected))
    errors = jax.tree.map(
        lambda a, b: np.abs(a - b).max() / max(np.abs(b).max(), share * largest, 1e-30),
        actual,
        expected,
    )
    return max(jax.tree.leaves(errors))


def same_values(first, second) -> bool:
    """Whether two trees of one structure agree in every number; ValueError for two structures."""
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, first, second)))


def same_bits(first, second) -> bool:
    """Whether two arrays or trees agree in structure, types, shapes and every bit."""
    if jax.tree.structure(first) != jax.tree.structure(second):
        return False
    leaves = ([np.asarray(x) for x in jax.tree.leaves(tree)] for tree in (first, second))
    return all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(*leaves, strict=True)
    )


def nhwc(x) -> np.ndarray:
    """[N, C, H, W] to [N, H, W, C]; arrays with fewer axes stay as they are."""
    return np.moveaxis(np.asarray(x), 1, -1) if np.ndim(x) == 4 else np.asarray(x)


def nchw(x) -> np.ndarray:
    """[N, H, W, C] to [N, C, H, W]; arrays with fewer axes stay as they are."""
    return np.moveaxis(np.asarray(x), -1, 1) if np.ndim(x) == 4 else np.asarray(x)
