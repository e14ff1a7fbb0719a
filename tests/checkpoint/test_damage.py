"""Checkpoints that were damaged, edited, or made to do harm are refused before they are used."""

import json
import os

import numpy as np
import pytest

from aligned_jax import checkpoint
from aligned_jax.config import EncoderConfig, GeneratorConfig, SynthesisConfig, from_dict, to_dict
from aligned_jax.errors import CheckpointError, ConfigError
from tests.helpers import same_bits

G = GeneratorConfig(8, z_dim=4, w_dim=4, synthesis=SynthesisConfig(32, 4))


def tree(scale=1.0):
    rng = np.random.RandomState(0)
    weight = (scale * rng.randn(3, 4)).astype(np.float32)
    return {"params": {"a": {"weight": weight}}, "noise": {"n": np.float32([1, 2])}}


@pytest.fixture
def saved(tmp_path):
    checkpoint.write(tmp_path / "net", {"G_ema": (G, tree())}, {"kind": "test"})
    return tmp_path / "net"


def flipped(path, position, bit):
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def test_a_flipped_bit_never_becomes_another_weight(saved):
    """All files of a small checkpoint, some positions each: the same arrays, or a refusal."""
    rng = np.random.RandomState(1)
    before, refused = checkpoint.read_manifest(saved), 0
    for file in sorted(p for p in saved.rglob("*") if p.is_file()):
        content = file.read_bytes()
        for position in rng.choice(len(content), min(len(content), 12), replace=False):
            flipped(file, position, rng.randint(8))
            try:
                same = checkpoint.read_manifest(saved) == before
                assert same and same_bits(checkpoint.read(saved, "G_ema"), tree())
            except CheckpointError:
                refused += 1
            file.write_bytes(content)
    assert refused > 20


def test_other_arrays_under_the_same_names_are_named(saved, tmp_path):
    checkpoint.write(tmp_path / "other", {"G_ema": (G, tree(2.0))})
    (saved / "G_ema").rename(tmp_path / "old")
    (tmp_path / "other/G_ema").rename(saved / "G_ema")
    with pytest.raises(CheckpointError, match="G_ema is damaged: params are not the arrays"):
        checkpoint.read(saved, "G_ema")
    assert same_bits(checkpoint.read(saved, "G_ema", ("noise",)), {"noise": tree()["noise"]})


@pytest.mark.parametrize("edit", [{"provenance": {"kind": "best"}}, {"checksums": {}}])
def test_an_edited_config_is_told_from_a_written_one(saved, edit):
    file = saved / "config.json"
    document = json.loads(file.read_text()) | edit
    file.write_text(json.dumps(document))
    with pytest.raises(CheckpointError, match=r"damaged or was edited.*removes the entry 'sha256'"):
        checkpoint.read_manifest(saved)
    del document["sha256"]
    file.write_text(json.dumps(document))
    assert checkpoint.read_manifest(saved).configs == {"G_ema": G}


def test_checkpoints_without_checksums_are_read(saved):
    file = saved / "config.json"
    document = json.loads(file.read_text())
    file.write_text(
        json.dumps({k: document[k] for k in document if k not in ("checksums", "sha256")})
    )
    assert same_bits(checkpoint.read(saved, "G_ema"), tree())


def test_a_reduced_checkpoint_keeps_its_checksums(saved, tmp_path):
    checkpoint.write(tmp_path / "two", {"G_ema": (G, tree()), "G": (G, tree(2.0))})
    checkpoint.reduce(tmp_path / "two", ("G",))
    assert list(checkpoint.read_manifest(tmp_path / "two").checksums) == ["G"]
    assert same_bits(checkpoint.read(tmp_path / "two", "G"), tree(2.0))


def test_shapes_are_compared_before_memory_is_asked_for(saved):
    huge = tree()
    huge["params"]["a"]["weight"] = np.broadcast_to(np.float32(0), (2**20, 2**20))  # 4 TB
    with pytest.raises(CheckpointError, match=r"is \(3, 4\), expected \(1048576, 1048576\)"):
        checkpoint.read(saved, "G_ema", expected=huge)
    assert same_bits(checkpoint.read(saved, "G_ema", expected=tree()), tree())


