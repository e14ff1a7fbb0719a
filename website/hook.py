"""What MkDocs calls: adds the pages that are made, and makes links hold on the site."""

import sys
from pathlib import Path
from typing import Any

from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.utils import get_relative_url

sys.path.insert(0, str(Path(__file__).parents[1]))  # MkDocs loads this file by its name alone

from website import links, names, notebooks, verbs

_LOG = get_plugin_logger("website")
_NOTEBOOKS = "notebooks/"
# What the theme would load from elsewhere for pages on the disk, and what does the same.
_SHIM, _OWN_SHIM = "https://unpkg.com/iframe-worker/shim", "assets/search-from-disk.js"


def on_config(config: Any) -> Any:
    """Adds a line for every verb and every module to the navigation."""
    _fill(config.nav, "cli/index.md", [{name: place} for name, place in _verbs()])
    _fill(config.nav, "api/index.md", [{name: place} for name, place in _modules()])
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds pages of verbs and names, those outside of docs/, and notebooks with their results."""
    for place, path in links.outside_docs().items():
        _add(files, config, place, path=path)
    for place, text in {**verbs.pages(), **names.pages()}.items():
        _add(files, config, place, text)
    execute = config.extra["run_notebooks"]
    for file in [one for one in files.documentation_pages() if one.src_uri.startswith(_NOTEBOOKS)]:
        _LOG.info("%s %s", "Running" if execute else "Reading", file.src_uri)
        page, notebook = notebooks.run(Path(file.abs_src_path), execute)
        files.remove(file)
        _add(files, config, file.src_uri, page)
        _add(files, config, file.src_uri.removesuffix(".md") + ".ipynb", notebook)
    return files


def on_page_markdown(markdown: str, page: Any, **others: Any) -> str:
    """Points links to where files are on the site."""
    if page.file.src_uri.startswith(("cli/", "api/")):
        return markdown
    return links.for_site(markdown, links.source_of(page.file.src_uri))


def on_post_page(output: str, page: Any, **others: Any) -> str:
    """Keeps to files of the site."""
    return output.replace(_SHIM, get_relative_url(_OWN_SHIM, page.url))


def on_post_template(output_content: str, **others: Any) -> str:
    """The same for pages that are no documents, such as that of what is not found."""
    return output_content.replace(_SHIM, f"/{_OWN_SHIM}")


def _add(files: Files, config: Any, place: str, text: str | None = None, path: Any = None) -> None:
    given = {"content": text} if path is None else {"abs_src_path": str(path)}
    files.append(File.generated(config, place, **given))


def _fill(nav: Any, place: str, lines: list[Any]) -> None:
    """Appends lines to the list in which a place stands, however deep."""
    for entry in nav:
        for inner in entry.values() if isinstance(entry, dict) else ():
            if isinstance(inner, list):
                inner += lines if place in inner else []
                _fill(inner, place, lines)


def _verbs() -> list[tuple[str, str]]:
    return [(_title(text), place) for place, text in verbs.pages().items() if "index" not in place]


def _modules() -> list[tuple[str, str]]:
    return [(_title(text), place) for place, text in names.pages().items() if "index" not in place]


def _title(text: str) -> str:
    return text.splitlines()[0].removeprefix("# ").removeprefix("aligned ")
