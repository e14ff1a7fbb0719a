"""One batch on one device and on eight: the same step. Dealing, copying, counting exchanges."""

import re

import jax
import numpy as np
import pytest

from aligned_jax.augment import AdaConfig, AugmentConfig
from aligned_jax.errors import ConfigError
from aligned_jax.training import parallel
from aligned_jax.training.augmentation import hooks
from aligned_jax.training.draws import TERMS
from aligned_jax.training.gan_step import GanStep
from tests.helpers import worst_error
from tests.training import tiny_gan as tiny

EIGHT = jax.local_devices()
ONE = EIGHT[:1]
# A warp, whose padding all rows share, and noise by row; p moves after every second iteration.
AUGMENT = AugmentConfig(xfrac=1.0, noise=1.0)
ADA = AdaConfig(p=0.5, interval=2, kimg=0.128)


@pytest.fixture(scope="module")
def both():
    """On 1 and 8 devices: the state before, gradients from it, three iterations, program texts."""
    augment, adapt = hooks(AUGMENT, ADA, 16, (8, 8, 3))
    chosen = tiny.recipe(
        g={"c_dim": 2},
        d={"c_dim": 2},
        augment=augment,
        adapt=adapt,
        batch_size=16,
        g_reg_interval=2,
        d_reg_interval=2,
    )
    before = tiny.start(chosen, augment_p=ADA.p)
    rng = np.random.RandomState(7)
    labels = np.eye(2, dtype=np.float32)[rng.randint(0, 2, 16)]
    gen_labels = np.eye(2, dtype=np.float32)[rng.randint(0, 2, (16, 3))]
    gradients, after, reports, texts = {}, {}, {}, {}
    for devices in (ONE, EIGHT):
        step = GanStep(chosen, devices)
        assert step.device_dependence == []
        state = parallel.replicate(before, devices)
        batch = step.feed(tiny.images(16), labels, gen_labels)
        programs = step.compile(state, batch)
        texts[len(devices)] = {name: p.as_text() for name, p in programs.items()}
        gradients[len(devices)] = {}
        for name in TERMS:
            once, _ = programs[name](parallel.replicate(before, devices), batch)
            # With a first beta of 0 the first moment is the gradient.
            moments = (once.G_opt if name[0] == "G" else once.D_opt)[0].mu
            gradients[len(devices)][name] = parallel.local(moments)
        for i in range(3):
            batch = step.feed(tiny.images(16, i), labels, gen_labels)
            old, (state, said) = state, step(state, batch, i)
            assert all(leaf.is_deleted() for leaf in jax.tree.leaves(old))
        after[len(devices)], reports[len(devices)] = state, said
    return before, gradients, after, reports, texts


@pytest.mark.slow
def test_one_and_eight_devices_find_the_same_gradients(both):
    _, gradients, *_ = both
    for name in TERMS:
        # R1 reaches biases through the minibatch deviation alone, where terms near 1 cancel
        # to 1e-3 or less: changing parameters in their last bit moves them as much.
        share = 0.01 if name == "Dreg" else 0.001
        assert worst_error(gradients[8][name], gradients[1][name], share) < 1e-5, name
        assert all(np.abs(v).max() > 0 for v in jax.tree.leaves(gradients[1]["Gmain"]))


@pytest.mark.slow
def test_one_and_eight_devices_end_in_the_same_state(both):
    before, _, after, reports, _ = both
    one, eight = parallel.local(after[1]), parallel.local(after[8])
    for name in ("G", "D", "G_ema"):
        assert worst_error(getattr(eight, name), getattr(one, name), 0.0) < 1e-5, name
    for name in ("G_opt", "D_opt"):
        for moment in ("mu", "nu"):
            pair = [getattr(getattr(state, name)[0], moment) for state in (eight, one)]
            assert worst_error(*pair, 0.05) < 1e-3, (name, moment)
    assert eight.pl_mean == pytest.approx(one.pl_mean, rel=1e-5)
    assert (eight.augment_p, eight.step) == (one.augment_p, one.step)
    np.testing.assert_array_equal(eight.signs, one.signs)
    np.testing.assert_array_equal(eight.key, one.key)
    said = parallel.local(reports[1]), parallel.local(reports[8])
    assert set(said[0]) == set(TERMS)
    for name, values in said[0].items():
        for key, value in values.items():
            assert said[1][name][key] == pytest.approx(value, rel=2e-5, abs=1e-6), (name, key)
    moved = jax.tree.map(
        lambda a, b: float(np.abs(a - b).max()), before.G["params"], one.G["params"]
    )
    assert min(jax.tree.leaves(moved)) > 0
    assert one.augment_p in (0.25, 0.75)
    assert one.signs[1] == 32  # real logits of Dmain and Dreg since p last moved
    assert one.step == 3
    assert one.images_seen == 48


