"""Scores of networks and of images, and distances of pairs of images."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from aligned_jax import evaluation
from aligned_jax.data import sources
from aligned_jax.errors import UserError
from aligned_jax.evaluation.catalogue import OFFICIAL
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command, record
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import arguments

_SCRIPT = Command()
_Scored = evaluation.StoredImages | evaluation.GeneratedImages
# Whose metrics an option is about.
_ABOUT = {
    "ddof": ("fid", "fd_vgg"),
    "subsets": ("kid", "kid_vgg"),
    "subset_size": ("kid", "kid_vgg"),
    "neighbours": ("pr", "pr_vgg"),
    "splits": ("is",),
    "path": ("ppl",),
    "pairs": ("diversity", "diversity_z"),
}
# Options of networks with their defaults.
_OF_NETWORKS = {"seed": 0, "psi": 1.0, "noise": "random", "half": None, "network_key": "G_ema"}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores with all that they were computed from.

    Attributes:
      scores: numbers, where each comes from, and warnings.
      images: what was scored, JSON-able.
      reals: what it was compared with; None if nothing was.
    """

    scores: evaluation.Scores
    images: Mapping[str, Any]
    reals: Mapping[str, Any] | None

    def document(self, command: Command = _SCRIPT) -> dict[str, Any]:
        """Everything, JSON-able, with the command that asked for it."""
        return {
            "scores": self.scores.values,
            "metrics": self.scores.details,
            "images": self.images,
            "reals": self.reals,
            "warnings": self.scores.warnings,
            **record(command),
        }

    def table(self) -> str:
        """The same for people: a line for every number."""
        images, reals, values = self.images, self.reals, self.scores.values
        made = f", psi {images['psi']:g}, seeds {images['seeds']}" if "psi" in images else ""
        lines = [f"{images['source']}: {images['images']} images{made}"]
        if reals:
            lines.append(f"against {reals['source']}: {reals['images']} images")
        width = max(map(len, values))
        return "\n".join([*lines, *(f"  {k:<{width}}  {v:.6g}" for k, v in values.items())])


def evaluate(
    source: NetworkSource,
    data: str | os.PathLike[str] | None = None,
    metrics: str = "fid,kid",
    *,
    num: int = 50_000,
    max_reals: int | None = None,
    mirror: bool = False,
    split: str = "train",
    source_split: str | None = None,
    labels: str | None = None,
    seed: int = 0,
    psi: float = 1.0,
    noise: str = "random",
    half: str | None = None,
    network_key: str = "G_ema",
    half_pixel: bool = False,
    options: evaluation.Options = OFFICIAL,
    batch: int = 16,
    cache: bool = True,
    report: Reporter = QUIET,
) -> Evaluation:
    """Scores a network, a folder or zip of images, or a dataset.

    Args:
      source: what is scored: a network, by name or loaded, or images by their path.
      data: real images: a dataset, a folder or a zip; None if no metric compares.
      metrics: of `evaluation.METRICS`, joined by commas.
      num: images to score.
      max_reals: only so many real images; None takes all.
      mirror: real images also come mirrored.
      split: of the datasets.
      source_split: of what is scored, where it is another one.
      labels: feature of the data that conditions the network.
      seed: of the first image of a network; the next has the next one.
      psi: truncation; 1 is none.
      noise: "random" for every image, "const", the stored maps, or "none".
      half: "bfloat16" or "float16" at high resolutions.
      network_key: "G_ema" or "G" of a network that is named.
      half_pixel: Inception sees images as pytorch-fid's does.
      options: of the metrics.
      batch: images at a time.
      cache: keeps features of the real images on the disk.
      report: hears of options that change nothing, of what to bear in mind about the scores,
        and of every image.

    Raises:
      UserError: for metrics that do not exist, cannot be had of these images or lack their
        feature network, and for images or networks that cannot be read.
    """
    names = evaluation.parse_names(metrics)
    reals = None
    if data is not None:
        dataset = sources.open_images(os.fspath(data), mirror, split=split, labels=labels)
        _warn_passed(os.fspath(data), dataset, report)
        reals = evaluation.StoredImages(dataset, os.fspath(data), max_reals)
    sampled: dict[str, Any] = {"seed": seed, "psi": psi, "noise": noise, "half": half}
    images: _Scored
    if _is_network(source):
        name, network = named_network(source, network_key)
        drawn = _labels(name, network, labels, reals, num, options.seed)
        images = evaluation.GeneratedImages(network, name, num, labels=drawn, **sampled)
    else:
        path = os.fspath(cast("str", source))
        dataset = sources.open_images(path, split=source_split or split)
        _warn_passed(path, dataset, report)
        images = evaluation.StoredImages(dataset, path, num)
    evaluation.check(images, reals, names, options)
    given = {**sampled, "network_key": network_key, "source_split": source_split, "labels": labels}
    unused = _unused_metric_options(names, options) + _unused_image_options(images, given)
    if half_pixel and "inception" not in evaluation.networks_of(names):
        unused.append("half_pixel")
    if unused:
        report.warn(f"{arguments(unused)}: without effect on these metrics and images")
    networks = evaluation.load_all(names, lambda name: evaluation.load(name, half_pixel))
    kept = evaluation.Cache(evaluation.default_folder()) if cache else None
    with report.progress(evaluation.work(images, reals, names, options), "images") as advance:
        scores = evaluation.evaluate(
            images, reals, names, networks, options, batch=batch, cache=kept, advance=advance
        )
    for warning in scores.warnings:
        report.warn(warning)
    return Evaluation(scores, images.facts(), None if reals is None else reals.facts())


