"""Every option of a training run, flipped."""

import dataclasses
import functools
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.config import from_dict, to_dict
from aligned_jax.errors import ConfigError
from aligned_jax.networks.network import Network
from aligned_jax.training import parallel
from aligned_jax.training.draws import draw, draw_cutoff, term_key
from aligned_jax.training.gan_step import (
    apply_gradients,
    finish_iteration,
    phase_gradients,
    phases,
)
from aligned_jax.training.options import AdamOptions, GanOptions
from aligned_jax.training.terms import LOSSES, Batch, Networks, as_float
from tests.helpers import relative_error
from tests.training import tiny_gan as tiny

ONE = jax.local_devices()[:1]
HALF = {"g": {"synthesis": dataclasses.replace(tiny.GENERATOR.synthesis, num_fp16_res=1)}}
HALF["d"] = {"num_fp16_res": 1}
LABELS = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
CONDITIONAL = {"g": {"c_dim": 2}, "d": {"c_dim": 2}}


def value(term, **inputs):
    """Loss of one term, and the running path length after it."""
    program, state, batch = prepared(term, **inputs)
    _, loss, pl_mean = program(state, batch)
    return float(loss[0]), float(pl_mean[0])


def text(term, **inputs):
    """The program of one term, before it is compiled."""
    program, state, batch = prepared(term, **inputs)
    return program.lower(state, batch).as_text()


def prepared(term, labels=None, gen_labels=None, step=0, seed=0, pixels=None, **changes):
    chosen = tiny.recipe(**changes)
    state = dataclasses.replace(tiny.start(chosen), step=jnp.int32(step))
    state = dataclasses.replace(state, augment_p=jnp.float32(0.5))
    if seed:
        state = dataclasses.replace(state, key=jax.random.key_data(jax.random.key(seed)))
    n, width = chosen.options.batch_size, chosen.generator.c_dim
    batch = Batch(
        tiny.images(n) if pixels is None else pixels,
        np.arange(n, dtype=np.int32),
        np.zeros((n, width), np.float32) if labels is None else labels,
        np.zeros((n, 3, width), np.float32) if gen_labels is None else gen_labels,
    )
    return compiled(term, chosen), parallel.replicate(state, ONE), parallel.deal(batch, ONE)


@functools.lru_cache(maxsize=8)  # the same program serves the flips that need no other
def compiled(term, chosen):
    def body(state, batch):
        nets = Networks(state.G, state.D, state.augment_p, jnp.float32(0.3))
        loss, said = LOSSES[term](chosen, nets, batch, term_key(state.key, state.step, term))
        return state, loss, jnp.float32(0) if said.pl_mean is None else said.pl_mean

    return parallel.on_each_device(body, ONE)


@pytest.mark.slow
def test_generator_loss_options():
    base = value("Gmain")[0]
    assert value("Gmain")[0] == base
    flips = {
        "seed": value("Gmain", seed=3),
        "step": value("Gmain", step=1),
        "mixing": value("Gmain", style_mixing_prob=0.0),
        "noise": value("Gmain", g={"synthesis": silent()}),
        "augment": value("Gmain", augment=darken),
    }
    assert all(abs(loss - base) > 1e-5 for loss, _ in flips.values()), flips


def silent():
    return dataclasses.replace(tiny.GENERATOR.synthesis, use_noise=False)


def darken(images, p, key, rows, together):
    return images * (1 - p)


def labelled(term, labels, gen_labels):
    return value(term, labels=labels, gen_labels=gen_labels, **CONDITIONAL)


@pytest.mark.slow
def test_labels_reach_both_networks():
    for term in ("Gmain", "Dmain"):
        base = labelled(term, LABELS, np.stack([LABELS] * 3, axis=1))
        other = np.stack([LABELS, LABELS, LABELS], axis=1)
        other[:, 0 if term == "Gmain" else 2] = LABELS[::-1]
        assert labelled(term, LABELS, other) != base
        other = np.stack([LABELS[::-1]] * 3, axis=1)  # labels of the other terms do not matter
        other[:, 0 if term == "Gmain" else 2] = LABELS
        assert labelled(term, LABELS, other) == base
    assert labelled("Dmain", LABELS[::-1], np.stack([LABELS] * 3, axis=1)) != base


