"""Encoders where pictures are inverted: alone, or as the start of the optimisation."""

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import inversion, loading
from aligned_jax.config import ENCODER
from aligned_jax.encoder_network import EncoderNetwork
from aligned_jax.errors import UserError
from aligned_jax.network import Network
from aligned_jax.tools import common


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
        known = common.summary(self.encoder.provenance or {})
        return {"encoder" if self.alone else "start": {"encoder": self.source, **known}}


def guide_of(args: argparse.Namespace, network: Network) -> Guide | None:
    """What --encoder or --start names for this network; None if neither was given.

    Of several encoders, the first that belongs to the network.

    Raises:
      UserError: if an encoder cannot be read, or all belong to other networks.
    """
    given = args.encoder or args.start or []
    sources = [given] if isinstance(given, str) else given
    refusals = []
    for source in sources:
        encoder = loading.load(source, ENCODER)
        try:
            encoder.check_generator(network, getattr(args, "network", None))
        except UserError as error:
            refusals.append(f"{source}: {error}")
            continue
        return Guide(source, encoder, bool(args.encoder))
    if refusals:
        raise UserError("; ".join(refusals))
    return None


def tell_idle(args: argparse.Namespace, inverted: bool) -> None:
    """A warning if an encoder was named though no picture was `inverted`."""
    if (args.encoder or args.start) and not inverted:
        option = "--encoder" if args.encoder else "--start"
        common.warn(f"{option} changes nothing: there are no pictures to invert")
