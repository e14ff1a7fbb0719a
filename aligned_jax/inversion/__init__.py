"""From images to latents.

settings = inversion.Settings(space="w+")
found = inversion.invert(network, images, features.lpips("vgg"), settings, jax.random.key(0))
"""

from aligned_jax.utils.lazy import exports

_NAMES = {
    "as_space": "encoding",
    "check_holds": "encoding",
    "encode": "encoding",
    "ImageInversion": "files",
    "load": "files",
    "save": "files",
    "single": "files",
    "Inverted": "optimize",
    "Progress": "optimize",
    "Watch": "optimize",
    "invert": "optimize",
    "parts": "optimize",
    "rows_that_fit": "memory",
    "noise_regulariser": "noise",
    "Settings": "options",
    "latent_noises": "options",
    "learning_rates": "options",
    "Perceptual": "perceptual",
    "Pixels": "perceptual",
    "Weighted": "perceptual",
    "SPACES": "spaces",
    "Statistics": "spaces",
    "as_start": "spaces",
    "latent_arrays": "spaces",
    "statistics": "spaces",
    "to_styles": "spaces",
    "to_ws": "spaces",
}

__getattr__, __dir__ = exports(__name__, _NAMES, ("steps",))
