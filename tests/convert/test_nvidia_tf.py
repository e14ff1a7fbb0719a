"""TensorFlow snapshots: names, transforms, arguments, and both ages."""

import numpy as np
import pytest

from aligned_jax.convert import deduce
from aligned_jax.convert.checks import tensor_problems
from aligned_jax.convert.files.container import read_pickle
from aligned_jax.convert.files.inert import TFNetwork
from aligned_jax.convert.formats import nvidia_tf
from aligned_jax.errors import FormatError, UserError
from tests.convert.small_networks import Lazy
from tests.helpers import DATA


def variables(seed=0, label_size=0, architecture="skip", noise=True):
    """Random variables of an 8-pixel generator (3 channels, w 6, z 5), by component."""
    rng = np.random.default_rng(seed)
    shapes = {
        "mapping/Dense0/weight": (5 + 7 * bool(label_size), 6),
        "mapping/Dense0/bias": (6,),
        "synthesis/4x4/Const/const": (1, 4, 4, 4),
        "dlatent_avg": (6,),
    }
    if label_size:
        shapes |= {
            "mapping/LabelEmbed/weight": (label_size, 7),
            "mapping/LabelEmbed/bias": (7,),
        }
    layers = {"4x4/Conv": (4, 4), "8x8/Conv0_up": (4, 3), "8x8/Conv1": (3, 3)}
    for layer, (before, after) in layers.items():
        shapes |= styled(f"synthesis/{layer}", before, after, 3)
        if noise:
            shapes[f"synthesis/{layer}/noise_strength"] = ()
    if architecture == "skip":
        shapes |= styled("synthesis/4x4/ToRGB", 4, 3, 1)
    if architecture == "resnet":
        shapes["synthesis/8x8/Skip/weight"] = (1, 1, 4, 3)
    name = "ToRGB_lod0" if architecture == "orig" else "8x8/ToRGB"
    shapes |= styled(f"synthesis/{name}", 3, 3, 1)
    if noise:
        shapes |= {f"synthesis/noise{i}": (1, 1, r, r) for i, r in enumerate((4, 8, 8))}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def styled(layer, before, after, kernel):
    return {
        f"{layer}/weight": (kernel, kernel, before, after),
        f"{layer}/bias": (after,),
        f"{layer}/mod_weight": (6, before),
        f"{layer}/mod_bias": (before,),
    }


def critic_variables(lod=False, labels=False, seed=1):
    """Random variables of an 8-pixel discriminator."""
    rng = np.random.default_rng(seed)
    first = "FromRGB_lod0" if lod else "8x8/FromRGB"
    shapes = {
        f"{first}/weight": (1, 1, 3, 3),
        f"{first}/bias": (3,),
        "8x8/Conv0/weight": (3, 3, 3, 3),
        "8x8/Conv0/bias": (3,),
        "8x8/Conv1_down/weight": (3, 3, 3, 4),
        "8x8/Conv1_down/bias": (4,),
        "4x4/Conv/weight": (3, 3, 5, 4),
        "4x4/Conv/bias": (4,),
        "4x4/Dense0/weight": (64, 4),
        "4x4/Dense0/bias": (4,),
        "Output/weight": (4, 6 if labels else 1),
        "Output/bias": (6 if labels else 1,),
    }
    if not lod:
        shapes["8x8/Skip/weight"] = (1, 1, 3, 4)
    if labels:
        shapes |= {"LabelEmbed/weight": (2, 6), "LabelEmbed/bias": (6,)}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def network(arrays, version=4, **kwargs):
    """A network object as the inert reader returns it, split into components."""
    parts = {"": [], "mapping": [], "synthesis": []}
    for name, array in arrays.items():
        part, _, rest = name.partition("/")
        known = part if part in parts else ""
        parts[known].append((rest if known else name, Lazy(array)))
    components = {key: TFNetwork({"variables": parts[key]}) for key in ("mapping", "synthesis")}
    components = {key: part for key, part in components.items() if parts[key]}
    state = {"version": version, "static_kwargs": kwargs, "components": components}
    return TFNetwork(state | {"build_func_name": "main", "variables": parts[""]})


