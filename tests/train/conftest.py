"""One compilation cache for all runs of a session, so that most of them compile nothing."""

import jax
import pytest

from tests.train import runs

_NAMES = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@pytest.fixture(scope="package")
def cache(tmp_path_factory):
    """Environment for child processes; this process shares the cache."""
    folder = str(tmp_path_factory.mktemp("cache"))
    before = {name: getattr(jax.config, name) for name in _NAMES}
    for name, value in zip(_NAMES, (folder, 0.0), strict=True):
        jax.config.update(name, value)
    yield {name.upper(): value for name, value in zip(_NAMES, (folder, "0"), strict=True)}
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture(scope="package")
def finished(cache, tmp_path_factory):
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert runs.train(folder) == 0
    return folder
