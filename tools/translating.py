"""What `aligned translate` draws and writes."""

import argparse
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import loading, translation, viz
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import parse_seeds, style_layers
from aligned_jax.network import Network
from aligned_jax.tools import (
    ancestry,
    codes,
    common,
    image_files,
    inverting,
    relatives,
    rendering,
    targets,
)
from aligned_jax.tools.codes import Codes
from aligned_jax.tools.rendering import Inputs, Manner

# A page shows the sources as well; the others hold the results alone.
_PAGES = (image_files.write_grid, image_files.write_page)

Column = tuple[str, np.ndarray]  # label, images uint8 [rows, H, W, C]


@dataclass(frozen=True)
class Job:
    """One run of the verb: what it works on, and how."""

    args: argparse.Namespace
    parent: Network
    child: Network
    spaces: Sequence[str | None]  # None: as the latents come
    cuts: Sequence[int]  # none without --reference and --texture
    manner: Manner

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Job":
        """Loads and checks; raises UserError before any work."""
        write = image_files.writer(args.out, args.overwrite)
        given = args.images, args.latents or (), args.reference or ()
        targets.check_apart(itertools.chain.from_iterable(given), [args.out])
        preset = translation.PRESETS[args.preset]
        spaces = args.space or [preset.space]
        if preset.space and spaces != [preset.space]:
            raise UserError(f"--preset {args.preset} needs --space {preset.space}")
        alone = args.reference or args.texture or write not in _PAGES
        if len(spaces) > 1 and alone:
            raise UserError("several spaces make a page of plain translations; give one --space")
        parent, child = (
            loading.load(source, args.network_key) for source in (args.parent, args.child)
        )
        if write is not image_files.write_npz:
            viz.check_channels(child.config.img_channels)
        translation.check_aligned(parent, child)
        cuts = _cuts(args, child.config)
        ancestry.warn_unrelated((args.parent, args.child), (parent, child))
        noise = args.noise or preset.noise
        manner = Manner(noise=noise, noise_seed=args.noise_seed, batch=args.batch)
        return cls(args, parent, child, spaces, cuts, manner)

    def carry_out(self) -> None:
        """Draws and writes."""
        found = [self._source(space) for space in self.spaces]
        mix = self._mix(found[0])
        if image_files.writer(self.args.out, self.args.overwrite) in _PAGES:
            said = self._page(found, mix)
        else:
            said = self._alone(mix.results if mix else found[0].styles(self.child))
        common.say(f"wrote {self.args.out}: {said}")
        every = [*found, *([mix.reference] if mix else [])]
        codes.tell_idle(self.args, every)
        inverting.tell_skipped({file: why for one in every for file, why in one.skipped.items()})

    def _source(self, space: str | None) -> Codes:
        args = self.args
        if args.images:  # inverted in the right space at once
            return codes.of_pictures(args, self.parent, args.images, space, "z")
        read = (
            codes.of_seeds(args, self.parent, args.seeds)
            if args.seeds
            else codes.of_files(args, self.parent, args.latents)
        )
        return read if space is None else read.in_space(self.parent, space)

    def _mix(self, source: Codes) -> "Mix | None":
        """What --reference or --texture ask for."""
        args = self.args
        if not self.cuts:
            return None
        if args.texture:
            reference = codes.of_seeds(args, self.child, args.texture)
        else:
            reference = codes.read(args, self.child, args.reference, self.spaces[0], "z")
        return Mix.of(source, reference, self.cuts, self.child)

    def _draw(self, network: Network, inputs: Inputs, advance: Any) -> np.ndarray:
        return viz.to_uint8(rendering.render(network, inputs, self.manner, advance))

    def _page(self, found: Sequence[Codes], mix: "Mix | None") -> str:
        """A picture with a row for each source, and with --reference for each pair."""
        first, rows = found[0], found[0].inputs.names
        if any(one.inputs.names != rows for one in found):
            raise UserError("not every inversion stayed finite in every space; give one --space")
        total = 2 * len(found) * len(rows)
        if mix:
            total += len(mix.results) + len(mix.reference.inputs)
        columns = [] if first.pictures is None else [("image", first.pictures)]
        with common.progress(total, "images") as advance:
            for one, space in zip(found, self.spaces, strict=True):
                suffix = f" {space}" if len(found) > 1 else ""
                for network, source in (
                    (self.parent, self.args.parent),
                    (self.child, self.args.child),
                ):
                    images = self._draw(network, one.styles(network), advance)
                    columns.append((relatives.label_of(source) + suffix, images))
            if mix:
                results = self._draw(self.child, mix.results, advance)
                references = self._draw(self.child, mix.reference.styles(self.child), advance)
                if self.args.texture:
                    columns += mix.side_by_side(results)
                else:
                    columns, rows = mix.pairs(columns, references, results)
        shown = np.stack([images for _, images in columns], axis=1)
        title = f"From {self.args.parent} to {self.args.child}"
        settings = {"psi": first.psi} if first.psi is not None else {}
        return image_files.save_sheet(
            self.args, title, [label for label, _ in columns], rows, shown, settings
        )

    def _alone(self, results: Inputs) -> str:
        """Nothing but the translations."""
        args, write = self.args, image_files.writer(self.args.out, self.args.overwrite)
        twice = sorted(name for name, count in Counter(results.names).items() if count > 1)
        if twice and write is image_files.write_folder:
            raise UserError(
                f"{', '.join(twice[:8])}: given twice, but in a folder each is one file"
            )
        described = argparse.Namespace(**vars(args), network=args.child)
        meta = image_files.describe(described, self.child, results, self.manner)
        with common.progress(len(results), "images") as advance:
            batches = rendering.batches(self.child, results, self.manner, advance)
            write(args.out, batches, results, meta, args.overwrite)
        return f"{len(results)} images of {self.child.config.img_resolution} px"


