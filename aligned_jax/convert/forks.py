"""What forks of the official code add to it, and whether it changes the network.

Forks record more constructor arguments than the official code. Often their values say that
nothing is different: square images, a first block of 4x4 pixels, a feature that is off. Such
a network is read. Where an argument or the shapes of the tensors say that images are not
square, or begin at another size, the network is refused in these words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.problems import number
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

_FIRST = 4  # pixels along each side of the first block
_LARGEST = 2**16  # a side beyond it is no size of an image
_MAX_LOG2 = 16

_BEGIN = r"(init|initial|min|start|first|base)_?"
_IMAGE = r"((img|image|output|out)_?)?"
_SIZE = r"(res|resolution|size|shape|hw)"
_NAMES = {
    "first": rf"{_BEGIN}{_SIZE}",
    "first height": rf"{_BEGIN}(h|height)",
    "first width": rf"{_BEGIN}(w|width)",
    "image": rf"{_IMAGE}{_SIZE}",
    "image height": rf"{_IMAGE}(h|height)|(res|resolution|size)_?(h|height)",
    "image width": rf"{_IMAGE}(w|width)|(res|resolution|size)_?(w|width)",
    "doublings": r"res(olution)?_log2",
    "square": r"(is_)?square",
    "rectangle": r"rect|rectangle|rectangular|(is_)?rect(angle|angular)|non_?square",
    "ratio": r"(aspect|hw)?_?ratio|aspect",
}
# They steer how a network is run or called, never what it computes.
_IDLE = "verbose name device force_fp32 noise_mode use_checkpoint gradient_checkpointing"
# What the plain network does: True says that it does so here too, False that it does not.
_PLAIN = re.compile(
    r"demod|modulat|normal|norm_|_norm$|equal|wscale|bias|noise|style|mapping|trainable|affine"
)
_COUNTED = re.compile(r"attn|attention|heads|drop|extra|prob|rate|count|num_|n_")  # off at 0
_NEGATED = re.compile(r"(no|not|without|disable|skip|omit)_")
_DEFAULT_TEXTS = ("", "default", "none", "off", "plain", "standard", "stylegan2", "float32")


class Fork(FormatError):
    """A network that a fork made and that cannot be read; the message says how it differs."""


@dataclass
class Judged:
    """Arguments that the official code does not have, by dotted place.

    Attributes:
      strangers: those whose values may change what the network computes.
      passed: those whose names are unknown here, and whose values say that they change nothing.
    """

    strangers: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)


def judge(extras: Mapping[str, Any], resolution: Any) -> Judged:
    """What arguments beyond the official ones say.

    Args:
      extras: the arguments by dotted place, such as "synthesis_kwargs.square"; plain values.
      resolution: the recorded `img_resolution`.

    Raises:
      Fork: if they say that images are not square, or that the first block has another size.
    """
    flat = dict(_flat(extras))
    meanings = {place: _meaning(place) for place in flat}
    resolution = resolution if _is_side(resolution) else None
    _check_sides({m: flat[place] for place, m in meanings.items() if m}, resolution)
    judged = Judged()
    for place, value in flat.items():
        verdict = _verdict(place.rpartition(".")[2], meanings[place], value, resolution)
        if verdict == "unknown":
            judged.strangers.append(place)
        elif verdict == "nothing":
            judged.passed.append(f"{place}={_shown(value)}")
    return judged


def passed_warning(where: str, passed: list[str]) -> str:
    """What is said of arguments that were passed over (`Judged.passed`)."""
    return (
        f"{where}: arguments that are not known here were passed over, because their values say "
        f"that nothing is different: {listed(passed)}"
    )


def square_side(value: Any) -> Any:
    """A recorded `img_resolution`, of which forks write two sides, as one number.

    Raises:
      Fork: if the sides differ.
    """
    sides = _sides(value)
    if sides is None or not isinstance(value, list):
        return value
    if sides[0] != sides[1]:
        raise not_square(*sides)
    return sides[0]


def check_shapes(shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises Fork for official tensors of images that are not square or begin at another size."""
    blocks = {
        int(match[1]): shape
        for name, shape in shapes.items()
        if (match := re.fullmatch(r"synthesis\.b(\d{1,4})\.const", name))
    }
    if not blocks or len(blocks) > 1:
        return
    (first, shape), *_ = blocks.items()
    if len(shape) != 3 or 0 in shape:
        return
    height, width = shape[1:]
    noise = shapes.get(f"synthesis.b{first}.conv1.noise_const", (height, width))
    if noise != (height, width):  # one odd tensor makes no fork
        return
    if height != width:
        raise not_square(*_image_sides(shapes, height, width))
    if first != _FIRST or height != _FIRST:
        raise begins_at(height, width)


def not_square(height: Any = None, width: Any = None) -> Fork:
    """The refusal of images that are not square; their sides, where they are known."""
    sides = "" if height is None else f": {height}x{width} (height x width)"
    return Fork(
        f"it is a fork with images that are not square{sides}; only networks with square images "
        "can be read"
    )


