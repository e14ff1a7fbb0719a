"""Pixels of pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from aligned_jax.errors import UserError
from aligned_jax.viz import check_channels, figure, save_png, tile, to_uint8


def random_images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_bytes_are_truncated_not_rounded():
    # 0.004 * 127.5 + 128 = 128.51 and -1 / 127.5 * 127.5 + 128 = 127.
    floats = np.array([-2, -1, -1 / 127.5, 0, 0.004, 0.999, 1, 7], np.float32).reshape(1, 8, 1)
    expected = [0, 0, 127, 128, 128, 255, 255, 255]
    assert to_uint8(floats).ravel().tolist() == expected
    assert to_uint8(floats).dtype == np.uint8


def test_numbers_that_are_not_finite_are_refused_and_huge_ones_clipped():
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(UserError, match="not finite"):
            to_uint8(np.full((1, 1, 1), bad, np.float32))
    assert to_uint8(np.array([[[3e38, -3e38]]], np.float32)).ravel().tolist() == [255, 0]


@pytest.mark.parametrize("columns", [None, 3, 5])
def test_tiles_are_in_reading_order(columns):
    images = random_images(5, 4, 6, 3)
    picture = tile(images, columns)
    wide = columns or 3
    assert picture.shape == (-(-5 // wide) * 4, wide * 6, 3)
    for i, image in enumerate(images):
        y, x = i // wide * 4, i % wide * 6
        assert (picture[y : y + 4, x : x + 6] == image).all()
    if wide == 3:
        assert (picture[4:, 12:] == 255).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("labels", [(), ("seed 0", "seed 4294967295")])
def test_a_figure_holds_every_image_enlarged(channels, labels):
    images = random_images(2, 3, 8, 8, channels)
    picture = figure(images, ["one", "two of them in more than one line", "three"], labels)
    assert picture.shape[-1] == (4 if channels == 4 else 3)
    size = 14 * 8  # 8 pixels, enlarged by a whole factor to at least 112
    right, bottom = picture.shape[1] - 8, picture.shape[0] - 8
    for r, k in np.ndindex(2, 3):
        y, x = bottom - size - (1 - r) * (size + 4), right - size - (2 - k) * (size + 4)
        shown = picture[y : y + size : 14, x : x + size : 14]
        assert (shown == images[r, k]).all()
    frame = picture[bottom - size - 1 : bottom + 1, right - size - 1 : right + 1, :3]
    assert (frame[[0, -1]] == frame[0, 0]).all() and (frame[:, [0, -1]] == frame[0, 0]).all()
    assert (frame[0, 0] < 255).all()  # white images do not run into the page
    margin = picture[:, : right - 3 * size - 2 * 4 - 1]
    assert bool((margin[..., :3] < 255).any()) == bool(labels)
    headings = picture[: bottom - 2 * size - 4 - 1]
    assert (headings[..., :3] < 255).any()


def test_large_images_are_not_enlarged():
    images = random_images(1, 1, 128, 128, 3)
    assert (figure(images, ["x"])[-136:-8, 8:136] == images[0, 0]).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_files_keep_pixels_and_text(channels):
    image, file = random_images(5, 7, channels), io.BytesIO()
    save_png(file, image, {"Comment": "aligned é ✓"})
    with Image.open(file) as opened:
        opened.load()
        assert opened.text == {"Comment": "aligned é ✓"}
        assert (np.asarray(opened).reshape(image.shape) == image).all()


def test_other_numbers_of_channels_are_refused():
    with pytest.raises(UserError, match="5 channels"):
        check_channels(5)
    with pytest.raises(UserError, match="2 channels"):
        save_png(io.BytesIO(), random_images(4, 4, 2))


def test_a_title_lies_above_and_moves_the_rest_down():
    images = np.zeros((1, 2, 64, 64, 3), np.uint8)
    plain = figure(images, ["a", "b"])
    titled = figure(images, ["a", "b"], title="a title")
    long = figure(images, ["a", "b"], title="a title " * 12)
    assert plain.shape[0] < titled.shape[0] < long.shape[0]
    assert plain.shape[1] == titled.shape[1] == long.shape[1]
    np.testing.assert_array_equal(titled[-len(plain) + 8 :], plain[8:])
    assert titled[: len(titled) - len(plain)].min() < 100


def test_a_wider_gap_lies_between_groups_of_columns():
    images = random_images(1, 4, 8, 8, 3)
    plain, grouped = figure(images, [""] * 4), figure(images, [""] * 4, group=2)
    assert grouped.shape[1] == plain.shape[1] + 16
    half = 8 + 2 * (112 + 4) - 2
    np.testing.assert_array_equal(grouped[:, :half], plain[:, :half])
    np.testing.assert_array_equal(grouped[:, half + 16 :], plain[:, half:])
