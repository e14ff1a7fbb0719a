"""Feature networks see images with opacity over white, LPIPS over white and over black."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.evaluation.image_sets import StoredImages
from aligned_jax.features import extractor
from aligned_jax.features.extractor import Lpips
from aligned_jax.features.networks import NETWORKS

COLOUR = np.random.RandomState(0).uniform(0, 255, (1, 75, 75, 3)).astype(np.float32)


def seen(opacity, low=0.0, high=255.0, ground=255.0):
    images = np.concatenate([COLOUR, np.full((1, 75, 75, 1), opacity, np.float32)], axis=-1)
    scaled = images / 255 * (high - low) + low
    return np.asarray(extractor._three_channels("inception", scaled, low, high, ground))


def test_what_lies_below():
    np.testing.assert_allclose(seen(255.0), COLOUR, rtol=1e-6)
    np.testing.assert_allclose(seen(0.0), 255.0, rtol=1e-6)
    np.testing.assert_allclose(seen(127.5), (COLOUR + 255) / 2, rtol=1e-5)
    black = seen(127.5, -1.0, 1.0, ground=-1.0)
    np.testing.assert_allclose(black, COLOUR / 255 - 1, atol=1e-5)


class Pixels:
    """Stands for a network: its maps are the pixels themselves."""

    def apply(self, variables, images):
        return [images, 2 * images]


@pytest.fixture
def lpips(monkeypatch):
    network = dataclasses.replace(NETWORKS["lpips_vgg"], module=Pixels)
    monkeypatch.setitem(NETWORKS, "lpips_vgg", network)
    return Lpips("lpips_vgg", {}, "")


def test_the_distance_is_the_mean_over_white_and_black(lpips):
    a, b = (np.random.RandomState(k).uniform(-1, 1, (2, 16, 16, 4)).astype("f4") for k in (1, 2))

    def over(images, ground):
        opacity = (images[..., 3:] + 1) / 2
        return images[..., :3] * opacity + ground * (1 - opacity)

    both = [5 * np.square(over(a, g) - over(b, g)).sum(axis=(1, 2, 3)) for g in (1, -1)]
    np.testing.assert_allclose(lpips(jnp.asarray(a), jnp.asarray(b)), np.mean(both, 0), rtol=1e-5)
    white = np.ones_like(a)
    clear = np.concatenate([white[..., :3], -white[..., 3:]], axis=-1)
    assert (np.asarray(lpips(jnp.asarray(white), jnp.asarray(clear))) > 100).all()
    opaque = np.concatenate([a[..., :3], white[..., 3:]], axis=-1)
    plain = lpips(jnp.asarray(a[..., :3]), jnp.asarray(b[..., :3]))
    other = np.concatenate([b[..., :3], white[..., 3:]], axis=-1)
    np.testing.assert_allclose(lpips(jnp.asarray(opaque), jnp.asarray(other)), plain, rtol=1e-5)


class Memory:
    """Images that answer as an open dataset does."""

    fingerprint, options = "x", type("Options", (), {"mirror": False, "split": "all"})

    def __init__(self, channels):
        self.channels = channels

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.zeros((8, 8, self.channels), np.uint8), np.zeros(0, np.float32)


def test_scores_record_what_lay_below():
    assert StoredImages(Memory(4), "x").facts()["opacity"].startswith("over white")
    assert "opacity" not in StoredImages(Memory(3), "x").facts()
