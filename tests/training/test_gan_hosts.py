"""Two processes with four devices each against one with eight: the same run."""

import os
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
from tests.training import tiny

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
import jax
from tests.training.test_gan_hosts import train

port, process, target = sys.argv[1:]
jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process))
assert (jax.device_count(), jax.local_device_count()) == (8, 4)
train(target)
"""


def train(target):
    """Two iterations on all devices of all hosts; this host's copy of the state goes to a file."""
    chosen = tiny.recipe(batch_size=16, g_reg_interval=2, d_reg_interval=2)
    step = GanStep(chosen)
    state = parallel.replicate(tiny.start(chosen))
    for i in range(2):
        rows = tiny.images(16, i)[parallel.row_numbers(16)]
        state, _ = step(state, step.feed(rows), i)
    leaves = jax.tree.leaves(parallel.local(state))
    np.savez(target, **{f"{i:03d}": leaf for i, leaf in enumerate(leaves)})


@pytest.mark.slow
def test_two_hosts_and_one(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = "--xla_force_host_platform_device_count=4"
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(port), str(i), str(tmp_path / f"host{i}.npz")],
            cwd=ROOT,
            env=environment,
        )
        for i in range(2)
    ]
    try:
        assert [child.wait(timeout=600) for child in children] == [0, 0]
    finally:
        for child in children:
            child.kill()
    train(tmp_path / "alone.npz")
    found = [np.load(tmp_path / f"{name}.npz") for name in ("host0", "host1", "alone")]
    assert len(found[2].files) > 50
    for name in found[2].files:
        first, second, alone = (file[name] for file in found)
        np.testing.assert_array_equal(first, second)
        assert relative_error(first, alone) < 1e-5, name
