"""Animations: what can be read back of them."""

import io
import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from aligned_jax.errors import UserError
from aligned_jax.viz import FrameStream, check_video, loss_of, mp4, save_video, save_webp, video


@pytest.fixture
def ramp():
    """Ten frames of 9x6 from black to light grey, each of one colour."""
    levels = (np.arange(10) * 24).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (10, 6, 9, 3)).copy()


def read(path):
    """Frames uint8 [T, H, W, 3], and the milliseconds of each."""
    with Image.open(path) as film:
        shown, lasting = [], []
        for i in range(film.n_frames):
            film.seek(i)
            shown.append(np.asarray(film.convert("RGB")))
            lasting.append(film.info["duration"])
    return np.stack(shown), lasting


def test_webp_holds_every_frame_for_its_time(tmp_path, ramp):
    out = tmp_path / "x.webp"
    save_video(out, ramp, 30, {"Comment": "aligned morph", "Software": "us"})
    shown, lasting = read(out)
    assert shown.shape == ramp.shape and np.abs(shown.astype(int) - ramp).max() <= 4
    # 1/30 second is no whole number of milliseconds; the sum is right.
    assert lasting == [33, 34, 33] * 3 + [33] and sum(lasting) == 333
    with Image.open(out) as film:
        assert film.info["loop"] == 0
        assert film.getexif()[0x010E] == "aligned morph" and film.getexif()[0x0131] == "us"


def test_the_rate_and_the_scale(tmp_path, ramp):
    save_video(tmp_path / "x.webp", ramp, 10, scale=3)
    shown, lasting = read(tmp_path / "x.webp")
    assert shown.shape == (10, 18, 27, 3) and lasting == [100] * 10


def test_grey_and_transparent_frames(tmp_path, ramp):
    save_video(tmp_path / "grey.webp", ramp[..., :1], 10)
    assert np.abs(read(tmp_path / "grey.webp")[0].astype(int) - ramp).max() <= 4
    clear = np.where(np.arange(9) < 4, 0, 255).astype(np.uint8)[None, None, :, None]
    alpha = np.broadcast_to(clear, (10, 6, 9, 1))
    save_video(tmp_path / "clear.webp", np.concatenate([ramp, alpha], axis=3), 10)
    with Image.open(tmp_path / "clear.webp") as film:
        assert film.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(film)[..., 3:], alpha[0])


def test_a_last_frame_that_stays_and_films_that_end(ramp):
    def about(**options):
        file = io.BytesIO()
        save_webp(file, list(ramp), 40, **options)
        with Image.open(file) as film:
            film.seek(film.n_frames - 1)
            film.load()
            return film.info["duration"], film.info["loop"]

    assert about() == (40, 0)
    assert about(hold=500) == (540, 0)
    assert about(loop=2) == (40, 2)


