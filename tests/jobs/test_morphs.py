"""`jobs.morph` and `jobs.morph_grid`, called from a script."""

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, loading, morphing, weights
from aligned_jax.errors import UserError
from aligned_jax.jobs.key_frames import is_key_frame
from aligned_jax.provenance import Command
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.viz import to_uint8
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT, aligned, noise_images, save_images

SHORT = {"frames": 4, "hold": 0, "easing": "linear"}


@pytest.fixture(scope="module")
def pair(child):
    return loading.load(PARENT), loading.load(child)


def test_a_film_is_that_of_the_verb(child, pair, tmp_path):
    words = ("--frames", 4, "--hold", 1, "--psi", 0.7, "--fps", 8, "--scale", 2)
    said = aligned("morph", PARENT, child, 3, 5, *words, "--out", tmp_path / "verb.webp")
    film = jobs.morph(*pair, 3, 5, frames=4, hold=1, psi=0.7, fps=8, scale=2)
    assert said.startswith(f"wrote {tmp_path}/verb.webp: {film.summary}, lossy; ")
    assert film.frames.shape == (6, 8, 8, 3) and film.frames.dtype == np.uint8
    film.write(tmp_path / "job.webp", Command("aligned morph x"))
    with (
        Image.open(tmp_path / "job.webp") as ours,
        Image.open(tmp_path / "verb.webp") as theirs,
    ):
        assert ours.getexif()[0x010E] == "aligned morph x"
        assert ours.n_frames == theirs.n_frames and ours.size == theirs.size == (16, 16)
        for number in range(ours.n_frames):
            ours.seek(number)
            theirs.seek(number)
            assert (np.asarray(ours) == np.asarray(theirs)).all()
    with pytest.raises(UserError, match="already exists"):
        film.write(tmp_path / "job.webp")


def test_ends_of_every_kind(pair, tmp_path):
    expected = jobs.morph(*pair, 3, "5", **SHORT).frames
    ends = [latents_of_seeds(one.config, [n], psi=0.5) for one, n in zip(pair, (3, 5), strict=True)]
    files = [tmp_path / name for name in ("a.npz", "b.npz")]
    jobs.generate(pair[0], [1, 3], psi=0.5).write(files[0])
    jobs.generate(pair[1], [5], psi=0.5).write(files[1])
    for a, b in (ends, ([3], np.array([5])), (f"{files[0]}@1", files[1])):
        found = jobs.morph(*pair, a, b, **SHORT).frames.astype(int)
        assert np.abs(found - expected).max() <= 1


@pytest.mark.slow
def test_pictures_in_files_and_in_memory(pair, tmp_path):
    image = noise_images(1)
    save_images(tmp_path / "photos", image)
    options = {"pictures": jobs.PictureOptions(steps=2, perceptual="none", pixels=1.0), **SHORT}
    memory = jobs.morph(*pair, image, 5, **options)
    file = jobs.morph(*pair, tmp_path / "photos" / "0.png", 5, **options)
    assert (memory.frames == file.frames).all() and memory.usage.optimised
    z = jobs.morph(*pair, image, 5, space="z", **options)
    assert np.abs(memory.frames[0].astype(int) - z.frames[0]).max() > 1


def test_a_grid_is_that_of_the_verb(child, pair, tmp_path):
    line = ("morph", PARENT, child, 3, 5, "--grid", "2x3", "--batch", 2)
    aligned(*line, "--out", tmp_path / "verb.png")
    plane = jobs.morph_grid(PARENT, child, 3, 5, 2, 3, batch=2)
    sheet = plane.sheet
    sheet.write(tmp_path / "job.png")
    with Image.open(tmp_path / "job.png") as ours, Image.open(tmp_path / "verb.png") as theirs:
        assert (np.asarray(ours) == np.asarray(theirs)).all()
    assert sheet.images.shape == (2, 3, 8, 8, 3) and sheet.title == f"From {PARENT} to {child}"
    assert sheet.facts == {"latent A": "psi 0.5", "latent B": "psi 0.5"}
    film = jobs.morph(*pair, 3, 5, **SHORT)
    assert np.abs(film.frames[0].astype(int) - sheet.images[0, 0]).max() <= 1
    assert np.abs(film.frames[-1].astype(int) - sheet.images[1, 2]).max() <= 1


