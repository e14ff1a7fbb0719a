"""Latents that words name: seeds, files of latents (F.npz, F.npy, F.pt), rows of them (F.npz@2)."""

import dataclasses
import os
import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import labels_for
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.latent_files import read_latents
from aligned_jax.translation import PSI, Truncation
from aligned_jax.utils.paths import names_of
from aligned_jax.utils.text import listed

WordKind = Literal["seeds", "latents", "pictures"]
_SEEDS = re.compile(r"[\d\s,-]+")
_FILE = re.compile(r"(.*\.(?:npz|npy|pt|pth))(?:@([^@]*))?", re.DOTALL | re.IGNORECASE)


def kind_of_words(words: Sequence[str]) -> WordKind:
    """What words stand for by their form: one list of seeds, files of latents, or else pictures.

    Raises:
      UserError: for words of different kinds, or several lists of seeds.
    """
    kinds: set[WordKind] = set()
    for word in words:
        latents: WordKind = "latents" if _FILE.fullmatch(word) else "pictures"
        kinds.add("seeds" if _SEEDS.fullmatch(word) else latents)
    if len(kinds) != 1 or (kinds == {"seeds"} and len(words) > 1):
        raise UserError(
            f"{' '.join(words)[:80]}: give one list of seeds, or files of latents, or pictures"
        )
    return kinds.pop()


def kind_of(source: Any) -> WordKind:
    """What a seed, a list of seeds, names or an array stand for; raises UserError as above."""
    if isinstance(source, np.ndarray):
        return "seeds" if source.ndim == 1 else "pictures"
    numbers = source if isinstance(source, Sequence) and len(source) else [source]
    if all(isinstance(number, int | np.integer) for number in numbers):
        return "seeds"
    return kind_of_words(names_of(source))


def seeds_of(source: Any) -> str | list[int]:
    """Seeds as text, be it alone or in a list, or as numbers."""
    if isinstance(source, str):
        return source
    seeds = [source] if isinstance(source, int) else list(source)
    return seeds[0] if seeds and isinstance(seeds[0], str) else [int(seed) for seed in seeds]


def latents_of_file(
    config: GeneratorConfig,
    path: str | os.PathLike,
    label: int | None = None,
    psi: float | None = 1.0,
    prefer: str = "ws",
) -> LatentBatch:
    """All rows of a file of latents, for a network of these sizes.

    Args:
      config: of the network.
      path: as for `read_latents`.
      label: class of a conditional network, from 0, if the file holds z without labels.
      psi: truncation of z or ws. None truncates nothing but z, as the file says, or else by
        `translation.PSI`.
      prefer: "ws" or "z", of files that hold both.

    Raises:
      UserError: for a file that cannot be read or does not fit, a label that it has already or
        that changes nothing, or a truncation that the network does not know.
    """
    latents, recorded = _read(config, path, label, prefer)
    if psi is None:
        latents = latents.with_psi(Truncation().of_latents(recorded))
    else:
        latents = dataclasses.replace(latents, psi=psi)
    latents.check(config)
    return latents


def latents_of_files(
    config: GeneratorConfig,
    words: Sequence[str],
    label: int | None = None,
    psi: float | None = None,
    otherwise: float = PSI,
) -> LatentBatch:
    """Rows of several files, which hold the same kind; of z and ws in one file, z.

    The rows of several files are called after them as well, and those of one row after their
    file alone; those of pictures that are beside them keep their names. Numbers count from 0.

    Args:
      config: of the network.
      words: `F.npz`, `F.npy` or `F.pt` for all rows of a file, or `F.npz@2` for its row 2.
      label: as in `latents_of_file`.
      psi: truncation of z; None is that of the files. What is beyond z is truncated already.
      otherwise: truncation of z in files that say none.

    Raises:
      UserError: for words that name no file of latents, a row that is not there, files of
        different spaces or truncations, and as `latents_of_file`.
    """
    matches = [(word, _FILE.fullmatch(word)) for word in words]
    if wrong := [word for word, match in matches if not match]:
        raise UserError(
            f"{listed(wrong)}: no file of latents; these are F.npz, F.npy or F.pt, or F.npz@2 for "
            "row 2. Pictures are given without `kind='latents'`"
        )
    truncation = Truncation(psi, usual=otherwise)
    parts: list[LatentBatch] = []
    for word, (file, row) in ((word, match.groups()) for word, match in matches if match):
        latents, recorded = _read(config, file, label, prefer="z")
        latents = latents.with_psi(truncation.of_latents(recorded))
        parts.append(_row(word, _named(file, latents, len(words) == 1), row))
    if len({frozenset(part.arrays) for part in parts}) > 1:
        raise UserError(f"{listed(words)}: these files hold latents of different spaces")
    if len(psis := {part.psi for part in parts}) > 1:
        listing = ", ".join(f"{value:g}" for value in sorted(psis))
        raise UserError(f"these files say different `psi` ({listing}); choose one")
    arrays = {key: np.concatenate([part.arrays[key] for part in parts]) for key in parts[0].arrays}
    names = tuple(name for part in parts for name in part.names)
    numbers = np.arange(len(names), dtype=np.uint32)
    shown = [part.pictures for part in parts if part.pictures is not None]
    pictures = np.concatenate(shown) if len(shown) == len(parts) else None
    places = [part.placements for part in parts if part.placements is not None]
    placed = (
        tuple(place for some in places for place in some) if len(places) == len(parts) else None
    )
    latents = LatentBatch(arrays, names, numbers, psis.pop(), pictures, placements=placed)
    latents.check(config)
    return latents


def _read(
    config: GeneratorConfig, path: str | os.PathLike, label: int | None, prefer: str
) -> tuple[LatentBatch, float | None]:
    """The latents of a file, not to be truncated, and the psi that the file says."""
    stored = read_latents(path, config, prefer)
    arrays = stored.arrays
    if label is not None and "c" in arrays:
        raise UserError(f"{path} holds labels c already; leave out `label`, or c")
    if label is not None and "z" not in arrays:
        raise UserError(f"{path} holds no z, so that a label changes nothing; leave out `label`")
    count = len(next(iter(arrays.values())))
    if "z" in arrays and "c" not in arrays:
        arrays = arrays | {"c": labels_for(config, label, count)}
    names = stored.names or tuple(f"row {number}" for number in range(count))
    numbers = np.arange(count, dtype=np.uint32)
    pictures, places = stored.pictures, stored.placements
    return LatentBatch(arrays, names, numbers, pictures=pictures, placements=places), stored.psi


def _named(file: str, latents: LatentBatch, alone: bool) -> LatentBatch:
    """Rows called after their file, which tells those of several files apart."""
    stem = os.path.splitext(os.path.basename(file))[0]
    if latents.pictures is not None:
        return latents
    if len(latents) == 1:
        return dataclasses.replace(latents, names=(stem,))
    if alone:
        return latents
    return dataclasses.replace(latents, names=tuple(f"{stem}, {name}" for name in latents.names))


def _row(word: str, latents: LatentBatch, row: str | None) -> LatentBatch:
    """One row of a file's, by its number, or all."""
    if row is None:
        return latents
    if not (row.isdecimal() and int(row) < len(latents)):
        raise UserError(f"{word}: the file has rows 0 to {len(latents) - 1}")
    return latents.take([int(row)])
