"""Networks that many tests of jobs take."""

import pytest

from aligned_jax import loading
from tests.jobs.small_inputs import PARENT, save_child


@pytest.fixture(scope="module")
def network():
    return loading.load(PARENT)


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    return save_child(tmp_path_factory.mktemp("networks") / "child")
