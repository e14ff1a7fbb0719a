"""Images with opacity: colours are changed in three channels, geometry in four."""

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.augment import AugmentConfig, apply, draw

CONFIG = AugmentConfig(xflip=1.0, brightness=1.0, contrast=1.0, saturation=1.0)


@jax.jit
def augmented(images):
    draws = draw(jax.random.key(3), CONFIG, jnp.arange(8, dtype=jnp.uint32), images.shape[1:])
    return apply(images, draws, 1.0, CONFIG)


def test_opacity_moves_with_the_colours_and_is_none_of_them():
    grey = np.random.RandomState(0).uniform(-1, 1, (8, 8, 8, 1)).astype(np.float32)
    found = np.asarray(augmented(jnp.asarray(np.repeat(grey, 4, axis=-1))))
    moved = [
        any(np.abs(after - before).mean() < 0.1 for before in (plain, plain[:, ::-1]))
        for after, plain in zip(found[..., 3], grey[..., 0], strict=True)
    ]
    assert all(moved) and not np.allclose(found[..., 3], grey[..., 0], atol=0.5)
    colours = found[..., :3]
    np.testing.assert_allclose(colours, colours[..., :1].repeat(3, axis=-1), atol=1e-5)
    # The grey of the colours is that of the opacity, brighter and of another contrast.
    lines = [
        np.polyfit(opacity.ravel(), colour.ravel(), 1)
        for colour, opacity in zip(colours[..., 0], found[..., 3], strict=True)
    ]
    slope, offset = (np.asarray(part)[:, None, None] for part in zip(*lines, strict=True))
    np.testing.assert_allclose(colours[..., 0], slope * found[..., 3] + offset, atol=1e-4)
    assert np.std(slope) > 0.1 and np.std(offset) > 0.02
