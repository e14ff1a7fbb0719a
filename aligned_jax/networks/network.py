"""One object for a network: config and variables, itself a pytree."""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig, NetworkConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import (
    broadcast_w,
    check_styles,
    labels_missing,
    labels_unwanted,
    style_layers,
    truncate,
)
from aligned_jax.networks import facts, module_of
from aligned_jax.networks.layout import Layout
from aligned_jax.types import AnyArray, AnyStyles, Array, Styles, Variables
from aligned_jax.utils.precision import products
from aligned_jax.utils.text import listed

HALF = (None, "bfloat16", "float16")
# Resolutions in half precision when the network's own config names none (the
# official default).
_DEFAULT_HALF_RESOLUTIONS = 4


class NetworkBase:
    """Registers subclasses, which are dataclasses: variables are leaves, the config is static.

    The provenance is left out, so that networks of different origin have the
    same structure and go through `jax.tree.map` together.
    """

    config: Any
    variables: Variables
    provenance: dict[str, Any] | None

    def __init_subclass__(cls) -> None:
        make: Callable[..., NetworkBase] = cls
        key = jax.tree_util.GetAttrKey("variables")
        jax.tree_util.register_pytree_with_keys(
            cls,
            lambda self: (((key, self.variables),), self.config),
            lambda config, children: make(config, *children),
            lambda self: ((self.variables,), self.config),
        )

    def _repr_html_(self) -> str:
        """What notebooks show: sizes, parameters and origin."""
        return facts.table(self, type(self).__name__)


