"""Checkpoints of the community PyTorch port, whole and lacking."""

import resource
import time

import numpy as np
import pytest

from aligned_jax.convert import read_official
from aligned_jax.errors import UserError
from tests.makers.official_file import write_rosinality

MEAN = np.arange(6, dtype=np.float32)
KERNEL = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64


def generator_state(seed=0):
    """State dict of an 8-pixel generator: widths 5 and 4, w 6, two mapping layers."""
    shapes = {
        "style.1.weight": (6, 6),
        "style.1.bias": (6,),
        "style.2.weight": (6, 6),
        "style.2.bias": (6,),
        "input.input": (1, 5, 4, 4),
    }
    for layer, before, after in (("conv1", 5, 5), ("convs.0", 5, 4), ("convs.1", 4, 4)):
        shapes |= {
            f"{layer}.conv.weight": (1, after, before, 3, 3),
            f"{layer}.conv.modulation.weight": (before, 6),
            f"{layer}.conv.modulation.bias": (before,),
            f"{layer}.noise.weight": (1,),
            f"{layer}.activate.bias": (after,),
        }
    for layer, before in (("to_rgb1", 5), ("to_rgbs.0", 4)):
        shapes |= {
            f"{layer}.bias": (1, 3, 1, 1),
            f"{layer}.conv.weight": (1, 3, before, 1, 1),
            f"{layer}.conv.modulation.weight": (before, 6),
            f"{layer}.conv.modulation.bias": (before,),
        }
    shapes |= {f"noises.noise_{i}": (1, 1, r, r) for i, r in enumerate((4, 8, 8))}
    rng = np.random.default_rng(seed)
    state = {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    return state | {"convs.0.conv.blur.kernel": 4 * KERNEL, "to_rgbs.0.upsample.kernel": 4 * KERNEL}


def discriminator_state(seed=1):
    """State dict of an 8-pixel discriminator: widths 4 and 5."""
    shapes = {
        "convs.0.0.weight": (4, 3, 1, 1),
        "convs.0.1.bias": (4,),
        "convs.1.conv1.0.weight": (4, 4, 3, 3),
        "convs.1.conv1.1.bias": (4,),
        "convs.1.conv2.1.weight": (5, 4, 3, 3),
        "convs.1.conv2.2.bias": (5,),
        "convs.1.skip.1.weight": (5, 4, 1, 1),
        "final_conv.0.weight": (5, 6, 3, 3),
        "final_conv.1.bias": (5,),
        "final_linear.0.weight": (5, 80),
        "final_linear.0.bias": (5,),
        "final_linear.1.weight": (1, 5),
        "final_linear.1.bias": (1,),
    }
    rng = np.random.default_rng(seed)
    state = {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    return state | {"convs.1.conv2.0.kernel": KERNEL, "convs.1.skip.0.kernel": KERNEL}


def checkpoint():
    return {
        "g": generator_state(2),
        "d": discriminator_state(),
        "g_ema": generator_state(),
        "latent_avg": MEAN,
        "ada_aug_p": 0.25,
    }


def written(tmp_path, value, legacy=False):
    path = tmp_path / "net.pt"
    write_rosinality(path, value, legacy=legacy)
    return read_official(path)


@pytest.mark.parametrize("legacy", [False, True])
def test_all_networks_of_both_containers(legacy, tmp_path):
    value = checkpoint()
    official = written(tmp_path, value, legacy)
    assert list(official.networks) == ["G_ema", "G", "D"]
    assert official.source["format"] == ("torch-legacy" if legacy else "torch-zip")
    assert official.source["augment_p"] == 0.25 and official.source["warnings"] == []
    for key, state in (("G_ema", value["g_ema"]), ("G", value["g"])):
        tensors = official.networks[key].tensors
        assert np.array_equal(tensors["mapping.w_avg"].numpy(), value["latent_avg"])
        weight = tensors["synthesis.b8.conv0.weight"].numpy()
        assert np.array_equal(weight, state["convs.0.conv.weight"][0])
        noise = tensors["synthesis.b8.conv1.noise_const"].numpy()
        assert np.array_equal(noise, state["noises.noise_2"][0, 0])
        assert tensors["synthesis.b4.torgb.bias"].numpy().tolist() == (
            state["to_rgb1.bias"].ravel().tolist()
        )
        strength = tensors["synthesis.b8.conv1.noise_strength"].numpy()
        assert strength.shape == () and strength == state["convs.1.noise.weight"][0]


def test_discriminator(tmp_path):
    state = discriminator_state()
    network = written(tmp_path, {"d": state, "g_ema": generator_state()}).networks["D"]
    config = network.config
    assert (config.img_resolution, config.architecture, config.c_dim) == (8, "resnet", 0)
    assert config.channels_by_resolution == {4: 5, 8: 4}
    assert (config.epilogue.mbstd_group_size, config.epilogue.mbstd_num_channels) == (4, 1)
    params = network.variables()["params"]
    pairs = {
        ("b8", "fromrgb", "weight"): "convs.0.0.weight",
        ("b8", "conv0", "bias"): "convs.1.conv1.1.bias",
        ("b8", "conv1", "weight"): "convs.1.conv2.1.weight",
        ("b8", "skip", "weight"): "convs.1.skip.1.weight",
        ("b4", "conv", "weight"): "final_conv.0.weight",
        ("b4", "fc", "weight"): "final_linear.0.weight",
        ("b4", "out", "bias"): "final_linear.1.bias",
    }
    for (block, layer, leaf), name in pairs.items():
        value, theirs = params[block][layer][leaf], state[name]
        axes = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[theirs.ndim]
        assert np.array_equal(value, theirs.transpose(axes)), name


@pytest.mark.parametrize(("state", "key"), [(generator_state, "G_ema"), (discriminator_state, "D")])
def test_bare_state_dicts(state, key, tmp_path):
    assert list(written(tmp_path, state()).networks) == [key]


def test_one_channel_images(tmp_path):
    """Axes of length 1 that mean something stay."""
    state = generator_state()
    for layer in ("to_rgb1", "to_rgbs.0"):
        state[f"{layer}.bias"] = state[f"{layer}.bias"][:, :1]
        state[f"{layer}.conv.weight"] = state[f"{layer}.conv.weight"][:, :1]
    network = written(tmp_path, {"g_ema": state}).networks["G_ema"]
    assert network.config.img_channels == 1
    torgb = network.variables()["params"]["synthesis"]["b8"]["torgb"]
    assert torgb["weight"].shape == (1, 1, 4, 1) and torgb["bias"].shape == (1,)


def test_a_missing_mean_of_w_is_computed_and_said(tmp_path):
    state = generator_state()
    official = written(tmp_path, {"g_ema": state})
    assert "no mean of w" in official.source["warnings"][0]
    z = np.random.RandomState(123).randn(10_000, 6)
    x = z / np.sqrt(np.mean(z**2, axis=1, keepdims=True) + 1e-8)
    for layer in ("style.1", "style.2"):
        x = x @ state[f"{layer}.weight"].T * 0.01 / np.sqrt(6) + state[f"{layer}.bias"] * 0.01
        x = np.where(x > 0, x, 0.2 * x) * np.sqrt(2)
    mean = official.networks["G_ema"].variables()["stats"]["mapping"]["w_avg"]
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-4, atol=1e-7)


def test_missing_noise_maps_are_drawn_and_said(tmp_path):
    state = {k: v for k, v in generator_state().items() if not k.startswith("noises.")}
    official = written(tmp_path, {"g_ema": state, "latent_avg": np.zeros(6, np.float32)})
    assert "no noise maps" in official.source["warnings"][0]
    noise = official.networks["G_ema"].variables()["noise"]["synthesis"]["b8"]["conv0"]
    assert noise["noise_const"].shape == (8, 8) and noise["noise_const"].std() > 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"style.2.bias": np.full(6, np.nan, np.float32)}, "fc1.bias holds 6 of 6 .* not finite"),
        ({"style.2.weight": np.ones((6, 5), np.float32)}, r"fc1.weight has shape \[6, 5\]"),
        ({"style.2.bias": np.ones(3, np.float32)}, r"fc1.bias has shape \[3\], expected \[6\]"),
        ({"convs.1.activate.bias": np.arange(4)}, "conv1.bias holds int64"),
        ({"extra.weight": np.ones(2, np.float32)}, "no StyleGAN2 .*extra.weight"),
        ({"convs.0.conv.blur.kernel": KERNEL}, "not the filter"),
        ({"noises.noise_9": np.ones((1, 1, 4, 4), np.float32)}, "noise_const .* is unexpected"),
    ],
)
def test_bad_tensors_are_named(change, said, tmp_path):
    with pytest.raises(UserError, match=said):
        written(tmp_path, {"g_ema": generator_state() | change})


