"""Pictures of faces back into the photographs that they were cut out of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from aligned_jax.data.placements import Placement
from aligned_jax.errors import UserError

FEATHER = 0.1
_SPARE = 2  # pixels around a picture, for the interpolation at its edges
# How sharply a pixel belongs to the nearest of several faces.
_SHARPNESS = 8


@dataclass(frozen=True, eq=False)
class Face:
    """What is put into a photograph at one place.

    Attributes:
      image: uint8 [R, R, C], C of 1, 3 or 4.
      placement: of its square in the photograph.
      kept: share of the photograph that is left at every pixel of the image, float32 [R, R] in
        [0, 1], or None to leave nothing.
    """

    image: np.ndarray
    placement: Placement
    kept: np.ndarray | None = None


def check_feather(feather: float) -> None:
    """Raises UserError for a seam that cannot be."""
    if not 0 <= feather <= 0.5:
        raise UserError(f"`feather` is {feather:g}; it is a share of the square from 0 to 0.5")


def pasted(photo: np.ndarray, faces: Sequence[Face], feather: float = FEATHER) -> np.ndarray:
    """A photograph with faces in their places.

    The share of a face is 1 inside its square, and falls to 0 at the square's edge over the
    feather; beyond, every pixel stays as it is, to the bit. Where the squares of several faces
    overlap, a pixel is that of the face whose edge is farther away, with a soft border.
    In a photograph with opacity, pictures without it change colours alone; a picture with
    opacity covers a photograph without it as far as it is opaque.

    Args:
      photo: uint8 [H, W, 1, 3 or 4], turned as its camera says.
      faces: what is put into it.
      feather: width of the seam in sides of the square, from 0 to 0.5.

    Returns:
      uint8 [H, W, C]: of the photograph's channels, but colours if a face has them.

    Raises:
      UserError: for a feather that cannot be, or a face of a photograph of another size.
    """
    check_feather(feather)
    height, width, channels = photo.shape
    for face in faces:
        if face.placement.size != (width, height):
            raise UserError(
                f"the photograph has {width}x{height} pixels, not the {face.placement.size[0]}x"
                f"{face.placement.size[1]} of the one that the face was cut out of"
            )
    if channels == 1 and any(face.image.shape[2] > 1 for face in faces):
        photo = photo.repeat(3, axis=2)
    parts = [(face, _box(face.placement)) for face in faces]
    parts = [(face, box) for face, box in parts if box[0] < box[2] and box[1] < box[3]]
    if not parts:
        return photo.copy()
    # What lies in any square, all with all.
    corners = np.asarray([box for _, box in parts])
    left, top = corners[:, :2].min(axis=0)
    right, bottom = corners[:, 2:].max(axis=0)
    depths = [_depth(face.placement, box) for face, box in parts]
    total = np.zeros((bottom - top, right - left), np.float32)
    for (_, box), depth in zip(parts, depths, strict=True):
        _view(total, box, left, top)[:] += (2 * depth) ** _SHARPNESS
    region = np.s_[top:bottom, left:right]
    before, result = photo[region], photo.copy()
    change = np.zeros((*total.shape, photo.shape[2]), np.float32)
    touched = np.zeros(total.shape, bool)
    opaque = _premultiplied(before)
    for (face, box), depth in zip(parts, depths, strict=True):
        nearest = (2 * depth) ** _SHARPNESS / np.maximum(_view(total, box, left, top), 1e-30)
        share = _seam(depth, feather) * np.minimum(nearest, 1)
        if face.kept is not None:
            share *= 1 - _placed(face.kept[..., None], face.placement, box)[..., 0]
        own = _view(opaque, box, left, top)
        new, covers = _fitted(_placed(face.image, face.placement, box), own)
        share = (share * covers)[..., None]
        _view(change, box, left, top)[:] += share * (new - own)
        _view(touched, box, left, top)[:] |= share[..., 0] > 0
    mixed = _divided(opaque + change, before)
    result[region] = np.where(touched[..., None], mixed, before)
    return result


def _box(placement: Placement) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels of the photograph that the square meets."""
    corners, (width, height) = placement.corners, placement.size
    left, top = (max(0, math.floor(value)) for value in corners.min(axis=0))
    right, bottom = (math.ceil(value) for value in corners.max(axis=0))
    return left, top, min(right, width), min(bottom, height)