def configs(generator=None, critic=None, version=4, g_kwargs=None, d_kwargs=None):
    """Configs and descriptions of a snapshot; all tensors are checked."""
    g = network(variables() if generator is None else generator, version, **(g_kwargs or {}))
    d = network(critic_variables() if critic is None else critic, version, **(d_kwargs or {}))
    described, source = nvidia_tf.read((g, d, g))
    assert source["G_is_G_ema"] and described["G"] is described["G_ema"]
    by_key = {}
    for key, item in described.items():
        kind = deduce.generator if item.is_generator else deduce.discriminator
        shapes = {name: tensor.shape for name, tensor in item.tensors.items()}
        by_key[key] = kind(shapes, item.kwargs, item.code_base)
        assert tensor_problems(by_key[key], item.tensors, has_filters=False) == []
        assert all(tensor.numpy().shape == tensor.shape for tensor in item.tensors.values())
    return by_key, described


def test_transforms():
    arrays = variables(architecture="resnet")
    tensors = configs(arrays)[1]["G_ema"].tensors
    value = {name: tensor.numpy() for name, tensor in tensors.items()}
    up, plain = arrays["synthesis/8x8/Conv0_up/weight"], arrays["synthesis/8x8/Conv1/weight"]
    assert value["synthesis.b8.conv0.weight"][2, 3, 0, 1] == up[2, 1, 3, 2]  # turned
    assert value["synthesis.b8.conv1.weight"][2, 1, 0, 1] == plain[0, 1, 1, 2]
    skip = arrays["synthesis/8x8/Skip/weight"]
    assert value["synthesis.b8.skip.weight"][2, 3, 0, 0] == skip[0, 0, 3, 2]
    bias = arrays["synthesis/4x4/Conv/mod_bias"]
    assert np.array_equal(value["synthesis.b4.conv1.affine.bias"], bias + np.float32(1))
    dense = arrays["mapping/Dense0/weight"]
    assert np.array_equal(value["mapping.fc0.weight"], dense.T)
    const = arrays["synthesis/4x4/Const/const"]
    assert np.array_equal(value["synthesis.b4.const"], const[0])
    for index, layer in enumerate(("b4.conv1", "b8.conv0", "b8.conv1")):
        noise = arrays[f"synthesis/noise{index}"][0, 0]
        assert np.array_equal(value[f"synthesis.{layer}.noise_const"], noise)
    assert np.array_equal(value["mapping.w_avg"], arrays["dlatent_avg"])


def test_discriminator_kernels_are_not_turned():
    arrays = critic_variables()
    tensors = configs(critic=arrays)[1]["D"].tensors
    down = arrays["8x8/Conv1_down/weight"]
    assert tensors["b8.conv1.weight"].numpy()[3, 2, 0, 1] == down[0, 1, 2, 3]
    assert np.array_equal(tensors["b4.fc.weight"].numpy(), arrays["4x4/Dense0/weight"].T)


@pytest.mark.parametrize("architecture", ["orig", "skip", "resnet"])
def test_architectures(architecture):
    generator = configs(variables(architecture=architecture))[0]["G_ema"]
    assert generator.synthesis.architecture == architecture


def test_image_layers_by_level_of_detail_mean_the_plain_architecture():
    kwargs = {"architecture": "skip"}
    arrays = variables(architecture="orig") | {"synthesis/lod": np.zeros((), np.float32)}
    deduced, _ = configs(arrays, critic_variables(lod=True), g_kwargs=kwargs, d_kwargs=kwargs)
    assert deduced["G_ema"].synthesis.architecture == deduced["D"].architecture == "orig"


def test_label_embeddings():
    deduced, described = configs(variables(label_size=2), critic_variables(labels=True), version=5)
    assert deduced["G_ema"].c_dim == deduced["D"].c_dim == 2
    assert deduced["G_ema"].mapping.embed_features == 7
    assert (deduced["D"].cmap_dim, deduced["D"].mapping.num_layers) == (6, 0)
    assert described["D"].tensors["mapping.embed.weight"].shape == (6, 2)


