"""Shapes of latents, and of the arrays by which files hold them."""

from collections.abc import Mapping, Sequence

from aligned_jax.config import GeneratorConfig
from aligned_jax.latents.style_space import style_layers

# By the name of an array, the shapes [N, ...] that it may have, without their N.
Shapes = Mapping[str, Sequence[tuple[int, ...]]]


def latent_shape(config: GeneratorConfig, space: str) -> tuple[int, ...]:
    """Shape of one image's latent in z, z+, w, w+ or s, without the batch axis."""
    return {
        "z": (config.z_dim,),
        "z+": (config.num_ws, config.z_dim),
        "w": (config.w_dim,),
        "w+": (config.num_ws, config.w_dim),
        "s": (sum(layer.channels for layer in style_layers(config)),),
    }[space]


def array_shapes(config: GeneratorConfig) -> Shapes:
    """Shapes of the arrays that files of latents hold.

    They are `z`, `ws`, labels `c`, `styles/<layer>` of every layer, and `noise/<layer>` of every
    convolution, if it has noise.
    """
    shapes: dict[str, list[tuple[int, ...]]] = {
        "z": [latent_shape(config, "z"), latent_shape(config, "z+")],
        "ws": [latent_shape(config, "w+")],
        "c": [(config.c_dim,)],
    }
    layers = style_layers(config)
    shapes |= {f"styles/{layer.name}": [(layer.channels,)] for layer in layers}
    if config.synthesis.use_noise:
        maps = {s.name: (s.resolution, s.resolution) for s in layers if s.kind == "conv"}
        shapes |= {f"noise/{name}": [size] for name, size in maps.items()}
    return shapes