@pytest.mark.slow
def test_path_length_options():
    base, mean = value("Greg")
    doubled, _ = value("Greg", pl_weight=4.0)
    assert doubled == pytest.approx(2 * base, rel=1e-5)
    slow, slow_mean = value("Greg", pl_decay=0.5)
    assert slow != base
    assert slow_mean - 0.3 == pytest.approx(50 * (mean - 0.3), rel=1e-4)
    assert value("Greg", pl_batch_shrink=1)[1] != mean


@pytest.mark.slow
def test_r1_options():
    base, _ = value("Dreg")
    assert value("Dreg", r1_gamma=5.0)[0] == pytest.approx(base / 2, rel=1e-5)
    # The augmentation halves the image, and with it the gradient at the input.
    assert value("Dreg", augment=darken)[0] < 0.9 * base


@pytest.mark.slow
@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_half_precision_is_for_the_main_losses_alone(half):
    for term in ("Gmain", "Dmain"):
        full, mixed = value(term, **HALF)[0], value(term, half=half, **HALF)[0]
        assert mixed != full
        assert mixed == pytest.approx(full, rel=0.05)
        assert text(term, half=half, **HALF) != text(term, **HALF)
    for term in ("Greg", "Dreg"):
        assert text(term, half=half, **HALF) == text(term, **HALF)


@pytest.mark.slow
@pytest.mark.parametrize("term", LOSSES)
def test_every_loss_has_the_precision_of_the_options(term):
    """But for main losses beside half precision, which are fast."""
    exact, high, fast = (text(term, precision=one) for one in ("exact", "high", "fast"))
    assert "[HIGH, HIGH]" in high and "[HIGH, HIGH]" not in exact + fast
    assert "DEFAULT" in fast and "DEFAULT" not in exact + high
    half = text(term, half="bfloat16", precision="high", **HALF)
    assert ("[HIGH, HIGH]" in half) == term.endswith("reg")


@pytest.mark.slow
def test_bytes_and_floats_are_the_same_images():
    pixels = tiny.images(4)
    floats = np.asarray(as_float(jnp.asarray(pixels)))
    assert floats.min() >= -1
    assert floats.max() <= 1
    np.testing.assert_allclose(floats, pixels / 127.5 - 1, atol=1e-6)
    assert as_float(jnp.asarray(floats)).dtype == jnp.float32
    assert value("Dreg", pixels=floats)[0] == pytest.approx(value("Dreg")[0], rel=1e-5)


@pytest.mark.slow
def test_rounds_of_the_path_length_follow_one_another():
    """Two rounds add the gradients of two batches, each against the mean updated so far."""

    def program(chosen):
        phase = phases(chosen.options)[1]
        assert phase.name == "Greg"
        body = functools.partial(phase_gradients, chosen, phase)
        return parallel.on_each_device(body, ONE)

    def feed(rows):
        n = len(rows)
        images, labels = np.zeros((n, 8, 8, 3), np.float32), np.zeros((n, 0), np.float32)
        return parallel.deal(Batch(images, rows, labels, np.zeros((n, 3, 0), np.float32)), ONE)

    options = {"pl_batch_shrink": 1, "pl_decay": 0.3}
    both, single = tiny.recipe(rounds=2, **options), tiny.recipe(batch_size=2, **options)
    start, rows = tiny.start(both), np.arange(4, dtype=np.int32)
    expected, state, run = [], parallel.replicate(start, ONE), program(single)
    for part in (rows[:2], rows[2:]):
        gradients, _, state = run(state, feed(part))
        expected.append(parallel.local(gradients))
    last = parallel.local(state)
    lengths, _, state = program(both)(parallel.replicate(start, ONE), feed(rows))
    for path, total in jax.tree_util.tree_leaves_with_path(
        jax.tree.map(np.add, expected[0], expected[1])
    ):
        actual = functools.reduce(lambda t, k: t[k.key], path, parallel.local(lengths))
        assert relative_error(actual, total) < 1e-5, path
    state = parallel.local(state)
    assert state.pl_mean == pytest.approx(last.pl_mean, rel=1e-6)
    tracked = [s.G["stats"]["mapping"]["w_avg"] for s in (state, last)]
    assert relative_error(*tracked) < 1e-6
    assert np.abs(tracked[0]).max() > 0


