"""What the JSON files beside the weights of a CLIP say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aligned_jax.errors import FormatError
from aligned_jax.features.clip.config import ACTIVATIONS, MEAN, STD
from aligned_jax.utils.reading import read_json

HUGGING_FACE, OPEN_CLIP = "config.json", "open_clip_config.json"
_PREPROCESSOR = "preprocessor_config.json"
_BICUBIC = 3  # Pillow's number
# The transformers library's values of what a config.json leaves out: text, pictures.
_HEADS = (8, 12)
_HEAD_WIDTH = 64  # of OpenAI's networks, and of open_clip's unless they say otherwise


@dataclass(frozen=True)
class ClipDescription:
    """What is known besides the tensors; None where nothing says it.

    Attributes:
      activations, heads, epsilons: of the text and the picture transformer.
      end: token at which texts are read; None for the largest of a text.
      old_end: whether `end` was left out or is the 2 of old files, which the transformers
        library takes for "the largest" as well.
      mean, std: of pictures.
      size: pictures are resized to, if a file says it.
    """

    activations: tuple[str | None, str | None] = (None, None)
    heads: tuple[int | None, int | None] = (None, None)
    epsilons: tuple[float, float] = (1e-5, 1e-5)
    end: int | None = None
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    size: int | None = None


def described(folder: Path, hugging_face: bool, is_program: bool) -> ClipDescription:
    """What a folder says of weights in it.

    Args:
      folder: of the weights.
      hugging_face: which names the weights have; config.json counts for theirs,
        open_clip_config.json for the others.
      is_program: whether they are OpenAI's TorchScript archive, all of which are QuickGELU's.

    Raises:
      FormatError: for what cannot be read, or is of another kind of network.
    """
    if hugging_face and (folder / HUGGING_FACE).is_file():
        return _hugging_face(folder)
    if is_program:
        return ClipDescription(activations=("quick_gelu", "quick_gelu"))
    if not hugging_face and (folder / OPEN_CLIP).is_file():
        return _open_clip(folder / OPEN_CLIP)
    return ClipDescription()


def head_count(width: int, said: int | None, given: int | None, which: str) -> int:
    """Heads of a transformer: what is given, what is said, or one for 64 channels.

    Raises:
      FormatError: if none of them divides the width.
    """
    count = given or said or (width // _HEAD_WIDTH if width % _HEAD_WIDTH == 0 else 0)
    if count < 1 or width % count:
        raise FormatError(
            f"nothing says how many heads the {which} transformer of width {width} has; give both "
            "numbers, of texts and of pictures (`heads`)"
            if not count
            else f"{count} heads do not divide the width {width} of the {which} transformer"
        )
    return count


def settled_activation(said: str | None, given: str | None, file: str) -> str:
    """The activation that is given, or else said.

    Raises:
      FormatError: if neither is, or it is none that CLIPs have.
    """
    name = given or said
    if name is None:
        raise FormatError(
            f"{file} does not say whether its activation is QuickGELU, as in OpenAI's networks, or "
            "GELU, as in most others; say it (`activation='quick_gelu'` or gelu)"
        )
    if name not in ACTIVATIONS:
        raise FormatError(f"the activation is {name!r:.40}; it is {' or '.join(ACTIVATIONS)}")
    return name


def _hugging_face(folder: Path) -> ClipDescription:
    config = _json(folder / HUGGING_FACE)
    if config.get("model_type", "clip") != "clip":
        raise FormatError(
            f"{folder / HUGGING_FACE} is of a {config['model_type']!r:.40}, not a clip"
        )
    parts = [_part(config, f"{name}_config") for name in ("text", "vision")]
    text, vision = parts
    heads = [
        _whole(part.get("num_attention_heads"), usual)
        for part, usual in zip(parts, _HEADS, strict=True)
    ]
    mean, std, size = _preprocessor(folder / _PREPROCESSOR)
    return ClipDescription(
        activations=(
            str(text.get("hidden_act", "quick_gelu")),
            str(vision.get("hidden_act", "quick_gelu")),
        ),
        heads=(heads[0], heads[1]),
        epsilons=(_number(text, "layer_norm_eps"), _number(vision, "layer_norm_eps")),
        # In files of 2023 and before it was 2 whatever the tokenizer said.
        end=None if text.get("eos_token_id", 2) == 2 else _whole(text["eos_token_id"], 0),
        mean=mean,
        std=std,
        size=size,
    )


def _open_clip(file: Path) -> ClipDescription:
    document = _json(file)
    config, pictures = _part(document, "model_cfg"), _part(document, "preprocess_cfg")
    text, vision = _part(config, "text_cfg"), _part(config, "vision_cfg")
    usual = "quick_gelu" if config.get("quick_gelu") is True else "gelu"
    width = _whole(vision.get("width"), 0)
    head_width = _whole(vision.get("head_width"), _HEAD_WIDTH)
    return ClipDescription(
        activations=(usual, usual),
        heads=(
            _whole(text.get("heads"), 0) or None,
            (width // head_width if head_width else 0) or None,
        ),
        mean=_colours(pictures.get("mean"), MEAN, file),
        std=_colours(pictures.get("std"), STD, file),
    )


def _preprocessor(file: Path) -> tuple[tuple[float, ...], tuple[float, ...], int | None]:
    """Mean, deviation and size of pictures; OpenAI's and None without a file."""
    if not file.is_file():
        return MEAN, STD, None
    said = _json(file)
    if said.get("resample", _BICUBIC) != _BICUBIC:
        raise FormatError(f"{file} resizes by filter {said['resample']}, not bicubically (3)")
    size = said.get("crop_size", said.get("size"))
    size = size.get("height", size.get("shortest_edge")) if isinstance(size, Mapping) else size
    mean = _colours(said.get("image_mean"), MEAN, file)
    return mean, _colours(said.get("image_std"), STD, file), size if type(size) is int else None


def _json(file: Path) -> dict[str, Any]:
    try:
        return read_json(file)
    except OSError as error:
        raise FormatError(f"{file} cannot be read: {error.strerror}") from None


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = config.get(name)
    return part if isinstance(part, Mapping) else {}


def _whole(value: Any, usual: int) -> int:
    return value if type(value) is int and value >= 0 else usual


def _number(part: Mapping[str, Any], name: str) -> float:
    value = part.get(name, 1e-5)
    return float(value) if isinstance(value, int | float) else 1e-5


def _colours(value: Any, usual: tuple[float, ...], file: Path) -> tuple[float, ...]:
    if value is None:
        return usual
    if not isinstance(value, list) or len(value) != 3:
        raise FormatError(f"{file}: mean and deviation of pictures are three numbers each")
    if not all(isinstance(number, int | float) for number in value):
        raise FormatError(f"{file}: mean and deviation of pictures are three numbers each")
    return tuple(float(number) for number in value)
