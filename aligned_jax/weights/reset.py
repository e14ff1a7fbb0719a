"""Component reset: undo part of a fine-tuning (StyleAlign, figures 1 and 8)."""

from collections.abc import Iterable

from aligned_jax.types import PyTree, Tree
from aligned_jax.weights.components import select
from aligned_jax.weights.structure import combine


def reset(
    parent: PyTree,
    child: Tree,
    components: str | Iterable[str],
    resolutions: str | int | Iterable[str | int] | None = None,
) -> Tree:
    """The child with the parent's values in `components`, structured like the child.

    Args:
      parent, child: networks of equal structure.
      components: names as in `parse_components`, e.g. "mapping,affine".
      resolutions: only blocks of these resolutions; None means all.

    `w_avg` travels with the mapping, noise maps with `noise` and their
    resolution. The mapping has no resolution: resolutions leave it out of
    "all", and naming it together with resolutions is refused.

    Arrays are passed through untouched, so the result is exact, jit-able, and
    differentiable in both networks.

    Raises:
      UserError: for unknown components or resolutions, or an empty choice.
      ConfigError: if the networks do not fit, with every difference.
    """
    selected = select(child, components, resolutions)
    return combine(
        lambda leaf, old, new: old if leaf in selected else new,
        {"parent": parent, "child": child},
        base="child",
    )
