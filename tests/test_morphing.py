"""Morphs, against frames made one by one."""

import jax
import numpy as np
import pytest

from aligned_jax import loading, morphing, weights
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.latents import z_from_seeds
from tests.helpers import DATA, relative_error


@pytest.fixture(scope="module")
def pair():
    """Parent, child, and a latent of each."""
    parent = loading.load(DATA / "hostile_baseline_ok.pkl")
    random = np.random.default_rng(0)
    child = jax.tree.map(
        lambda v: v + np.float32(0.1) * random.standard_normal(v.shape, np.float32), parent
    )
    a, b = z_from_seeds(parent.config, [0, 1])
    return parent, child, parent.mapping(a[None], psi=0.7), child.mapping(b[None], psi=0.7)


def by_hand(pair, t1, t2, noise="const"):
    parent, child, a, b = pair
    return weights.interpolate(parent, child, t2).synthesis((1 - t1) * a + t1 * b, noise)


def test_latents_go_with_t1_and_weights_with_t2(pair):
    t1, t2 = np.float32([[0, 0.3], [1, 0.5], [2, -1]]), np.float32([0, 0.25, 1])
    images = np.asarray(morphing.images(*pair, t1, t2))
    assert images.shape == (3, 2, 8, 8, 3) and images.dtype == np.float32
    for k, m in np.ndindex(3, 2):
        expected = by_hand(pair, float(t1[k, m]), float(t2[k]))[0]
        assert relative_error(images[k, m], expected) < 1e-5


def test_the_ends_are_a_in_the_parent_and_b_in_the_child(pair):
    parent, child, a, b = pair
    [first, last] = np.concatenate(list(morphing.frames(*pair, np.array([0.0, 1.0]))))
    assert relative_error(first, parent.synthesis(a)[0]) < 1e-5
    assert relative_error(last, child.synthesis(b)[0]) < 1e-5


def test_frames_are_the_diagonal_whatever_the_batch(pair):
    times = np.linspace(0, 1, 5)
    parts = list(morphing.frames(*pair, times, batch=2))
    assert [len(part) for part in parts] == [2, 2, 1]
    frames = np.concatenate(parts)
    for t, frame in zip(times, frames, strict=True):
        assert relative_error(frame, by_hand(pair, float(t), float(t))[0]) < 1e-5
    alone = np.concatenate(list(morphing.frames(*pair, times, batch=64)))
    assert relative_error(alone, frames) < 1e-5


def test_the_grid_holds_the_diagonal(pair):
    rows = list(morphing.grid(*pair, rows=3, columns=2))
    assert [row.shape for row in rows] == [(2, 8, 8, 3)] * 3
    for r, k in np.ndindex(3, 2):
        assert relative_error(rows[r][k], by_hand(pair, float(k), r / 2)[0]) < 1e-5


def test_a_grid_draws_no_more_at_once_than_the_batch(pair, monkeypatch):
    whole = list(morphing.grid(*pair, rows=2, columns=5))
    sizes, images = [], morphing.images
    monkeypatch.setattr(morphing, "images", lambda *x: (sizes.append(np.size(x[4])), images(*x))[1])
    batches = list(morphing.grid(*pair, rows=2, columns=5, batch=2))
    assert sizes == [2] * 6
    for row, expected in zip(batches, whole, strict=True):
        assert relative_error(row, expected) < 1e-5


def test_nothing_is_compiled_twice(pair):
    morphing._images.clear_cache()  # of other tests in this process
    times = np.linspace(0, 1, 3)
    list(morphing.frames(*pair, times, batch=2))
    count = morphing._images._cache_size()
    list(morphing.frames(*pair, times**2, batch=2))
    parent, child, a, b = pair
    list(morphing.frames(child, parent, b, a, times, batch=2))
    assert morphing._images._cache_size() == count
    list(morphing.frames(*pair, times, batch=3))
    assert morphing._images._cache_size() == count + 1


@pytest.mark.slow
def test_noise_is_the_same_in_every_frame(pair):
    parent, _, a, _ = pair
    still = (parent, parent, a, a)  # whatever moves is noise
    random = np.random.default_rng(0)
    fields = {
        name: random.standard_normal((size, size)).astype(np.float32)
        for name, size in (("b4.conv1", 4), ("b8.conv0", 8), ("b8.conv1", 8))
    }
    drawn = []
    for noise in ("const", "none", fields):
        frames = np.concatenate(list(morphing.frames(*still, np.linspace(0, 1, 4), noise)))
        assert np.ptp(frames, axis=0).max() < 1e-5 * np.abs(frames).max()
        assert relative_error(frames[0], parent.synthesis(a, noise)[0]) < 1e-5
        drawn.append(frames[0])
    assert all(relative_error(drawn[i], drawn[i - 1]) > 1e-3 for i in range(3))
    grid = np.stack(list(morphing.grid(*pair, 2, 2, noise=fields)))
    assert relative_error(grid[1, 0], by_hand(pair, 0.0, 1.0, fields)[0]) < 1e-5


