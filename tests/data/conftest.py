"""A small dataset of drawn faces, made once."""

from importlib.util import find_spec

import pytest

from aligned_jax.data.avatar_source import AvatarSource
from aligned_jax.data.writer import write_dataset

# The extra `avatars` may be missing.
collect_ignore_glob = [] if find_spec("dicebear") else ["test_*.py"]


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "faces"
    source = AvatarSource("personas", 24, 6, 16, roll=20.0, yaw=1.0)
    write_dataset(source, folder, "aligned data avatars ...", workers=1)
    return folder
