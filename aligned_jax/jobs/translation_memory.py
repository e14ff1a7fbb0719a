"""What the files of a translation say of its latents, and latents that are kept beside them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aligned_jax.errors import UserError
from aligned_jax.jobs.pending import Pending, latents_of
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.editing import edited
from aligned_jax.rendering.latent_batch import LatentBatch, rows_in_all
from aligned_jax.rendering.records import (
    keep,
    latents_record,
    picture_facts,
    seeds_of_rows,
    to_keep,
)
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.reporting import Reporter

REFERENCE = "reference"


@dataclass(frozen=True, eq=False)
class TranslationMemory:
    """What is known of the latents that were asked for.

    Attributes:
      networks: parent and child by name.
      asked: what was asked for, by what tells it apart: "" or a space of the parent, and
        `REFERENCE` of the child.
      given: files that latents come from.
      found: the latents of what is in no seed, by what tells it apart; filled when they are there.
    """

    networks: Mapping[str, Network]
    asked: Mapping[str, Pending]
    given: tuple[str, ...]
    found: dict[str, LatentBatch] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        networks: Mapping[str, Network],
        sources: Sequence[Pending],
        spaces: Sequence[str | None],
        reference: Pending | None,
        given: Sequence[str],
    ) -> "TranslationMemory":
        """Of the sources in every space; latents that are there already are the same in all."""
        asked: dict[str, Pending] = {}
        for source, space in zip(sources, spaces, strict=True):
            alone = len(sources) == 1 or isinstance(source, LatentBatch)
            asked["" if alone else str(space)] = source
        return cls(networks, asked | ({REFERENCE: reference} if reference else {}), tuple(given))

    @property
    def unseeded(self) -> list[str]:
        """What is not the latents of seeds."""
        return [what for what, one in self.asked.items() if not self._is_of_seeds(what, one)]

    def find(
        self,
        asked: Sequence[Pending],
        moved: Sequence[Pending],
        reference: Pending | None,
        edits: Sequence[Edit],
        report: Reporter,
    ) -> tuple[list[LatentBatch], LatentBatch | None]:
        """Inverts what is still to be inverted, and remembers what is in no seed.

        Args:
          asked: the sources in every space.
          moved: the same, edited already where they are latents.
          reference: of the child, or None.
          edits: of latents of the parent that are found now.
          report: hears of every step.

        Returns:
          the edited latents of the sources, whose rows are those found in every space, and those
          of the reference.

        Raises:
          UserError: if there is no such row.
        """
        found = [latents_of(one, report) for one in asked]
        parent = next(iter(self.networks.values()))
        latents = rows_in_all(
            [
                one if isinstance(one, LatentBatch) else edited(parent, own, edits)
                for one, own in zip(moved, found, strict=True)
            ]
        )
        if not len(latents[0]):
            raise UserError("not one inversion stayed finite in every space; give one `space`")
        known = dict(zip((what for what in self.asked if what != REFERENCE), found, strict=False))
        if reference is not None:
            known[REFERENCE] = latents_of(reference, report)
        self.found.update({what: known[what] for what in self.unseeded})
        return latents, known.get(REFERENCE)

    @property
    def facts(self) -> dict[str, Any]:
        """What a sheet says besides its command, JSON-able."""
        told = {}
        for what, one in self.asked.items():
            latents = one if isinstance(one, LatentBatch) else self.found.get(what)
            if latents is not None:
                told[f"latents {what}".rstrip()] = latents_record(self._config(what), latents)
        return picture_facts(self.networks) | told

    def check(self, out: str | os.PathLike[str], overwrite: bool) -> None:
        """Raises UserError if latents may not be written beside `out`; call it before long work."""
        to_keep(out, self.unseeded, self.given, overwrite)

    def keep(self, out: str | os.PathLike[str], command: Command, overwrite: bool) -> list[str]:
        """Writes what is in no seed beside `out`; returns the names of the files."""
        kept = to_keep(out, self.found, self.given, overwrite)
        return keep(out, {what: self.found[what] for what in kept}, command, overwrite)

    def _config(self, what: str) -> Any:
        parent, *others = self.networks.values()
        return (others[-1] if what == REFERENCE and others else parent).config

    def _is_of_seeds(self, what: str, one: Pending) -> bool:
        return isinstance(one, LatentBatch) and seeds_of_rows(self._config(what), one) is not None
