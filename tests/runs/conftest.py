"""One compilation cache for all runs of a session, so that most of them compile nothing."""

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from tests.runs import small_runs as runs

_SETTINGS = {
    "jax_compilation_cache_dir": None,
    "jax_persistent_cache_min_compile_time_secs": 0.0,
}


@pytest.fixture(scope="package")
def cache(tmp_path_factory):
    """Environment for child processes; this process shares the cache."""
    settings = _SETTINGS | {"jax_compilation_cache_dir": str(tmp_path_factory.mktemp("cache"))}
    before = {name: jax.config.values[name] for name in settings}
    for name, value in settings.items():
        jax.config.update(name, value)
    yield {name.upper(): str(value) for name, value in settings.items()}
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture(scope="package")
def finished(cache, tmp_path_factory):
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert runs.train(folder) == 0
    return folder
