"""Encoders where pictures are inverted: alone, or as the start of the optimisation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import loading, provenance
from aligned_jax.config import ENCODER
from aligned_jax.errors import UserError
from aligned_jax.inversion.encoding import as_space, check_holds, encode
from aligned_jax.networks.encoder_network import EncoderNetwork
from aligned_jax.networks.network import Network


@dataclass(frozen=True, eq=False)
class EncoderChoice:
    """An encoder of one network, and what it is used for.

    Attributes:
      source: how it was named.
      encoder: for that network.
      alone: whether its latents are the result; else an optimisation begins at them.
    """

    source: str
    encoder: EncoderNetwork
    alone: bool

    def defaults(self, space: str | None) -> dict[str, Any]:
        """Settings that hold with this encoder unless others are given.

        Args:
          space: of the inversion; None for the encoder's own.
        """
        space = space or self.encoder.space
        settings: dict[str, Any] = {"space": space}
        if space.startswith("z"):
            settings["psi"] = 1.0  # encoders are trained without truncation
        return settings | ({"steps": 0, "noise": "const"} if self.alone else {})

    def latents(
        self, network: Network, images: np.ndarray, space: str, label: np.ndarray | None
    ) -> np.ndarray:
        """Latents of images in a space that holds the encoder's, float32 [N, ...].

        Args:
          network: the encoder's generator.
          images: uint8 [N, R, R, C].
          space: wanted.
          label: [1, c_dim] of a conditional network; [1, 0] or None of another one.

        Raises:
          UserError: if the space does not hold them, or the numbers are not finite.
        """
        # The space first: it may be wrong, and encoding takes longer.
        check_holds(self.encoder.space, space)
        latents = encode(self.encoder, network, images)
        if not np.isfinite(latents).all():
            raise UserError(f"{self.source} finds latents that are not finite; it is damaged")
        return np.asarray(as_space(network, self.encoder.space, latents, space, label))

    def facts(self) -> dict[str, Any]:
        """What results say about it, under `encoder` or `start`."""
        known = provenance.summary(self.encoder.provenance or {})
        return {"encoder" if self.alone else "start": {"encoder": self.source, **known}}


@dataclass(frozen=True)
class EncoderChoices:
    """The encoders that belong to one network, in the order in which they were named."""

    choices: tuple[EncoderChoice, ...]

    @classmethod
    def load(
        cls,
        sources: Sequence[str],
        network: Network,
        *,
        alone: bool,
        network_name: str | None = None,
    ) -> "EncoderChoices":
        """Loads encoders and keeps those that belong to `network`; no sources, no encoders.

        Args:
          sources: names of encoders, as `loading.load` takes them.
          network: the generator.
          alone: whether their latents are the results.
          network_name: how a message calls the generator.

        Raises:
          UserError: if an encoder cannot be read, or all belong to other networks.
        """
        choices: list[EncoderChoice] = []
        refusals: list[str] = []
        for source in sources:
            encoder = loading.load(source, ENCODER)
            try:
                encoder.check_generator(network, network_name)
            except UserError as error:
                refusals.append(f"{source}: {error}")
                continue
            choices.append(EncoderChoice(source, encoder, alone))
        if refusals and not choices:
            raise UserError("; ".join(refusals))
        return cls(tuple(choices))

    def choose(self, space: str | None) -> EncoderChoice | None:
        """The encoder of this space, or else the first whose latents it holds.

        Args:
          space: wanted; None for that of the first encoder.

        Returns:
          None if there are no encoders.

        Raises:
          UserError: if there are encoders, but none whose latents the space holds.
        """
        if space is None:
            return next(iter(self.choices), None)
        refusals: list[str] = []
        for choice in sorted(self.choices, key=lambda choice: choice.encoder.space != space):
            try:
                check_holds(choice.encoder.space, space)
            except UserError as error:
                refusals.append(f"{choice.source}: {error}")
                continue
            return choice
        if refusals:
            raise UserError("; ".join(refusals))
        return None