def test_pipes_and_devices_are_not_opened(saved):
    config = saved / "config.json"
    config.rename(saved / "kept.json")
    os.mkfifo(config)
    # A pipe is no file, so that the folder is no checkpoint; it must not be waited for.
    with pytest.raises(CheckpointError, match="not a regular file"):
        checkpoint.read_manifest(saved)
    config.unlink()
    config.symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match="not a regular file"):
        checkpoint.read_manifest(saved)
    config.unlink()
    (saved / "kept.json").rename(config)
    os.mkfifo(saved / "G_ema/d/pipe")
    with pytest.raises(CheckpointError, match=r"no regular file: .*pipe"):
        checkpoint.read(saved, "G_ema")


@pytest.mark.slow
def test_a_folder_that_appears_during_the_work_is_not_replaced(tmp_path):
    target = tmp_path / "net"

    def meanwhile(partial):
        target.mkdir()
        (target / "precious.txt").write_text("precious")

    with pytest.raises(CheckpointError, match="already exists"):
        checkpoint.write(target, {"G_ema": (G, tree())}, fill=meanwhile)
    assert [p.name for p in tmp_path.rglob("*")] == ["net", "precious.txt"]
    (target / "precious.txt").unlink()
    checkpoint.write(target, {"G_ema": (G, tree())}, overwrite=True)
    with pytest.raises(CheckpointError, match=r"it holds notes\.txt; it is not overwritten"):
        checkpoint.write(
            target,
            {"G_ema": (G, tree())},
            overwrite=True,
            fill=lambda _: (target / "notes.txt").write_text("precious"),
        )
    assert (target / "notes.txt").read_text() == "precious"


def test_an_endless_config_is_refused(saved):
    with (saved / "config.json").open("r+b") as file:
        file.truncate(1 << 30)  # sparse: takes no space
    with pytest.raises(CheckpointError, match="longer than"):
        checkpoint.read_manifest(saved)


@pytest.mark.parametrize("name", ["_METADATA", "manifest.ocdbt", "ocdbt.process_0/manifest.ocdbt"])
def test_endless_lists_of_arrays_are_refused(saved, name):
    """TensorStore would end the whole process for want of memory."""
    with (saved / "G_ema" / name).open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(CheckpointError, match=f"{name} is far longer than any list"):
        checkpoint.read(saved, "G_ema")


def test_names_that_are_not_utf8(saved):
    strange = saved.with_name("net\udcff")
    with pytest.raises(CheckpointError, match="the name is not UTF-8"):
        checkpoint.write(strange, {"G_ema": (G, tree())})
    saved.rename(strange)
    with pytest.raises(CheckpointError, match="the name is not UTF-8"):
        checkpoint.read(strange, "G_ema")


def test_the_format_is_no_number_that_floats_hold(saved):
    (saved / "config.json").write_text(json.dumps({"format_version": 10**400}))
    with pytest.raises(CheckpointError, match="has checkpoint format 10000"):
        checkpoint.read_manifest(saved)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("synthesis.conv_clamp", -1.0),
        ("synthesis.conv_clamp", float("nan")),
        ("synthesis.channel_max", 2**40),
        ("synthesis.channels", [[4, 4], [4, 4]]),
        ("synthesis.channels", [2**30, 4]),
        ("synthesis.resample_filter", [1.0] * 1000),
        ("synthesis.resample_filter", [[1.0, [2.0]], [1.0]]),
        ("synthesis.use_noise", 1),
        ("mapping.w_avg_beta", 1.5),
        ("mapping.layer_features", 2**31),
        ("z_dim", 2**31),
        ("c_dim", 2**31),
        ("img_channels", 10**9),
        ("w_dim", 4.0),
    ],
)
def test_types_and_ranges_come_from_the_dataclasses(where, value):
    document = to_dict(G)
    *groups, name = where.split(".")
    group = document
    for part in groups:
        group = group[part]
    group[name] = value
    with pytest.raises(ConfigError, match=name):
        from_dict(GeneratorConfig, document)


@pytest.mark.parametrize(
    "stages", [[[64, 3]] * 3, [[64, 3, 1]] * 4, [[64, "3"]] * 4, [[64, 10**6]] * 4, [64] * 8]
)
def test_stages_of_an_encoder(stages):
    document = to_dict(EncoderConfig(32, "w", 8)) | {"stages": stages}
    with pytest.raises(ConfigError, match="stages"):
        from_dict(EncoderConfig, document)
