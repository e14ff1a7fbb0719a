"""Our variables and the official tensors: one table of names and transposes.

A variable's path without its collection, joined by dots, is the official name
of its tensor. Nothing is folded or rescaled, so every tensor goes back bit for
bit. Official files hold one thing that we derive from the config instead: a
normalised copy of the resampling filter in every layer.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from aligned_jax.config import DEFAULT_FILTER, AnyConfig, EncoderConfig, Filter, GeneratorConfig
from aligned_jax.errors import ConfigError
from aligned_jax.networks import variable_shapes

# Kernels HWIO -> OIHW, dense [in, out] -> [out, in], constant HWC -> CHW; by
# (leaf name, rank). Everything else is stored alike.
_TO_OFFICIAL = {("weight", 4): (3, 2, 0, 1), ("weight", 2): (1, 0), ("const", 3): (2, 0, 1)}

# A filter as long as this is applied along each axis in turn.
_SEPARABLE_TAPS = 8


def official_shapes(config: AnyConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every official tensor of a network, filters included."""
    shapes = {}
    for path, leaf in _leaves(variable_shapes(config)):
        axes = _axes(path, len(leaf.shape))
        shapes[_name(path)] = tuple(leaf.shape[axis] for axis in axes)
    return shapes | {name: taps.shape for name, taps in filters(config).items()}


def to_official(config: AnyConfig, variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """All official tensors of a network, in official layout, C-contiguous float32.

    `variables` is the nested dictionary of the network that `config`
    describes; KeyError when it lacks one of that network's leaves.
    """
    tensors = {}
    for path, _ in _leaves(variable_shapes(config)):
        value = np.asarray(_at(variables, path), np.float32)
        axes = _axes(path, value.ndim)
        # Not ascontiguousarray: it would turn scalars into vectors.
        tensors[_name(path)] = np.asarray(np.transpose(value, axes), order="C")
    return tensors | filters(config)


def from_official(config: AnyConfig, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Variables of a network from its official tensors; inverse of `to_official`.

    `tensors` holds arrays, or lazy tensors with a `numpy()` method, which are
    read one at a time. The result is nested dictionaries of fresh float32
    arrays. Names and shapes must have been checked (`checks.tensor_problems`).
    """
    variables: dict[str, Any] = {}
    for path, _ in _leaves(variable_shapes(config)):
        value = read(tensors[_name(path)])
        axes = np.argsort(_axes(path, value.ndim))
        leaf = np.array(np.transpose(value, axes), np.float32, order="C")
        parent = variables
        for key in path[:-1]:
            parent = parent.setdefault(key, {})
        parent[path[-1]] = leaf
    return variables


def filters(config: AnyConfig) -> dict[str, np.ndarray]:
    """The `resample_filter` buffers of a network, by official name.

    Only blocks and the layers that resample hold the configured taps; the
    others carry the default ones, unused.
    """
    if isinstance(config, EncoderConfig):
        return {}
    generator = isinstance(config, GeneratorConfig)
    prefix = "synthesis." if generator else ""
    options = config.synthesis if isinstance(config, GeneratorConfig) else config
    taps = options.resample_filter
    configured, default = filter_kernel(taps), filter_kernel(DEFAULT_FILTER)
    blocks = [r for r in config.resolutions if generator or r > 4]
    buffers = {f"{prefix}b{r}.resample_filter": configured for r in blocks}
    resampling = ("conv0", "skip") if generator else ("conv1", "skip")
    for path, leaf in _leaves(variable_shapes(config)):
        layer = path[-2]
        if path[-1] == "weight" and len(leaf.shape) == 4 and layer != "torgb":
            kernel = configured if layer in resampling else default
            buffers[_name((*path[:-1], "resample_filter"))] = kernel
    return buffers


def filter_kernel(taps: Filter) -> np.ndarray:
    """Filter as official files store it: float32, sum 1.

    Shape [k, k] for k < 8 taps, [k] for longer separable ones, and the given
    shape for rows of a two-dimensional kernel; () is the single tap 1. Raises
    ConfigError for taps that leave the range of float32.
    """
    with np.errstate(all="ignore"):
        kernel = np.asarray(taps or (1.0,), np.float32)
        if kernel.ndim == 1 and kernel.size < _SEPARABLE_TAPS:
            kernel = np.outer(kernel, kernel)
        kernel = kernel / kernel.sum(dtype=np.float32)
    if not np.isfinite(kernel).all():
        raise ConfigError(f"the resampling filter {taps!r:.80} cannot be normalised in float32")
    return kernel


def read(tensor: Any) -> np.ndarray:
    """The array itself, or what a lazy tensor holds."""
    return tensor if isinstance(tensor, np.ndarray) else tensor.numpy()


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _at(tree: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _name(path: tuple[str, ...]) -> str:
    return ".".join(path[1:])


def _axes(path: tuple[str, ...], rank: int) -> tuple[int, ...]:
    return _TO_OFFICIAL.get((path[-1], rank), tuple(range(rank)))
