"""ArcFace's IR-SE50 (Deng et al. 2019), which measures whether two faces are one person's.

The face network of the encoders' identity loss: residual units with
squeeze-and-excitation, images aligned as FFHQ.
"""

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax.networks.irse import backbone
from aligned_jax.networks.plain import BatchNorm, Linear, flat_chw
from aligned_jax.ops import resize
from aligned_jax.types import Array

_ALIGNED, _SIZE = 256, 112
_TOP, _BOTTOM, _LEFT, _RIGHT = 35, 223, 32, 220  # the face in an aligned image of 256 pixels


class ArcFace(nn.Module):
    """Images [N, H, W, 3] in [0, 255] to features [N, 512] of length one.

    Images are aligned as those of FFHQ; they are brought to 256 pixels, cut to
    the face and brought to 112, both by area. The dot product of two features
    is the similarity of the faces.
    """

    @nn.compact
    def __call__(self, images: Array) -> dict[str, Array]:
        x = images * jnp.float32(1 / 127.5) - 1
        x = resize.area(x, _ALIGNED)[:, _TOP:_BOTTOM, _LEFT:_RIGHT]
        x = resize.area(x, _SIZE)
        x = backbone(x)[-1]
        x = flat_chw(BatchNorm(name="output_layer.0")(x))  # [N, 512 * 7 * 7]
        x = BatchNorm(name="output_layer.4")(Linear(512, name="output_layer.3")(x))
        length = jnp.sqrt(jnp.square(x).sum(axis=-1, keepdims=True))
        return {"features": x / jnp.maximum(length, jnp.float32(1e-12))}
