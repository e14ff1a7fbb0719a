"""A program of verbs: what it parses, which exit codes it has, and what it leaves to callers."""

import io
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from aligned_jax import viz
from aligned_jax.cli.console import CONSOLE, Program, Verb
from aligned_jax.errors import UserError
from aligned_jax.viz import report


def program(monkeypatch, **verbs):
    """A program whose verbs are these stand-ins for modules."""
    for name, module in verbs.items():
        monkeypatch.setitem(sys.modules, f"a_verb_called_{name}", module)
    return Program(
        "p",
        "says",
        "notes",
        {name: Verb(f"does {name}", f"a_verb_called_{name}") for name in verbs},
    )


def verb(run, add_arguments=lambda parser: parser.add_argument("--size", type=int), **more):
    return SimpleNamespace(
        __doc__="Explains.", EXAMPLE="  p draw", run=run, add_arguments=add_arguments, **more
    )


def fail(args):
    raise UserError("it is\x1b too large")


def interrupt(args):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("run", "code", "said"),
    [
        (lambda args: None, 0, ""),
        (lambda args: 130, 130, ""),
        (fail, 2, "p draw: it is\\x1b too large\n"),
        (lambda args: os.listdir("/nowhere"), 2, "p draw: /nowhere: No such file or directory\n"),
        (interrupt, 130, "interrupted\n"),
    ],
)
def test_exit_codes(monkeypatch, capsys, run, code, said):
    assert program(monkeypatch, draw=verb(run)).main(["draw"]) == code
    assert capsys.readouterr() == ("", said)


def test_a_bug_is_not_hidden(monkeypatch):
    with pytest.raises(ZeroDivisionError):
        program(monkeypatch, draw=verb(lambda args: 1 // 0)).main(["draw"])


def test_errors_of_the_system_that_name_no_file_are_bugs(monkeypatch):
    def run(args):
        raise OSError(9, "Bad file descriptor")

    with pytest.raises(OSError, match="Bad file"):
        program(monkeypatch, draw=verb(run)).main(["draw"])


@pytest.mark.parametrize("missing", ["fcntl", "resource"])
def test_what_a_system_lacks_is_said(monkeypatch, capsys, missing):
    def run(args):
        raise ModuleNotFoundError("halted", name=missing)

    assert program(monkeypatch, draw=verb(run)).main(["draw"]) == 2
    said = f"p draw: this needs Linux or macOS: there is no {missing}\n"
    assert capsys.readouterr().err == said
    with pytest.raises(ModuleNotFoundError):
        program(monkeypatch, draw=verb(lambda args: __import__("no_such_module"))).main(["draw"])


def test_what_a_verb_is_given(monkeypatch):
    seen = []
    made = program(monkeypatch, draw=verb(seen.append), train=verb(seen.append, OVERRIDES=True))
    assert made.main(["draw", "--size", "3"]) == 0
    assert made.main(["train", "--gan.r1", "0.2", "--size", "4"]) == 0
    draw, train = seen
    assert (draw.size, draw.command_line, draw.program) == (3, "p draw --size 3", made)
    assert not hasattr(draw, "overrides")
    assert (train.size, train.overrides) == (4, ["--gan.r1", "0.2"])


def test_callers_hear_of_mistakes_themselves(monkeypatch):
    made = program(monkeypatch, draw=verb(fail))
    for argv, said in (
        (["draw"], "too large"),
        (["draw", "--size", "x"], r"invalid int value: 'x' \(`p draw --help`"),
        (["darw"], "there is no verb 'darw'; did you mean draw?"),
        (["x"], "there is no verb 'x'; verbs are draw"),
        (["draw", "--gan.r1", "1"], r"there is no --gan.r1 \("),
    ):
        with pytest.raises(UserError, match=said):
            made.carry_out(argv)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_overview(monkeypatch, capsys, words):
    made = program(monkeypatch, draw=verb(fail), see=verb(fail))
    assert made.main(words) == 0
    assert capsys.readouterr().out == (
        "usage: p VERB ...\n\nsays\n\n  draw  does draw\n  see   does see\n\nnotes\n"
    )


def test_help_of_a_verb_runs_nothing(monkeypatch, capsys):
    assert program(monkeypatch, draw=verb(fail)).main(["draw", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "usage: p draw" in shown and "Explains." in shown and "example:\n  p draw" in shown


def test_being_terminated_while_arguments_are_declared_is_no_help(monkeypatch):
    def terminated(parser):
        raise SystemExit(143)

    with pytest.raises(SystemExit, match="143"):
        program(monkeypatch, draw=verb(fail, terminated)).main(["draw"])


def test_nobody_reads_the_output(monkeypatch):
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(fileno=lambda: 1, flush=broken))
    closed = []
    monkeypatch.setattr("os.dup2", lambda *ends: closed.append(ends))
    assert program(monkeypatch, draw=verb(lambda args: None)).main(["draw"]) == 141
    assert [ends[1] for ends in closed] == [1]


def broken():
    raise BrokenPipeError


def test_names_break_no_lines_of_warnings_and_pages(capsys):
    strange = "a\nb\x1b\udcff<"
    CONSOLE.warn(strange)
    assert capsys.readouterr().err == "warning: a\\nb\\x1b\\udcff<\n"
    assert "<h1>a\nb\\x1b\\udcff&lt;</h1>" in report.page(strange, [])
    assert viz.curves({strange: ([0, 1], [0, 1])}, "t", "x").count("b\\x1b\\udcff&lt;</text>") == 1
    buffer = io.BytesIO()
    viz.save_png(buffer, np.zeros((1, 1, 3), np.uint8), {"Comment": strange})
    with Image.open(buffer) as picture:
        assert picture.text == {"Comment": "a\nb\\x1b\\udcff<"}
