"""Two processes with four devices each against one with eight: the same run."""

import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from aligned_jax.training import parallel
from aligned_jax.training.gan_step import GanStep
from tests.helpers import relative_error
from tests.training import tiny_gan as tiny

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
import jax
from tests.training.test_gan_hosts import train

port, process, start, target, losses = sys.argv[1:]
jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process))
assert (jax.device_count(), jax.local_device_count()) == (8, 4)
train(start, target, losses)
"""
# Losses of a run that is quick to compile, and of a complete one.
LOSSES = {
    "main": {"pl_weight": 0.0, "r1_gamma": 0.0},
    "all": {"g_reg_interval": 2, "d_reg_interval": 2},
}


def recipe(losses):
    return tiny.recipe(batch_size=16, **LOSSES[losses])


def train(start, target, losses):
    """Two iterations on all devices of all hosts; this host's copy of the state goes to a file."""
    step = GanStep(recipe(losses))
    state = parallel.replicate(pickle.loads(Path(start).read_bytes()))
    for i in range(2):
        rows = tiny.images(16, i)[parallel.row_numbers(16)]
        state, _ = step(state, step.feed(rows), i)
    leaves = jax.tree.leaves(parallel.local(state))
    np.savez(target, **{f"{i:03d}": leaf for i, leaf in enumerate(leaves)})


@pytest.mark.slow
@pytest.mark.parametrize("losses", list(LOSSES))
def test_two_hosts_and_one(tmp_path, losses):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = tmp_path / "start.pkl"
    start.write_bytes(pickle.dumps(jax.tree.map(np.asarray, tiny.start(recipe(losses)))))
    flags = "--xla_force_host_platform_device_count=4"
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    common = [sys.executable, "-c", CHILD, str(port)]
    children = [
        subprocess.Popen(
            [*common, str(i), str(start), str(tmp_path / f"host{i}.npz"), losses],
            cwd=ROOT,
            env=environment,
        )
        for i in range(2)
    ]
    try:
        train(start, tmp_path / "alone.npz", losses)  # at the same time
        assert [child.wait(timeout=600) for child in children] == [0, 0]
    finally:
        for child in children:
            child.kill()
    results = [np.load(tmp_path / f"{name}.npz") for name in ("host0", "host1", "alone")]
    assert len(results[2].files) > 50
    for name in results[2].files:
        first, second, alone = (file[name] for file in results)
        np.testing.assert_array_equal(first, second)
        assert relative_error(first, alone) < 1e-5, name
