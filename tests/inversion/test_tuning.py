"""Pivotal tuning: the loss is its formula, steps are Adam's, the synthesis alone moves."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.errors import ConfigError, UserError
from aligned_jax.inversion import (
    Pixels,
    TuningSettings,
    Weighted,
    measure,
    tune,
    tuning,
    tuning_steps,
)
from aligned_jax.latents import z_from_seeds
from tests.inversion.noisy_network import network

FEW = TuningSettings(steps=6, learning_rate=0.01, until=-1.0)
LOCAL = dataclasses.replace(FEW, regulariser="locality")
# Another distance than that of pixels, so that the two are told apart.
DISTANCE = Weighted((Pixels(),), (0.5,))
KEY = jax.random.key(5)


@functools.cache
def pivots():
    return np.asarray(network().mapping(z_from_seeds(network().config, range(2))))


@functools.cache
def targets():
    return np.random.RandomState(1).uniform(-1, 1, (2, 8, 8, 3)).astype(np.float32)


def run(settings=FEW, count=1, perceptual=DISTANCE, key=KEY, **more):
    return tune(network(), pivots()[:count], targets()[:count], perceptual, settings, key, **more)


@functools.cache
def plain():
    return run()


def synthesis(net):
    return net.variables["params"]["synthesis"]


def numbers(net):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(synthesis(net))])


def by_hand(parameters, settings, turn, local):
    """The loss of the first picture, written once more from the paper and the authors' code."""
    net, ws = tuning_steps.with_synthesis(network(), parameters), pivots()[:1]
    squares = jnp.mean((net.synthesis(ws) - targets()[:1]) ** 2)
    total = 0.5 * settings.perceptual_weight * squares + settings.pixel_weight * squares
    if not local:
        return total
    z = jax.random.normal(jax.random.fold_in(KEY, turn), (settings.samples, net.config.z_dim))
    held = 0.0
    for w in network().mapping(z, psi=settings.psi):
        way = w - ws[0]
        at = ws[0] + settings.alpha * way / jnp.linalg.norm(way)
        moved = net.synthesis(at[None], "none") - network().synthesis(at[None], "none")
        held = held + 0.5 * settings.regulariser_perceptual * jnp.mean(moved**2)
        held = held + settings.regulariser_pixels * jnp.mean(moved**2)
    return total + held / settings.samples


@pytest.mark.parametrize(
    "local", [pytest.param(False, marks=pytest.mark.slow), True], ids=["plain", "locality"]
)
def test_steps_are_those_of_adam_on_the_formula(local):
    settings = dataclasses.replace(LOCAL if local else FEW, perceptual_weight=2.0, pixel_weight=3.0)
    problem = tuning.problem_of(network(), pivots()[:1], targets()[:1], DISTANCE, settings)
    held = tuning_steps.Held(settings.samples, settings.psi) if local else tuning_steps.Held()
    formula = jax.jit(jax.value_and_grad(by_hand), static_argnums=(1, 3))
    state = tuning_steps.begin(problem)
    zeros = jax.tree.map(lambda x: np.zeros(x.shape), state.synthesis)
    first = second = zeros
    for turn in range(1, 3):
        before = jax.tree.map(np.array, state.synthesis)
        value, slopes = formula(before, settings, np.uint32(turn), local)
        state, terms = tuning_steps.advance(problem, held, state, KEY, np.uint32([turn]))
        total = 2 * terms["perceptual"] + 3 * terms["pixel"] + terms["regulariser"]
        assert float(total[0]) == pytest.approx(float(value), rel=1e-5)
        # Adam (Kingma and Ba 2015, algorithm 1) in float64.
        g = jax.tree.map(lambda x: np.asarray(x, np.float64), slopes)
        first = jax.tree.map(lambda m, x: 0.9 * m + 0.1 * x, first, g)
        second = jax.tree.map(lambda v, x: 0.999 * v + 0.001 * x**2, second, g)
        moves = jax.tree.map(lambda a, b: a - np.asarray(b), before, state.synthesis)
        sides = (jax.tree.leaves(tree) for tree in (moves, first, second, g))
        for move, m, v, slope in zip(*sides, strict=True):
            wanted = 0.01 * (m / (1 - 0.9**turn)) / (np.sqrt(v / (1 - 0.999**turn)) + 1e-8)
            # Slopes of nearly nothing have a sign that rounding decides.
            clear = (np.abs(slope) > 1e-3 * np.abs(slope).max()) & (np.abs(wanted) > 1e-4)
            assert clear.mean() > 0.5
            np.testing.assert_allclose(move[clear], wanted[clear], rtol=0.02, atol=1e-6)


def test_nothing_but_the_synthesis_moves():
    before = jax.tree.map(np.array, network().variables)
    tuned = plain().network
    for name in ("noise", "stats"):
        same = jax.tree.map(lambda a, b: (a == b).all(), before[name], tuned.variables[name])
        assert all(jax.tree.leaves(same)), name
    ours, theirs = before["params"], tuned.variables["params"]
    assert (network().mapping(np.ones((1, 6))) == tuned.mapping(np.ones((1, 6)))).all()
    assert all((a != b).any() for a, b in zip(
        jax.tree.leaves(ours["synthesis"]), jax.tree.leaves(theirs["synthesis"]), strict=True
    ))  # fmt: skip
    # The base was copied, not used up.
    jax.tree.map(np.testing.assert_array_equal, before, jax.tree.map(np.array, network().variables))


