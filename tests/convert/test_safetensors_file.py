"""Export to safetensors and back: names, metadata, damage, full disks."""

import contextlib
import json
import os
import resource
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from aligned_jax.config import GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.convert import from_official, read_official, write_safetensors
from aligned_jax.convert.formats.own_exports import METADATA_KEY
from aligned_jax.convert.kwargs import discriminator_config, generator_config
from aligned_jax.errors import FormatError, UserError
from tests.convert.small_networks import D_KWARGS, G_KWARGS
from tests.helpers import random_tensors
from tests.makers.official_file import write_rosinality

# Nothing here can be told from shapes, so that only the metadata brings it back.
ODD = GeneratorConfig(
    8,
    z_dim=5,
    w_dim=6,
    mapping=MappingConfig(num_layers=2, activation="relu", lr_multiplier=0.5, w_avg_beta=0.9),
    synthesis=SynthesisConfig(
        channels=(5, 7), resample_filter=(1, 2), conv_clamp=3.0, num_fp16_res=1
    ),
)
CRITIC = discriminator_config(D_KWARGS)


def tree(config, seed=0):
    return config, from_official(config, random_tensors(config, seed))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.safetensors"
    write_safetensors(path, {"G_ema": tree(ODD)}, {"kind": "test", "seed": 3})
    return path


def equal(first, second):
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[k], second[k]) for k in first)
    return first.dtype == second.dtype and np.array_equal(first, second)


def test_one_network_has_the_official_names(file):
    written, expected = load_file(file), random_tensors(ODD)
    assert sorted(written) == sorted(expected)
    assert all(np.array_equal(written[name], expected[name]) for name in expected)


def test_config_and_provenance_come_back(file):
    official = read_official(file)
    assert official.networks["G_ema"].config == ODD
    assert equal(official.networks["G_ema"].variables(), tree(ODD)[1])
    assert official.source["provenance"] == {"kind": "test", "seed": 3}
    assert official.source["warnings"] == [] and official.source["format"] == "safetensors"


def test_several_networks_have_prefixes(tmp_path):
    path = tmp_path / "all.safetensors"
    trees = {"G_ema": tree(ODD), "D": tree(CRITIC)}
    write_safetensors(path, trees | {"G": (ODD, lambda: tree(ODD, 5)[1])})
    names = {name.partition(".")[0] for name in load_file(path)}
    assert names == {"G_ema", "G", "D"}
    official = read_official(path)
    assert list(official.networks) == ["G_ema", "G", "D"]
    assert official.networks["D"].config == CRITIC
    for key, (_, variables) in trees.items():
        assert equal(official.networks[key].variables(), variables)
    assert equal(official.networks["G"].variables(), tree(ODD, 5)[1])


def test_a_lone_network_keeps_its_key(tmp_path):
    for key, config in (("G", ODD), ("D", CRITIC)):
        write_safetensors(tmp_path / "net.safetensors", {key: tree(config)})
        assert list(read_official(tmp_path / "net.safetensors").networks) == [key]


def test_files_of_others_are_deduced(tmp_path):
    config = generator_config(G_KWARGS)
    path = tmp_path / "net.safetensors"
    save_file(random_tensors(config), path)
    official = read_official(path)
    generator = official.networks["G_ema"]
    assert equal(generator.variables(), tree(config)[1])
    assert generator.config.channels == config.channels
    assert "does not record" in official.source["warnings"][0]
    save_file(random_tensors(CRITIC), path)
    assert list(read_official(path).networks) == ["D"]
    both = {f"G.{k}": v for k, v in random_tensors(config).items()}
    save_file(both | {f"D.{k}": v for k, v in random_tensors(CRITIC).items()}, path)
    assert list(read_official(path).networks) == ["G", "D"]


@pytest.mark.parametrize("legacy", [False, True])
def test_torch_files_with_official_names_are_read_alike(legacy, tmp_path):
    config, path = generator_config(G_KWARGS), tmp_path / "net.pt"
    write_rosinality(path, random_tensors(config), legacy=legacy)
    official = read_official(path)
    assert list(official.networks) == ["G_ema"]
    assert equal(official.networks["G_ema"].variables(), tree(config)[1])
    assert official.source["format"] == ("torch-legacy" if legacy else "torch-zip")
    assert official.source["code_base"] == "unknown"
    assert "does not record" in official.source["warnings"][0]
    write_rosinality(path, random_tensors(CRITIC), legacy=legacy)
    assert equal(read_official(path).networks["D"].variables(), tree(CRITIC)[1])
    bad = random_tensors(config) | {"synthesis.b8.conv1.bias": np.zeros(3, np.float32)}
    write_rosinality(path, bad, legacy=legacy)
    with pytest.raises(UserError, match=r"^net\.pt: .*synthesis\.b8\.conv1\.bias"):
        read_official(path)


