"""Encoders where pictures are inverted: alone, or as the start of the optimisation."""

import argparse
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import inversion, loading, provenance
from aligned_jax.cli import console
from aligned_jax.config import ENCODER
from aligned_jax.errors import UserError
from aligned_jax.networks.encoder_network import EncoderNetwork
from aligned_jax.networks.network import Network


@dataclass(frozen=True, eq=False)
class Guide:
    """An encoder of one network.

    Attributes:
      source: how it was named.
      encoder: for that network.
      alone: whether its latents are the result; else they begin an optimisation.
    """

    source: str
    encoder: EncoderNetwork
    alone: bool

    def defaults(self, space: str | None) -> dict[str, Any]:
        """Settings that hold with this encoder unless others are given."""
        space = space or self.encoder.space
        found: dict[str, Any] = {"space": space}
        if space.startswith("z"):
            found["psi"] = 1.0  # encoders are trained without truncation
        return found | ({"steps": 0, "noise": "const"} if self.alone else {})

    def latents(
        self, network: Network, images: np.ndarray, space: str, label: np.ndarray | None
    ) -> np.ndarray:
        """Latents of images uint8 [N, R, R, C] in a space that holds the encoder's.

        Raises:
          UserError: if the space does not, or the numbers are not finite.
        """
        # The space first: it may be wrong, and encoding takes longer.
        inversion.check_holds(self.encoder.space, space)
        found = inversion.encode(self.encoder, network, images)
        if not np.isfinite(found).all():
            raise UserError(f"{self.source} finds latents that are not finite; it is damaged")
        return np.asarray(inversion.as_space(network, self.encoder.space, found, space, label))

    def facts(self) -> dict[str, Any]:
        """What results say about it."""
        known = provenance.summary(self.encoder.provenance or {})
        return {"encoder" if self.alone else "start": {"encoder": self.source, **known}}


@dataclass(frozen=True)
class Guides:
    """The encoders that belong to one network, in the order in which they were named."""

    guides: tuple[Guide, ...]

    @classmethod
    def of(cls, args: argparse.Namespace, network: Network) -> "Guides":
        """Of those that --encoder or --start name; none if neither was given.

        Raises:
          UserError: if an encoder cannot be read, or all belong to other networks.
        """
        found, refusals = [], []
        for source in sources(args):
            encoder = loading.load(source, ENCODER)
            try:
                encoder.check_generator(network, getattr(args, "network", None))
            except UserError as error:
                refusals.append(f"{source}: {error}")
                continue
            found.append(Guide(source, encoder, bool(args.encoder)))
        if refusals and not found:
            raise UserError("; ".join(refusals))
        return cls(tuple(found))

    def choose(self, space: str | None) -> Guide | None:
        """The encoder of this space, or else the first whose latents it holds.

        Args:
          space: wanted; None for that of the first encoder.

        Raises:
          UserError: if there are encoders, but none whose latents the space holds.
        """
        if space is None:
            return next(iter(self.guides), None)
        refusals = []
        for guide in sorted(self.guides, key=lambda guide: guide.encoder.space != space):
            try:
                inversion.check_holds(guide.encoder.space, space)
            except UserError as error:
                refusals.append(f"{guide.source}: {error}")
                continue
            return guide
        if refusals:
            raise UserError("; ".join(refusals))
        return None


def guide_of(args: argparse.Namespace, network: Network) -> Guide | None:
    """The encoder for --space of this network; None if there is neither --encoder nor --start.

    Raises:
      UserError: as `Guides.of` and `Guides.choose`.
    """
    return Guides.of(args, network).choose(args.space)


def sources(args: argparse.Namespace) -> list[str]:
    """What --encoder or --start name, which some verbs take several times."""
    given = args.encoder or args.start or []
    return [given] if isinstance(given, str) else given


def tell_unused(args: argparse.Namespace, used: Container[str]) -> None:
    """A warning naming every encoder that was given, but is not among those that were `used`."""
    option = "--encoder" if args.encoder else "--start"
    unused = [f"{option} {source}" for source in sources(args) if source not in used]
    if unused:
        verb = "changes" if len(unused) == 1 else "change"
        console.warn(
            f"{' and '.join(unused)} {verb} nothing: another encoder suits the network and the "
            "space better, or no picture is inverted there"
        )
