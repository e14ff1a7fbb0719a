"""A run whose folder lies in a bucket."""

import dataclasses

import pytest

from aligned_jax import checkpoint
from aligned_jax.runs.folder import RunFolder
from tests.runs import small_runs as runs


@pytest.mark.slow
def test_a_run_in_a_bucket_comes_to_the_same(bucket, finished):
    """Half of it, an unfinished checkpoint, as a crash leaves it, and the rest."""
    half = dataclasses.replace(runs.CONFIG, kimg=2)
    assert runs.train("gs://b/run", half) == 0
    bucket["b/run/checkpoints/kimg-000003/G/_METADATA"] = b"half"
    assert runs.train("gs://b/run") == 0
    assert set(checkpoint.run_checkpoints("gs://b/run")) == set(
        checkpoint.run_checkpoints(finished)
    )
    here, there = RunFolder("gs://b/run"), RunFolder(finished)
    stats = [
        [{k: v for k, v in line.items() if k != "timing"} for line in run.read_stats()]
        for run in (here, there)
    ]
    assert stats[0] == stats[1]
    for picture in there.path.glob("*.png"):
        assert bucket[f"b/run/{picture.name}"] == picture.read_bytes()
    assert not any(name.startswith("b/run/.") for name in bucket)
