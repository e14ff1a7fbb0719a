"""Animations as WebP."""

import io

import numpy as np
import pytest
from PIL import Image

from aligned_jax import viz


def frames(channels=3):
    shades = np.arange(0, 250, 50, dtype=np.uint8)
    return [np.full((6, 8, channels), shade, np.uint8) for shade in shades]


def written(*args, **options):
    file = io.BytesIO()
    viz.save_webp(file, *args, **options)
    with Image.open(file) as image:
        durations, shades = [], []
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            durations.append(image.info["duration"])
            shades.append(int(np.asarray(image.convert("RGB")).mean()))
        return image.size, durations, shades, image.info["loop"]


@pytest.mark.parametrize("channels", [1, 3])
def test_frames_durations_and_loops(channels):
    size, durations, shades, loop = written(frames(channels), 40)
    assert size == (8, 6)
    assert durations == [40] * 5
    np.testing.assert_allclose(shades, np.arange(0, 250, 50), atol=3)
    assert loop == 0
    assert written(frames(channels), 40, loop=2)[3] == 2
    assert written(frames(channels), 40, hold=500)[1] == [40] * 4 + [540]
