"""Latents of a network, and how seeds and files of latents become them."""

import argparse
import os
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from aligned_jax import translation
from aligned_jax.errors import UserError
from aligned_jax.latents.files import read_latents
from aligned_jax.networks.network import Network
from aligned_jax.rendering import render as rendering
from aligned_jax.rendering.render import Inputs

_FILE = re.compile(r"(.*\.npz)(?:@([^@]*))?", re.DOTALL)


@dataclass(frozen=True)
class Codes:
    """Latents of one network.

    Attributes:
      inputs: their arrays, names and numbers.
      psi: truncation of z in their own network, and in others unless those have another;
        None if they were not in z.
      pictures: uint8 [N, R, R, C], of which they are inversions, or None.
      skipped: pictures that are not among them, and why.
    """

    inputs: Inputs
    psi: float | None
    pictures: np.ndarray | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the rows."""
        return self.inputs.names

    @property
    def in_z(self) -> bool:
        """Whether the network that renders maps and truncates them."""
        return "z" in self.inputs.arrays

    def take(self) -> "Codes":
        """Themselves: they are at hand."""
        return self

    def told(self) -> str:
        """What a page says of them."""
        return "" if self.psi is None else f"psi {self.psi:g}"

    def only(self, names: Container[str]) -> "Codes":
        """The rows of these names."""
        rows = [row for row, name in enumerate(self.names) if name in names]
        pictures = None if self.pictures is None else self.pictures[rows]
        return replace(self, inputs=rendering.chosen(self.inputs, rows), pictures=pictures)

    def styles(self, network: Network, psi: float | None = None) -> Inputs:
        """The same as style vectors of `network`, beside noise maps that were kept.

        `psi` takes the place of the latents' own.
        """
        arrays = self.inputs.arrays
        found = translation.styles_of(network, arrays, self._psi(network, psi))
        kept = {key: value for key, value in arrays.items() if key.startswith("noise/")}
        styles = {f"styles/{layer}": np.asarray(value) for layer, value in found.items()}
        return replace(self.inputs, arrays=styles | kept)

    def in_space(self, network: Network, space: str) -> "Codes":
        """The same in another space, as far as `network` makes them."""
        arrays = self.inputs.arrays
        found = translation.in_space(network, arrays, space, self._psi(network))
        kept = {key: value for key, value in arrays.items() if key.startswith("noise/")}
        changed = {key: np.asarray(value) for key, value in found.items()}
        return replace(self, inputs=replace(self.inputs, arrays=changed | kept))

    def _psi(self, network: Network, psi: float | None = None) -> float:
        """Checked; 1 if there is nothing to truncate."""
        if not self.in_z:
            return 1.0
        psi = self.psi if psi is None else psi
        check_psi(network, psi)
        return psi


def check_psi(network: Network, psi: float | None) -> None:
    """Raises UserError if z shall be truncated, but the network keeps no mean."""
    if psi not in (None, 1):
        rendering.check_mean(network.config)


def is_file(word: str) -> bool:
    """Whether this is how a file of latents is called, or a row of it."""
    return bool(_FILE.fullmatch(word))


def _first(*psis: float | None) -> float:
    return next(psi for psi in (*psis, translation.PSI) if psi is not None)


def of_seeds(
    args: argparse.Namespace, network: Network, seeds: str, psi: float | None = None
) -> Codes:
    """Latents of a list of seeds."""
    inputs = rendering.from_seeds(network.config, seeds, args.label)
    return Codes(inputs, _first(args.psi, psi))


def of_files(
    args: argparse.Namespace, network: Network, words: Sequence[str], psi: float | None = None
) -> Codes:
    """Rows of all files, which hold the same kind; of z and ws in one file, z."""
    found = [_FILE.fullmatch(word) for word in words]
    if wrong := [word for word, match in zip(words, found, strict=True) if not match]:
        more = f" and {len(wrong) - 8} more" if len(wrong) > 8 else ""
        raise UserError(
            f"{', '.join(wrong[:8])}{more}: no file of latents; these are F.npz, or F.npz@2 for "
            "row 2. Pictures are given without --latents"
        )
    parts, psis = [], set()
    for word, (file, row) in zip(words, (match.groups() for match in found), strict=True):
        inputs = rendering.from_file(network.config, file, args.label, prefer="z")
        recorded = read_latents(file, network.config, "z").psi
        psis.add(_first(args.psi, recorded, psi) if "z" in inputs.arrays else None)
        parts.append(_row(word, _named(file, inputs, len(words) == 1), row))
    if len({frozenset(part.arrays) for part in parts}) > 1:
        raise UserError(f"{', '.join(words[:8])}: these files hold latents of different spaces")
    if len(psis) > 1:
        values = ", ".join(f"{psi:g}" for psi in sorted(psis))
        raise UserError(f"these files say different --psi ({values}); choose one")
    arrays = {key: np.concatenate([part.arrays[key] for part in parts]) for key in parts[0].arrays}
    names = tuple(name for part in parts for name in part.names)
    return Codes(Inputs(arrays, names, np.arange(len(names), dtype=np.uint32)), psis.pop())


def _named(file: str, inputs: Inputs, alone: bool) -> Inputs:
    """Rows called after their file, which tells those of several files apart."""
    stem = os.path.splitext(os.path.basename(file))[0]
    if len(inputs) == 1:
        return replace(inputs, names=(stem,))
    return inputs if alone else replace(inputs, names=tuple(f"{stem}, {n}" for n in inputs.names))


def _row(word: str, inputs: Inputs, row: str | None) -> Inputs:
    """One row of a file's, by its number, or all."""
    if row is None:
        return inputs
    if not (row.isdecimal() and int(row) < len(inputs)):
        raise UserError(f"{word}: the file has rows 0 to {len(inputs) - 1}")
    return rendering.chosen(inputs, [int(row)])
