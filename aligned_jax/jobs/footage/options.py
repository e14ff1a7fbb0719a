"""How films are translated and edited, and what is told of the result."""

import os
from dataclasses import dataclass

from aligned_jax.data.smoothing import check_window
from aligned_jax.errors import UserError
from aligned_jax.jobs.edits.recipes import EditRecipe
from aligned_jax.jobs.sources import Usage
from aligned_jax.utils.text import counted


@dataclass(frozen=True)
class FilmOptions:
    """How a film is taken apart and put together again.

    Attributes:
      window: frames over which places of the square and latents are averaged, an odd number; 1
        takes every frame for itself.
      beside: whether the result shows what was cut out on its left.
      scale: a pixel of the squares becomes a square of so many pixels.

    Raises:
      UserError: for a window that is even or none.
    """

    window: int = 5
    beside: bool = False
    scale: int = 1

    def __post_init__(self) -> None:
        check_window(self.window)
        if self.scale < 1:
            raise UserError(f"`scale` is {self.scale}; a pixel becomes one or more")


@dataclass(frozen=True)
class RedrawnFilm:
    """What became of a film.

    Attributes:
      out: the film of the squares.
      pasted: that of the whole frames; None if none was wanted.
      frames: how many.
      fps: of them, a second.
      flicker: of the result, by network: how far a frame is from the mean of its two neighbours,
        in steps of 1/255, on average. What moves steadily counts little, what trembles a lot.
      flicker_before: that of the squares as they were cut out.
      without_face: frames in which no face was found, whose squares lie between others.
      diverged: frames whose latents were not finite and are those of a neighbour.
      lost_sound: results that do not keep the sound that the film has.
      usage: what of the options counted.
      recipe: of an edit, as of `FamilyEdit.recipe`; None of translations.
    """

    out: str
    pasted: str | None
    frames: int
    fps: float
    flicker: dict[str, float]
    flicker_before: float
    without_face: int
    diverged: int
    lost_sound: tuple[str, ...]
    usage: Usage
    recipe: EditRecipe | None = None

    @property
    def summary(self) -> str:
        """In words: "70 frames, 3.5 s; flicker 1.20 (before 0.80)"."""
        seen = ", ".join(
            f"{value:.2f}" if len(self.flicker) == 1 else f"{name} {value:.2f}"
            for name, value in self.flicker.items()
        )
        return (
            f"{counted(self.frames, 'frame')}, {self.frames / self.fps:.1f} s; flicker {seen} "
            f"(before {self.flicker_before:.2f})"
        )


def unfinished_folder(out: str | os.PathLike[str]) -> str:
    """Where the work on a film is kept until it is done."""
    return f"{os.fspath(out).rstrip('/')}.unfinished"
