"""Datasets of drawn faces: which seeds, which features."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aligned_jax.data import artwork, avatars
from aligned_jax.data.styles import STYLES, matches
from aligned_jax.errors import UserError


@dataclass(frozen=True)
class AvatarSource:
    """A dataset to be written by `write_dataset`.

    Image i of a split is drawn from the text "SEED/SPLIT/i", so that splits share
    no seed and an attribute of one image never depends on how many there are.

    Attributes:
      style: a key of `STYLES`.
      count, test: images of the splits train and test.
      resolution: pixels.
      seed: another seed, other people.
      roll, yaw: each image's roll (degrees) and yaw are drawn within plus and minus this.
      background: colours, one of which is drawn for each image.
      zoom: enlarges the drawing about the middle.
    """

    style: str
    count: int
    test: int = 0
    resolution: int = 64
    seed: int = 0
    roll: float = 0.0
    yaw: float = 0.0
    background: tuple[str, ...] = ("#ffffff",)
    zoom: float = 1.0

    name = "avatars"

    def check(self) -> None:
        """Raises UserError for what cannot be drawn; draws one image to find out."""
        if self.count < 1 or self.test < 0:
            raise UserError(f"{self.count} images and {self.test} for tests cannot be drawn")
        if not (0 <= self.yaw <= 1 and 0 <= self.roll <= 180):
            raise UserError(
                f"yaw {self.yaw} must be within 0 and 1, roll {self.roll} within 0 and 180"
            )
        next(self.examples("train", 0, 1))

    def identity(self) -> dict[str, Any]:
        """Options, and versions of what draws: all that decides the pictures, JSON-able."""
        from importlib import metadata

        names = ("dicebear-core", "dicebear-styles", "resvg_py", "pillow")
        return asdict(self) | {"versions": {name: metadata.version(name) for name in names}}

    def splits(self) -> dict[str, int]:
        """How many pictures each split has."""
        return {"train": self.count} | ({"test": self.test} if self.test else {})

    def features(self) -> dict[str, Any]:
        """The TFDS features of an example: image, seed and attributes."""
        import tensorflow_datasets as tfds

        classes, table = tfds.features.ClassLabel, STYLES[self.style]
        color = tfds.features.Tensor(shape=(3,), dtype=np.float32)
        number = tfds.features.Scalar(dtype=np.float32)
        variants = artwork.variants(self.style, table.hair) if table.hair else ()
        hair = [v for v in variants if not matches(v, table.bald)]
        return {
            "image": tfds.features.Image(
                shape=(self.resolution, self.resolution, 3), encoding_format="png"
            ),
            "seed": tfds.features.Text(),
            "hair": classes(names=["none", *hair]),
            "hair_color": color,
            "skin_color": color,
            "glasses": classes(names=list(avatars.ANSWERS)),
            "facial_hair": classes(names=list(avatars.ANSWERS)),
            "smile": classes(names=list(avatars.ANSWERS)),
            "mouth": classes(names=["none", *artwork.variants(self.style, table.mouth)]),
            "roll": number,
            "yaw": number,
            "options": tfds.features.Text(),
        }

    def examples(self, split: str, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Draws images `start` to `stop` of a split."""
        for index in range(start, stop):
            seed = f"{self.seed}/{split}/{index}"
            pose = random.Random(seed)
            roll, yaw = (pose.uniform(-most, most) for most in (self.roll, self.yaw))
            png, attributes = avatars.draw_png(
                self.style, seed, self.resolution, roll, yaw, self.background, self.zoom
            )
            example = {key: getattr(attributes, key) for key in self.features_of_attributes}
            text = avatars.options_text(attributes)
            yield {"image": png, "seed": seed, "options": text} | example

    features_of_attributes = (*avatars.OVERRIDES, "roll", "yaw")

    def conclusions(self, count: int, seen: Mapping[str, tuple[int, float]]) -> tuple[str, ...]:
        """Nothing was decided that the options do not say."""
        return ()

    def licence(self) -> str:
        """Text that goes beside the data."""
        return artwork.credit(self.style)

    def description(self) -> str:
        """A sentence for the dataset's card."""
        return f"Faces in the style {self.style} with known attributes."
