"""Pictures of a child's domain, with or without the truth, and their latents."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.data.attribute_columns import AttributeColumn
from aligned_jax.data.attribute_tables import read_labelled
from aligned_jax.errors import UserError
from aligned_jax.jobs.pending import latents_of
from aligned_jax.jobs.picture_cuts import AlignWord
from aligned_jax.jobs.seed_labels.pool import pooled
from aligned_jax.jobs.sources import PictureOptions, SourceOptions, read_source
from aligned_jax.jobs.sources import read_pictures as read_targets
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, finite_batches
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.linear_fits import fit_rows
from aligned_jax.translation import Truncation
from aligned_jax.utils.reporting import Reporter
from aligned_jax.utils.text import listed

_LUMA = np.asarray([0.2126, 0.7152, 0.0722], np.float32)  # Rec. ITU-R BT.709
_CHANNELS = {"red": 0, "green": 1, "blue": 2}


@dataclass(frozen=True, eq=False)
class Pictures:
    """N pictures of the child's domain.

    Attributes:
      images: uint8 [N, R, R, C].
      names: of the pictures.
      columns: what is known of them, by attribute; empty where nothing is.
      skipped: why others are left out, by file.
    """

    images: np.ndarray
    names: tuple[str, ...]
    columns: Mapping[str, AttributeColumn]
    skipped: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> "Pictures":
        """Some of them, by number."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return Pictures(
            self.images[rows], tuple(self.names[row] for row in rows), columns, self.skipped
        )

    def truth(self, name: str, task: str) -> np.ndarray | None:
        """What is true of a score, float32 [N], NaN where not known; None if nothing is known.

        Args:
          name: "glasses", "hair=long", "yaw", or "hair_color.red".
          task: "classify" wants 0 and 1, "regress" numbers.
        """
        base, _, value = name.partition("=")
        if value and base in self.columns and self.columns[base].kind == "category":
            column = self.columns[base]
            if value not in column.values or task != "classify":
                return None
            number = column.values.index(value)
            return np.where(column.known, column.labels == number, np.nan).astype(np.float32)
        base, _, channel = name.rpartition(".")
        if base in self.columns and self.columns[base].kind == "colour" and task == "regress":
            colours = self.columns[base].labels
            if channel == "lightness":
                return colours @ _LUMA
            return colours[:, _CHANNELS[channel]] if channel in _CHANNELS else None
        kind = "binary" if task == "classify" else "number"
        column_or_none = self.columns.get(name)
        if column_or_none is None or column_or_none.kind != kind:
            return None
        return column_or_none.labels


def given_pictures(config: GeneratorConfig, images: Any, align: AlignWord) -> Pictures:
    """Pictures of files, folders, zips, or an array [N, H, W, C], of which nothing is known.

    Raises:
      UserError: if not one can be read.
    """
    asked = read_targets(config, images, align)
    names = tuple(target.name for target in asked.targets)
    return Pictures(asked.images(), names, {}, asked.skipped)


def labelled_pictures(
    config: GeneratorConfig,
    data: str | os.PathLike[str],
    images: str | None,
    split: str,
    most: int | None,
    seed: int,
    report: Reporter,
) -> Pictures:
    """Pictures of a dataset, or of a table and its folder, with all that is known of them.

    Args:
      config: of the network for whose size they are cut.
      data: a dataset, or a table file,name,value.
      images: folder or zip of a table's pictures.
      split: of a dataset.
      most: pictures, drawn by `seed`.
      seed: of the choice.
      report: hears of every picture.

    Raises:
      UserError: as `data.attribute_tables.read_labelled`.
    """
    if config.img_channels != 3:
        raise UserError(f"data have 3 channels; this network draws {config.img_channels}")
    found = read_labelled(
        data, config.img_resolution, images=images, split=split, most=most, seed=seed, report=report
    )
    names = tuple(f"{split} {number}" for number in range(len(found.images)))
    return Pictures(found.images, names, found.columns, {})


