"""Losses against numbers worked out by hand, and exactness across devices."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.losses import (
    fake_loss,
    generator_loss,
    path_length_penalty,
    path_lengths,
    r1_penalty,
    real_loss,
)
from tests.helpers import relative_error


def test_logistic_losses():
    logits = jnp.array([[-3.0], [0.0], [2.0]])
    sigmoid = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    np.testing.assert_allclose(generator_loss(logits), -np.log(sigmoid), rtol=1e-6)
    np.testing.assert_allclose(real_loss(logits), -np.log(sigmoid), rtol=1e-6)
    np.testing.assert_allclose(fake_loss(logits), -np.log(1 - sigmoid), rtol=1e-6)
    assert np.isfinite(fake_loss(jnp.array([[1e4]]))).all()


def test_r1_of_a_quadratic_critic_and_its_gradient():
    images = jnp.asarray(np.random.RandomState(0).randn(3, 2, 2, 1), jnp.float32)

    def penalty(scale):
        return r1_penalty(lambda x: scale * jnp.square(x).sum(axis=(1, 2))[:, :1], images)

    # The gradient of s * |x|^2 is 2 * s * x.
    power = jnp.square(images).sum(axis=(1, 2, 3))
    value, logits = penalty(jnp.float32(1.5))
    np.testing.assert_allclose(value, 9 * power, rtol=1e-5)
    np.testing.assert_allclose(logits[:, 0], 1.5 * power, rtol=1e-5)
    slope = jax.grad(lambda s: penalty(s)[0].sum())(jnp.float32(1.5))
    np.testing.assert_allclose(slope, 8 * 1.5 * power.sum(), rtol=1e-5)


def test_path_lengths_of_a_linear_generator():
    rng = np.random.RandomState(1)
    matrix = jnp.asarray(rng.randn(3 * 2, 4 * 4 * 1), jnp.float32)
    ws = jnp.asarray(rng.randn(5, 3, 2), jnp.float32)
    noise = jnp.asarray(rng.randn(5, 4, 4, 1), jnp.float32)
    lengths = path_lengths(lambda w: (w.reshape(5, 6) @ matrix).reshape(5, 4, 4, 1), ws, noise)
    back = (noise.reshape(5, 16) / 4 @ matrix.T).reshape(5, 3, 2)
    expected = np.sqrt(np.square(back).sum(axis=2).mean(axis=1))
    np.testing.assert_allclose(lengths, expected, rtol=1e-5)


def plain_penalty(lengths, pl_mean, decay):
    updated = pl_mean + decay * (lengths.mean() - pl_mean)
    return jnp.square(lengths - updated), updated


def test_the_penalty_is_measured_from_the_updated_mean_and_pulls_on_it():
    lengths, decay = jnp.array([1.0, 2.0, 6.0]), 0.25
    penalty, updated = path_length_penalty(lengths, jnp.float32(0.4), decay)
    np.testing.assert_allclose(updated, 0.4 + 0.25 * 2.6, rtol=1e-6)
    np.testing.assert_allclose(penalty, np.square(lengths - updated), rtol=1e-6)
    for function in (path_length_penalty, plain_penalty):
        slope = jax.grad(lambda x, f=function: f(x, jnp.float32(0.4), decay)[0].mean())(lengths)
        expected = 2 / 3 * (np.asarray(lengths - updated) - decay * (3 - updated))
        np.testing.assert_allclose(slope, expected, rtol=1e-5)


def test_the_penalty_over_devices_is_that_of_the_whole_batch():
    lengths = jnp.asarray(np.random.RandomState(2).rand(4, 3) * 5, jnp.float32)  # [devices, N]

    def own(x):
        def across(value):
            return lax.pmean(value, "batch")

        def loss(y):
            penalty, updated = path_length_penalty(y, jnp.float32(1.0), 0.3, across)
            return penalty.mean(), updated

        return jax.value_and_grad(loss, has_aux=True)(x)

    (losses, updated), slopes = jax.vmap(own, axis_name="batch")(lengths)

    def whole(x):
        penalty, mean = plain_penalty(x.reshape(-1), jnp.float32(1.0), 0.3)
        return penalty.mean(), mean

    (loss, mean), slope = jax.value_and_grad(whole, has_aux=True)(lengths)
    np.testing.assert_allclose(updated, np.full(4, mean), rtol=1e-6)
    np.testing.assert_allclose(losses.mean(), loss, rtol=1e-6)
    # Devices are averaged; single slopes cancel, so the largest is the measure.
    assert relative_error(slopes / 4, slope) < 1e-6
