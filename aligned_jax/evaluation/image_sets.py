"""Where images come from: a network, a dataset, a folder. All are uint8 and have numbers."""

import functools
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from aligned_jax.errors import UserError
from aligned_jax.evaluation.devices import by_rows, mesh_of
from aligned_jax.latents import noise_fields, z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.types import Array
from aligned_jax.utils.text import listed

_THREADS = 4


class ImageSet(Protocol):
    """Images by number, from 0 on; the same number always gives the same image."""

    @property
    def channels(self) -> int:
        """How many channels every image has."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of every image, in pixels."""

    def __len__(self) -> int:
        """How many there are."""

    def take(self, numbers: np.ndarray) -> Any:
        """uint8 [n, H, W, C], of a NumPy array or on the devices."""

    def facts(self) -> dict[str, Any]:
        """Everything that decides the images, JSON-able."""


class StoredImages:
    """The first images of an open dataset or folder.

    Args:
      dataset: answers to len and to a number with (uint8 [H, W, C], label), and has
        `channels`, `resolution` and `fingerprint`.
      name: as the user calls it.
      most: images to take at most; None takes all.
    """

    def __init__(self, dataset: Any, name: str, most: int | None = None) -> None:
        self.dataset, self.name = dataset, name
        self.channels: int = dataset.channels
        self.size: tuple[int, int] = dataset[0][0].shape[:2]
        self._count = len(dataset) if most is None else min(most, len(dataset))

    def __len__(self) -> int:
        return self._count

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """Images uint8 [n, H, W, C] of these numbers, decoded by several threads."""
        with ThreadPoolExecutor(_THREADS) as pool:
            images = list(pool.map(lambda number: self.dataset[int(number)][0], numbers))
        return np.stack(images)

    def facts(self) -> dict[str, Any]:
        """Name and fingerprint of the source, and how many of its images are taken; JSON-able."""
        return {
            "source": self.name,
            "kind": "images",
            "fingerprint": self.dataset.fingerprint,
            "images": len(self),
            "of": len(self.dataset),
            "size": list(self.size),
            "mirror": bool(self.dataset.options.mirror),
            "split": self.dataset.options.split,
            "recipe": getattr(self.dataset, "recipe", None),
            **_ground(self.channels),
        }


@dataclass(frozen=True, eq=False)
class GeneratedImages:
    """Images of a network for consecutive seeds, made when they are asked for.

    Attributes:
      network, name: the generator, and what the user calls it.
      count: images.
      seed: of image 0; a seed means the same latent as in the official scripts.
      psi: truncation; 1 is none.
      noise: "random" (fields of their own for every image, the official metrics'
        choice), "const" or "none".
      labels: float32 [count, c_dim] of a conditional network.
      half: half precision, as in `Network.render`.
      devices: of this machine; None takes all.
    """

    network: Network
    name: str
    count: int
    seed: int = 0
    psi: float = 1.0
    noise: str = "random"
    labels: np.ndarray | None = None
    half: str | None = None
    devices: Sequence[jax.Device] | None = None

    def __post_init__(self) -> None:
        config, labels = self.network.config, self.labels
        if config.c_dim and (labels is None or labels.shape != (self.count, config.c_dim)):
            raise UserError(
                f"{self.name} is conditional: it needs labels [{self.count}, {config.c_dim}], as "
                "the data have them"
            )
        if self.psi != 1 and config.mapping.w_avg_beta is None:
            raise UserError(f"{self.name} keeps no mean of w; its images cannot be truncated")

    @property
    def channels(self) -> int:
        """How many channels every image has."""
        return self.network.config.img_channels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of every image, in pixels."""
        return (self.network.config.img_resolution,) * 2

    def __len__(self) -> int:
        return self.count

    def take(self, numbers: np.ndarray, fields: np.ndarray | None = None) -> Array:
        """Images [n, R, R, C] on the devices, which divide n.

        Args:
          numbers: of the images.
          fields: seeds of their noise; by default their own.

        Raises:
          UserError: naming the seeds of images that are not finite.
        """
        z = z_from_seeds(self.network.config, self.seed + numbers)
        c = self.labels[numbers] if self.labels is not None else np.zeros((len(z), 0), np.float32)
        fields = self.seed + numbers if fields is None else fields
        fields = np.asarray(fields % 2**32, np.uint32)
        options = self.psi, self.noise, self.half
        images, finite = _drawn(self.network, z, c, fields, mesh_of(self.devices), *options)
        if not np.asarray(finite).all():
            damaged = [str(self.seed + n) for n in numbers[~np.asarray(finite)]]
            raise UserError(
                f"{self.name}: the images of seeds {listed(damaged)} are not finite; its "
                "weights are damaged, or half precision is not enough for them"
            )
        return images

    def facts(self) -> dict[str, Any]:
        """The hash of the weights, the latents, and how they are drawn; JSON-able."""
        return {
            "source": self.name,
            "kind": "network",
            "weights_sha256": weights_hash(self.network),
            "images": self.count,
            "seeds": f"{self.seed}-{self.seed + self.count - 1}",
            "psi": self.psi,
            "noise": self.noise,
            "half": self.half,
            "size": list(self.size),
            "quantisation": "uint8 by truncating 127.5 x + 128",
            **_ground(self.channels),
        }


def _ground(channels: int) -> dict[str, str]:
    """What lies below transparent images where feature networks see them."""
    return {"opacity": "over white; LPIPS over white and over black"} if channels == 4 else {}


def labels_like(dataset: Any, count: int, seed: int = 0) -> np.ndarray:
    """Labels of random images of a dataset, float32 [count, c_dim], for a conditional network."""
    places = np.random.RandomState(seed).randint(len(dataset), size=count)
    return np.stack([dataset.label(int(place)) for place in places])


def quantise(images: Array) -> Array:
    """uint8 of images in [-1, 1] by truncation, as the official metrics do (grids round)."""
    return jnp.clip(images * 127.5 + 128, 0, 255).astype(jnp.uint8)


def weights_hash(network: Network) -> str:
    """SHA-256 of sizes and all arrays of a network."""
    digest = hashlib.sha256(repr(network.config).encode())
    for path, leaf in jax.tree_util.tree_leaves_with_path(network.variables):
        digest.update(jax.tree_util.keystr(path).encode())
        digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.hexdigest()


@functools.partial(jax.jit, static_argnames=("mesh", "psi", "noise", "half"))
def _drawn(
    network: Network,
    z: Array,
    c: Array,
    numbers: Array,
    mesh: Mesh,
    psi: float,
    noise: str,
    half: str | None,
) -> tuple[Array, Array]:
    def body(network: Network, z: Array, c: Array, numbers: Array) -> tuple[Array, Array]:
        fields: str | dict[str, Array] = noise
        if noise == "random" and network.config.synthesis.use_noise:
            fields = noise_fields(network.config, jax.random.key(0), numbers)
        images = network(z, c if network.config.c_dim else None, psi, noise=fields, half=half)
        return quantise(images), jnp.isfinite(images).all(axis=(1, 2, 3))

    return by_rows(mesh, body, network, z, c, numbers)