def begins_at(height: int, width: int) -> Fork:
    """The refusal of a network whose first block has another size."""
    return Fork(
        f"it is a fork that begins at {height}x{width} pixels instead of {_FIRST}x{_FIRST}; its "
        "layers are not those of StyleGAN2, so it cannot be read"
    )


def _image_sides(shapes: Mapping[str, tuple[int, ...]], height: int, width: int) -> tuple[int, int]:
    """Sides of the images: those of the last noise map, else the first block's, doubled."""
    numbers = [re.match(r"synthesis\.b(\d{1,4})\.", name) for name in shapes]
    top = max((int(match[1]) for match in numbers if match), default=_FIRST)
    noise = shapes.get(f"synthesis.b{top}.conv1.noise_const", ())
    if len(noise) == 2 and noise[0] * width == noise[1] * height:
        return noise[0], noise[1]
    return height * top // _FIRST, width * top // _FIRST


def _flat(extras: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Arguments of groups by dotted place; a group that is empty says nothing."""
    for place, value in extras.items():
        if isinstance(value, dict):
            yield from _flat({f"{place}.{key}": item for key, item in value.items()})
        else:
            yield place, value


def _meaning(place: str) -> str | None:
    name = place.rpartition(".")[2].lower()
    return next((m for m, pattern in _NAMES.items() if re.fullmatch(pattern, name)), None)


def _check_sides(said: Mapping[str, Any], resolution: int | None) -> None:
    """Raises Fork if the arguments with these meanings describe another shape."""
    first = _pair(said, "first")
    image = _pair(said, "image")
    if image and image[0] != image[1]:
        raise not_square(*image)
    if first and first[0] != first[1]:
        raise not_square(*_grown(first, said.get("doublings"), resolution))
    if said.get("square") is False or said.get("rectangle") is True:
        raise not_square()
    ratio = said.get("ratio")
    if type(ratio) in (int, float) and ratio != 1:
        raise not_square()
    if first and first[0] != _FIRST:
        raise begins_at(*first)


def _pair(said: Mapping[str, Any], kind: str) -> tuple[int, int] | None:
    """Height and width of the first block or of images, given together or one by one."""
    height, width = said.get(f"{kind} height"), said.get(f"{kind} width")
    if height is not None and width is not None:
        return _sides([height, width])
    return _sides(said.get(kind))


def _grown(first: tuple[int, int], log2: Any, resolution: int | None) -> tuple[Any, Any]:
    """Sides of images that begin at `first`; nothing where it is not said how large they are."""
    if type(log2) is int and 0 <= log2 <= _MAX_LOG2:
        return first[0] << log2, first[1] << log2
    if resolution is None:
        return None, None
    return first[0] * resolution // _FIRST, first[1] * resolution // _FIRST


def _verdict(name: str, meaning: str | None, value: Any, resolution: int | None) -> str:
    """ "same" as in the plain network, "nothing" as far as can be told, or "unknown"."""
    if meaning and value is not None and value != []:
        return "same" if _is_plain_side(meaning, value, resolution) else "unknown"
    if meaning or name in _IDLE.split():
        return "same"
    if value is None or value == [] or (isinstance(value, str) and _is_default_text(value)):
        return "nothing"
    if type(value) in (int, float):
        return "nothing" if value == 0 and _COUNTED.match(name.lower()) else "unknown"
    if type(value) is not bool:
        return "unknown"
    positive = value is not bool(_NEGATED.match(name))
    return "nothing" if positive is bool(_PLAIN.search(name.lower())) else "unknown"


def _is_plain_side(meaning: str, value: Any, resolution: int | None) -> bool:
    """Whether the value is that of a square network; other shapes are refused by now."""
    if meaning in ("square", "rectangle"):
        return type(value) is bool
    if meaning == "ratio":
        return type(value) in (int, float)
    if meaning == "doublings":
        sound = type(value) is int and 0 <= value <= _MAX_LOG2
        return sound and resolution in (None, _FIRST << value)
    sides = _sides(value)
    expected = _FIRST if meaning.startswith("first") else resolution
    return sides is not None and (expected is None or sides == (expected, expected))


def _is_default_text(value: str) -> bool:
    return value.lower().removeprefix("torch.") in _DEFAULT_TEXTS


def _sides(value: Any) -> tuple[int, int] | None:
    """(height, width) of a number or of a pair of numbers; None if it is neither."""
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,5})[x,* -](\d{1,5})", value)):
        value = [int(match[1]), int(match[2])]
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2 or not all(map(_is_side, pair)):
        return None
    return pair[0], pair[1]


def _is_side(value: Any) -> bool:
    return type(value) is int and 0 < value <= _LARGEST


def _shown(value: Any) -> str:
    return show(value) if isinstance(value, str) else number(value)
