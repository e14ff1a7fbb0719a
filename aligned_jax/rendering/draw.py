"""Images of latents, batch by batch; no image depends on its neighbours."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import noise_fields, style_layers, truncate
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.types import Array
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.precision import mistakes, products
from aligned_jax.utils.reporting import Advance, no_advance
from aligned_jax.utils.text import listed
from aligned_jax.viz import to_uint8

_NOISES, _HALVES = ("const", "random", "none"), ("bfloat16", "float16")
# The `noise` argument of a network: a mode, or one field for each image and layer.
Noise = str | Mapping[str, Array]


@dataclass(frozen=True)
class RenderOptions:
    """How latents are drawn; the same for all images of a run.

    Attributes:
      cutoff: only the first so many rows of W+ are truncated; None truncates all.
      noise: "const" (the stored maps, or those that the latents bring), "random" or "none".
      noise_seed: of random noise.
      half: "bfloat16" or "float16" at high resolutions; None is float32.
      batch: images at a time; changes an image by rounding at most.
      precision: of float32 products, "exact", "high" or "fast" (`utils.precision`).

    Raises:
      UserError: for values that cannot be, all at once.
    """

    cutoff: int | None = None
    noise: str = "const"
    noise_seed: int = 0
    half: str | None = None
    batch: int = 8
    precision: str = "exact"

    def __post_init__(self) -> None:
        wrong = []
        if self.noise not in _NOISES:
            wrong.append(f"noise is {self.noise!r:.40}; it is {', '.join(_NOISES)}")
        if self.half not in (None, *_HALVES):
            wrong.append(f"half is {self.half!r:.40}; it is {' or '.join(_HALVES)}")
        if self.batch < 1:
            wrong.append(f"batch is {self.batch}; it must be 1 or more")
        wrong += mistakes(self.precision)
        if wrong:
            raise UserError("; ".join(wrong))


DEFAULT = RenderOptions()


class NotFinite(UserError):
    """Images whose numbers are not finite."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"the numbers grow beyond all bounds in the images of {listed(names)}; "
            "use smaller weights, latents or `psi`, or leave out `half`"
        )


@dataclass(frozen=True, eq=False)
class Drawn:
    """One batch of images, and the latents that they show.

    Attributes:
      images: float32 [n, R, R, C], unclipped.
      latents: those that were used: `ws` [n, L, D] after truncation; none for styles.
      names: of the images.
    """

    images: np.ndarray
    latents: dict[str, np.ndarray]
    names: Sequence[str]

    @property
    def finite(self) -> np.ndarray:
        """Which images hold finite numbers only, bool [n]."""
        return np.isfinite(self.images).all(axis=(1, 2, 3))


def batches(
    network: Network,
    latents: LatentBatch,
    options: RenderOptions = DEFAULT,
    advance: Advance = no_advance,
) -> Iterator[Drawn]:
    """All images, batch by batch, be they finite or not.

    `advance` hears of a batch once it was used.
    """
    for rows, kept in blocks(len(latents), options.batch):
        arrays = {key: value[rows] for key, value in latents.arrays.items()}
        noise = _noise(network.config, options, latents.numbers[rows], arrays)
        with products(options.precision):
            images, used = _batch(network, arrays, latents.psi, options, noise)
        yield Drawn(
            np.asarray(images)[:kept],
            {key: np.asarray(value)[:kept] for key, value in used.items()},
            [latents.names[row] for row in rows[:kept]],
        )
        advance(kept)


def finite_batches(
    network: Network,
    latents: LatentBatch,
    options: RenderOptions = DEFAULT,
    advance: Advance = no_advance,
) -> Iterator[Drawn]:
    """As `batches`; raises NotFinite naming the images of a batch that are not finite."""
    for drawn in batches(network, latents, options, advance):
        if not drawn.finite.all():
            lost = zip(drawn.names, drawn.finite, strict=True)
            raise NotFinite([name for name, fine in lost if not fine])
        yield drawn


def render(
    network: Network,
    latents: LatentBatch,
    options: RenderOptions = DEFAULT,
    advance: Advance = no_advance,
) -> np.ndarray:
    """The images of all batches, float32 [N, R, R, C], unclipped; raises NotFinite."""
    drawn = finite_batches(network, latents, options, advance)
    return np.concatenate([batch.images for batch in drawn])


def pixels(
    network: Network,
    latents: LatentBatch,
    options: RenderOptions = DEFAULT,
    advance: Advance = no_advance,
) -> tuple[np.ndarray, np.ndarray]:
    """The images of all batches as they are shown, uint8 [N, R, R, C], and which are finite [N].

    Numbers that are not finite are shown somehow.
    """
    images, finite = [], []
    for drawn in batches(network, latents, options, advance):
        images.append(to_uint8(np.nan_to_num(drawn.images)))
        finite.append(drawn.finite)
    return np.concatenate(images), np.concatenate(finite)


def _batch(
    network: Network,
    arrays: Mapping[str, np.ndarray],
    psi: float,
    options: RenderOptions,
    noise: Noise,
) -> tuple[Array, dict[str, Array]]:
    if "z" not in arrays and "ws" not in arrays:
        styles = {
            layer.name: jnp.asarray(arrays[f"styles/{layer.name}"])
            for layer in style_layers(network.config)
        }
        return network.render(styles, noise, half=options.half), {}
    if "z" in arrays:
        labels = jnp.asarray(arrays["c"]) if network.config.c_dim else None
        ws = network.mapping(jnp.asarray(arrays["z"]), labels, psi, options.cutoff)
    else:
        ws = truncate(jnp.asarray(arrays["ws"]), network.w_avg, psi, options.cutoff)
    return network.synthesis(ws, noise, half=options.half), {"ws": ws}


def noise_of(config: GeneratorConfig, options: RenderOptions, latents: LatentBatch) -> Noise:
    """The noise of all images of a batch, as the methods of a network take it."""
    return _noise(config, options, latents.numbers, latents.arrays)


def _noise(
    config: GeneratorConfig,
    options: RenderOptions,
    numbers: np.ndarray,
    arrays: Mapping[str, np.ndarray],
) -> Noise:
    """That of some rows, whose numbers tell random fields apart."""
    own = {key: value for key, value in arrays.items() if key.startswith("noise/")}
    if own and options.noise == "const":
        return {key.removeprefix("noise/"): jnp.asarray(value) for key, value in own.items()}
    if options.noise != "random":
        return options.noise
    return _fields(config, jax.random.key(options.noise_seed), numbers)


_fields = functools.partial(jax.jit, static_argnums=0)(noise_fields)
