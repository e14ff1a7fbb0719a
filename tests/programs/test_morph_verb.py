"""`aligned morph`: films and grids, and every option."""

import argparse
import base64
import io
import re

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, loading, morphing, weights
from aligned_jax.latents import noise_fields, z_from_seeds
from aligned_jax.tools import morph
from aligned_jax.viz import figure, to_uint8
from tests.helpers import DATA


@pytest.fixture(scope="module")
def way(parent, child):
    """Parent, child, and the latents of seeds 3 and 5 in W+."""
    networks = loading.load(parent), loading.load(child)
    ends = [
        network.mapping(z_from_seeds(network.config, [seed]), psi=0.5)
        for network, seed in zip(networks, (3, 5), strict=True)
    ]
    return *networks, *ends


@pytest.fixture
def film(ok, tmp_path, monkeypatch):
    """film(PARENT, CHILD, ...) -> the frames as they were before encoding, milliseconds of each."""
    from aligned_jax import viz

    kept = []

    def save(path, frames, *rest):
        kept.append(np.stack([*frames]))
        return write(path, kept[-1], *rest)

    write = viz.save_video
    monkeypatch.setattr(viz, "save_video", save, raising=False)

    def run(*argv):
        out = tmp_path / "x.webp"
        ok("morph", *argv, "--out", out, "--overwrite")
        lasting = []
        with Image.open(out) as image:
            assert image.getexif()[0x010E].startswith("aligned morph ")
            for number in range(image.n_frames):
                image.seek(number)
                image.load()
                lasting.append(image.info["duration"])
            return kept[-1].astype(int), lasting, image.size

    return run


SHORT = ("--frames", 4, "--easing", "linear", "--hold", 0)


@pytest.mark.slow
def test_a_film_goes_along_the_diagonal(film, parent, child, way):
    frames, lasting, size = film(parent, child, 3, 5, *SHORT, "--fps", 8)
    times = np.linspace(0, 1, 4)
    expected = to_uint8(np.concatenate(list(morphing.frames(*way, times)))).astype(int)
    assert np.abs(frames - expected).max() <= 1
    assert sum(lasting) == 500 and size == (8, 8)


def test_defaults_are_smooth_and_hold_their_ends(film, parent, child, way):
    frames, lasting, _ = film(parent, child, 3, 5, "--frames", 5)
    times = morphing.timeline(5, "smooth", 10).astype(np.float32)
    expected = to_uint8(np.concatenate(list(morphing.frames(*way, times, batch=25)))).astype(int)
    assert frames.shape == expected.shape and np.abs(frames - expected).max() <= 1
    assert sum(lasting) == 25 * 50


@pytest.mark.parametrize(
    "option",
    [("--frames", 5), ("--easing", "ease-in"), ("--hold", 1), ("--ping-pong",), ("--psi", 0.8),
     ("--noise", "none"), ("--noise", "random"), ("--network-key", "G"), ("--loop",)],
)  # fmt: skip
def test_every_option_changes_the_film(film, parent, child, option):
    before, _, _ = film(parent, child, 3, 5, *SHORT)
    after, _, _ = film(parent, child, 3, 5, *SHORT, *option)
    assert before.shape != after.shape or np.abs(before - after).max() > 1


@pytest.mark.slow
def test_labels_of_conditional_networks(film):
    network = DATA / "generator_cond16.pkl"
    first, second = (film(network, network, 3, 5, *SHORT, "--label", k)[0] for k in (0, 1))
    assert np.abs(first - second).max() > 1


