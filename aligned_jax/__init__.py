"""Aligned StyleGAN2 models in JAX.

    import aligned_jax as aj
    parent, child = aj.load("ffhq512.pkl"), aj.load("dog512.pkl")
    half = aj.weights.interpolate(parent, child, 0.5)

Names load on first use, so that `import aligned_jax` and `aligned --help`
cost nothing.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