def _view(array: np.ndarray, box: tuple[int, int, int, int], left: int, top: int) -> np.ndarray:
    """The part of an array that begins at (left, top) of the photograph."""
    return array[box[1] - top : box[3] - top, box[0] - left : box[2] - left]


def _depth(placement: Placement, box: tuple[int, int, int, int]) -> np.ndarray:
    """Distance of pixels from the square's edge in sides, float32 [h, w] in [0, 0.5]; 0 beyond."""
    x, y = np.arange(box[0], box[2]) + 0.5, np.arange(box[1], box[3]) + 0.5
    inside = placement.from_photo(np.stack(np.meshgrid(x, y), axis=-1))
    return np.clip(np.minimum(inside, 1 - inside).min(axis=-1), 0, 0.5).astype(np.float32)


def _seam(depth: np.ndarray, feather: float) -> np.ndarray:
    """Share of a face by the distance from the edge: a smooth step over the feather."""
    if feather == 0:
        return (depth > 0).astype(np.float32)
    way = np.clip(depth / np.float32(feather), 0, 1)
    return way * way * (3 - 2 * way)


def _placed(image: np.ndarray, placement: Placement, box: tuple[int, int, int, int]) -> np.ndarray:
    """A picture [R, R, C] as it lies in the photograph, float32 [h, w, C]; 0 beyond it.

    Pictures with more pixels than their place are made smaller before (Lanczos), else sampled
    bicubically. Values of uint8 stay in [0, 255], others in [0, 1].
    """
    most = 255 if image.dtype == np.uint8 else 1
    values = image.astype(np.float32)
    if image.shape[2] == 4:
        values[..., :3] *= values[..., 3:] / 255
    planes = [_placed_plane(values[..., k], placement, box) for k in range(values.shape[2])]
    return np.clip(np.stack(planes, axis=-1), 0, most)


def _placed_plane(
    values: np.ndarray, placement: Placement, box: tuple[int, int, int, int]
) -> np.ndarray:
    size = max(1, math.ceil(placement.side))
    plane = Image.fromarray(np.ascontiguousarray(values))
    if size < len(values):
        plane = plane.resize((size, size), Image.Resampling.LANCZOS)
    count = plane.width
    plane = Image.fromarray(np.pad(np.asarray(plane), _SPARE, mode="edge"))
    origin = np.asarray(box[:2], np.float64)
    steps = np.asarray([[0, 0], [1, 0], [0, 1]], np.float64) + origin
    start, right, down = placement.from_photo(steps) * count + _SPARE
    (a, d), (b, e) = right - start, down - start
    shape = box[2] - box[0], box[3] - box[1]
    how = (a, b, start[0], d, e, start[1])
    return np.asarray(plane.transform(shape, Image.Transform.AFFINE, how, Image.Resampling.BICUBIC))


def _premultiplied(pixels: np.ndarray) -> np.ndarray:
    values = pixels.astype(np.float32)
    if pixels.shape[2] == 4:
        values[..., :3] *= values[..., 3:] / 255
    return values


def _fitted(new: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A face with the channels of the photograph, and how much it covers, [h, w] in [0, 1].

    Args:
      new: the face, premultiplied if it has opacity.
      own: the photograph at its place, premultiplied if it has opacity.
    """
    covers: np.ndarray = np.ones(new.shape[:2], np.float32)
    if new.shape[2] == 4 and own.shape[2] == 4:
        return new, covers
    if new.shape[2] == 4:
        covers = new[..., 3] / 255
        new = new[..., :3] / np.maximum(covers, 1e-6)[..., None]
    if new.shape[2] == 1 and own.shape[2] > 1:
        new = new.repeat(3, axis=2)
    if own.shape[2] == 4:  # its opacity stays
        new = np.concatenate([new * own[..., 3:] / 255, own[..., 3:]], axis=-1)
    return new, covers


def _divided(values: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The inverse of `_premultiplied`, uint8; colours under no opacity are those of before."""
    if values.shape[2] == 4:
        alpha = np.clip(values[..., 3:], 0, 255)
        colours = np.where(
            alpha > 0, values[..., :3] * 255 / np.maximum(alpha, 1e-6), before[..., :3]
        )
        values = np.concatenate([colours, alpha], axis=-1)
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)