def test_headers_that_describe_other_networks(tmp_path):
    path = tmp_path / "net.safetensors"
    write_safetensors(path, {"G_ema": tree(ODD), "G": tree(ODD), "D": tree(CRITIC)})
    header, body = header_of(path)
    manifest = json.loads(header["__metadata__"][METADATA_KEY])
    del manifest["networks"]["G"]
    header["__metadata__"][METADATA_KEY] = json.dumps(manifest)
    rewrite(path, header, body)
    with pytest.raises(UserError, match=r"describes G_ema, D, its tensors are .*G_ema, G, D"):
        read_official(path)


def test_filters_of_others_may_be_absent_but_not_wrong(tmp_path):
    path, tensors = tmp_path / "net.safetensors", random_tensors(generator_config(G_KWARGS))
    bare = {name: tensor for name, tensor in tensors.items() if "resample" not in name}
    save_file(bare, path)
    assert list(read_official(path).networks) == ["G_ema"]
    name = "synthesis.b8.conv0.resample_filter"
    save_file(tensors | {name: np.full((4, 4), 1 / 16, np.float32)}, path)
    with pytest.raises(UserError, match=f"{name} is not the filter"):
        read_official(path)


def test_other_networks_are_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file({"synthesis.input.freqs": np.ones(2, np.float32)}, path)
    with pytest.raises(UserError, match=r"net.safetensors: G_ema is StyleGAN3"):
        read_official(path)
    save_file({"layers.0.weight": np.ones(2, np.float32)}, path)
    with pytest.raises(UserError, match=r"not named as official ones: layers\.0\.weight"):
        read_official(path)
    save_file({}, path)
    with pytest.raises(UserError, match=r"^net\.safetensors: "):
        read_official(path)


