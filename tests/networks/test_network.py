"""The Network object: same numbers as the modules, a pytree, plain about bad input."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax.config import (
    DiscriminatorConfig,
    GeneratorConfig,
    MappingConfig,
    SynthesisConfig,
)
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers, truncate, z_from_seeds
from aligned_jax.networks import init_variables
from tests.helpers import DATA, nchw, nhwc, reference, relative_error

CONFIG = GeneratorConfig(
    16, z_dim=6, w_dim=5, mapping=MappingConfig(2), synthesis=SynthesisConfig(64, 8)
)


def with_noise(variables):
    """The same variables with noise strengths that show."""

    def strengthen(path, leaf):
        return leaf + 0.3 if "noise_strength" in jax.tree_util.keystr(path) else leaf

    return jax.tree_util.tree_map_with_path(strengthen, variables)


@pytest.fixture(scope="module")
def net():
    variables = with_noise(init_variables(CONFIG, jax.random.key(0)))
    variables["stats"]["mapping"]["w_avg"] = jnp.arange(5.0)
    return aj.Network(CONFIG, variables, {"kind": "test"})


@pytest.fixture(scope="module")
def z(net):
    return z_from_seeds(net.config, [1, 2])


@pytest.mark.slow
def test_latents_flow_one_way(net, z):
    ws = net.mapping(z)
    assert ws.shape == (2, 6, 5)
    styles = net.styles(ws)
    assert list(styles) == [layer.name for layer in style_layers(CONFIG)]
    image = net.render(styles)
    assert image.shape == (2, 16, 16, 3) and image.dtype == jnp.float32
    np.testing.assert_array_equal(image, net.synthesis(ws))
    np.testing.assert_array_equal(image, net(z))
    np.testing.assert_allclose(net.synthesis(ws[:, 0]), image, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_editing_one_style_channel_changes_the_image(net, z):
    styles = net.styles(net.mapping(z))
    before = net.render(styles)
    styles["b8.conv1"] = styles["b8.conv1"].at[:, 3].add(10.0)
    assert relative_error(net.render(styles), before) > 1e-3


def test_truncation(net, z):
    ws = net.mapping(z)
    np.testing.assert_array_equal(net.mapping(z, psi=1), ws)
    mean = jnp.broadcast_to(net.w_avg, ws.shape)
    np.testing.assert_array_equal(net.mapping(z, psi=0.0), mean)
    np.testing.assert_allclose(net.mapping(z, psi=0.5), (ws + mean) / 2, rtol=1e-5)
    np.testing.assert_array_equal(net.mapping(z, psi=0.5, cutoff=2)[:, 2:], ws[:, 2:])


def test_z_plus_maps_every_row(net, z):
    rows = np.random.RandomState(0).randn(2, 6, 6).astype(np.float32)
    ws = net.mapping(rows)
    for row in range(6):
        assert relative_error(ws[:, row], net.mapping(rows[:, row])[:, 0]) < 1e-5
    tiled = np.repeat(z[:, None], 6, axis=1)
    assert relative_error(net.mapping(tiled), net.mapping(z)) < 1e-5


@pytest.mark.slow
def test_noise_modes(net, z):
    ws = net.mapping(z)
    images = {
        "const": net.synthesis(ws),
        "none": net.synthesis(ws, "none"),
        "random 0": net.synthesis(ws, "random", key=jax.random.key(0)),
        "random 1": net.synthesis(ws, "random", key=jax.random.key(1)),
    }
    for a in images:
        for b in images:
            assert (relative_error(images[a], images[b]) < 1e-6) == (a == b), (a, b)
    again = net.synthesis(ws, "random", key=jax.random.key(0))
    np.testing.assert_array_equal(again, images["random 0"])
    stored = {
        f"{block}.{layer}": value["noise_const"]
        for block, layers in net.variables["noise"]["synthesis"].items()
        for layer, value in layers.items()
    }
    np.testing.assert_allclose(net.synthesis(ws, stored), images["const"], rtol=1e-5, atol=1e-5)


def test_random_noise_differs_between_samples(net):
    image = net.synthesis(jnp.zeros((2, 5)), "random", key=jax.random.key(0))
    assert relative_error(image[0], image[1]) > 1e-3


@pytest.mark.slow
def test_no_two_layers_share_a_random_field(net):
    """A network that shows the noise of one layer of its last block and nothing else."""

    def signs(layer):
        params = jax.tree.map(jnp.zeros_like, net.variables["params"])
        block = params["synthesis"]["b16"]
        block[layer]["noise_strength"] = jnp.float32(1)
        block["conv1"]["weight"] = (
            jnp.zeros_like(block["conv1"]["weight"])
            .at[1, 1]
            .set(jnp.eye(block["conv1"]["weight"].shape[2]))
        )
        block["torgb"]["weight"] = jnp.ones_like(block["torgb"]["weight"])
        for part in ("conv1", "torgb"):
            block[part]["affine"]["bias"] = jnp.ones_like(block[part]["affine"]["bias"])
        shown = aj.Network(CONFIG, {**net.variables, "params": params})
        return shown.synthesis(jnp.zeros((1, 5)), "random", key=jax.random.key(0)) > 0

    agreement = (signs("conv0") == signs("conv1")).mean()
    assert 0.3 < agreement < 0.7


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_half_precision_changes_little_but_something(net, z, half):
    full, halved = net(z), net(z, half=half)
    assert halved.dtype == jnp.float32
    assert 0 < relative_error(halved, full) < 0.05
    one = dataclasses.replace(
        net, config=dataclasses.replace(CONFIG, synthesis=SynthesisConfig(64, 8, num_fp16_res=1))
    )
    assert relative_error(one(z, half=half), full) > 0
    assert relative_error(one(z, half=half), halved) > 0, "the number of resolutions has no effect"


@pytest.mark.slow
def test_networks_are_pytrees(net, z):
    doubled = jax.tree.map(lambda x: 2 * x, net)
    assert doubled.config == CONFIG and doubled.provenance is None
    np.testing.assert_array_equal(doubled.w_avg, 2 * net.w_avg)

    @jax.jit
    def brightness(net, z):
        return net(z).mean()

    value, gradient = jax.value_and_grad(lambda n: brightness(n, jnp.asarray(z)))(net)
    assert value == pytest.approx(float(net(z).mean()), rel=1e-4, abs=1e-6)
    assert isinstance(gradient, aj.Network)
    slope = gradient.variables["params"]["synthesis"]["b16"]["torgb"]["bias"]
    np.testing.assert_allclose(slope, [1 / 3] * 3, rtol=1e-5)


@pytest.mark.slow
def test_gradients_reach_the_latents(net, z):
    gradient = jax.grad(lambda z: jnp.square(net(z)).sum())(jnp.asarray(z))
    assert np.abs(gradient).max() > 1e-3


def fields(net, *leading):
    """Noise fields with these leading dimensions for every convolution."""
    sizes = {x.name: x.resolution for x in style_layers(net.config) if x.kind == "conv"}
    return {name: np.zeros((*leading, r, r), np.float32) for name, r in sizes.items()}


@pytest.mark.parametrize(
    "call, reason",
    [
        (lambda n: n.mapping(np.zeros((2, 7))), r"z has shape \(2, 7\).*\[N, 6\]"),
        (lambda n: n.mapping(np.zeros((2, 5, 6))), r"\[N, 6, 6\]"),
        (lambda n: n.mapping(np.zeros((2, 6)), np.zeros((2, 3))), "unconditional"),
        (lambda n: n.mapping(np.float32(3)), r"z has shape \(\)"),
        (lambda n: n.mapping(np.zeros((2, 6)), cutoff=9, psi=0.5), "cutoff is 9"),
        (lambda n: n.mapping(np.zeros((2, 6)), cutoff=2.5, psi=0.5), "cutoff is 2.5"),
        (lambda n: n.mapping(np.zeros((2, 6)), psi=np.zeros(2)), "one finite number"),
        (lambda n: n.mapping(np.zeros((2, 6)), psi=float("nan")), "psi is nan"),
        (lambda n: n.synthesis(np.zeros((2, 5, 5))), r"\[N, 6, D\]"),
        (lambda n: n.synthesis(np.zeros((2, 6, 4))), "width 4; this network's is 5"),
        (lambda n: n.synthesis(np.zeros((2, 5)), "loud"), "noise is 'loud'.* none"),
        (lambda n: n.synthesis(np.zeros((2, 5)), "random"), "needs a PRNG key"),
        (lambda n: n.synthesis(np.zeros((2, 5)), "random", key=0), "needs a PRNG key"),
        (lambda n: n.synthesis(np.zeros((2, 5)), None), "noise is None"),
        (lambda n: n.synthesis(np.zeros((2, 5)), 3), "noise is 3"),
        (lambda n: n.synthesis(np.zeros((4, 5)), fields(n, 3)), r"b16.conv1 has shape \(3, 16"),
        (lambda n: n.synthesis(np.zeros((4, 5)), fields(n, 2, 2)), r"b4.conv1 has shape \(2, 2"),
        (lambda n: n.synthesis(np.zeros((2, 5)), {"b4.conv1": np.zeros((3, 3))}), "b8.conv0 is"),
        (lambda n: n.synthesis(np.zeros((2, 5)), half="int8"), "bfloat16"),
        (lambda n: n.render({"b4.conv1": np.zeros((2, 8))}), r"b4.torgb is missing"),
    ],
)
def test_bad_input_is_explained(net, call, reason):
    with pytest.raises(UserError, match=reason):
        call(net)


def test_noise_fields_for_one_or_for_every_sample(net, z):
    ws = net.mapping(z)
    silent = net.synthesis(ws, "none")
    for leading in [(), (1,), (2,)]:
        np.testing.assert_allclose(net.synthesis(ws, fields(net, *leading)), silent, atol=1e-5)


@pytest.mark.parametrize("psi", [0.3, 0.9, 1.7])
def test_z_is_truncated_as_w_is_to_the_bit(net, z, psi):
    """One psi, one picture, whatever the space in which latents are moved or kept."""
    for cutoff in (None, 2):
        expected = truncate(net.mapping(z), net.w_avg, psi, cutoff)
        np.testing.assert_array_equal(net.mapping(z, psi=psi, cutoff=cutoff), expected)
        assert (net.mapping(z)[:, 0] != expected[:, 0]).any()


def test_a_network_without_a_mean_of_w_cannot_be_truncated(z):
    config = dataclasses.replace(CONFIG, mapping=MappingConfig(2, w_avg_beta=None))
    net = aj.Network(config, init_variables(config, jax.random.key(0)))
    assert net.mapping(z).shape == (2, 6, 5)
    for call in (lambda: net.mapping(z, psi=0.5), lambda: net.w_avg):
        with pytest.raises(UserError, match="keeps no mean of w"):
            call()


@pytest.mark.slow
def test_a_generator_of_labels_alone():
    config = dataclasses.replace(CONFIG, z_dim=0, c_dim=3)
    net = aj.Network(config, init_variables(config, jax.random.key(0)))
    z = z_from_seeds(config, [4, 5])
    assert z.shape == (2, 0)
    assert net(z, np.eye(3, dtype=np.float32)[:2]).shape == (2, 16, 16, 3)


def test_networks_introduce_themselves_in_a_line(net):
    assert repr(net).startswith("<Network 16 px, 3 channels, w 5, ") and len(repr(net)) < 100
    count = sum(leaf.size for leaf in jax.tree.leaves(net.variables["params"]))
    assert f", {count:,} parameters" in repr(net), "as `aligned info` counts"


def test_conditional_networks_need_labels(z):
    config = dataclasses.replace(CONFIG, c_dim=3)
    net = aj.Network(config, init_variables(config, jax.random.key(0)))
    a, b = (net.mapping(z, np.eye(3, dtype=np.float32)[[k, k]]) for k in (0, 1))
    assert relative_error(a, b) > 1e-3
    with pytest.raises(UserError, match=r"is conditional; give labels c of shape \[N, 3\]"):
        net.mapping(z)
    with pytest.raises(UserError, match=r"expected \(2, 3\)"):
        net.mapping(z, np.zeros((2, 4)))


@pytest.mark.slow
def test_discriminator_network():
    config = DiscriminatorConfig(16, channel_base=64, channel_max=8)
    net = aj.DiscriminatorNetwork(config, init_variables(config, jax.random.key(0)))
    images = np.random.RandomState(0).randn(4, 16, 16, 3).astype(np.float32)
    logits = net(images)
    assert logits.shape == (4, 1)
    assert 0 < relative_error(net(images, half="bfloat16"), logits) < 0.1
    with pytest.raises(UserError, match="images have shape"):
        net(images[:, :8])
    with pytest.raises(UserError, match="empty batch"):
        net(images[:0])
    with pytest.raises(UserError, match="batch of 6"):
        net(np.concatenate([images, images[:2]]))
    with pytest.raises(UserError, match="unconditional"):
        net(images, np.zeros((4, 2)))
    with pytest.raises(UserError, match="bfloat16"):
        net(images, half="double")


def test_save_and_load(net, z, tmp_path):
    aj.save(tmp_path / "net", net, {"kind": "mine"})
    loaded = aj.load(tmp_path / "net")
    assert loaded.config == net.config and loaded.provenance == {"kind": "mine"}
    np.testing.assert_array_equal(loaded(z), net(z))
    with pytest.raises(UserError, match="no network 'D'; it has G_ema"):
        aj.load(tmp_path / "net", key="D")
    with pytest.raises(UserError, match="no such file"):
        aj.load(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="no zoo:unicorn"):
        aj.load("zoo:unicorn")


def test_arrays_that_do_not_fit_their_config_are_listed(net, tmp_path):
    wrong = dataclasses.replace(CONFIG, w_dim=7)
    aj.save(tmp_path / "net", aj.Network(wrong, net.variables))
    with pytest.raises(UserError, match=r"\['fc0'\]\['bias'\] is \(5,\), expected \(7,\)"):
        aj.load(tmp_path / "net")


def test_official_files_load_directly():
    """A conditional pair: the official image and the official logits, from the pickle."""
    arrays = reference("generator_cond16")
    path = DATA / "generator_cond16.pkl"
    image = aj.load(path)(arrays["z"], arrays["c"])
    assert relative_error(nchw(image), arrays["image_const"]) < 1e-5
    networks = aj.load_all(path)
    assert sorted(networks) == ["D", "G", "G_ema"]
    logits = networks["D"](nhwc(arrays["image_const"]), arrays["c"])
    assert relative_error(logits, arrays["d_logits"]) < 1e-5
    assert relative_error(networks["G"](arrays["z"], arrays["c"]), image) > 1e-2
