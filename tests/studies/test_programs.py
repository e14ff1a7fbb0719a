"""Studies use benchmarks and the library, benchmarks the library; neither its command line."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND_LINE = ("aligned_jax.cli", "aligned_jax.tools", "aligned_jax.train", "tools", "train")
REFUSED = {"studies": COMMAND_LINE, "benchmarks": (*COMMAND_LINE, "studies")}
FILES = [path for folder in REFUSED for path in sorted((ROOT / folder).glob("*.py"))]


def imported(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def refused(folder, text):
    names = tuple(f"{name}." for name in REFUSED[folder])
    return [name for name in imported(text) if f"{name}.".startswith(names)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_imports(path):
    assert refused(path.parent.name, path.read_text("utf-8")) == []


def test_the_rule_finds_breaches():
    assert refused("benchmarks", "from studies import tables") == ["studies.tables"]
    assert refused("studies", "import aligned_jax.cli.console") == ["aligned_jax.cli.console"]
    assert refused("studies", "from benchmarks import measure") == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_program_is_in_the_documents(path):
    """And a module that is none says so by having no `main`."""
    names = {node.name for node in ast.parse(path.read_text("utf-8")).body if hasattr(node, "name")}
    assert ("main" in names) == ("parse" in names)
    if "main" in names:
        name = f"python -m {path.parent.name}.{path.stem} "
        page = {"studies": "studies/README.md", "benchmarks": "docs/speed.md"}[path.parent.name]
        assert name in (ROOT / page).read_text("utf-8")
