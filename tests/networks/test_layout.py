"""Folded and planar generators against those computed as they are written."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.config import GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.convert import read_official
from aligned_jax.networks import Generator, variable_shapes
from aligned_jax.networks.layout import PLAIN, folded_layout, layout_of
from aligned_jax.networks.network import Network
from aligned_jax.ops import FLAT, RowFold
from aligned_jax.rendering.activations import activations
from tests.helpers import DATA, nchw, reference, relative_error, worst_error


def config_of(*channels):
    return GeneratorConfig(
        2 ** (len(channels) + 1),
        z_dim=4,
        w_dim=4,
        mapping=MappingConfig(1),
        synthesis=SynthesisConfig(channels=channels, conv_clamp=4.0),
    )


# 8 lanes hold rows of one map, of two, and of four.
CONFIG = config_of(8, 4, 2)
LARGER = config_of(8, 8, 4, 2)


@functools.cache
def variables(config=CONFIG):
    """Normal numbers everywhere: no bias and no noise is zero."""
    random = np.random.RandomState(0)

    def draw(leaf):
        return jnp.asarray(random.standard_normal(leaf.shape), jnp.float32)

    return jax.tree.map(draw, variable_shapes(config))


@functools.cache
def everything(config, lanes, half=None, noise="const", second=False):
    """Image, activations, gradients, and `second` derivatives: those of the length of a path.

    `lanes` of 0 are the plain formulation.
    """
    module = Generator(config, half, folded_layout(config, lanes) if lanes else PLAIN)
    random, size = np.random.RandomState(1), config.img_resolution
    ws = jnp.asarray(random.randn(2, config.num_ws, 4), jnp.float32)
    towards = jnp.asarray(random.randn(2, size, size, 3), jnp.float32)
    rngs = {"noise": jax.random.key(3)} if noise == "random" else None

    @jax.jit
    def run(variables, ws):
        def image_of(params, ws):
            tree = {**variables, "params": params}
            options = {"method": "synthesize", "rngs": rngs, "mutable": ["intermediates"]}
            image, kept = module.apply(tree, ws, noise, **options)
            return jnp.vdot(image, towards), (image, kept["intermediates"]["synthesis"])

        def length(params, ws):
            gradient, _ = jax.grad(image_of, 1, has_aux=True)(params, ws)
            return jnp.square(gradient).sum()

        params = variables["params"]
        first, (image, blocks) = jax.grad(image_of, (0, 1), has_aux=True)(params, ws)
        found = {"image": image, "blocks": blocks, "first": first}
        return found | ({"second": jax.grad(length, (0, 1))(params, ws)} if second else {})

    return run(variables(config), ws)


def check(plain, folded):
    """Agreement of two results of `everything`."""
    assert plain.keys() == folded.keys() and np.abs(plain["image"]).max() > 1
    assert relative_error(folded["image"], plain["image"]) < 3e-6
    for block, parts in plain["blocks"].items():
        for part, (expected,) in parts.items():
            ours = folded["blocks"][block][part][0]
            assert relative_error(ours, expected) < 3e-6, (block, part)
    for order in ("first", "second"):
        if order in plain:
            assert worst_error(folded[order], plain[order]) < 1e-5, order


def test_the_layout_of_the_largest_network():
    layout = folded_layout(GeneratorConfig(1024))
    assert len(layout) == 9
    flat = [block == (FLAT, FLAT, FLAT) for block in layout]
    assert flat == [True] * 7 + [False] * 2  # up to 256 pixels, of 128 channels
    assert layout[7] == (FLAT, RowFold(2), RowFold(2, 1))
    assert layout[8] == (RowFold(2, 1), RowFold(4), RowFold(4, 2))


def test_the_layout_of_small_networks():
    layout = folded_layout(LARGER, lanes=8)
    assert [block.after for block in layout] == [FLAT, FLAT, RowFold(2, 1), RowFold(4, 2)]
    # Rows double at most from block to block, whatever the lanes.
    assert [block.after.rows for block in folded_layout(LARGER, lanes=1024)] == [1, 2, 4, 8]
    # Channels that grow again are unfolded again.
    layout = folded_layout(config_of(8, 2, 8, 4), lanes=8)
    assert [block.after.rows for block in layout] == [1, 2, 1, 2]


@pytest.mark.parametrize(
    "option", [{"architecture": "resnet"}, {"resample_filter": ((1, 2), (3, 5))}]
)
def test_what_has_no_folded_form_stays_plain(option):
    synthesis = dataclasses.replace(CONFIG.synthesis, **option)
    assert folded_layout(dataclasses.replace(CONFIG, synthesis=synthesis)) == PLAIN


def test_the_layout_follows_the_backend(monkeypatch):
    assert layout_of(CONFIG, "cpu") == layout_of(CONFIG, "gpu") == PLAIN
    assert layout_of(CONFIG, "tpu") == folded_layout(CONFIG) != PLAIN

    def program(**options):
        ws = jnp.zeros((1, CONFIG.num_ws, 4))
        run = functools.partial(Generator(CONFIG, **options).apply, method="synthesize")
        return str(jax.make_jaxpr(run)(variables(), ws))

    plain, folded = program(layout=PLAIN), program(layout=folded_layout(CONFIG))
    assert program() == plain != folded
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    assert program() == program(layout=folded_layout(CONFIG)) != program(layout=PLAIN)


def test_parameters_do_not_know_the_layout():
    z = jax.ShapeDtypeStruct((1, 4), jnp.float32)
    plain, folded = (
        jax.eval_shape(Generator(CONFIG, None, layout).init, jax.random.key(0), z)
        for layout in (PLAIN, folded_layout(CONFIG, lanes=8))
    )
    assert plain == folded


def test_image_activations_and_gradients_are_the_same():
    check(everything(CONFIG, 0), everything(CONFIG, 8))


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 8, 1024])
def test_derivatives_of_path_lengths_are_the_same(lanes):
    check(everything(LARGER, 0, second=True), everything(LARGER, lanes, second=True))


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["random", "none"])
def test_every_mode_of_noise_is_the_same(noise):
    plain = everything(CONFIG, 0, noise=noise)
    check(plain, everything(CONFIG, 8, noise=noise))
    assert relative_error(plain["image"], everything(CONFIG, 0)["image"]) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("half, tolerance", [("bfloat16", 0.1), ("float16", 0.01)])
def test_half_precision_is_as_close_as_the_plain_formulation_is(half, tolerance):
    config = dataclasses.replace(
        CONFIG, synthesis=dataclasses.replace(CONFIG.synthesis, num_fp16_res=4)
    )
    exact = np.asarray(everything(CONFIG, 0)["image"])
    found = [everything(config, lanes, half) for lanes in (0, 8)]
    assert {one["blocks"]["b16"]["x"][0].dtype for one in found} == {jnp.dtype(half)}
    plain, folded = (relative_error(one["image"], exact) for one in found)
    assert 0 < folded < tolerance and folded < 2 * plain


def test_activations_are_shown_as_they_are_written_on_every_backend(monkeypatch):
    network = Network(CONFIG, variables())
    styles = network.styles(np.ones((3, 4), np.float32))
    found = activations(network, styles, "b16.conv0")
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    fewer = {name: style[:2] for name, style in styles.items()}  # another program
    assert relative_error(activations(network, fewer, "b16.conv0"), found[:2]) < 1e-5


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("name", ["cond16", "gray16", "orig32", "skip32", "skip256"])
@pytest.mark.parametrize("lanes", [1, 16, 128])
def test_images_are_those_of_the_official_implementation(name, lanes):
    network = read_official(DATA / f"generator_{name}.pkl").networks["G_ema"]
    arrays = reference(f"generator_{name}")
    layout = folded_layout(network.config, lanes)
    run = functools.partial(Generator(network.config, None, layout).apply, method="synthesize")
    image = nchw(jax.jit(run)(network.variables(), jnp.asarray(arrays["ws"])))
    assert layout != PLAIN
    assert relative_error(image, arrays["image_const"]) < 1e-5
