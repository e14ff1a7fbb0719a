"""What speaks for style channels: parts of pictures in which they act, examples of attributes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import semantics, translation
from aligned_jax.data.opening import read_file
from aligned_jax.data.pictures import opaque
from aligned_jax.errors import UserError
from aligned_jax.features.attributes import Segment
from aligned_jax.jobs.channel_family import ChannelFamily
from aligned_jax.jobs.judges import told_parts
from aligned_jax.latents import style_layers
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.rendering.latent_words import kind_of, latents_of_files, seeds_of
from aligned_jax.semantics.channel_rules import REST
from aligned_jax.semantics.editing import Channel
from aligned_jax.semantics.responses import Judge
from aligned_jax.semantics.style_gradients import SIZE
from aligned_jax.utils.paths import names_of
from aligned_jax.utils.reporting import Reporter
from aligned_jax.utils.text import listed

# The share of the judged pictures that are examples; fewer examples than this are warned of.
_SHARE, _ENOUGH = 0.02, 10


@dataclass(frozen=True, eq=False)
class Evidence:
    """Channels in the order in which something speaks for them.

    Attributes:
      title: what speaks for them.
      channels: layer and number, the best first.
      figures: numbers of each of them, by name.
      facts: how they were found, JSON-able.
    """

    title: str
    channels: list[Channel]
    figures: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]


def part_evidence(
    family: ChannelFamily,
    segment: Segment | None,
    masks: str | os.PathLike[str] | None,
    part: str | None,
    torgb: bool,
    batch: int,
    report: Reporter,
) -> Evidence:
    """Channels by how often they act in a part of the first network's pictures.

    Raises:
      UserError: if the part is not known, a mask is missing or damaged, or nothing has the part.
    """
    network, latents = family.parent, family.latents
    if segment is not None:
        images = np.clip(render(network, latents, RenderOptions(batch=batch)), -1, 1)
        names, covered = told_parts(segment, images)
    else:
        names, covered = _read_masks(str(masks), latents.names, network.config.img_resolution)
    place = names.index(_one_of(names, part, "part"))
    size = min(SIZE, network.config.img_resolution)
    cell = network.config.img_resolution // size
    pooled = covered.reshape(len(covered), size, cell, size, cell, -1).mean(axis=(2, 4))
    with report.progress(len(latents), "gradients of pictures") as advance:
        gradients = semantics.style_gradients(
            network, family.styles(network), size=size, batch=batch, advance=advance
        )
    layers = style_layers(network.config)
    every = [(layer.name, k) for layer in layers for k in range(layer.channels)]
    kinds = np.repeat([layer.kind for layer in layers], [layer.channels for layer in layers])
    kept = np.flatnonzero((kinds == "conv") | torgb)
    votes = semantics.part_votes(gradients[:, kept], pooled)
    ranking = votes.ranking(place)
    ranking = ranking[votes.frequency[ranking].max(axis=1) > 0]  # others are dead
    if not votes.pictures[place]:
        raise UserError(f"none of the pictures has the part {names[place]}; give other seeds")
    return Evidence(
        f"part: {names[place]}",
        [every[kept[row]] for row in ranking],
        {
            "frequency": votes.frequency[ranking, place],
            "lead": votes.ahead(place)[ranking],
            "inside": votes.inside[ranking, place],
            "accepted": votes.accepted(place)[ranking],
        },
        {
            "part": names[place],
            "parts": [*names, REST],
            "pictures": {n: int(k) for n, k in zip([*names, REST], votes.pictures, strict=True)},
            "around": "each latent's own value",
        },
    )


def attribute_evidence(
    family: ChannelFamily,
    judge: Judge | None,
    attribute: str | None,
    examples: str | Sequence[int] | Sequence[str] | None,
    samples: int,
    torgb: bool,
    label: int | None,
    strength: float,
    top: int,
    batch: int,
    report: Reporter,
) -> Evidence:
    """Channels by how consistently examples of an attribute have them on one side of the mean.

    Raises:
      UserError: if the attribute is not known or does not vary, or there are too few examples.
    """
    facts: dict[str, Any] = {}
    if examples is not None:
        latents = _latents_of(family, examples, label)
        facts["examples"] = list(latents.names)
    elif judge is None:
        raise UserError("channels of an attribute need a judge, or examples of it; give either")
    else:
        latents, attribute = _highest(family, judge, attribute, samples, label, batch, report)
        facts |= {"samples": samples, "examples": list(latents.names)}
    if len(latents) < _ENOUGH:
        report.warn(f"{len(latents)} examples are few; better give {_ENOUGH} to 30")
    arrays = translation.styles_of(family.parent, latents.arrays, latents.psi)
    styles = {name: np.asarray(value) for name, value in arrays.items()}
    unit = family.statistics
    shift, relevance = semantics.attribute_relevance(styles, unit.mean, unit.std)
    layers = style_layers(family.parent.config)
    every = [(layer.name, k) for layer in layers for k in range(layer.channels)]
    kinds = np.repeat([layer.kind for layer in layers], [layer.channels for layer in layers])
    kept = np.flatnonzero(((kinds == "conv") | torgb) & (relevance > 0))
    ranking = kept[np.argsort(-relevance[kept], kind="stable")]
    channels = [every[row] for row in ranking]
    figures = {"relevance": relevance[ranking], "shift": shift[ranking]}
    if judge is not None:
        figures |= _judged(family, judge, attribute, channels[:top], strength, batch, report)
    title = f"attribute: {attribute}" if attribute else f"{len(latents)} examples"
    return Evidence(title, channels, figures, {"attribute": attribute, **facts})


def _judged(
    family: ChannelFamily,
    judge: Judge,
    attribute: str | None,
    channels: Sequence[Channel],
    strength: float,
    batch: int,
    report: Reporter,
) -> dict[str, np.ndarray]:
    """The slope of the attribute for each channel, and the mean of the others beside it."""
    network = family.parent
    images = render(network, family.latents, RenderOptions(batch=batch))
    population = semantics.judged(judge, images)
    attribute = _one_of(list(population), attribute, "attribute")
    with report.progress(len(channels), "judged channels") as advance:
        answers = semantics.responses(
            network,
            family.styles(network),
            channels,
            family.statistics.std,
            judge,
            strength=strength,
            batch=batch,
            advance=advance,
        )
    # In standard deviations of each attribute, where it has one.
    spread = {name: float(value.std()) or 1.0 for name, value in population.items()}
    slopes = {name: value.mean(axis=1) / spread[name] for name, value in answers.items()}
    others = [np.abs(value) for name, value in slopes.items() if name != attribute]
    found = {"slope": slopes[attribute]}
    if others:
        own = np.maximum(np.abs(slopes[attribute]), 1e-9)
        found["others"] = np.mean(others, axis=0) / own
    return found


def _highest(
    family: ChannelFamily,
    judge: Judge,
    attribute: str | None,
    samples: int,
    label: int | None,
    batch: int,
    report: Reporter,
) -> tuple[LatentBatch, str]:
    """The latents of the pictures with the highest scores, and the attribute's name."""
    latents = latents_of_seeds(family.parent.config, range(samples), label, family.latents.psi)
    with report.progress(samples, "images to judge") as advance:
        images = render(family.parent, latents, RenderOptions(batch=batch), advance)
    scores = semantics.judged(judge, images)
    chosen = _one_of(list(scores), attribute, "attribute")
    values = scores[chosen]
    count = max(_ENOUGH, round(_SHARE * samples))
    if count >= samples:
        raise UserError(f"{samples} samples are too few; give more than {_ENOUGH}")
    if np.ptp(values) == 0:
        raise UserError(f"{chosen} is {values[0]:g} in all of {samples} pictures: nothing to find")
    return latents.take(np.argsort(-values, kind="stable")[:count]), chosen


