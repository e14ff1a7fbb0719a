"""Discriminators against logits, activations and gradients of the official implementation."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.convert.kwargs import discriminator_config
from aligned_jax.convert.rules import from_official
from aligned_jax.errors import ConfigError
from aligned_jax.networks import Discriminator
from tests.helpers import document, nchw, nhwc, reference, relative_error

pytestmark = pytest.mark.optimised("in long runs")

NAMES = ["clamp16", "cond16_g4", "cond8_cmap_c2", "nombstd16", "orig16_g2", "skip16_gnone"]
NAMES += [pytest.param("resnet32_g4", marks=pytest.mark.slow)]
TOLERANCE = 1e-5


@functools.cache
def case(name):
    """(arrays, settings, module, variables) of one reference discriminator."""
    arrays = reference(f"discriminator_{name}")
    config = discriminator_config(document(arrays, "init_kwargs_json"))
    tensors = {k.removeprefix("param/"): v for k, v in arrays.items() if k.startswith("param/")}
    variables = jax.tree.map(jnp.asarray, from_official(config, tensors))
    return arrays, document(arrays, "meta_json"), Discriminator(config), variables


def inputs(arrays, n):
    return jnp.asarray(nhwc(arrays[f"n{n}/image"])), jnp.asarray(arrays[f"n{n}/c"])


@functools.cache
def program(name):
    """Logits, their gradient to the images, and what was sown, as one program."""
    _, _, module, variables = case(name)

    @jax.jit
    def run(images, c):
        def apply(images):
            return module.apply(variables, images, c, mutable=["intermediates"])

        logits, back, sown = jax.vjp(apply, images, has_aux=True)
        return logits, back(jnp.ones_like(logits))[0], sown["intermediates"]

    return run


@pytest.mark.parametrize("name", NAMES)
def test_logits_and_input_gradients(name):
    arrays, meta, _, _ = case(name)
    for n in meta["batches"]:
        logits, gradient, _ = program(name)(*inputs(arrays, n))
        assert relative_error(logits, arrays[f"n{n}/logits"]) < TOLERANCE, n
        penalty = jnp.square(gradient).sum(axis=(1, 2, 3))
        assert relative_error(penalty, arrays[f"n{n}/r1_penalty"]) < 1e-4, n
        if f"n{n}/grad_image" in arrays:
            assert relative_error(nchw(gradient), arrays[f"n{n}/grad_image"]) < 1e-4, n


@pytest.mark.parametrize("name", NAMES)
def test_intermediate_activations(name):
    arrays, meta, _, _ = case(name)
    n = meta["batches"][0]
    stored = {k.split("/")[-1]: v for k, v in arrays.items() if k.startswith(f"n{n}/block/")}
    _, _, sown = program(name)(*inputs(arrays, n))
    assert stored
    for label, expected in stored.items():
        if label == "mapping":
            value = np.asarray(sown["cmap"][0])
        else:
            block, part = label.split(".")
            value = nchw(sown[block][part][0])
        assert relative_error(value, expected) < TOLERANCE, label


@pytest.mark.parametrize("name", ["cond16_g4", "resnet32_g4", "orig16_g2"])
def test_batches_that_the_group_does_not_divide_are_refused(name):
    _, meta, module, variables = case(name)
    config = module.config
    for n in meta["rejected_batch_sizes_1_to_8"]:
        size = config.img_resolution
        images = jnp.zeros((n, size, size, config.img_channels))
        with pytest.raises(ConfigError, match=f"batch of {n} "):
            jax.eval_shape(module.apply, variables, images, jnp.zeros((n, config.c_dim)))


@pytest.mark.slow
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_runs_close_to_single(half):
    arrays, _, module, variables = case("resnet32_g4")
    config = module.config
    halved = Discriminator(dataclasses.replace(config, num_fp16_res=2, conv_clamp=256.0), half)
    images, c = inputs(arrays, 4)
    logits, sown = jax.jit(functools.partial(halved.apply, mutable=["intermediates"]))(
        variables, images, c
    )
    dtypes = {k: v["x"][0].dtype for k, v in sown["intermediates"].items() if "x" in v}
    assert dtypes == {"b32": half, "b16": half, "b8": "float32"}
    assert 0 < relative_error(logits, arrays["n4/logits"]) < 0.05
