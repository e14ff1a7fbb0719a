"""Datasets: drawn avatars, imported images, and the batches that training reads.

Names load on first use; the options alone need neither JAX nor TFDS nor Grain.
`batches` is the module: `from aligned_jax.data.batches import batches`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