@pytest.mark.slow
def test_every_device_ends_with_the_same_state(both):
    _, _, after, _, _ = both
    for leaf in jax.tree.leaves(after[8]):
        rows = np.asarray(leaf)
        np.testing.assert_array_equal(rows, np.broadcast_to(rows[:1], rows.shape))


@pytest.mark.slow
def test_one_exchange_for_each_update(both):
    *_, texts = both

    def exchanges(text):
        return re.findall(
            r" = (\S+) (?:all-reduce|all-gather|all-to-all|reduce-scatter)\w*\(", text
        )

    counted = {name: exchanges(text) for name, text in texts[8].items()}
    assert {name: len(shapes) for name, shapes in counted.items()} == {
        "Gmain": 1,
        "Greg": 2,  # the mean path length, one number, goes first (`terms.g_reg` says why)
        "Dmain": 1,
        "Dreg": 1,
        "finish": 0,
    }
    assert any(re.match(r"f32\[1?\]", shape) for shape in counted["Greg"])
    assert not any(exchanges(text) for text in texts[1].values())


@pytest.mark.slow
def test_the_state_that_was_replicated_is_left_alone(both):
    before, _, after, _, _ = both
    fresh = tiny.start(tiny.recipe(g={"c_dim": 2}, d={"c_dim": 2}, batch_size=16), augment_p=0.5)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, before, fresh)))
    copy = parallel.local(after[8])
    assert all(isinstance(v, np.ndarray | np.generic) for v in jax.tree.leaves(copy))


def test_local_copies_outlive_the_state():
    state = parallel.replicate({"a": np.arange(3.0, dtype=np.float32)}, EIGHT)
    copy = parallel.local(state)
    double = parallel.on_each_device(lambda s: jax.tree.map(lambda v: v * 2, s), EIGHT)
    np.testing.assert_array_equal(parallel.local(double(state))["a"], [0, 2, 4])
    np.testing.assert_array_equal(copy["a"], [0, 1, 2])
    assert state["a"].is_deleted()


def test_rows_are_dealt_in_turns():
    rows = parallel.row_numbers(24)
    dealt = np.asarray(parallel.deal(rows, EIGHT))
    assert dealt.shape == (8, 3)
    np.testing.assert_array_equal(dealt[:, 0], np.arange(8))
    assert all(np.unique(device % 8).size == 1 for device in dealt)


def test_a_host_takes_every_hosts_th_row(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(jax, "process_index", lambda: 1)
    np.testing.assert_array_equal(parallel.row_numbers(6), [1, 3, 5])


def test_batches_that_cannot_be_dealt_are_refused():
    def check(batch, rounds=1, devices=8, group=4, shrink=2):
        return parallel.check_division(batch, rounds, devices, group, shrink)

    assert check(32) == 4
    assert check(64, rounds=2) == 4
    assert check(24, group=None) == 3
    assert check(16, group=4) == 2  # fewer rows than a group form one group
    with pytest.raises(ConfigError, match=r"batch of 20 .* 8 devices; use a multiple of 8"):
        check(20)
    with pytest.raises(ConfigError, match=r"batch of 24 .* 8 devices x 2 rounds; .* 16"):
        check(24, rounds=2)
    with pytest.raises(ConfigError, match="batch of 0 cannot"):
        check(0)
    with pytest.raises(ConfigError, match=r"6 rows .* groups of 4 .* do not divide"):
        check(48)
    with pytest.raises(ConfigError, match=r"1 rows .* one row in 2, would be left without any"):
        check(8)
    with pytest.raises(ConfigError, match=r"groups of 2 .* and the path length"):
        check(24, group=2, shrink=4)


def test_device_dependence_is_explained():
    assert parallel.device_dependence(4, 4, 2) == []
    assert parallel.device_dependence(4, 1, 1) == []
    (reason,) = parallel.device_dependence(2, 4, 2)
    assert "groups 4 samples, but a device has 2 rows" in reason
    (reason,) = parallel.device_dependence(4, None, 2)
    assert "the whole batch" in reason
    (reason,) = parallel.device_dependence(3, 1, 2)
    assert "one row in 2" in reason
    step = GanStep(tiny.recipe(batch_size=8, pl_batch_shrink=1), EIGHT)
    assert "groups 2 samples" in step.device_dependence[0]
    free = tiny.recipe(
        d={"epilogue": tiny.EpilogueConfig(mbstd_num_channels=0)}, batch_size=8, pl_weight=0.0
    )
    assert GanStep(free, EIGHT).device_dependence == []


def test_feeding_wrong_batches_is_refused():
    step = GanStep(tiny.recipe(g={"c_dim": 2}, d={"c_dim": 2}), ONE)
    with pytest.raises(ConfigError) as error:
        step.feed(tiny.images(3).astype(np.int64), np.zeros((4, 3)))
    for part in ("images have shape (3, 8, 8, 3)", "(4, 8, 8, 3)", "labels have shape (4, 3)"):
        assert part in str(error.value)
    assert "gen_labels are missing" in str(error.value)
    assert "images are int64, expected uint8 or float32" in str(error.value)
