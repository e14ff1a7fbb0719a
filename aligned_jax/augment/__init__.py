"""Adaptive discriminator augmentation: pure, jit-able, random numbers kept apart.

config = preset("bgc")
draws = draw(key, config, sample_index, images.shape[1:])
images = apply(images, draws, p, config)

Names load on first use, so that the options, which the command line needs for
its help, come without JAX.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
