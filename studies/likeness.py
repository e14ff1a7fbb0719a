"""What of a picture is still there in its translation, measured on the pixels.

A figure is what is not white. Colours are medians over parts of it, which are
found by its height, so that they exist for people and for monsters alike;
positions are those of all of it.
"""

import numpy as np

from aligned_jax.types import Array

_WHITE = 20  # levels below white that still count as white
_CUT = 0.02  # of the figure's pixels that may lie above its top or below its bottom
# Parts by height, from 0 at the top of the figure to 1 at its bottom; the last is narrowed.
_PARTS = {"top colour": (0.0, 0.25), "bottom colour": (0.85, 1.0), "head colour": (0.35, 0.65)}
MEASURES = (*_PARTS, "position", "lean", "area")


def measures(images: np.ndarray) -> dict[str, np.ndarray]:
    """Of uint8 images [N, H, W, 3]: by name, float64 [N, 3] of colours and [N, 1] of the others.

    Colours are in [0, 1]; `position` is the horizontal centre of the figure, as a
    fraction of the width; `lean` is how far its rows shift to the right from one
    row to the next; `area` is its part of the picture. A picture without a
    figure counts as white, upright and in the middle.
    """
    rows = [_measured(image) for image in images]
    return {name: np.asarray([row[name] for row in rows], np.float64) for name in MEASURES}


def survival(sources: np.ndarray, results: np.ndarray) -> float:
    """How often a result is nearer to its own source than to another one; 0.5 by chance.

    Both sets are brought to zero mean and unit deviation first, since a domain
    has colours and proportions of its own. Ties count half.

    Args:
      sources, results: [N, K], N at least 2; row i of one belongs to row i of the other.
    """
    gaps = standardised(results)[:, None] - standardised(sources)[None]
    distances = np.square(gaps).sum(axis=2)  # [results, sources]
    own = distances.diagonal()[:, None]
    nearer = (own < distances) + 0.5 * (own == distances)
    others = ~np.eye(len(own), dtype=bool)
    return float(nearer[others].mean())


def correlation(sources: np.ndarray, results: np.ndarray) -> float:
    """Mean over the columns of Pearson's correlation; a column that never changes has 0."""
    return float((standardised(sources) * standardised(results)).mean())


def standardised(values: np.ndarray) -> np.ndarray:
    """Columns [N, K] with zero mean and unit deviation; zeros where nothing changes."""
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    return centred / np.where(deviation > 1e-9, deviation, np.inf)


def dealt(count: int, seed: int) -> np.ndarray:
    """A random order [N] in which nothing stays in its place; N at least 2."""
    places = np.random.default_rng(seed).permutation(count)
    order = np.empty(count, int)
    order[places] = np.roll(places, 1)
    return order


def rmse(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Root mean squared difference of uint8 images, in units of [-1, 1]: [N]."""
    difference = (a.astype(np.float32) - b.astype(np.float32)) / 127.5
    return np.sqrt(np.square(difference).mean(axis=(1, 2, 3)))


def _measured(image: np.ndarray) -> dict[str, Array]:
    figure = (255 - image.astype(int)).max(axis=-1) > _WHITE
    if not figure.any():
        return {name: [1.0] * 3 for name in _PARTS} | {"position": [0.5], "lean": [0], "area": [0]}
    y, x = np.nonzero(figure)
    top, bottom = np.quantile(y, (_CUT, 1 - _CUT), method="nearest")
    height = (y - top) / max(1, bottom - top)
    middle = np.abs(x - x.mean()) <= image.shape[1] / 6
    values = {}
    for name, (low, high) in _PARTS.items():
        inside = (height >= low) & (height <= high) & (middle | (name != "head colour"))
        colours = image[y[inside], x[inside]] if inside.any() else np.full((1, 3), 255)
        values[name] = np.median(colours, axis=0) / 255
    spread = np.square(y - y.mean()).mean()
    lean = ((x - x.mean()) * (y - y.mean())).mean() / spread if spread else 0.0
    values |= {"position": [(x.mean() + 0.5) / image.shape[1]], "lean": [lean]}
    return values | {"area": [figure.mean()]}