def floats(images: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, C] as float32 in [-1, 1]."""
    return images.astype(np.float32) / np.float32(127.5) - 1


def seen(images: np.ndarray) -> np.ndarray:
    """What linear readers of pictures see: uint8 [N, R, R, C] as means of blocks, [N, P]."""
    return pooled(floats(images))


@dataclass(frozen=True)
class Inverter:
    """How pictures become latents of a network.

    Attributes:
      options: encoders, or steps of the optimiser. Without either, W is regressed on what is
        seen of the network's own pictures, which takes neither training nor steps.
      label: class of a conditional network.
      batch: images at a time.
    """

    options: PictureOptions
    label: int | None = None
    batch: int = 8

    @property
    def by_regression(self) -> bool:
        """Whether neither an encoder nor the optimiser inverts."""
        how = self.options
        return not how.encoders and not how.starts and how.steps is None

    def says(self) -> str:
        """How pictures are inverted, in words."""
        if self.by_regression:
            return "regression on the network's own pictures"
        if self.options.encoders:
            return f"encoder {listed(self.options.encoders)}"
        start = f" from {listed(self.options.starts)}" if self.options.starts else ""
        return f"{self.options.steps or 'default'} steps of the optimiser{start}"

    def latents(
        self, network: Network, images: np.ndarray, own: "OwnSamples | None", report: Reporter
    ) -> LatentBatch:
        """Latents of pictures uint8 [N, R, R, C].

        Args:
          network: in which they are inverted.
          images: the pictures.
          own: of the network, which a regression needs.
          report: hears of the steps.

        Raises:
          UserError: if an encoder is of another network, or an inversion did not stay finite.
        """
        if own is not None and self.by_regression:
            return own.inverted(network.config.num_ws, images)
        options = SourceOptions(self.label, Truncation(), "w", self.batch, self.options)
        [pending] = read_source(network, images, [None], options, "pictures")
        found = latents_of(pending, report)
        if len(found) < len(images):
            raise UserError(
                f"{len(images) - len(found)} of {len(images)} inversions did not stay finite; "
                "leave these pictures out, or use an encoder"
            )
        return found


@dataclass(frozen=True, eq=False)
class OwnSamples:
    """What a network draws of seeds.

    Attributes:
      rows: what is seen of the pictures, float32 [M, P].
      ws: their W, float32 [M, D].
    """

    rows: np.ndarray
    ws: np.ndarray

    @classmethod
    def drawn(
        cls, network: Network, latents: LatentBatch, batch: int, report: Reporter
    ) -> "OwnSamples":
        """Draws latents in z."""
        rows, ws = [], []
        with report.progress(len(latents), "samples of the child") as advance:
            for drawn in finite_batches(network, latents, RenderOptions(batch=batch), advance):
                rows.append(pooled(drawn.images))
                ws.append(drawn.latents["ws"][:, 0])
        return cls(np.concatenate(rows), np.concatenate(ws))

    def inverted(self, num_ws: int, images: np.ndarray) -> LatentBatch:
        """W of pictures uint8 [N, R, R, C], regressed on what is seen of them."""
        matrix, offset = fit_rows(self.rows, self.ws)
        found = (seen(images) @ matrix + offset).astype(np.float32)
        wide = np.repeat(found[:, None], num_ws, axis=1)
        names = tuple(f"image{number:04d}" for number in range(len(images)))
        return LatentBatch({"ws": wide}, names, np.arange(len(images), dtype=np.uint32))


def plain_ws(network: Network, latents: LatentBatch) -> np.ndarray:
    """W+ of latents of z, w or w+, float32 [N, L, D], as `network` maps them."""
    return np.asarray(latents.in_space(network, "w+").arrays["ws"])


def mirrored(images: np.ndarray) -> np.ndarray:
    """Pictures [N, H, W, C], left and right exchanged."""
    return np.ascontiguousarray(images[:, :, ::-1])
