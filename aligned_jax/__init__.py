"""Aligned StyleGAN2 models in JAX.

    import aligned_jax as aj
    parent, child = aj.load("ffhq512.pkl"), aj.load("dog512.pkl")
    half = aj.weights.interpolate(parent, child, 0.5)

Names load on first use, so that `import aligned_jax` and `aligned --help`
cost nothing.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_MODULES = ("checkpoint", "config", "convert", "errors", "latents", "networks", "ops", "weights")
_MODULES += ("types", "viz", "network", "loading", "data", "features", "metrics", "evaluation")
_NAMES = {
    "Network": "network",
    "DiscriminatorNetwork": "network",
    "load": "loading",
    "load_all": "loading",
    "describe": "loading",
    "save": "loading",
    "GeneratorConfig": "config",
    "DiscriminatorConfig": "config",
    "UserError": "errors",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"aligned_jax.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"aligned_jax.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'aligned_jax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_NAMES})