def noisy(count=4, channels=3):
    return np.random.default_rng(0).integers(0, 256, (count, 8, 12, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_keeps_every_bit_and_what_says_that_it_does_not(tmp_path, channels):
    frames = noisy(channels=channels)
    save_video(tmp_path / "plain.webp", frames, 10)
    save_video(tmp_path / "exact.webp", frames, 10, lossless=True)
    wanted = np.broadcast_to(frames, (*frames.shape[:3], 3))
    np.testing.assert_array_equal(read(tmp_path / "exact.webp")[0], wanted)
    assert np.abs(read(tmp_path / "plain.webp")[0].astype(int) - wanted).max() > 1
    assert loss_of("x.webp", lossless=True) == loss_of("x/") == loss_of("x") == ""
    assert "lossy" in loss_of("x.webp") and "lossy" in loss_of("x.mp4")
    assert "256 colours" in loss_of("x.gif")


def test_gif(tmp_path, ramp):
    save_video(tmp_path / "x.gif", ramp, 30, {"Comment": "aligned walk " + "x" * 300}, scale=2)
    shown, lasting = read(tmp_path / "x.gif")
    # Each frame has one colour, so that its palette holds it.
    np.testing.assert_array_equal(shown, ramp.repeat(2, axis=1).repeat(2, axis=2))
    assert lasting == [30, 40, 30] * 3 + [30] and sum(lasting) == 330
    with Image.open(tmp_path / "x.gif") as film:
        assert film.info["loop"] == 0 and film.info["comment"] == b"aligned walk " + b"x" * 300
    clear = np.concatenate([noisy(), np.zeros_like(noisy(channels=1))], axis=3)
    save_video(tmp_path / "clear.gif", clear, 10)
    np.testing.assert_array_equal(read(tmp_path / "clear.gif")[0], np.full((4, 8, 12, 3), 255))
    busy = noisy(1).repeat(3, axis=1).repeat(2, axis=2)  # no more than 96 colours
    save_video(tmp_path / "busy.gif", busy, 10)
    np.testing.assert_array_equal(read(tmp_path / "busy.gif")[0], busy)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_folder_of_frames(tmp_path, channels):
    frames, out = noisy(12, channels), tmp_path / "film"
    save_video(out, frames, 8, {"Comment": "aligned walk"}, scale=2)
    names = sorted(os.listdir(out))
    assert names == ["film.json", *(f"frame{k:05d}.png" for k in range(12))]
    for frame, name in zip(frames, names[1:], strict=True):
        with Image.open(out / name) as picture:
            assert picture.text["Comment"] == "aligned walk"
            pixels = np.asarray(picture).reshape(16, 24, channels)
        np.testing.assert_array_equal(pixels, frame.repeat(2, axis=0).repeat(2, axis=1))
    told = json.loads((out / "film.json").read_text())
    assert (told["frames"], told["fps"], told["seconds"]) == (12, 8, 1.5)
    assert told["comment"] == "aligned walk"
    with pytest.raises(UserError, match="is not empty"):
        save_video(out, frames, 8)
    with pytest.raises(UserError, match=r"longer film.*frame00010.png, frame00011.png"):
        save_video(out, frames[:10], 8, overwrite=True)
    save_video(out, frames[::-1], 8, overwrite=True)
    with Image.open(out / "frame00000.png") as picture:
        assert (np.asarray(picture).reshape(8, 12, channels) == frames[-1]).all()


def test_existing_files_stay_unless_told(tmp_path, ramp):
    out = tmp_path / "x.webp"
    out.write_bytes(b"mine")
    with pytest.raises(UserError, match="already exists"):
        save_video(out, ramp, 10)
    assert out.read_bytes() == b"mine"
    save_video(out, ramp, 10, overwrite=True)
    assert len(read(out)[0]) == 10
    assert os.listdir(tmp_path) == ["x.webp"]


def test_what_cannot_be_written(tmp_path, ramp, monkeypatch):
    with pytest.raises(UserError, match=r"NAME.webp, NAME.mp4, NAME.gif, or a folder of frames"):
        check_video(tmp_path / "x.png")
    for rate in (60, 0.001):
        with pytest.raises(UserError, match=r"cannot be shown in a .gif; give 0.002 to 50"):
            check_video(tmp_path / "x.gif", fps=rate)
    for name in ("x.gif", "x.mp4"):
        with pytest.raises(UserError, match=r"loses something; write NAME.webp, or a folder"):
            save_video(tmp_path / name, ramp, 10, lossless=True)
    for rate in (0, 1e-5, 1e-300, -1, float("nan"), 1e4):
        with pytest.raises(UserError, match="frames a second"):
            save_video(tmp_path / "x.webp", ramp, rate)
    with pytest.raises(UserError, match="5 channels"):
        save_video(tmp_path / "x.webp", np.zeros((2, 4, 4, 5), np.uint8), 10)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r"extra `video`.*NAME.webp"):
        check_video(tmp_path / "x.mp4")
    assert not list(tmp_path.iterdir())


def test_limits_of_the_formats(tmp_path, ramp, monkeypatch):
    out = tmp_path / "x.webp"
    check_video(out, fps=1, shape=(2_147_483, 1, 1))
    with pytest.raises(UserError, match=r"300 frames at 0.0001 a second last longer than 24 days"):
        save_video(out, ramp.repeat(30, axis=0), 1e-4)
    check_video(out, shape=(2, 1, 16383))
    save_video(tmp_path / "slow.webp", ramp[:2], 1e-4)
    assert read(tmp_path / "slow.webp")[1] == [10_000_000] * 2
    (tmp_path / "slow.webp").unlink()
    check_video(out, shape=(2, 129, 64), scale=127)
    with pytest.raises(UserError, match=r"6x5461 pixels times 4 .* at most 3"):
        check_video(out, shape=(2, 5461, 6), scale=4)
    with pytest.raises(UserError, match=r"a side of a .webp may have 16383"):
        save_video(out, ramp, 10, scale=100_000)
    monkeypatch.setattr(video, "ffmpeg_program", lambda: "ffmpeg")
    check_video(tmp_path / "x.mp4", shape=(2, 64, 64), scale=64)
    with pytest.raises(UserError, match=r"a side of a .mp4 may have 4096"):
        check_video(tmp_path / "x.mp4", shape=(2, 64, 64), scale=65)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".webp", ".mp4", ".gif", ""])
def test_frames_are_taken_and_enlarged_one_by_one(tmp_path, suffix):
    if suffix == ".mp4":
        pytest.importorskip("imageio_ffmpeg")
    drawn = (np.full((32, 32, 3), level, np.uint8) for level in range(200))
    frame = (32 * 8) ** 2 * 3
    tracemalloc.start()
    save_video(tmp_path / f"x{suffix}", FrameStream((200, 32, 32, 3), drawn), 10, scale=8)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frame < most < 8 * frame  # all of them are 200


def test_what_ffmpeg_says_is_passed_on(tmp_path, monkeypatch):
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\necho no such codec >&2\nexit 3\n")
    script.chmod(0o755)
    for module in (video, mp4):
        monkeypatch.setattr(module, "ffmpeg_program", lambda: str(script))
    frames = np.zeros((50, 64, 64, 3), np.uint8)  # more than a pipe holds
    with pytest.raises(UserError, match="ffmpeg cannot write this mp4: no such codec; write NAME"):
        save_video(tmp_path / "x.mp4", frames, 10)
    assert not (tmp_path / "x.mp4").exists()


def film(path, size):
    """Frames uint8 [T, H, W, 3] of an mp4, and ffmpeg's description of it."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    command = [ffmpeg, "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, *size, 3), done.stderr.decode()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_mp4(tmp_path, ramp, channels):
    pytest.importorskip("imageio_ffmpeg")
    out = tmp_path / "x.mp4"
    odd = ramp[:, :5]  # 5 x 9: h264 takes even sizes only
    if channels == 4:
        frames = np.concatenate([odd, np.full_like(odd[..., :1], 128)], axis=-1)
        expected = odd[..., :3].astype(int) * 128 / 255 + 127
    else:
        frames, expected = odd[..., :channels], odd.astype(int)
    save_video(out, frames, 8, {"Comment": "aligned morph"}, scale=3)
    shown, about = film(out, (16, 28))
    assert len(shown) == 10 and " 8 fps" in about and "aligned morph" in about
    assert np.abs(shown[:, 0, 0] - expected[:, 0, 0]).max() <= 6
