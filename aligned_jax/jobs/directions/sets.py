"""Directions between two sets of latents or pictures, which need no scores."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import semantics
from aligned_jax.errors import UserError
from aligned_jax.jobs.directions.found import FoundDirection, as_direction, document
from aligned_jax.jobs.directions.options import (
    PLAIN,
    SearchOptions,
    is_attribute,
    rows_of_files,
)
from aligned_jax.jobs.pending import latents_of
from aligned_jax.jobs.sources import PictureOptions, Source, SourceOptions, read_source
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics import directions
from aligned_jax.semantics.directions import Features
from aligned_jax.translation import Truncation, space_of
from aligned_jax.utils.reporting import QUIET, Reporter

_FOLDS = 5
_TABLE = "inversions.json"


def direction_between(
    network: NetworkSource,
    positive: Source,
    negative: Source,
    *,
    name: str = "direction",
    options: SearchOptions = PLAIN,
    without: Sequence[str | semantics.Direction] = (),
    psi: float | None = None,
    label: int | None = None,
    batch: int = 8,
    pictures: PictureOptions = PictureOptions(),  # noqa: B008  # it cannot change
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> FoundDirection:
    """Finds the direction that leads from one set to another.

    What it is worth is measured by cross-validation within the sets, which are no random
    population.

    Args:
      network: the parent.
      positive, negative: seeds, files of latents, folders of `aligned invert`, or pictures, which
        are inverted; the direction leads to `positive`.
      name: of what tells them apart.
      options: how; tails and threshold are matters of scores.
      without: files of directions, or directions, with which nothing shall be shared.
      psi: truncation of z; None is that of files, or 1.
      label: class of a conditional network.
      batch: images at a time.
      pictures: how pictures are inverted.
      network_key: "G_ema" or "G".
      report: hears of every step.

    Raises:
      UserError: for what cannot be read, does not fit, or is in a space that does not lead to that
        of the options.
    """
    if names := [str(one) for one in without if is_attribute(one)]:
        raise UserError(f"{', '.join(names)}: without scores, `without` takes files of directions")
    called, loaded = named_network(network, network_key)
    choice = SourceOptions(
        label,
        Truncation(psi, usual=1.0),
        {"s": "w+"}.get(options.space, options.space),
        batch,
        pictures.shared(),
    )
    sets = []
    for source in (positive, negative):
        [pending] = read_source(loaded, in_folders(source), [None], choice)
        sets.append(_in_space(loaded, latents_of(pending, report), options.space))
    wide = any(space_of(one.arrays) == "w+" for one in sets)
    features = Features.of(
        loaded.config,
        options.space,
        wide=wide,
        torgb=options.torgb,
        rows=options.layers if options.space == "s" else None,
    )
    x = np.concatenate([features.matrix(loaded, one.arrays) for one in sets])
    marks = np.arange(len(x)) < len(sets[0])
    others = rows_of_files(called, loaded, features, without, report)
    plain = directions.fit_boundary(x, marks, options.method)
    boundary = directions.condition(plain, list(others.values()), x, marks)
    bootstrap = None
    if options.bootstrap:
        cosines = directions.bootstrap_cosines(
            x, marks, options.method, plain.normal, options.bootstrap, options.seed
        )
        bootstrap = float(cosines.mean())
    merits = directions.measure(
        name,
        _cross_validated(x, marks, list(others.values()), options),
        {name: np.where(marks, 1.0, -1.0)},
        0.0,
        bootstrap=bootstrap,
        conditioned=float(boundary.normal @ plain.normal) if others else None,
    )
    told: dict[str, Any] = {
        "method": options.method,
        "attribute": name,
        "psi": psi,
        "examples": len(x),
        "without": list(others),
        "torgb": options.torgb,
        "seed": options.seed,
        "measured_on": f"the sets themselves, in {_FOLDS} parts",
        **document(merits, {}),
    }
    direction = as_direction(called, loaded, features, boundary, label, options.layers, told)
    found = FoundDirection(name, direction, merits)
    for sentence in found.warnings:
        report.warn(f"{name}: {sentence}")
    return found


def in_folders(source: Any) -> Any:
    """Names, in which a folder that `aligned invert` wrote stands for the files of latents in it.

    Raises:
      UserError: for such a folder without files.
    """
    if not isinstance(source, str | os.PathLike):
        if isinstance(source, list | tuple) and all(
            isinstance(s, str | os.PathLike) for s in source
        ):
            return [name for one in source for name in _files_of(one)]
        return source
    names = _files_of(source)
    return names[0] if names == [source] else names


def _files_of(source: str | os.PathLike[str]) -> list[Any]:
    folder = Path(source)
    if not (folder / _TABLE).is_file():
        return [source]
    files = sorted(os.fspath(file) for file in folder.glob("*.npz"))
    if not files:
        raise UserError(f"{folder} holds {_TABLE}, but no inversions NAME.npz")
    return files


def _in_space(network: Network, latents: LatentBatch, space: str) -> LatentBatch:
    if space == "s":
        return latents.styles(network)
    own = space_of(latents.arrays)
    if space == "w":
        return latents.in_space(network, "w+")
    if own != "z":
        raise UserError(f"these latents are in {own}, from which no way leads to z")
    return latents


def _cross_validated(
    x: np.ndarray, marks: np.ndarray, others: Sequence[np.ndarray], options: SearchOptions
) -> np.ndarray:
    """Distances of all latents, each from the plane of the parts that it is not in."""
    part = np.empty(len(x), int)
    random = np.random.default_rng(options.seed)
    for kind in (np.flatnonzero(marks), np.flatnonzero(~marks)):
        part[random.permutation(kind)] = np.arange(len(kind)) % _FOLDS
    distances = np.empty(len(x))
    for number in range(_FOLDS):
        inside, outside = part == number, part != number
        boundary = directions.fit_boundary(x[outside], marks[outside], options.method, fewest=1)
        boundary = directions.condition(boundary, others, x[outside], marks[outside])
        distances[inside] = boundary.scores(x[inside])
    return distances
