"""Folded discriminators against those computed as they are written."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.config import DiscriminatorConfig
from aligned_jax.config.discriminator import EpilogueConfig
from aligned_jax.convert.kwargs import discriminator_config
from aligned_jax.convert.rules import from_official
from aligned_jax.networks import Discriminator, variable_shapes
from aligned_jax.networks.layout import PLAIN, folded_layout, layout_of
from aligned_jax.ops import FLAT, RowFold
from tests.helpers import document, nhwc, reference, relative_error, worst_error


def config_of(*channels, **options):
    size = 2 ** (len(channels) + 1)
    return DiscriminatorConfig(size, channels=channels, conv_clamp=4.0, **options)


# 8 lanes hold rows of one map at 4 pixels, of two at 8 and of four at 16.
CONFIG = config_of(8, 4, 2)
# Without the deviation over the batch, whose second derivatives magnify rounding a thousandfold
# where the clamp leaves little of it.
LARGER = config_of(8, 8, 4, 2, epilogue=EpilogueConfig(mbstd_num_channels=0))


@functools.cache
def everything(config, lanes, half=None, second=False):
    """Logits, activations, gradients, and `second` derivatives: those of R1; 0 lanes are plain."""
    module = Discriminator(config, half, folded_layout(config, lanes) if lanes else PLAIN)
    random, size = np.random.RandomState(0), config.img_resolution
    params = jax.tree.map(
        lambda leaf: jnp.asarray(random.standard_normal(leaf.shape), jnp.float32),
        variable_shapes(config)["params"],
    )
    images = jnp.asarray(random.standard_normal((2, size, size, 3)), jnp.float32)

    @jax.jit
    def run(params, images):
        def loss(params, images):
            logits, kept = module.apply({"params": params}, images, mutable=["intermediates"])
            return logits.sum(), (logits, kept["intermediates"])

        def penalty(params, images):
            return jnp.square(jax.grad(loss, 1, has_aux=True)(params, images)[0]).sum()

        first, (logits, blocks) = jax.grad(loss, (0, 1), has_aux=True)(params, images)
        found = {"logits": logits, "blocks": blocks, "first": first}
        return found | ({"second": jax.grad(penalty, (0, 1))(params, images)} if second else {})

    return run(params, images)


def check(plain, folded):
    """Agreement of two results of `everything`."""
    assert plain.keys() == folded.keys()
    assert relative_error(folded["logits"], plain["logits"]) < 1e-5
    for block in plain["blocks"]:
        ours, expected = (
            tree["blocks"][block]["x"][0] if block != "b4" else tree["logits"]
            for tree in (folded, plain)
        )
        assert relative_error(ours, expected) < 1e-5, block
    for order in ("first", "second"):
        if order in plain:
            assert worst_error(folded[order], plain[order]) < 1e-5, order


def test_the_layout_of_the_largest_network():
    layout = folded_layout(DiscriminatorConfig(1024))
    assert layout_of(DiscriminatorConfig(1024), "tpu") == layout
    for backend in ("gpu", "cpu"):
        assert layout_of(DiscriminatorConfig(1024), backend) == PLAIN
    assert layout[0] == (RowFold(4), RowFold(4, 2), RowFold(2))
    assert layout[1] == (RowFold(2), RowFold(2, 1), FLAT)
    assert set(layout[2:]) == {(FLAT, FLAT, FLAT)} and len(layout) == 8


def test_rows_stay_within_the_map_and_halve_at_most():
    assert [b.before.rows for b in folded_layout(config_of(8, 8, 1), lanes=8)] == [8, 4]
    assert folded_layout(config_of(8, 8, 1), lanes=8)[-1].after == RowFold(2)
    assert [b.before.rows for b in folded_layout(config_of(2, 2, 2), lanes=8)] == [4, 4]


def test_what_has_no_folded_form_stays_plain():
    for option in ({"architecture": "skip"}, {"resample_filter": ((1, 2), (3, 5))}):
        assert folded_layout(config_of(8, 4, 2, **option)) == PLAIN


def test_parameters_do_not_know_the_layout():
    images = jax.ShapeDtypeStruct((1, 16, 16, 3), jnp.float32)
    plain, folded = (
        jax.eval_shape(Discriminator(CONFIG, None, layout).init, jax.random.key(0), images)
        for layout in (PLAIN, folded_layout(CONFIG, lanes=8))
    )
    assert plain["params"] == folded["params"]


def test_logits_activations_and_gradients_are_the_same():
    check(everything(CONFIG, 0), everything(CONFIG, 8))


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 8, 16, 1024])
def test_derivatives_of_r1_are_the_same(lanes):
    check(everything(LARGER, 0, second=True), everything(LARGER, lanes, second=True))


@pytest.mark.slow
@pytest.mark.parametrize("half, tolerance", [("bfloat16", 0.1), ("float16", 0.01)])
def test_half_precision_is_as_close_as_the_plain_formulation_is(half, tolerance):
    config = dataclasses.replace(CONFIG, num_fp16_res=2)
    exact = everything(CONFIG, 0)["blocks"]["b8"]["x"][0]
    found = [everything(config, lanes, half)["blocks"]["b8"]["x"][0] for lanes in (0, 8)]
    assert {x.dtype for x in found} == {jnp.dtype(half)}
    plain, folded = (relative_error(x.astype(jnp.float32), exact) for x in found)
    assert 0 < folded < tolerance and folded < 2 * plain


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("name", ["clamp16", "cond16_g4", "nombstd16", "orig16_g2", "resnet32_g4"])
@pytest.mark.parametrize("lanes", [1, 16, 128])
def test_logits_are_those_of_the_official_implementation(name, lanes):
    arrays = reference(f"discriminator_{name}")
    config = discriminator_config(document(arrays, "init_kwargs_json"))
    tensors = {k.removeprefix("param/"): v for k, v in arrays.items() if k.startswith("param/")}
    variables = jax.tree.map(jnp.asarray, from_official(config, tensors))
    n = document(arrays, "meta_json")["batches"][0]
    layout = folded_layout(config, lanes)
    run = jax.jit(Discriminator(config, None, layout).apply)
    logits = run(
        variables, jnp.asarray(nhwc(arrays[f"n{n}/image"])), jnp.asarray(arrays[f"n{n}/c"])
    )
    assert layout != PLAIN
    assert relative_error(logits, arrays[f"n{n}/logits"]) < 1e-5