def test_pictures_come_nearer_and_what_is_said_is_so():
    result = plain()
    assert result.steps == 6 and result.finite
    assert {name: len(values) for name, values in result.trace.items()} == dict.fromkeys(
        ("perceptual", "pixel", "regulariser"), 6
    )
    before = measure(network(), pivots()[:1], targets()[:1], DISTANCE)
    after = measure(result.network, pivots()[:1], targets()[:1], DISTANCE)
    assert after.perceptual[0] < 0.9 * before.perceptual[0] and after.pixel < before.pixel
    assert before.perceptual[0] == pytest.approx(float(result.trace["perceptual"][0]), rel=1e-4)
    assert (result.trace["regulariser"] == 0).all()
    np.testing.assert_allclose(
        after.pixel[0], np.mean((np.clip(after.images, -1, 1) - targets()[:1]) ** 2), rtol=1e-5
    )


def test_tuning_ends_where_it_is_near_enough():
    trace = plain().trace["perceptual"]
    near = run(dataclasses.replace(FEW, until=float(trace[3]) + 1e-6))
    assert near.steps == 3 and len(near.trace["perceptual"]) == 4
    near = run(dataclasses.replace(FEW, until=100.0))  # before the first step, as the authors do
    assert near.steps == 0 and (numbers(near.network) == numbers(network())).all()
    alone = run(dataclasses.replace(FEW, until=100.0), perceptual=None)
    assert alone.steps == 6 and (alone.trace["perceptual"] == 0).all()


def test_pictures_take_turns():
    heard = []
    result = run(count=2, watch=lambda turns, distance: heard.append((turns, distance)), every=4)
    assert result.steps == 12 and [turns for turns, _ in heard] == [4, 8, 12]
    before, after = (
        measure(net, pivots(), targets(), DISTANCE) for net in (network(), result.network)
    )
    assert (after.perceptual < 0.95 * before.perceptual).all()
    np.testing.assert_allclose(result.trace["perceptual"][0], before.perceptual[0], rtol=1e-4)
    # Both must be near enough, not one of them.
    bounds = before.perceptual
    ended = run(dataclasses.replace(FEW, until=float(bounds.min()) + 1e-4), count=2)
    assert ended.steps > 0
    ended = run(dataclasses.replace(FEW, until=float(bounds.max()) + 1e-4), count=2)
    assert ended.steps <= 1


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 5},
        {"learning_rate": 0.02},
        {"perceptual_weight": 20.0, "pixel_weight": 0.0},
        {"pixel_weight": 0.0, "perceptual_weight": 0.0},
    ],
    ids=str,
)
def test_settings_change_the_result(change):
    found = numbers(run(dataclasses.replace(FEW, **change)).network)
    assert np.isfinite(found).all() and (found != numbers(plain().network)).any()


def test_locality_changes_the_result_and_so_do_its_settings():
    local = run(LOCAL)
    seen = [numbers(plain().network), numbers(local.network)]
    assert (local.trace["regulariser"][1:] > 0).all() and local.trace["regulariser"][0] == 0
    for more in (
        {"alpha": 3.0},
        {"regulariser_perceptual": 10.0},
        {"regulariser_pixels": 10.0},
    ):
        seen.append(numbers(run(dataclasses.replace(LOCAL, **more)).network))
    seen.append(numbers(run(LOCAL, key=jax.random.key(6)).network))
    assert all((a != b).any() for k, a in enumerate(seen) for b in seen[:k])
    assert (numbers(run(LOCAL).network) == seen[1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"samples": 3}, {"psi": 1.0}], ids=str)
def test_latents_that_are_held_decide(more):
    found = numbers(run(dataclasses.replace(LOCAL, **more)).network)
    assert (found != numbers(run(LOCAL).network)).any()


def test_defaults_are_those_of_the_authors():
    settings = dataclasses.asdict(TuningSettings())
    assert settings == {
        "steps": 350,
        "learning_rate": 3e-4,
        "until": 0.06,
        "perceptual_weight": 1.0,
        "pixel_weight": 1.0,
        "regulariser": "none",
        "samples": 1,
        "alpha": 30.0,
        "psi": 0.5,
        "regulariser_perceptual": 0.1,
        "regulariser_pixels": 0.1,
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": -1}, "steps is -1"),
        ({"samples": 0}, "samples is 0"),
        ({"learning_rate": float("inf")}, "learning_rate of tuning is inf"),
        ({"until": float("nan")}, "LPIPS at which tuning ends"),
        ({"regulariser": "l2"}, "'l2'; it can be none or locality"),
    ],
)
def test_settings_that_cannot_be(change, said):
    with pytest.raises(ConfigError, match=said):
        TuningSettings(**change)


def test_shapes_that_do_not_fit():
    with pytest.raises(UserError, match=r"pivots have shape \[1, 5\]"):
        tune(network(), np.zeros((1, 5)), targets()[:1], None, FEW, KEY)
    with pytest.raises(UserError, match=r"pictures \[2, 8, 8, 3\]"):
        tune(network(), pivots()[:1], targets(), None, FEW, KEY)
