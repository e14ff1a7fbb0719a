"""Films are read frame by frame, whatever holds them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from aligned_jax import viz
from aligned_jax.data.footage import open_footage
from aligned_jax.errors import FormatError, UserError

FPS = 12.5


def ffmpeg(*words):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-v", "error", "-y", *map(str, words)], check=True)


@pytest.fixture(scope="module")
def frames():
    """12 frames [32, 48] of large squares of colour."""
    small = np.random.default_rng(0).integers(0, 255, (12, 4, 6, 3), dtype=np.uint8)
    return small.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def place(tmp_path_factory, frames):
    """film.mp4, .webp, .gif and film/, and turned.mp4, which has a sound and is turned."""
    folder = tmp_path_factory.mktemp("films")
    for name in ("film.mp4", "film.gif", "film/"):
        viz.save_video(f"{folder}/{name}", frames, FPS)
    viz.save_video(folder / "film.webp", frames, FPS, lossless=True)
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1"]
    turned = ["-display_rotation", "90", "-i", folder / "film.mp4", *tone, "-c:v", "copy"]
    ffmpeg(*turned, "-c:a", "aac", folder / "turned.mp4")
    return folder


@pytest.mark.parametrize("name", ["film.mp4", "film.webp", "film.gif", "film/"])
def test_every_kind_has_the_same_frames(place, frames, name):
    film = open_footage(f"{place}/{name}")
    assert (film.size, film.channels, film.fps) == ((48, 32), 3, pytest.approx(FPS))
    assert film.expected == len(frames) and film.sound == ""
    read = np.stack(list(film.frames()))
    assert read.shape == frames.shape and read.dtype == np.uint8
    if name == "film.mp4":
        assert np.abs(read.astype(int) - frames).mean() < 6
    else:
        np.testing.assert_array_equal(read, frames)
    np.testing.assert_array_equal(np.stack(list(film.frames(9))), read[9:])
    assert open_footage(f"{place}/{name}").digest == film.digest


def test_a_video_is_turned_as_its_camera_says_and_has_a_sound(place, frames):
    film = open_footage(place / "turned.mp4")
    assert film.size == (32, 48) and film.sound == "aac"
    first = next(film.frames())
    assert np.abs(np.rot90(first, -1).astype(int) - frames[0]).mean() < 6


def test_half_a_film_is_read_to_where_it_goes(place):
    film = open_footage(place / "film.mp4")
    one_by_one = film.frames()
    next(one_by_one)
    one_by_one.close()  # which ends ffmpeg
    with pytest.raises(StopIteration):
        next(one_by_one)


def test_transparent_animations_have_four_channels(tmp_path, frames):
    clear = np.concatenate([frames, np.full_like(frames[..., :1], 255)], axis=-1)
    clear[3, :4, :4, 3] = 0
    viz.save_video(tmp_path / "a.webp", clear, FPS, lossless=True)
    film = open_footage(tmp_path / "a.webp")
    read = np.stack(list(film.frames()))
    assert film.channels == 4
    np.testing.assert_array_equal(read[..., 3], clear[..., 3])


def test_a_folder_may_say_its_rate(tmp_path, frames):
    for number in (10, 2, 1):
        Image.fromarray(frames[number]).save(tmp_path / f"{number:02d}.png")
    film = open_footage(tmp_path)
    assert film.fps == 20 and film.files == ("01.png", "02.png", "10.png")
    assert [film.called(2), film.called(7)] == ["10.png", "frame 7"]
    (tmp_path / "film.json").write_text(json.dumps({"fps": 4}))
    assert open_footage(tmp_path).fps == 4
    (tmp_path / "film.json").write_text(json.dumps({"fps": "fast"}))
    with pytest.raises(FormatError, match=r"film.json: `fps` is 'fast'"):
        open_footage(tmp_path)


def test_frames_have_one_size(tmp_path, frames):
    Image.fromarray(frames[0]).save(tmp_path / "a.png")
    Image.fromarray(frames[0][:20]).save(tmp_path / "b.png")
    with pytest.raises(FormatError, match=r"b\.png has 48x20 pixels, and the first 48x32"):
        list(open_footage(tmp_path).frames())


def test_a_damaged_frame_is_named(tmp_path, frames):
    Image.fromarray(frames[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    with pytest.raises(FormatError, match=r"b\.png: "):
        list(open_footage(tmp_path).frames())


def test_a_frame_of_any_name_and_one_that_is_no_file(tmp_path, frames):
    name = os.fsdecode(b"\xff.png")
    Image.fromarray(frames[0]).save(tmp_path / name)
    film = open_footage(tmp_path)
    assert film.called(0) == name and len(list(film.frames())) == 1
    os.rename(tmp_path / name, tmp_path / "b.png")
    assert open_footage(tmp_path).digest != film.digest
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(FormatError, match=r"a\.png: "):
        open_footage(tmp_path)


def test_what_is_no_film(place, tmp_path, frames):
    Image.fromarray(frames[0]).save(tmp_path / "a.webp")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("text")
    whole = (place / "film.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[:700])
    # Another program's list of films, which would open files and addresses that nobody gave.
    lines = ["#EXTM3U", "#EXTINF:1,", str(place / "film.mp4"), "#EXT-X-ENDLIST", ""]
    (tmp_path / "list.mp4").write_text("\n".join(lines))
    (tmp_path / "concat.mp4").write_text(f"ffconcat version 1.0\nfile '{place}/film.mp4'\n")
    for name, words in {
        "no.mp4": "no such film",
        "a.webp": "a picture and no film",
        "a.txt": "is no film: give a video",
        "empty": "holds no frames",
        "half.mp4": "cannot be read",
        "list.mp4": "cannot be read",
        "concat.mp4": "cannot be read",
    }.items():
        with pytest.raises(UserError, match=words):
            open_footage(tmp_path / name)


def test_a_video_needs_its_extra(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r"needs the extra `video`.*give a webp or a folder"):
        open_footage(place / "film.mp4")