@dataclass(eq=False, frozen=True)
class Network(NetworkBase):
    """A generator: sizes, variables {params, noise, stats}, and where it comes from.

    All methods are jitted and differentiable, and run in float32 unless `half` says
    otherwise. Products are exact, or as `precision` or a context around the call asks
    for (`utils.precision`). Arrays may be NumPy or JAX.
    Images are float32 [N, R, R, img_channels], nominally in [-1, 1], unclipped.
    """

    config: GeneratorConfig
    variables: Variables
    provenance: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return facts.summary(self, "Network", f"w {self.config.w_dim}")

    @property
    def w_avg(self) -> Array:
        """Running mean of w, [w_dim]; UserError if the network keeps none."""
        if "stats" not in self.variables:
            raise UserError("this network keeps no mean of w (w_avg_beta is None); use psi = 1")
        return self.variables["stats"]["mapping"]["w_avg"]

    def mapping(
        self,
        z: AnyArray,
        c: AnyArray | None = None,
        psi: float | AnyArray = 1.0,
        cutoff: int | None = None,
    ) -> Array:
        """W+ [N, L, w_dim] of Z [N, z_dim] or Z+ [N, L, z_dim], truncated.

        Args:
          z: latents; only their direction matters.
          c: labels [N, c_dim], exactly when the network is conditional.
          psi, cutoff: truncation, see `latents.truncate`.

        Raises:
          UserError: if a shape does not fit, a label is missing or not wanted, or
            truncation is asked of a network without w_avg.
        """
        z, c = self._check_inputs(z, c)
        if jnp.ndim(psi) != 0 or (isinstance(psi, int | float) and not math.isfinite(psi)):
            raise UserError(f"psi is {psi!r:.80}; it must be one finite number")
        ws = _mapping(self, z, c)
        plain = isinstance(psi, int | float) and psi == 1
        if plain and self.config.mapping.w_avg_beta is None:
            return ws
        # Outside of the compiled program, which would round differently from truncation of w.
        return truncate(ws, self.w_avg, psi, cutoff)

    def styles(self, ws: AnyArray) -> Styles:
        """Style vectors {"b64.conv0": [N, C], ...} of W [N, D] or W+ [N, L, D]."""
        styles = _styles(self, self._check_ws(ws))
        # jit returns dictionaries sorted by key; put the layers back in order of evaluation.
        return {layer.name: styles[layer.name] for layer in style_layers(self.config)}

    def synthesis(
        self,
        ws: AnyArray,
        noise: str | AnyStyles = "const",
        key: Array | None = None,
        half: str | None = None,
        precision: str | None = None,
    ) -> Array:
        """Images of W [N, D] or W+ [N, L, D]; the other arguments as in `render`."""
        with products(precision):
            return self.render(self.styles(ws), noise, key, half)

    def render(
        self,
        styles: AnyStyles,
        noise: str | AnyStyles = "const",
        key: Array | None = None,
        half: str | None = None,
        precision: str | None = None,
    ) -> Array:
        """Images of style vectors.

        Args:
          styles: as `styles` returns them, possibly edited.
          noise: "const" (stored maps), "random" (needs `key`), "none", or fields
            [H, W] or [N, H, W] by layer name for every convolution.
          key: PRNG key of the random noise.
          half: "bfloat16" or "float16" for the resolutions that the config marks
            (the four highest if it marks none).
          precision: of float32 products, "exact", "high" or "fast"; None is what a context
            around the call asks for, or exact.

        Raises:
          UserError: naming every style or noise field that does not fit.
        """
        arrays = {name: jnp.asarray(value, jnp.float32) for name, value in styles.items()}
        check_styles(self.config, arrays)
        batch = next(iter(arrays.values())).shape[0]
        mode, fields = self._check_noise(noise, key, batch)
        if half not in HALF:
            raise UserError(f"half precision is {half!r}; it must be one of {HALF}")
        with products(precision):
            return _render(self, arrays, fields, key, mode, half)

    def __call__(
        self,
        z: AnyArray,
        c: AnyArray | None = None,
        psi: float | AnyArray = 1.0,
        cutoff: int | None = None,
        noise: str | AnyStyles = "const",
        key: Array | None = None,
        half: str | None = None,
        precision: str | None = None,
    ) -> Array:
        """Images of latents: `mapping`, then `synthesis`."""
        with products(precision):
            return self.synthesis(self.mapping(z, c, psi, cutoff), noise, key, half)

    def _check_inputs(self, z: AnyArray, c: AnyArray | None) -> tuple[Array, Array]:
        config, z = self.config, jnp.asarray(z, jnp.float32)
        if z.shape[1:] not in ((config.z_dim,), (config.num_ws, config.z_dim)):
            raise UserError(
                f"z has shape {z.shape}; this network takes [N, {config.z_dim}] or "
                f"[N, {config.num_ws}, {config.z_dim}]"
            )
        return z, _check_labels(config, c, z.shape[0])

    def _check_ws(self, ws: AnyArray) -> Array:
        ws = broadcast_w(jnp.asarray(ws, jnp.float32), self.config.num_ws)
        if ws.shape[2] != self.config.w_dim:
            raise UserError(f"w has width {ws.shape[2]}; this network's is {self.config.w_dim}")
        return ws

    def _check_noise(self, noise: Any, key: Any, batch: int) -> tuple[str, dict | None]:
        if not isinstance(noise, Mapping):
            if noise not in ("const", "random", "none"):
                raise UserError(
                    f"noise is {noise!r:.80}; it must be const, random, none, or fields by layer"
                )
            if noise == "random" and not isinstance(key, jax.Array):
                raise UserError("random noise needs a PRNG key: pass key=jax.random.key(0)")
            return noise, None
        sizes = {s.name: s.resolution for s in style_layers(self.config) if s.kind == "conv"}
        wrong = [f"{name} is missing" for name in sizes if name not in noise]
        wrong += [f"{name} is unknown" for name in noise if name not in sizes]
        wrong += [
            f"{name} has shape {jnp.shape(noise[name])}, expected [{r}, {r}] or [{batch}, {r}, {r}]"
            for name, r in sizes.items()
            if name in noise and jnp.shape(noise[name]) not in ((r, r), (1, r, r), (batch, r, r))
        ]
        if wrong:
            raise UserError(f"noise fields do not fit: {listed(wrong, separator='; ')}")
        return "fields", {name: jnp.asarray(noise[name], jnp.float32) for name in sizes}


