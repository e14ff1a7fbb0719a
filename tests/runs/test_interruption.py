"""Stopped at any moment and resumed, a run comes to the same as one that was never stopped."""

import os
import random
import signal
import subprocess
import time

import pytest

from aligned_jax import checkpoint
from aligned_jax.errors import FormatError
from aligned_jax.runs import saved_state
from aligned_jax.runs.folder import RunFolder
from tests.runs import small_runs as runs

COMPILING, TICK = "compiling the training step", " of 3 kimg, "


def killed(folder, config, sign, when):
    """Runs in another process and kills it `when` seconds after it has said `sign`."""
    child = subprocess.Popen(
        runs.command(folder, config),
        cwd=runs.ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    said = ""
    with child:
        for line in child.stderr:
            said += line
            if sign in line:
                break
        time.sleep(when)
        child.kill()
        said += child.stderr.read()
    assert child.returncode in (0, -signal.SIGKILL), said
    assert "Traceback" not in said, said
    return child.returncode != 0


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path):
    """The first time after a tick, so that the others begin in the middle of the run."""
    kills = 50
    dice, folder, config = random.Random(kills), tmp_path / "run", runs.every_kind(tmp_path)
    done, begun_at = 0, []
    for number in range(kills):
        sign, when = (COMPILING, dice.uniform(0, 3)) if number else (TICK, dice.uniform(0, 0.5))
        done += killed(folder, config, sign, when)
        latest = saved_state.latest_state(RunFolder(folder))
        begun_at.append(checkpoint.read_manifest(latest).provenance["step"])
    assert done > kills / 3 and begun_at[0] > 0
    assert runs.train_on_disk(folder, config) == 0
    assert runs.train_on_disk(tmp_path / "whole", config) == 0
    whole = runs.results(tmp_path / "whole")
    runs.assert_same(runs.results(folder), whole)
    # All that a state remembers has moved, or the comparison would say little.
    assert 0 < whole[0]["augment_p"] < 1 and begun_at[0] < whole[0]["step"] == 94


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


class Damaged(runs.Images):
    """Images of which one cannot be read, after so many others."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def __getitem__(self, index):
        self.after -= 1
        if self.after < 0:
            raise FormatError("record 7 is damaged")
        return super().__getitem__(index)


@pytest.mark.slow
def test_damaged_data_do_not_take_the_work_since_the_last_tick(tmp_path):
    folder, run = tmp_path / "run", RunFolder(tmp_path / "run")
    for _ in range(2):  # at the second time it stands where it stood
        with pytest.raises(FormatError, match="record 7 is damaged"):
            runs.train(folder, dataset=Damaged(1500 if not run.exists() else 3))
        assert saved_state.latest_state(run) == run.interrupted[0]
        assert 40 < checkpoint.read_manifest(run.interrupted[0]).provenance["step"] < 50
    assert [line["kimg"] for line in run.read_stats()] == [1]


@pytest.mark.slow
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