def _warn_passed(name: str, images: Any, report: Reporter) -> None:
    """Warns of files of a folder or zip that are no pictures, if there are any."""
    if passed := getattr(images, "passed", ""):
        report.warn(f"{name}: {passed}")


@dataclass(frozen=True, eq=False)
class PairDistances:
    """LPIPS of pairs of images.

    Attributes:
      names: of the pairs.
      distances: float32 [pairs].
      network: name and SHA-256 of the network that measured them.
    """

    names: tuple[str, ...]
    distances: np.ndarray
    network: Mapping[str, str]

    @property
    def mean(self) -> float:
        """The mean of the distances of all pairs."""
        return float(self.distances.mean())

    def document(self, command: Command = _SCRIPT) -> dict[str, Any]:
        """Everything, JSON-able, with the command that asked for it."""
        return {
            "mean": self.mean,
            "pairs": dict(zip(self.names, map(float, self.distances), strict=True)),
            "network": dict(self.network),
            **record(command),
        }

    def table(self) -> str:
        """The same for people: a line for every pair, and the mean."""
        values = dict(zip(self.names, map(float, self.distances), strict=True))
        width = max(len("mean"), *map(len, values))
        lines = [f"{name:<{width}}  {value:.6f}" for name, value in values.items()]
        return "\n".join([*lines, f"{'mean':<{width}}  {self.mean:.6f}"])


def perceptual(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    *,
    net: str = "vgg",
    batch: int = 16,
    report: Reporter = QUIET,
) -> PairDistances:
    """How far apart pairs of images look (LPIPS).

    Args:
      first, second: two picture files, or two folders or zips whose images are paired by name.
      net: "vgg" or "alex".
      batch: images at a time.
      report: hears of every pair.

    Raises:
      UserError: for images without a partner or of different sizes, a network that is
        missing, or distances that are not finite.
    """
    take_first, take_second, names = sources.open_pairs(os.fspath(first), os.fspath(second))
    lpips = evaluation.load(f"lpips_{net}")
    with report.progress(len(names), "pairs") as advance:
        distances = evaluation.pair_distances(
            lpips, take_first, take_second, len(names), batch, advance=advance
        )
    if not np.isfinite(distances).all():
        raise UserError(f"distances are not finite: the weights of {lpips.name} are damaged")
    network = {"network": lpips.name, "sha256": lpips.sha256}
    return PairDistances(tuple(names), distances, network)


def _is_network(source: NetworkSource) -> bool:
    """Whether a network is scored, not images."""
    return isinstance(source, Network) or sources.kind_of(os.fspath(source)) == "network"


def _labels(
    name: str,
    network: Network,
    feature: str | None,
    reals: evaluation.StoredImages | None,
    count: int,
    seed: int,
) -> np.ndarray | None:
    """Labels of a conditional network's images, as often as in the data; None of another."""
    if not network.config.c_dim:
        return None
    if feature is None or reals is None:
        raise UserError(
            f"{name} is conditional; give the data with `data` and their feature with "
            "`labels`, from which its labels are drawn"
        )
    return evaluation.labels_like(reals.dataset, count, seed)


def _unused_metric_options(names: Sequence[str], options: evaluation.Options) -> list[str]:
    """Options of metrics that are not asked for."""
    return [
        name
        for name, about in _ABOUT.items()
        if getattr(options, name) != getattr(OFFICIAL, name) and not set(about) & set(names)
    ]


def _unused_image_options(images: _Scored, given: Mapping[str, Any]) -> list[str]:
    """Options of what is scored that were given, and that such images do not have.

    Args:
      images: what is scored.
      given: those of networks, and `source_split` and `labels`.
    """
    if isinstance(images, evaluation.GeneratedImages):
        unused = ["source_split"] if given["source_split"] else []
        return unused + (["labels"] if given["labels"] and images.labels is None else [])
    unused = [name for name, value in _OF_NETWORKS.items() if given[name] != value]
    return unused + (["labels"] if given["labels"] else [])