def header_of(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def rewrite(path, header, body):
    """Writes a changed file as somebody would who knows that checksums can be left out."""
    metadata = header.get("__metadata__", {})
    with contextlib.suppress(KeyError, ValueError, RecursionError, AttributeError):
        manifest = json.loads(metadata[METADATA_KEY])
        for name in ("checksum", "sha256"):
            manifest.pop(name, None)
        metadata[METADATA_KEY] = json.dumps(manifest)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def change_offsets(header):
    header["mapping.fc0.bias"]["data_offsets"][1] += 4


def change_shape(header):
    header["mapping.fc0.bias"]["shape"] = [2**40, 2**40]


def change_dtype(header):
    header["mapping.fc0.bias"]["dtype"] = "I32"


def change_unknown_dtype(header):
    header["mapping.fc0.bias"]["dtype"] = "F99"


def drop(header):
    del header["mapping.fc0.bias"]


def change_metadata(**values):
    def change(header):
        manifest = json.loads(header["__metadata__"][METADATA_KEY]) | values
        header["__metadata__"][METADATA_KEY] = json.dumps(manifest)

    return change


def cut_metadata(header):
    header["__metadata__"][METADATA_KEY] = "[" * 100_000


RECORDED = {"kind": "generator", "config": {"img_resolution": 8, "z_dim": 5, "w_dim": 6}}


@pytest.mark.parametrize(
    "damage",
    [
        change_offsets,
        change_shape,
        change_dtype,
        change_unknown_dtype,
        drop,
        cut_metadata,
        change_metadata(format_version=2),
        change_metadata(networks={}),
        change_metadata(networks=[1]),
        change_metadata(networks={"H": RECORDED}),
        change_metadata(networks={"D": RECORDED}),
        change_metadata(networks={"G_ema": RECORDED, "D": RECORDED}),
        change_metadata(networks={"G_ema": {"kind": "painter"}}),
        change_metadata(networks={"G_ema": RECORDED | {"config": 3}}),
        change_metadata(networks={"G_ema": RECORDED | {"config": {"img_resolution": 1e30}}}),
        change_metadata(networks={"G_ema": RECORDED | {"config": {"img_resolution": 10**400}}}),
        change_metadata(
            networks={
                "G_ema": RECORDED
                | {"config": RECORDED["config"] | {"synthesis": {"conv_clamp": 10**400}}}
            }
        ),
        change_metadata(
            networks={
                "G_ema": RECORDED
                | {"config": RECORDED["config"] | {"mapping": {"num_layers": 10**9}}}
            }
        ),
    ],
)
def test_damaged_headers(file, damage):
    header, body = header_of(file)
    damage(header)
    rewrite(file, header, body)
    with pytest.raises(UserError, match=r"^net\.safetensors: "):
        read_official(file)


def test_damaged_bytes(file):
    data = file.read_bytes()
    for broken in (
        data[:-1],
        data[: len(data) // 2],
        data[:9],
        data[:4],
        data + b"\0",
        struct.pack("<Q", 2**31) + data[8:],
        struct.pack("<Q", 10) + data[8:],
        data[:8] + b"{" + b"\xff" * 50,
    ):
        file.write_bytes(broken)
        with pytest.raises(UserError, match=r"^net\.safetensors: "):
            read_official(file)


def test_values_that_are_not_finite_are_named(file):
    header, body = header_of(file)
    start = header["mapping.fc0.bias"]["data_offsets"][0]
    rewrite(file, header, body[:start] + struct.pack("<f", np.inf) + body[start + 4 :])
    with pytest.raises(UserError, match=r"mapping\.fc0\.bias holds 1 of 6"):
        read_official(file)


def test_an_existing_file_is_replaced_as_a_whole(file):
    write_safetensors(file, {"D": tree(CRITIC)})
    assert list(read_official(file).networks) == ["D"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_full_disk_leaves_nothing_behind(file):
    before, limits = file.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(FormatError, match=r"cannot be written .*disk full"):
            write_safetensors(file, {"G_ema": tree(ODD)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(FormatError, match="cannot be written"):
        write_safetensors("/dev/null/net.safetensors", {"G_ema": tree(ODD)})
    with pytest.raises(FormatError, match="keys are G_ema, G, D"):
        write_safetensors(tmp_path / "net.safetensors", {"generator": tree(ODD)})
    with pytest.raises(FormatError, match="none"):
        write_safetensors(tmp_path / "net.safetensors", {})


def test_folders_are_made(tmp_path):
    path = tmp_path / "new" / "folder" / "net.safetensors"
    write_safetensors(path, {"G_ema": tree(ODD)})
    assert list(read_official(path).networks) == ["G_ema"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_networks_that_are_not_finite_are_refused_by_name(value, tmp_path):
    config, variables = tree(ODD)
    variables["params"]["mapping"]["fc0"]["bias"][2] = value
    variables["stats"]["mapping"]["w_avg"][0] = value
    path = tmp_path / "net.safetensors"
    with pytest.raises(FormatError, match=r"not finite in .*mapping\.w_avg") as caught:
        write_safetensors(path, {"G_ema": (config, variables)})
    assert "mapping.fc0.bias" in str(caught.value) and "synthesis" not in str(caught.value)
    with pytest.raises(FormatError, match=r"not finite in G\.mapping"):
        write_safetensors(path, {"G_ema": tree(ODD), "G": (config, lambda: variables)})
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_bit_never_becomes_another_weight(file):
    """Everywhere in a small export: the same networks, or a refusal."""
    rng = np.random.RandomState(0)
    content, before = file.read_bytes(), read_official(file)
    arrays = before.networks["G_ema"].variables()
    header = 8 + int.from_bytes(content[:8], "little")
    positions = [*rng.choice(header, 60, replace=False)]
    positions += [*rng.choice(np.arange(header, len(content)), 60, replace=False)]
    refused = 0
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 1 << rng.randint(8)
        file.write_bytes(changed)
        try:
            read = read_official(file)
            assert read.networks["G_ema"].config == before.networks["G_ema"].config
            assert equal(read.networks["G_ema"].variables(), arrays)
            assert read.source.get("provenance") == before.source.get("provenance")
        except UserError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("kind", ["F8_E5M2", "F8_E4M3", "F8_E8M0"])
def test_types_that_numpy_does_not_have_are_refused(kind, file):
    """Their numbers would be read to be compared with the checksum."""
    data = file.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    name = next(key for key in header if key != "__metadata__")
    entry = header[name]
    start, end = entry["data_offsets"]
    header[name] = entry | {"dtype": kind, "shape": [end - start]}
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    with pytest.raises(FormatError, match=rf"net.safetensors: {name} cannot be read"):
        read_official(file)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "net.safetensors")
    with pytest.raises(FormatError, match="a device or a pipe"):
        read_official(tmp_path / "net.safetensors")
