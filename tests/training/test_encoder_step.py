"""Training encoders: one device and eight take the same step, and the loss is what it says."""

import functools
import re
from collections import Counter

import jax
import numpy as np
import pytest

from aligned_jax.errors import ConfigError
from aligned_jax.training import parallel
from aligned_jax.training.encoder_state import (
    Frozen,
    create_encoder_state,
    with_backbone,
)
from aligned_jax.training.encoder_step import EncoderStep, active_rows, run_iteration
from tests.helpers import worst_error
from tests.training import tiny_encoder as tiny

EIGHT = jax.local_devices()
WEIGHTS = {
    "l2": 1.0,
    "lpips": 0.5,
    "identity": 0.3,
    "w_norm": 0.2,
    "delta_norm": 0.1,
    "adversarial": 0.4,
}


def images(count, seed=0, size=32):
    return np.random.RandomState(seed).randint(0, 256, (count, size, size, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def generator():
    return tiny.generator()


def three_iterations(generator, devices):
    """The state before, three iterations on these devices, and their reports."""
    chosen = tiny.recipe(
        batch_size=16,
        eps=1e-2,  # steps in proportion to gradients, not to their rounding
        learning_rate=1e-2,
        lookahead=2,
        d_reg_interval=2,
        pool_size=20,
        progressive_start=1,
        progressive_every=1,
        **WEIGHTS,
    )
    before = create_encoder_state(chosen, generator, seed=3)
    step = EncoderStep(chosen, tiny.frozen(generator), devices)
    state, reports = parallel.replicate(before, devices), []
    for i in range(3):
        old = state
        state, report = step(state, step.feed(images(16, i)), i)
        reports.append(parallel.local(report)["E"])
        assert all(leaf.is_deleted() for leaf in jax.tree.leaves(old))
    return before, state, reports


@pytest.fixture(scope="module")
def on_one(generator):
    """`three_iterations` on one device."""
    return three_iterations(generator, EIGHT[:1])


@pytest.mark.slow
def test_one_and_eight_devices_end_in_the_same_state(generator, on_one):
    _, after_one, reports_of_one = on_one
    _, after_eight, reports_of_eight = three_iterations(generator, EIGHT)
    one, eight = parallel.local(after_one), parallel.local(after_eight)
    for name in ("E", "D", "real_pool", "fake_pool"):
        assert worst_error(getattr(eight, name), getattr(one, name)) < 1e-4, name
    for ours, theirs in zip(reports_of_eight, reports_of_one, strict=True):
        assert set(ours) == set(theirs)
        for name, value in theirs.items():
            assert ours[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name
    for leaf in jax.tree.leaves(after_eight):
        rows = np.asarray(leaf)
        np.testing.assert_array_equal(rows, np.broadcast_to(rows[:1], rows.shape))
    assert (one.step, one.images_seen) == (3, 48)


@pytest.mark.slow
def test_what_moves_and_what_does_not(on_one, generator):
    before, after, reports = on_one
    one = parallel.local(after)
    moved = {
        name: max(
            np.abs(a - b).max()
            for a, b in zip(jax.tree.leaves(module), jax.tree.leaves(new), strict=True)
        )
        for name, module, new in (
            (name, before.E["params"][name], one.E["params"][name]) for name in one.E["params"]
        )
    }
    # In three iterations rows 0 to 2 have begun; the finer maps serve later ones alone.
    asleep = {name for name, by in moved.items() if by == 0}
    assert asleep == {*(f"styles.{i}" for i in range(3, 8)), "latlayer1", "latlayer2"}
    assert [said["Progress/active_rows"] for said in reports] == [1, 2, 3]
    assert reports[0]["Loss/E/delta_norm"] == 0 < reports[1]["Loss/E/delta_norm"]
    w_avg = generator["stats"]["mapping"]["w_avg"]
    np.testing.assert_array_equal(one.E["stats"]["latent_avg"], np.tile(w_avg, (8, 1)))
    stats = [np.asarray(v) for v in jax.tree.leaves(one.E["stats"]["body.3"])]
    assert all((v != 0).any() and (v != 1).any() for v in stats)
    assert all(np.abs(v).max() > 0 for v in jax.tree.leaves(one.D_opt[0].mu))
    assert one.D_opt[0].count == 5  # three times, and twice for R1
    assert one.real_pool.count == one.fake_pool.count == 20


@pytest.mark.slow
def test_the_loss_is_the_weighted_sum(on_one):
    *_, reports = on_one
    for said in reports:
        total = sum(weight * said[f"Loss/E/{name}"] for name, weight in WEIGHTS.items())
        assert said["Loss/E/loss"] == pytest.approx(total, rel=1e-5)
        # The features of the stand-in for ArcFace are not of length one.
        assert all(said[f"Loss/E/{name}"] != 0 for name in WEIGHTS if name != "delta_norm")
        assert said["Gradient/nonfinite"] == 0 < said["Gradient/norm"]


@pytest.mark.slow
@pytest.mark.parametrize("space", ["w", "z", "z+"])
def test_other_spaces_train_without_any_loss_network(generator, space):
    chosen = tiny.recipe(
        {"space": space, "deltas": False, "latent_dim": 6 if space == "w" else 5},
        batch_size=4,
        learning_rate=1e-2,
        **tiny.PLAIN,
    )
    before = create_encoder_state(chosen, generator)
    assert before.D == {} == before.D_opt
    step = EncoderStep(chosen, Frozen(generator), EIGHT[:1])
    state, said = step(parallel.replicate(before, EIGHT[:1]), step.feed(images(4)), 0)
    said, state = parallel.local(said)["E"], parallel.local(state)
    assert {name for name in said if name.startswith("Loss")} == {"Loss/E/l2", "Loss/E/loss"}
    head = "styles.7" if space == "z+" else "linear"
    weight = (
        (lambda s: s.E["params"][head]["linear"]["weight"])
        if space == "z+"
        else (lambda s: s.E["params"][head]["weight"])
    )
    assert np.abs(weight(state) - weight(before)).max() > 0


@pytest.mark.slow
def test_every_product_has_the_precision_of_the_options(generator):
    """But for the few that decide more than they cost, such as the generator's demodulation."""

    def asked(precision):
        chosen = tiny.recipe(batch_size=4, precision=precision, **WEIGHTS)
        step = EncoderStep(chosen, tiny.frozen(generator), EIGHT[:1])
        state = parallel.replicate(create_encoder_state(chosen, generator), EIGHT[:1])
        program = parallel.on_each_device(functools.partial(run_iteration, chosen), EIGHT[:1])
        text = program.lower(state, step.frozen, step.feed(images(4))).as_text()
        return Counter(re.findall(r"precision = \[(\w+), \w+\]", text))

    exact, high, fast = (asked(one) for one in ("exact", "high", "fast"))
    assert set(exact) == {"HIGHEST"} and high["HIGH"] == fast["DEFAULT"]
    assert high["HIGHEST"] == fast["HIGHEST"] < exact["HIGHEST"] / 4


def test_deltas_begin_when_published():
    chosen = tiny.recipe(progressive_start=20_000, progressive_every=2_000)
    steps = np.array([0, 19_999, 20_000, 21_999, 22_000, 31_999, 32_000, 10**6])
    counts = [int(active_rows(chosen, np.int32(step))) for step in steps]
    assert counts == [1, 1, 2, 2, 3, 7, 8, 8]
    assert active_rows(tiny.recipe(progressive_start=None), np.int32(0)) == 8
    plain = tiny.recipe({"deltas": False}, delta_norm=0.0)
    assert active_rows(plain, np.int32(0)) == 8


@pytest.mark.slow
def test_what_does_not_fit_is_refused(generator):
    with pytest.raises(ConfigError) as error:
        tiny.recipe({"space": "z", "deltas": False, "rows": 9, "img_resolution": 64})
    for part in (
        "latents of width 6 in the encoder, 5 in the generator",
        "rows 9 in the encoder, 8 in the generator",
        "img_resolution 64 in the encoder, 32 in the generator",
        "adversarial is 0.1, but an encoder to z has no use for it",
        "delta_norm is 0.0002, but an encoder to z without deltas",
    ):
        assert part in str(error.value)
    with pytest.raises(ConfigError, match="the losses need lpips and arcface; load it, or give"):
        EncoderStep(tiny.recipe(), Frozen(generator), EIGHT[:1])
    with pytest.raises(ConfigError, match=r"batch of 6 cannot .* 8 devices"):
        EncoderStep(tiny.recipe(batch_size=6), tiny.frozen(generator), EIGHT)
    with pytest.raises(ConfigError, match="another backbone"):
        state = create_encoder_state(tiny.recipe(), generator)
        with_backbone(state.E, {"params": {"body.0": {}}, "stats": {}})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["e4e", "psp"])
def test_the_loss_falls(generator, kind):
    options = {"batch_size": 8, "learning_rate": 3e-3, "noise": "const", "identity": 0.0}
    if kind == "e4e":
        chosen = tiny.recipe(progressive_start=50, progressive_every=10, **options)
    else:
        chosen = tiny.recipe(
            {"space": "w", "deltas": False}, **{**tiny.PLAIN, "lpips": 0.8} | options
        )
    step = EncoderStep(chosen, tiny.frozen(generator))
    state, said = parallel.replicate(create_encoder_state(chosen, generator)), []
    from aligned_jax.networks.network import Network

    network = Network(tiny.GENERATOR, generator)
    for i in range(300):
        z = np.random.RandomState(i).standard_normal((8, 5)).astype(np.float32)
        real = np.asarray(network(z))
        state, reports = step(state, step.feed(real), i)
        said.append(float(parallel.local(reports)["E"]["Loss/E/l2"]))
    assert np.mean(said[-20:]) < 0.7 * np.mean(said[:20])
