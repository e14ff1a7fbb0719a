"""Strictness for every test: no silent promotion, eight virtual devices. A bucket."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")

import jax
import pytest

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def bucket(monkeypatch):
    """The files of gs://, empty at first, by name ("bucket/file")."""
    import fsspec
    from etils.epath import backend

    from aligned_jax.utils import paths
    from tests.bucket import Bucket

    for name in Bucket.protocol:
        fsspec.register_implementation(name, Bucket, clobber=True)
    backend.fsspec_backend._get_filesystem.cache_clear()
    monkeypatch.setattr(Bucket, "files", {})
    monkeypatch.setattr(Bucket, "log", [])
    monkeypatch.setattr(Bucket, "refuse_after", None)
    monkeypatch.setitem(paths.SERVICES, "gs", "fsspec")
    yield Bucket.files
    backend.fsspec_backend._get_filesystem.cache_clear()


@pytest.fixture(scope="module")
def fast_compilation():
    """Programs that compile three times as fast and run slower: no worse as tests."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
    jax.clear_caches()  # later tests want optimised programs
