"""Squares of photographs: from five points or a box, turned, beyond the edges, and back."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import cropping, placements
from aligned_jax.errors import FormatError, UserError

# Of an upright face whose square is 64 wide: 16 between the eyes, 16 down to the mouth.
FACE = np.asarray([[24, 30.4], [40, 30.4], [32, 40], [26, 46.4], [38, 46.4]]) - 0.5
SQUARE = [[0, 0], [64, 0], [64, 64], [0, 64]]


def turned(points, degrees, scale=1.0, shift=(0.0, 0.0), about=(32, 32)):
    """Points [..., 2] turned clockwise, as they are seen, made larger and moved."""
    angle = np.deg2rad(degrees)
    turn = np.asarray([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (np.asarray(points) - about) @ turn * scale + about + shift


def blobs(size, centres, width):
    """A photograph uint8 [H, W, 3] with a dark spot around each of three points, one a channel."""
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    planes = [np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * width**2)) for u, v in centres]
    return np.rint(255 * (1 - np.stack(planes, axis=-1))).astype(np.uint8)


def centres(image):
    """Where the spots of `blobs` are in a picture, [3, 2]."""
    weights = 255.0 - np.asarray(image, np.float64)
    weights[weights < 20] = 0
    x, y = np.meshgrid(np.arange(image.width) + 0.5, np.arange(image.height) + 0.5)
    return np.stack(
        [[(w * x).sum() / w.sum(), (w * y).sum() / w.sum()] for w in np.moveaxis(weights, -1, 0)]
    )


@pytest.mark.parametrize("degrees", [-30, -11, 0, 30])
@pytest.mark.parametrize("scale", [0.7, 2.5])
def test_the_square_of_a_face_is_found_wherever_it_lies(degrees, scale):
    shift = (70.3, 51.8)
    place = placements.of_points(turned(FACE + 0.5, degrees, scale, shift) - 0.5, (200, 180))
    assert np.abs(place.corners - turned(SQUARE, degrees, scale, shift)).max() < 1e-9
    assert place.side == pytest.approx(64 * scale)
    spots = np.asarray([[20, 24], [45, 30], [33, 47]])
    photo = blobs((200, 180), turned(spots, degrees, scale, shift), 3 * scale)
    crop = cropping.cropped(Image.fromarray(photo), place, 64)
    assert np.abs(centres(crop) - spots).max() < 0.1  # pixels of the crop
    back = place.from_photo(place.to_photo(spots / 64)) * 64
    np.testing.assert_allclose(back, spots, atol=1e-9)


def test_sizes_of_the_square_follow_the_formula():
    wide, long = FACE.copy(), FACE.copy()
    wide[:2] += [[-4, 0], [4, 0]]  # 24 between the eyes
    long[3:] += [0, 8]  # 24 down to the mouth
    assert placements.of_points(wide, (64, 64)).side == pytest.approx(4 * 24)
    assert placements.of_points(long, (64, 64)).side == pytest.approx(3.6 * 24)


def test_small_crops_of_large_photographs_are_averages():
    photo = np.zeros((256, 256, 3), np.uint8)
    photo[::2, ::2] = photo[1::2, 1::2] = 200  # a pattern that plain sampling would show as one
    place = placements.of_points(turned(FACE + 0.5, 20, 2.0, (90, 90)) - 0.5, (256, 256))
    crop = np.asarray(cropping.cropped(Image.fromarray(photo), place, 16)).astype(int)
    assert np.abs(crop - 100).max() < 12


def test_a_photograph_goes_on_mirrored_blurred_and_fading():
    ramp = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (128, 1))
    ramp[::2] //= 2  # stripes that a blur levels
    image = Image.fromarray(ramp)
    place = placements.Placement((-64.0, 0.0), (128.0, 0.0), (0.0, 128.0), (128, 128))
    crop = np.asarray(cropping.cropped(image, place, 128)).astype(int)
    np.testing.assert_array_equal(crop[:, 64:], ramp[:, :64])  # within it stays as it is
    levels = crop[:, :64].mean(axis=0)
    assert levels[60] == pytest.approx(ramp[:, 4].mean(), abs=4)  # mirrored
    assert np.abs(np.diff(crop[:, 10])).max() < 3 < np.abs(np.diff(crop[:, 100])).max()
    assert np.median(crop) - 15 < levels[0] < ramp[:, 63].mean() - 20  # on its way to the median
    other = placements.Placement((-10.0, 0.0), (128.0, 0.0), (0.0, 128.0), (128, 128))
    assert cropping.cropped(image, other, 64).size == (64, 64)
    with pytest.raises(UserError, match="128x128 pixels are not the 64x64"):
        cropping.cropped(image, placements.of_middle((64, 64)), 8)


def test_boxes_become_squares():
    assert placements.of_box(np.asarray([10, 20, 30, 60]), (100, 100)).whole_box == (0, 20, 40, 60)
    assert placements.of_middle((7, 4)).whole_box == (1, 0, 5, 4)
    beyond = placements.of_box(np.asarray([0, 20, 10, 60]), (100, 100))
    assert beyond.corner == (-15.0, 20.0) and beyond.whole_box is None
    pixels = np.random.RandomState(0).randint(0, 256, (4, 7, 3)).astype(np.uint8)
    crop = cropping.cropped(Image.fromarray(pixels), placements.of_middle((7, 4)), 4)
    np.testing.assert_array_equal(crop, pixels[:, 1:5])


def test_corners_become_squares():
    corners = turned(SQUARE, 25, 0.5, (40, 30))
    place = placements.of_corners(corners, (200, 180))
    assert np.abs(place.corners - corners).max() < 1e-9
    rough = placements.of_corners(np.add(corners, [[1, 0], [0, 1], [-1, 0], [0, -1]]), (200, 180))
    assert np.abs(rough.corners - corners).max() < 1.5
    (ax, ay), (dx, dy) = rough.across, rough.down
    assert (dx, dy) == pytest.approx((-ay, ax))

    def problem(corners):
        return placements.problem_of_corners(np.asarray(corners), (200, 180))

    assert problem(corners) == "" and problem(SQUARE) == ""
    for order in ([1, 0, 2, 3], [3, 2, 1, 0], [0, 0, 0, 0]):
        assert "corners of no square" in problem(corners[order])
    assert "corners of no square" in problem(np.asarray(SQUARE) * [1, 0.7])
    assert problem(np.add(corners, [120, 0])) == ""  # beyond the edge, as squares of points may
    outside = "corners whose middle lies outside the picture of 200x180 pixels"
    assert problem(np.add(corners, [140, 0])) == problem(np.add(corners, [0, -70])) == outside
    wide = np.asarray(SQUARE) * 6.0 - [100, 100]
    assert problem(wide) == "" and "more than twice as wide" in problem(wide * 1.1)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_modes_stay(mode):
    pixels = np.full((64, 64, 4), [200, 100, 50, 255], np.uint8)
    pixels[:, 40:] = [0, 255, 0, 0]  # transparent: its green has no part in anything
    place = placements.of_points(turned(FACE + 0.5, 10) - 0.5, (64, 64))
    crop = cropping.cropped(Image.fromarray(pixels).convert(mode), place, 32)
    assert crop.mode == mode and crop.size == (32, 32)
    if mode == "RGBA":
        colours = np.asarray(crop).astype(int)
        seen = colours[..., 3] > 200
        assert np.abs(colours[seen][:, :3] - [200, 100, 50]).max() < 25 and not seen.all()


def test_the_place_is_told_in_json():
    place = placements.of_points(turned(FACE, 13, 1.7, (5, 3)), (200, 180))
    place = dataclasses.replace(place, photo="a.zip/b.png", digest="00ff")
    told = json.loads(json.dumps(place.document()))
    assert placements.placements_of([told, told]) == (place, place)
    for key, value in (
        ("corner", [0, "x"]),
        ("across", [1.0]),
        ("down", told["across"]),  # no square
        ("corner", [1e9, 0]),
        ("corner", [-500, 0]),  # far beyond the photograph
        ("across", [0, 0]),
        ("corner", [float("nan"), 0]),
        ("size", [0, 5]),
        ("photo", 3),
        ("sha256", None),
        ("size", None),
    ):
        with pytest.raises(FormatError, match="damaged"):
            placements.of_document(told | {key: value})
    for document in ([3], {}, None):
        with pytest.raises(FormatError, match="damaged"):
            placements.placements_of(document)


def test_points_that_are_no_face_are_known():
    def problem(points):
        return placements.problem_of_points(np.asarray(points), (64, 64))

    assert problem(FACE) == ""
    for degrees in (-30, 30, 60):
        assert problem(turned(FACE, degrees)) == ""
    assert problem(FACE[[1, 0, 2, 3, 4]]) == "the left eye to the right of the right one"
    assert problem(FACE[[1, 0, 2, 4, 3]]) == "the left eye to the right of the right one"
    assert problem(FACE[[3, 4, 2, 0, 1]]) == "the eyes below the mouth"
    assert problem(turned(FACE, 180)) == "the eyes below the mouth"
    assert problem(FACE[[0, 1, 2, 4, 3]]).startswith("the left corner of the mouth to the right")
    assert problem(FACE[[0, 2, 1, 3, 4]]) == "the nose not between eyes and mouth"
    assert problem(FACE[[0, 0, 0, 0, 0]]) == "points that lie upon each other"
    assert problem(FACE - [30, 0]) == (
        "left eye and left corner of the mouth outside the picture of 64x64 pixels"
    )
    assert placements.problem_of_box(np.asarray([0, 0, 64, 64]), (64, 64)) == ""
    assert "do not lie beyond" in placements.problem_of_box(np.asarray([9, 0, 9, 5]), (64, 64))
    for box in ([-1, 0, 9, 9], [0, -1, 9, 9], [0, 0, 65, 9], [0, 0, 9, 65]):
        assert "leaves the picture" in placements.problem_of_box(np.asarray(box), (64, 64))