def test_arguments_arrive():
    g_kwargs = {
        "resolution": 8,
        "latent_size": 5,
        "dlatent_size": 6,
        "mapping_layers": 1,
        "mapping_lrmul": 0.02,
        "mapping_nonlinearity": "relu",
        "dlatent_avg_beta": 0.99,
        "fmap_base": 12,
        "fmap_max": 4,
        "nonlinearity": "swish",
        "conv_clamp": 128,
        "num_fp16_res": 1,
        "resample_kernel": [1, 2, 1],
        "randomize_noise": True,
        "truncation_psi": 0.5,
        "resolution_w": 8,
        "resolution_h": 8,
        "normalize_latents": True,
    }
    d_kwargs = {
        "nonlinearity": "relu",
        "mbstd_group_size": 2,
        "mapping_lrmul": 0.3,
        "mapping_fmaps": None,
    }
    deduced, _ = configs(g_kwargs=g_kwargs, d_kwargs=d_kwargs)
    generator, critic = deduced["G_ema"], deduced["D"]
    assert generator.mapping.lr_multiplier == 0.02 and generator.mapping.activation == "relu"
    assert generator.mapping.w_avg_beta == 0.99
    assert (generator.synthesis.channel_base, generator.synthesis.channel_max) == (24, 4)
    assert generator.synthesis.activation == "swish" and generator.synthesis.conv_clamp == 128
    assert generator.synthesis.num_fp16_res == 1
    assert generator.synthesis.resample_filter == (1.0, 2.0, 1.0)
    assert critic.activation == critic.epilogue.activation == critic.mapping.activation == "relu"
    assert critic.epilogue.mbstd_group_size == 2 and critic.mapping.lr_multiplier == 0.3


@pytest.mark.parametrize("version", [4, 5])
def test_defaults_are_those_of_the_official_converter(version):
    critic = configs(version=version)[0]["D"]
    assert critic.epilogue.mbstd_group_size is None
    assert critic.mapping.lr_multiplier == 0.1 and critic.mapping.num_layers == 0


@pytest.mark.parametrize("name", ["w_avg_beta", "dlatent_avg_beta"])
def test_a_mean_of_w_that_is_off_stays_off(name):
    assert configs()[0]["G_ema"].mapping.w_avg_beta == 0.995
    deduced, _ = configs(g_kwargs={name: None, "conv_clamp": None, "resample_kernel": None})
    assert deduced["G_ema"].mapping.w_avg_beta == 1.0
    assert deduced["G_ema"].synthesis.resample_filter == (1.0, 3.0, 3.0, 1.0)


def test_networks_without_noise():
    kwargs = {"use_noise": False}
    deduced, _ = configs(variables(noise=False), version=5, g_kwargs=kwargs)
    assert deduced["G_ema"].synthesis.use_noise is False


def test_recorded_sizes_are_checked():
    with pytest.raises(FormatError, match="z_dim is 512, in the tensors 5"):
        configs(g_kwargs={"latent_size": 512})
    with pytest.raises(FormatError, match="normalize_latents"):
        configs(g_kwargs={"normalize_latents": False})


def test_arrays_of_another_rank_stay_for_the_checks_to_name():
    arrays = variables() | {"mapping/Dense0/weight": np.zeros((5, 6, 1), np.float32)}
    tensors = nvidia_tf.read((network(arrays), network(critic_variables()), network(arrays)))[0]
    assert tensors["G"].tensors["mapping.fc0.weight"].shape == (5, 6, 1)


@pytest.mark.parametrize(
    "damage",
    [
        {"variables": 3},
        {"variables": [("name", 3)]},
        {"variables": [(3, Lazy(np.ones(2)))]},
        {"components": [1]},
        {"components": {"mapping": 3}},
        {"static_kwargs": [1]},
    ],
)
def test_objects_of_another_form_are_refused(damage):
    broken = network(variables())
    broken.state |= damage
    with pytest.raises(FormatError):
        nvidia_tf.read((broken, network(critic_variables()), broken))


@pytest.mark.parametrize("value", [{}, [1], "12", -1, float("nan"), float("inf"), 8.5])
def test_odd_widths_are_refused(value):
    with pytest.raises(UserError):
        configs(g_kwargs={"fmap_base": value})


def test_the_averaged_generator_is_the_third():
    value = read_pickle(DATA / "tf_legacy_skip32.pkl").value
    described, source = nvidia_tf.read(value)
    assert list(described) == ["G", "D", "G_ema"] and "G_is_G_ema" not in source
    stored = dict(value[2].state["variables"])["dlatent_avg"].numpy()
    assert np.array_equal(described["G_ema"].tensors["mapping.w_avg"].numpy(), stored)
    assert not np.array_equal(described["G"].tensors["mapping.w_avg"].numpy(), stored)
