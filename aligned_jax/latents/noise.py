"""Random noise fields that belong to an image, not to its place in a batch."""

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.latents.style_space import style_layers
from aligned_jax.types import AnyArray, Array


def noise_fields(config: GeneratorConfig, key: Array, numbers: AnyArray) -> dict[str, Array]:
    """Standard normal fields [N, R, R] by layer, each row made from its own number alone.

    Args:
      config: of the network.
      key: PRNG key of all images together.
      numbers: uint32 [N], which tell the images apart.
    """
    sizes = {s.name: s.resolution for s in style_layers(config) if s.kind == "conv"}
    ends = np.cumsum([size**2 for size in sizes.values()])

    def fields(number: AnyArray) -> dict[str, Array]:
        drawn = jax.random.normal(jax.random.fold_in(key, number), (ends[-1],))
        parts = jnp.split(drawn, ends[:-1])
        return {
            name: part.reshape(size, size)
            for (name, size), part in zip(sizes.items(), parts, strict=True)
        }

    return jax.vmap(fields)(numbers)
