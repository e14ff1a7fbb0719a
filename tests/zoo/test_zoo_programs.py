"""Every generator of the zoo, and one of 256 px, as programs: what JAX draws, to 1e-4."""

import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.config import GeneratorConfig
from tests.helpers import DATA

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("flatbuffers", reason="the extra onnx is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.optimised]

LARGE = DATA / "generator_skip256.pkl"


def generators():
    """The zoo's, as one names them, and the large one."""
    for name in loading.zoo_names():
        configs = loading.describe(f"zoo:{name}").configs
        if isinstance(configs.get("G_ema"), GeneratorConfig):
            yield f"zoo:{name}"
    yield LARGE


def test_onnx_draws_what_jax_draws(tmp_path):
    """Looked at here as users would; `export_program` compares by itself as well."""
    names = list(generators())
    assert len(names) == 7
    for name in names:
        out = tmp_path / "x.onnx"
        exported = jobs.export_program(name, out, overwrite=True)
        network = loading.load(name)
        z = np.random.RandomState(1).randn(2, network.config.z_dim).astype(np.float32)
        session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
        (images,) = session.run(["images"], {"z": z, "psi": np.asarray(0.7, np.float32)})
        expected = np.asarray(network(z, psi=0.7)).transpose(0, 3, 1, 2)
        error = max(np.abs(images - expected).max(), exported.difference)
        print(f"{name}: {error:.1e} of {np.abs(expected).max():.1f}")
        # The large one is of random weights, whose images reach far beyond 1: still 1e-4.
        assert error < 1e-4, name


@pytest.mark.parametrize("space", ["z", "w+"])
def test_archives_draw_what_jax_draws(space, tmp_path):
    for name in ("zoo:personas64", LARGE):
        out = tmp_path / "x.jaxexport"
        exported = jobs.export_program(name, out, space=space, overwrite=True)
        print(f"{name}: {exported.difference:.1e}")
        assert exported.difference < 1e-4, name