def test_a_missing_layer_is_named(tmp_path):
    state = generator_state()
    del state["convs.1.conv.modulation.weight"]
    with pytest.raises(UserError, match=r"synthesis.b8.conv1.affine.weight .* is missing"):
        written(tmp_path, {"g_ema": state})


@pytest.mark.parametrize("state", [{}, {"weight": 3}])
def test_empty_or_odd_states_are_refused(state, tmp_path):
    with pytest.raises(UserError, match="G_ema is no dictionary of tensors"):
        written(tmp_path, {"g_ema": state})


def test_noise_maps_of_absurd_sizes_are_never_drawn(tmp_path):
    """A name asks for 32768 x 32768 numbers, in a file of some hundred bytes."""
    for state in (
        {"convs.24.noise.weight": np.ones(1, np.float32)},
        {k: v for k, v in generator_state().items() if not k.startswith("noises.")}
        | {"convs.99.noise.weight": np.ones(1, np.float32)},
    ):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(UserError, match=r"net\.pt: G_ema: "):
            written(tmp_path, {"g_ema": state})
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200e3  # KiB


def test_a_mean_of_w_is_not_computed_of_an_endless_mapping(tmp_path):
    """Sixteen layers that share 16 MB would take minutes."""
    layer = np.ones((2048, 2048), np.float32)
    state = generator_state() | {f"style.{i}.weight": layer for i in range(1, 17)}
    state |= {f"style.{i}.bias": layer[0] for i in range(1, 17)}
    start = time.perf_counter()
    with pytest.raises(UserError, match=r"w_avg .* is missing"):
        written(tmp_path, {"g_ema": state})
    assert time.perf_counter() - start < 5


def test_counters_are_left_out_and_named(tmp_path):
    state = generator_state() | {"n_averaged": np.array(3), "epochs": np.ones((), np.float32)}
    official = written(tmp_path, {"g_ema": state, "latent_avg": MEAN})
    warnings = official.source["warnings"]
    assert len(warnings) == 1 and "were left out: n_averaged, epochs" in warnings[0]


def test_a_mean_of_w_for_each_row_is_one(tmp_path):
    for mean in (MEAN, MEAN[None], np.stack([MEAN] * 4)):
        official = written(tmp_path, {"g_ema": generator_state(), "latent_avg": mean})
        found = official.networks["G_ema"].variables()["stats"]["mapping"]["w_avg"]
        assert np.array_equal(found, MEAN) and official.source["warnings"] == []
