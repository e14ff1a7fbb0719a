"""Scores of pictures, with what each was computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.evaluation.cache import Cache
from aligned_jax.evaluation.catalogue import METRICS, MOMENTS, OFFICIAL, ROWS, Options, wanted_of
from aligned_jax.evaluation.collect import Gathered, collect, present
from aligned_jax.evaluation.compute import COMPUTED, ScoreInputs
from aligned_jax.evaluation.devices import Devices
from aligned_jax.evaluation.image_sets import GeneratedImages, ImageSet
from aligned_jax.utils.reporting import Advance, no_advance


@dataclass
class Scores:
    """Numbers, where each comes from, and what to bear in mind."""

    values: dict[str, float]
    details: dict[str, dict[str, Any]]
    warnings: list[str]


def evaluate(
    pictures: ImageSet,
    reals: ImageSet | None,
    names: Sequence[str],
    networks: Mapping[str, Any],
    options: Options = OFFICIAL,
    batch: int = 16,
    devices: Devices | None = None,
    cache: Cache | None = None,
    advance: Advance = no_advance,
) -> Scores:
    """Scores of pictures, each image made and looked at once for all that need it.

    Args:
      pictures: what is scored.
      reals: what it is compared with; None if no metric compares.
      names: of `METRICS`.
      networks: what `networks_of(names)` names, loaded.
      options: of the metrics.
      batch: images at a time, over all devices.
      devices: of this machine; None takes all.
      cache: of the reals' features.
      advance: hears how much of `work(...)` is done.

    Raises:
      UserError: a metric that does not apply, or images that cannot be scored.
    """
    check(pictures, reals, names, options)
    wanted = wanted_of(names)
    run: dict[str, Any] = {"batch": batch, "devices": devices, "advance": advance}
    gathered = collect(pictures, networks, wanted, **run)
    known = {}
    if reals is not None:
        compared = wanted_of([name for name in names if METRICS[name].paired])
        known = _reals(reals, networks, compared, cache, run)
    scores = Scores({}, {}, _warnings(pictures, reals))
    for name in names:
        network = METRICS[name].network
        ours, theirs = gathered.get(network), known.get(network)
        inputs = ScoreInputs(pictures, networks[network], options, run)
        values, details = COMPUTED[name](name, inputs, ours, theirs)
        scores.values |= values
        scores.details[name] = _details(name, networks[network], pictures, reals, details)
        scores.warnings += _few(name, ours, theirs)
    return scores


def rows_of(
    images: ImageSet,
    network: Any,
    batch: int = 16,
    cache: Cache | None = None,
    advance: Advance = no_advance,
) -> np.ndarray:
    """Features of images, float32 [N, D], from the cache where they are there.

    Args:
      images: what to look at.
      network: a `features.Extractor`.
      batch: images at a time, over all devices.
      cache: of features of stored images.
      advance: hears how many images each batch has.

    Raises:
      UserError: for images that the network cannot see.
    """
    run: dict[str, Any] = {"batch": batch, "devices": None, "advance": advance}
    known = _reals(images, {network.name: network}, {network.name: {ROWS}}, cache, run)
    return present(known[network.name].rows)


def work(pictures: ImageSet, reals: ImageSet | None, names: Sequence[str], options: Options) -> int:
    """How much `evaluate` has to do at most, in images, steps and pairs."""
    each = {METRICS[name].need for name in names}
    total = len(pictures) if each - {None} else 0
    if reals is not None and any(METRICS[name].paired for name in names):
        total += len(reals)
    extra = {"ppl": len(pictures), "diversity": options.pairs}
    extra["diversity_z"] = min(options.pairs, len(pictures))
    return total + sum(extra.get(name, 0) for name in names)


def check(
    pictures: ImageSet,
    reals: ImageSet | None,
    names: Sequence[str],
    options: Options = OFFICIAL,
) -> None:
    """Raises UserError naming the metrics that cannot be had of these images, before any work."""
    latent = [name for name in names if METRICS[name].latent]
    if latent and not isinstance(pictures, GeneratedImages):
        raise UserError(f"{', '.join(latent)} can only be had of a network, not of images")
    paired = [name for name in names if METRICS[name].paired]
    if paired and reals is None:
        raise UserError(f"{', '.join(paired)} compares with real images; give them with `data`")
    if wrong := _too_few(pictures, reals, names, options) + _without_noise(pictures, names):
        raise UserError("; ".join(wrong))


def _too_few(
    pictures: ImageSet, reals: ImageSet | None, names: Sequence[str], options: Options
) -> list[str]:
    """What metrics need more images for."""
    both = min(len(pictures), len(reals)) if reals is not None else len(pictures)
    needed = {
        **dict.fromkeys(("kid", "kid_vgg"), (both, 2, "both sets")),
        **dict.fromkeys(("pr", "pr_vgg"), (both, options.neighbours + 1, "both sets")),
        "is": (len(pictures), options.splits, f"{options.splits} splits"),
        "diversity": (len(pictures), 2, "a pair"),
    }
    return [
        f"{name} needs {least} images or more for {what}, and there are {count}"
        for name, (count, least, what) in needed.items()
        if name in names and count < least
    ]


def _without_noise(pictures: ImageSet, names: Sequence[str]) -> list[str]:
    """What needs two images of one latent that differ in their noise."""
    if "diversity_z" not in names or not isinstance(pictures, GeneratedImages):
        return []
    if not pictures.network.config.synthesis.use_noise:
        return [f"diversity_z compares noises, and {pictures.name} has none"]
    if pictures.noise != "random":
        return ["diversity_z draws noise twice for every z; it needs random noise"]
    return []


def _reals(
    reals: ImageSet,
    networks: Mapping[str, Any],
    wanted: Mapping[str, set[str]],
    cache: Cache | None,
    run: dict[str, Any],
) -> dict[str, Gathered]:
    """What is wanted of the real images, from the cache where it is there."""
    known = {name: Gathered() for name in wanted}
    missing: dict[str, set[str]] = {}
    for name, needs in wanted.items():
        for need in needs:
            stored = cache and cache.load(_key(reals, networks[name]), need)
            if stored:
                setattr(known[name], need, getattr(stored, need))
            else:
                missing.setdefault(name, set()).add(need)
    for name, gathered in collect(reals, networks, missing, **run).items():
        for need in missing[name]:
            setattr(known[name], need, getattr(gathered, need))
            if cache:
                cache.save(_key(reals, networks[name]), need, gathered)
    return known


def _key(reals: ImageSet, network: Any) -> dict[str, Any]:
    """What decides features: content, not names or places."""
    content = {k: v for k, v in reals.facts().items() if k not in ("source", "of", "recipe")}
    return {"images": content, "network": _network_facts(network)}


def _network_facts(network: Any) -> dict[str, Any]:
    options = dict(getattr(network, "options", ()))
    return {"network": network.name, "sha256": network.sha256, **options}


def _details(
    name: str, network: Any, pictures: ImageSet, reals: ImageSet | None, more: dict[str, Any]
) -> dict[str, Any]:
    """Where a score comes from."""
    metric = METRICS[name]
    counts = {"images": len(pictures)}
    if metric.paired and reals is not None:
        counts["reals"] = len(reals)
    return {"says": metric.says, "features": _network_facts(network), **counts, **more}


def _warnings(pictures: ImageSet, reals: ImageSet | None) -> list[str]:
    """What a score means when the two sets are not alike."""
    if reals is None or pictures.size == reals.size:
        return []
    ours, theirs = ("x".join(map(str, p.size[::-1])) for p in (pictures, reals))
    return [
        f"the images have {ours} pixels, those they are compared with {theirs}: the difference of "
        "sharpness is part of the scores"
    ]


def _few(name: str, ours: Gathered | None, theirs: Gathered | None) -> list[str]:
    """A Fréchet distance of fewer images than features is biased."""
    if METRICS[name].need != MOMENTS:
        return []
    here, there = present(present(ours).moments), present(present(theirs).moments)
    width = len(here.mean)
    sets = {"images": here.count, "reals": there.count}
    small = [f"{count} {what}" for what, count in sets.items() if count <= width]
    if not small:
        return []
    return [
        f"{name}: {' and '.join(small)} are no more than the {width} features, so that their "
        "covariance has no full rank and the distance comes out too large; compare it only with "
        "scores of equally many images, or use a kernel distance (kid, kid_vgg)"
    ]
