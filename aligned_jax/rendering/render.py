"""Images of latents, batch by batch; no image depends on its neighbours."""

import argparse
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import (
    noise_fields,
    one_hot_labels,
    parse_seeds,
    style_layers,
    truncate,
    z_from_seeds,
)
from aligned_jax.latents.files import read_latents
from aligned_jax.networks.network import Network
from aligned_jax.types import Array
from aligned_jax.utils.blocks import blocks


@dataclass(frozen=True)
class Inputs:
    """What to draw.

    `arrays` holds `z`, `ws` or all `styles/<layer>`, with as many rows as there are
    images, labels `c`, and perhaps `noise/<layer>`, which take the place of the stored
    maps; `names` says which image is which, and `numbers` (uint32) tells their random
    noise apart.
    """

    arrays: dict[str, np.ndarray]
    names: tuple[str, ...]
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Manner:
    """How to draw; the same for all images of a run."""

    psi: float = 1.0
    cutoff: int | None = None
    noise: str = "const"
    noise_seed: int = 0
    half: str | None = None
    batch: int = 8


def from_seeds(config: GeneratorConfig, seeds: str, label: int | None) -> Inputs:
    """Inputs of the official scripts for "0-15" or the like.

    Raises:
      UserError: for text that is no list of seeds, or a label that the network
        does not have, or needs.
    """
    numbers = parse_seeds(seeds)
    arrays = {"z": z_from_seeds(config, numbers)}
    names = tuple(f"seed {seed}" for seed in numbers)
    return Inputs(_labelled(config, arrays, label), names, np.asarray(numbers, np.uint32))


def from_file(config: GeneratorConfig, path: str, label: int | None, prefer: str = "ws") -> Inputs:
    """Inputs of a file of latents; raises UserError as `read_latents` and `from_seeds`."""
    arrays = read_latents(path, config, prefer).arrays
    if label is not None and "c" in arrays:
        raise UserError(f"{path} holds labels c already; leave out --label, or c")
    if label is not None and "z" not in arrays:
        raise UserError(f"{path} holds no z, so that a label changes nothing; leave out --label")
    if "z" in arrays:
        arrays = _labelled(config, arrays, label)
    count = len(next(iter(arrays.values())))
    return Inputs(
        arrays, tuple(f"row {i}" for i in range(count)), np.arange(count, dtype=np.uint32)
    )


def chosen(inputs: Inputs, rows: Sequence[int]) -> Inputs:
    """Some rows, in this order."""
    arrays = {key: value[list(rows)] for key, value in inputs.arrays.items()}
    return Inputs(arrays, tuple(inputs.names[row] for row in rows), inputs.numbers[list(rows)])


def from_arguments(args: argparse.Namespace, config: GeneratorConfig) -> tuple[Inputs, Manner]:
    """What --seeds, --label, --psi and --batch ask for; raises UserError if it cannot be drawn."""
    inputs = from_seeds(config, args.seeds, args.label)
    manner = Manner(psi=args.psi, batch=args.batch)
    check_manner(config, inputs, manner)
    return inputs, manner


def check_manner(config: GeneratorConfig, inputs: Inputs, manner: Manner) -> None:
    """Raises UserError if the network or the inputs cannot be truncated as asked."""
    if manner.psi == 1 and manner.cutoff is None:
        return
    check_mean(config)
    if not {"z", "ws"} & set(inputs.arrays):
        raise UserError("styles cannot be truncated; pass --psi 1, and no --cutoff")


def check_mean(config: GeneratorConfig) -> None:
    """Raises UserError if the network has no mean to truncate towards."""
    if config.mapping.w_avg_beta is None:
        raise UserError("this network keeps no mean of w; pass --psi 1, and no --cutoff")


