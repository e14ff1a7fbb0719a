"""Centres of truncation: the mean of w, or whatever latents somebody likes better."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.directions.sets import in_folders
from aligned_jax.jobs.pending import PendingInversion
from aligned_jax.jobs.sources import SourceOptions, read_source
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch, check_mean
from aligned_jax.rendering.latent_words import kind_of
from aligned_jax.translation import Truncation

# A seed or seeds, a file of latents, a folder of such files, or latents.
CentreSource = int | str | os.PathLike[str] | Sequence[int] | LatentBatch
_SUFFIXES = (".npz", ".npy", ".pt", ".pth")


def centre_of(
    network: Network, source: CentreSource | None, label: int | None = None
) -> np.ndarray:
    """That towards which w of a network is truncated.

    Args:
      network: whose w it is.
      source: None for the network's own mean of w; or latents, of which the mean is taken if they
        are several: seeds, which are not truncated, a file of latents, or a folder of such files,
        as `aligned invert` writes them.
      label: class of a conditional network, of seeds.

    Returns:
      float32 [w_dim], or [L, w_dim].

    Raises:
      UserError: for what cannot be read, does not fit, or is pictures.
    """
    if source is None:
        check_mean(network.config)
        return np.asarray(network.w_avg)
    given = _files(source)
    if not isinstance(given, LatentBatch) and kind_of(given) == "pictures":
        raise UserError(
            f"{source}: a centre is latents; `aligned invert` finds those of pictures, and its "
            "folder stands for their mean"
        )
    [latents] = read_source(network, given, [None], SourceOptions(label, Truncation(usual=1.0)))
    if isinstance(latents, PendingInversion):  # which the kind has ruled out
        raise UserError(f"{source}: a centre is latents")
    ws = latents.in_space(network, "w+").arrays["ws"]
    return np.asarray(ws.mean(axis=0, dtype=np.float64), np.float32)


def _files(source: CentreSource) -> Any:
    """The source, in which a folder stands for the files of latents in it."""
    if not isinstance(source, str | os.PathLike) or not os.path.isdir(source):
        return source
    given = in_folders(source)
    if given != source:
        return given
    files = sorted(
        os.fspath(file) for file in Path(source).iterdir() if file.suffix.lower() in _SUFFIXES
    )
    if not files:
        raise UserError(
            f"{source} holds no latents ({', '.join(_SUFFIXES)}); `aligned invert` writes them"
        )
    return files
