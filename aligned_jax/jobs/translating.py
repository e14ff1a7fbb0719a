"""What `aligned translate` draws and writes."""

import argparse
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from aligned_jax import loading, translation, viz
from aligned_jax.cli import console
from aligned_jax.config import GeneratorConfig
from aligned_jax.data import targets
from aligned_jax.errors import UserError
from aligned_jax.jobs import ancestry, image_files, inverting, pictured, relatives, wanted
from aligned_jax.jobs.wanted import Source
from aligned_jax.latents import parse_seeds, style_layers
from aligned_jax.networks.network import Network
from aligned_jax.rendering import codes
from aligned_jax.rendering import render as rendering
from aligned_jax.rendering.codes import Codes
from aligned_jax.rendering.render import Inputs, Manner

# A page shows the sources as well; the others hold the results alone.
_PAGES = (image_files.write_grid, image_files.write_page)


class Column(NamedTuple):
    """Of a page: a label, images uint8 [rows, H, W, C], and which of them are finite."""

    label: str
    images: np.ndarray
    good: np.ndarray


@dataclass(frozen=True)
class Job:
    """One run of the verb: what it works on, and how.

    `psi` is that of z in the child: what --psi says, or else the preset. None if it is that
    of the latents, as it is in the parent unless --psi says otherwise.
    """

    args: argparse.Namespace
    parent: Network
    child: Network
    spaces: Sequence[str | None]  # None: as the latents come
    cuts: Sequence[int]  # none without --reference and --texture
    manner: Manner
    psi: float | None
    sources: Sequence[Source]  # by space
    reference: Source | None
    skipped: dict[str, str] = field(default_factory=dict)  # why, by file or row

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
        psi = preset.psi if args.psi is None else args.psi
        sources = _sources(args, parent, spaces, preset.psi)
        for one in sources:
            if one.in_z:
                codes.check_psi(child, one.psi if psi is None else psi)
        reference = _reference(args, child, spaces[0], preset.psi) if cuts else None
        if write is image_files.write_folder:
            _check_once(sources[0].names, reference.names if reference else None, cuts)
        return cls(args, parent, child, spaces, cuts, manner, psi, sources, reference)

    def carry_out(self, given: Sequence[str] = ()) -> None:
        """Draws and writes; `given` are options of inversions, as in `wanted.tell_idle`."""
        found = self._in_all([source.take() for source in self.sources])
        mix = None
        if self.reference:
            reference = self.reference.take()
            self.skipped.update(reference.skipped)
            mix = Mix.of(found[0].styles(self.child, self.psi), reference, self.cuts, self.child)
        if image_files.writer(self.args.out, self.args.overwrite) in _PAGES:
            said = self._page(found, mix)
        else:
            said = self._alone(mix.results if mix else found[0].styles(self.child, self.psi))
        console.say(f"wrote {self.args.out}: {said}")
        wanted.tell_idle(self.args, self._asked, given)
        wanted.tell_idle_seed(self.args, self.manner.noise)
        inverting.warn_skipped(self.skipped, console.CONSOLE)

    @property
    def _asked(self) -> list[Source]:
        return [*self.sources, *([self.reference] if self.reference else [])]

    def _in_all(self, found: Sequence[Codes]) -> Sequence[Codes]:
        """The rows that are there in every space."""
        for one in found:
            self.skipped.update(one.skipped)
        everywhere = set.intersection(*(set(one.names) for one in found))
        if not everywhere:
            raise UserError("not one inversion stayed finite in every space; give one --space")
        return [one.only(everywhere) for one in found]

    def _draw(
        self, label: str, network: Network, inputs: Inputs, advance: Callable[[int], None]
    ) -> Column:
        images, good = [], []
        for drawn in rendering.images_of(network, inputs, self.manner, advance):
            good.append(rendering.finite(drawn))
            images.append(viz.to_uint8(np.nan_to_num(drawn)))
        return Column(label, np.concatenate(images), np.concatenate(good))

    def _page(self, found: Sequence[Codes], mix: "Mix | None") -> str:
        """A picture with a row for each source, and with --reference for each pair."""
        first, rows = found[0], found[0].names
        total = 2 * len(found) * len(rows)
        if mix:
            total += len(mix.results) + len(mix.reference)
        columns = []
        if first.pictures is not None:
            columns.append(Column("image", first.pictures, np.ones(len(rows), bool)))
        with console.progress(total, "images") as advance:
            for one, space in zip(found, self.spaces, strict=True):
                suffix = f" {space}" if len(found) > 1 else ""
                for network, source, psi in (
                    (self.parent, self.args.parent, None),
                    (self.child, self.args.child, self.psi),
                ):
                    label = relatives.label_of(source) + suffix
                    columns.append(self._draw(label, network, one.styles(network, psi), advance))
            if mix:
                results = self._draw("", self.child, mix.results, advance)
                if self.args.texture:
                    columns += mix.side_by_side(results)
                else:
                    references = self._draw("reference", self.child, mix.reference, advance)
                    columns, rows = mix.pairs(columns, references, results)
        good = self._finite(rows, np.all([column.good for column in columns], axis=0))
        shown = np.stack([column.images[good] for column in columns], axis=1)
        title = f"From {self.args.parent} to {self.args.child}"
        args, labels = (
            wanted.settled(self.args, self._asked, self.manner.noise),
            [c.label for c in columns],
        )
        rows = [row for row, fine in zip(rows, good, strict=True) if fine]
        return image_files.save_sheet(args, title, labels, rows, shown, self._told())

    def _finite(self, names: Sequence[str], good: np.ndarray) -> np.ndarray:
        """`good` again; the others are skipped.

        Raises:
          UserError: if none is good.
        """
        if not good.any():
            raise UserError(
                "the numbers grow beyond all bounds in every image; use smaller latents or --psi"
            )
        lost = [name for name, fine in zip(names, good, strict=True) if not fine]
        self.skipped.update(dict.fromkeys(lost, f"{inverting.DIVERGED} in its images"))
        return good

    def _told(self) -> dict[str, Any]:
        """What was done, as far as the command line does not say it."""
        told: dict[str, Any] = {"noise": self.manner.noise}
        several = len(self.spaces) > 1
        for one, space in zip(self.sources, self.spaces, strict=True):
            told[f"latents {space}" if several else "latents"] = one.told()
        if self.reference:
            told["latents of the child"] = self.reference.told()
        drawn = {one.psi if self.psi is None else self.psi for one in self.sources if one.in_z}
        told["psi"] = ", ".join(f"{psi:g}" for psi in sorted(drawn))
        return {name: value for name, value in told.items() if value != ""}

    def _alone(self, results: Inputs) -> str:
        """Nothing but the translations."""
        try:
            self._write(results)
        except rendering.NotFinite:
            drawn = self._draw("", self.child, results, lambda count: None)
            good = self._finite(results.names, drawn.good)
            results = rendering.chosen(results, np.flatnonzero(good))
            self._write(results)
        return f"{len(results)} images of {self.child.config.img_resolution} px"

    def _write(self, results: Inputs) -> None:
        args, write = self.args, image_files.writer(self.args.out, self.args.overwrite)
        described = argparse.Namespace(**vars(args), network=args.child)
        meta = image_files.describe(described, self.child, results, self.manner)
        with console.progress(len(results), "images") as advance:
            batches = rendering.batches(self.child, results, self.manner, advance)
            write(args.out, batches, results, meta | {"made_of": self._told()}, args.overwrite)


