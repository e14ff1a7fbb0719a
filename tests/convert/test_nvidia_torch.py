"""Snapshots of the official PyTorch code in all the forms they come in."""

import dataclasses

import numpy as np
import pytest

from aligned_jax.convert import read_official, to_official
from aligned_jax.convert.formats import nvidia_torch
from aligned_jax.convert.kwargs import discriminator_config, generator_config
from aligned_jax.errors import FormatError, UserError
from tests.convert.small_networks import (
    D_KWARGS,
    G_KWARGS,
    Lazy,
    discriminator,
    generator,
    module,
    nested,
)
from tests.makers.official_file import write_snapshot

FLAT = {key: value for key, value in G_KWARGS.items() if key != "synthesis_kwargs"}


def same(network, official):
    """Whether a converted network has the tensors of an official one."""
    exported = to_official(network.config, network.variables())
    assert sorted(exported) == sorted(official.tensors)
    return all(np.array_equal(exported[name], official.tensors[name]) for name in exported)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("numpy_names", ["old", "new"])
def test_protocols_and_ages(protocol, numpy_names, tmp_path):
    networks = {"G": generator(seed=3), "D": discriminator(), "G_ema": generator()}
    path = tmp_path / "net.pkl"
    write_snapshot(path, networks, protocol=protocol, numpy_names=numpy_names)
    official = read_official(path)
    assert all(same(official.networks[key], networks[key]) for key in networks)
    assert not same(official.networks["G"], networks["G_ema"])
    assert "G_is_G_ema" not in official.source


def test_frozen_layers_are_buffers(tmp_path):
    kwargs = D_KWARGS | {"block_kwargs": {"freeze_layers": 2}}
    frozen = ["b8.fromrgb.weight", "b8.fromrgb.bias", "b8.conv0.weight", "b8.conv0.bias"]
    networks = {"D": discriminator(kwargs, frozen=frozen), "G_ema": generator()}
    write_snapshot(tmp_path / "net.pkl", networks)
    critic = read_official(tmp_path / "net.pkl").networks["D"]
    assert same(critic, networks["D"])
    assert critic.config.freeze_layers == 2


def test_any_subset_with_the_averaged_generator(tmp_path):
    path = tmp_path / "net.pkl"
    write_snapshot(path, {"G_ema": generator()}, G=None, D=None)
    assert list(read_official(path).networks) == ["G_ema"]
    write_snapshot(path, {"G": generator(), "D": discriminator()}, G_ema=None)
    with pytest.raises(FormatError, match=r"no G_ema.*keys are .*G, D.*network-snapshot"):
        read_official(path)


def test_one_object_under_two_keys_is_noted(tmp_path):
    network = generator()
    write_snapshot(tmp_path / "net.pkl", {"G": network, "G_ema": network})
    official = read_official(tmp_path / "net.pkl")
    assert official.source["G_is_G_ema"] is True
    assert official.networks["G"] is official.networks["G_ema"]


def test_a_lone_generator_counts_as_the_averaged_one():
    described, _ = nvidia_torch.read(nested(generator()))
    assert list(described) == ["G_ema"] and described["G_ema"].is_generator


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (lambda: nested(discriminator()), "^it holds a discriminator alone; readable are"),
        (lambda: {"G_ema": nested(discriminator())}, "^G_ema is a discriminator; readable are"),
        (lambda: {"G_ema": nested(generator()), "D": nested(generator())}, "^D is a generator"),
    ],
)
def test_networks_in_the_wrong_place_are_named(value, said):
    with pytest.raises(FormatError, match=said):
        nvidia_torch.read(value())


def test_defaults_follow_the_code_base(tmp_path):
    """The discriminator's arguments do not tell; the generator beside it does."""
    kwargs = FLAT | {"channel_base": 64, "channel_max": 8}
    networks = {"G_ema": generator(kwargs), "D": discriminator(code_base="stylegan3")}
    write_snapshot(tmp_path / "net.pkl", networks)
    official = read_official(tmp_path / "net.pkl")
    assert official.source["code_base"] == "stylegan3"
    assert official.networks["G_ema"].config == generator_config(kwargs, "stylegan3")
    assert official.networks["D"].config == discriminator_config(D_KWARGS, "stylegan3")
    assert official.networks["D"].config.conv_clamp == 256


