"""Augmentation inside the training step: p adapts, stays or is absent; it reaches every term."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.augment import AdaConfig, AugmentConfig, apply, draw, preset
from aligned_jax.errors import ConfigError
from aligned_jax.training import parallel
from aligned_jax.training.augmentation import hooks
from aligned_jax.training.gan_step import GanStep
from aligned_jax.training.terms import LOSSES, Networks
from tests.training import tiny_gan as tiny

SHAPE = (8, 8, 3)
BRIGHT = AugmentConfig(brightness=1.0)
SHIFT = AugmentConfig(xfrac=1.0)
ONE = jax.local_devices()[:1]


@pytest.fixture(scope="module")
def ada_runs():
    """States of a run whose discriminator takes real images for real, and of one that does not."""
    ada = AdaConfig(p=0.1, interval=2, kimg=0.16)
    augment, adapt = hooks(BRIGHT, ada, 4, SHAPE)
    chosen = tiny.recipe(augment=augment, adapt=adapt, pl_weight=0.0, d_reg_interval=2)
    step = GanStep(chosen, ONE)

    def run(logit):
        before = tiny.start(chosen, augment_p=ada.p)
        out = before.D["params"]["b4"]["out"]
        end = before.D["params"]["b4"] | {"out": out | {"bias": out["bias"] + logit}}
        before = dataclasses.replace(before, D={"params": before.D["params"] | {"b4": end}})
        state, states = parallel.replicate(before, ONE), [before]
        for i in range(6):
            state, _ = step(state, step.feed(tiny.images(4, i)), i)
            states.append(parallel.local(state))
        return states

    return {1: run(50.0), -1: run(-50.0)}


@pytest.mark.slow
def test_p_goes_up_while_real_images_are_told_apart(ada_runs):
    p = [float(state.augment_p) for state in ada_runs[1]]
    # 4 images * 2 iterations / 160 images to go from 0 to 1.
    np.testing.assert_allclose(p, [0.1, 0.1, 0.15, 0.15, 0.2, 0.2, 0.25], rtol=1e-5)


@pytest.mark.slow
def test_p_goes_down_to_zero_and_no_further(ada_runs):
    p = [float(state.augment_p) for state in ada_runs[-1]]
    np.testing.assert_allclose(p, [0.1, 0.1, 0.05, 0.05, 0, 0, 0], atol=1e-6)


@pytest.mark.slow
def test_signs_come_from_the_main_and_the_r1_phase(ada_runs):
    # R1 runs in iterations 0, 2, 4: 8 signs there, 4 in the others; an update forgets them.
    signs = [state.signs.tolist() for state in ada_runs[1][1:]]
    assert signs == [[8, 8], [0, 0]] * 3
    assert [s.signs.tolist() for s in ada_runs[-1][1:]] == [[-8, 8], [0, 0]] * 3


def test_a_fixed_probability_stays_and_forgets_signs():
    _, adapt = hooks(BRIGHT, AdaConfig("fixed", p=0.8), 4, SHAPE)
    p, signs = adapt(jnp.float32(0.8), jnp.array([4.0, 4.0]), jnp.int32(4))
    assert p == np.float32(0.8)
    assert signs.tolist() == [0, 0]


@pytest.mark.slow
def test_every_term_that_asks_the_discriminator_augments():
    """Gmain, Dmain and Dreg change with p, R1 through the gradient of the warp; Greg does not."""
    augment, _ = hooks(SHIFT, AdaConfig("fixed", p=1.0), 4, SHAPE)
    chosen = tiny.recipe(augment=augment)
    state = tiny.start(chosen)
    batch = GanStep(chosen, ONE).feed(tiny.images(4))
    batch = jax.tree.map(lambda v: v[0], batch)
    key = jax.random.key(3)

    @jax.jit
    def losses(p):
        nets = Networks(state.G, state.D, p, state.pl_mean)
        return {
            name: LOSSES[name](chosen, nets, batch, key)[0] for name in ("Gmain", "Dmain", "Dreg")
        }

    with_p, without = losses(jnp.float32(1)), losses(jnp.float32(0))
    for name, value in with_p.items():
        assert abs(value - without[name]) > 1e-4 * abs(value), name


def test_rows_are_augmented_as_in_one_piece():
    """The hook of some rows, told of all, gives what the pipeline gives the whole batch."""
    config, shape = AugmentConfig(scale=1.0, noise=1.0), (32, 32, 1)
    key, p = jax.random.key(0), jnp.float32(0.9)
    images = np.random.RandomState(0).randn(8, *shape).astype(np.float32)
    rows = jnp.arange(8, dtype=jnp.int32)
    augment, _ = hooks(config, AdaConfig("fixed", p=0.9), 8, shape)
    whole = jax.jit(lambda v: apply(v, draw(key, config, rows, shape), p, config))(images)
    hook = jax.jit(augment)
    for i in range(4):
        np.testing.assert_allclose(
            hook(images[i::4], p, key, rows[i::4], rows), whole[i::4], atol=1e-5
        )


def test_hooks_refuse_what_cannot_work():
    with pytest.raises(ConfigError, match="mode is 'ada', but no transform is enabled"):
        hooks(preset("none"), AdaConfig(), 4, SHAPE)
    with pytest.raises(ConfigError, match="imgfilter needs images of more than"):
        hooks(preset("bgcf"), AdaConfig(), 4, SHAPE)
    assert hooks(preset("bgc"), AdaConfig("none"), 4, SHAPE) == (None, None)