def test_forms_of_a_film(ok, parent, child, tmp_path):
    line = ("morph", parent, child, 3, 5, *SHORT, "--ping-pong")
    said = ok(*line, "--out", tmp_path / "x.webp", "--lossless")
    assert said == f"wrote {tmp_path}/x.webp: 6 frames, 0.3 s\n"
    assert "6 frames, 0.3 s, lossy" in ok(*line, "--out", tmp_path / "y.webp")
    assert "256 colours" in ok(*line, "--out", tmp_path / "x.gif")
    assert ok(*line, "--out", f"{tmp_path}/x/").endswith("6 frames, 0.3 s\n")
    frames = [np.asarray(Image.open(file)) for file in sorted((tmp_path / "x").glob("*.png"))]
    np.testing.assert_array_equal(frames[4], frames[2])
    with Image.open(tmp_path / "x.webp") as exact, Image.open(tmp_path / "x.gif") as gif:
        assert exact.n_frames == gif.n_frames == len(frames) == 6
        for number, frame in enumerate(frames):
            exact.seek(number)
            gif.seek(number)
            np.testing.assert_array_equal(np.asarray(exact.convert("RGB")), frame)
            np.testing.assert_array_equal(np.asarray(gif.convert("RGB")), frame)  # 64 colours


def test_rate_size_and_batch(film, parent, child):
    before, _, _ = film(parent, child, 3, 5, *SHORT)
    after, lasting, size = film(
        parent, child, 3, 5, *SHORT, "--fps", 10, "--scale", 3, "--batch", 3
    )
    assert np.abs(before - after).max() <= 1
    assert lasting == [100] * 4 and size == (24, 24)


def test_random_noise_has_a_seed_and_stays(film, parent, child, way):
    still = (parent, parent, 3, 3, *SHORT, "--noise", "random", "--noise-seed")
    first, second = (film(*still, seed)[0] for seed in (0, 1))
    for frames in (first, second):
        assert np.ptp(frames, axis=0).max() <= 1  # rounding of blends of equal weights
    assert np.abs(first - second).max() > 1
    network, _, a, _ = way
    fields = noise_fields(network.config, jax.random.key(1), np.zeros(1, np.uint32))
    assert np.abs(second[0] - to_uint8(network.synthesis(a, fields))[0]).max() <= 1


def test_many_key_frames(film, parent, child, tmp_path):
    found, _, _ = film(parent, child, 3, "--frames", 4, 5, *SHORT[2:])  # options may stand between
    longer, _, _ = film(parent, child, 3, 5, 4, *SHORT)
    assert len(found) == 4 and len(longer) == 7
    alone, _, _ = film(parent, 3, 5, 4, *SHORT)
    named_twice, _, _ = film(parent, parent, 3, "5,4", *SHORT)
    assert np.abs(alone - named_twice).max() <= 1 < np.abs(alone - longer).max()
    np.savez(tmp_path / "w.npz", w=np.ones((1, 1, 6)) * np.arange(3)[:, None, None])
    rows, _, _ = film(parent, tmp_path / "w.npz", *SHORT)
    one_by_one, _, _ = film(parent, *(f"{tmp_path}/w.npz@{row}" for row in range(3)), *SHORT)
    np.testing.assert_array_equal(rows, one_by_one)
    assert len(rows) == 7


def test_ends_from_files(film, ok, parent, child, tmp_path):
    ok("generate", parent, "--seeds", "1,3", "--psi", 0.5, "--out", tmp_path / "a.npz")
    ok("generate", child, "--seeds", "5", "--psi", 0.5, "--out", tmp_path / "b.npz")
    seeds, _, _ = film(parent, child, 3, 5, *SHORT)
    files, _, _ = film(parent, child, f"{tmp_path}/a.npz@1", tmp_path / "b.npz", *SHORT)
    assert np.abs(seeds - files).max() <= 1


@pytest.mark.usefixtures("stand_in")
def test_pictures_are_inverted_each_in_its_network(film, parent, child, tmp_path):
    picture = tmp_path / "p.png"
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(picture)
    options = (*SHORT, "--perceptual", "none", "--pixels", 1)
    plain, z = (
        film(parent, child, picture, 5, *options, *more)[0] for more in ((), ("--space", "z"))
    )
    assert np.abs(plain[0] - z[0]).max() > 1
    np.testing.assert_array_equal(plain[-1], z[-1])
    back, _, _ = film(child, parent, 5, picture, *options)
    assert np.abs(back[::-1] - plain).max() <= 1


