"""`jobs.walk`, called from a script."""

import itertools

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.latents import Curve, z_from_seeds
from aligned_jax.rendering import NotFinite, draw
from aligned_jax.semantics import Direction
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
     {"psi": 0.3}, {"noise": "none"}, {"noise": "random"}, {"noise": "loop"}, {"cutoff": 1},
     {"centre": 9}, {"mix": "9", "mix_layers": "1"}, {"layer": "b8/conv0"},
     {"animate": {"psi": [0.1]}, "psi": None}, {"curve_file": {"psi": [0.1] * 12}, "psi": None}],
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


def test_frames_are_named_if_their_numbers_grow_beyond_all_bounds(network, tmp_path):
    film = jobs.walk(network, [3, 5], animate={"psi": [3e38, 1]}, frames=1)
    with pytest.raises(NotFinite, match="frame 0"):
        film.write(tmp_path / "film")
    assert not list(tmp_path.iterdir())


def test_a_circle_in_z_closes_on_the_sphere_where_latents_are(network, monkeypatch):
    """Sizes come from the network: programs that write 512 draw nothing else."""
    assert network.config.z_dim != 512
    mapped, mapping = [], type(network).mapping
    monkeypatch.setattr(
        type(network),
        "mapping",
        lambda self, z, *rest: (mapped.append(z), mapping(self, z, *rest))[1],
    )
    found = jobs.walk(network, [3, 5], path="circle", frames=4, batch=4).frames
    z = np.concatenate(mapped)
    assert z.shape == (8, network.config.z_dim) and len(np.unique(found, axis=0)) == 8
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), np.sqrt(z.shape[1]), rtol=1e-6)
    steps = np.linalg.norm(np.diff([*z, z[0]], axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)
    np.testing.assert_allclose(z[4:], -z[:4], atol=1e-5)
    assert np.abs(generated(network, [3])[0] - found[0].astype(int)).max() <= 1


def test_a_film_in_time_with_a_table(network):
    table = {"time": [0, 0.5, 1.0], "place": [0, 1, 1], "psi": [1, 1, 0.2]}
    film = jobs.walk(network, [3, 5], curve_file=table, fps=4, loop=False, batch=1)
    assert film.shape == (5, 8, 8, 3)
    one = jobs.generate(network, [5], psi=0.2, batch=1).images()
    np.testing.assert_array_equal(film.frames[-1], to_uint8(one)[0])
    np.testing.assert_array_equal(film.frames[2], generated(network, [5])[0])


def test_a_film_is_drawn_when_it_is_wanted_block_by_block(network, monkeypatch):
    drawn, batch = [], draw._batch
    monkeypatch.setattr(draw, "_batch", lambda *x: (drawn.append(0), batch(*x))[1])
    film = jobs.walk(network, [3, 5], frames=500, batch=4)
    assert len(film) == 1000 and not drawn
    frames = iter(film)
    first = [next(frames) for _ in range(6)]
    assert len(drawn) == 2
    short = jobs.walk(network, [3, 5], frames=500, batch=4, animate={"psi": [1, 1]})
    np.testing.assert_array_equal(first[5], next(itertools.islice(short, 5, None)))


def test_what_cannot_be_walked(network, tmp_path):
    def refused(words, seeds="0-3", source="nothing", **options):
        with pytest.raises(UserError, match=words):
            jobs.walk(source, seeds, **options)

    refused("NAME.gif, or a folder of frames", out=tmp_path / "x.png")
    refused("frames a second", out=tmp_path / "x.webp", fps=0)
    refused("1 seed: a walk goes through 2 or more", "5")
    refused("4 seeds for 3 cells: .* give 6, 9 or another multiple of 3", grid=(3, 1))
    refused("1 seed: a walk goes", grid=(2, 2))
    refused("the grid is 0x1", grid=(0, 1))
    refused("0 frames from a key frame to the next", frames=0)
    refused("space is 's'; a walk is in w or z", space="s")
    refused("in z a walk follows great circles", space="z", curve="cubic")
    refused("curve is 'wild'; in w it is cubic or linear", curve="wild")
    refused("not a list of seeds: 'x'", "0,x")
    refused("noise is 'loud'", noise="loud")
    refused("1000000000 frames are too many", "0-9999", frames=100_000)
    refused("a .mp4 loses something", lossless=True, out=tmp_path / "x.mp4")
    refused("t1, swap lead to another network; name it", "0,1", animate={"t1": [0], "swap": [4]})
    refused("nothing leads to `child`", child="other")
    refused("t2 and swap both decide", animate=["t2=0", "swap=4"], child="other")
    refused("`smooth` is the width", smooth=1.0)
    refused("`smooth` is the width", smooth=-1.0, animate=["swap=4"], child="other")
    refused("psi moves already", psi=0.5, animate={"psi": [1]})
    refused("`centre` is of truncation", centre=3)
    refused("`cutoff` is of truncation", cutoff=2, psi=1)
    refused("both", mix="3")
    refused("both", mix_layers="3")
    refused(
        "2 seeds to mix for 4 cells; give 1 or 4", "0-7", grid=(2, 2), mix="1,2", mix_layers="0"
    )
    refused("path is 'line'", path="line")
    refused("a circle is in z", "0,1", path="circle", space="w")
    refused("a circle always closes", "0,1", path="circle", loop=False)
    refused("`curve_file`", curve="music.csv")
    refused("no such row of W", "0,1", network, mix=[3], mix_layers=[9])
    refused("cutoff is 7; it must be 0 to 4", "0,1", network, cutoff=7, psi=0.5)
    refused("parallel", "3,3", network, path="circle")
    refused("there is no layer b64.conv1; convolutions are b4.conv1, b8.conv0, b8.conv1", "0,1",
            network, layer="b64/conv1")  # fmt: skip
    refused("b8.torgb is no convolution", "0,1", network, layer="b8/torgb")
    refused("no channel 99 in .*; .*no such style layer: 77", "0,1", network,
            animate={"2_99": [1], "77_0": [1], "2_0": [1]}, samples=100)  # fmt: skip
    refused("swap goes from 2 to 8; this network has resolutions 4 to 8", "0,1", network,
            animate={"swap": [2, 8]}, child=network)  # fmt: skip
    (tmp_path / "me.png").touch()
    refused("a centre is latents; `aligned invert`", "0,1", network, centre=tmp_path / "me.png",
            psi=0.5)  # fmt: skip
    refused("holds no latents", "0,1", network, centre=tmp_path, psi=0.5)
    file = tmp_path / "z.npz"
    vector = np.float32([1, 0, 0, 0, 0, 0])
    jobs.write_direction(file, Direction("z", {"z": vector}, 1.0, ""))
    refused("z.npz is in z: walk in z", "0,1", network, animate={str(file): [1]})
    refused("16x8 pixels times 2000", source=network, grid=(2, 1), scale=2000,
            out=tmp_path / "x.webp")  # fmt: skip
    refused("unconditional", source=network, label=0)