@pytest.mark.parametrize(
    "option",
    [{"frames": 5}, {"easing": "ease-in"}, {"hold": 1}, {"ping_pong": True}, {"psi": 0.8},
     {"noise": "none"}, {"noise": "random"}, {"noise": "random", "noise_seed": 1}],
)  # fmt: skip
def test_every_option_changes_the_film(pair, option):
    before = jobs.morph(*pair, 3, 5, **SHORT)
    after = jobs.morph(*pair, 3, 5, **SHORT | option)
    frames = before.frames.astype(int), after.frames.astype(int)
    assert frames[0].shape != frames[1].shape or np.abs(frames[0] - frames[1]).max() > 1


@pytest.mark.slow
def test_labels(pair):
    network = DATA / "generator_cond16.pkl"
    first, second = (
        jobs.morph(network, network, 3, 5, label=k, frames=2, hold=0).frames for k in (0, 1)
    )
    assert np.abs(first.astype(int) - second).max() > 1


def test_frames_are_those_of_the_diagonal(pair):
    film = jobs.morph(*pair, 3, 5, frames=3, hold=0, easing="linear", batch=2)
    ends = [
        latents_of_seeds(network.config, [seed], psi=0.5).in_space(network, "w+").arrays["ws"]
        for network, seed in zip(pair, (3, 5), strict=True)
    ]
    drawn = np.concatenate(list(morphing.frames(*pair, *ends, np.linspace(0, 1, 3))))
    assert np.abs(film.frames - to_uint8(drawn).astype(int)).max() <= 1


def keys_of(network, seeds):
    """W+ [1, L, w_dim] of each seed."""
    latents = latents_of_seeds(network.config, seeds, psi=0.5).in_space(network, "w+")
    return latents.arrays["ws"][:, None]


def test_many_key_frames_are_latents_of_the_blends_that_draw_them(pair):
    found = jobs.morph(*pair, 3, 5, 4, **SHORT).frames
    middle = weights.interpolate(*pair, 0.5)
    networks = (pair[0], middle, pair[1])
    keys = [keys_of(network, [seed])[0] for network, seed in zip(networks, (3, 5, 4), strict=True)]
    halves = [np.concatenate([*morphing.path(*pair, keys, np.linspace(0, 2, 7))])]
    assert found.shape == (7, 8, 8, 3)
    assert np.abs(found - to_uint8(halves[0]).astype(int)).max() <= 1
    for frame, network, seed in zip(found[::3], networks, (3, 5, 4), strict=True):
        alone = to_uint8(jobs.generate(network, [seed], psi=0.5).images())[0]
        assert np.abs(frame.astype(int) - alone).max() <= 1


def test_key_frames_of_one_network_are_drawn_by_it(pair, tmp_path):
    network = pair[0]
    found = jobs.morph(network, None, 1, "3,5", 4, **SHORT).frames
    assert len(found) == 10
    for frame, seed in zip(found[::3], (1, 3, 5, 4), strict=True):
        alone = to_uint8(jobs.generate(network, [seed], psi=0.5).images())[0]
        assert np.abs(frame.astype(int) - alone).max() <= 1
    jobs.generate(network, [1, 3, 5, 4], psi=0.5).write(tmp_path / "w.npz")
    np.testing.assert_array_equal(
        jobs.morph(network, None, tmp_path / "w.npz", **SHORT).frames, found
    )
    twice = jobs.morph(network, network, 1, 3, 5, 4, **SHORT).frames
    assert np.abs(twice.astype(int) - found).max() <= 1


