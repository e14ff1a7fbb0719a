"""The site: every page has its place, links hold, and what is made of code tells all of it."""

import ast
import importlib
import os
import re
import runpy
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest
import yaml

import aligned_jax as aj
from aligned_jax.tools.main import ALIGNED
from tests.test_documentation import DOCUMENTS, ROOT, blocks, name, prose
from website import links, names, notebooks, verbs

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.md"))
NAVIGATION = (ROOT / "mkdocs.yml").read_text("utf-8").split("\nnav:\n")[1].split("\n\n")[0]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def made():
    """Pages of verbs and of names."""
    return verbs.pages(), names.pages()


@pytest.fixture(scope="module")
def places(made):
    """Every file of the site, as sources are named."""
    docs = ROOT / "docs"
    own = {path.relative_to(docs).as_posix() for path in docs.rglob("*") if path.is_file()}
    return own | set(links.outside_docs()) | set(made[0]) | set(made[1])


def targets(text):
    """What a document links to in the repository."""
    found = re.findall(r"\]\(([^)\s#]+)", prose(text))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def test_the_navigation_names_every_page(places):
    named = re.findall(r"[\w/-]+\.md", NAVIGATION)
    assert len(named) == len(set(named))
    shown = {place for place in places if place.endswith(".md") and not place.startswith("zoo/")}
    filled = {
        place for place in shown if place.startswith(("cli/", "api/")) and "index" not in place
    }
    assert set(named) == shown - filled


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere_on_the_site(document, places):
    path = document.relative_to(ROOT).as_posix()
    here = links.on_site(path)
    folder = ROOT / "x" / Path(here).parent
    for target in targets(links.for_site(document.read_text("utf-8"), path)):
        place = (folder / target).resolve().relative_to(ROOT / "x")
        assert place.as_posix() in places
    assert links.source_of(here) == path


def test_links_outside_of_docs_are_moved_and_code_is_not():
    text = "[a](../CONTRIBUTING.md#the-site) `[b](../README.md)`\n```\n[c](../README.md)\n```\n"
    moved = links.for_site(text, "docs/python.md")
    assert moved == text.replace("../CONTRIBUTING.md", "contributing.md")
    card = links.for_site("![x](samples.png)", "aligned_jax/zoo/personas64/card.md")
    assert card == "![x](samples.png)" and "zoo/personas64/samples.png" in links.outside_docs()
    assert links.for_site("[x](docs/zoo.md) [y](https://x.org/z.md)", "README.md") == (
        "[x](zoo.md) [y](https://x.org/z.md)"
    )


def test_pages_of_verbs_tell_every_argument(made):
    pages = made[0]
    assert set(pages) == {"cli/index.md"} | {f"cli/{verb}.md" for verb in ALIGNED.verbs}
    for verb in ALIGNED.verbs:
        text = pages[f"cli/{verb}.md"]
        assert f"[{verb}]({verb}.md)" in pages["cli/index.md"]
        for action in ALIGNED.parser(verb)._actions:
            for option in set(action.option_strings) - {"-h", "--help"}:
                assert re.search(rf"^`{option}[ `]", text, re.M), (verb, option)
    data = pages["cli/data.md"]
    assert "### data images" not in data and "## data images" in data and "`--pad-colour C`" in data
    assert "`--out X`\n:   " in pages["cli/edit.md"] and "*(required)*" in pages["cli/edit.md"]
    assert "`CHILD`\n:   *(any number)*" in pages["cli/edit.md"]


def test_help_is_shown_as_it_is():
    assert verbs.said("of `<a>`, *x* <y> --psi P") == r"of `<a>`, \*x\* &lt;y&gt; `--psi` P"


def test_pages_of_names_tell_every_public_name(made):
    pages = made[1]
    assert "`aj.jobs`" in pages["api/index.md"] and len(pages) > 30
    text = "\n".join(pages.values())
    for call, module in names.modules().items():
        for one in names.public(module):
            told = f"heading: {call}.{one}\n" in text or f"`{one}`" in text
            assert told, f"{call}.{one}"
    headings = re.findall(r"^::: (.*)$", text, re.M)
    assert len(headings) == len(set(headings)) > 300  # each is told once
    assert "| `COMPONENTS` | `mapping`," in pages["api/weights.md"]
    assert "[`load`](top.md#aligned_jax.loading.load)" in pages["api/loading.md"]


def test_every_class_and_function_has_a_docstring():
    for call, module in names.modules().items():
        for one in names.public(module):
            value = getattr(module, one)
            if names.is_told(value):
                assert names.sentence(value), f"{call}.{one}"


def test_the_package_offers_the_public_names_alone():
    """Whatever else was imported meanwhile."""
    importlib.import_module("aligned_jax.viewer.serving")
    importlib.import_module("aligned_jax.runs.config")
    rooms = {call.removeprefix("aj.") for call in names.modules() if call.startswith("aj.")}
    assert set(dir(aj)) == rooms | set(names.public(aj))
    assert not {"runs", "training", "utils", "viewer", "cli", "lazy_loader"} & set(dir(aj))