@pytest.mark.usefixtures("stand_in")
def test_a_picture_on_the_way_is_inverted_in_the_blend_that_draws_it(pair, tmp_path):
    picture = tmp_path / "p.png"
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(picture)
    how = {"pictures": jobs.PictureOptions(perceptual="none", pixels=1.0), "frames": 2, "hold": 0}
    middle = weights.interpolate(*pair, 0.5)
    found = jobs.morph(*pair, 3, picture, 5, **how).frames[1].astype(int)
    assert np.abs(found - jobs.morph(middle, None, picture, 5, **how).frames[0]).max() <= 1
    assert np.abs(found - jobs.morph(pair[0], None, picture, 5, **how).frames[0]).max() > 1


def test_a_grid(ok, parent, child, way, tmp_path):
    out = tmp_path / "x.png"
    said = ok("morph", parent, child, 3, 5, "--grid", "2x3", "--out", out)
    assert "2 rows, 3 columns" in said
    images = to_uint8(np.stack(list(morphing.grid(*way, 2, 3))))
    columns = [f"latents {t}" for t in ("0", "0.5", "1")]
    expected = figure(images, columns, ["weights 0", "weights 1"])
    with Image.open(out) as image:
        pixels = np.asarray(image).astype(int)
    assert pixels.shape == expected.shape and np.abs(pixels - expected).max() <= 1


def test_a_grid_as_a_page(ok, parent, child, way, tmp_path):
    out = tmp_path / "x.html"
    said = ok("morph", parent, child, 3, 5, "--grid", "2x3", "--out", out)
    assert "2 rows, 3 columns" in said
    page = out.read_text()
    found = dict(re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)"', page))
    assert len(found) == page.count("<img") == 6
    assert "--grid 2x3" in page.partition("<img")[0]
    images = to_uint8(np.stack(list(morphing.grid(*way, 2, 3)))).astype(int)
    with Image.open(io.BytesIO(base64.b64decode(found["weights 1, latents 0.5"]))) as image:
        assert np.abs(np.asarray(image) - images[1, 1]).max() <= 1


def test_networks_that_do_not_belong_together(refused, aligned, parent, way, tmp_path):
    out = ("--out", tmp_path / "x.webp", *SHORT)
    result = aligned("morph", parent, DATA / "avatars_parent.pkl", 3, 5, *out)
    assert result.code == 2 and "not aligned" in result.err and "img_resolution" in result.err
    (tmp_path / "bad.png").write_bytes(b"\x89PNG cut off")
    assert "no picture can be used" in refused(
        "morph", parent, parent, tmp_path / "bad.png", 5, *out
    )
    stranger = jax.tree.map(lambda value: value + np.float32(0.1), way[0])
    loading.save(tmp_path / "stranger", stranger, {"kind": "made for a test"})
    result = aligned("morph", parent, tmp_path / "stranger", 3, 5, *out)
    assert result.code == 0
    warning = f"warning: {parent} and {tmp_path}/stranger have no common ancestor"
    assert result.err.startswith(warning)


