"""Faces back into photographs: seams, several faces, turned ones, grey ones, opacity."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import placements
from aligned_jax.data.cropping import cropped
from aligned_jax.errors import UserError
from aligned_jax.rendering import keeping
from aligned_jax.rendering.pasting import Face, pasted
from tests.data.test_placements import FACE, turned

SIZE = (150, 120)


def photograph(channels=3):
    """Smooth colours, uint8 [H, W, C]; the left third is half transparent."""
    x, y = np.meshgrid(np.linspace(0, 3, SIZE[0]), np.linspace(0, 3, SIZE[1]))
    planes = [128 + 100 * np.sin(k + x * (1 + k / 2)) * np.cos(y - k) for k in range(3)]
    alpha = np.where(x < 1, 128, 255)
    return np.stack([*planes, alpha], axis=-1)[..., :channels].astype(np.uint8)


def place_at(degrees=0.0, scale=1.0, shift=(40.0, 20.0)):
    return placements.of_points(turned(FACE + 0.5, degrees, scale, shift) - 0.5, SIZE)


def crop_of(photo, place, resolution=64):
    image = Image.fromarray(photo[..., 0] if photo.shape[2] == 1 else photo)
    crop = np.asarray(cropped(image, place, resolution))
    return crop.reshape(resolution, resolution, -1)


def inside(place, inset=0.0):
    """Pixels whose middles lie in the square, bool [H, W], by its corners alone."""
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    middle = place.corners.mean(axis=0)
    corners = middle + (place.corners - middle) * (1 - 2 * inset)
    marks = np.ones(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        marks &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0
    return marks


@pytest.mark.parametrize("resolution", [16, 64, 128])
@pytest.mark.parametrize("degrees", [0, 25])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_was_cut_out_comes_back(degrees, channels, resolution):
    photo, place = photograph(channels), place_at(degrees)
    result = pasted(photo, [Face(crop_of(photo, place, resolution), place)])
    assert result.shape == photo.shape and result.dtype == np.uint8
    np.testing.assert_array_equal(result[~inside(place)], photo[~inside(place)])
    difference = np.abs(result.astype(int) - photo)[inside(place)]
    # The step in opacity is not smooth, so that a coarse picture blurs it.
    assert np.median(difference) <= 1 and (channels == 4 or difference.max() <= 4)


def test_the_seam_is_as_wide_as_the_feather():
    photo, place = photograph(), place_at(15)
    white = np.full((32, 32, 3), 255, np.uint8)
    for feather in (0.05, 0.2):
        result = pasted(photo, [Face(white, place)], feather)
        assert (result[inside(place, feather + 0.01)] == 255).all()
        seam = inside(place) & ~inside(place, feather)
        assert ((result[seam] >= photo[seam]) & (result[seam] < 255)).mean() > 0.95
        np.testing.assert_array_equal(result[~inside(place)], photo[~inside(place)])
    hard = pasted(photo, [Face(white, place)], 0.0)
    assert (hard[inside(place, 0.001)] == 255).all()
    for feather in (-0.1, 0.6, float("nan")):
        with pytest.raises(UserError, match="`feather`"):
            pasted(photo, [Face(white, place)], feather)


def test_every_face_keeps_its_own_middle():
    """Squares are four eye distances wide, and so reach over the neighbour's face."""
    photo = photograph()
    places = [place_at(0, 1.5, shift) for shift in ((0, 20), (50, 25))]
    colours = np.asarray([[255, 0, 0], [0, 0, 255]], np.uint8)
    faces = [
        Face(np.broadcast_to(colour, (16, 16, 3)), place)
        for colour, place in zip(colours, places, strict=True)
    ]
    result = pasted(photo, faces)
    np.testing.assert_array_equal(pasted(photo, faces[::-1]), result)
    for place, colour in zip(places, colours, strict=True):
        x, y = place.corners.mean(axis=0).astype(int)
        assert np.abs(result[y - 10 : y + 10, x - 10 : x + 10].astype(int) - colour).max() < 3
    outside = ~(inside(places[0]) | inside(places[1]))
    np.testing.assert_array_equal(result[outside], photo[outside])


def test_what_is_kept_stays():
    photo, place = photograph(), place_at(20)
    white, kept = np.full((32, 32, 3), 255, np.uint8), np.zeros((32, 32), np.float32)
    kept[:, :16] = 1
    result = pasted(photo, [Face(white, place, kept)])
    left = inside(place) & (np.indices(inside(place).shape)[1] < place.corners[:, 0].mean() - 20)
    assert left.any()
    everything = pasted(photo, [Face(white, place, np.ones((32, 32), np.float32))])
    np.testing.assert_array_equal(everything, photo)
    turned_half = place.to_photo(np.asarray([[0.25, 0.5], [0.75, 0.5]])).astype(int)
    (ax, ay), (bx, by) = turned_half
    np.testing.assert_array_equal(result[ay, ax], photo[ay, ax])
    np.testing.assert_array_equal(result[by, bx], [255, 255, 255])