@dataclass(eq=False, frozen=True)
class DiscriminatorNetwork(NetworkBase):
    """A discriminator: sizes, variables {params}, and where it comes from."""

    config: DiscriminatorConfig
    variables: Variables
    provenance: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return facts.summary(self, "DiscriminatorNetwork", self.config.architecture)

    def __call__(
        self,
        images: AnyArray,
        c: AnyArray | None = None,
        half: str | None = None,
        precision: str | None = None,
    ) -> Array:
        """Logits [N, 1] of images [N, R, R, img_channels] in [-1, 1]; positive means real.

        `half` and `precision` as in `Network.render`.

        Raises:
          UserError: if a shape does not fit or the minibatch groups do not divide N.
        """
        images, config = jnp.asarray(images, jnp.float32), self.config
        size = (config.img_resolution, config.img_resolution, config.img_channels)
        if images.ndim != 4 or images.shape[1:] != size:
            raise UserError(f"images have shape {images.shape}, expected [N, {size}]")
        if half not in HALF:
            raise UserError(f"half precision is {half!r}; it must be one of {HALF}")
        with products(precision):
            return _logits(self, images, _check_labels(config, c, images.shape[0]), half)


GanNetwork = Network | DiscriminatorNetwork


def _check_labels(config: NetworkConfig, c: AnyArray | None, batch: int) -> Array:
    if config.c_dim == 0 and c is not None and jnp.shape(c)[-1] > 0:
        raise labels_unwanted()
    if config.c_dim and c is None:
        raise labels_missing(config.c_dim)
    c = jnp.zeros((batch, 0)) if config.c_dim == 0 else jnp.asarray(c, jnp.float32)
    if c.shape != (batch, config.c_dim):
        raise UserError(f"labels have shape {c.shape}, expected {(batch, config.c_dim)}")
    return c


def apply(
    net: NetworkBase,
    *args: Any,
    half: str | None = None,
    layout: Layout | None = None,
    **kwargs: Any,
) -> Any:
    """`module.apply` with the products that a context asks for (`utils.precision`), or exact ones.

    `half` is half precision, where asked.

    `layout` (`networks.layout`) of None is what is fast on the backend.
    """
    config = net.config
    if half and not config.half_resolutions:
        config = _with_half_resolutions(config)
    with products():
        return module_of(config, half, layout).apply(net.variables, *args, **kwargs)


def _with_half_resolutions(config: NetworkConfig) -> NetworkConfig:
    count = _DEFAULT_HALF_RESOLUTIONS
    if isinstance(config, DiscriminatorConfig):
        return dataclasses.replace(config, num_fp16_res=count)
    synthesis = dataclasses.replace(config.synthesis, num_fp16_res=count)
    return dataclasses.replace(config, synthesis=synthesis)


@jax.jit
def _mapping(net: Network, z: Array, c: Array) -> Array:
    return apply(net, z, c, method="map")


@jax.jit
def _styles(net: Network, ws: Array) -> Styles:
    return apply(net, ws, method="styles")


@functools.partial(jax.jit, static_argnames=("mode", "half"))
def _render(
    net: Network,
    styles: Styles,
    fields: dict[str, Array] | None,
    key: Array | None,
    mode: str,
    half: str | None,
) -> Array:
    rngs = {"noise": key} if mode == "random" else None
    noise = fields if mode == "fields" else mode
    return apply(net, styles, noise, method="render", half=half, rngs=rngs)


@functools.partial(jax.jit, static_argnames="half")
def _logits(net: DiscriminatorNetwork, images: Array, c: Array, half: str | None) -> Array:
    return apply(net, images, c, half=half)
