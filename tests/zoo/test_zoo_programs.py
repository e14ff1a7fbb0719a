"""Every generator of the zoo, and one of 256 px, as programs: what JAX draws, to 1e-4."""

import pytest

from aligned_jax import jobs, loading
from tests.helpers import DATA

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnx", reason="the extra onnx is not installed")

GENERATORS = [
    f"zoo:{name}"
    for name in loading.zoo_names()
    if "G_ema" in loading.describe(f"zoo:{name}").configs
]
"""
"""
