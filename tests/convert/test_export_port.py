"""The community port's .pt: the same bits when read back, its own names, and refusals."""

import dataclasses
import pickletools
import resource
import zipfile

import numpy as np
import pytest

from aligned_jax.config import (
    DiscriminatorConfig,
    EncoderConfig,
    EpilogueConfig,
    GeneratorConfig,
    MappingConfig,
    SynthesisConfig,
)
from aligned_jax.convert import port_usage, read_official, write_port
from aligned_jax.convert.export_port import misfits, port_tensors
from aligned_jax.convert.files.container import read_pickle
from aligned_jax.convert.formats.port_names import discriminator_names, generator_names
from aligned_jax.convert.formats.rosinality import read
from aligned_jax.errors import FormatError, UserError
from tests.convert.small_networks import Lazy
from tests.convert.test_rosinality import discriminator_state, generator_state
from tests.convert.test_safetensors_file import equal, tree
from tests.helpers import DATA
from tests.makers.official_file import write_rosinality

G = GeneratorConfig(
    16,
    z_dim=6,
    w_dim=6,
    mapping=MappingConfig(num_layers=3),
    synthesis=SynthesisConfig(channels=(5, 4, 3)),
)
D = DiscriminatorConfig(16, channels=(5, 4, 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    "keys", [("G_ema",), ("G_ema", "G", "D"), ("G", "D"), ("D",)], ids="-".join
)
def test_the_same_bits_come_back(keys, tmp_path):
    networks = {key: tree(D if key == "D" else G, i) for i, key in enumerate(keys)}
    if "G" in keys and "G_ema" in keys:  # one mean of w serves both
        mean = networks["G_ema"][1]["stats"]["mapping"]["w_avg"]
        networks["G"][1]["stats"]["mapping"]["w_avg"] = mean
    write_port(tmp_path / "net.pt", networks, {"kind": "test"})
    official = read_official(tmp_path / "net.pt")
    assert sorted(official.networks) == sorted(keys)
    assert official.source["warnings"] == [] and official.source["provenance"] == {"kind": "test"}
    for key, (config, variables) in networks.items():
        assert official.networks[key].config.img_resolution == 16
        assert equal(official.networks[key].variables(), variables)
        found = official.networks[key].config
        table = found.channels if key != "D" else found.channels_by_resolution
        assert list(table.values()) == list(config.synthesis.channels if key != "D" else D.channels)


def test_names_shapes_and_order_are_those_of_a_file_of_the_port(tmp_path):
    path = DATA / "rosinality_skip32.pt"
    theirs = read_pickle(path).value
    network = read_official(path).networks["G_ema"]
    write_port(tmp_path / "net.pt", {"G_ema": (network.config, network.variables())})
    ours = read_pickle(tmp_path / "net.pt").value
    assert list(ours) == ["g_ema", "latent_avg", "aligned_jax"]
    assert list(ours["g_ema"]) == list(theirs["g_ema"])
    for name, tensor in theirs["g_ema"].items():
        assert ours["g_ema"][name].shape == tensor.shape
        assert ours["g_ema"][name].numpy().tobytes() == tensor.numpy().tobytes(), name
    assert ours["latent_avg"].numpy().tobytes() == theirs["latent_avg"].numpy().tobytes()


def test_names_of_discriminators_are_those_of_the_port():
    """`discriminator_state` was written down after a file of the port."""
    assert sorted(discriminator_names(8)) == sorted(discriminator_state())
    assert sorted(generator_names(8, 2)) == sorted(generator_state())
    state = {"g_ema": _lazy(generator_state()), "d": _lazy(discriminator_state())}
    described = read(state)[0]
    mapping, synthesis = MappingConfig(num_layers=2), SynthesisConfig(channels=(5, 4))
    generator = GeneratorConfig(8, z_dim=6, w_dim=6, mapping=mapping, synthesis=synthesis)
    critic = DiscriminatorConfig(8, channels=(5, 4))
    for theirs, key, config in (("g_ema", "G_ema", generator), ("d", "D", critic)):
        official = {name: tensor.numpy() for name, tensor in described[key].tensors.items()}
        for name, array in port_tensors(config, official).items():
            assert np.array_equal(array, state[theirs][name].numpy())
            assert array.shape == state[theirs][name].shape, name


def _lazy(state):
    return {name: Lazy(array) for name, array in state.items()}


def test_the_file_is_what_torch_reads(tmp_path):
    """Only the names that torch allows in files of weights; sound zip entries, numbers aligned."""
    path = tmp_path / "net.pt"
    write_port(path, {"G_ema": tree(G)})
    loaded = read_pickle(path)
    assert loaded.container == "torch-zip" and loaded.unknown_globals == ()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("archive/version") == b"3\n"
        mentioned = pickletools.genops(archive.read("archive/data.pkl"))
        assert {argument for code, argument, _ in mentioned if code.name == "GLOBAL"} == {
            "collections OrderedDict",
            "torch FloatStorage",
            "torch._utils _rebuild_tensor_v2",
        }
        for info in archive.infolist():
            with open(path, "rb") as file:
                file.seek(info.header_offset + 26)
                name, extra = np.frombuffer(file.read(4), "<u2")
                assert (info.header_offset + 30 + int(name) + int(extra)) % 64 == 0
    again = tmp_path / "again.pt"
    write_port(again, {"G_ema": tree(G)})
    assert again.read_bytes() == path.read_bytes()


def test_half_stores_half(tmp_path):
    write_port(tmp_path / "net.pt", {"G_ema": tree(G)}, half=True)
    official = read_official(tmp_path / "net.pt")
    assert "not stored as float32" in official.source["warnings"][0]
    found = official.networks["G_ema"].variables()["params"]["synthesis"]["b4"]["const"]
    original = tree(G)[1]["params"]["synthesis"]["b4"]["const"]
    assert np.array_equal(found, original.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (dataclasses.replace(G, c_dim=3), "c_dim is 3, where it has 0 only"),
        (dataclasses.replace(G, z_dim=7), "z_dim is 7, where it has 6"),
        (dataclasses.replace(G, img_channels=4), "img_channels is 4"),
        (dataclasses.replace(G, mapping=MappingConfig(lr_multiplier=0.1)), "lr_multiplier is 0.1"),
        (dataclasses.replace(G, mapping=MappingConfig(layer_features=9)), "layer_features is 9"),
        (dataclasses.replace(G, mapping=MappingConfig(activation="relu")), "activation is 'relu'"),
        (dataclasses.replace(G, synthesis=SynthesisConfig(architecture="orig")), "architecture"),
        (dataclasses.replace(G, synthesis=SynthesisConfig(resample_filter=(1,))), "filter is"),
        (
            dataclasses.replace(G, synthesis=SynthesisConfig(activation="elu")),
            "activation is 'elu'",
        ),
        (dataclasses.replace(G, synthesis=SynthesisConfig(use_noise=False)), "use_noise is False"),
        (dataclasses.replace(D, architecture="skip"), "architecture is 'skip'"),
        (dataclasses.replace(D, c_dim=2), "c_dim is 2"),
        (dataclasses.replace(D, epilogue=EpilogueConfig(mbstd_group_size=None)), "size is None"),
        (dataclasses.replace(D, epilogue=EpilogueConfig(mbstd_num_channels=0)), "channels is 0"),
        (EncoderConfig(32, "w", 8), "no encoders"),
    ],
)
def test_what_the_port_does_not_have_is_refused(config, said, tmp_path):
    (problem,) = misfits(config)
    assert said in problem
    with pytest.raises(FormatError, match=r"has no such network: .*safetensors"):
        write_port(tmp_path / "net.pt", {"G_ema": (config, {}), "G": (config, {})})
    assert list(tmp_path.iterdir()) == []


