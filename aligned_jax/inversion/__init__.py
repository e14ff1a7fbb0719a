"""From images to latents.

settings = inversion.Settings(space="w+")
result = inversion.invert(network, images, features.lpips("vgg"), settings, jax.random.key(0))
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
