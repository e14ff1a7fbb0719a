"""What decides the result of a film, as fingerprints: by them a stopped work is known again."""

import hashlib
import inspect
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from aligned_jax.data.faces import Align, Detector, FaceTable
from aligned_jax.data.footage import Footage
from aligned_jax.data.placements import of_middle
from aligned_jax.jobs.footage.drawing import Painter
from aligned_jax.jobs.footage.options import FilmOptions
from aligned_jax.jobs.pending import PendingInversion
from aligned_jax.jobs.sources import PictureOptions
from aligned_jax.networks.network import Network
from aligned_jax.utils import checksums


def latents_key(
    footage: Footage,
    pending: PendingInversion,
    align: Align,
    pictures: PictureOptions,
    options: FilmOptions,
    block: int,
) -> str:
    """Of all that decides squares and latents.

    Args:
      footage: the film.
      pending: how squares are inverted.
      align: how they are found.
      pictures: of which `align` is left out, since it may be a name.
      options: of which the window counts.
      block: frames that are inverted together.
    """
    choice = pending.choice
    words = [footage.digest, checksums.checksum(pending.network.variables)]
    words += [checksums.checksum(choice.encoder.variables)] if choice else []
    words += [repr(replace(pictures, align="center")), repr(pending.settings)]
    words += [pending.label.tobytes().hex(), str(block), str(options.window), _align_key(align)]
    return _digest(words)


def frames_key(
    painter: Painter, pending: PendingInversion, networks: Iterable[Network], words: Sequence[str]
) -> str:
    """Of all that decides drawn frames, once squares and latents are known.

    A made-up latent is drawn, too: it shows edits, masks, their readers and what is kept of
    colours, however they were given, and what does not fit before the film is looked at.

    Args:
      painter: draws the frames.
      pending: how squares are inverted.
      networks: that draw.
      words: what else decides.
    """
    white = white_picture(pending.network)
    probe = replace(pending.template(), pictures=white, placements=(of_middle((1, 1)),))
    parts = [*words, *(checksums.checksum(network.variables) for network in networks)]
    for name, faces in painter(probe).items():
        parts += [name, checksums.checksum([(face.image, face.kept) for face in faces])]
    return _digest(parts)


def white_picture(network: Network) -> np.ndarray:
    """A white picture of a network's size, uint8 [1, R, R, C]."""
    config = network.config
    shape = (1, config.img_resolution, config.img_resolution, config.img_channels)
    return np.full(shape, 255, np.uint8)


def _align_key(align: Align) -> str:
    if isinstance(align, FaceTable):
        faces = {name: [face.tolist() for face in entry] for name, entry in align.faces.items()}
        return repr(sorted(faces.items()))
    if isinstance(align, Detector):
        try:
            source = inspect.getsourcefile(align.find)
        except TypeError:  # it is called, but is no function
            source = None
        return f"{align.where} {checksums.of_file(source) if source else ''}"
    return align


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode("utf-8", "surrogatepass")).hexdigest()
