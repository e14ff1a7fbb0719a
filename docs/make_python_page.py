"""Brings the reference in docs/python.md up to date: python docs/make_python_page.py.

What stands above the mark is written by hand. Below it every room of the library
that scripts use is listed with its public names and the first sentence of their
docstrings; of constants, what they are. A test compares the page with the library.
"""

import importlib
import inspect
import re
import types
from collections.abc import Collection
from pathlib import Path
from typing import Any

from aligned_jax.utils.text import listed

PAGE = Path(__file__).with_name("python.md")
MARK = "<!-- Below this line: python docs/make_python_page.py -->"
# In the order in which people need them.
ROOMS = ["jobs", "latents", "rendering", "weights", "translation", "morphing", "semantics"]
ROOMS += ["inversion", "features", "metrics", "evaluation", "data", "viz", "networks", "config"]
ROOMS += ["convert", "checkpoint", "loading", "provenance", "ancestry", "augment", "losses", "ops"]
ROOMS += ["errors", "types"]
# Of rooms that stand behind jobs, what scripts take from there.
MODULES = ["utils.reporting", "runs.config", "training.options", "training.encoder_options"]
MODULES += ["training.terms", "training.state", "training.gan_step"]
_MOST = 16  # values of a constant that are listed


def page() -> str:
    """The page as it should be."""
    import aligned_jax

    head = PAGE.read_text("utf-8").partition(MARK)[0]
    sections = [f"{head}{MARK}", section("aj", aligned_jax)]
    for room in ROOMS:
        sections.append(section(f"aj.{room}", importlib.import_module(f"aligned_jax.{room}")))
    for name in MODULES:
        full = f"aligned_jax.{name}"
        sections.append(section(full, importlib.import_module(full)))
    return "\n\n".join(filter(None, sections)) + "\n"


def section(heading: str, module: types.ModuleType) -> str:
    """Heading, summary and table of a module; empty if it has no public names."""
    rows = [f"| `{name}` | {summary(getattr(module, name))} |" for name in public(module)]
    if not rows:
        return ""
    says = sentence(module) if "." in heading else "What most scripts need."
    table = ["| name | what it is |", "| --- | --- |", *rows]
    return "\n".join([f"## `{heading}`", "", says, "", *table])


def public(module: types.ModuleType) -> list[str]:
    """Names that a module offers, without modules in it."""
    names = getattr(module, "__all__", None)
    if names is None:
        known = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
        names = [name for name, value in known.items() if _belongs(value, module)]
    return sorted(name for name in names if not inspect.ismodule(getattr(module, name)))


def _belongs(value: Any, module: types.ModuleType) -> bool:
    """Whether a module defines a value; a package, whether the library does."""
    home = getattr(value, "__module__", None) or ""
    if not hasattr(module, "__path__"):
        return home == module.__name__
    return home.startswith("aligned_jax.")


def summary(value: Any) -> str:
    """One line in a table."""
    if isinstance(value, types.UnionType):
        return " or ".join(map(_written, value.__args__))
    if isinstance(value, types.GenericAlias):
        return _written(value)
    if inspect.isclass(value) and not value.__module__.startswith("aligned_jax"):
        return f"`{value.__module__.split('.')[0]}.{value.__name__.rpartition('.')[2]}`"
    if inspect.isclass(value) or callable(value):
        return sentence(value).replace("|", "\\|")
    if isinstance(value, Collection) and not isinstance(value, str):
        names = [f"`{entry}`" for entry in value]
        return listed(names, _MOST)
    if type(value).__repr__ is object.__repr__:
        return f"A `{type(value).__name__}`."
    return f"`{value}`"


def _written(kind: Any) -> str:
    """A type without the modules of its parts: `dict[str, Draw]`."""
    text = str(kind) if isinstance(kind, types.GenericAlias) else kind.__name__
    return "`" + re.sub(r"[\w.]+\.(?=\w)", "", text) + "`"


def sentence(value: Any) -> str:
    """The first paragraph of a docstring."""
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
