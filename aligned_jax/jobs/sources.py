"""Latents that a job is asked for: seeds, files of latents, latents, or pictures to be inverted."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from aligned_jax import inversion, translation, viz
from aligned_jax.data import targets
from aligned_jax.errors import UserError
from aligned_jax.inversion import Settings, setup
from aligned_jax.inversion.encoder_choice import EncoderChoice, EncoderChoices
from aligned_jax.inversion.spaces import is_z
from aligned_jax.jobs.pending_inversion import PendingInversion
from aligned_jax.latents import labels_for
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch, check_mean, latents_of_seeds
from aligned_jax.rendering.latent_files import WordKind, kind_of_words, latents_of_files
from aligned_jax.types import AnyArray
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed

Name = str | os.PathLike
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
      align: "center" cuts out the middle square of pictures, "none" cuts nothing.

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
    align: str = "center"

    def __post_init__(self) -> None:
        lone = [one for one in (self.encoders, self.starts) if isinstance(one, Name)]
        if lone:
            raise UserError(f"encoders and starts are lists of names; give [{lone[0]!r}]")
        if self.encoders and self.starts:
            raise UserError("give either encoders that are used alone or ones as starts")
        if self.encoders and (self.steps is not None or self.restarts != 1):
            raise UserError("encoders that are used alone take no steps and no restarts")
        if self.align not in ("center", "none"):
            raise UserError(f"align is {self.align!r:.40}; it is center or none")


@dataclass(frozen=True)
class SourceOptions:
    """What decides the latents of a source besides its name.

    Attributes:
      label: class of conditional networks, from 0.
      psi: truncation of z; None is that of the file, of the latents, or of the encoder.
      otherwise: truncation of z where nothing else says it; None is `translation.PSI`, and of
        pictures that of the encoder or of an inversion.
      usual: space in which pictures are inverted if neither the job nor an encoder says it.
      batch: rows at a time.
      pictures: how pictures are inverted.
    """

    label: int | None = None
    psi: float | None = None
    otherwise: float | None = None
    usual: str = "z"
    batch: int = 8
    pictures: PictureOptions = PictureOptions()


# Latents at hand, or pictures that are still to be inverted.
Pending = LatentBatch | PendingInversion


def invert(pending: Pending, report: Reporter = QUIET) -> LatentBatch:
    """The latents, for which pictures are inverted now."""
    return pending.run(report) if isinstance(pending, PendingInversion) else pending


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
    if isinstance(source, jax.Array):
        source = np.asarray(source)
    if isinstance(source, LatentBatch):
        latents = source.with_psi(options.psi)
        latents.check(network)
        return [latents] * len(spaces)
    kind = kind or _kind_of(source)
    if kind == "pictures":
        return [*_pending_inversions(network, source, spaces, options)]
    otherwise = translation.PSI if options.otherwise is None else options.otherwise
    config, label, psi = network.config, options.label, options.psi
    if kind == "seeds":
        psi = otherwise if psi is None else psi
        latents = latents_of_seeds(config, _seeds(source), label, psi)
    else:
        latents = latents_of_files(config, _words(source), label, psi, otherwise)
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
    size = (config.img_resolution, config.img_channels, how.align)
    if isinstance(pictures, np.ndarray):
        asked = targets.from_array(viz.as_pixels(pictures), *size)
    else:
        asked = targets.read(_words(pictures), *size)
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


def _settings(choice: EncoderChoice | None, space: str, options: SourceOptions) -> Settings:
    # What an encoder finds is right without truncation, whatever others do with it.
    psi = None if choice and choice.alone else options.otherwise
    # Only z is truncated, which is for the settings to say.
    psi = (psi if options.psi is None else options.psi) if is_z(space) else None
    how = options.pictures
    given = {"space": space, "steps": how.steps, "psi": psi, "restarts": how.restarts}
    return setup.settings(given, choice)


def _kind_of(source: Source) -> WordKind:
    """What a source stands for, by its form."""
    if isinstance(source, np.ndarray):
        return "seeds" if source.ndim == 1 else "pictures"
    numbers = source if isinstance(source, Sequence) and len(source) else [source]
    if all(isinstance(number, int | np.integer) for number in numbers):
        return "seeds"
    return kind_of_words(_words(source))


def _words(source: Any) -> list[str]:
    """Names, of which there may be one alone."""
    return [os.fspath(one) for one in ([source] if isinstance(source, Name) else source)]


def _seeds(source: Any) -> str | list[int]:
    """Text, be it alone or in a list, or numbers."""
    if isinstance(source, str):
        return source
    seeds = [source] if isinstance(source, int) else list(source)
    return seeds[0] if seeds and isinstance(seeds[0], str) else [int(seed) for seed in seeds]


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
