"""Scores of translations, each with what chance and the real images come to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import evaluation, viz
from aligned_jax.latents import z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.utils.blocks import blocks
from studies.likeness import MEASURES, correlation, dealt, measures, rmse, survival

_METRICS = ("fd_vgg", "kid_vgg")
_FRESH = 1_000_000  # first seed of images that no picture comes from


@dataclass(frozen=True)
class Held:
    """A test split in two parts, uint8 [N, R, R, C]: what is scored, and what it is held to."""

    first: np.ndarray
    rest: np.ndarray


class Images:
    """Images in memory as `evaluation` takes them."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images
        self.channels, self.size = images.shape[3], images.shape[1:3]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """uint8 [n, H, W, C]."""
        return self.images[numbers]

    def facts(self) -> dict[str, Any]:
        """Their content."""
        # Not under "sha256", which is the feature network's where features are cached.
        return {"kind": "images", "fingerprint": hashlib.sha256(self.images.tobytes()).hexdigest()}


@dataclass
class Scorer:
    """Feature networks, a cache of what they say of the real images, and a seed."""

    lpips: Any
    networks: Mapping[str, Any]
    cache: evaluation.Cache
    seed: int

    @classmethod
    def loaded(cls, folder: Path, seed: int) -> "Scorer":
        """With the networks that are needed."""
        names = evaluation.networks_of(_METRICS)
        networks = {name: evaluation.load(name) for name in names}
        return cls(evaluation.load("lpips_vgg"), networks, evaluation.Cache(folder), seed)

    def rows(
        self,
        way: str,
        sources: np.ndarray,
        images: Mapping[str, np.ndarray],
        held: Mapping[str, Held],
    ) -> list[dict[str, Any]]:
        """For each network that draws: a row of the table.

        Args:
          way: its name.
          sources: uint8 [N, R, R, C].
          images: the pictures by name of the network; "parent" are the inversions.
          held: real images of each domain.
        """
        inverted = images["parent"]
        take = (lambda n: sources[n]), (lambda n: inverted[n])
        near = float(evaluation.pair_distances(self.lpips, *take, len(sources)).mean())
        common = {"latents": way, "lpips": near, "rmse": float(rmse(sources, inverted).mean())}
        return [
            common
            | {"drawn by": name}
            | self.distances(drawn, held[name].rest)
            | {"survives": self.likeness(sources, drawn)}
            for name, drawn in images.items()
        ]

    def distances(self, images: np.ndarray, reals: np.ndarray) -> dict[str, float]:
        """fd_vgg and kid_vgg."""
        pair = Images(images), Images(reals)
        scores = evaluation.evaluate(*pair, _METRICS, self.networks, cache=self.cache)
        return {name: scores.values[name] for name in _METRICS}

    def likeness(self, sources: np.ndarray, results: np.ndarray) -> dict[str, Any]:
        """Survival and correlation by measure, and survival where pairs are permuted."""
        ours, theirs = measures(sources), measures(results)
        order = dealt(len(sources), self.seed)
        result: dict[str, Any] = {
            name: {
                "survival": survival(ours[name], theirs[name]),
                "correlation": correlation(ours[name], theirs[name]),
                "permuted": survival(ours[name], theirs[name][order]),
            }
            for name in MEASURES
        }
        for kind in ("survival", "permuted"):
            result[f"mean {kind}"] = float(np.mean([result[name][kind] for name in MEASURES]))
        return result

    def floors(
        self, networks: Mapping[str, Network], held: Mapping[str, Held], batch: int
    ) -> list[dict[str, Any]]:
        """Distances of images that come from no picture: a network's own, and real ones."""
        rows = []
        for name, network in networks.items():
            count = len(held[name].first)
            seeds = np.arange(self.seed, self.seed + count) + _FRESH
            z = np.asarray(z_from_seeds(network.config, seeds))
            images = [
                viz.to_uint8(np.asarray(network(z[rows])))[:kept]
                for rows, kept in blocks(count, batch)
            ]
            scores = self.distances(np.concatenate(images), held[name].rest)
            rows.append({"latents": "random z", "drawn by": name} | scores)
        for name in ("parent", "near", "distant"):
            scores = self.distances(held[name].first, held[name].rest)
            rows.append({"latents": "real images", "drawn by": name} | scores)
        return rows
