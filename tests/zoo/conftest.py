"""The run that is packed is one of the tests of runs."""

from tests.runs.conftest import finished  # noqa: F401
