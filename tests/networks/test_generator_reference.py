"""Generators against images, styles and activations of the official implementation."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.convert import read_official
from aligned_jax.latents import style_layers
from aligned_jax.networks import Generator
from tests.helpers import DATA, document, nchw, reference, relative_error

pytestmark = pytest.mark.optimised("in long runs")

NAMES = ["cond16", "gray16", "options16", "orig32", "resnet32", "skip256", "skip32", "skip64_fp16"]
TOLERANCE = 1e-5


@functools.cache
def case(name):
    """(arrays, settings, config, variables) of one reference generator, from its pickle."""
    arrays = reference(f"generator_{name}")
    network = read_official(DATA / f"generator_{name}.pkl").networks["G_ema"]
    variables = jax.tree.map(jnp.asarray, network.variables())
    return arrays, document(arrays, "meta_json"), network.config, variables


@functools.cache
def compiled(config, half=None):
    """Jitted steps of a generator: map(variables, z, c, psi, cutoff), render, styles."""
    module = Generator(config, half)

    def mapped(variables, z, c, psi, cutoff):
        return module.apply(variables, z, c, psi, cutoff, method="map")

    def rendered(variables, styles, noise):
        return module.apply(variables, styles, noise, method="render", mutable=["intermediates"])

    def affine(variables, ws):
        return module.apply(variables, ws, method="styles")

    return (
        jax.jit(mapped, static_argnums=(3, 4)),
        jax.jit(rendered, static_argnums=2),
        jax.jit(affine),
    )


def image_of(name, ws_key="ws", noise="const", half=None):
    """Image [N, C, H, W] and intermediate activations of reference latents."""
    arrays, _, config, variables = case(name)
    _, render, styles = compiled(config, half)
    image, sown = render(variables, styles(variables, jnp.asarray(arrays[ws_key])), noise)
    return nchw(image), sown["intermediates"]["synthesis"]


@pytest.mark.parametrize("name", NAMES)
def test_mapping_with_and_without_truncation(name):
    arrays, meta, config, variables = case(name)
    map_, _, _ = compiled(config)
    z, c = jnp.asarray(arrays["z"]), jnp.asarray(arrays["c"])
    psi, cutoff = meta["truncation_psi"], meta["truncation_cutoff"]
    assert config.num_ws == meta["num_ws"]
    for key, options in [
        ("ws", (1.0, None)),
        ("ws_psi", (psi, None)),
        ("ws_psi_cutoff", (psi, cutoff)),
    ]:
        assert relative_error(map_(variables, z, c, *options), arrays[key]) < TOLERANCE, key


@pytest.mark.parametrize("name", NAMES)
def test_styles_in_order_of_evaluation(name):
    arrays, meta, config, variables = case(name)
    _, _, styles = compiled(config)
    assert [f"{layer.name}.affine" for layer in style_layers(config)] == meta["style_order"]
    for layer, style in styles(variables, jnp.asarray(arrays["ws"])).items():
        assert relative_error(style, arrays[f"style/{layer}.affine"]) < TOLERANCE, layer


@pytest.mark.parametrize("name", NAMES)
def test_image_and_blocks_with_stored_noise(name):
    arrays, meta, _, _ = case(name)
    image, blocks = image_of(name)
    assert image.dtype == np.float32
    assert relative_error(image, arrays["image_const"]) < TOLERANCE
    for label in meta["block_outputs"]:
        block, part = label.split(".")
        value = nchw(blocks[block][part][0])[:1]
        assert relative_error(value, arrays[f"block/{label}"]) < TOLERANCE, label


@pytest.mark.parametrize("name", NAMES)
def test_image_without_noise(name):
    arrays, _, _, _ = case(name)
    image, _ = image_of(name, noise="none")
    assert relative_error(image, image_of(name)[0]) > 1e-3, "noise changes nothing"
    keys = {"image_none": 1, "image_none_sub2": 2, "image_none_sub4": 4}
    known = [(key, step) for key, step in keys.items() if key in arrays]
    assert known
    for key, step in known:
        assert relative_error(image[..., ::step, ::step], arrays[key]) < TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_image_of_truncated_latents(name):
    arrays, meta, config, variables = case(name)
    if "image_psi_const" not in arrays:
        pytest.skip("this file stores no truncated image")
    z, c = jnp.asarray(arrays["z"]), jnp.asarray(arrays["c"])
    map_, render, styles = compiled(config)
    ws = map_(variables, z, c, meta["truncation_psi"], meta["truncation_cutoff"])
    image, _ = render(variables, styles(variables, ws), "const")
    assert relative_error(nchw(image), arrays["image_psi_const"]) < TOLERANCE


@pytest.mark.slow
def test_image_with_given_noise_fields():
    arrays, meta, config, variables = case("skip32")
    noise = {
        name: jnp.asarray(arrays[f"noise_random/{name}"]) for name in meta["random_noise_order"]
    }
    module = Generator(config)
    image = jax.jit(functools.partial(module.apply, method="synthesize"))(
        variables, jnp.asarray(arrays["ws"]), noise
    )
    assert relative_error(nchw(image), arrays["image_random"]) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("half, tolerance", [("float16", 0.01), ("bfloat16", 0.08)])
def test_half_precision_blocks(half, tolerance):
    arrays, meta, config, _ = case("skip64_fp16")
    assert config.half_resolutions == (8, 16, 32, 64)
    image, blocks = image_of("skip64_fp16", half=half)
    assert blocks["b4"]["x"][0].dtype == jnp.float32
    assert {blocks[f"b{r}"]["x"][0].dtype for r in (8, 16, 32, 64)} == {jnp.dtype(half)}
    assert image.dtype == np.float32
    error = relative_error(image, arrays["image_fp16"])
    assert 0 < error < tolerance
    assert relative_error(image, arrays["image_const"]) > 1e-5, "half precision changes nothing"
    assert meta["fp16_max_abs_diff"] > 0
