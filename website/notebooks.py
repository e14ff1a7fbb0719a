"""Notebooks: Markdown with cells of Python, run in a kernel, as pages and as files for Jupyter."""

import html
import tempfile
from pathlib import Path
from typing import Any

# One cell may draw, compile and train.
_LONGEST = 900  # seconds
_PRELUDE = (
    '<p class="notebook-file"><a href="{name}.ipynb" download>Download this notebook</a>'
    ", with its results</p>"
)


def run(path: Path, execute: bool = True) -> tuple[str, str]:
    """A notebook as a page and as a file.

    Args:
      path: Markdown in jupytext's form.
      execute: run its cells, in a temporary folder; without, there are no results.

    Returns:
      Markdown with all results in it, and the content of an .ipynb.

    Raises:
      nbclient.exceptions.CellExecutionError: if a cell fails.
    """
    import jupytext
    import nbformat
    from nbclient import NotebookClient

    notebook = jupytext.read(path)
    if execute:
        with tempfile.TemporaryDirectory() as folder:
            options = {"timeout": _LONGEST, "kernel_name": "python3", "coalesce_streams": True}
            NotebookClient(notebook, **options).execute(cwd=folder)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", {}):
                output.data.pop("image/png", None)  # the same once more
    cells = [shown(cell) for cell in notebook.cells]
    head = _PRELUDE.format(name=path.stem)
    return "\n\n".join([cells[0], head, *cells[1:]]) + "\n", nbformat.writes(notebook)


def shown(cell: Any) -> str:
    """A cell as Markdown, its results below its code."""
    if cell.cell_type != "code":
        return str(cell.source)
    parts = [f"```python\n{cell.source}\n```", *filter(None, map(_output, cell.get("outputs", ())))]
    return "\n\n".join(parts)


def _output(output: Any) -> str:
    """A result as Markdown: HTML before pictures before text."""
    if output.output_type == "stream":
        return _text(output.text) if output.name == "stdout" else ""
    data = output.get("data", {})
    if "text/html" in data:
        return f'<div class="result">{data["text/html"]}</div>'
    for kind in ("image/png", "image/webp", "image/jpeg"):
        if kind in data:
            source = f"data:{kind};base64,{''.join(data[kind].split())}"
            return f'<div class="result"><img alt="result" src="{source}"></div>'
    return _text(data["text/plain"]) if "text/plain" in data else ""


def _text(text: str) -> str:
    return f'<div class="result"><pre>{html.escape(text.rstrip())}</pre></div>'
