"""Aligned StyleGAN2 models in JAX.

    import aligned_jax as aj
    parent, child = aj.load("ffhq512.pkl"), aj.load("dog512.pkl")
    half = aj.weights.interpolate(parent, child, 0.5)

Names load on first use, so that `import aligned_jax` and `aligned --help`
cost nothing.
"""

from aligned_jax.utils.lazy import exports

__version__ = "0.1.0"

_MODULES = ("checkpoint", "config", "convert", "errors", "latents", "networks", "ops", "weights")
_MODULES += ("types", "viz", "network", "loading", "data", "features", "metrics", "evaluation")
_MODULES += ("augment", "inversion", "losses", "morphing", "semantics", "training", "translation")
_MODULES += ("encoder_network",)
_NAMES = {
    "Network": "network",
    "DiscriminatorNetwork": "network",
    "EncoderNetwork": "encoder_network",
    "EncoderConfig": "config",
    "load": "loading",
    "load_encoder": "loading",
    "load_all": "loading",
    "describe": "loading",
    "save": "loading",
    "GeneratorConfig": "config",
    "DiscriminatorConfig": "config",
    "UserError": "errors",
}

__getattr__, __dir__ = exports(__name__, _NAMES, _MODULES)