def test_the_port_is_told_how_to_make_it():
    whole = {"z_dim": 512, "w_dim": 512}
    assert port_usage(GeneratorConfig(1024, **whole)) == ["in the port: Generator(1024, 512, 8)"]
    config_e = GeneratorConfig(256, **whole, synthesis=SynthesisConfig(channel_base=16384))
    assert port_usage(config_e) == ["in the port: Generator(256, 512, 8, channel_multiplier=1)"]
    assert "replaced by {4: 5, 8: 4, 16: 3}" in port_usage(G)[0]
    clamped = dataclasses.replace(G, synthesis=SynthesisConfig(conv_clamp=256.0))
    assert "conv_clamp=256 is left out" in port_usage(clamped)[1]


def test_damage_is_noticed(tmp_path):
    path = tmp_path / "net.pt"
    write_port(path, {"G_ema": tree(G)})
    sound, value = path.read_bytes(), tree(G)[1]["params"]["synthesis"]["b4"]["const"]
    place = sound.index(np.ascontiguousarray(value.transpose(2, 0, 1)).tobytes())
    path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
    with pytest.raises(UserError, match="it is damaged: its tensors"):
        read_official(path)
    text = sound.index(b'"format_version": 1')
    path.write_bytes(sound[:text] + b'"format_version": 7' + sound[text + 19 :])
    with pytest.raises(UserError, match="format version is 7"):
        read_official(path)
    for entry in ("x", "[]", 3, '{"format_version": 1}'):
        write_rosinality(path, {"g_ema": generator_state(), "aligned_jax": entry})
        with pytest.raises(UserError, match=r"net\.pt: "):
            read_official(path)


def test_nothing_is_left_behind_when_the_disk_is_full(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(FormatError, match="nothing was left behind"):
            write_port(tmp_path / "net.pt", {"G_ema": tree(G)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_replaced_only_if_asked(tmp_path):
    path = tmp_path / "net.pt"
    path.write_text("precious")
    with pytest.raises(FormatError, match="appeared meanwhile"):
        write_port(path, {"G_ema": tree(G)}, overwrite=False)
    assert path.read_text() == "precious" and len(list(tmp_path.iterdir())) == 1
    write_port(path, {"G_ema": tree(G)})
    assert list(read_official(path).networks) == ["G_ema"]


def test_generators_with_other_means_of_w_do_not_fit_one_file(tmp_path):
    with pytest.raises(FormatError, match="keeps one mean of w"):
        write_port(tmp_path / "net.pt", {"G_ema": tree(G, 1), "G": tree(G, 2)})
    assert list(tmp_path.iterdir()) == []


def test_values_that_are_not_finite_are_named(tmp_path):
    config, variables = tree(G)
    variables["params"]["synthesis"]["b4"]["const"][0, 0, 0] = np.nan
    with pytest.raises(FormatError, match=r"not finite in input\.input"):
        write_port(tmp_path / "net.pt", {"G_ema": (config, variables)})
