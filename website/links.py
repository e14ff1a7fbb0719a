"""Where files of the repository are on the site, and links that hold in both."""

import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Pages outside of docs/, by their place on the site. Names end in what a link may add.
_ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "studies/README.md": "studies/index.md",
}
_ZOO, _CARD = "aligned_jax/zoo/", "card.md"
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
_CODE = re.compile(r"(^```.*?^```$|^ {4}.*?$|`[^`\n]*`)", re.M | re.S)


def on_site(path: str) -> str | None:
    """The place on the site of a file of the repository, as sources of pages are named.

    Args:
      path: from the root of the repository, with slashes.

    Returns:
      a path such as "zoo/personas64/index.md", or None if the site does not have it.
    """
    if path in _ELSEWHERE:
        return _ELSEWHERE[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.startswith("studies/") and path.endswith((".md", ".py")):
        return path
    if path.startswith(_ZOO) and path.endswith((_CARD, ".png", ".svg")):
        folder, name = posixpath.split(path.removeprefix(_ZOO))
        return f"zoo/{folder}/{'index.md' if name == _CARD else name}"
    return None


def outside_docs() -> dict[str, Path]:
    """Files that the site takes from outside of docs/, by their place on the site."""
    found = [ROOT / name for name in _ELSEWHERE]
    found += sorted((ROOT / "studies").glob("*.*"))
    found += sorted(path for path in (ROOT / _ZOO).glob("*/*") if path.is_file())
    places = {on_site(path.relative_to(ROOT).as_posix()): path for path in found}
    return {place: path for place, path in places.items() if place is not None}


def for_site(text: str, path: str) -> str:
    """Markdown of a file of the repository with its links as the site wants them."""
    here = on_site(path)
    if here is None:
        raise ValueError(f"{path} is no page of the site")

    def moved(target: str) -> str | None:
        there = on_site(posixpath.normpath(posixpath.join(posixpath.dirname(path), target)))
        return there and posixpath.relpath(there, posixpath.dirname(here))

    return _with_links(text, moved)


def _with_links(text: str, moved: Callable[[str], str | None]) -> str:
    """The text with every relative link replaced, outside of code; None leaves one alone."""

    def link(match: re.Match[str]) -> str:
        if re.match(r"[a-z]+:", match[1]):
            return match[0]
        return (moved(match[1]) or match[1]) + (match[2] or "")

    parts = _CODE.split(text)
    parts[::2] = [_LINK.sub(link, part) for part in parts[::2]]
    return "".join(parts)


def source_of(place: str) -> str:
    """The file of the repository, from its root, that a page of the site was written in."""
    path = outside_docs().get(place)
    return path.relative_to(ROOT).as_posix() if path else f"docs/{place}"


def is_page(path: str | os.PathLike[str]) -> bool:
    """Whether a file becomes a page."""
    return os.fspath(path).endswith(".md")
