"""What is in one record of a dataset; ValueError says why something cannot be had of it."""

import io
import math
from typing import Any

import numpy as np

from aligned_jax.data.opening import opened
from aligned_jax.data.pictures import MODES
from aligned_jax.utils.text import counted, listed


def image(record: Any, side: int, channels: int) -> np.ndarray:
    """The image, uint8 [side, side, channels], not decoded if its head says another size."""
    with opened(io.BytesIO(_values(record, "image")[0])) as picture:
        if picture.size != (side, side) or picture.mode != MODES[channels]:
            raise ValueError(
                f"image of {picture.width}x{picture.height} pixels and mode {picture.mode}"
            )
        return np.asarray(picture).reshape(side, side, channels)


def image_size(record: Any) -> tuple[int, int]:
    """Width and height of the image."""
    with opened(io.BytesIO(_values(record, "image")[0])) as picture:
        return picture.size


def text(record: Any, name: str) -> str:
    """The text of a feature."""
    values = _values(record, name)
    if len(values) != 1 or not isinstance(values[0], bytes):
        raise ValueError(f"{name} is no text")
    return values[0].decode("utf-8")


def numbers(record: Any, name: str, feature: Any) -> np.ndarray:
    """The numbers of a feature, float32 [n]: one of its classes, or as many as its shape says."""
    recorded = _values(record, name)
    try:
        values = np.asarray(recorded, np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"{name} holds no numbers") from None
    classes = getattr(feature, "num_classes", None)
    sizes = () if classes else feature.shape
    length = None if None in sizes else math.prod(sizes)
    if length not in (None, len(values)):
        raise ValueError(f"{name} has {counted(len(values), 'number')} instead of {length}")
    shown = f"{name} is {listed([f'{value:.6g}' for value in values[:9]])}"
    if not np.isfinite(values).all():
        raise ValueError(f"{shown}, which is not finite")
    if classes and not 0 <= recorded[0] < classes:
        raise ValueError(f"{shown}, which is none of {classes} classes, 0 to {classes - 1}")
    return values


def _values(record: Any, name: str) -> Any:
    """The list of a feature's values."""
    kind = record.features.feature[name].WhichOneof("kind") if _has(record, name) else None
    if kind is None:
        raise ValueError(f"it has no {name}")
    return getattr(record.features.feature[name], kind).value


def _has(record: Any, name: str) -> bool:
    return name in record.features.feature