def test_an_attribute_tells_the_code_base_where_arguments_do_not():
    kwargs = FLAT | {"mapping_kwargs": {}}
    network = dataclasses.replace(generator(), kwargs=kwargs)
    early, _ = nvidia_torch.read(nested(network))
    late, _ = nvidia_torch.read(nested(network, fused_modconv_default=True))
    assert early["G_ema"].code_base == "stylegan2-ada-pytorch"
    assert late["G_ema"].code_base == "stylegan3"


def test_positional_arguments_have_names():
    network = dataclasses.replace(generator(), kwargs={"img_channels": 3})
    described, _ = nvidia_torch.read(nested(network, args=(5, 0, 6, 8)))
    expected = {"z_dim": 5, "c_dim": 0, "w_dim": 6, "img_resolution": 8, "img_channels": 3}
    assert described["G_ema"].kwargs == expected
    critic = dataclasses.replace(discriminator(), kwargs={"channel_base": 64})
    value = {"G_ema": nested(generator()), "D": nested(critic, args=(0, 8, 3, "resnet"))}
    assert nvidia_torch.read(value)[0]["D"].kwargs["architecture"] == "resnet"


def test_other_versions_are_read_with_a_warning():
    network = nested(generator())
    network.meta["version"] = 5
    described, source = nvidia_torch.read({"G_ema": network})
    assert "version 5" in source["warnings"][0]
    assert len(described["G_ema"].tensors) == len(generator().tensors)


def test_versions_of_any_type_are_survived():
    bomb = []
    for _ in range(60):
        bomb = [bomb] * 50
    network = nested(generator())
    network.meta["version"] = bomb
    assert "<list>" in nvidia_torch.read({"G_ema": network})[1]["warnings"][0]


def test_augmentation_probability_is_kept():
    pipe = module(class_name="AugmentPipe")
    pipe.meta["state"]["_buffers"]["p"] = Lazy(np.float32(0.25))
    _, source = nvidia_torch.read({"G_ema": nested(generator()), "augment_pipe": pipe})
    assert source["augment_p"] == 0.25


def test_unknown_arguments_are_refused_by_name(tmp_path):
    network = dataclasses.replace(generator(), kwargs=G_KWARGS | {"attention_heads": 2})
    write_snapshot(tmp_path / "net.pkl", {"G_ema": network})
    with pytest.raises(UserError, match=r"net.pkl: G_ema: unknown .*attention_heads"):
        read_official(tmp_path / "net.pkl")


def test_a_filter_that_is_not_the_recorded_one_is_refused(tmp_path):
    network = generator()
    name = "synthesis.b8.conv0.resample_filter"
    network.tensors[name] = np.full((4, 4), 1 / 16, np.float32)
    write_snapshot(tmp_path / "net.pkl", {"G_ema": network})
    with pytest.raises(UserError, match=rf"{name} is not the filter"):
        read_official(tmp_path / "net.pkl")


def test_every_bad_tensor_is_listed(tmp_path):
    network = generator()
    tensors = network.tensors
    del tensors["synthesis.b8.conv1.bias"]
    tensors["synthesis.b8.extra"] = np.zeros(3, np.float32)
    tensors["synthesis.b4.const"] = tensors["synthesis.b4.const"].astype(np.int64)
    tensors["mapping.fc1.bias"][2] = np.nan
    tensors["synthesis.b4.torgb.bias"] = np.zeros(1, np.float32)
    write_snapshot(tmp_path / "net.pkl", {"G_ema": network})
    with pytest.raises(UserError) as caught:
        read_official(tmp_path / "net.pkl")
    for problem in (
        "synthesis.b8.conv1.bias [8] is missing",
        "synthesis.b8.extra [3] is unexpected",
        "synthesis.b4.const holds int64",
        "mapping.fc1.bias holds 1 of 6",
        "synthesis.b4.torgb.bias has shape [1], expected [3]",
    ):
        assert problem in str(caught.value)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_are_read_with_a_warning(dtype, tmp_path):
    network = generator()
    network.tensors["synthesis.b4.const"] = network.tensors["synthesis.b4.const"].astype(dtype)
    write_snapshot(tmp_path / "net.pkl", {"G_ema": network})
    official = read_official(tmp_path / "net.pkl")
    assert "synthesis.b4.const" in official.source["warnings"][0]
    const = official.networks["G_ema"].variables()["params"]["synthesis"]["b4"]["const"]
    assert const.dtype == np.float32 and const.any()