def batches(
    network: Network, inputs: Inputs, manner: Manner, advance: Callable[[int], None]
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Images float32 [n, R, R, C], unclipped, and the latents that were used for them.

    The latents are `ws` [n, L, D] after truncation, unless the inputs are styles.
    `advance` hears how many images each batch has.

    Raises:
      NotFinite: naming the images of a batch that are not finite.
    """
    for images, latents, names in _batches(network, inputs, manner, advance):
        good = finite(images)
        if not good.all():
            raise NotFinite([name for name, fine in zip(names, good, strict=True) if not fine])
        yield images, latents


def images_of(
    network: Network, inputs: Inputs, manner: Manner, advance: Callable[[int], None]
) -> Iterator[np.ndarray]:
    """Images of all batches [n, R, R, C], be they finite or not."""
    for images, _, _ in _batches(network, inputs, manner, advance):
        yield images


def render(
    network: Network, inputs: Inputs, manner: Manner, advance: Callable[[int], None]
) -> np.ndarray:
    """The images of all batches, [N, R, R, C]; raises NotFinite."""
    return np.concatenate([images for images, _ in batches(network, inputs, manner, advance)])


def finite(images: np.ndarray) -> np.ndarray:
    """Which images hold finite numbers only, bool [N]."""
    return np.isfinite(images).all(axis=(1, 2, 3))


class NotFinite(UserError):
    """Images whose numbers are not finite."""

    def __init__(self, names: Sequence[str]) -> None:
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        super().__init__(
            f"the numbers grow beyond all bounds in the images of {', '.join(names[:8])}{more}; "
            "use smaller weights, latents or --psi, or leave out --half"
        )


def _batches(
    network: Network, inputs: Inputs, manner: Manner, advance: Callable[[int], None]
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray], list[str]]]:
    """Images, latents and names of every batch; `advance` hears of it once it was used."""
    for rows, kept in blocks(len(inputs), manner.batch):
        arrays = {key: value[rows] for key, value in inputs.arrays.items()}
        noise = _noise(network.config, manner, inputs.numbers[rows], arrays)
        images, latents = _batch(network, arrays, manner, noise)
        names = [inputs.names[row] for row in rows[:kept]]
        yield (
            np.asarray(images)[:kept],
            {k: np.asarray(v)[:kept] for k, v in latents.items()},
            names,
        )
        advance(kept)


def _labelled(
    config: GeneratorConfig, arrays: dict[str, np.ndarray], label: int | None
) -> dict[str, np.ndarray]:
    """`arrays` with labels for every row of z."""
    if "c" in arrays:
        return arrays
    count = len(arrays["z"])
    if label is not None:
        return arrays | {"c": one_hot_labels(config, [label] * count)}
    if config.c_dim:
        raise UserError(
            "this network is conditional; choose a class with --label, "
            f"from 0 to {config.c_dim - 1}"
        )
    return arrays | {"c": np.zeros((count, 0), np.float32)}


def _batch(
    network: Network, arrays: dict[str, np.ndarray], manner: Manner, noise: Any
) -> tuple[Array, dict[str, Array]]:
    if "z" not in arrays and "ws" not in arrays:
        layers = style_layers(network.config)
        styles = {layer.name: arrays[f"styles/{layer.name}"] for layer in layers}
        return network.render(styles, noise, half=manner.half), {}
    if "z" in arrays:
        labels = arrays["c"] if network.config.c_dim else None
        ws = network.mapping(arrays["z"], labels, manner.psi, manner.cutoff)
    else:
        ws = truncate(arrays["ws"], network.w_avg, manner.psi, manner.cutoff)
    return network.synthesis(ws, noise, half=manner.half), {"ws": ws}


def _noise(
    config: GeneratorConfig, manner: Manner, numbers: np.ndarray, arrays: dict[str, np.ndarray]
) -> Any:
    """The `noise` argument of a network: a mode, or one field for each image and layer."""
    own = {key.removeprefix("noise/"): v for key, v in arrays.items() if key.startswith("noise/")}
    if own and manner.noise == "const":
        return own
    if manner.noise != "random":
        return manner.noise
    return _fields(config, jax.random.key(manner.noise_seed), numbers)


_fields = functools.partial(jax.jit, static_argnums=0)(noise_fields)
