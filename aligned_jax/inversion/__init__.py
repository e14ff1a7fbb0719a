"""From images to latents."""

from aligned_jax.lazy import exports

_NAMES = {"as_space": "encode", "encode": "encode"}

__getattr__, __dir__ = exports(__name__, _NAMES)
