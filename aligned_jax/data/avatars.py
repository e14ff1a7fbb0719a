"""Drawn faces with known attributes, one at a time."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from aligned_jax.data import artwork
from aligned_jax.data.opening import opened
from aligned_jax.data.styles import STYLES, Shown, Table, matches
from aligned_jax.errors import UserError
from aligned_jax.utils.text import listed

ABSENT = (-1.0, -1.0, -1.0)
ANSWERS = ("no", "yes", "unknown")
OVERRIDES = ("hair", "hair_color", "skin_color", "glasses", "facial_hair", "smile", "mouth")
_WHITE = ("#ffffff",)
_COLOR = re.compile("#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
# What the drawing program reports besides choices: transformations that stay at rest.
_RESTING = ("ColorFill", "Rotate", "TranslateX", "TranslateY", "Scale")


@dataclass(frozen=True)
class Attributes:
    """What a drawn face shows, as far as its style can tell.

    Attributes:
      hair: the style's name of the hair, "none" where there is none.
      hair_color, skin_color: RGB in [0, 1]; -1 each where there is none, where it
        is covered, or where the style draws in ink alone.
      glasses, facial_hair, smile: "yes", "no", or "unknown" where the style's
        names do not tell.
      mouth: the style's name of the mouth, "none" where it is hidden.
      roll: rotation of the picture in degrees, clockwise.
      yaw: turn of the face in [-1, 1], positive to the right of the picture, drawn as a shift
        of the features by up to 7 % of the width.
      options: everything that was resolved, under the style's own names.
    """

    hair: str
    hair_color: tuple[float, float, float]
    skin_color: tuple[float, float, float]
    glasses: str
    facial_hair: str
    smile: str
    mouth: str
    roll: float
    yaw: float
    options: dict[str, Any]


def draw_avatar(
    style: str,
    seed: str,
    resolution: int = 64,
    overrides: Mapping[str, Any] | None = None,
    *,
    roll: float = 0.0,
    yaw: float = 0.0,
    background: tuple[str, ...] = _WHITE,
    zoom: float = 1.0,
) -> tuple[np.ndarray, Attributes]:
    """Draws one face; the same arguments always draw the same.

    A picture with overrides differs from the one without in what was overridden
    alone: a counterfactual pair.

    Args:
      style: a key of `aligned_jax.data.STYLES`.
      seed: any text.
      resolution: pixels, 8 to 2048.
      overrides: attributes to fix: `glasses`, `facial_hair`, `smile` to True or
        False; `hair` and `mouth` to a name of the style (`hair` also to "none");
        `hair_color`, `skin_color` to "#rrggbb".
      roll: rotation in degrees, clockwise.
      yaw: turn in [-1, 1], rounded to tenths.
      background: colours, one of which the seed draws.
      zoom: enlarges the drawing about the middle.

    Returns:
      The image uint8 [resolution, resolution, 3], and its attributes.

    Raises:
      UserError: an unknown style or attribute, or one this picture cannot have.
    """
    svg, attributes = drawn_svg(style, seed, resolution, overrides, roll, yaw, background, zoom)
    return np.asarray(_opaque(rasterised(svg, resolution))), attributes


def draw_png(
    style: str,
    seed: str,
    resolution: int,
    roll: float = 0.0,
    yaw: float = 0.0,
    background: tuple[str, ...] = _WHITE,
    zoom: float = 1.0,
) -> tuple[bytes, Attributes]:
    """Like `draw_avatar` without overrides, but the image as an RGB PNG file."""
    svg, attributes = drawn_svg(style, seed, resolution, None, roll, yaw, background, zoom)
    out = io.BytesIO()
    _opaque(rasterised(svg, resolution)).save(out, "PNG")
    return out.getvalue(), attributes


def drawn_svg(
    style: str,
    seed: str,
    resolution: int,
    overrides: Mapping[str, Any] | None,
    roll: float,
    yaw: float,
    background: tuple[str, ...],
    zoom: float,
) -> tuple[str, Attributes]:
    """Like `draw_avatar`, but the drawing itself, before it is made of pixels."""
    artwork.check_style(style)
    if not 8 <= resolution <= 2048:
        raise UserError(f"a resolution of {resolution} cannot be drawn; 8 to 2048 can")
    if not (-1 <= yaw <= 1 and -360 <= roll <= 360 and 0 < zoom <= 10):
        raise UserError(
            f"yaw {yaw} must be within -1 and 1, roll {roll} within -360 and 360, zoom {zoom} "
            "above 0 and at most 10"
        )
    _check_colors([*background, *(v for k, v in (overrides or {}).items() if "color" in k)])
    steps = round(yaw * 10)
    options: dict[str, Any] = {"seed": seed, "backgroundColor": list(background)}
    options |= {"rotate": roll} if roll else {}
    options |= {"scale": zoom} if zoom != 1 else {}
    if "animation" in artwork.definition(style)["components"]:
        options["animationVariant"] = "none"
    options |= _visible_hair(style, background)
    natural = _resolved(style, steps, options)
    if not overrides:
        return natural["svg"], _attributes(style, natural, roll, steps)
    fixed = _style_options(style, overrides, natural["options"])
    # Colours avoid each other: what is not overridden stays what it was.
    kept = {key: natural["options"][key] for key in natural["options"] if key.endswith("Color")}
    drawn = _resolved(style, steps, options | kept | fixed)
    attributes = _attributes(style, drawn, roll, steps)
    _check_effect(style, overrides, attributes)
    return drawn["svg"], attributes


def _check_colors(colors: list[str]) -> None:
    wrong = [repr(color) for color in colors if not _COLOR.fullmatch(str(color))]
    if wrong or not colors:
        raise UserError(f"{listed(wrong) or 'nothing'} is no colour; write it as #rrggbb")


def _visible_hair(style: str, background: tuple[str, ...]) -> dict[str, Any]:
    """Keeps hair from vanishing before a background of its colour."""
    name = STYLES[style].hair_color
    palette = artwork.definition(style)["colors"][name]["values"] if name else []
    taken = {_rgb(color) for color in background}
    others = [color for color in palette if _rgb(color) not in taken]
    return {f"{name}Color": others} if others and len(others) < len(palette) else {}


def _resolved(style: str, steps: int, options: dict[str, Any]) -> dict[str, Any]:
    from dicebear import Avatar
    from dicebear.errors import OptionsValidationError

    try:
        return Avatar(artwork.turned_style(style, steps), options).to_json()
    except OptionsValidationError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"the style {style} cannot be drawn with these options: {reason}"
        ) from error


def rasterised(svg: str, resolution: int) -> bytes:
    """A drawing as a PNG file of so many pixels, over white."""
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, width=resolution, height=resolution, background=_WHITE[0]
        )
    )


def _opaque(png: bytes) -> Image.Image:
    with opened(io.BytesIO(png)) as image:
        return image.convert("RGB")


def _attributes(style: str, drawn: dict[str, Any], roll: float, steps: int) -> Attributes:
    table, options = STYLES[style], drawn["options"]
    hair = _hair(table, options)
    colored = hair != "none" and not matches(hair, table.hats)
    return Attributes(
        hair=hair,
        hair_color=_color(table.hair_color, options) if colored else ABSENT,
        skin_color=_color(table.skin_color, options),
        glasses=_answer(table.glasses, options),
        facial_hair=_answer(table.facial_hair, options),
        smile=_smile(table, options),
        mouth=options.get(f"{table.mouth}Variant", "none"),
        roll=float(roll),
        yaw=steps / 10,
        options={key: value for key, value in options.items() if not key.endswith(_RESTING)},
    )


def _hair(table: Table, options: dict[str, Any]) -> str:
    shown = options.get(f"{table.hair}Variant", "none")
    return "none" if matches(shown, table.bald) else shown


def _color(name: str | None, options: dict[str, Any]) -> tuple[float, float, float]:
    colors = options.get(f"{name}Color")
    return _rgb(colors[0]) if colors else ABSENT


def _rgb(text: str) -> tuple[float, float, float]:
    digits = text.removeprefix("#")
    digits = "".join(2 * d for d in digits) if len(digits) < 6 else digits
    red, green, blue = (int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4))
    return red, green, blue


def _is_shown(part: Shown, options: dict[str, Any]) -> bool:
    shown = options.get(f"{part.component}Variant")
    return shown is not None and (not part.variants or matches(shown, part.variants))


def _answer(parts: tuple[Shown, ...] | None, options: dict[str, Any]) -> str:
    if parts is None:
        return "unknown"
    return "yes" if any(_is_shown(part, options) for part in parts) else "no"


def _smile(table: Table, options: dict[str, Any]) -> str:
    if table.smiling is None:
        return "unknown"
    return _answer((Shown(table.mouth, table.smiling),), options)


def _style_options(
    style: str, overrides: Mapping[str, Any], natural: dict[str, Any]
) -> dict[str, Any]:
    """The style's own options that bring the overrides about."""
    unknown = sorted(set(overrides) - set(OVERRIDES))
    if unknown:
        raise UserError(
            f"unknown attributes {', '.join(unknown)}; these can be fixed: {', '.join(OVERRIDES)}"
        )
    table = STYLES[style]
    fixed: dict[str, Any] = {}
    for name, value in overrides.items():
        if name in ("hair", "mouth"):
            new = _named(style, name, value)
        elif name in ("hair_color", "skin_color"):
            new = {f"{getattr(table, name)}Color": [value]} if getattr(table, name) else {}
        elif name == "smile":
            parts = None if table.smiling is None else (Shown(table.mouth, table.smiling),)
            new = _switched(style, parts, bool(value), natural)
        else:
            new = _switched(style, getattr(table, name), bool(value), natural)
        clash = [key for key in new if key in fixed and fixed[key] != new[key]]
        if clash:
            raise UserError(f"{style} cannot have all of {', '.join(overrides)} in one picture")
        fixed |= new
    return fixed


