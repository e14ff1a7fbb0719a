"""Datasets: drawn avatars, imported images, and the batches that training reads.

Names load on first use; the options alone need neither JAX nor TFDS nor Grain.
`batches` is the module: `from aligned_jax.data.batches import batches`.
"""

import importlib
from typing import Any

_NAMES = {
    "DataOptions": "options",
    "Variant": "options",
    "Dataset": "dataset",
    "open_dataset": "dataset",
    "Rows": "batches",
    "apply_variant": "variants",
    "Attributes": "avatars",
    "draw_avatar": "avatars",
    "STYLES": "styles",
    "AvatarSource": "avatar_source",
    "ImageSource": "images",
    "write_dataset": "writer",
}


def __getattr__(name: str) -> Any:
    if name == "batches":
        return importlib.import_module("aligned_jax.data.batches")
    if name in _NAMES:
        return getattr(importlib.import_module(f"aligned_jax.data.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'aligned_jax.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES, "batches"})
