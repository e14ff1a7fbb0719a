"""Messages name arguments in Python, and the options that they are on the command line."""

import argparse
import ast
import dataclasses
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

import aligned_jax as aj
from aligned_jax import jobs
from aligned_jax.cli.spelling import TYPED, arguments_in, as_typed
from aligned_jax.errors import UserError
from aligned_jax.features.clip import load as load_clip
from aligned_jax.inversion import Settings
from aligned_jax.jobs.train import GeneratorRunOptions
from aligned_jax.runs.hosts import Session
from aligned_jax.tools.main import ALIGNED, main
from tests.helpers import DATA
from tests.test_layering import modules

NETWORK = str(DATA / "hostile_baseline_ok.pkl")
_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*(?!\.)\b(?!\.)")
# Commands that are shown, pages that show nothing but commands, and names of other programs.
_COMMANDS = (
    *("cli", "zoo", "jobs.figures", "jobs.demo", "jobs.command_steps", "jobs.publishing.card"),
    *("viewer.commands", "viewer.films", "viewer.guard", "viewer.moves", "viewer.session"),
    "viewer.uploads",
    *("viz.report", "convert.formats.foreign_networks", "weights.swap"),
)


@pytest.mark.parametrize(
    "python, typed",
    [
        ("pass `overwrite=True`", "pass --overwrite"),
        ("`noise_seed` is 3", "--noise-seed is 3"),
        ("leave out `labels=False`", "leave out --no-labels"),
        ("`psi=0.5`, `fit='pad'`", "--psi 0.5, --fit pad"),
        ("use `to=False`", "use --by"),
        ("`aligned info x` and `b4.conv1` and ``", "`aligned info x` and `b4.conv1` and ``"),
    ],
)
def test_arguments_become_options(python, typed):
    assert as_typed(python) == typed


@cache
def messages():
    """(module, text) of every string of the library but docstrings, \0 for what is filled in."""
    found = []
    for name, path in modules().items():
        room = name.removeprefix("aligned_jax.")
        if room.startswith(("tools", "train.")) or room.startswith(_COMMANDS):
            continue
        tree = ast.parse(Path(path).read_text("utf-8"))
        passed = set()
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
                passed.add(id(body[0].value))
            if isinstance(node, ast.JoinedStr):
                passed |= {id(part) for part in node.values}
        for node in ast.walk(tree):
            if id(node) in passed:
                continue
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append((name, node.value))
            elif isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "\0" for p in node.values]
                found.append((name, "".join(parts)))
    return found


@cache
def known_options():
    """Every option of every verb."""

    def of(parser):
        for action in parser._actions:
            yield from action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                for inner in action.choices.values():
                    yield from of(inner)

    return {option for verb in ALIGNED.verbs for option in of(ALIGNED.parser(verb))}


@cache
def known_arguments():
    """Every argument of what scripts call: jobs, their options, and what comes before them."""
    things = [getattr(jobs, name) for name in jobs.__all__]
    things += [Session, Settings, load_clip, aj.save, aj.view]
    names = {*GeneratorRunOptions.__annotations__}
    for thing in things:
        if dataclasses.is_dataclass(thing):
            names |= {field.name for field in dataclasses.fields(thing)}
        elif inspect.isfunction(thing):
            names |= set(inspect.signature(thing).parameters)
            for parameter in inspect.signature(thing).parameters.values():
                if dataclasses.is_dataclass(parameter.default):
                    names |= {field.name for field in dataclasses.fields(parameter.default)}
    return names


def test_no_message_of_the_library_names_an_option():
    """A string with spaces is a message, one without is a word of a command."""
    wrong = [
        f"{name}: {text!r}"
        for name, text in messages()
        if " " in text and _OPTION.search(re.sub(r"`aligned [^`]*`", "", text))
    ]
    assert not wrong, "\n".join(wrong)


def test_what_messages_name_can_be_given_in_both_places():
    named = {pair: name for name, text in messages() for pair in arguments_in(text)}
    assert len(named) > 40
    wrong = []
    for (python, typed), module in named.items():
        if python.partition("=")[0] not in known_arguments():
            wrong.append(f"{module}: no job takes {python}")
        if typed.split()[0] not in known_options() | {"--ppl-..."}:
            wrong.append(f"{module}: no verb has {typed}")
    assert not wrong, "\n".join(wrong)


def test_every_exception_is_needed():
    named = {python for _, text in messages() for python, _ in arguments_in(text)}
    assert set(TYPED) - named <= {"path"}  # which is filled in


CALLS = {
    "family": lambda: jobs.family([NETWORK, NETWORK], names=["one"]),
    "related": lambda: jobs.related([NETWORK, NETWORK], names=["one"]),
    "generate": lambda: jobs.generate(NETWORK),
    "generate of what is there": lambda: jobs.generate(NETWORK, "0", out=NETWORK[:-3] + "npz"),
    "export of what is there": lambda: jobs.export(NETWORK, NETWORK[:-3] + "pt"),
    "walk": lambda: jobs.walk(NETWORK, "0-1", space="z", curve="spline"),
    "finetune": lambda: jobs.finetune(NETWORK, data=".", run="x", session=Session(threads=0)),
    "translate": lambda: jobs.translate(NETWORK, NETWORK, "0", layers="all"),
    "train_encoder": lambda: jobs.train_encoder(NETWORK, data=".", run="x", kimg=0),
}


@pytest.mark.parametrize("name", CALLS)
def test_errors_in_python_name_arguments(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    if "is there" in name:
        monkeypatch.setattr("os.path.lexists", lambda path: True)
    with pytest.raises(UserError) as caught:
        CALLS[name]()
    said = str(caught.value)
    assert arguments_in(said) and not _OPTION.search(said), said
    assert _OPTION.search(as_typed(said)) and "`" not in as_typed(said)


def test_the_same_error_on_the_command_line_names_the_option(tmp_path, capsys):
    taken = tmp_path / "x.png"
    taken.touch()
    assert main(["generate", NETWORK, "--seeds", "0", "--out", str(taken)]) == 2
    assert capsys.readouterr().err.endswith("choose another name or pass --overwrite\n")
    with pytest.raises(UserError, match=r"pass `overwrite=True`$"):
        jobs.generate(NETWORK, "0", out=taken)
