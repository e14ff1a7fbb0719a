"""Squares of all frames of a film: told, found, filled in, smoothed."""

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data.faces import Detector, FaceTable
from aligned_jax.data.footage import open_footage
from aligned_jax.data.placements import of_corners
from aligned_jax.data.smoothing import smoothed, weights_of
from aligned_jax.data.tracks import find_track
from aligned_jax.errors import UserError
from tests.data.test_placements import turned

COUNT, SIZE = 9, (60, 40)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    for number in range(COUNT):
        pixels = np.full((SIZE[1], SIZE[0], 3), 10 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return open_footage(folder)


def table(film, /, **faces):
    named = {
        name.replace("_", "@").replace("film", film.name): face for name, face in faces.items()
    }
    return FaceTable({name: [np.asarray(face, float)] for name, face in named.items()}, "f.json")


def test_windows_weigh_the_middle_most():
    assert weights_of(1).tolist() == [1]
    np.testing.assert_allclose(weights_of(3), [0.25, 0.5, 0.25])
    assert weights_of(7).sum() == pytest.approx(1) and weights_of(7).argmax() == 3
    for window in (0, 4, 1001):
        with pytest.raises(UserError, match=f"`window` is {window}; it is an odd number"):
            weights_of(window)


def test_what_stands_still_stays_as_it_is_and_noise_gets_less():
    random = np.random.default_rng(0)
    still = np.repeat(random.standard_normal((1, 3, 5)).astype(np.float32), 20, axis=0)
    np.testing.assert_array_equal(smoothed(still, 7), still)
    noise = random.standard_normal((200, 4))
    assert smoothed(noise, 7)[10:-10].std() < 0.6 * noise.std()
    np.testing.assert_array_equal(smoothed(noise, 1), noise)
    line = np.arange(20.0)[:, None]
    np.testing.assert_allclose(smoothed(line, 5)[2:-2], line[2:-2])
    np.testing.assert_array_equal(smoothed(noise, 7, 50, 60), smoothed(noise, 7)[50:60])


def test_the_middle_stands_still(film):
    heard = []
    track = find_track(film, "center", heard.append)
    assert len(track) == COUNT == sum(heard) and track.found.all()
    assert track.smoothed(5).placement(4).whole_box == (10, 0, 50, 40)
    with pytest.raises(UserError, match="60x40 pixels are not square"):
        find_track(film, "none")


def test_a_table_may_name_the_film_or_frames_of_it(film):
    still = find_track(film, table(film, film=[10, 5, 30, 25]))
    assert {still.placement(k).whole_box for k in range(COUNT)} == {(10, 5, 30, 25)}
    moving = find_track(film, table(film, film_2=[10, 5, 20, 15], film_6=[30, 5, 50, 25]))
    boxes = [moving.placement(k).corners[0].tolist() for k in (0, 2, 6, 8)]
    assert boxes == [[10, 5], [10, 5], [30, 5], [30, 5]]
    # Halfway the middle is halfway, and the side the geometric mean.
    half = moving.placement(4)
    np.testing.assert_allclose(half.corners.mean(axis=0), [27.5, 12.5], atol=1e-5)
    assert half.side == pytest.approx(np.sqrt(10 * 20), abs=1e-5)
    assert np.allclose(moving.smoothed(3).squares[2], moving.squares[1:4].mean(axis=0), atol=2)
    assert not np.allclose(moving.smoothed(3).squares[2], moving.squares[2])
    named = FaceTable({"3.png": [np.asarray([10.0, 5, 30, 25])]})
    assert find_track(film, named).placement(0).whole_box == (10, 5, 30, 25)


def test_squares_turn_steadily(film):
    square = np.asarray([[-8, -8], [8, -8], [8, 8], [-8, 8]], float)
    first, last = (turned(square, angle, about=(0, 0), shift=(30, 20)) for angle in (-20, 20))
    track = find_track(film, table(film, film_0=first, film_8=last))
    half = track.placement(4)
    np.testing.assert_allclose(half.corners, square + np.asarray([30, 20]), atol=1e-5)
    assert track.placement(8).corners == pytest.approx(of_corners(last, SIZE).corners, abs=1e-5)


def test_a_table_that_does_not_fit_is_told_at_once(film):
    wrong = table(film, film_9=[0, 0, 5, 5], film_1=[50, 30, 70, 50])
    wrong.faces["0.png"] = [np.zeros(4)] * 2
    with pytest.raises(UserError) as error:
        find_track(film, wrong)
    for words in ("f.json: ", "@9", "a box that leaves the picture", "2 faces", "@0 to ", "@8"):
        assert words in str(error.value)


def test_of_several_faces_the_largest_is_followed_and_gaps_are_filled(film):
    def find(pixels):
        number = int(pixels[0, 0, 0]) // 10
        if number in (3, 4):
            return []
        large, small = [10 + number, 5, 30 + number, 25], [45, 5, 50, 10]
        return [small, large] if number else [large, small]

    track = find_track(film, Detector(find))
    assert track.found.tolist() == [True] * 3 + [False] * 2 + [True] * 4
    np.testing.assert_allclose(track.squares[:, 0], 10 + np.arange(COUNT), atol=1e-6)
    with pytest.raises(UserError, match="finder has no face in any of the 9 frames"):
        find_track(film, Detector(lambda pixels: [], "finder"))
    with pytest.raises(UserError, match=r"finder fails at .*@0: ZeroDivisionError"):
        find_track(film, Detector(lambda pixels: 1 // 0, "finder"))
