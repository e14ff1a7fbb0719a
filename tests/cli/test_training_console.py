"""What verbs that train say: names from outside are made printable, on both streams."""

import signal
from pathlib import Path

from aligned_jax.cli import training
from aligned_jax.cli.console import Console
from aligned_jax.runs.launch import Outcome
from tests.runs import small_runs as runs

NAME = "run\x1b[31m"


def test_names_are_made_printable(capsys):
    assert training.conclude(Outcome(Path(NAME), 3, None)) == 0
    assert training.conclude(Outcome(Path(NAME), 3, signal.SIGTERM)) == 128 + signal.SIGTERM
    training.CONSOLE.notice(f"going on with {NAME}\nand on")
    with training.CONSOLE.training(runs.CONFIG, 0) as progress:
        progress.say(f"saving {NAME}")
        progress.warn(f"{NAME} is full")
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert out.splitlines()[0] == "run\\x1b[31m is trained: 3 kimg"
    assert "aligned resume" in out and "going on with run\\x1b[31m\nand on" in out
    assert err == "saving run\\x1b[31m\nwarning: run\\x1b[31m is full\n"


def test_the_console_of_training_is_that_of_all_verbs():
    assert isinstance(training.CONSOLE, Console)
