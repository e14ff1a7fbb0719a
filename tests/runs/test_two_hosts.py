"""Two processes come to the same run as one; one of them writes, and both stop together."""

import dataclasses
import os
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.runs import hosts, saved_state
from aligned_jax.runs.folder import RunFolder, locked
from tests.helpers import relative_error
from tests.runs import small_runs as runs


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder, kimg=1, failing=-1, devices=1):
    """Both hosts of a run, to the end: exit codes, standard outputs and errors."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    port, rest = free_port(), [folder, str(kimg), str(failing)]
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.runs.host_process", f"{port},2,{host}", *rest],
            cwd=runs.ROOT,
            env=os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for host in range(2)
    ]
    try:
        said = [child.communicate(timeout=600) for child in children]
    finally:
        for child in children:
            child.kill()
    codes = [child.returncode for child in children]
    return codes, *zip(*said, strict=True)


@pytest.mark.slow
def test_two_hosts_of_one_device_train_and_go_on(tmp_path):
    codes, said, errors = start(tmp_path / "run")
    assert codes == [0, 0], errors
    assert "devices 1 of 2" in said[0] and "is trained" in said[0]
    assert "trained" not in said[1]
    codes, said, errors = start(tmp_path / "run", kimg=2)
    assert codes == [0, 0], errors
    assert "going on with" in said[0] and "at 1.0 of 2 kimg" in said[0]
    run = RunFolder(tmp_path / "run")
    assert [line["kimg"] for line in run.read_stats()] == [1, 2]
    assert saved_state.latest_state(run) == run.checkpoint(2)


@pytest.mark.slow
def test_a_host_that_fails_stops_the_other(tmp_path):
    with locked(RunFolder(tmp_path / "run")):
        codes, _, errors = start(tmp_path / "run")
    assert codes == [2, 2]
    assert "is in use by another process" in errors[0]
    assert "another host, number 0, stopped" in errors[1] and "is in use" in errors[1]
    assert not any("Traceback" in text for text in errors)


@pytest.mark.slow
def test_a_host_without_data_stops_the_other(tmp_path):
    codes, _, errors = start(tmp_path / "run", failing=1)
    assert codes == [2, 2]
    assert "another host, number 1, stopped: record" in errors[0] and "damaged" in errors[1]
    assert not any("Traceback" in text for text in errors)


@pytest.mark.slow
def test_two_hosts_of_four_devices(tmp_path):
    codes, said, errors = start(tmp_path / "run", devices=4)
    assert codes == [0, 0], errors
    assert "devices 4 of 8" in said[0]
    config = dataclasses.replace(runs.replaced("gan", pl_weight=0.0, r1_gamma=0.0), kimg=1)
    assert runs.train(tmp_path / "alone", config, devices=8) == 0
    found, expected = (runs.results(tmp_path / name)[0] for name in ("run", "alone"))
    assert found["step"] == expected["step"] == 32
    for name in ("G/params/mapping/fc0/weight", "D/params/b4/fc/weight"):
        assert relative_error(found[name], expected[name]) < 1e-2
    np.testing.assert_array_equal(found["key"], expected["key"])


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("127.0.0.1:39555,2,5", "2 hosts have the numbers 0 to 1, not 5"),
        ("127.0.0.1:39555,0,0", "at least 1"),
        ("127.0.0.1,2,1", "must be HOST:PORT,COUNT,INDEX"),
        ("127.0.0.1:x,2,1", "must be HOST:PORT,COUNT,INDEX"),
        ("127.0.0.1:99999,2,1", "must be HOST:PORT,COUNT,INDEX"),
        ("127.0.0.1:39555,2", "must be HOST:PORT,COUNT,INDEX"),
    ],
)
def test_words_that_name_no_host_are_refused(where, expected):
    with pytest.raises(UserError, match=expected):
        hosts.join(where)


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_hosts_that_do_not_find_each_other_say_so(index):
    code = f"""
from aligned_jax.errors import UserError
from aligned_jax.runs import hosts
hosts.PATIENCE = 1
try:
    hosts.join("127.0.0.1:{free_port()},2,{index}")
except UserError as error:
    raise SystemExit(str(error))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=runs.ROOT, capture_output=True, text=True, timeout=300
    )
    assert found.returncode == 1
    assert "the other hosts were not found: they did not all come" in found.stderr
    assert "Traceback" not in found.stderr


def test_alone_a_host_raises_its_own_errors():
    assert hosts.gather(3) == [3] and jax.process_count() == 1
    with pytest.raises(UserError, match="mine"), hosts.together():
        raise UserError("mine")
