"""Frozen networks that scores and losses are measured with; their weights come from files.

inception = features.load("inception")          # after `aligned features add FILE`
features = inception(images)["features"]        # images in [0, 255]
distances = features.lpips("vgg")(a, b)         # images in [-1, 1]
"""

import importlib
from typing import Any

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


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"aligned_jax.features.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'aligned_jax.features' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
