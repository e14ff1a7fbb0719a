"""Layer swapping: coarse blocks of one network, fine blocks of another.

Pinkney and Adler, "Resolution Dependent GAN Interpolation for Controllable
Image Synthesis Between Domains" (Toonify); StyleAlign, figures 31 and 32.

Layers have positions: const and conv0 of resolution r are at
2 * (log2(r) - 2), conv1 and tRGB one later. How this differs from Pinkney's
script, whose hard switch takes high weights where a layer lies more than one
position above its pivot:

- A hard swap at r is his with the pivot at (r, level 0): both keep all of r low.
- His smooth switch is centred on the pivot itself, so narrowing it does not
  give his hard one. Ours is centred half a position above the last low layer,
  1.5 positions after his, and ends in the hard swap as its width goes to 0.
- His leaves the 4x4 convolution, all noise maps, the mapping network and w_avg
  with the low network. Here the 4x4 block counts like any other, noise maps
  follow their layer, and the side of the mapping is an argument.
"""

import math
import numbers
import shlex
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.networks import variable_shapes
from aligned_jax.types import Array, PyTree, Tree
from aligned_jax.weights.components import Leaf, parse_resolutions, resolutions_of
from aligned_jax.weights.interpolate import Scalar, check_scalar, lerp
from aligned_jax.weights.resize import resized_config
from aligned_jax.weights.structure import combine, config_differences


def swap(
    low: Tree,
    high: PyTree,
    resolution: float,
    smooth: Scalar | None = None,
    mapping: Literal["low", "high"] = "low",
    called: tuple[str, str] = ("LOW", "HIGH"),
) -> Tree:
    """Blocks up to and including `resolution` from `low`, those above from `high`.

    Args:
      low, high: networks of equal structure; the result is structured like `low`.
      resolution: the last resolution of `low`, one of the network's; of a blend, any number from
        the lowest to the highest: the switch moves with its logarithm.
      smooth: None for a hard switch, else the width, in layer positions, of a
        logistic blend of low to high; 0 equals the hard switch. May be traced.
      mapping: the network that the mapping and `w_avg` are taken from whole,
        also in a smooth swap.
      called: names of the two for a refusal that says how to resize one of them.

    Affines, biases, noise strengths and noise maps follow their layer. A hard
    swap passes arrays through untouched; both kinds are jit-able, and
    differentiable in the networks and in a positive width.

    Raises:
      UserError: for a resolution that the network lacks (the valid ones are
        named), a negative width, or another side.
      ConfigError: if the networks do not fit, with every difference; or, if they only
        differ in resolution, with the command that helps.
    """
    if mapping not in ("low", "high"):
        raise UserError(f"mapping is {mapping!r}; it must be 'low' or 'high'")
    _check_resolutions(low, high, called)
    last = _last(resolution, resolutions_of(low), smooth)
    if smooth is not None:
        check_scalar("smooth", smooth)
        if not isinstance(smooth, jax.core.Tracer) and smooth < 0:
            raise UserError(f"smooth is {smooth}; a width must be 0 or more")

    def choose(leaf: Leaf, coarse: Array, fine: Array) -> Array:
        if leaf.resolution is None or leaf.position is None:
            return coarse if mapping == "low" else fine
        if smooth is None:
            return coarse if leaf.resolution <= last else fine
        return lerp(coarse, fine, _share_of_high(leaf.position, last, smooth))

    return combine(choose, {"low": low, "high": high}, base="low")


def _last(resolution: float, known: Sequence[int], smooth: Scalar | None) -> float:
    """A resolution of the network, or between two of them if the switch is a blend."""
    between = smooth is not None and min(known) <= resolution <= max(known)
    if between and isinstance(resolution, numbers.Real):
        return float(resolution)
    whole = int(resolution) if isinstance(resolution, float) and resolution % 1 == 0 else resolution
    named: Any = [whole]
    (last,) = parse_resolutions(named, known)
    return last


def _check_resolutions(low: PyTree, high: PyTree, called: tuple[str, str]) -> None:
    """Refuses networks of two resolutions that would fit if one were resized, and says how."""
    found = [getattr(network, "config", None) for network in (low, high)]
    configs = [config for config in found if isinstance(config, GeneratorConfig)]
    if len(configs) < len(found):
        return
    sizes = [config.img_resolution for config in configs]
    if sizes[0] == sizes[1]:
        return
    names = [shlex.quote(name) for name in called]
    small, large = (0, 1) if sizes[0] < sizes[1] else (1, 0)
    wanted = resized_config(configs[large], sizes[small])
    if config_differences(configs[small], wanted) or not _fit(configs[small], wanted):
        return  # other differences stay; all are told
    way = f"`aligned resize {names[large]} --resolution {sizes[small]} --out DST` first"
    if small == 0:  # what resizing draws anew lies in blocks that are taken from `high`
        way = f"`aligned resize {names[0]} --resolution {sizes[1]} --out DST` first, or {way}"
    raise ConfigError(
        f"{called[0]} has {sizes[0]} px, {called[1]} {sizes[1]} px; layers are swapped between "
        f"networks of one resolution: {way}"
    )


def _fit(first: GeneratorConfig, second: GeneratorConfig) -> bool:
    shapes = (jax.tree.map(lambda leaf: leaf.shape, variable_shapes(c)) for c in (first, second))
    ours, theirs = shapes
    return bool(ours == theirs)


def _share_of_high(position: int, resolution: float, width: Scalar) -> Array:
    """Weight of the high network in [0, 1] at a position; 0.5 between conv1 and the next conv0."""
    centre = 2 * (math.log2(resolution) - 2) + 1.5
    return jax.nn.sigmoid((position - centre) / jnp.asarray(width, jnp.float32))
