"""Frozen networks that scores and losses are measured with; their weights come from files.

inception = features.load("inception")          # after `aligned features add FILE`
features = inception(images)["features"]        # images in [0, 255]
distances = features.lpips("vgg")(a, b)         # images in [-1, 1]
"""

from aligned_jax.utils.lazy import exports

_NAMES = {
    "Extractor": "extractor",
    "Lpips": "extractor",
    "load": "extractor",
    "lpips": "extractor",
    "FROM_FILES": "networks",
    "NETWORKS": "networks",
    "add": "store",
    "folder": "store",
    "is_available": "store",
    "stored": "store",
}

__getattr__, __dir__ = exports(__name__, _NAMES)
