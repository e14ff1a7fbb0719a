"""Which part of a drawn face is where: the same picture drawn twice, with parts recoloured."""

import io
import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence

import numpy as np

from aligned_jax.data import artwork, avatars
from aligned_jax.data.opening import opened
from aligned_jax.data.styles import STYLES, Shown, matches

BACKGROUND, FACE = "background", "face"
_SVG = "{http://www.w3.org/2000/svg}"
# What shapes others, and is not seen itself.
_UNSEEN = (f"{_SVG}mask", f"{_SVG}clipPath")
_PAINTS = ("fill", "stroke")
_CHANNELS = ("#ff0000", "#00ff00", "#0000ff")
_NOT_PARTS = ("animation",)


def part_names(style: str) -> tuple[str, ...]:
    """The parts of a style: background and face, then hair, mouth, glasses, beard and others.

    Raises:
      UserError: for a style that cannot be drawn.
    """
    components = artwork.definition(style)["components"]
    names = {_name(style, component, None) for component in components}
    names |= {_name(style, c, v) for c in components for v in artwork.variants(style, c)}
    return (BACKGROUND, FACE, *sorted(names - set(_NOT_PARTS)))


def draw_parts(
    style: str,
    seed: str,
    resolution: int = 64,
    *,
    roll: float = 0.0,
    yaw: float = 0.0,
    background: tuple[str, ...] = ("#ffffff",),
    zoom: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws one face, and where its parts are.

    Parts that share a pixel leave it to the one that covers most of it. What is no component of
    the style, such as the skin, is the face.

    Args:
      style, seed, resolution, roll, yaw, background, zoom: as of `draw_avatar`.

    Returns:
      The image uint8 [resolution, resolution, 3], and numbers in `part_names(style)`, uint8
      [resolution, resolution].

    Raises:
      UserError: as `draw_avatar`.
    """
    svg, told = avatars.drawn_svg(style, seed, resolution, None, roll, yaw, background, zoom)
    names = part_names(style)
    shares = np.zeros((len(names), resolution, resolution), np.float32)
    components = [c for c in artwork.definition(style)["components"] if c not in _NOT_PARTS]
    groups: list[str | None] = [None, *components]  # None is the background
    for start in range(0, len(groups), len(_CHANNELS)):
        some = groups[start : start + len(_CHANNELS)]
        for component, share in zip(some, _shares(svg, some, resolution), strict=False):
            name = BACKGROUND
            if component is not None:
                name = _name(style, component, told.options.get(f"{component}Variant"))
            shares[names.index(name)] += share
    shares[1] = np.clip(1 - shares.sum(axis=0), 0, 1)
    return _pixels(svg, resolution), shares.argmax(axis=0).astype(np.uint8)


def _name(style: str, component: str, variant: str | None) -> str:
    """What a component is called while it shows a variant."""
    table = STYLES[style]

    def shown(parts: Sequence[Shown] | None) -> bool:
        return any(
            part.component == component
            and (not part.variants or (variant is not None and matches(variant, part.variants)))
            for part in parts or ()
        )

    if shown(table.glasses):
        return "glasses"
    if shown(table.facial_hair):
        return "beard"
    return {table.hair: "hair", table.mouth: "mouth"}.get(component, component)


def _shares(svg: str, components: Sequence[str | None], resolution: int) -> np.ndarray:
    """How much of each pixel up to three components cover, float32 [3, R, R] in [0, 1].

    Drawn in black and in a channel of their own, they differ by what is seen of them.
    """
    black = _pixels(_recoloured(svg, dict.fromkeys(components, "#000000")), resolution)
    colours = dict(zip(components, _CHANNELS, strict=False))
    bright = _pixels(_recoloured(svg, colours), resolution)
    difference = bright.astype(np.float32) - black.astype(np.float32)
    return np.clip(difference / 255, 0, 1).transpose(2, 0, 1)


def _recoloured(svg: str, colours: dict[str | None, str]) -> str:
    root = ElementTree.fromstring(svg)
    for component, colour in colours.items():
        for element in _painted(root, component):
            for paint in _PAINTS:
                if element.get(paint, "none") != "none":
                    element.set(paint, colour)
    return ElementTree.tostring(root, encoding="unicode")


def _painted(root: ElementTree.Element, component: str | None) -> Iterator[ElementTree.Element]:
    """Elements of a component, but for what is not seen itself; None is the background."""
    if component is None:
        ground = root.find(f"{_SVG}g/{_SVG}rect")
        yield from () if ground is None else (ground,)
        return
    for group in root.iter(f"{_SVG}g"):
        if group.get("id", "").startswith(f"{component}-"):
            yield from _seen(group)


def _seen(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    if element.tag not in _UNSEEN:
        yield element
        yield from itertools.chain.from_iterable(map(_seen, element))


def _pixels(svg: str, resolution: int) -> np.ndarray:
    with opened(io.BytesIO(avatars.rasterised(svg, resolution))) as image:
        return np.asarray(image.convert("RGB"))
