"""Latents that a job is asked for: seeds, files of latents, latents, or pictures to be inverted."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from aligned_jax import inversion, viz
from aligned_jax.config import GeneratorConfig
from aligned_jax.data import targets
from aligned_jax.data.targets import Targets
from aligned_jax.errors import UserError
from aligned_jax.inversion import Settings, setup
from aligned_jax.inversion.encoder_choice import EncoderChoice, EncoderChoices
from aligned_jax.inversion.spaces import is_z
from aligned_jax.jobs.pending import Pending, PendingInversion
from aligned_jax.jobs.picture_cuts import AlignWord, alignment_of, check_align, shared
from aligned_jax.latents import labels_for
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch, check_mean, latents_of_seeds
from aligned_jax.rendering.latent_words import WordKind, kind_of, latents_of_files, seeds_of
from aligned_jax.translation import Truncation
from aligned_jax.types import AnyArray
from aligned_jax.utils.paths import Name, names_of
from aligned_jax.utils.text import listed

# Latents; pictures [N, H, W, 1, 3 or 4], uint8 or in [-1, 1]; a seed, a list of seeds, or text like
# "0-7"; names of files of latents (F.npz, F.npz@ROW), or of pictures, folders and zips.
Source = LatentBatch | AnyArray | Name | int | Sequence[int] | Sequence[Name]


@dataclass(frozen=True)
class PictureOptions:
    """How pictures are inverted where a job takes them for latents.

    Attributes:
      encoders: names of encoders whose latents are taken; nothing is optimised then.
      starts: names of encoders at whose latents the optimisation begins. Of several encoders those
        of a network are used, and of these the one that suits the space.
      steps: of the optimiser; None is 1000, or 500 in z and z+.
      restarts: attempts for each picture.
      seed: of all random numbers.
      perceptual: network of LPIPS, "vgg", "alex" or "none".
      pixels: weight of the mean squared difference of pixels.
      align: "center" cuts out the middle square of pictures, "none" cuts nothing; else squares
        around faces are pictures of their own, as NAME.json (see `faces.read_faces`) or a
        detector says them, FILE.py:FUNCTION or MODULE:FUNCTION from uint8 [H, W, 3] to a list of
        faces; or a `FaceTable`, or a `Detector`.

    Raises:
      UserError: for options that contradict each other.
    """

    encoders: Sequence[str] = ()
    starts: Sequence[str] = ()
    steps: int | None = None
    restarts: int = 1
    seed: int = 0
    perceptual: str = "vgg"
    pixels: float = 0.0
    align: AlignWord = "center"

    def __post_init__(self) -> None:
        lone = [one for one in (self.encoders, self.starts) if isinstance(one, Name)]
        if lone:
            raise UserError(f"encoders and starts are lists of names; give [{lone[0]!r}]")
        if self.encoders and self.starts:
            raise UserError("give either encoders that are used alone or ones as starts")
        if self.encoders and (self.steps is not None or self.restarts != 1):
            raise UserError("encoders that are used alone take no steps and no restarts")
        check_align(self.align)

    def shared(self) -> "PictureOptions":
        """The same for several sources of one job, whose faces one file may name.

        Raises:
          UserError: if it cannot be read.
        """
        return replace(self, align=shared(self.align))


@dataclass(frozen=True)
class SourceOptions:
    """What decides the latents of a source besides its name.

    Attributes:
      label: class of conditional networks, from 0.
      truncation: who decides psi.
      usual: space in which pictures are inverted if neither the job nor an encoder says it.
      batch: rows at a time.
      pictures: how pictures are inverted.
    """

    label: int | None = None
    truncation: Truncation = field(default_factory=Truncation)
    usual: str = "z"
    batch: int = 8
    pictures: PictureOptions = PictureOptions()


def read_source(
    network: Network,
    source: Source,
    spaces: Sequence[str | None],
    options: SourceOptions,
    kind: WordKind | None = None,
) -> list[Pending]:
    """Latents of `network` that a source stands for, once for every space.

    Args:
      network: whose latents they are.
      source: latents, seeds, files or pictures.
      spaces: in which pictures are inverted, of which None leaves it to encoders and options;
        other latents stay as they are.
      options: what else decides them.
      kind: of names; None tells it by their form.

    Raises:
      UserError: for names of different kinds, or whatever they name that does not fit.
    """
    if isinstance(source, Mapping):
        raise UserError(
            f"latents by name ({listed(map(str, source))}) are not enough; give a "
            "rendering.LatentBatch, which also names them, or aj.translation.translate"
        )
    truncation = options.truncation
    if isinstance(source, jax.Array):
        source = np.asarray(source)
    if isinstance(source, LatentBatch):
        latents = source.with_psi(truncation.of_latents(source.psi))
        latents.check(network)
        return [latents] * len(spaces)
    kind = kind or kind_of(source)
    if kind == "pictures":
        return [*_pending_inversions(network, source, spaces, options)]
    config, label = network.config, options.label
    if kind == "seeds":
        latents = latents_of_seeds(config, seeds_of(source), label, truncation.of_latents())
    else:
        psi, otherwise = truncation.asked, truncation.of_latents()
        latents = latents_of_files(config, names_of(source), label, psi, otherwise)
    return [latents] * len(spaces)


@dataclass(frozen=True)
class Usage:
    """Which options of a job counted.

    Attributes:
      pictures: whether pictures are inverted.
      optimised: whether an optimiser inverts some.
      encoders: names of those that were used.
      in_z: whether latents were truncated.
      noise: of the images, "const", "none" or "random".
    """

    pictures: bool
    optimised: bool
    encoders: frozenset[str]
    in_z: bool
    noise: str

    @classmethod
    def of(cls, sources: Sequence[Pending], noise: str) -> "Usage":
        """What counts for these latents, as they were asked for, and this noise."""
        pictures = [source for source in sources if isinstance(source, PendingInversion)]
        return cls(
            pictures=bool(pictures),
            optimised=any(one.settings.steps for one in pictures),
            encoders=frozenset(one.choice.source for one in pictures if one.choice),
            in_z=any(source.in_z for source in sources),
            noise=noise,
        )


def _pending_inversions(
    network: Network,
    pictures: Source,
    spaces: Sequence[str | None],
    options: SourceOptions,
) -> list[PendingInversion]:
    """Pictures in files, folders, zips or an array, ready to be inverted in every space."""
    how, config = options.pictures, network.config
    setup.check_perceptual(how.perceptual, how.pixels)
    encoders = EncoderChoices.load([*how.encoders, *how.starts], network, alone=bool(how.encoders))
    choices = [encoders.choose(space) for space in spaces]
    settings = [
        _settings(choice, space or (choice.encoder.space if choice else options.usual), options)
        for choice, space in zip(choices, spaces, strict=True)
    ]
    label = labels_for(config, options.label)
    asked = read_pictures(config, pictures, how.align)
    # With an encoder alone distances decide nothing.
    loss: inversion.Perceptual = inversion.Pixels()
    if not how.encoders:
        loss = setup.perceptual_of(how.perceptual, how.pixels)
    pending = []
    for one, choice in zip(settings, choices, strict=True):
        if one.psi != 1:
            check_mean(config)
        pending.append(
            PendingInversion(
                network,
                asked,
                one,
                choice,
                start=choice.latents(network, asked.images(), one.space, label) if choice else None,
                loss=loss,
                label=label,
                seed=how.seed,
                batch=options.batch,
                diverged=setup.DIVERGED + (f" in {one.space}" if len(spaces) > 1 else ""),
            )
        )
        asked = replace(asked, passed="")  # which is told once
    return pending


def read_pictures(config: GeneratorConfig, pictures: Any, align: AlignWord) -> Targets:
    """Pictures for a network of these sizes; of an array [N, H, W, 1 or 3], or of names.

    Raises:
      UserError: if not one of them can be read, there is no such `align`, or faces do not fit.
    """
    size = (config.img_resolution, config.img_channels, alignment_of(align))
    if isinstance(pictures, np.ndarray | jax.Array):
        return targets.from_array(viz.as_pixels(pictures), *size)
    return targets.read(names_of(pictures), *size)


def _settings(choice: EncoderChoice | None, space: str, options: SourceOptions) -> Settings:
    alone = choice is not None and choice.alone
    # Only z is truncated, which is for the settings to say.
    psi = options.truncation.of_inversion(encoded=alone) if is_z(space) else None
    how = options.pictures
    given = {"space": space, "steps": how.steps, "psi": psi, "restarts": how.restarts}
    return setup.settings(given, choice)


def file_names(source: Source | None, kind: WordKind | None = None) -> list[str]:
    """Names that a source gives, of files unless their form says seeds; none of arrays."""
    if (
        source is None
        or kind == "seeds"
        or isinstance(source, LatentBatch | np.ndarray | jax.Array | Mapping | int)
    ):
        return []
    words = [source] if isinstance(source, Name) else source
    return [os.fspath(word) for word in words if isinstance(word, Name)]
