"""The documents: commands that parse, code that runs, links that lead somewhere."""

import ast
import functools
import importlib
import itertools
import re
import shlex
from pathlib import Path

import pytest

from aligned_jax.tools import main
from tests.test_layering import LEVELS, SIDE

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "notebooks").glob("*.md")),
    *sorted((ROOT / "studies").glob("*.md")),
]
CARDS = sorted((ROOT / "aligned_jax" / "zoo").glob("*/card.md"))
SCRIPTS = sorted((ROOT / "docs").glob("*.sh"))
LONGEST_README = 900  # words
OWN_PROGRAMS = ("studies.", "benchmarks.", "aligned_jax.")


def name(path: Path) -> str:
    """How a test is called."""
    return str(path.relative_to(ROOT))


def blocks(text: str, *languages: str) -> list[str]:
    """The code blocks of a document in these languages; "" are those without a name."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.S | re.M)
    return [body for language, body in fenced if language in languages]


def prose(text: str) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def lines(document: Path) -> list[list[str]]:
    """The words of the command lines of a document's code blocks, or of a script."""
    text = document.read_text("utf-8")
    if document.suffix == ".md":
        text = "\n".join(blocks(text, "", "sh"))
    split = [shlex.split(line, comments=True) for line in text.replace("\\\n", " ").splitlines()]
    return [words[: words.index("&&") if "&&" in words else None] for words in split if words]


def commands(document: Path) -> list[list[str]]:
    """The arguments of the `aligned` lines."""
    return [words[1:] for words in lines(document) if words[0] == "aligned"]


def anchor(heading: str) -> str:
    """The anchor that code hosts give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("document", [*DOCUMENTS, *CARDS, *SCRIPTS], ids=name)
def test_commands_parse(document):
    for words in commands(document):
        _, args = main.parse(words)
        assert args.command_line == shlex.join(["aligned", *words])


@pytest.mark.parametrize("document", [*DOCUMENTS, *CARDS], ids=name)
def test_commands_of_own_programs_parse(document):
    for words in lines(document):
        if words[:2] == ["python", "-m"] and words[2].startswith(OWN_PROGRAMS):
            importlib.import_module(words[2]).parse(words[3:])


def test_commands_of_the_figures_parse():
    text = (ROOT / "docs" / "figures.md").read_text("utf-8")
    spans = re.findall(r"`(aligned \w+ [^`]+)`", text)
    assert len(spans) > 10
    for line in spans:
        main.parse(shlex.split(line)[1:])


@pytest.mark.parametrize("document", [*DOCUMENTS, *CARDS], ids=name)
def test_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(document.read_text("utf-8")))
    lost = []
    for link in links:
        path, _, part = link.partition("#")
        target = document.parent / path if path else document
        if "://" in link:
            continue
        if not target.exists():
            lost.append(link)
        elif part:
            headings = re.findall(r"^#+ (.*)$", prose(target.read_text("utf-8")), flags=re.M)
            lost += [link] if part not in map(anchor, headings) else []
    assert not lost


def test_every_page_is_linked_from_the_readme():
    text = README.read_text("utf-8")
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "studies" / "README.md"]
    assert [name(page) for page in pages if f"]({name(page)})" not in text] == []


def test_every_picture_is_shown():
    shown = "\n".join(document.read_text("utf-8") for document in DOCUMENTS)
    pictures = (ROOT / "docs" / "images").iterdir()
    assert [path.name for path in pictures if f"images/{path.name})" not in shown] == []


def test_the_readme_is_short():
    assert len(README.read_text("utf-8").split()) <= LONGEST_README


def test_the_readme_runs_the_tests():
    """`.ci/run` takes the command from there."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "<!-- test command -->" in script
    after = README.read_text("utf-8").split("<!-- test command -->\n")[1]
    first, line, last = after.splitlines()[:3]
    assert (first, last) == ("```sh", "```") and line.startswith("python3 -m venv .venv && ")


def test_pictures_tell_of_no_machine():
    """They name the commands that made them, as anyone can type them."""
    folders = (ROOT / "docs" / "images").iterdir(), (ROOT / "aligned_jax" / "zoo").glob("*/*.png")
    for path in itertools.chain(*folders):
        content = path.read_bytes()
        assert b"--out /" not in content and b" /tmp/" not in content, path


def test_every_verb_is_shown():
    shown = {words[0] for words in commands(ROOT / "docs" / "command_line.md")}
    assert shown == set(main.VERBS)
    assert f"Each of the {len(main.VERBS)} verbs" in README.read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_python_compiles_and_its_names_exist(document):
    import aligned_jax

    for block in blocks(document.read_text("utf-8"), "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("aj."):
                dotted = ast.unparse(node).removeprefix("aj.")
                if re.fullmatch(r"[\w.]+", dotted):
                    assert dotted.partition(".")[0] in dir(aligned_jax)
                    functools.reduce(getattr, dotted.split("."), aligned_jax)


def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = blocks(README.read_text("utf-8"), "python")
    results = {}
    exec(block, results)
    assert results["images"].shape == (8, 64, 64, 3) == results["animals"].shape
    assert results["aj"].load("half").config == results["half"].config


@pytest.mark.slow
def test_jobs_of_the_python_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    (block,) = [block for block in blocks(page, "python") if "aj.jobs." in block]
    results = {}
    exec(block, results)
    assert results["sheet"].images.shape == (2, 4, 64, 64, 3)
    assert results["animals"].shape == (4, 64, 64, 3)
    assert (tmp_path / "family.png").stat().st_size > 1000
    assert results["aj"].load("toon").config == results["toon"].config


def test_contributing_names_every_room_in_the_order_of_imports():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = text.split("| room |")[1].split("\n\n")[0]
    named = re.findall(r"`(\w+)/?`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:]))
    inside = (ROOT / "aligned_jax").iterdir()
    there = {path.stem for path in inside if path.suffix in ("", ".py") and path.stem[0] != "_"}
    order = [room for level in LEVELS for room in level if room in there]
    assert named == order
    assert there - set(named) == SIDE
