"""Datasets: drawn avatars, imported images, and the batches that training reads.

Names load on first use; the options alone need neither JAX nor TFDS nor Grain.
`batches` is the module: `from aligned_jax.data.batches import batches`.
"""

from aligned_jax.utils.lazy import exports

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

__getattr__, __dir__ = exports(__name__, _NAMES, ("batches",))
