"""`aligned convert|export|info`, and files that must not be believed."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from aligned_jax import convert, loading, weights
from aligned_jax.latents import style_layers
from tests.helpers import DATA

MANIFEST = json.loads((DATA / "hostile_manifest.json").read_text())
USABLE = {name for name, facts in MANIFEST["files"].items() if facts["is_a_usable_network"]}
NEVER = {name for name, facts in MANIFEST["files"].items() if facts["is_a_usable_network"] is False}


def markers():
    """Files that exist only if code from a hostile file was run."""
    pattern = Path(MANIFEST["marker_files_glob"])
    return list(pattern.parent.glob(pattern.name))


def same(a, b) -> bool:
    equal = jax.tree.map(
        lambda x, y: np.array_equal(np.asarray(x).view(np.int32), np.asarray(y).view(np.int32)),
        a,
        b,
    )
    return jax.tree.all(equal)


def test_convert_keeps_every_network_bit_for_bit(parent, ok, tmp_path):
    said = ok("convert", parent, tmp_path / "made")
    assert said.startswith(
        f"wrote {tmp_path}/made: 8 px RGB generator, 723 parameters; G_ema, G, D"
    )
    official = convert.read_official(parent)
    assert official.source["sha256"] in said and official.source["code_base"] in said
    made = loading.load_all(tmp_path / "made")
    assert list(made) == list(official.networks)
    for key, network in official.networks.items():
        assert made[key].config == network.config
        assert same(made[key].variables, network.variables())
    provenance = loading.describe(tmp_path / "made").provenance
    assert provenance["kind"] == "converted"
    assert provenance["command"] == f"aligned convert {parent} {tmp_path}/made"
    assert official.source.items() <= provenance.items()


@pytest.mark.parametrize("key", ["G_ema", "G", "D", "all"])
def test_export_and_back(key, child, parent, ok, tmp_path):
    source = parent if key in ("D", "all") else child
    out = tmp_path / "x.safetensors"
    options = () if key == "G_ema" else ("--network-key", key)
    names = "G_ema, G, D" if key == "all" else key
    assert ok("export", source, out, *options) == f"wrote {out}: {names}\n"
    ok("convert", out, tmp_path / "back")
    back, before = loading.load_all(tmp_path / "back"), loading.load_all(source)
    assert list(back) == (["G_ema", "G", "D"] if key == "all" else [key])
    for name, network in back.items():
        assert network.config == before[name].config
        assert same(network.variables, before[name].variables)


def test_export_reads_one_network_at_a_time(parent, ok, tmp_path, monkeypatch):
    read, load = [], loading.load
    monkeypatch.setattr(loading, "load", lambda source, key: read.append(key) or load(source, key))
    monkeypatch.setattr(loading, "load_all", None)

    def write(path, networks, provenance, half, overwrite):
        for key, (config, variables) in networks.items():
            assert key not in read
            assert same(variables(), load(parent, key).variables)
            assert config == load(parent, key).config and read[-1] == key
        assert provenance["parents"]["network"]["file"] == parent.name

    monkeypatch.setattr(convert, "write_safetensors", write)
    ok("export", parent, tmp_path / "x.safetensors", "--network-key", "all")
    assert read == ["G_ema", "G", "D"]


def test_export_takes_some_of_the_networks(parent, ok, tmp_path):
    out = tmp_path / "x.safetensors"
    said = ok("export", parent, out, "--network-key", "G_ema,D")
    assert said == f"wrote {out}: G_ema, D\n" and set(loading.load_all(out)) == {"G_ema", "D"}


@pytest.mark.parametrize("keys", ["G_ema", "all"])
def test_export_to_the_community_port_and_back(keys, parent, ok, tmp_path):
    out = tmp_path / "x.pt"
    said = ok("export", parent, out, "--network-key", keys).splitlines()
    assert said[0] == f"wrote {out}: {'G_ema, G, D' if keys == 'all' else keys}"
    assert said[1].startswith("in the port: Generator(8, ")
    back, before = loading.load_all(out), loading.load_all(parent)
    assert list(back) == (["G_ema", "G", "D"] if keys == "all" else [keys])
    for name, network in back.items():
        assert same(network.variables, before[name].variables)
    command = loading.describe(out).provenance["provenance"]["command"]
    assert command.startswith(f"aligned export {parent} {out}")


def test_half_exports_are_half_the_size_and_rounded(child, ok, tmp_path):
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    ok("export", child, whole)
    ok("export", child, half, "--half")
    data = [path.stat().st_size - _header(path) for path in (whole, half)]
    assert data[0] == 2 * data[1]
    for a, b in zip(*(jax.tree.leaves(loading.load(path).variables) for path in (whole, half)),
                    strict=True):  # fmt: skip
        assert b.dtype == np.float32
        np.testing.assert_array_equal(np.asarray(a, np.float16).astype(np.float32), b)


def _header(path):
    return 8 + int.from_bytes(path.read_bytes()[:8], "little")


def test_info_tells_people_what_is_there(parent, child, ok):
    text = ok("info", parent)
    for fact in ("G_ema: 8 px RGB generator", "D: 8 px RGB discriminator", "z 6, no labels",
                 "stylegan2-ada-pytorch", "4 rows of W+"):  # fmt: skip
        assert fact in text
    assert "W+ row" not in text
    lines = ok("info", child, "--styles").splitlines()
    assert any(line.split() == ["2", "b8.conv0", "conv", "8", "4", "1"] for line in lines)


def test_info_tells_programs_more(parent, ok):
    document = json.loads(ok("info", parent, "--json"))
    config = loading.describe(parent).configs["G_ema"]
    generator = document["networks"]["G_ema"]
    assert generator["config"]["z_dim"] == 6 and generator["num_ws"] == config.num_ws
    assert generator["parameters"] == {k: n for k, n in weights.count(config).items() if n}
    assert document["networks"]["D"]["kind"] == "discriminator"
    assert document["provenance"]["file"] == parent.name
    assert "styles" not in generator
    styles = json.loads(ok("info", parent, "--json", "--styles"))["networks"]["G_ema"]["styles"]
    assert [layer["name"] for layer in styles] == [layer.name for layer in style_layers(config)]


def test_info_does_not_read_the_arrays_of_a_checkpoint(child, ok, tmp_path):
    folder = tmp_path / "hollow"
    folder.mkdir()
    (folder / "config.json").write_bytes((child / "config.json").read_bytes())
    assert "8 px RGB generator" in ok("info", folder)


@pytest.mark.parametrize(
    "provenance",
    [
        {"verb": "\x1b[31m", "command": "\x1b[31mred", "parents": 3, "warnings": "w"},
        {"verb": 1, "parents": {"a": 1, "b": {"network": ["\x07"]}}, "warnings": [{}]},
        {"file": {}, "sha256": 7},
    ],
)
def test_info_believes_no_provenance(provenance, child, ok, tmp_path):
    manifest = json.loads((child / "config.json").read_text()) | {"provenance": provenance}
    del manifest["sha256"]
    (tmp_path / "config.json").write_text(json.dumps(manifest))
    text = ok("info", tmp_path)
    assert all(c.isprintable() or c == "\n" for c in text)
    assert json.loads(ok("info", tmp_path, "--json"))["provenance"] == provenance


def test_info_shows_parents_and_warnings(parent, child, ok, tmp_path):
    ok("reset", parent, child, "--components", "conv", "--out", tmp_path / "made")
    text = ok("info", tmp_path / "made")
    assert f"made by `aligned reset {parent}" in text
    assert f"  parent      {parent} (stylegan2-ada-pytorch, pickle, {parent.name}, sha256" in text


def test_warnings_of_a_reader_are_passed_on(aligned, ok, tmp_path, monkeypatch, parent):
    official = convert.read_official(parent)
    official.source["warnings"].append("something is odd")
    monkeypatch.setattr(convert, "read_official", lambda path: official)
    result = aligned("convert", parent, tmp_path / "made")
    assert (result.code, result.err) == (0, "warning: something is odd\n")
    assert "  warning     something is odd" in ok("info", tmp_path / "made")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MANIFEST["files"]))
def test_hostile_files(name, aligned, tmp_path, contents):
    for marker in markers():
        marker.unlink()
    results = [
        aligned("convert", DATA / name, tmp_path / "made"),
        aligned("info", DATA / name),
    ]
    assert not markers()
    for verb, result in zip(("convert", "info"), results, strict=True):
        assert (result.code == 0) or name not in USABLE
        assert result.code == (2 if name in NEVER else result.code)
        if result.code:
            assert result.out == ""
            assert result.err.startswith(f"aligned {verb}: {name}: ")
            assert result.err.count("\n") == 1 and len(result.err) < 1000
    assert contents(tmp_path) == (["made"] if results[0].code == 0 else [])


def test_another_family_is_refused_by_name(refused, tmp_path, contents):
    line = refused("convert", DATA / "stylegan3_refuse.pkl", tmp_path / "made")
    assert "StyleGAN3" in line
    assert contents(tmp_path) == []
