"""Images of latents by one network, and the forms in which they are written."""

import dataclasses
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.config import to_dict
from aligned_jax.errors import UserError
from aligned_jax.jobs.keeping import Keeping
from aligned_jax.latents import parse_seeds
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.draw import DEFAULT, Drawn, RenderOptions, batches, finite_batches
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.rendering.latent_words import latents_of_file
from aligned_jax.rendering.records import keep, picture_facts, seeds_of_rows, to_keep
from aligned_jax.translation import Truncation
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed
from aligned_jax.viz import report as html
from aligned_jax.viz.sheet import ImageForm, image_form, write_page, write_picture


@dataclass(frozen=True, eq=False)
class Drawing:
    """Latents and the network that draws them, whenever their images are wanted.

    Attributes:
      network, network_name, network_key: the generator, how it was named, and which of a file.
      latents: what it draws.
      options: how.
      facts: what files of the images say besides.
      given: files that the latents come from.
      keeping: what the images keep of others, or None.
    """

    network: Network
    network_name: str
    network_key: str
    latents: LatentBatch
    options: RenderOptions = DEFAULT
    facts: Mapping[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    keeping: Keeping | None = None

    def __len__(self) -> int:
        return len(self.latents)

    def batches(self, report: Reporter = QUIET) -> Iterator[Drawn]:
        """Draws batch by batch; raises NotFinite naming the images of a batch that are not."""
        with report.progress(len(self), "images") as advance:
            drawn, start = finite_batches(self.network, self.latents, self.options, advance), 0
            for batch in drawn:
                if self.keeping is not None:
                    keeping = self.keeping.take(slice(start, start + len(batch.images)))
                    batch = dataclasses.replace(batch, images=keeping.applied(batch.images))
                start += len(batch.images)
                yield batch

    def images(self, report: Reporter = QUIET) -> np.ndarray:
        """Draws all images, float32 [N, R, R, C], unclipped; raises NotFinite."""
        return np.concatenate([batch.images for batch in self.batches(report)])

    def finite(self) -> np.ndarray:
        """Draws all images and tells which hold finite numbers only, bool [N]."""
        drawn = batches(self.network, self.latents, self.options)
        return np.concatenate([batch.finite for batch in drawn])

    def take(self, rows: Sequence[int] | np.ndarray) -> "Drawing":
        """The drawing of some rows alone, in this order."""
        keeping = self.keeping and self.keeping.take(rows)
        return dataclasses.replace(self, latents=self.latents.take(rows), keeping=keeping)

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
        report: Reporter = QUIET,
    ) -> None:
        """Draws and writes all images, and what made them.

        Images go straight to an .npz file or a folder, so that memory does not bound their number.
        Latents that are not those of seeds are kept beside pictures, in NAME.npz.

        Args:
          out: NAME.npz for arrays, NAME.png for a grid, NAME.html for a page of thumbnails; any
            other name is a folder with a PNG for each image.
          command: that the results name.
          overwrite: replace what is there.
          report: hears of every image.

        Raises:
          UserError: if the target is taken, the disk refuses, or the images do not fit the form.
          NotFinite: naming the images of a batch that are not finite.
        """
        form = image_form(out, overwrite)
        check_form(form, self.network)
        kept = self.kept(out, form, overwrite)
        if form == "npz":
            with viz.writing(out, overwrite) as file:
                self._write_npz(file, command, report)
        elif form == "folder":
            with viz.writing_folder(out, overwrite) as folder:
                self._write_folder(folder, command, report)
        else:
            images = np.concatenate([viz.to_uint8(one.images) for one in self.batches(report)])
            if form == "png":
                write_picture(out, viz.tile(images), command, overwrite, self._made_of())
            else:
                self._write_page(out, images, command, overwrite)
        keep(out, dict.fromkeys(kept, self.latents), command, overwrite)

    def kept(self, out: str | os.PathLike[str], form: ImageForm, overwrite: bool) -> list[str]:
        """What `write` will keep beside the pictures; UserError if it must not be written."""
        seeds = seeds_of_rows(self.network.config, self.latents)
        batches = [] if form == "npz" or seeds is not None else [""]
        return to_keep(out, batches, self.given, overwrite)

    def document(self, command: Command) -> dict[str, Any]:
        """What is kept beside images, JSON-able: enough to draw them again."""
        named = {"network": self.network_name, "key": self.network_key}
        return {
            **provenance.record(command),
            "network": named | provenance.summary(self.network.provenance),
            "config": to_dict(self.network.config),
            "images": list(self.latents.names),
            "manner": self._manner(),
            **self.facts,
        }

    def _made_of(self) -> dict[str, Any]:
        """What a picture says besides its command."""
        facts = picture_facts({self.network_name: self.network}, self.latents)
        return {**facts, "key": self.network_key, "manner": self._manner(), **self.facts}

    def _manner(self) -> dict[str, Any]:
        return {"psi": self.latents.psi, **dataclasses.asdict(self.options)}

    def _write_npz(self, file: BinaryIO, command: Command, report: Reporter) -> None:
        """`images`, latents and `meta_json`."""
        config = self.network.config
        shape = (len(self), config.img_resolution, config.img_resolution, config.img_channels)
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        used: list[dict[str, np.ndarray]] = []
        with zipfile.ZipFile(file, "w") as archive:
            with archive.open("images.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array_header_1_0(entry, header)
                for batch in self.batches(report):
                    entry.write(np.ascontiguousarray(batch.images, "<f4").data)
                    used.append(batch.latents)
            latents = {key: np.concatenate([part[key] for part in used]) for key in used[0]}
            document = np.asarray(json.dumps(self.document(command)))
            for key, value in {**self.latents.arrays, **latents, "meta_json": document}.items():
                with archive.open(f"{key}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, value, allow_pickle=False)

    def _write_folder(self, folder: Path, command: Command, report: Reporter) -> None:
        """seed0003.png (or row0003.png, ...) for each image, and meta.json."""
        text = provenance.png_text(command, self._made_of())
        for batch in self.batches(report):
            for name, image in zip(batch.names, viz.to_uint8(batch.images), strict=True):
                with open(folder / f"{file_name(name)}.png", "wb") as file:
                    viz.save_png(file, image, text)
        document = json.dumps(self.document(command), indent=2)
        (folder / "meta.json").write_text(document + "\n", encoding="utf-8")

    def _write_page(
        self, out: str | os.PathLike[str], images: np.ndarray, command: Command, overwrite: bool
    ) -> None:
        """A thumbnail of each image."""
        facts = {"network": self.network_name, "key": self.network_key, **self._manner()}
        made_of = self._made_of()
        shown = html.gallery(list(zip(self.latents.names, images, strict=True)))
        write_page(
            out, f"Drawn by {self.network_name}", command, facts, [shown], overwrite, made_of
        )


def generate(
    network: NetworkSource,
    seeds: str | Sequence[int] | None = None,
    *,
    latents: str | os.PathLike[str] | LatentBatch | None = None,
    label: int | None = None,
    psi: float | None = None,
    cutoff: int | None = None,
    noise: str = "const",
    noise_seed: int = 0,
    half: str | None = None,
    precision: str = "exact",
    batch: int = 8,
    network_key: str = "G_ema",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Drawing:
    """Gets latents ready to be drawn; the result draws and writes.

    Args:
      network: a name, or a loaded network.
      seeds: a list, or text such as "0-15"; a seed means the image of the official scripts.
      latents: instead, a file of latents, of whose z and ws the ws are drawn; or latents.
      label: class of a conditional network.
      psi: truncation. None is 1, which is none, and of a LatentBatch its own.
      cutoff: truncate only so many rows of W+.
      noise: "const" (the stored maps), "none", or "random" maps for every image.
      noise_seed: of random noise.
      half: "bfloat16" or "float16" at high resolutions.
      precision: of float32 products, "exact", "high" or "fast"; CPUs compute all of them alike.
      batch: images at a time; changes an image by rounding at most.
      network_key: "G_ema" or "G" of a network that is loaded.
      out: where images will be written: what cannot be is refused before the network is loaded.
      overwrite: of what is there.

    Raises:
      UserError: if something cannot be read, or does not fit the network, or `out`.
    """
    if (seeds is None) == (latents is None):
        raise UserError("give either `seeds` or `latents`")
    form = None if out is None else image_form(out, overwrite)
    if seeds is not None:
        # A slip of the hand should not wait for the network.
        seeds = parse_seeds(seeds) if isinstance(seeds, str) else list(seeds)
        if form == "folder":
            _check_once(seeds)
    name, generator = named_network(network, network_key)
    check_form(form, generator)
    truncation = Truncation(psi, usual=1.0)
    if seeds is not None:
        chosen = latents_of_seeds(generator.config, seeds, label, truncation.of_latents())
    elif isinstance(latents, LatentBatch):
        chosen = dataclasses.replace(latents, psi=truncation.of_latents(latents.psi))
    elif latents is not None:
        chosen = latents_of_file(generator.config, latents, label, truncation.of_latents())
    chosen.check(generator, cutoff)
    options = RenderOptions(cutoff, noise, noise_seed, half, batch, precision)
    given = [os.fspath(latents)] if isinstance(latents, str | os.PathLike) else []
    drawing = Drawing(generator, name, network_key, chosen, options, given=tuple(given))
    if out is not None and form is not None:
        drawing.kept(out, form, overwrite)
    return drawing


def check_form(form: ImageForm | None, network: Network) -> None:
    """Raises UserError if images of a network cannot be written so, whatever they show."""
    if form not in (None, "npz"):
        viz.check_channels(network.config.img_channels)


def file_name(name: str) -> str:
    """ "seed0003_row0012" of "seed 3, row 12"; other parts stay as they are."""
    parts = (re.sub(r"^([a-z]+) (\d+)$", _padded, part) for part in name.split(", "))
    return "_".join(parts)


def check_file_names(names: Sequence[str]) -> None:
    """Raises UserError if two images would have one file name."""
    twice = sorted({name for name, count in Counter(names).items() if count > 1})
    if twice:
        raise UserError(f"{listed(twice)}: given twice, but in a folder each is one file")


def _padded(match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2]):04d}"


def _check_once(seeds: Sequence[int]) -> None:
    """Raises UserError naming seeds that come twice: in a folder they would be one file."""
    twice = [str(seed) for seed, count in Counter(seeds).items() if count > 1]
    if twice:
        raise UserError(
            f"seeds given more than once: {listed(twice)}; in a folder a seed is one "
            "file, so give each once, or write NAME.png or NAME.npz"
        )
