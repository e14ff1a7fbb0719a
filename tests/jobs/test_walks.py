"""`jobs.walk`, called from a script."""

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.latents import Curve, z_from_seeds
from aligned_jax.rendering import draw
from aligned_jax.viz import to_uint8
from tests.helpers import DATA

SHORT = {"frames": 3, "batch": 4}


@pytest.fixture(scope="module")
def film(network):
    return jobs.walk(network, [3, 5, 4, 7], psi=0.7, **SHORT)


def generated(network, seeds, **more):
    return to_uint8(jobs.generate(network, seeds, batch=4, **more).images())


def moved(before, after):
    return before.shape != after.shape or np.abs(before.astype(int) - after).max() > 1


@pytest.mark.parametrize("space", ["w", "z"])
@pytest.mark.parametrize("loop", [True, False])
def test_key_frames_are_the_images_of_their_seeds_to_the_bit(network, space, loop):
    found = jobs.walk(network, [3, 5, 4, 7], psi=0.7, space=space, loop=loop, **SHORT)
    assert found.frames.shape == (12 if loop else 10, 8, 8, 3) and found.frames.dtype == np.uint8
    np.testing.assert_array_equal(found.frames[::3], generated(network, [3, 5, 4, 7], psi=0.7))
    assert found.summary == f"{len(found.frames)} frames, {len(found.frames) / 30:.1f} s"


@pytest.mark.parametrize("curve", ["linear", "cubic"])
def test_frames_between_are_points_of_the_curve(network, film, curve):
    keys = network.mapping(z_from_seeds(network.config, [3, 5, 4, 7]), psi=0.7)
    ws = Curve(np.asarray(keys), curve).at(np.arange(12) / 3)
    found = jobs.walk(network, [3, 5, 4, 7], psi=0.7, curve=curve, **SHORT)
    expected = to_uint8(network.synthesis(ws)).astype(int)
    assert np.abs(found.frames - expected).max() <= 1
    assert (curve == "cubic") == (not moved(film.frames, found.frames))
    steps = np.diff([*ws, ws[0]], axis=0).reshape(4, 3, *ws.shape[1:])
    equal = np.abs(steps - steps[:, :1]).max() < 1e-5
    assert equal == (curve == "linear")


def test_great_circles_in_z(network):
    z = Curve(z_from_seeds(network.config, [3, 5]), "spherical").at(np.arange(6) / 3)
    found = jobs.walk(network, "3,5", space="z", **SHORT).frames
    expected = to_uint8(network.synthesis(network.mapping(z))).astype(int)
    assert np.abs(found - expected).max() <= 1


def test_a_loop_ends_before_its_beginning(network, film):
    """The last frame is one step from the first, which does not come twice."""
    turned = jobs.walk(network, [7, 3, 5, 4], psi=0.7, **SHORT).frames
    assert np.abs(np.roll(film.frames, 3, axis=0).astype(int) - turned).max() <= 1
    assert not (film.frames[-1] == film.frames[0]).all()


def test_a_grid_holds_a_walk_in_every_cell(network, film):
    seeds = [3, 5, 4, 7, 1, 2, 8, 9]
    grid = jobs.walk(network, seeds, grid=(2, 1), psi=0.7, **SHORT).frames
    np.testing.assert_array_equal(grid[:, :, :8], film.frames)
    np.testing.assert_array_equal(grid[::3, :, 8:], generated(network, [1, 2, 8, 9], psi=0.7))
    tall = jobs.walk(network, seeds, grid=(1, 2), psi=0.7, **SHORT).frames
    np.testing.assert_array_equal(tall, np.concatenate([grid[:, :, :8], grid[:, :, 8:]], axis=1))


@pytest.mark.parametrize(
    "option",
    [{"frames": 2}, {"grid": (2, 1)}, {"space": "z"}, {"curve": "linear"}, {"loop": False},
     {"psi": 0.3}, {"noise": "none"}, {"noise": "random"}],
)  # fmt: skip
def test_every_option_changes_the_film(network, film, option):
    given = {"psi": 0.7, **SHORT, **option}
    assert moved(film.frames, jobs.walk(network, [3, 5, 4, 7], **given).frames)


def test_random_noise_stays_and_each_cell_has_its_own(network):
    how = {"grid": (2, 1), "noise": "random", **SHORT}
    first, second = (jobs.walk(network, [3, 3, 3, 3], **how, noise_seed=k).frames for k in (0, 1))
    assert not np.ptp(first, axis=0).any()
    assert moved(first, second) and moved(first[:, :, :8], first[:, :, 8:])


def test_classes():
    path = DATA / "generator_cond16.pkl"
    how = {"frames": 1, "psi": 0.7}
    first, second = (jobs.walk(path, "3,5", label=k, **how).frames for k in (0, 1))
    assert moved(first, second)
    np.testing.assert_array_equal(second, generated(path, [3, 5], label=1, psi=0.7))
    with pytest.raises(UserError, match=r"conditional; .* choose a class"):
        jobs.walk(path, "3,5")


def test_no_more_than_a_batch_is_drawn_at_once(network, film, monkeypatch):
    sizes, batch = [], draw._batch

    def counted(network, arrays, *rest):
        sizes.append(len(arrays["ws"]))
        return batch(network, arrays, *rest)

    monkeypatch.setattr(draw, "_batch", counted)
    found = jobs.walk(network, [3, 5, 4, 7], psi=0.7, frames=3, batch=5).frames
    assert sizes == [5] * 3 and not moved(film.frames, found)


def test_what_cannot_be_walked(network, tmp_path):
    def refused(words, seeds="0-3", source="nothing", **options):
        with pytest.raises(UserError, match=words):
            jobs.walk(source, seeds, **options)

    refused("NAME.webp or NAME.mp4", out=tmp_path / "x.png")
    refused("frames a second", out=tmp_path / "x.webp", fps=0)
    refused("1 seed: a walk goes through 2 or more", "5")
    refused("4 seeds for 3 cells: .* give 6, 9 or another multiple of 3", grid=(3, 1))
    refused("4 seeds for 4 cells", grid=(2, 2))
    refused("the grid is 0x1", grid=(0, 1))
    refused("0 frames from a key frame to the next", frames=0)
    refused("space is 's'; a walk is in w or z", space="s")
    refused("in z a walk follows great circles", space="z", curve="cubic")
    refused("curve is 'wild'; in w it is cubic or linear", curve="wild")
    refused("not a list of seeds: 'x'", "0,x")
    refused("noise is 'loud'", noise="loud")
    refused("GiB of memory; 64 GiB is the most", "0-9999", network, frames=100_000)
    refused("16x8 pixels times 2000", source=network, grid=(2, 1), scale=2000,
            out=tmp_path / "x.webp")  # fmt: skip
    refused("unconditional", source=network, label=0)
