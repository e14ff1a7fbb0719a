"""The public names of the library, by the rooms that scripts take them from."""

import importlib
import inspect
import re
import types
from collections.abc import Collection
from typing import Any, Literal, get_args, get_origin

from aligned_jax.utils.text import listed

# In the order in which people need them.
ROOMS = ["jobs", "latents", "rendering", "weights", "translation", "morphing", "semantics"]
ROOMS += ["inversion", "features", "metrics", "evaluation", "data", "viz", "zoo", "networks"]
ROOMS += ["config", "convert", "checkpoint", "loading", "provenance", "ancestry", "augment"]
ROOMS += ["losses", "ops", "errors", "types"]
# Of rooms that stand behind jobs, what scripts take from there.
MODULES = [
    "utils.reporting",
    "runs.progress",
    "runs.config",
    "training.options",
    "training.encoder_options",
]
MODULES += ["training.terms", "training.state", "training.gan_step"]
_MOST = 16  # values of a constant that are listed


def pages() -> dict[str, str]:
    """Markdown of the overview and of every room, by place on the site.

    Classes and functions are left to mkdocstrings, each on one page; of constants and types it is
    said what they are.
    """
    made, rows = dict[str, str](), []
    told: dict[str, str] = {}  # pages of classes and functions by their full names
    for call, module in modules().items():
        if public(module):
            place = "top" if call == "aj" else call.removeprefix("aj.").removeprefix("aligned_jax.")
            made[f"api/{place}.md"] = _page(call, module, told, f"{place}.md")
            rows.append(f"| [`{call}`]({place}.md) | {_says(call, module)} |")
    head = ["# Every public name", "", "`aj` is `import aligned_jax as aj`.", ""]
    table = ["| module | what is in it |", "| --- | --- |", *rows, ""]
    return {"api/index.md": "\n".join([*head, *table])} | made


def modules() -> dict[str, types.ModuleType]:
    """Modules that scripts use, by what they are called there."""
    full = {"aj": "aligned_jax"} | {f"aj.{room}": f"aligned_jax.{room}" for room in ROOMS}
    full |= {f"aligned_jax.{name}": f"aligned_jax.{name}" for name in MODULES}
    return {call: importlib.import_module(name) for call, name in full.items()}


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


def _page(call: str, module: types.ModuleType, told: dict[str, str], place: str) -> str:
    """Constants and what has its place on another page as a table, then all that is told here.

    Args:
      call: what scripts call the module.
      told: pages of classes and functions by their full names; those of this page are added.
      place: of this page among them.
    """
    values = {name: getattr(module, name) for name in public(module)}
    own = [name for name, value in values.items() if is_told(value)]
    own = [name for name in own if told.setdefault(_full(values[name]), place) == place]
    rows = [f"| {_name(name, value, told)} | {fact(value)} |" for name, value in values.items()]
    rows = [row for row, name in zip(rows, values, strict=True) if name not in own]
    parts = [f"# {call}", _says(call, module) if call == "aj" else inspect.getdoc(module) or ""]
    if rows:
        parts.append("\n".join(["| name | what it is |", "| --- | --- |", *rows]))
    own.sort(key=lambda name: inspect.isclass(values[name]))  # functions first
    parts += [_reference(f"{call}.{name}", _full(values[name])) for name in own]
    return "\n\n".join(parts) + "\n"


def is_told(value: Any) -> bool:
    """Whether a value is a class or function of the library."""
    is_code = inspect.isclass(value) or inspect.isroutine(value) or hasattr(value, "__wrapped__")
    return is_code and value.__module__.startswith("aligned_jax")


def _full(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


def _name(name: str, value: Any, told: dict[str, str]) -> str:
    """A name, which leads to where it is told."""
    return f"[`{name}`]({told[_full(value)]}#{_full(value)})" if is_told(value) else f"`{name}`"


def _reference(call: str, full: str) -> str:
    """What mkdocstrings replaces by a signature and a docstring."""
    label = call.rpartition(".")[2]
    return f"::: {full}\n    options:\n      heading: {call}\n      toc_label: {label}"


def _says(call: str, module: types.ModuleType) -> str:
    return "What most scripts need." if call == "aj" else sentence(module)


def fact(value: Any) -> str:
    """One line in a table."""
    if isinstance(value, types.UnionType):
        return " or ".join(map(_written, value.__args__))
    if isinstance(value, types.GenericAlias):
        return _written(value)
    if get_origin(value) is Literal:
        return listed([f"`{entry!r}`" for entry in get_args(value)], _MOST)
    if inspect.isclass(value) and not is_told(value):
        return f"`{value.__module__.split('.')[0]}.{value.__name__.rpartition('.')[2]}`"
    if callable(value):
        return sentence(value).replace("|", "\\|")
    if isinstance(value, Collection) and not isinstance(value, str):
        return listed([f"`{entry}`" for entry in value], _MOST)
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
