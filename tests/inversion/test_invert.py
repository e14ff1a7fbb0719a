"""Inversion of several images: every space, every option, batches and restarts."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.errors import ConfigError, UserError
from aligned_jax.inversion import (
    SPACES,
    Pixels,
    Settings,
    Weighted,
    invert,
    inverted,
    statistics,
    steps,
    to_styles,
)
from aligned_jax.latents import z_from_seeds
from aligned_jax.utils import loops
from tests.helpers import relative_error
from tests.inversion.noisy_network import network


@functools.cache
def targets():
    ws = network().mapping(z_from_seeds(network().config, range(3)))
    return np.clip(np.asarray(network().synthesis(ws)), -1, 1)


PIXELS = Pixels()


def run(count=2, key=0, perceptual=PIXELS, start=None, batch=8, watch=None, **options):
    settings = Settings(**{"steps": 6, "samples": 20} | options)
    random = jax.random.key(key)
    images, more = targets()[:count], {"batch": batch, "watch": watch}
    return invert(network(), images, perceptual, settings, random, start, **more)


@pytest.mark.parametrize("space", SPACES)
def test_every_space_comes_nearer(space):
    config = network().config
    start = z_from_seeds(config, range(2))
    if space not in ("z", "z+"):
        start = np.asarray(network().mapping(start))[:, 0]
    start = start + 0.3 * np.random.RandomState(0).standard_normal(start.shape)
    plain = {"latent_noise": 0.0, "learning_rate": 0.03, "noise": "const"}
    psi = 1.0 if space in ("z", "z+") else None
    result = run(steps=40, space=space, psi=psi, start=start, **plain)
    first, last = result.trace["distance"][[0, -1]]
    assert (result.distances["perceptual"] < 0.75 * first).all()
    assert (last < 0.75 * first).all()
    # What is reported is what the latents give.
    settings = result.settings
    styles = to_styles(network(), space, jnp.asarray(result.latent), settings.psi)
    images = np.asarray(network().render(styles))
    np.testing.assert_allclose(images, result.images, atol=1e-5)
    pixel = np.square(np.clip(images, -1, 1) - targets()[:2]).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(result.distances["pixel"], pixel, rtol=1e-4)


def test_without_steps_the_start_is_measured():
    start = np.random.RandomState(0).standard_normal((2, network().config.w_dim))
    start = start.astype(np.float32)
    measured = run(steps=0, start=start, noise="const")
    assert (measured.latent == start).all()
    assert {name: trace.shape for name, trace in measured.trace.items()} == {
        "distance": (0, 2),
        "regulariser": (0, 2),
    }
    one = run(steps=1, start=start, noise="const", latent_noise=0.0)  # at a rate of 0
    np.testing.assert_allclose(
        measured.distances["perceptual"], one.trace["distance"][0], rtol=1e-4
    )
    np.testing.assert_allclose(measured.images, network().synthesis(start), atol=1e-4)


@pytest.mark.slow
def test_every_option_changes_the_latents():
    plain, seen = run(), []
    assert (run().latent == plain.latent).all()
    for options in (
        {"learning_rate": 0.2},
        {"rampup": 0.5},
        {"rampdown": 0.9},
        {"latent_noise": 0.2},
        {"latent_noise_ramp": 0.3},
        {"noise_weight": 1.0},
        {"samples": 21},
        {"samples_seed": 1},
        {"spread": 0.1},
        {"key": 1},
        {"steps": 7},
        {"noise": "const"},
        {"noise": "none"},
        {"resolution": 4},
        {"perceptual": Weighted((Pixels(),), (2.0,))},
        {"start": np.ones((2, network().config.w_dim), np.float32)},
    ):
        latent = run(**options).latent
        assert np.isfinite(latent).all()
        assert all((latent != other).any() for other in (plain.latent, *seen)), options
        seen.append(latent)


@pytest.mark.slow
def test_psi_changes_the_latents():
    full, half = (run(space="z", psi=psi).latent for psi in (1.0, None))
    assert (full != half).any()


@pytest.mark.slow
def test_noise_is_kept_or_dropped():
    kept, dropped = run(noise="keep"), run(noise="drop")
    assert dropped.noise is None
    assert (kept.latent == dropped.latent).all()
    assert (kept.distances["perceptual"] != dropped.distances["perceptual"]).all()
    drawn = network().synthesis(kept.latent, kept.noise)
    np.testing.assert_allclose(drawn, kept.images, atol=1e-5)
    for field in kept.noise.values():
        np.testing.assert_allclose(field.mean(axis=(1, 2)), 0, atol=1e-5)
        np.testing.assert_allclose(np.square(field).mean(axis=(1, 2)), 1, rtol=1e-4)
    assert (kept.trace["regulariser"] > 0).all()
    assert (run(noise="const").trace["regulariser"] == 0).all()


@pytest.mark.slow
def test_batches_change_nothing():
    together = run(count=3)
    parts = run(count=3, batch=2)  # the second one is filled up
    alone = [run(count=3, batch=1)]
    for result in (parts, *alone):
        assert relative_error(result.latent, together.latent) < 1e-4
        assert relative_error(result.trace["distance"], together.trace["distance"]) < 1e-4
        assert relative_error(result.images, together.images) < 1e-3


def test_a_loop_comes_to_the_same_as_its_steps(monkeypatch):
    lengths, advance = [], steps.advance

    def noted(problem, options, state, keys, schedule):
        lengths.append(len(schedule["step"]))
        return advance(problem, options, state, keys, schedule)

    monkeypatch.setattr(steps, "advance", noted)
    apart = run()
    assert lengths == [1] * apart.settings.steps
    monkeypatch.setattr(loops, "slow", lambda: False)
    together = run()
    assert lengths[apart.settings.steps :] == [apart.settings.steps]
    assert relative_error(together.latent, apart.latent) < 1e-4
    for name, trace in apart.trace.items():
        assert relative_error(together.trace[name], trace) < 1e-4


@pytest.mark.slow
def test_restarts_keep_the_best():
    one, many = run(spread=0.2), run(spread=0.2, restarts=3)
    assert one.restart.tolist() == [0, 0]
    # The first attempt is the only one of a single run.
    assert (many.distances["perceptual"] <= one.distances["perceptual"] * 1.0001).all()
    assert many.restart.any()
    better = many.restart > 0
    assert (many.distances["perceptual"] < one.distances["perceptual"])[better].all()
    assert (many.trace["distance"] != one.trace["distance"])[:, better].any()


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "turns"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (3, [3, 2])])
def test_restarts_without_room_take_turns(batch, turns, monkeypatch):
    options = {"key": 2, "spread": 0.2, "restarts": 5, "noise": "keep"}
    many, rows, seen, advance = run(batch=10, **options), [], [], steps.advance

    def noted(problem, options, state, keys, schedule):
        rows.append((len(state.variable.latent), options.restarts, len(keys)))
        return advance(problem, options, state, keys, schedule)

    monkeypatch.setattr(steps, "advance", noted)
    small = run(batch=batch, watch=seen.append, **options)
    assert set(rows) == {(turns[0],) * 3}
    assert small.restart.tolist() == many.restart.tolist() == [2, 4]
    for name in ("latent", "images", "distances", "noise", "trace"):
        jax.tree.map(close, getattr(small, name), getattr(many, name))
    assert [(one.first, len(one.attempts)) for one in seen] == [
        (image, turn) for image in range(2) for turn in turns
    ]
    assert [number for one in seen for number in one.attempts] == [*range(5)] * 2


def close(a, b):
    assert relative_error(a, b) < 1e-3


@pytest.mark.slow
def test_the_first_of_several_attempts_alone_is_that_of_a_single_run():
    seen, single = [], run(spread=0.2, batch=1)
    run(spread=0.2, restarts=2, batch=1, watch=seen.append)
    first = np.concatenate([one.distances for one in seen if one.attempts.start == 0])
    assert first.tobytes() == single.trace["distance"][-1].tobytes()
    both = run(spread=0.2, restarts=2, batch=1)
    kept = both.restart == 0
    assert both.latent[kept].tobytes() == single.latent[kept].tobytes()


@pytest.mark.slow
def test_attempts_that_diverge_lose_whenever_they_take_their_turn():
    good, bad = run(count=1), run(count=1, learning_rate=1e30, noise="const", rampup=0.0)
    for winner in (inverted.nearer(good, bad), inverted.nearer(bad, good)):
        assert (winner.latent == good.latent).all()


def test_watching_changes_nothing():
    plain, seen = run(), []
    settings = plain.settings
    images = []

    def watch(progress):
        seen.append((progress.first, progress.step, progress.distances))
        images.append(progress.images())

    random = jax.random.key(0)
    watched = invert(
        network(), targets()[:2], Pixels(), settings, random, batch=2, watch=watch, every=4
    )
    assert [(first, step) for first, step, _ in seen] == [(0, 3), (0, 6)]
    assert relative_error(watched.latent, plain.latent) < 1e-4
    np.testing.assert_array_equal(seen[-1][2], watched.trace["distance"][-1])
    np.testing.assert_array_equal(images[-1], watched.images)
    assert (images[0] != images[1]).any()


@pytest.mark.slow
@pytest.mark.parametrize("slow", [True, False])
def test_a_last_stretch_may_be_shorter(slow, monkeypatch):
    monkeypatch.setattr(loops, "slow", lambda: slow)
    plain, seen = run(steps=7), []

    def watch(progress):
        seen.append(progress.step)

    random = jax.random.key(0)
    result = invert(
        network(), targets()[:2], Pixels(), plain.settings, random, watch=watch, every=3
    )
    assert seen == [3, 6, 7]
    assert relative_error(result.latent, plain.latent) < 1e-4


def test_pixels_of_eight_bits_are_scaled():
    pixels = np.round((targets()[:2] + 1) * 127.5).astype(np.uint8)
    same = pixels.astype(np.float32) / 127.5 - 1
    settings, random = Settings(steps=2, samples=20), jax.random.key(0)
    results = [invert(network(), x, PIXELS, settings, random) for x in (pixels, same)]
    assert (results[0].latent == results[1].latent).all()


def test_starts_are_brought_to_the_space():
    config, net = network().config, network()
    w = net.mapping(z_from_seeds(config, [5, 6]))[:, 0]
    still = {"latent_noise": 0.0, "learning_rate": 0.0, "noise": "const"}
    by_space = {space: run(space=space, start=w, **still) for space in ("w", "w+", "s")}
    for space, result in by_space.items():
        assert relative_error(result.images, net.synthesis(w)) < 1e-5, space
    z = z_from_seeds(config, [5, 6])
    for space in ("z", "z+"):
        result = run(space=space, start=z, psi=1.0, **still)
        assert relative_error(result.images, net.synthesis(w)) < 1e-4, space


def test_statistics_of_styles():
    measured = statistics(network(), "s", samples=50)
    z = np.random.RandomState(123).randn(50, network().config.z_dim).astype(np.float32)
    styles = network().styles(network().mapping(z))
    flat = np.concatenate([np.asarray(value) for value in styles.values()], axis=1)
    np.testing.assert_allclose(measured.mean, flat.mean(axis=0), atol=1e-5)
    first = np.asarray(styles["b4.conv1"])
    total = np.sqrt(((first - first.mean(axis=0)) ** 2).sum() / 50)
    np.testing.assert_allclose(measured.spread[: first.shape[1]], total, rtol=1e-4)


def test_what_diverges_is_not_the_best():
    result = run(learning_rate=1e30, noise="const", rampup=0.0, rampdown=0.0)
    assert not np.isfinite(result.distances["perceptual"]).any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"space": "x"}, "space is 'x'; it can be z, z"),
        ({"noise": "loud"}, "noise is 'loud'"),
        ({"steps": -1, "restarts": 0}, "steps is -1; .*restarts is 0"),
        ({"rampup": 1.5}, "rampup is 1.5; it must lie between 0 and 1"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"psi": 0.5}, "only z and z\\+ are truncated"),
        ({"space": "z", "psi": float("inf")}, "psi is inf"),
    ],
)
def test_settings_that_cannot_be(options, words):
    with pytest.raises(ConfigError, match=words):
        Settings(**options)


def test_settings_as_published():
    settings = Settings(space="z+")
    assert (settings.steps, settings.psi) == (500, 0.5)
    settings = Settings(space="s")
    assert (settings.steps, settings.psi) == (1000, 1)


def test_bad_arguments_are_named():
    random, settings = jax.random.key(0), Settings(steps=1, samples=2)
    with pytest.raises(UserError, match=r"shape \(2, 4, 8, 3\); this network takes \[N, 8, 8, 3"):
        invert(network(), targets()[:2, :4], Pixels(), settings, random)
    with pytest.raises(UserError, match=r"outside of \[-1, 1\]"):
        invert(network(), targets() * np.nan, Pixels(), settings, random)
    with pytest.raises(UserError, match="unconditional"):
        invert(network(), targets(), Pixels(), settings, random, c=np.ones((1, 2)))
    with pytest.raises(UserError, match="to start from have shape"):
        run(start=np.zeros((2, 3)))
    with pytest.raises(UserError, match="not all finite"):
        run(start=np.full((2, network().config.w_dim), np.nan))