def _named(style: str, name: str, value: str) -> dict[str, Any]:
    """Options that show a variant of hair or mouth by name."""
    table = STYLES[style]
    component = getattr(table, name)
    names = artwork.variants(style, component) if component else ()
    if name == "hair" and value == "none":
        wanted = [v for v in names if matches(v, table.bald)]
        if not wanted and component and artwork.optional(style, component):
            return {f"{component}Probability": 0}
    else:
        wanted = [value] if value in names else []
    if not component or not wanted:
        raise UserError(f"{style} has no {name} {value!r}; it has {', '.join(names) or 'none'}")
    sure = {f"{component}Probability": 100} if artwork.optional(style, component) else {}
    return {f"{component}Variant": wanted} | sure


def _switched(
    style: str, parts: tuple[Shown, ...] | None, wanted: bool, natural: dict[str, Any]
) -> dict[str, Any]:
    """Options that show or hide an attribute, none if it is so already."""
    if (_answer(parts, natural) == "yes") == wanted or not parts:
        return {}
    changes: dict[str, Any] = {}
    for part in parts[:1] if wanted else parts:
        names = artwork.variants(style, part.component)
        matching = [v for v in names if not part.variants or matches(v, part.variants)]
        others = [v for v in names if v not in matching]
        if wanted:
            changes[f"{part.component}Variant"] = matching
            if artwork.optional(style, part.component):
                changes[f"{part.component}Probability"] = 100
        elif not _is_shown(part, natural):
            continue
        elif artwork.optional(style, part.component):
            changes[f"{part.component}Probability"] = 0
        elif others:
            changes[f"{part.component}Variant"] = others
        else:
            raise UserError(f"{style} has no {part.component} that would be without it")
    return changes


def _check_effect(style: str, overrides: Mapping[str, Any], attributes: Attributes) -> None:
    missed = []
    for name, value in overrides.items():
        drawn = getattr(attributes, name)
        if isinstance(value, bool):
            value = ANSWERS[value]
        elif name.endswith("color"):
            value = _rgb(value)
        elif name == "hair" and matches(value, STYLES[style].bald):
            value = "none"
        if drawn != value:
            missed.append(f"{name} {overrides[name]!r}")
    if missed:
        raise UserError(f"this picture of {style} cannot have {', '.join(missed)}")


def options_text(attributes: Attributes) -> str:
    """The resolved options as JSON text."""
    return json.dumps(attributes.options, sort_keys=True)