def schedule(**options):
    planned = phases(GanOptions(4, **options))
    return [(p.name, p.terms, p.gain, p.interval) for p in planned]


def test_phases_follow_the_intervals():
    g, d = ("Gmain", ("Gmain",), 1, 1), ("Dmain", ("Dmain",), 1, 1)
    assert schedule() == [g, ("Greg", ("Greg",), 4, 4), d, ("Dreg", ("Dreg",), 16, 16)]
    assert schedule(g_reg_interval=8)[1] == ("Greg", ("Greg",), 8, 8)
    assert schedule(d_reg_interval=2)[3] == ("Dreg", ("Dreg",), 2, 2)
    assert schedule(g_reg_interval=None)[0] == ("Gboth", ("Gmain", "Greg"), 1, 1)
    assert schedule(d_reg_interval=None)[2] == ("Dboth", ("Dmain", "Dreg"), 1, 1)
    assert schedule(pl_weight=0.0, r1_gamma=0.0) == [g, d]
    assert schedule(pl_weight=0.0, g_reg_interval=None)[0] == g


@pytest.mark.slow
def test_optimiser_options():
    def after(network, **options):
        chosen = tiny.recipe(**options)
        phase = next(p for p in phases(chosen.options) if p.network == network)
        state = tiny.start(chosen)
        params = getattr(state, network)["params"]
        first = jax.tree.map(lambda v: 0.1 * jnp.cos(v), params)
        second = jax.tree.map(lambda v: 0.05 * jnp.sin(v), params)
        step = functools.partial(apply_gradients, chosen, phase)
        state = step(step(state, first), second)
        return np.concatenate([np.ravel(v) for v in jax.tree.leaves(getattr(state, network))])

    for network, field in (("G", "g_adam"), ("D", "d_adam")):
        base = after(network)
        interval = {"G": "g_reg_interval", "D": "d_reg_interval"}[network]
        for change in (
            {field: dataclasses.replace(tiny.SMOOTH, learning_rate=0.003)},
            {field: dataclasses.replace(tiny.SMOOTH, betas=(0.5, 0.99))},
            {field: dataclasses.replace(tiny.SMOOTH, betas=(0.0, 0.9))},
            {field: dataclasses.replace(tiny.SMOOTH, eps=1e-8)},
            {interval: 2},
            {interval: None},
        ):
            assert np.abs(after(network, **change) - base).max() > 1e-6, change
        other = {"g_adam": "d_adam", "d_adam": "g_adam"}[field]
        np.testing.assert_array_equal(after(network, **{other: AdamOptions()}), base)


@pytest.mark.slow
def test_ema_options_and_adaptation():
    def after(seen=1000, adapt=None, **options):
        chosen = tiny.recipe(adapt=adapt, **options)
        state = tiny.start(chosen)
        state = dataclasses.replace(
            state,
            G_ema=jax.tree.map(lambda v: v + 1, state.G),
            images_seen=jnp.int32(seen),
            signs=jnp.array([3.0, 4.0]),
        )
        done = jax.jit(functools.partial(finish_iteration, chosen))(state)
        assert done.images_seen == seen + chosen.options.batch_size
        assert done.step == 1
        const = (
            done.G_ema["params"]["synthesis"]["b4"]["const"]
            - state.G["params"]["synthesis"]["b4"]["const"]
        )
        noise = jax.tree.map(np.array_equal, done.G_ema["noise"], state.G["noise"])
        assert all(jax.tree.leaves(noise))
        return float(const.mean()), done

    def distance(half_life):
        return 0.5 ** (4 / half_life)

    assert after()[0] == pytest.approx(distance(50), abs=1e-5)
    assert after(seen=10**7)[0] == pytest.approx(distance(10_000), abs=1e-5)
    assert after(ema_rampup=None)[0] == pytest.approx(distance(10_000), abs=1e-5)
    assert after(ema_rampup=0.1)[0] == pytest.approx(distance(100), abs=1e-5)
    assert after(ema_kimg=0.02)[0] == pytest.approx(distance(20), abs=1e-5)
    assert after(seen=0)[0] == 0
    assert after()[1].augment_p == 0
    np.testing.assert_array_equal(after()[1].signs, [3, 4])

    def adapt(p, signs, step):
        return p + signs[0] / signs[1] + step.astype(jnp.float32), jnp.zeros(2)

    moved = after(adapt=adapt)[1]
    assert moved.augment_p == 1.75
    np.testing.assert_array_equal(moved.signs, [0, 0])


