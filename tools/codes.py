"""Latents by what people write: seeds, files of latents, or pictures, which are inverted first."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import jax
import numpy as np

from aligned_jax import inversion, translation
from aligned_jax.errors import UserError
from aligned_jax.network import Network
from aligned_jax.tools import common, encoders, inverting, latents_file, rendering, targets
from aligned_jax.tools.rendering import Inputs, Manner

_SEEDS = re.compile(r"[\d\s,-]+")


@dataclass(frozen=True)
class Codes:
    """Latents of one network.

    Attributes:
      inputs: their arrays, names and numbers.
      psi: truncation of z, in whichever network renders it; None if they were not in z.
      pictures: uint8 [N, R, R, C], of which they are inversions, or None.
      skipped: pictures that are not among them, and why.
    """

    inputs: Inputs
    psi: float | None
    pictures: np.ndarray | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)

    def styles(self, network: Network) -> Inputs:
        """The same as style vectors of `network`, beside noise maps that were kept."""
        arrays = self.inputs.arrays
        found = translation.styles_of(network, arrays, self._psi(network))
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

    def _psi(self, network: Network) -> float:
        """Checked; 1 if there is nothing to truncate."""
        if "z" not in self.inputs.arrays:
            return 1.0
        rendering.check_manner(network.config, self.inputs, Manner(self.psi))
        return self.psi


def tell_idle(args: argparse.Namespace, found: Sequence[Codes]) -> None:
    """Warnings if --psi, --encoder or --start was given for nothing."""
    encoders.tell_idle(args, any(one.pictures is not None for one in found))
    if args.psi is not None and all(one.psi is None for one in found):
        common.warn("--psi changes nothing: these latents are not in z")


def read(
    args: argparse.Namespace, network: Network, words: Sequence[str], space: str | None, usual: str
) -> Codes:
    """Latents of `network` that words name.

    Args:
      args: with --psi, --label, --batch, and the options of pictures.
      network: whose latents they are.
      words: one list of seeds; or names of files of latents, `F.npz` or
        `F.npz@ROW`; or pictures, folders and zips of them.
      space, usual: in which pictures are inverted, as in `of_pictures`; seeds and
        files stay as they are.

    Raises:
      UserError: for words of different kinds, or whatever they name that does not fit.
    """
    kinds = {_kind(word) for word in words}
    if len(kinds) > 1 or (kinds == {"seeds"} and len(words) > 1):
        raise UserError(
            f"{' '.join(words)[:80]}: give one list of seeds, or files of latents, or pictures"
        )
    if "seeds" in kinds:
        return of_seeds(args, network, words[0])
    if "latents" in kinds:
        return of_files(args, network, words)
    return of_pictures(args, network, words, space, usual)


def _kind(word: str) -> str:
    if _SEEDS.fullmatch(word):
        return "seeds"
    return "latents" if re.search(r"\.npz(@[^@]*)?$", word) else "pictures"


def _psi(given: float | None, recorded: float | None = None) -> float:
    return next(psi for psi in (given, recorded, translation.PSI) if psi is not None)


def of_seeds(args: argparse.Namespace, network: Network, seeds: str) -> Codes:
    """Latents of a list of seeds."""
    return Codes(rendering.from_seeds(network.config, seeds, args.label), _psi(args.psi))


def of_files(args: argparse.Namespace, network: Network, words: Sequence[str]) -> Codes:
    """Rows of all files, which hold the same kind; of z and ws in one file, z."""
    parts, psis = [], set()
    for word in words:
        file, row = (word, None) if word.endswith(".npz") else word.rsplit("@", 1)
        inputs = rendering.from_file(network.config, file, args.label, prefer="z")
        recorded = latents_file.recorded_psi(file)
        psis.add(_psi(args.psi, recorded) if "z" in inputs.arrays else None)
        parts.append(_row(word, inputs if len(words) == 1 else _named(file, inputs), row))
    if len({frozenset(part.arrays) for part in parts}) > 1:
        raise UserError(f"{', '.join(words[:8])}: these files hold latents of different spaces")
    if len(psis) > 1:
        values = ", ".join(f"{psi:g}" for psi in sorted(psis))
        raise UserError(f"these files say different --psi ({values}); choose one")
    arrays = {key: np.concatenate([part.arrays[key] for part in parts]) for key in parts[0].arrays}
    names = tuple(name for part in parts for name in part.names)
    return Codes(Inputs(arrays, names, np.arange(len(names), dtype=np.uint32)), psis.pop())


def _named(file: str, inputs: Inputs) -> Inputs:
    """Rows called after their file, which tells those of several files apart."""
    stem = os.path.splitext(os.path.basename(file))[0]
    names = [stem] if len(inputs) == 1 else [f"{stem}, {name}" for name in inputs.names]
    return replace(inputs, names=tuple(names))


def _row(word: str, inputs: Inputs, row: str | None) -> Inputs:
    """One row of a file's, by its number, or all."""
    if row is None:
        return inputs
    if not (row.isdecimal() and int(row) < len(inputs)):
        raise UserError(f"{word}: the file has rows 0 to {len(inputs) - 1}")
    one = slice(int(row), int(row) + 1)
    arrays = {key: value[one] for key, value in inputs.arrays.items()}
    return Inputs(arrays, inputs.names[one], inputs.numbers[one])