def _latents_of(
    family: ChannelFamily,
    examples: str | Sequence[int] | Sequence[str],
    label: int | None,
) -> LatentBatch:
    config, psi = family.parent.config, family.latents.psi
    kind = kind_of(examples)
    if kind == "seeds":
        return latents_of_seeds(config, seeds_of(examples), label, psi)
    if kind == "pictures":
        raise UserError(
            f"{listed(names_of(examples))}: examples are seeds or files of latents; find those of "
            "pictures by `aligned invert`, and give its .npz files"
        )
    return latents_of_files(config, names_of(examples), label)


def _one_of(names: Sequence[str], wanted: str | None, what: str) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        raise UserError(f"which {what}? choose one of {', '.join(names)}")
    if wanted not in names:
        raise UserError(f"there is no {what} {wanted!r:.60}; there are {', '.join(names)}")
    return wanted


def _read_masks(folder: str, rows: Sequence[str], resolution: int) -> tuple[list[str], np.ndarray]:
    """Names of parts and [N, R, R, K] in [0, 1] of PART/SEED.png, black where none is."""
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"{folder} is no folder; masks are pictures PART/SEED.png in a folder")
    parts = sorted(path.name for path in root.iterdir() if path.is_dir())
    if not parts:
        raise UserError(f"{folder} has no folders; masks are pictures PART/SEED.png in it")
    files = [f"{row.removeprefix('seed ')}.png" for row in rows]
    missing = [f"{part}/{file}" for part in parts for file in files
               if not (root / part / file).is_file()]  # fmt: skip
    if missing:
        raise UserError(f"{folder} lacks {listed(missing)}; every seed and part needs a mask")
    masks = [[_read_mask(root / part / file, resolution) for part in parts] for file in files]
    return parts, np.stack([np.stack(one, axis=-1) for one in masks])


def _read_mask(path: Path, resolution: int) -> np.ndarray:
    try:
        values = np.asarray(opaque(read_file(path), 1), np.float32) / 255
    except Exception as error:  # whatever Pillow says of a damaged file
        raise UserError(f"{path} cannot be read as a picture: {error}") from None
    if values.shape != (resolution, resolution):
        size = f"{values.shape[1]} x {values.shape[0]}"
        raise UserError(f"{path} has {size} pixels; the pictures have {resolution} x {resolution}")
    return values
