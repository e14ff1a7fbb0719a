"""Networks between a parent and a child: components reset, layers swapped, weights interpolated."""

import functools
from collections.abc import Callable, Hashable, Mapping

import jax

from aligned_jax import weights
from aligned_jax.errors import UserError
from aligned_jax.networks.network import Network
from aligned_jax.types import Array
from aligned_jax.viewer.family import ViewFamily
from aligned_jax.viewer.state import Blend

Keep = Callable[[Hashable, Callable[[], Network]], Network]


def blend_child(family: ViewFamily, blend: Blend) -> Network:
    """The child of a blend; raises UserError if there is none of this number."""
    if not 1 <= blend.child < len(family.names):
        children = "; ".join(f"{k} is {name}" for k, name in enumerate(family.names) if k)
        raise UserError(f"blend.child is {blend.child}; {children or 'this page has no child'}")
    return family.networks[family.names[blend.child]]


def blended(family: ViewFamily, blend: Blend, keep: Keep | None = None) -> Network:
    """The network that a blend stands for.

    Its numbers are those of `weights.reset`, `weights.swap` and `weights.interpolate`, one after
    another; what computes runs as one compiled program for all shares, widths and networks.

    Args:
      family: parent and children.
      blend: what is made of them.
      keep: returns the value of a key, made if it is not there; it is asked for what a moving
        slider does not change. None makes everything.

    Raises:
      UserError: for a child, component or resolution that is not there.
    """
    keep = keep or (lambda key, make: make())
    parent, child = family.parent, blend_child(family, blend)
    made = child
    if blend.reset:
        key = ("reset", blend.child, blend.reset, blend.reset_at)
        made = keep(key, lambda: weights.reset(parent, child, blend.reset, blend.reset_at or None))
    elif blend.reset_at:
        raise UserError("blend.reset_at says where components are reset; name some in blend.reset")
    if blend.swap is not None:
        low, high = (parent, made) if blend.coarse == "parent" else (made, parent)
        at, smooth = blend.swap, blend.smooth
        key = ("swap", *blend.weights[:-1])
        made = keep(key, lambda: swapped(low, high, at, smooth))
    elif blend.smooth is not None or blend.coarse != "parent":
        raise UserError("blend.smooth and blend.coarse are of a swap; give blend.swap")
    if blend.t2 != 1:
        made = interpolated(parent, made, blend.t2)
    return made


def interpolated(a: Network, b: Network, weight: float) -> Network:
    """`weights.interpolate`, to the bit, in one program instead of one for each array."""
    variables: Mapping[str, Array] = _interpolated(a, b, weight)
    return Network(a.config, variables, a.provenance)


def swapped(low: Network, high: Network, resolution: int, smooth: float | None) -> Network:
    """`weights.swap`, to the bit; a smooth one runs as one program for all widths."""
    if not smooth or smooth < 0:
        return weights.swap(low, high, resolution, smooth)
    weights.parse_resolutions([resolution], weights.resolutions_of(low))
    return Network(low.config, _swapped(low, high, smooth, resolution), low.provenance)


@jax.jit
def _interpolated(a: Network, b: Network, weight: Array) -> Mapping[str, Array]:
    return weights.interpolate(a, b, weight).variables


@functools.partial(jax.jit, static_argnames="resolution")
def _swapped(low: Network, high: Network, smooth: Array, resolution: int) -> Mapping[str, Array]:
    return weights.swap(low, high, resolution, smooth).variables