def test_a_loop_leads_from_the_last_frame_to_the_first(pair, monkeypatch):
    network, drawn = pair[0], []
    images = morphing.images
    monkeypatch.setattr(morphing, "images", lambda *x: (drawn.append(x[2:6]), images(*x))[1])
    found = jobs.morph(network, None, 1, 3, 5, loop=True, **SHORT, batch=3).frames
    assert found.shape[0] == 9
    ws = [(1 - t) * a + t * b for a, b, times, _ in drawn for t in np.ravel(times)]
    ws = np.stack([*ws, ws[0]])[:, 0]
    np.testing.assert_allclose(ws[::3], keys_of(network, [1, 3, 5, 1])[:, 0], atol=1e-6)
    steps = np.diff(ws, axis=0).reshape(3, 3, *ws.shape[1:])
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), atol=1e-6)
    open_film = jobs.morph(network, None, 1, 3, 5, **SHORT).frames
    assert len(open_film) == 7
    np.testing.assert_allclose(found[:7].astype(int), open_film, atol=1)
    both = jobs.morph(*pair, 1, 3, loop=True, **SHORT).frames.astype(int)
    back = jobs.morph(*pair, 1, 3, ping_pong=True, **SHORT).frames
    assert len(both) == 6 and np.abs(both - back).max() <= 1


@pytest.mark.slow
def test_what_cannot_be_morphed(pair, tmp_path):
    def refused(words, *ends, job=jobs.morph, networks=pair, **options):
        with pytest.raises(UserError, match=words):
            job(*networks, *ends, **options)

    nothing = {"networks": ("nothing", "nothing")}
    pair_in_s = latents_of_seeds(pair[0].config, [3, 5]).styles(pair[0])
    refused("NAME.gif, or a folder of frames", 3, 5, out=tmp_path / "x.png", **nothing)
    refused("frames a second", 3, 5, out=tmp_path / "x.webp", fps=0, **nothing)
    refused("NAME.png or NAME.html", 3, 5, job=jobs.morph_grid, out=tmp_path / "x.webp", **nothing)
    (tmp_path / "x.png").touch()
    refused("already exists", 3, 5, job=jobs.morph_grid, out=tmp_path / "x.png", **nothing)
    refused("8x8 pixels times 2048", 3, 5, out=tmp_path / "x.webp", scale=2048)
    refused("B is given in memory, which has 2 pictures", 3, noise_images(2))
    refused("2 or more key frames; 1 was given", "5")
    refused("2 or more key frames; 0 were given")
    refused("10000 key frames at most; 10001 were given", "0-10000")
    refused("10000 key frames at most; 10001 were given", 3, "1-10000")
    refused("3 key frames in 2 networks were given", 3, "5,6", job=jobs.morph_grid)
    alone = {"networks": (pair[0], None)}
    refused("2 key frames in 1 network were", 3, 5, job=jobs.morph_grid, **alone)
    refused("goes back .* or on to its first", 3, 5, loop=True, ping_pong=True, **nothing)
    refused("no such easing", 3, 5, easing="bumpy", **nothing)
    refused("latents are of s, from which no way leads to w", 3, pair_in_s, **alone)
    refused("noise is 'loud'", 3, 5, noise="loud")
    refused("no such easing", 3, 5, easing="bumpy")
    file = tmp_path / "a.npz"
    jobs.generate(PARENT, [1]).write(file)
    (tmp_path / "a.webp").hardlink_to(file)
    refused("would replace what is given", f"{file}@0", 5, out=tmp_path / "a.webp", overwrite=True)


def test_words_that_are_key_frames_by_their_form(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keys = ("3", "0-7", "w.npz", "w.npy@2", "w.pt@1", "me.PNG", "me.avif")
    networks = ("ffhq", "ffhq.pkl", "w.pt", "zoo:personas64", "run@40", "x.safetensors")
    assert [word for word in (*keys, *networks) if is_key_frame(word)] == [*keys]
    (tmp_path / "3").mkdir()
    assert not is_key_frame("3")
