"""From latents to pictures, in batches.

latents = rendering.latents_of_seeds(network.config, "0-7", psi=0.7)
images = rendering.render(network, latents)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