def _sources(
    args: argparse.Namespace, parent: Network, spaces: Sequence[str | None], psi: float | None
) -> Sequence[Source]:
    """What is translated, by space; pictures are inverted in the right one at once."""
    if args.images:
        return pictured.of_pictures(args, parent, args.images, spaces, "z", psi)
    read = (
        codes.of_seeds(args, parent, args.seeds, psi)
        if args.seeds
        else codes.of_files(args, parent, args.latents, psi)
    )
    return [read if space is None else read.in_space(parent, space) for space in spaces]


def _reference(
    args: argparse.Namespace, child: Network, space: str | None, psi: float | None
) -> Source:
    """What --reference or --texture ask for."""
    if args.texture:
        return codes.of_seeds(args, child, args.texture, psi)
    return wanted.read(args, child, args.reference, space, "z", psi)


def _check_once(
    sources: Sequence[str], references: Sequence[str] | None, cuts: Sequence[int]
) -> None:
    """Raises UserError if two results would have one file name."""
    names = sources if references is None else _names(sources, references, cuts)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise UserError(f"{', '.join(twice[:8])}: given twice, but in a folder each is one file")


def _cuts(args: argparse.Namespace, config: GeneratorConfig) -> list[int]:
    if args.texture:
        parse_seeds(args.texture)  # a slip of the hand should not wait for inversions
    if not (args.texture or args.reference):
        return []
    if args.layers and "all" in args.layers:
        if len(args.layers) > 1:
            raise UserError(
                f"--layers is {','.join(args.layers):.40}; give either all, which is the whole row "
                f"from 0 to {len(style_layers(config))}, or numbers and resolutions"
            )
        return list(range(len(style_layers(config)) + 1))
    return [translation.cut_of(config, layer) for layer in args.layers or [translation.LAYERS]]