def test_what_cannot_be_morphed(pair):
    parent, child, a, b = pair
    one = (np.zeros((1, 1)), np.zeros(1))
    with pytest.raises(UserError, match="const, none, or fixed fields"):
        morphing.images(*pair, *one, noise="random")
    with pytest.raises(UserError, match=r"expected \[K, M\] and \[K\]"):
        morphing.images(*pair, np.zeros(3), np.zeros(3))
    with pytest.raises(UserError, match="one latent at each end; 2 were given"):
        morphing.images(parent, child, np.concatenate([a, a]), b, *one)
    with pytest.raises(ConfigError, match="img_resolution"):
        other = loading.load(DATA / "avatars_parent.pkl")
        morphing.images(parent, other, a, other.mapping(np.ones((1, other.config.z_dim))), *one)


def test_w_is_a_latent_too(pair):
    parent, child, a, b = pair
    frames = [
        np.concatenate(list(morphing.frames(parent, child, *ends, np.array([0.5]))))
        for ends in ((a, b), (a[:, 0], b[:, 0]))
    ]
    np.testing.assert_array_equal(*frames)


def test_a_timeline_goes_from_0_to_1():
    np.testing.assert_allclose(morphing.timeline(5), [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(morphing.timeline(3, hold=2), [0, 0, 0, 0.5, 1, 1, 1])
    np.testing.assert_allclose(morphing.timeline(3, ping_pong=True), [0, 0.5, 1, 0.5])
    there_and_back = morphing.timeline(4, hold=1, ping_pong=True)
    np.testing.assert_allclose(there_and_back, [0, 0, 1 / 3, 2 / 3, 1, 1, 2 / 3, 1 / 3])


def test_a_timeline_through_many_key_frames():
    np.testing.assert_allclose(morphing.timeline(3, keys=3), [0, 0.5, 1, 1.5, 2])
    held = [0, 0, 0.5, 1, 1, 1.5, 2, 2]
    np.testing.assert_allclose(morphing.timeline(3, hold=1, keys=3), held)
    there_and_back = morphing.timeline(3, hold=1, ping_pong=True, keys=3)
    np.testing.assert_allclose(there_and_back, [*held, 1.5, 1, 1, 0.5])
    looped = morphing.timeline(3, hold=1, keys=3, loop=True)
    np.testing.assert_allclose(looped, [0, 0, 0.5, 1, 1, 1.5, 2, 2, 2.5])
    np.testing.assert_allclose(morphing.timeline(2, keys=2, loop=True), [0, 1])
    eased = morphing.timeline(4, "ease-in", keys=3)
    np.testing.assert_allclose(eased[3:], eased[:4] + 1)


def test_a_path_goes_leg_by_leg_and_all_legs_share_one_program(pair):
    parent, child, a, b = pair
    keys, places = [a, b, a + b], np.array([0, 0.5, 1, 1.25, 2, 2.5])
    morphing._images.clear_cache()
    parts = list(morphing.path(*pair[:2], keys, places, batch=2, loop=True))
    assert morphing._images._cache_size() == 1 and max(map(len, parts)) == 2
    found = np.concatenate(parts)
    weights_at = (0, 0.25, 0.5, 0.625, 1, 0.5)
    latents = (a, (a + b) / 2, b, b + a / 4, a + b, a + b / 2)
    for frame, t2, w in zip(found, weights_at, latents, strict=True):
        expected = weights.interpolate(parent, child, t2).synthesis(w)[0]
        assert relative_error(frame, expected) < 1e-5
    still = np.concatenate(list(morphing.path(parent, None, keys, places, loop=True)))
    for frame, w in zip(still, latents, strict=True):
        assert relative_error(frame, parent.synthesis(w)[0]) < 1e-5


@pytest.mark.parametrize("name", morphing.EASINGS)
def test_easings_rise_from_0_to_1_each_in_its_way(name):
    times = morphing.timeline(9, name)
    assert times[0] == 0 and times[-1] == pytest.approx(1)
    assert (np.diff(times) > 0).all()
    others = [morphing.timeline(9, other) for other in morphing.EASINGS if other != name]
    assert all(np.abs(times - other).max() > 5e-3 for other in others)
    if name in ("smooth", "smoother", "sine"):
        np.testing.assert_allclose(times + times[::-1], 1)


def test_any_function_eases():
    np.testing.assert_allclose(morphing.timeline(3, lambda t: t**3), [0, 0.125, 1])


def test_timelines_that_cannot_be():
    with pytest.raises(UserError, match="no such easing: 'bounce'; there are linear"):
        morphing.timeline(5, "bounce")
    for wrong in ((1, "linear", 0), (5, "linear", -1)):
        with pytest.raises(UserError, match="2 or more, and 0 or more"):
            morphing.timeline(*wrong)
    with pytest.raises(UserError, match="2 or more key frames; 1 was given"):
        morphing.timeline(5, keys=1)
    with pytest.raises(UserError, match="not both"):
        morphing.timeline(5, ping_pong=True, loop=True)
