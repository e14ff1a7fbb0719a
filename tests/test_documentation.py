"""The documents: commands that parse, links that lead somewhere, verbs that are all there."""

import re
import shlex
from pathlib import Path

import pytest

from aligned_jax.tools import main

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CARDS = sorted((ROOT / "aligned_jax" / "zoo").glob("*/card.md"))
SCRIPTS = sorted((ROOT / "docs").glob("*.sh"))


def name(path: Path) -> str:
    """How a test is called."""
    return str(path.relative_to(ROOT))


def commands(text: str) -> list[list[str]]:
    """The `aligned` lines of a document's code blocks, or of a script."""
    lines = text.replace("\\\n", " ").splitlines()
    found = [shlex.split(line, comments=True) for line in lines if line.startswith("aligned ")]
    return [words[1 : words.index("&&") if "&&" in words else None] for words in found]


@pytest.mark.parametrize("document", [*DOCUMENTS, *CARDS, *SCRIPTS], ids=name)
def test_commands_parse(document):
    for words in commands(document.read_text("utf-8")):
        _, args = main.parse(words)
        assert args.command_line == shlex.join(["aligned", *words])


@pytest.mark.parametrize("document", [*DOCUMENTS, *CARDS], ids=name)
def test_links_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.S)
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert not [link for link in links if not (document.parent / link).exists()]


def test_the_readme_shows_every_verb():
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = {words[0] for words in commands(readme)}
    assert shown == set(main.VERBS)
