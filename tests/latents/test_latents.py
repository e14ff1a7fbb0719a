"""Latent spaces: names, seeds, truncation, mixing, interpolation."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import latents
from aligned_jax.config import GeneratorConfig, SynthesisConfig
from aligned_jax.errors import UserError

FULL = GeneratorConfig(1024)
TINY = GeneratorConfig(16, z_dim=6, w_dim=6, synthesis=SynthesisConfig(64, 8))


@pytest.mark.parametrize(
    "resolution, base, conv, torgb",
    [
        (1024, 32768, 6048, 3040),
        (512, 32768, 5952, 3008),
        (256, 32768, 5760, 2944),
        (256, 16384, 4928, 2496),
    ],
)
def test_stylespace_sizes(resolution, base, conv, torgb):
    config = GeneratorConfig(resolution, synthesis=SynthesisConfig(channel_base=base))
    widths = {"conv": 0, "torgb": 0}
    for layer in latents.style_layers(config):
        widths[layer.kind] += layer.channels
    assert widths == {"conv": conv, "torgb": torgb}


@pytest.mark.parametrize("resolution, count", [(1024, 26), (512, 23), (256, 20)])
def test_stylespace_indices_and_rows(resolution, count):
    config = GeneratorConfig(resolution)
    layers = {layer.name: layer for layer in latents.style_layers(config)}
    assert len(layers) == count
    assert config.num_ws == 2 * int(np.log2(resolution)) - 2
    for k in range(3, int(np.log2(resolution)) + 1):
        block = [layers[f"b{2**k}.{part}"] for part in ("conv0", "conv1", "torgb")]
        assert [layer.index for layer in block] == [3 * k - 7, 3 * k - 6, 3 * k - 5]
        assert [layer.w_row for layer in block] == [2 * k - 5, 2 * k - 4, 2 * k - 3]
    assert max(layer.w_row for layer in layers.values()) == config.num_ws - 1


def test_published_channel_names_resolve():
    layer, channel = latents.parse_channel(FULL, "15_45")
    assert (layer.name, layer.resolution, layer.channels) == ("b128.conv1", 128, 256)
    assert (layer.w_row, layer.kind, channel) == (10, "conv", 45)
    assert latents.channel_name(FULL, "b128.conv1", 45) == "15_45"
    assert latents.parse_channel(FULL, "b128.conv1_45") == (layer, channel)


def test_only_the_last_block_has_an_image_layer_without_skip():
    config = dataclasses.replace(
        TINY, synthesis=dataclasses.replace(TINY.synthesis, architecture="orig")
    )
    names = [layer.name for layer in latents.style_layers(config)]
    assert [n for n in names if n.endswith("torgb")] == ["b16.torgb"]
    assert len(latents.style_layers(TINY)) == len(names) + 2


@pytest.mark.parametrize(
    "text, reason",
    [("15-45", "LAYER_CHANNEL"), ("99_0", "no such style layer"), ("0_8", "channels 0 to 7")],
)
def test_bad_channels_are_explained(text, reason):
    with pytest.raises(UserError, match=reason):
        latents.parse_channel(TINY, text)


def test_parse_seeds():
    assert latents.parse_seeds("3, 7-9,0") == [3, 7, 8, 9, 0]
    with pytest.raises(UserError) as error:
        latents.parse_seeds("1,3-,x,9-2,4294967296,٣")
    for part in ("'3-'", "'x'", "'9-2'", "'4294967296'", "'٣'"):
        assert part in str(error.value)


def test_seeds_are_numpys():
    z = latents.z_from_seeds(TINY, [3, 5])
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z[1], np.random.RandomState(5).randn(1, 6)[0].astype(np.float32))
    assert latents.z_from_seeds(TINY, []).shape == (0, 6)
    with pytest.raises(UserError, match=r"\[-1, 4294967296\]"):
        latents.z_from_seeds(TINY, [-1, 3, 2**32])


def test_one_hot_labels():
    config = dataclasses.replace(TINY, c_dim=3)
    np.testing.assert_array_equal(latents.one_hot_labels(config, [2, 0]), np.eye(3)[[2, 0]])
    with pytest.raises(UserError, match=r"\[-1, 3\].*0 to 2"):
        latents.one_hot_labels(config, [3, 1, -1])
    with pytest.raises(UserError, match="unconditional"):
        latents.one_hot_labels(TINY, [0])


def test_truncation_by_psi_and_cutoff():
    ws = jnp.asarray(np.random.RandomState(0).randn(2, 6, 4), jnp.float32)
    mean = jnp.arange(4.0)
    assert latents.truncate(ws, mean, 1) is ws
    np.testing.assert_array_equal(latents.truncate(ws, mean, jnp.float32(1)), ws)
    np.testing.assert_array_equal(latents.truncate(ws, mean, 0.0), jnp.broadcast_to(mean, ws.shape))
    half = latents.truncate(ws, mean, 0.5, cutoff=2)
    np.testing.assert_array_equal(half[:, 2:], ws[:, 2:])
    np.testing.assert_allclose(half[:, :2], (ws[:, :2] + mean[None, None]) / 2, rtol=1e-6)
    slope = jax.grad(lambda psi: latents.truncate(ws, mean, psi).sum())(0.3)
    np.testing.assert_allclose(slope, (ws - mean[None, None]).sum(), rtol=1e-5)
    with pytest.raises(UserError, match="cutoff is 7"):
        latents.truncate(ws, mean, 0.5, cutoff=7)


def test_style_mixing():
    a, b = jnp.zeros((2, 6, 4)), jnp.ones((2, 6, 4))
    mixed = latents.mix_styles(a, b, slice(4, None))
    np.testing.assert_array_equal(mixed[0, :, 0], [0, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(latents.mix_styles(a, b, [1, 3])[0, :, 0], [0, 1, 0, 1, 0, 0])
    with pytest.raises(UserError, match=r"\[6, 9\]"):
        latents.mix_styles(a, b, [9, 2, 6])
    with pytest.raises(UserError, match=r"shapes \(2, 6, 4\) and \(2, 5, 4\)"):
        latents.mix_styles(a, b[:, 1:], [0])


@pytest.mark.slow
def test_lerp_and_slerp():
    a, b = jnp.asarray([[2.0, 0.0]]), jnp.asarray([[0.0, 4.0]])
    np.testing.assert_allclose(latents.lerp(a, b, 0.25), [[1.5, 1.0]])
    np.testing.assert_allclose(latents.slerp(a, b, 0.5), [[3 / np.sqrt(2)] * 2], rtol=1e-6)
    np.testing.assert_allclose(latents.slerp(a, b, 0.0), a, atol=1e-6)
    np.testing.assert_allclose(latents.slerp(a, b, 1.0), b, atol=1e-6)
    np.testing.assert_allclose(latents.slerp(a, 3 * a, 0.5), 2 * a, rtol=1e-6)
    gradient = jax.grad(lambda a: latents.slerp(a, a, 0.5).sum())(a)
    assert np.isfinite(gradient).all()


def test_styles_as_one_array_and_back():
    rng = np.random.RandomState(0)
    layers = latents.style_layers(TINY)
    styles = {x.name: jnp.asarray(rng.randn(2, x.channels), jnp.float32) for x in layers}
    s = latents.concatenate_styles(TINY, styles)
    assert s.shape == (2, sum(x.channels for x in layers))
    back = latents.split_styles(TINY, s)
    assert list(back) == [x.name for x in layers]
    for name, value in styles.items():
        np.testing.assert_array_equal(back[name], value)
    with pytest.raises(UserError, match="StyleSpace is"):
        latents.split_styles(TINY, s[:, 1:])
    bad = styles | {"b8.conv0": s, "b9.conv0": s}
    bad.pop("b4.conv1")
    with pytest.raises(UserError, match=r"b4.conv1 is missing.*b9.conv0 is unknown.*b8.conv0 has"):
        latents.check_styles(TINY, bad)


def test_broadcast_w():
    w = jnp.ones((2, 6))
    assert latents.broadcast_w(w, 4).shape == (2, 4, 6)
    ws = jnp.ones((2, 4, 6))
    assert latents.broadcast_w(ws, 4) is ws
    with pytest.raises(UserError, match=r"\[N, 5, D\]"):
        latents.broadcast_w(ws, 5)


def test_sample_z_depends_on_the_key_alone():
    a, b = (latents.sample_z(jax.random.key(k), TINY, 3) for k in (0, 1))
    assert a.shape == (3, 6) and not np.allclose(a, b)
    np.testing.assert_array_equal(a, latents.sample_z(jax.random.key(0), TINY, 3))


def test_truncation_of_several_strengths_and_towards_rows():
    random = np.random.default_rng(1)
    ws = random.standard_normal((3, 4, 5)).astype(np.float32)
    mean, rows = random.standard_normal((2, 4, 5)).astype(np.float32)
    psi = [0.123, 0.9, 1.7]
    together = latents.truncate(jnp.asarray(ws), mean[0], np.float32(psi)[:, None, None])
    for row, one in enumerate(psi):
        alone = latents.truncate(jnp.asarray(ws[row : row + 1]), mean[0], one)
        np.testing.assert_array_equal(together[row : row + 1], alone)
    found = latents.truncate(jnp.asarray(ws), rows, 0.25, cutoff=3)
    np.testing.assert_allclose(found[:, :3], (rows + 0.25 * (ws - rows))[:, :3], atol=1e-6)
    np.testing.assert_array_equal(found[:, 3:], ws[:, 3:])
