"""Pictures to invert with all that decides the results, looked at before any work."""

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from aligned_jax import inversion, provenance
from aligned_jax.data.targets import Target, Targets
from aligned_jax.errors import UserError
from aligned_jax.inversion import InversionProgress, Inverted, Settings, setup
from aligned_jax.inversion.encoder_choice import EncoderChoice, EncoderChoices
from aligned_jax.inversion.options import OPTIMISER, GivenSettings
from aligned_jax.jobs.picture_cuts import AlignWord, align_name
from aligned_jax.jobs.sources import read_pictures
from aligned_jax.latents import labels_for
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.types import AnyArray
from aligned_jax.utils.paths import names_of
from aligned_jax.utils.reporting import Advance

# Files, folders and zips; or pictures [N, H, W, 1, 3 or 4], uint8 or in [-1, 1].
PictureSource = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | AnyArray


@dataclass(frozen=True, eq=False)
class InversionRequest:
    """Pictures to invert, and how.

    Attributes:
      network, network_name, network_key: the generator, how it was named, and which of a file.
      targets: the pictures.
      settings: of the inversion.
      choice: the encoder, if there is one.
      label: [1, c_dim], for all pictures.
      perceptual, pixels: network of LPIPS and weight of pixels, as `setup.perceptual_of`
        takes them.
      align: what was asked for, in words.
      seed: of all random numbers.
      batch: images times restarts at a time; None for as many as are good.
      command: that asks for it.
    """

    network: Network
    network_name: str
    network_key: str
    targets: Targets
    settings: Settings
    choice: EncoderChoice | None
    label: np.ndarray
    perceptual: str
    pixels: float
    align: str
    seed: int
    batch: int | None
    command: Command

    def parts(
        self,
        numbers: Sequence[int],
        loss: inversion.Perceptual,
        advance: Advance,
        also: Callable[[InversionProgress], None] | None,
        every: int,
    ) -> Iterator[Inverted]:
        """Inverts some of the pictures; yields as soon as some of those are finished.

        Args:
          numbers: of the pictures.
          loss: what is made small.
          advance: hears of the steps of every picture.
          also: hears how the pictures stand.
          every: how many steps may pass before they hear.
        """
        images, start = self.targets.images()[list(numbers)], None
        if self.choice:
            start = self.choice.latents(self.network, images, self.settings.space, self.label)
        return inversion.parts(
            self.network,
            images,
            loss,
            self.settings,
            jax.random.key(self.seed),
            start,
            c=self.label,
            batch=self.batch or setup.batch_for(self.network.config, self.settings),
            watch=setup.watcher(self.settings, advance, also),
            every=every,
        )

    def facts(self, target: Target) -> dict[str, Any]:
        """What the file of a picture's inversion says beside its settings; no two requests agree.

        A digest tells networks, encoders and pictures apart whose files have the same names.
        """
        facts = {"image": target.file, "align": self.align, "seed": self.seed}
        facts |= {"network": self.network_facts, "command": self.command.line}
        if target.placement is not None:
            facts["placement"] = target.placement.document()
        digest = hashlib.sha256(self._weights.encode() + target.pixels.tobytes()).hexdigest()
        # As it comes back from a file.
        return json.loads(json.dumps(facts | self.encoder_facts | {"input": digest}))

    @property
    def network_facts(self) -> dict[str, Any]:
        """What results say about the network."""
        named = {"network": self.network_name, "key": self.network_key}
        return named | provenance.summary(self.network.provenance or {})

    @property
    def encoder_facts(self) -> dict[str, Any]:
        """What results say about the encoder; nothing if there is none."""
        return self.choice.facts() if self.choice else {}

    @functools.cached_property
    def _weights(self) -> str:
        encoder = fingerprint(self.choice.encoder.variables) if self.choice else ""
        return fingerprint(self.network.variables) + encoder


def request_inversions(
    network: NetworkSource,
    images: PictureSource,
    given: GivenSettings,
    *,
    space: str | None,
    encoder: str | os.PathLike[str] | None,
    start: str | os.PathLike[str] | None,
    label: int | None,
    perceptual: str,
    pixels: float,
    align: AlignWord,
    seed: int,
    batch: int | None,
    network_key: str,
    command: Command,
) -> InversionRequest:
    """Loads networks, reads pictures and looks at all options; arguments as for `jobs.invert`.

    Raises:
      UserError: as `jobs.invert`.
    """
    name, loaded = named_network(network, network_key)
    config = loaded.config
    sources = [os.fspath(source) for source in (encoder, start) if source is not None]
    encoders = EncoderChoices.load(sources, loaded, alone=encoder is not None, network_name=name)
    choice = encoders.choose(space)
    settings = setup.settings({"space": space, **given}, choice)
    labels = labels_for(config, label)
    return InversionRequest(
        network=loaded,
        network_name=name,
        network_key=network_key,
        targets=read_pictures(config, images, align),
        settings=settings,
        choice=choice,
        label=labels,
        perceptual=perceptual,
        pixels=pixels,
        align=align_name(align),
        seed=seed,
        batch=batch,
        command=command,
    )


def image_names(images: PictureSource) -> list[str]:
    """Paths of the pictures, folders and zips; none of an array."""
    if isinstance(images, np.ndarray | jax.Array):
        return []
    return names_of(images)


def check_given(
    given: GivenSettings, encoder: object, start: object, video: bool, out: object
) -> None:
    """Raises UserError for arguments that contradict each other.

    Args:
      given: settings, which an encoder that is used alone does not heed.
      encoder, start: encoders, or None; at most one of them.
      video: whether it shall be shown how the images came about.
      out: where films would be written, or None.
    """
    if encoder is not None and start is not None:
        raise UserError("give either an encoder that is used alone or one as a start")
    if video and out is None:
        raise UserError("films are written to a folder; give its name as out")
    if encoder is None:
        return
    known: Mapping[str, Any] = given
    unheeded = [name for name in OPTIMISER if known.get(name) is not None]
    unheeded += ["noise"] if known.get("noise") in ("drop", "keep") else []
    unheeded += ["video"] if video else []
    if unheeded:
        raise UserError(
            f"{', '.join(unheeded)}: an encoder that is used alone optimises nothing; leave them "
            "out, or use it as the start"
        )