def test_opacity():
    place = place_at()
    x, y = map(int, place.corners.mean(axis=0))
    red = np.full((16, 16, 4), [255, 0, 0, 128], np.uint8)
    # A photograph without opacity shines through; one with it takes that of the picture.
    through = pasted(photograph(3), [Face(red, place)])[y, x].astype(int)
    half = (photograph(3)[y, x] + np.asarray([255, 0, 0])) / 2
    assert np.abs(through - half).max() <= 2
    np.testing.assert_array_equal(pasted(photograph(4), [Face(red, place)])[y, x], red[0, 0])
    # Without opacity, colours alone.
    photo = photograph(4)
    result = pasted(photo, [Face(red[..., :3], place)])
    np.testing.assert_array_equal(result[..., 3], photo[..., 3])
    np.testing.assert_array_equal(result[y, x, :3], [255, 0, 0])
    photo[..., 3] = 0
    np.testing.assert_array_equal(pasted(photo, [Face(red[..., :3], place)]), photo)


def test_colours_into_grey_and_grey_into_colours():
    place = place_at()
    x, y = map(int, place.corners.mean(axis=0))
    grey = photograph(1)
    red = pasted(grey, [Face(np.full((8, 8, 3), [255, 0, 0], np.uint8), place)])
    assert red.shape[2] == 3
    np.testing.assert_array_equal(red[~inside(place)], grey.repeat(3, axis=2)[~inside(place)])
    np.testing.assert_array_equal(red[y, x], [255, 0, 0])
    plain = pasted(photograph(3), [Face(np.full((8, 8, 1), 7, np.uint8), place)])
    np.testing.assert_array_equal(plain[y, x], [7, 7, 7])


def test_squares_beyond_the_edges_and_other_photographs():
    photo, place = photograph(), place_at(10, 1.5, (-20, -20))
    assert (place.corners < 0).any()
    result = pasted(photo, [Face(crop_of(photo, place), place)])
    np.testing.assert_array_equal(result[~inside(place)], photo[~inside(place)])
    assert np.abs(result.astype(int) - photo).max() <= 6
    far = dataclasses.replace(place, corner=(-500.0, 0.0))
    np.testing.assert_array_equal(pasted(photo, [Face(crop_of(photo, place), far)]), photo)
    np.testing.assert_array_equal(pasted(photo, []), photo)
    with pytest.raises(UserError, match="150x119 pixels, not the 150x120"):
        pasted(photo[:-1], [Face(crop_of(photo, place), place)])


def test_lab_and_back():
    known = {(1, 1, 1): (100, 0, 0), (-1, -1, -1): (0, 0, 0), (1, -1, -1): (53.24, 80.09, 67.20)}
    for colour, lab in known.items():
        np.testing.assert_allclose(keeping.to_lab(np.float32(colour)), lab, atol=0.05)
    colours = np.random.RandomState(0).uniform(-1, 1, (50, 3)).astype(np.float32)
    np.testing.assert_allclose(keeping.from_lab(keeping.to_lab(colours)), colours, atol=2e-4)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_colours_of_others(channels):
    random = np.random.RandomState(0)
    images = random.uniform(-0.4, 0.4, (2, 12, 12, channels)).astype(np.float32)
    sources = np.clip(0.5 * images[:, ::-1] + 0.2, -1, 1)
    result = keeping.with_colours(images, sources)
    assert result.dtype == np.float32 and result.shape == images.shape
    lab, wanted = (
        keeping.to_lab(v.repeat(3, -1) if channels == 1 else v[..., :3]) for v in (result, sources)
    )
    np.testing.assert_allclose(lab.mean((1, 2)), wanted.mean((1, 2)), atol=0.3)
    np.testing.assert_allclose(lab.std((1, 2)), wanted.std((1, 2)), atol=0.3)
    np.testing.assert_array_equal(result[..., 3:], images[..., 3:])
    np.testing.assert_allclose(keeping.with_colours(images, images), images, atol=1e-3)


def test_parts_of_others():
    images, sources = np.zeros((2, 4, 4, 3), np.float32), np.ones((2, 4, 4, 3), np.float32)
    shares = np.zeros((1, 4, 4, 1), np.float32)
    shares[:, :2] = 1
    result = keeping.with_parts(images, sources, shares)
    assert (result[:, :2] == 1).all() and (result[:, 2:] == 0).all()
