"""Small made-up networks in official layout, for files that the reference set lacks."""

import numpy as np

from aligned_jax.convert.files.inert import PersistentObject
from aligned_jax.convert.kwargs import discriminator_config, generator_config
from tests.helpers import random_tensors
from tests.makers.official_file import OfficialNetwork

SIZES = {"c_dim": 0, "img_resolution": 8, "img_channels": 3}
G_KWARGS = {
    "z_dim": 5,
    "w_dim": 6,
    **SIZES,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 64, "channel_max": 8},
}
D_KWARGS = {**SIZES, "channel_base": 64, "channel_max": 8}


def generator(kwargs=G_KWARGS, seed=0, **options):
    """An official generator for `write_snapshot`."""
    return OfficialNetwork(kwargs, random_tensors(generator_config(kwargs), seed), **options)


def discriminator(kwargs=D_KWARGS, seed=1, code_base=None, **options):
    """An official discriminator for `write_snapshot`."""
    tensors = random_tensors(discriminator_config(kwargs, code_base), seed)
    return OfficialNetwork(kwargs, tensors, **options)


class Lazy:
    """An array with the manners of a lazy tensor."""

    def __init__(self, array):
        self.array = np.asarray(array)
        self.shape, self.dtype = self.array.shape, str(self.array.dtype)

    def numpy(self):
        return self.array


def module(children=(), tensors=(), class_name="Layer", kwargs=None, args=(), **state):
    """A network object as the inert reader returns it."""
    parts = {"_parameters": dict(tensors), "_buffers": {}, "_modules": dict(children)}
    state = {**parts, "_init_args": args, "_init_kwargs": kwargs or {}, **state}
    return PersistentObject(
        {"type": "class", "version": 6, "class_name": class_name, "state": state}
    )


def nested(network, **top):
    """An `OfficialNetwork` as an object of the inert reader; `top` is state of the root."""
    tree = {}
    for name, array in network.tensors.items():
        *path, leaf = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = Lazy(array)

    def build(tree, **options):
        children = {key: build(node) for key, node in tree.items() if isinstance(node, dict)}
        tensors = {key: node for key, node in tree.items() if isinstance(node, Lazy)}
        return module(children, tensors, **options)

    return build(tree, kwargs=dict(network.kwargs), **top)
