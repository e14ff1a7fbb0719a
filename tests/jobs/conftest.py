"""Networks that many tests of jobs take."""

import jax
import pytest

from aligned_jax import loading
from tests import standins
from tests.jobs.small_inputs import PARENT, save_child
from tests.jobs.small_photographs import save_place


@pytest.fixture(scope="module")
def network():
    return loading.load(PARENT)


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    return save_child(tmp_path_factory.mktemp("networks") / "child")


@pytest.fixture(scope="module")
def place(tmp_path_factory, network):
    """A folder with a photograph of two faces, as `save_place` says."""
    return save_place(tmp_path_factory.mktemp("place"), network)


@pytest.fixture
def small_features(monkeypatch, tmp_path):
    """Stand-ins for feature networks, one device, and a cache of the test's own in "home"."""
    standins.replace(monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(jax, "local_devices", lambda: jax.devices()[:1])