def _cuts(args: argparse.Namespace, config: GeneratorConfig) -> list[int]:
    if args.texture:
        parse_seeds(args.texture)  # a slip of the hand should not wait for inversions
    if not (args.texture or args.reference):
        return []
    if args.layers == ["all"]:
        return list(range(len(style_layers(config)) + 1))
    return [translation.cut_of(config, layer) for layer in args.layers or [translation.LAYERS]]


@dataclass(frozen=True)
class Mix:
    """Mixtures of N sources and M references at K cuts; the cuts are innermost."""

    source: Codes
    reference: Codes
    cuts: Sequence[int]
    results: Inputs

    @classmethod
    def of(cls, source: Codes, reference: Codes, cuts: Sequence[int], child: Network) -> "Mix":
        """Makes them."""
        ours, theirs = source.styles(child), reference.styles(child)
        mixed = translation.mixtures(child.config, _styles(ours), _styles(theirs), cuts)
        each = len(theirs) * len(cuts)
        arrays = {f"styles/{layer}": np.asarray(value) for layer, value in mixed.items()}
        arrays |= {
            key: value.repeat(each, axis=0)
            for key, value in ours.arrays.items()
            if key.startswith("noise/")
        }
        names = tuple(
            f"{name}, {other}" + (f", layers {cut}" if len(cuts) > 1 else "")
            for name in ours.names
            for other in theirs.names
            for cut in cuts
        )
        return cls(source, reference, cuts, Inputs(arrays, names, ours.numbers.repeat(each)))

    def side_by_side(self, results: np.ndarray) -> list[Column]:
        """A column for each reference and cut."""
        shown = results.reshape(len(self.source.inputs), -1, *results.shape[1:])
        labels = [
            name + (f" n = {cut}" if len(self.cuts) > 1 else "")
            for name in self.reference.inputs.names
            for cut in self.cuts
        ]
        return [(label, shown[:, k]) for k, label in enumerate(labels)]

    def pairs(
        self, columns: Sequence[Column], references: np.ndarray, results: np.ndarray
    ) -> tuple[list[Column], list[str]]:
        """A row for each source and reference, a column for each cut; and the rows' names."""
        shown = results.reshape(-1, len(self.cuts), *results.shape[1:])
        repeated = [(label, images.repeat(len(references), axis=0)) for label, images in columns]
        again = np.concatenate([references] * len(self.source.inputs))
        mixed = [(f"n = {cut}", shown[:, k]) for k, cut in enumerate(self.cuts)]
        ours, theirs = self.source.inputs.names, self.reference.inputs.names
        return [*repeated, ("reference", again), *mixed], [
            f"{a}, {b}" for a in ours for b in theirs
        ]


def _styles(inputs: Inputs) -> dict[str, np.ndarray]:
    return {
        key.removeprefix("styles/"): value
        for key, value in inputs.arrays.items()
        if key.startswith("styles/")
    }
