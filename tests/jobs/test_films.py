"""Films: frames in turn, drawn when they are wanted, told one by one."""

import contextlib
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from aligned_jax.errors import UserError
from aligned_jax.jobs.films import Film, check_count, in_turn
from aligned_jax.jobs.sources import Usage
from aligned_jax.utils.reporting import Reporter

NOTHING = Usage(False, False, frozenset(), False, "const")


class Listener(Reporter):
    """Keeps what it hears, and how many frames were drawn at that time."""

    def __init__(self, drawn):
        self.drawn, self.heard = drawn, []

    @contextlib.contextmanager
    def progress(self, total, what):
        self.heard.append((total, what))
        yield lambda count, note="": self.heard.append(len(self.drawn))


def film_of(count, size=8, drawn=None, fps=10.0):
    def draw():
        for number in range(count):
            if drawn is not None:
                drawn.append(number)
            yield np.full((size, size, 3), number % 256, np.uint8)

    return Film((count, size, size, 3), draw, fps, 1, NOTHING)


def test_frames_are_drawn_when_they_are_wanted(tmp_path):
    drawn = []
    film = film_of(4, drawn=drawn)
    assert len(film) == 4 and film.summary == "4 frames, 0.4 s" and not drawn
    assert [frame[0, 0, 0] for frame in film] == [0, 1, 2, 3] and len(drawn) == 4
    frames = film.frames
    assert frames.shape == (4, 8, 8, 3) and film.frames is frames and len(drawn) == 8
    film.write(tmp_path / "x.webp")  # of those that are there
    assert len(drawn) == 8


@pytest.mark.parametrize("name", ["x", "x.webp", "x.gif", "x.mp4"])
def test_every_frame_is_told_once_it_is_written(tmp_path, name):
    if name == "x.mp4":
        pytest.importorskip("imageio_ffmpeg")
    drawn = []
    listener = Listener(drawn)
    film_of(5, drawn=drawn).write(tmp_path / name, report=listener)
    total, *told = listener.heard
    assert total == (5, "frames") and len(told) == 5
    assert told[0] <= 2 and told[-1] == 5 and told == sorted(told)


def test_a_long_film_takes_no_more_memory_than_a_short_one(tmp_path):
    most = []
    for count in (20, 400):
        tracemalloc.start()
        film_of(count, size=64).write(tmp_path / f"{count}")
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < most[0] + 400_000 < 400 * 64 * 64 * 3


def test_what_fails_half_way_leaves_nothing(tmp_path):
    def draw():
        yield np.zeros((8, 8, 3), np.uint8)
        raise UserError("it fails")

    film = Film((3, 8, 8, 3), draw, 10.0, 1, NOTHING)
    for name in ("x", "x.webp", "x.gif", "x.mp4"):
        if name == "x.mp4":
            pytest.importorskip("imageio_ffmpeg")
        with pytest.raises(UserError, match="it fails"):
            film.write(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_frames_in_turn_are_drawn_once_each():
    drawn = []

    def frames():
        for number in range(5):
            drawn.append(number)
            yield np.full((2, 2, 1), number, np.uint8)

    places = [0, 0, 1, 2, 3, 4, 4, 4, 3, 2, 1, 3]
    found = [int(frame[0, 0, 0]) for frame in in_turn(frames(), places)]
    assert found == places and drawn == [0, 1, 2, 3, 4]


def test_limits():
    with pytest.raises(UserError, match="take 75 GiB of memory; 64 GiB is the most: take them one"):
        _ = film_of(100_000, size=518).frames
    check_count(10_000_000)
    with pytest.raises(UserError, match="10000001 frames are too many"):
        check_count(10_000_001)


def test_pictures_keep_every_bit(tmp_path):
    film_of(3).write(tmp_path / "film")
    with Image.open(tmp_path / "film" / "frame00002.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), film_of(3).frames[2])
