"""Latents that are known because images were drawn of them, and what methods make of the images."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

import aligned_jax as aj
from aligned_jax import inversion, viz
from aligned_jax.inversion import Settings, encode, setup, to_styles
from aligned_jax.latents import broadcast_w, concatenate_styles, z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.utils.text import printable


@dataclass(frozen=True)
class Truth:
    """Known latents of a network, and their images."""

    network: Network
    z: np.ndarray
    psi: float
    images: np.ndarray  # uint8 [N, R, R, C]

    @classmethod
    def of(cls, network: Network, seeds: Sequence[int], psi: float) -> "Truth":
        """Draws the images."""
        z = np.asarray(z_from_seeds(network.config, seeds))
        return cls(network, z, psi, viz.to_uint8(np.asarray(network(z, psi=psi))))

    def latent(self, space: str) -> np.ndarray:
        """The true latents [N, ...] of a space."""
        if space == "z":
            return self.z
        if space == "z+":
            return np.asarray(broadcast_w(self.z, self.network.config.num_ws))
        ws = np.asarray(self.network.mapping(self.z, psi=self.psi))
        return ws[:, 0] if space == "w" else in_rows(self.network, space, ws)

    def cosines(self, space: str, latent: np.ndarray) -> np.ndarray:
        """Of latents with the true ones around the middle of the space, [N]."""
        middle = np.zeros(())
        if not space.startswith("z"):
            w_avg = np.asarray(self.network.w_avg)[None]
            middle = w_avg[0] if space != "s" else in_rows(self.network, "s", w_avg)[0]
        a, b = latent - middle, self.latent(space) - middle
        lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
        return ((a * b).sum(axis=-1) / lengths).reshape(len(a), -1).mean(axis=1)


def in_rows(network: Network, space: str, ws: np.ndarray) -> np.ndarray:
    """W or W+ as latents of w+ or s."""
    if space == "s":
        return np.asarray(concatenate_styles(network.config, network.styles(ws)))
    return np.asarray(broadcast_w(ws, network.config.num_ws))


@dataclass(frozen=True)
class Search:
    """How images are inverted by optimisation.

    Attributes:
      loss: what is made small, an `inversion.Perceptual`.
      steps: None for as many as are usual in the space.
      noise: "drop" or "const", as in `aligned invert`.
      batch: images at a time; None for as many as `aligned invert` takes.
      seed: of all random numbers.
    """

    loss: Any
    steps: int | None
    noise: str
    batch: int | None
    seed: int

    def settings(self, space: str, psi: float) -> Settings:
        """Of an inversion; only z and z+ are truncated."""
        psi = psi if space.startswith("z") else 1.0
        return Settings(space=space, steps=self.steps, noise=self.noise, psi=psi)

    def batch_for(self, network: Network, settings: Settings) -> int:
        """Images at a time."""
        return self.batch or setup.batch_for(network.config, settings)


@dataclass(frozen=True)
class Recovered:
    """Latents of all targets by one method, and the seconds that one image took."""

    method: str
    space: str
    latent: np.ndarray
    psi: float
    seconds: float

    def images(self, network: Network) -> np.ndarray:
        """Draws the latents: uint8 [N, R, R, C]."""
        styles = to_styles(network, self.space, self.latent, self.psi)
        return viz.to_uint8(np.asarray(network.render(styles)))


def optimised(
    search: Search,
    truth: Truth,
    space: str,
    start: np.ndarray | None = None,
    psi: float | None = None,
    method: str = "optimised",
) -> Recovered:
    """Latents by optimisation, from `start` on if it is given."""
    settings = search.settings(space, truth.psi if psi is None else psi)
    clock = Clock(settings.steps, printable(f"{method} {space}"))
    every, batch = max(1, settings.steps // 10), search.batch_for(truth.network, settings)
    inverted = inversion.invert(
        truth.network,
        truth.images,
        search.loss,
        settings,
        jax.random.key(search.seed),
        start,
        batch=batch,
        watch=clock,
        every=every,
    )
    return Recovered(method, space, inverted.latent, settings.psi, clock.seconds(batch))


def encoded(search: Search, truth: Truth, name: str, path: str) -> list[Recovered]:
    """Latents by an encoder, and by optimisation from there."""
    encoder = aj.load_encoder(path, truth.network)
    images = truth.images.astype(np.float32) / 127.5 - 1
    encode(encoder, truth.network, images)  # compiles
    start = time.perf_counter()
    latent = encode(encoder, truth.network, images)
    seconds = (time.perf_counter() - start) / len(images)
    # An encoder of z is trained without truncation.
    alone = Recovered(name, encoder.space, latent, 1.0, seconds)
    further = optimised(
        search, truth, encoder.space, latent, psi=1.0, method=f"optimised from {name}"
    )
    return [alone, further]


class Clock:
    """Hears the progress of an inversion, tells it, and times the steps."""

    def __init__(self, steps: int, name: str) -> None:
        self.steps, self.name = steps, name
        self.each: list[float] = []  # seconds of a step, of every stretch but the first
        self._last: tuple[int, int, float] | None = None

    def __call__(self, progress: inversion.InversionProgress) -> None:
        """Hears of a stretch; the first one of all was compiled in it."""
        now = time.perf_counter()
        if self._last and self._last[0] == progress.first:
            self.each.append((now - self._last[2]) / (progress.step - self._last[1]))
        self._last = progress.first, progress.step, now
        if progress.step == self.steps:
            done = progress.first + len(progress.distances)
            print(f"{self.name}: {done} images", flush=True)

    def seconds(self, images: int) -> float:
        """Of all steps, for each of so many images; nan if there was one stretch alone."""
        return float(np.median(self.each)) * self.steps / images if self.each else float("nan")
