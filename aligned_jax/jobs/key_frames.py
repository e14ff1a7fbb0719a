"""Key frames of a morph: one latent each, of the network that draws it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

import jax
import numpy as np

from aligned_jax import morphing
from aligned_jax.data.opening import SUFFIXES
from aligned_jax.errors import UserError
from aligned_jax.jobs.pending import Pending, PendingInversion, latents_of
from aligned_jax.jobs.sources import Source, SourceOptions, file_names, read_source
from aligned_jax.latents import parse_seeds
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.latent_files import holds_latents
from aligned_jax.rendering.latent_words import kind_of, kind_of_words, seeds_of
from aligned_jax.utils.reporting import Reporter
from aligned_jax.weights import interpolate

# Each is mapped by a network of its own; more would not be a film, but a mistake.
_MOST = 10_000


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """One latent.

    Attributes:
      name: "A", "B" and so on.
      asked: as it was given, one of perhaps several latents.
      pending: it alone: W+, or a picture that is still to be inverted.
    """

    name: str
    asked: Pending
    pending: Pending

    def inverted(self, report: Reporter) -> np.ndarray:
        """W+ [1, L, w_dim]; a picture is inverted now."""
        latents = latents_of(self.pending, report)
        if isinstance(self.pending, PendingInversion):
            latents = latents.in_space(self.pending.network, "w+")
        return latents.arrays["ws"]


def asked_keys(
    first: Network,
    second: Network | None,
    sources: Sequence[Source],
    space: str | None,
    options: SourceOptions,
) -> tuple[KeyFrame, ...]:
    """The key frames that sources stand for; nothing is inverted yet.

    Args:
      first, second: network of the first and of the last key frame; those between are latents of
        blends. Without a second all are of the first.
      sources: seeds, files, latents and pictures.
      space: in which pictures are inverted; None leaves it to encoders and options.
      options: what else decides latents.

    Raises:
      UserError: for fewer than two key frames or more than 10,000, several pictures in one source,
        or whatever cannot be read or does not fit.
    """
    # Latents are read alike for all these networks. Pictures are inverted in one of them, and which
    # it is depends on the number of all key frames.
    read = [_latents(first, source, options) for source in sources]
    counts = [1 if latents is None else len(latents) for latents in read]
    morphing.check_keys(sum(counts))
    _check_most(sum(counts))
    weights = iter(morphing.weights_at(sum(counts)))
    keys: list[KeyFrame] = []
    for source, latents, count in zip(sources, read, counts, strict=True):
        for row in range(count):
            name = _name(len(keys))
            network = _blend(first, second, next(weights))
            if latents is None:
                asked = pending = _picture(network, name, source, space, options)
            else:
                asked, pending = latents, latents.take([row]).in_space(network, "w+")
            keys.append(KeyFrame(name, asked, pending))
    return tuple(keys)


def is_key_frame(word: str) -> bool:
    """Whether a word is a key frame by its form where it might be a network.

    Any folder is a network, and so is a .pt file, unless it holds latents or a row is asked for.
    """
    if os.path.isdir(word):
        return False
    kind = kind_of_words([word])
    if kind == "latents":
        return not word.lower().endswith((".pt", ".pth")) or holds_latents(word)
    return kind == "seeds" or word.lower().endswith(SUFFIXES)


def _name(number: int) -> str:
    return ascii_uppercase[number] if number < 26 else f"key frame {number + 1}"


def _latents(network: Network, source: Source, options: SourceOptions) -> LatentBatch | None:
    """All latents of a source; None if it is pictures."""
    if not isinstance(source, LatentBatch | Mapping):
        plain = np.asarray(source) if isinstance(source, jax.Array) else source
        kind = kind_of(plain)
        if kind == "pictures":
            return None
        if kind == "seeds":  # whose latents take long to draw
            seeds = seeds_of(plain)
            _check_most(len(parse_seeds(seeds) if isinstance(seeds, str) else seeds))
    [latents] = read_source(network, source, [None], options)
    return latents_of(latents)  # nothing is left to invert


def _check_most(count: int) -> None:
    if count > _MOST:
        raise UserError(f"a film goes through {_MOST} key frames at most; {count} were given")


def _blend(first: Network, second: Network | None, weight: float) -> Network:
    """The network that draws a key frame."""
    if second is None or weight == 0:
        return first
    return second if weight == 1 else interpolate(first, second, weight)


def _picture(
    network: Network, name: str, source: Source, space: str | None, options: SourceOptions
) -> Pending:
    """One picture to invert; several are refused, since each has a network of its own."""
    [pending] = read_source(network, source, [space], options)
    if len(pending.names) != 1:
        called = " ".join(file_names(source)) or "given in memory"
        raise UserError(
            f"{name} is {called}, which has {len(pending.names)} pictures; give each as a key "
            "frame of its own"
        )
    return pending