def _names(
    sources: Sequence[str], references: Sequence[str], cuts: Sequence[int]
) -> tuple[str, ...]:
    """Of mixtures; the cuts are innermost."""
    return tuple(
        f"{name}, {other}" + (f", layers {cut}" if len(cuts) > 1 else "")
        for name in sources
        for other in references
        for cut in cuts
    )


@dataclass(frozen=True)
class Mix:
    """Mixtures of N sources and M references at K cuts; the cuts are innermost.

    Attributes:
      source, reference: style vectors of the child.
      cuts: numbers of layers that come from the source.
      results: the mixtures.
    """

    source: Inputs
    reference: Inputs
    cuts: Sequence[int]
    results: Inputs

    @classmethod
    def of(cls, ours: Inputs, reference: Codes, cuts: Sequence[int], child: Network) -> "Mix":
        """Makes them."""
        theirs = reference.styles(child)
        mixed = translation.mixtures(child.config, _styles(ours), _styles(theirs), cuts)
        each = len(theirs) * len(cuts)
        arrays = {f"styles/{layer}": np.asarray(value) for layer, value in mixed.items()}
        arrays |= {
            key: value.repeat(each, axis=0)
            for key, value in ours.arrays.items()
            if key.startswith("noise/")
        }
        names = _names(ours.names, theirs.names, cuts)
        return cls(ours, theirs, cuts, Inputs(arrays, names, ours.numbers.repeat(each)))

    def side_by_side(self, results: Column) -> Iterator[Column]:
        """A column for each reference and cut."""
        labels = [
            name + (f" n = {cut}" if len(self.cuts) > 1 else "")
            for name in self.reference.names
            for cut in self.cuts
        ]
        return _columns(labels, results)

    def pairs(
        self, columns: Sequence[Column], references: Column, results: Column
    ) -> tuple[list[Column], list[str]]:
        """A row for each source and reference, a column for each cut; and the rows' names."""
        ours, theirs = self.source.names, self.reference.names
        repeated = [
            Column(label, *(values.repeat(len(theirs), axis=0) for values in rest))
            for label, *rest in columns
        ]
        again = (np.concatenate([values] * len(ours)) for values in references[1:])
        mixed = _columns([f"n = {cut}" for cut in self.cuts], results)
        names = [f"{a}, {b}" for a in ours for b in theirs]
        return [*repeated, Column(references.label, *again), *mixed], names


def _columns(labels: Sequence[str], results: Column) -> Iterator[Column]:
    """The results of every row, one column for each label."""
    for k, label in enumerate(labels):
        yield Column(label, results.images[k :: len(labels)], results.good[k :: len(labels)])


def _styles(inputs: Inputs) -> dict[str, np.ndarray]:
    return {
        key.removeprefix("styles/"): value
        for key, value in inputs.arrays.items()
        if key.startswith("styles/")
    }