def test_draws_belong_to_rows_terms_and_steps():
    config = tiny.GENERATOR
    words = jax.random.key_data(jax.random.key(1))
    drawn = jax.jit(lambda key, rows: draw(key, rows, config, 0.9))

    def fields(term="Gmain", step=0, rows=(0, 1, 2, 3)):
        of_rows = drawn(term_key(words, jnp.int32(step), term), jnp.asarray(rows, jnp.int32))
        return {
            "z": of_rows.z,
            "z_mix": of_rows.z_mix,
            "pl_noise": of_rows.pl_noise,
            **of_rows.noise,
        }

    base, other = fields(), fields(rows=(3, 9, 0, 1))
    assert set(base) == {"z", "z_mix", "pl_noise", "b4.conv1", "b8.conv0", "b8.conv1"}
    for name, numbers in base.items():
        np.testing.assert_array_equal(
            numbers[jnp.array([3, 0, 1])], other[name][jnp.array([0, 2, 3])]
        )
        assert np.unique(numbers).size == numbers.size
    assert base["b8.conv0"].shape == (4, 8, 8)
    flips = [fields("Greg"), fields("Dmain"), fields(step=1), {**base, "z": base["z_mix"]}]
    assert all(np.abs(flip["z"] - base["z"]).min() > 0 for flip in flips)
    assert draw(term_key(words, 0, "Gmain"), jnp.arange(2), config, 0.0).z_mix is None


def test_rows_that_are_worked_on_together():
    chosen = tiny.recipe(batch_size=12, rounds=3)
    for rows, expected in (([0, 2], [0, 1, 2, 3]), ([5, 7], [4, 5, 6, 7]), ([8], [8, 9, 10, 11])):
        np.testing.assert_array_equal(chosen.together(jnp.asarray(rows)), expected)


def test_options_come_without_jax():
    code = "import sys, aligned_jax.training.options; assert 'jax' not in sys.modules"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0


def test_style_mixing_cutoffs():
    keys = jax.random.split(jax.random.key(0), 4000)
    cutoffs = np.asarray(jax.vmap(lambda k: draw_cutoff(k, 6, 0.9))(keys))
    counts = np.bincount(cutoffs, minlength=7) / 4000
    np.testing.assert_allclose(counts[1:6], 0.18, atol=0.03)
    assert counts[6] == pytest.approx(0.1, abs=0.03)
    assert counts[0] == 0
    always = np.asarray(jax.vmap(lambda k: draw_cutoff(k, 6, 1.0))(keys[:500]))
    assert always.max() == 5


def test_options_are_json_and_nonsense_is_refused():
    options = GanOptions(
        8, g_reg_interval=None, half="float16", d_adam=AdamOptions(0.001, (0.1, 0.9))
    )
    assert from_dict(GanOptions, to_dict(options)) == options
    with pytest.raises(ConfigError) as error:
        GanOptions(0, rounds=0, r1_gamma=-1.0, pl_decay=2.0, ema_rampup=float("nan"), half="int8")
    for part in ("batch_size is 0", "rounds is 0", "r1_gamma is -1", "pl_decay is 2", "ema_rampup"):
        assert part in str(error.value)
    assert "half is 'int8'" in str(error.value)
    with pytest.raises(ConfigError, match=r"learning_rate is 0.*eps is -1.*betas are"):
        AdamOptions(0.0, (0.0, 1.0), -1.0)


def test_networks_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r"img_channels is 3 .* 1 in .*; c_dim is 2 .* 0 in"):
        tiny.recipe(g={"c_dim": 2}, d={"img_channels": 1})
    with pytest.raises(ConfigError, match="neither network marks resolutions for it"):
        tiny.recipe(half="bfloat16")


def test_generator_images_do_not_depend_on_the_training_code():
    """The state's averaged generator is a network like any other."""
    state = tiny.start(tiny.recipe())
    image = Network(tiny.GENERATOR, state.G_ema)(np.ones((1, 5), np.float32))
    assert image.shape == (1, 8, 8, 3)