def test_the_readme_holds_elsewhere(monkeypatch):
    told = {}
    builder = types.ModuleType("setuptools")  # which environments need not have
    builder.setup, builder.find_packages = told.update, lambda *args, **options: []
    monkeypatch.setitem(sys.modules, "setuptools", builder)
    shown = runpy.run_path(str(ROOT / "setup.py"))["shown_elsewhere"]
    text = (ROOT / "README.md").read_text("utf-8")
    address = PROJECT["urls"].get("Repository")
    assert told["long_description"] == shown(text, address)
    assert len(targets(text)) > 20 and targets(shown(text, None)) == []
    there = shown(text, "https://example.org/a")
    assert targets(there) == [] and blocks(there, "sh") == blocks(text, "sh")
    assert "(https://example.org/a/blob/HEAD/docs/zoo.md)" in there
    assert "](https://example.org/a/raw/HEAD/docs/images/family.png)" in there
    assert shown("![a](b.png) [c](d.md) [e](https://f.g)", None) == " c [e](https://f.g)"


def test_a_workflow_builds_the_site():
    (job,) = yaml.safe_load((ROOT / ".github/workflows/docs.yml").read_text("utf-8"))[
        "jobs"
    ].values()
    lines = [step["run"] for step in job["steps"] if "run" in step]
    assert lines == [
        "pip install --quiet -e '.[docs]'",
        "mkdocs build --strict",
    ]
    assert ".venv/bin/mkdocs build --strict" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_notebooks_can_be_installed_and_read(notebook):
    text = notebook.read_text("utf-8")
    assert text.startswith("# ") and not re.search(r"^```(?!python$|$)", text, re.M)
    install, *cells = blocks(text, "python")
    (line,) = [line for line in install.splitlines() if "%pip" in line]
    wanted = re.fullmatch(r'# %pip install -q "?aligned_jax(?:\[([\w,]+)\])?"?', line)
    assert set((wanted[1] or "").split(",")) - {""} <= set(PROJECT["optional-dependencies"])
    assert len(cells) >= 6 and not any(re.search(r"^[%!]", cell, re.M) for cell in cells)
    known = {alias.asname or alias.name for cell in cells for alias in imported(cell)}
    known |= {node.id for cell in cells for node in ast.walk(ast.parse(cell)) if is_new(node)}
    assert {"aj"} <= known


class Node(dict):
    """What Jupyter's packages hold notebooks in."""

    __getattr__ = dict.__getitem__


def test_cells_are_shown_with_their_results():
    told = Node(output_type="stream", name="stdout", text="a <b>\n")
    warned = Node(output_type="stream", name="stderr", text="never mind")
    pages = [{"text/html": "<i>x</i>", "text/plain": "y"}, {"image/webp": "AA\n=="}]
    values = [Node(output_type="execute_result", data=data) for data in pages]
    cell = Node(cell_type="code", source="f()", outputs=[told, warned, *values])
    assert notebooks.shown(cell).split("\n\n") == [
        "```python\nf()\n```",
        '<div class="result"><pre>a &lt;b&gt;</pre></div>',
        '<div class="result"><i>x</i></div>',
        '<div class="result"><img alt="result" src="data:image/webp;base64,AA=="></div>',
    ]
    assert notebooks.shown(Node(cell_type="markdown", source="# x")) == "# x"


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="the site needs the extra docs")
    pytest.importorskip("mkdocstrings_handlers.python", reason="the site needs the extra docs")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "RUN_NOTEBOOKS": "false", "NO_MKDOCS_2_WARNING": "1"},
    )
    assert result.returncode == 0, result.stderr
    pages = {path: path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")}
    assert len(pages) > 100
    asked = r"<(?:script|img|link)[^>]*(?:src|href)=\"?(https?:[^\" >]*)"
    assert {where for text in pages.values() for where in re.findall(asked, text)} == set()


def imported(cell):
    """The aliases of a cell's imports."""
    nodes = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Import)]
    return [alias for node in nodes for alias in node.names]


def is_new(node):
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


# Runs the cells of a notebook one by one, and shows the last value of each as Jupyter would.
RUNNER = """\
import ast, sys
from pathlib import Path
from tests.test_documentation import blocks

def main():
    values, shown = {"__name__": "__main__"}, 0
    for cell in blocks(Path(sys.argv[1]).read_text("utf-8"), "python"):
        *body, last = ast.parse(cell).body or [None]
        if isinstance(last, ast.Expr):
            exec(compile(ast.Module(body, []), "cell", "exec"), values)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), values)
            show = getattr(value, "_repr_html_", None)
            shown += show is not None and len(show()) > 1000
        else:
            exec(compile(cell, "cell", "exec"), values)
    print("shown:", shown)

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_notebooks_run(notebook, tmp_path):
    runner = tmp_path / "runner.py"
    runner.write_text(RUNNER)
    # As users have it: one device, and programs that are compiled to be fast.
    own = {"XLA_FLAGS", "JAX_DISABLE_MOST_OPTIMIZATIONS"}
    env = {name: value for name, value in os.environ.items() if name not in own}
    result = subprocess.run(
        [sys.executable, str(runner), str(notebook)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env | {"PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout.rpartition("shown: ")[2]) >= 2
