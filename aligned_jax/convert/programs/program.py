"""What both kinds of programs are: something that draws, and the content of a file."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import jax
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.convert.new_file import finite
from aligned_jax.convert.programs.options import SUFFIXES
from aligned_jax.convert.rules import to_official
from aligned_jax.errors import FormatError
from aligned_jax.networks import variable_shapes
from aligned_jax.types import Variables

# Protocol buffers and flatbuffers end at 2 GiB; some of it is needed for the structure.
_LIMIT = 2**31 - 2**24


class DrawingProgram(Protocol):
    """A generator as a program, in memory."""

    def draw(self, latents: Mapping[str, np.ndarray], psi: float | None = None) -> np.ndarray:
        """Images float32 [N, R, R, C], by the program itself.

        Args:
          latents: float32 [N, ...] by the names of `ProgramOptions.latents`.
          psi: of programs that take it, and of no others.
        """

    def write(self, path: Path, record: Mapping[str, Any], overwrite: bool = False) -> None:
        """Writes the file, which appears when it is complete.

        Args:
          path: of the file.
          record: JSON-able, kept in the file besides a checksum of the program.
          overwrite: replaces a file that is there.

        Raises:
          FormatError: if the file cannot be written; nothing is left behind.
        """


def is_program(path: str | os.PathLike) -> bool:
    """Whether a name is that of a program's file."""
    return os.fspath(path).endswith(SUFFIXES)


def check_size(path: str | os.PathLike, config: GeneratorConfig, half: bool) -> None:
    """Raises FormatError if the numbers of such a network do not fit into the file of a program."""
    count = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(variable_shapes(config)))
    size = count * (2 if half else 4)
    if size > _LIMIT:
        smaller = "" if half else "pass `half=True`, or "
        raise FormatError(
            f"{os.fspath(path)} was not written: the {count:,} numbers of this network take "
            f"{size / 2**30:.1f} GiB, and such a file holds less than 2; {smaller}export to a "
            "name that ends in .safetensors"
        )


def rounded(
    path: str | os.PathLike, config: GeneratorConfig, variables: Variables
) -> dict[str, Any]:
    """The variables of a network with the numbers that float16 has, as float32.

    Raises:
      FormatError: naming the official tensors that hold numbers beyond float16; `path` is what
        is not written then.
    """
    with np.errstate(over="ignore"):  # what is too large for it is found below
        halves = jax.tree.map(
            lambda leaf: np.asarray(leaf, np.float16).astype(np.float32), dict(variables)
        )
    finite(Path(path), to_official(config, halves))
    return halves