@pytest.mark.parametrize(
    "damage",
    [
        {"_modules": {"b4": 3}},
        {"_modules": {4: module()}},
        {"_modules": 7},
        {"_parameters": {"weight": "text"}},
        {"_init_kwargs": [1]},
        {"_init_args": tuple(range(20))},
    ],
)
def test_objects_of_another_form_are_refused(damage):
    with pytest.raises(FormatError):
        nvidia_torch.read({"G_ema": module(**damage)})


def test_endless_nesting_is_refused_at_once():
    loop = module()
    loop.meta["state"]["_modules"]["again"] = loop
    wide = module()
    for _ in range(12):
        wide = module(children={str(i): wide for i in range(100)})
    for network in (loop, wide):
        with pytest.raises(FormatError, match="nested beyond measure"):
            nvidia_torch.read({"G_ema": network})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cmap_dim": 0}, "cmap_dim is 0; it must be 1 to"),
        ({"cmap_dim": -8}, "cmap_dim is -8; it must be 1 to"),
        ({"mapping_kwargs": {"num_layers": 0, "embed_features": 5}}, "embed_features is 5"),
    ],
)
def test_odd_arguments_of_a_discriminator(change, said, tmp_path):
    critic = discriminator(D_KWARGS | {"c_dim": 2})
    critic = dataclasses.replace(critic, kwargs=critic.kwargs | change)
    write_snapshot(tmp_path / "net.pkl", {"G_ema": generator(), "D": critic})
    with pytest.raises(FormatError, match=rf"^net\.pkl: .*{said}"):
        read_official(tmp_path / "net.pkl")


def test_label_widths_in_the_tensors_alone(tmp_path):
    kwargs = D_KWARGS | {"c_dim": 2, "mapping_kwargs": {"num_layers": 0}}
    critic = discriminator(kwargs)
    for name in ("weight", "bias"):
        tensor = critic.tensors[f"mapping.embed.{name}"]
        critic.tensors[f"mapping.embed.{name}"] = tensor[:5]
    critic = dataclasses.replace(critic, kwargs=D_KWARGS | {"c_dim": 2})
    del critic.kwargs["channel_base"], critic.kwargs["channel_max"]
    write_snapshot(tmp_path / "net.pkl", {"G_ema": generator(), "D": critic})
    with pytest.raises(FormatError, match=r"^net\.pkl: D: .*embed_features is 5.*8 label"):
        read_official(tmp_path / "net.pkl")


def test_counters_among_the_buffers_are_left_out_and_named(tmp_path):
    """A snapshot whose training script keeps numbers in the network; not those inside layers."""
    network = generator()
    counters = {"epochs": np.float32(3), "synthesis.step": np.int64(7)}
    arrays = {name: np.asarray(value) for name, value in counters.items()}
    more = dataclasses.replace(network, tensors={**network.tensors, **arrays})
    write_snapshot(tmp_path / "net.pkl", {"G_ema": more})
    official = read_official(tmp_path / "net.pkl")
    (warning,) = official.source["warnings"]
    assert warning.startswith("G_ema: ") and "epochs" in warning and "synthesis.step" in warning
    assert set(official.networks["G_ema"].tensors) == set(network.tensors)
    inside = {"synthesis.b8.conv1.gain": np.asarray(np.float32(2))}
    more = dataclasses.replace(network, tensors={**network.tensors, **inside})
    write_snapshot(tmp_path / "net.pkl", {"G_ema": more})
    with pytest.raises(FormatError, match=r"synthesis\.b8\.conv1\.gain \[\] is unexpected"):
        read_official(tmp_path / "net.pkl")
