"""A finished run, which several modules look at or go on with."""

import pytest

from tests.runs import small_runs as runs


@pytest.fixture(scope="package")
def finished(tmp_path_factory):
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert runs.train(folder) == 0
    return folder
