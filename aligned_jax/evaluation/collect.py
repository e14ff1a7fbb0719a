"""Features of pictures in one pass: every image is made once, for all that is wanted of it."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from aligned_jax.errors import UserError
from aligned_jax.evaluation.catalogue import MOMENTS, PROBABILITIES, ROWS
from aligned_jax.evaluation.devices import Devices, by_rows, mesh_of
from aligned_jax.evaluation.image_sets import ImageSet
from aligned_jax.metrics import Moments, RunningMoments, softmax
from aligned_jax.types import Array
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import Advance, no_advance

_T = TypeVar("_T")


@dataclass
class Gathered:
    """What was wanted of one feature network.

    Attributes:
      moments: of the features.
      rows: the features themselves, float32 [N, D].
      probabilities: of classes, float32 [N, K].
    """

    moments: Moments | None = None
    rows: np.ndarray | None = None
    probabilities: np.ndarray | None = None


def present(gathered: _T | None) -> _T:
    """What was wanted and is therefore there."""
    if gathered is None:
        raise RuntimeError("features are missing that were never asked for")
    return gathered


def collect(
    pictures: ImageSet,
    extractors: Mapping[str, Callable],
    wanted: Mapping[str, set[str]],
    batch: int = 16,
    devices: Devices | None = None,
    advance: Advance = no_advance,
) -> dict[str, Gathered]:
    """Runs all images through the feature networks.

    Memory holds one batch of images, and of features what is wanted.

    Args:
      pictures: what to look at.
      extractors: `features.Extractor` by name; pytrees that map float32 images
        [n, H, W, C] in [0, 255] to {"features": [n, D], ...}.
      wanted: by name, which of MOMENTS, ROWS and PROBABILITIES.
      batch: images at a time, over all devices.
      devices: of this machine; None takes all.
      advance: hears how many images each batch has.

    Raises:
      UserError: images with a number of channels that no feature network takes,
        or features that are not finite.
    """
    if pictures.channels not in (1, 3, 4):
        raise UserError(
            f"images with {pictures.channels} channels cannot be scored; feature networks take "
            "grey, RGB or RGBA"
        )
    streams = {name: _Stream(needs, extractors[name]) for name, needs in wanted.items() if needs}
    chosen = {name: extractors[name] for name in streams}
    mesh = mesh_of(devices)
    for numbers, kept in blocks(len(pictures), batch, mesh.size) if chosen else ():
        features = _features(chosen, pictures.take(numbers), mesh)
        for name, stream in streams.items():
            stream.add({key: np.asarray(value)[:kept] for key, value in features[name].items()})
        advance(kept)
    return {name: stream.result() for name, stream in streams.items()}


class _Stream:
    """Takes the features of one network batch by batch."""

    def __init__(self, needs: set[str], extractor: Any) -> None:
        self._needs = needs
        if PROBABILITIES in needs:
            self._bias = np.asarray(extractor.variables["params"]["fc"]["bias"])
        self._moments = RunningMoments()
        self._rows: list[np.ndarray] = []
        self._probabilities: list[np.ndarray] = []

    def add(self, features: dict[str, np.ndarray]) -> None:
        rows = features["features"]
        if not np.isfinite(rows).all():
            raise UserError("features are not finite: the feature network's weights are damaged")
        if MOMENTS in self._needs:
            self._moments.add(rows)
        if ROWS in self._needs:
            self._rows.append(rows)
        if PROBABILITIES in self._needs:
            # The official score leaves the bias out of the class scores.
            self._probabilities.append(softmax(features["logits"] - self._bias).astype(np.float32))

    def result(self) -> Gathered:
        needs = self._needs
        return Gathered(
            self._moments.result() if MOMENTS in needs else None,
            np.concatenate(self._rows) if ROWS in needs else None,
            np.concatenate(self._probabilities) if PROBABILITIES in needs else None,
        )


@functools.partial(jax.jit, static_argnames="mesh")
def _features(extractors: dict[str, Any], images: Array, mesh: Mesh) -> dict[str, dict]:
    def body(extractors: dict[str, Any], images: Array) -> dict[str, dict]:
        images = images.astype(jnp.float32)
        return {name: extractor(images) for name, extractor in extractors.items()}

    return by_rows(mesh, body, extractors, images)
