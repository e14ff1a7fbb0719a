"""What a picture keeps of the one that it was made of: its colours, and parts of it."""

import numpy as np

# Linear sRGB to CIE XYZ, and the white that both mean (IEC 61966-2-1, D65).
_TO_XYZ = np.asarray(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
)
_WHITE = _TO_XYZ.sum(axis=1)
_FROM_XYZ = np.linalg.inv(_TO_XYZ.astype(np.float64)).astype(np.float32)
_EDGE = np.float32(6 / 29)  # where the curve of L* becomes a line
_LEAST = np.float32(0.1)  # deviation of a picture that has hardly any


def to_lab(images: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of sRGB pictures: L* from 0 to 100, a* and b* around 0 (CIE 15, D65).

    Args:
      images: float [..., 3] in [-1, 1]; clipped.
    """
    values = np.clip((np.asarray(images, np.float32) + 1) / 2, 0, 1)
    linear = np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
    x, y, z = np.moveaxis(_curve(linear @ _TO_XYZ.T / _WHITE), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def from_lab(lab: np.ndarray) -> np.ndarray:
    """The inverse of `to_lab`, float32 [..., 3] in [-1, 1]; colours that sRGB lacks are clipped."""
    lightness, a, b = np.moveaxis(np.asarray(lab, np.float32), -1, 0)
    y = (lightness + 16) / 116
    curved = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    line = 3 * _EDGE**2 * (curved - np.float32(4 / 29))
    xyz = np.where(curved > _EDGE, curved**3, line) * _WHITE
    linear = np.clip(xyz @ _FROM_XYZ.T, 0, 1)
    values = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, linear * 12.92)
    return (2 * np.clip(values, 0, 1) - 1).astype(np.float32)


def with_colours(images: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Pictures with the mean and the standard deviation of others in each channel of L*a*b*.

    Reinhard et al., Color Transfer between Images, 2001, with L*a*b* in the place of their space.

    Args:
      images: float32 [N, H, W, C] in [-1, 1], C of 1, 3 or 4; opacity stays as it is.
      sources: float32 [N, H, W, C], whose colours they get.

    Returns:
      float32 [N, H, W, C].
    """
    channels = images.shape[-1]
    lab, wanted = to_lab(_coloured(images)), to_lab(_coloured(sources))
    mean, goal = lab.mean(axis=(1, 2), keepdims=True), wanted.mean(axis=(1, 2), keepdims=True)
    spread, aim = lab.std(axis=(1, 2), keepdims=True), wanted.std(axis=(1, 2), keepdims=True)
    moved = from_lab((lab - mean) * (aim / np.maximum(spread, _LEAST)) + goal)
    if channels == 1:
        return moved.mean(axis=-1, keepdims=True)
    return np.concatenate([moved, images[..., 3:]], axis=-1)


def with_parts(images: np.ndarray, sources: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Pictures that are others where these are kept.

    Args:
      images, sources: float32 [N, H, W, C].
      shares: float32 [N or 1, H, W, 1], 1 where the source is kept.
    """
    return images + shares * (sources - images)


def _coloured(images: np.ndarray) -> np.ndarray:
    return images.repeat(3, axis=-1) if images.shape[-1] == 1 else images[..., :3]


def _curve(values: np.ndarray) -> np.ndarray:
    """The curve of L*a*b*: a cube root that begins as a line."""
    line = values / (3 * _EDGE**2) + np.float32(4 / 29)
    return np.where(values > _EDGE**3, np.cbrt(values), line)
