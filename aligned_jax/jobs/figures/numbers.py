"""The numbers below figures: how alike pictures of networks are, without anybody's labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs.editing import EditRequest, edit
from aligned_jax.jobs.families import family
from aligned_jax.jobs.figures.plan import PSI, FigurePlan, labels
from aligned_jax.jobs.picture_translation import translate
from aligned_jax.loading import label_of
from aligned_jax.utils.reading import read_json
from aligned_jax.viz import to_uint8

_SIDE = 16  # pictures are compared at so many pixels
_LEVELS = 4  # of each colour in a palette
_LARGE = 128  # pixels, above which fewer pictures are drawn


def resemblance(a: np.ndarray, b: np.ndarray) -> float:
    """Whether pictures that are alike in one set are alike in another: representational similarity.

    Args:
      a, b: uint8 [N, R, R, C], N at least 3; picture i of both belongs to one latent. The sizes of
        the two may differ.

    Returns:
      Pearson's correlation of the distances between all pairs of a set with those of the other,
      in [-1, 1]; 0 if all pictures of one set are the same.
    """
    first, second = (_distances(small(images)) for images in (a, b))
    first, second = first - first.mean(), second - second.mean()
    norm = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / norm) if norm > 0 else 0.0


def alike(change: np.ndarray, other: np.ndarray) -> float:
    """Cosine of the mean changes that one edit makes in two networks, in [-1, 1]; 0 of nothing.

    Args:
      change, other: float [N, R, R, C], pictures with the edit less those without.
    """
    first, second = (small(part).mean(axis=0).ravel() for part in (change, other))
    norm = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / norm) if norm > 0 else 0.0


def strangeness(images: np.ndarray, own: np.ndarray) -> float:
    """How far from a domain the palettes of pictures are, in units of the domain's own.

    A palette is the histogram of a picture's colours, 4 levels a channel.

    Args:
      images: uint8 [N, R, R, C].
      own: uint8 [M, R, R, C] of the domain, M at least 2.

    Returns:
      the mean distance of a picture's palette to the nearest of the domain, over the mean distance
      of one of the domain to the nearest other one: 1 is as usual there.
    """
    theirs, ours = palettes(images), palettes(own)
    there = np.abs(theirs[:, None] - ours).sum(axis=-1).min(axis=1).mean()
    among = np.abs(ours[:, None] - ours).sum(axis=-1)
    np.fill_diagonal(among, np.inf)
    return float(there / max(float(among.min(axis=1).mean()), 1e-9))


def palettes(images: np.ndarray) -> np.ndarray:
    """Histograms of colours, float64 [N, 4 ** C], of uint8 [N, R, R, C]."""
    levels = images.reshape(len(images), -1, images.shape[-1]).astype(int) * _LEVELS // 256
    places = levels @ _LEVELS ** np.arange(images.shape[-1])
    count = _LEVELS ** images.shape[-1]
    return np.stack([np.bincount(one, minlength=count) / len(one) for one in places])


def evenness(frames: np.ndarray) -> float:
    """The largest step of a way over its mean step; 1 is a way without any jump.

    Args:
      frames: uint8 [T, R, R, C], T at least 2.
    """
    moves = np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(axis=(1, 2, 3))
    return float(moves.max() / moves.mean()) if moves.any() else 1.0


def small(images: np.ndarray) -> np.ndarray:
    """Pictures [N, R, R, C] averaged down to at most 16 pixels, float32 in the same units."""
    factor = max(images.shape[1] // _SIDE, 1)
    count, size, _, channels = images.shape
    side = size // factor
    cut = images[:, : side * factor, : side * factor].astype(np.float32)
    return cut.reshape(count, side, factor, side, factor, channels).mean(axis=(2, 4))


def _distances(images: np.ndarray) -> np.ndarray:
    """Between all pairs, [N * (N - 1) / 2]."""
    rows = images.reshape(len(images), -1)
    gaps = np.linalg.norm(rows[:, None] - rows, axis=-1)
    return gaps[np.triu_indices(len(rows), 1)]


class Gauge:
    """Measures networks of a plan, each picture once."""

    def __init__(self, plan: FigurePlan) -> None:
        self.plan = plan
        self._drawn: dict[str, np.ndarray] = {}
        self._count = 48 if plan.resolution <= _LARGE else 12

    @property
    def seeds(self) -> str:
        """Latents that nothing else shows."""
        return self.plan.seeds(self._count, first=1000)

    def pictures(self, network: str) -> np.ndarray:
        """uint8 [N, R, R, C] of the same latents for all networks."""
        if network not in self._drawn:
            sheet = family([network], seeds=self.seeds, psi=PSI)
            self._drawn[network] = sheet.images[0]
        return self._drawn[network]

    def resembles(self, *others: str) -> str:
        """How much of who looks like whom in the parent is so in others, as a sentence."""
        own = self.pictures(self.plan.parent)
        told = [
            f"{label_of(one)} {resemblance(own, self.pictures(one)):.2f}"
            for one in self._with_control(others)
        ]
        return (
            f"Who looks like whom in {self._count} pictures, correlated with the parent's: "
            f"{', '.join(told)}."
        )

    def acts_alike(self, word: str, *others: str) -> str:
        """How alike the mean change by an edit is in the parent and in others, as a sentence."""
        networks = (self.plan.parent, *self._with_control(others))
        names = labels(networks)
        request = EditRequest(edits=[word])
        edited = edit(networks, request, latents=self.seeds, names=names, psi=PSI)
        sheet = edited.sheet()
        # [networks, N * 2, R, R, C], without and with the edit in turns
        images = sheet.images.astype(np.float32)
        changes = images[:, 1::2] - images[:, ::2]
        told = [
            f"{name} {alike(changes[0], change):.2f}"
            for name, change in zip(names[1:], changes[1:], strict=True)
        ]
        return (
            f"Cosine of the mean change by {word} with the parent's, over {self._count} latents: "
            f"{', '.join(told)}."
        )

    def colours(self, child: str, spaces: Sequence[str]) -> str:
        """How strange the palettes of translations are to the child's domain, as a sentence."""
        own = self.pictures(child)
        seeds = self.plan.seeds(self._count, first=2000)
        told = []
        for space in spaces:
            found = translate(self.plan.parent, child, seeds, space=space, psi=PSI)
            images = to_uint8(found.images())
            told.append(f"{space} {strangeness(images, own):.2f}")
        return (
            f"Distance of the palettes of {self._count} translations from the child's domain, 1 "
            f"being usual there: {', '.join(told)}."
        )

    def _with_control(self, others: Sequence[str]) -> tuple[str, ...]:
        """Others and the control, each once."""
        return tuple(dict.fromkeys((*others, *self.plan.controls)))


def read_number(path: str, *keys: str | int) -> float:
    """A number of a JSON file that a step wrote.

    Raises:
      UserError: if it is not there.
    """
    try:
        found: Any = read_json(path)
        for key in keys:
            found = found[key]
        return float(found)
    except (OSError, FormatError, LookupError, TypeError, ValueError) as error:
        place = ".".join(map(str, keys))
        raise UserError(f"{Path(path)} has no number {place} ({error}); remove it") from None
