"""Films of how images came about."""

from collections.abc import Sequence

import numpy as np

from aligned_jax import viz
from aligned_jax.inversion import InversionProgress

FRAMES = 40

# What a film shows of an image, uint8 [R, R, C] each, by the first of the attempts that
# took their turn together.
Turns = dict[int, list[np.ndarray]]


class Films:
    """Frames of each image, `FRAMES` over all steps or fewer.

    Every turn of attempts has its own, since only the end shows which was the best.

    Attributes:
      turns: by number of the image.
    """

    def __init__(self, numbers: Sequence[int], steps: int) -> None:
        """A film for each image.

        Args:
          numbers: of the images, in the order in which they are inverted.
          steps: of each inversion.
        """
        self._numbers, self._steps = numbers, steps
        self.turns: dict[int, Turns] = {}

    def watch(self, progress: InversionProgress) -> None:
        """Keeps a frame of each image, if it is time for one."""
        turn = progress.attempts.start
        drawn = len(self.turns.get(self._numbers[progress.first], {}).get(turn, ()))
        if progress.step * FRAMES // self._steps <= drawn:
            return
        images = np.nan_to_num(progress.images())
        for number, image in zip(
            self._numbers[progress.first :], viz.to_uint8(images), strict=False
        ):
            self.turns.setdefault(number, {}).setdefault(turn, []).append(image)

    def take(self, number: int, attempt: int) -> list[np.ndarray]:
        """Frames of the turn in which an image's best attempt was; all turns are forgotten."""
        turns = self.turns.pop(number, {})
        return turns[max(turn for turn in turns if turn <= attempt)] if turns else []
