"""What several tests share: reference files and one measure of agreement."""

import json
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"


def reference(name: str) -> dict[str, np.ndarray]:
    """Arrays of `tests/data/NAME.npz`."""
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def document(arrays: dict[str, np.ndarray], key: str) -> dict:
    """The JSON document stored under `key`."""
    return json.loads(str(arrays[key]))


def relative_error(actual, expected) -> float:
    """Largest absolute difference over the largest absolute expected value."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    if expected.size == 0:
        return 0.0
    return float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-30))


def nhwc(x) -> np.ndarray:
    """[N, C, H, W] to [N, H, W, C]."""
    return np.moveaxis(np.asarray(x), 1, -1)


def nchw(x) -> np.ndarray:
    """[N, H, W, C] to [N, C, H, W]."""
    return np.moveaxis(np.asarray(x), -1, 1)
