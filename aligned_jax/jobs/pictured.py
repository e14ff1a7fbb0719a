"""Latents of pictures: everything that may be wrong is looked at before one is inverted."""

import argparse
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from aligned_jax import inversion
from aligned_jax.cli import console, groups
from aligned_jax.data import targets
from aligned_jax.errors import UserError
from aligned_jax.inversion import Settings
from aligned_jax.inversion.encoder_choice import EncoderChoice, EncoderChoices
from aligned_jax.inversion.spaces import is_z
from aligned_jax.jobs import inverting
from aligned_jax.latents import labels_for
from aligned_jax.networks.network import Network
from aligned_jax.rendering.codes import Codes, check_psi
from aligned_jax.rendering.render import Inputs


@dataclass(frozen=True)
class Pictures:
    """Pictures that are ready to be inverted, in one space.

    Attributes:
      names: of the rows that there will be, but for those that diverge.
      settings: of the inversion.
      guide: the encoder, if there is one.
      invert: does it.
    """

    names: tuple[str, ...]
    settings: Settings
    guide: EncoderChoice | None
    invert: Callable[[], Codes]

    @property
    def psi(self) -> float | None:
        """Truncation of z; None in other spaces."""
        return self.settings.psi if self.in_z else None

    @property
    def in_z(self) -> bool:
        """Whether the network that renders maps and truncates the latents."""
        return is_z(self.settings.space)

    def take(self) -> Codes:
        """The inversions."""
        return self.invert()

    def told(self) -> str:
        """What a page says of them."""
        settings, parts = self.settings, []
        if settings.steps:
            parts = [f"{settings.steps} steps", f"noise {settings.noise}"]
        if settings.restarts > 1:
            parts.append(f"best of {settings.restarts}")
        if self.psi is not None:
            parts.append(f"psi {self.psi:g}")
        if self.guide:
            parts.append(f"{'encoder' if self.guide.alone else 'start'} {self.guide.source}")
        done = "inverted" if settings.steps else "encoded"
        return ", ".join([f"{done} in {settings.space}", *parts])


def of_pictures(
    args: argparse.Namespace,
    network: Network,
    words: Sequence[str],
    spaces: Sequence[str | None],
    usual: str,
    psi: float | None = None,
) -> list[Pictures]:
    """Pictures, files, folders or zips, ready to be inverted in every space.

    Noise maps are forgotten.

    Args:
      args, network: as in `read`.
      words: names.
      spaces: in which they are inverted.
      usual: what that is if it is None and no encoder says it.
      psi: of optimisations in z, unless --psi says it; encoders have their own.
    """
    config = network.config
    inverting.check_perceptual(args.perceptual, args.pixels)
    name = getattr(args, "network", None)
    guides = EncoderChoices.load(
        groups.encoder_sources(args), network, alone=bool(args.encoder), network_name=name
    )
    chosen = [guides.choose(space) for space in spaces]
    settings = [
        _settings(args, guide, space or (guide.encoder.space if guide else usual), psi)
        for guide, space in zip(chosen, spaces, strict=True)
    ]
    label = labels_for(config, args.label)
    found = targets.read(words, config.img_resolution, config.img_channels, args.align)
    # With an encoder alone distances decide nothing.
    perceptual: inversion.Perceptual = inversion.Pixels()
    if not args.encoder:
        perceptual = inverting.perceptual_of(args.perceptual, args.pixels)
    names = tuple(target.name for target in found.targets)
    ready = []
    for how, guide in zip(settings, chosen, strict=True):
        check_psi(network, how.psi)
        start = guide.latents(network, found.images(), how.space, label) if guide else None
        why = inverting.DIVERGED + (f" in {how.space}" if len(spaces) > 1 else "")
        rest = {"label": label, "start": start, "why": why}
        work = functools.partial(_inverted, args, network, found, perceptual, how, **rest)
        ready.append(Pictures(names, how, guide, work))
    return ready


def _settings(
    args: argparse.Namespace, guide: EncoderChoice | None, space: str, psi: float | None
) -> Settings:
    # What an encoder finds is right without truncation, whatever others do with it.
    psi = None if guide and guide.alone else psi
    # Only z is truncated, which is for the settings to say.
    psi = (psi if args.psi is None else args.psi) if is_z(space) else None
    given = {"space": space, "steps": args.steps, "psi": psi, "restarts": args.restarts}
    return inverting.settings(given, guide)


def _inverted(
    args: argparse.Namespace,
    network: Network,
    found: targets.Targets,
    perceptual: inversion.Perceptual,
    settings: Settings,
    *,
    label: np.ndarray,
    start: np.ndarray | None,
    why: str,
) -> Codes:
    """The inversions that stayed finite."""
    key = jax.random.key(args.invert_seed)
    with console.progress(len(found.targets) * settings.steps, "steps") as advance:
        watch = inverting.watcher(settings, advance)
        batch = min(args.batch, inverting.batch_for(network.config, settings))
        options = {"start": start, "c": label, "batch": batch, "watch": watch}
        result = inversion.invert(network, found.images(), perceptual, settings, key, **options)
    good = result.finite
    kept = [target for target, fine in zip(found.targets, good, strict=True) if fine]
    lost = [target.file for target, fine in zip(found.targets, good, strict=True) if not fine]
    if not kept:
        raise UserError("not one inversion stayed finite; is the network damaged?")
    arrays = inversion.latent_arrays(network, settings.space, result.latent[good])
    if "z" in arrays:
        arrays["c"] = np.repeat(label, len(kept), axis=0)
    numbers = np.flatnonzero(good).astype(np.uint32)
    inputs = Inputs(arrays, tuple(target.name for target in kept), numbers)
    psi = settings.psi if "z" in arrays else None
    pictures = np.stack([target.pixels for target in kept])
    return Codes(inputs, psi, pictures, found.skipped | dict.fromkeys(lost, why))
