"""Two processes of four devices come to the same run as one of eight, and one of them writes."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from tests.helpers import relative_error
from tests.train import runs

CHILD = """
import sys
import jax
from aligned_jax.train import session
from tests.train import runs

session._join(f"127.0.0.1:{sys.argv[1]},2,{sys.argv[2]}")
assert (jax.device_count(), jax.local_device_count()) == (8, 4)
for _ in range(2):  # the second time there is nothing left to do
    code = runs.train(sys.argv[3], runs.replaced(kimg=1), devices=None)
    assert code == 0
"""


@pytest.mark.slow
def test_two_hosts_and_one(cache, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(port), str(host), str(tmp_path / "hosts")],
            cwd=runs.ROOT,
            env=os.environ | cache | flags,
            stdout=subprocess.PIPE,
            text=True,
        )
        for host in range(2)
    ]
    try:
        said = [child.communicate(timeout=600)[0] for child in children]
    finally:
        for child in children:
            child.kill()
    assert [child.returncode for child in children] == [0, 0]
    assert "is trained" in said[0] and "going on with" in said[0]
    assert "trained" not in said[1]
    assert runs.train(tmp_path / "alone", runs.replaced(kimg=1), devices=None) == 0
    hosts, alone = runs.results(tmp_path / "hosts")[0], runs.results(tmp_path / "alone")[0]
    assert hosts["step"] == alone["step"] == 32
    for name in ("G/params/mapping/fc0/weight", "D/params/b4/fc/weight"):
        assert relative_error(hosts[name], alone[name]) < 1e-2
    np.testing.assert_array_equal(hosts["key"], alone["key"])