def test_what_cannot_be_morphed(refused, parent, child, tmp_path):
    webp, png = ("--out", tmp_path / "x.webp"), ("--out", tmp_path / "x.png")

    def no(*argv):
        return refused("morph", parent, child, *argv)

    assert "NAME.gif, or a folder of frames" in no(3, 5, *png)
    assert "NAME.png or NAME.html" in no(3, 5, "--grid", "2x2", *webp)
    assert "--fps and --hold cannot be used" in no(
        3, 5, "--grid", "2x2", *png, "--fps", 3, "--hold", 1
    )
    assert "is not like 5x5" in no(3, 5, "--grid", "1x2", *png)
    assert "two key frames: PARENT CHILD A B" in no(3, 5, 6, "--grid", "2x2", *png)
    assert "2 or more key frames; 1 was given" in no(3, *webp)
    assert "2 or more key frames; 0 were given" in no(*webp)
    assert "(loop), not both" in no(3, 5, *webp, "--loop", "--ping-pong")
    assert "--loop cannot be used" in no(3, 5, "--grid", "2x2", *png, "--loop")
    assert "--lossless cannot be used" in no(3, 5, "--grid", "2x2", *png, "--lossless")
    np.savez(tmp_path / "s.npz", ws=np.zeros((1, 4, 8), np.float32))
    assert "does not fit this network" in no(tmp_path / "s.npz", 5, *webp)
    assert "frames a second" in no(3, 5, *webp, "--frames", 2, "--fps", 0)
    assert "frames a second" in no(3, 5, *webp, "--fps", "0.00001")
    assert "24 days" in no(3, 5, *webp, "--hold", 100_000, "--fps", 0.08)
    assert "8x8 pixels times 2048 are too large" in no(3, 5, *webp, "--scale", 2048)
    assert "whole number from 2 to 100000" in no(3, 5, *webp, "--frames", 100_001)
    assert not (tmp_path / "x.webp").exists() and not (tmp_path / "x.png").exists()


@pytest.mark.usefixtures("never_inverts")
def test_both_ends_are_looked_at_before_one_is_inverted(refused, parent, child, tmp_path):
    picture = tmp_path / "p.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    np.savez(tmp_path / "s.npz", ws=np.zeros((1, 4, 8), np.float32))

    def no(b):
        return refused("morph", parent, child, picture, b, "--out", tmp_path / "x.webp")

    assert "no such picture" in no(tmp_path / "none.png")
    assert "no such file" in no(tmp_path / "none.npz")
    assert "does not fit this network" in no(tmp_path / "s.npz")
    (tmp_path / "two").mkdir()
    for name in "pq":
        (tmp_path / "two" / f"{name}.png").hardlink_to(picture)
    assert "which has 2 pictures; give each" in no(tmp_path / "two")


@pytest.mark.usefixtures("stand_in")
def test_options_that_change_nothing_are_named(aligned, parent, child, tmp_path):
    picture = tmp_path / "p.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    idle = ("--steps", 9, "--space", "z", "--noise-seed", 3)
    out = ("--grid", "2x2", "--out", tmp_path / "x.html", "--overwrite")
    found = aligned("morph", parent, child, 3, 5, *idle, *out)
    assert found.code == 0 and found.err.splitlines() == [
        "warning: --steps and --space change nothing: there are no pictures to invert",
        "warning: --noise-seed changes nothing: noise is const",
    ]
    assert "latent A</td><td>psi 0.5<" in (tmp_path / "x.html").read_text()
    found = aligned("morph", parent, child, 3, picture, *idle[:-2], *out)
    assert (found.code, found.err) == (0, "")
    page = (tmp_path / "x.html").read_text()
    assert "latent B</td><td>inverted in z, 9 steps, noise drop, psi 0.5<" in page


def test_a_grid_heeds_the_batch(ok, parent, child, tmp_path, monkeypatch):
    sizes, images = [], morphing.images
    monkeypatch.setattr(morphing, "images", lambda *x: (sizes.append(np.size(x[4])), images(*x))[1])
    command = ("morph", parent, child, 3, 5, "--grid", "2x3", "--batch", 1)
    ok(*command, "--out", tmp_path / "x.png")
    assert sizes == [1] * 6


def test_the_easings_are_those_of_the_library():
    parser = argparse.ArgumentParser()
    morph.add_arguments(parser)
    [easing] = [action for action in parser._actions if action.dest == "easing"]
    assert list(easing.choices) == list(morphing.EASINGS)
