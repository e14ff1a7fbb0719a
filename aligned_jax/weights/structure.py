"""Networks of equal structure, leaf by leaf; unequal ones are refused with every difference.

Two networks fit when all arrays agree in path, shape and dtype, and no option
that changes what the weights mean differs. `conv_clamp`, `num_fp16_res` and
`w_avg_beta` may differ: TensorFlow files record no clamp while their children
trained with the PyTorch release have one. A result keeps the base's.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from aligned_jax.config import to_dict
from aligned_jax.errors import ConfigError
from aligned_jax.types import PyTree
from aligned_jax.weights.components import entries

_FREE = {"synthesis.conv_clamp", "synthesis.num_fp16_res", "mapping.w_avg_beta"}
# Several ways to write the same sizes: they only explain a difference in shapes.
_SIZES = {
    "synthesis.channel_base",
    "synthesis.channel_max",
    "synthesis.channels",
    "mapping.embed_features",
    "mapping.layer_features",
}


def combine(function: Callable[..., Any], networks: Mapping[str, PyTree], base: str) -> PyTree:
    """The network of `function(leaf, value, ...)` for every leaf, structured like `base`.

    Values come in the order of `networks`, whose keys name them in errors.
    Arrays meet by path, so that a `Network` and a bare dictionary mix. A result
    that is a `Network` has the base's config.

    Raises:
      ConfigError: if a network does not fit the base, with every difference.
      UserError: if one is no generator.
    """
    values = [function(*leaf) for leaf in aligned_leaves(networks, base)]
    return jax.tree.unflatten(jax.tree.structure(networks[base]), values)


def aligned_leaves(networks: Mapping[str, PyTree], base: str) -> list[tuple[Any, ...]]:
    """(leaf, value, ...) of every leaf, in the base's order; raises like `combine`."""
    flat = {name: entries(network) for name, network in networks.items()}
    for name, network in networks.items():
        lines = differences(networks[base], network)
        if lines:
            raise misfit(f"{name} (second) does not fit {base} (first):", lines)
    return [
        (leaf, *(other[path][1] for other in flat.values()))
        for path, (leaf, _) in flat[base].items()
    ]


def differences(first: PyTree, second: PyTree) -> list[str]:
    """A line for every difference between two generators, options before arrays."""
    ours, theirs = (
        {path: value for path, (_, value) in entries(network).items()}
        for network in (first, second)
    )
    arrays = array_differences(ours, theirs)
    return _option_differences(first, second, sizes=bool(arrays)) + arrays


def misfit(heading: str, lines: Sequence[str]) -> ConfigError:
    """The refusal of two generators with these differences; it says how to change a resolution."""
    told = [heading, *lines]
    if any(line.startswith("img_resolution:") for line in lines):
        told.append(
            "`aligned resize NETWORK --resolution R --out DST` takes one to the other's resolution"
        )
    return ConfigError("\n  ".join(told))


def array_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """A line for every path, shape or dtype that differs.

    Layers and blocks that only one side has take one line as a whole.
    """
    shapes = [
        f"{path}: {_signature(first[path])} versus {_signature(second[path])}"
        for path in first
        if path in second and _signature(first[path]) != _signature(second[path])
    ]
    return [
        *(f"{path}: only in the first" for path in _roots(first, second)),
        *(f"{path}: only in the second" for path in _roots(second, first)),
        *shapes,
    ]


def _option_differences(first: PyTree, second: PyTree, sizes: bool) -> list[str]:
    ours, theirs = (getattr(network, "config", None) for network in (first, second))
    if ours is None or theirs is None:
        return []
    return config_differences(ours, theirs, sizes)


def config_differences(first: Any, second: Any, sizes: bool = False) -> list[str]:
    """A line for every option that differs in meaning; `sizes` says whether widths count."""
    ours, theirs = (flat_options(to_dict(config)) for config in (first, second))
    ignored = _FREE if sizes else _FREE | _SIZES
    return [
        f"{name}: {value} versus {theirs[name]}"
        for name, value in ours.items()
        if name not in ignored and value != theirs[name]
    ]


def _roots(paths: Mapping[str, Any], others: Mapping[str, Any]) -> list[str]:
    """The shortest prefixes of `paths` under which `others` has nothing."""
    taken = {prefix for path in others for prefix in _prefixes(path)}
    roots = (next((p for p in _prefixes(path) if p not in taken), None) for path in paths)
    return list(dict.fromkeys(root for root in roots if root is not None))


def _prefixes(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def _signature(value: Any) -> str:
    return f"{value.dtype} {list(value.shape)}"


def flat_options(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values of a nested dictionary by dotted name ("synthesis.channel_base")."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            result |= flat_options(value, f"{prefix}{key}.")
        else:
            result[prefix + key] = value
    return result
