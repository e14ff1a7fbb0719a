"""The styles' definitions: their components, colours and credits, and turned copies."""

import copy
import functools
import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

from aligned_jax.data.styles import STYLES
from aligned_jax.errors import UserError

# A face turned all the way has its features shifted by so much of the canvas.
_FULL_TURN = 0.07
_FREE = ("CC0 1.0", "CC BY 4.0")


def check_style(name: str) -> None:
    """Raises UserError unless the style is offered and can be drawn here."""
    if name not in STYLES:
        raise UserError(f"there is no style {name!r}; there are {', '.join(STYLES)}")
    for module in ("dicebear", "dicebear_styles", "resvg_py"):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(
                f"drawing avatars needs {module}: pip install 'aligned_jax[avatars]'"
            ) from error


@functools.cache
def definition(name: str) -> dict[str, Any]:
    """The style's own description; not to be changed."""
    from importlib.resources import files

    check_style(name)
    text = files("dicebear_styles").joinpath(f"{name}.json").read_text("utf-8")
    style = json.loads(text)
    if style["meta"]["license"]["name"] not in _FREE:
        raise UserError(f"this version of the style {name} is not under CC0 or CC BY any more")
    return style


def variants(name: str, component: str) -> tuple[str, ...]:
    """Names of the variants of a style's component."""
    return tuple(definition(name)["components"][component]["variants"])


def optional(name: str, component: str) -> bool:
    """Whether a component is left out of some pictures."""
    return "probability" in definition(name)["components"][component]


def credit(name: str) -> str:
    """Licence and authorship of the artwork, for people."""
    meta = definition(name)["meta"]
    licence, creator, source = meta["license"], meta["creator"], meta["source"]
    return (
        f"The pictures of this dataset are derived from\n"
        f'  "{source["name"]}" ({source["url"]})\n'
        f"  by {creator['name']} ({creator['url']}),\n"
        f"licensed under {licence['name']} ({licence['url']}).\n"
        "They were drawn by DiceBear (https://www.dicebear.com) from random seeds, changed in\n"
        "size, and in colours, features and pose where options say so. Whoever passes CC BY\n"
        "artwork on must keep this credit and say what was changed.\n"
    )


@functools.lru_cache(maxsize=64)
def turned_style(name: str, steps: int) -> Any:
    """DiceBear's style with the face turned by `steps` tenths of all the way.

    Building one takes some tenths of a second, hence the steps and the cache.
    """
    from dicebear import Style

    style = copy.deepcopy(definition(name))
    for component in STYLES[name].turned if steps else ():
        part = style["components"][component]
        shift = steps / 10 * _FULL_TURN * style["canvas"]["width"]
        percent = 100 * shift / (part["width"] * _scale(style, component))
        part["translate"] = {"x": {"min": percent, "max": percent}}
    return Style(style)


def _scale(style: dict[str, Any], component: str) -> float:
    """Horizontal scale that the drawing gives a component where it places it."""
    for element in _placements(style, component):
        transform = element.get("attributes", {}).get("transform", "")
        match = re.search(r"(?:scale|matrix)\(\s*([-.\d]+)", transform)
        return float(match[1]) if match else 1.0
    raise UserError(f"this version of the artwork has no {component}")


def _placements(node: Any, component: str) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "component" and node.get("name") == component:
            yield node
        for value in node.values():
            yield from _placements(value, component)
    elif isinstance(node, list):
        for value in node:
            yield from _placements(value, component)
