"""Inversion in W against NVIDIA's projector, number by number."""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.convert.kwargs import generator_config
from aligned_jax.convert.rules import from_official
from aligned_jax.inversion import (
    Settings,
    latent_noises,
    learning_rates,
    noise_regulariser,
    statistics,
    steps,
)
from aligned_jax.inversion.noise import normalised
from aligned_jax.networks.network import Network
from aligned_jax.ops.resize import area
from tests.helpers import document, reference, relative_error

pytestmark = pytest.mark.optimised


@functools.cache
def data():
    arrays = reference("projector")
    return arrays, document(arrays, "meta_json")


@functools.cache
def network():
    arrays, meta = data()
    config = generator_config(meta["g_init_kwargs"])
    tensors = {k.removeprefix("param/"): v for k, v in arrays.items() if "param/" in k}
    return Network(config, jax.tree.map(jnp.asarray, from_official(config, tensors)))


@jax.tree_util.register_static
@dataclass(frozen=True)
class StandIn:
    """The reference's features in the place of a perceptual network."""

    def embed(self, images):
        y = jnp.moveaxis((images + 1) * (127.5 / 40) - 127.5 / 40, -1, 1)
        n, c, h, w = y.shape
        pooled = y.reshape(n, c, h // 4, 4, w // 4, 4).mean(axis=(3, 5)).reshape(n, -1)
        spread = 0.1 * jnp.tanh(y[:, :, ::3, ::3]).reshape(n, -1)
        return jnp.concatenate([pooled, spread], axis=1)


@pytest.mark.parametrize("count", [77, 1000])
def test_schedules(count):
    arrays, _ = data()
    settings = Settings(steps=count)
    # Equal, but for the last bit of the cosine, which is not the same on all machines.
    expected = arrays[f"schedule/{count}/lr"]
    np.testing.assert_allclose(learning_rates(settings), expected, rtol=0, atol=3e-17)
    assert (latent_noises(settings) == arrays[f"schedule/{count}/noise_factor"]).all()


@pytest.mark.slow
def test_noise_regulariser_and_its_gradient():
    arrays, _ = data()
    fields = {str(i): jnp.asarray(arrays[f"noise_reg/buf{i}"])[None] for i in range(5)}
    for name, field in fields.items():
        alone = noise_regulariser({name: field})
        assert relative_error(alone[0], arrays[f"noise_reg/each{name}"]) < 1e-5
    total = lambda fields: noise_regulariser(fields).sum()  # noqa: E731
    value, slopes = jax.value_and_grad(total)(fields)
    alone = sum(arrays[f"noise_reg/each{name}"] for name in fields)
    assert relative_error(value, alone) < 1e-5
    for i, (name, field) in enumerate(normalised(fields).items()):
        assert relative_error(slopes[name][0], arrays[f"noise_reg/grad{i}"]) < 1e-5
        assert relative_error(field[0], arrays[f"noise_reg/normalised{i}"]) < 1e-6


def test_averaging_down():
    arrays, _ = data()
    places = np.arange(512)
    image = (places[:, None] * 512 + places[None]) % 251
    averaged = area(jnp.asarray(image, jnp.float32)[None, :, :, None], 256)[0, ::16, ::16, 0]
    assert relative_error(averaged, arrays["area256/sub"][0, 0]) < 1e-6


def test_mean_and_spread_of_w():
    arrays, meta = data()
    z = np.random.RandomState(123).randn(meta["w_avg_samples"], network().config.z_dim)
    np.testing.assert_array_equal(z, arrays["run/z_samples"])
    measured = statistics(network(), "w", samples=meta["w_avg_samples"])
    assert relative_error(measured.mean, arrays["run/w_avg"][0, 0]) < 1e-6
    np.testing.assert_allclose(measured.spread, arrays["run/w_std"], rtol=1e-6)


@pytest.mark.slow
def test_the_complete_run():
    arrays, meta = data()
    settings = Settings(steps=meta["num_steps"], samples=meta["w_avg_samples"])
    spread = float(arrays["run/w_std"])
    np.testing.assert_allclose(learning_rates(settings), arrays["run/lr"], rtol=1e-12)
    scales = spread * latent_noises(settings)
    np.testing.assert_allclose(scales, arrays["run/noise_scale"], rtol=1e-12)
    target = arrays["run/target_uint8"].transpose(1, 2, 0)[None].astype(np.float32) / 127.5 - 1
    options = steps.StepOptions.of(settings, network())
    goal = steps.embed(StandIn(), jnp.asarray(target), settings.resolution)
    assert relative_error(goal, arrays["run/target_features"]) < 1e-5
    weight = jnp.float32(settings.noise_weight)
    problem = steps.Problem(network(), StandIn(), goal, None, jnp.float32(spread), weight)
    inverted, noise = run(problem, options, settings, arrays)
    # Small differences grow over the steps.
    for name, (early, late) in {
        "distance": (5e-5, 1e-2),
        "latent": (5e-5, 1e-2),
        "slope": (1e-4, 1e-2),
    }.items():
        expected = {"distance": "dist", "latent": "w_steps", "slope": "w_grad"}[name]
        expected = arrays[f"run/{expected}"].reshape(inverted[name].shape)
        assert relative_error(inverted[name][:8], expected[:8]) < early, name
        assert relative_error(inverted[name], expected) < late, name
    for layer, field in noise.items():
        assert relative_error(field, arrays[f"run/noise_final/{layer}.noise_const"]) < 1e-2


def run(problem, options, settings, arrays):
    """The 40 steps with the reference's random numbers: what happened, and the maps at the end."""
    start, end = "run/noise_init/", ".noise_const"
    noise = {
        key.removeprefix(start).removesuffix(end): jnp.asarray(value)[None]
        for key, value in arrays.items()
        if key.startswith(start)
    }
    scales = arrays["run/noise_scale"][:, None, None].astype(np.float32)
    perturbations = arrays["run/w_noise_draws"][:, :, 0] * scales
    schedule = learning_rates(settings).astype(np.float32), perturbations

    @jax.jit
    def loop(state):
        def body(state, now):
            slopes, _ = steps.gradients(problem, options, state.variable, now[1])
            state, terms = steps.step(problem, options, state, *now)
            happened = {"latent": state.variable.latent[0], "slope": slopes.latent[0]}
            return state, happened | {"distance": terms["distance"][0]}

        return jax.lax.scan(body, state, schedule)

    state = steps.start(steps.Variable(jnp.asarray(arrays["run/w_avg"][0]), noise))
    ended, happened = loop(state)
    return happened, {layer: field[0] for layer, field in ended.variable.noise.items()}
