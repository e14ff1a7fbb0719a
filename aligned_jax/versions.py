"""Versions of what decides the numbers."""

import platform
from importlib import metadata

_PACKAGES = ("aligned_jax", "jax", "jaxlib", "numpy")


def versions() -> dict[str, str]:
    """Of Python, and of the packages that compute."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in _PACKAGES
    }
