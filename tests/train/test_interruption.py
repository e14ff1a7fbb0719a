"""Stopped at any moment and resumed, a run comes to the same as one that was never stopped."""

import os
import random
import signal
import subprocess
import time

import pytest

from aligned_jax.train.run_folder import RunFolder
from tests.train import runs


def killed(folder, environment, when):
    """Runs in another process and kills it `when` seconds after its first sign of training."""
    child = subprocess.Popen(
        runs.command(folder),
        cwd=runs.ROOT,
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with child:
        said = child.stderr.readline()
        time.sleep(when)
        child.kill()
        said += child.stderr.read()
    assert child.returncode in (0, -signal.SIGKILL), said
    assert "Traceback" not in said, said
    return child.returncode != 0


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments(kills, cache, finished, tmp_path):
    dice, folder, done = random.Random(kills), tmp_path / "run", 0
    for _ in range(kills):
        done += killed(folder, cache, dice.uniform(0, 3))
    assert done > kills / 3
    assert runs.train(folder) == 0
    runs.assert_same(runs.results(folder), runs.results(finished))


class Stopping(runs.Images):
    """Images whose reading sends a signal to this process."""

    def __init__(self, number, after):
        super().__init__()
        self.number, self.after = number, after

    def __getitem__(self, index):
        self.after -= 1
        if self.after == 0:
            os.kill(os.getpid(), self.number)
        return super().__getitem__(index)


def test_signals_save_and_say_how_to_go_on(finished, tmp_path, capsys):
    folder, run = tmp_path / "run", RunFolder(tmp_path / "run")
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    assert runs.train(folder, dataset=Stopping(signal.SIGTERM, 1500)) == 143
    assert f"aligned resume {folder}" in capsys.readouterr().out
    assert run.interrupted[0].exists()
    assert runs.train(folder, dataset=Stopping(signal.SIGINT, 900)) == 130
    assert {number: signal.getsignal(number) for number in before} == before
    assert runs.train(folder) == 0
    assert not any(folder.exists() for folder in run.interrupted)
    runs.assert_same(runs.results(folder), runs.results(finished))
