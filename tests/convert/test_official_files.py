"""Every reference file: configs, tensors bit for bit, and the way out and back."""

import json
from pathlib import Path

import numpy as np
import pytest

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig
from aligned_jax.convert import (
    discriminator_config,
    generator_config,
    read_official,
    to_official,
    write_safetensors,
)
from aligned_jax.convert.files.container import read_pickle
from aligned_jax.convert.files.inert import PersistentObject
from tests.helpers import DATA, document, reference

PYTORCH = [*sorted(path.stem for path in DATA.glob("generator_*.pkl")), "sg3repo_stylegan2"]
FILES = [f"{name}.pkl" for name in [*PYTORCH, "hostile_baseline_ok", "tf_legacy_skip32"]]
FILES.append("rosinality_skip32.pt")


def tensors_of(network, prefix=""):
    """Tensors of a pickled network by official name, by the shortest way there is."""
    assert isinstance(network, PersistentObject)
    state = network.meta["state"]
    tensors = {}
    for part in ("_parameters", "_buffers"):
        tensors |= {prefix + name: tensor.numpy() for name, tensor in state[part].items()}
    for name, module in state["_modules"].items():
        tensors |= tensors_of(module, f"{prefix}{name}.")
    return tensors


def assert_identical(found, expected):
    """Same names, shapes, types and bits."""
    assert sorted(found) == sorted(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype == np.float32, name
        assert found[name].shape == tensor.shape, name
        assert found[name].tobytes() == tensor.tobytes(), name


@pytest.mark.parametrize("name", PYTORCH)
def test_configs_are_those_that_the_arguments_describe(name):
    arrays, official = reference(name), read_official(DATA / f"{name}.pkl")
    code_base = "stylegan3" if name.startswith("sg3") else "stylegan2-ada-pytorch"
    generator = generator_config(document(arrays, "init_kwargs_json"), code_base)
    assert list(official.networks) == ["G_ema", "G", "D"]
    assert official.networks["G_ema"].config == generator
    assert official.networks["G"].config == generator
    expected = discriminator_config(document(arrays, "d_init_kwargs_json"), code_base)
    assert official.networks["D"].config == expected
    assert official.source["code_base"] == code_base
    meta = document(arrays, "meta_json")
    assert official.source.get("augment_p") == meta.get("augment_p")
    assert official.source.get("G_is_G_ema", False) == meta.get("G_is_G_ema", False)


def test_tensorflow_config_is_the_equivalent_one():
    meta = document(reference("tf_legacy_skip32"), "meta_json")
    official = read_official(DATA / "tf_legacy_skip32.pkl")
    expected = generator_config(meta["equivalent_g_init_kwargs"])
    assert official.networks["G_ema"].config == official.networks["G"].config == expected
    converted = official.networks["D"].config
    assert converted == discriminator_config(meta["equivalent_d_init_kwargs"])
    assert converted.mapping.lr_multiplier == 0.1
    assert official.source["code_base"] == "stylegan2 (TensorFlow)"


def test_community_config_comes_from_the_tensors():
    meta = document(reference("rosinality_skip32"), "meta_json")
    config = read_official(DATA / "rosinality_skip32.pt").networks["G_ema"].config
    assert config.channels == {int(r): n for r, n in meta["channels"].items()}
    assert (config.img_resolution, config.w_dim) == (meta["size"], meta["style_dim"])
    assert config.mapping.num_layers == meta["n_mlp"]


@pytest.mark.parametrize("name", PYTORCH)
def test_every_tensor_goes_out_as_it_came_in(name, tmp_path):
    stored = {
        key: tensors_of(network)
        for key, network in read_pickle(DATA / f"{name}.pkl").value.items()
        if key in ("G", "D", "G_ema")
    }
    official = read_official(DATA / f"{name}.pkl")
    for key, network in official.networks.items():
        assert_identical(to_official(network.config, network.variables()), stored[key])
    trees = {key: (network.config, network.variables) for key, network in official.networks.items()}
    write_safetensors(tmp_path / "all.safetensors", trees)
    again = read_official(tmp_path / "all.safetensors")
    for key, network in again.networks.items():
        assert network.config == official.networks[key].config
        assert_identical(to_official(network.config, network.variables()), stored[key])


@pytest.mark.parametrize("file", [FILES[-2], FILES[-1]])
def test_converted_layouts_survive_export(file, tmp_path):
    official = read_official(DATA / file)
    trees = {
        key: (network.config, network.variables()) for key, network in official.networks.items()
    }
    write_safetensors(tmp_path / "all.safetensors", trees)
    again = read_official(tmp_path / "all.safetensors")
    assert list(again.networks) == list(official.networks)
    for key, (config, variables) in trees.items():
        network = again.networks[key]
        assert network.config == config
        exported = to_official(network.config, network.variables())
        assert_identical(exported, to_official(config, variables))


@pytest.mark.parametrize("file", [name for name in FILES if name.endswith(".pkl")])
def test_tensors_have_the_reference_names_shapes_and_sums(file):
    arrays, checked = reference(Path(file).stem), 0
    for key, network in read_official(DATA / file).networks.items():
        if f"{key}/tensor_names" not in arrays:
            continue
        tensors = to_official(network.config, network.variables())
        names = arrays[f"{key}/tensor_names"].tolist()
        assert sorted(tensors) == sorted(names)
        shapes = [list(tensors[name].shape) for name in names]
        assert shapes == [json.loads(shape) for shape in arrays[f"{key}/tensor_shapes"].tolist()]
        doubles = [tensors[name].astype(np.float64) for name in names]
        sums, squares = [x.sum() for x in doubles], [(x**2).sum() for x in doubles]
        np.testing.assert_allclose(sums, arrays[f"{key}/tensor_sum"], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(squares, arrays[f"{key}/tensor_sumsq"], rtol=1e-12)
        checked += 1
    assert checked == (1 if "hostile" in file else 3)


def test_community_tensors_have_the_reference_values():
    arrays = reference("rosinality_skip32")
    network = read_official(DATA / "rosinality_skip32.pt").networks["G_ema"]
    tensors = to_official(network.config, network.variables())
    assert np.array_equal(tensors["mapping.w_avg"], arrays["latent_avg"])
    sums = dict(zip(arrays["state_names"].tolist(), arrays["state_sum"].tolist(), strict=True))
    pairs = {
        "style.3.weight": "mapping.fc2.weight",
        "input.input": "synthesis.b4.const",
        "conv1.conv.weight": "synthesis.b4.conv1.weight",
        "convs.0.conv.weight": "synthesis.b8.conv0.weight",
        "convs.5.conv.modulation.bias": "synthesis.b32.conv1.affine.bias",
        "to_rgb1.bias": "synthesis.b4.torgb.bias",
        "to_rgbs.2.conv.weight": "synthesis.b32.torgb.weight",
        "noises.noise_0": "synthesis.b4.conv1.noise_const",
        "noises.noise_3": "synthesis.b16.conv0.noise_const",
        "convs.3.noise.weight": "synthesis.b16.conv1.noise_strength",
    }
    for theirs, ours in pairs.items():
        total = tensors[ours].astype(np.float64).sum()
        assert total == pytest.approx(sums[theirs], rel=1e-12), ours


@pytest.mark.parametrize("file", FILES)
def test_variables_are_fresh_float32_arrays_of_our_layout(file):
    official = read_official(DATA / file)
    config = official.networks["G_ema"].config
    assert isinstance(config, GeneratorConfig)
    first, second = (official.networks["G_ema"].variables() for _ in range(2))
    weight = first["params"]["synthesis"]["b8"]["conv0"]["weight"]
    assert weight.shape == (3, 3, config.channels[4], config.channels[8])
    assert weight.dtype == np.float32 and weight.flags.c_contiguous and weight.flags.writeable
    weight[:] = 0
    assert second["params"]["synthesis"]["b8"]["conv0"]["weight"].any()
    assert first["params"]["synthesis"]["b4"]["const"].shape == (4, 4, config.channels[4])
    assert first["stats"]["mapping"]["w_avg"].shape == (config.w_dim,)
    if "D" in official.networks:
        network = official.networks["D"]
        assert isinstance(network.config, DiscriminatorConfig)
        channels = network.config.channels_by_resolution[4]
        fc = network.variables()["params"]["b4"]["fc"]["weight"]
        assert fc.shape == (16 * channels, channels)


def test_source_names_the_file():
    path = DATA / "generator_cond16.pkl"
    source = read_official(path).source
    assert source["file"] == path.name and source["bytes"] == path.stat().st_size
    assert len(source["sha256"]) == 64 and source["format"] == "pickle"
    assert json.loads(json.dumps(source)) == source