def of_pictures(
    args: argparse.Namespace, network: Network, words: Sequence[str], space: str | None, usual: str
) -> Codes:
    """Inversions of pictures, files, folders or zips; noise maps are forgotten.

    Args:
      args, network: as in `read`.
      words: names.
      space: in which they are inverted.
      usual: what that is if it is None and no encoder says it.
    """
    config = network.config
    inverting.check_perceptual(args)
    guide = encoders.guide_of(args, network)
    space = space or (guide.encoder.space if guide else usual)
    # Only z is truncated, which is for the settings to say.
    psi = args.psi if space in ("z", "z+") else None
    given = {"space": space, "steps": args.steps, "psi": psi, "restarts": args.restarts}
    settings = inverting.settings(given, guide)
    label = inverting.label_of(config, args.label)
    found = targets.read(words, config.img_resolution, config.img_channels, args.align)
    # With an encoder alone distances decide nothing.
    perceptual = inversion.Pixels() if args.encoder else inverting.perceptual_of(args)
    key, images = jax.random.key(args.invert_seed), found.images()
    start = guide.latents(network, images, space, label) if guide else None
    with common.progress(len(found.found) * settings.steps, "steps") as advance:
        watch = inverting.watcher(settings, advance)
        batch = min(args.batch, inverting.batch_for(config, settings))
        options = {"start": start, "c": label, "batch": batch, "watch": watch}
        result = inversion.invert(network, images, perceptual, settings, key, **options)
    return _inverted(network, result, found, label)


def _inverted(
    network: Network, result: inversion.Inverted, found: targets.Targets, label: np.ndarray | None
) -> Codes:
    """The inversions that stayed finite."""
    good = result.finite
    names = [target.name for target, kept in zip(found.found, good, strict=True) if kept]
    lost = [target.file for target, kept in zip(found.found, good, strict=True) if not kept]
    if not names:
        raise UserError("not one inversion stayed finite; is the network damaged?")
    arrays = inversion.latent_arrays(network, result.settings.space, result.latent[good])
    if "z" in arrays:
        width = network.config.c_dim
        labels = np.zeros((1, width), np.float32) if label is None else label
        arrays["c"] = np.repeat(labels, len(names), axis=0)
    skipped = found.skipped | dict.fromkeys(lost, inverting.DIVERGED)
    inputs = Inputs(arrays, tuple(names), np.arange(len(names), dtype=np.uint32))
    psi = result.settings.psi if "z" in arrays else None
    pictures = np.stack([target.pixels for target in found.found])[good]
    return Codes(inputs, psi, pictures, skipped)
