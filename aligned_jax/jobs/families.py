"""The same latents drawn by a parent and its children, row by row."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.pasting import PastedPhotographs, PasteOptions, paste_back
from aligned_jax.jobs.pending import latents_of
from aligned_jax.jobs.relatives import load_relatives
from aligned_jax.jobs.sources import SourceOptions, file_names, read_source
from aligned_jax.loading import NetworkSource
from aligned_jax.provenance import Command
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.pasting import FEATHER
from aligned_jax.rendering.records import keep, picture_facts, to_keep
from aligned_jax.translation import Truncation
from aligned_jax.utils.paths import Name
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz import to_uint8
from aligned_jax.viz.sheet import Sheet

_PSI = 0.7  # where nobody says one


@dataclass(frozen=True, eq=False)
class FamilySheet(Sheet):
    """A family in rows and columns; latents that no seeds tell are kept beside its file.

    Attributes:
      latents: of the first network, one a column.
      given: files that they come from.
      feather: of the seams in photographs, in sides of the square that was cut out.
    """

    latents: LatentBatch | None = None
    given: tuple[str, ...] = ()
    feather: float = FEATHER

    def photographs(self, report: Reporter = QUIET) -> PastedPhotographs:
        """The photographs with the faces that each network draws in their places.

        Args:
          report: hears nothing, since all is drawn.

        Raises:
          UserError: if the latents are not of photographs.
        """
        if self.latents is None:
            raise UserError("a sheet without latents belongs into no photograph")
        drawn = dict(zip(self.rows, self.images, strict=True))
        return paste_back(self.latents, drawn, None, self.feather, self.made_of)

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """As `Sheet.write`, and the latents to NAME.npz."""
        told = self.latents is None or "seeds" in self.made_of["latents"]
        kept = to_keep(out, [] if told else [""], self.given, overwrite)
        super().write(out, command, overwrite)
        if self.latents is not None:
            keep(out, dict.fromkeys(kept, self.latents), command, overwrite)


def family(
    networks: Sequence[NetworkSource],
    *,
    names: Sequence[str] | None = None,
    seeds: str | Sequence[int] = "0-7",
    latents: LatentBatch | Name | Sequence[Name] | None = None,
    psi: float | None = None,
    label: int | None = None,
    batch: int = 8,
    network_key: str = "G_ema",
    paste: PasteOptions = PasteOptions(),  # noqa: B008  # it cannot change
    report: Reporter = QUIET,
) -> FamilySheet:
    """Draws a row for each network and a column for each latent (StyleAlign, figures 2, 14 and 34).

    Args:
      networks: names, or loaded networks, the parent first.
      names: labels of the rows; by default the networks' own names.
      seeds: a list, or text such as "0-7".
      latents: in place of seeds: of the first network, or files of them, like "me.npz".
      psi: truncation of z; 1 is none. None is what latents say, or else 0.7.
      label: class of conditional networks.
      batch: images at a time.
      network_key: "G_ema" or "G" of networks that are loaded.
      paste: whether `photographs` of the result will be written, and how faces go back into them.
      report: hears of every image.

    Raises:
      UserError: if the networks cannot be loaded or drawn together, or for seeds, latents, label
        and truncation that do not fit them.
    """
    relatives = load_relatives(networks, names, network_key)
    first = next(iter(relatives.values()))
    source = SourceOptions(label, Truncation(psi, usual=_PSI))
    if latents is None:
        [pending] = read_source(first, seeds, [None], source, "seeds")
    else:
        [pending] = read_source(first, latents, [None], source, "latents")
    shown = latents_of(pending)
    for network in relatives.values():
        shown.check(network)
    paste.check(shown)
    options = RenderOptions(batch=batch)
    with report.progress(len(relatives) * len(shown), "images") as advance:
        drawn = [
            to_uint8(render(network, shown, options, advance)) for network in relatives.values()
        ]
    title = "The same latents drawn by every network"
    facts = picture_facts(relatives, shown)
    images = np.stack(drawn)
    return FamilySheet(
        images,
        tuple(relatives),
        shown.names,
        title=title,
        made_of=facts,
        latents=shown,
        given=tuple(file_names(latents)),
        feather=paste.feather,
    )
