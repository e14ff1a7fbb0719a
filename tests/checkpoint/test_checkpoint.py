"""Checkpoint folders: bit-exact, atomic, partial, and plain about errors."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from aligned_jax import checkpoint
from aligned_jax.config import DiscriminatorConfig, GeneratorConfig, SynthesisConfig
from aligned_jax.errors import CheckpointError
from tests.helpers import same_bits

G = GeneratorConfig(8, z_dim=4, w_dim=4, synthesis=SynthesisConfig(32, 4))
D = DiscriminatorConfig(8, channel_base=32, channel_max=4)


def tree(seed=0):
    rng = np.random.RandomState(seed)
    return {
        "params": {"a": {"weight": rng.randn(3, 4).astype(np.float32)}},
        "stats": {"scalar": np.asarray(np.float32(rng.randn())), "zero": np.float32([-0.0])},
    }


@pytest.fixture
def saved(tmp_path):
    networks = {"G_ema": (G, tree(0)), "D": (D, lambda: tree(1))}
    checkpoint.write(tmp_path / "net", networks, {"kind": "test"})
    return tmp_path / "net"


def test_round_trip_is_bit_exact(saved):
    manifest = checkpoint.read_manifest(saved)
    assert manifest.configs == {"G_ema": G, "D": D}
    assert manifest.provenance == {"kind": "test"}
    assert same_bits(checkpoint.read(saved, "G_ema"), tree(0))
    assert same_bits(checkpoint.read(saved, "D"), tree(1))


def test_partial_reading(saved):
    assert same_bits(checkpoint.read(saved, "G_ema", ("stats",)), {"stats": tree(0)["stats"]})
    # The other network may be gone altogether.
    (saved / "D").rename(saved / "elsewhere")
    assert same_bits(checkpoint.read(saved, "G_ema"), tree(0))
    with pytest.raises(CheckpointError, match="damaged or incomplete"):
        checkpoint.read(saved, "D")
    (saved / "D").mkdir()
    with pytest.raises(CheckpointError, match="its arrays are missing"):
        checkpoint.read(saved, "D")


def test_existing_targets_are_protected(saved, tmp_path):
    with pytest.raises(CheckpointError, match=r"already exists.*`overwrite=True`"):
        checkpoint.write(saved, {"D": (D, tree(2))})
    checkpoint.write(saved, {"D": (D, tree(2))}, overwrite=True)
    assert list(checkpoint.read_manifest(saved).configs) == ["D"]
    assert same_bits(checkpoint.read(saved, "D"), tree(2))
    mine = tmp_path / "holiday"
    mine.mkdir()
    (mine / "photo.jpg").write_text("precious")
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        checkpoint.write(mine, {"D": (D, tree(2))}, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["holiday", "net"]


@pytest.mark.parametrize("foreign", ["notes.txt", "checkpoints/kimg-000001/config.json"])
def test_a_checkpoint_with_other_things_in_it_is_not_overwritten(saved, foreign):
    (saved / foreign).parent.mkdir(parents=True, exist_ok=True)
    (saved / foreign).write_text("{}")
    with pytest.raises(CheckpointError, match=f"it holds {foreign.split('/')[0]}; it is not"):
        checkpoint.write(saved, {"D": (D, tree(2))}, overwrite=True)
    assert (saved / foreign).exists()


def test_a_config_of_another_program_protects_its_folder(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    for text in ('{"name": "mine"}', '{"format_version": 1, "networks": {}}', "[1]"):
        (project / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match="is not a checkpoint"):
            checkpoint.check_target(project, overwrite=True)
    link = tmp_path / "link"
    link.symlink_to(project)
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        checkpoint.check_target(link, overwrite=True)


def test_new_folders_follow_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        checkpoint.write(tmp_path / "net", {"D": (D, tree())})
    finally:
        os.umask(before)
    assert (tmp_path / "net").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", ""])
def test_impossible_names(tmp_path, name):
    target = tmp_path / name if name else ""
    with pytest.raises(CheckpointError, match=r"cannot be written|name of the new checkpoint"):
        checkpoint.write(target, {"D": (D, tree())})
    with pytest.raises(CheckpointError, match=r"no such|not a checkpoint"):
        checkpoint.read_manifest(checkpoint.find(target))


def test_a_failure_leaves_the_old_checkpoint_and_nothing_else(saved, tmp_path):
    def broken():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(saved, {"G": (G, tree(5)), "D": (D, broken)}, overwrite=True)
    assert same_bits(checkpoint.read(saved, "G_ema"), tree(0))
    assert [p.name for p in tmp_path.iterdir()] == ["net"]


@pytest.mark.slow
def test_a_full_disk_half_way(tmp_path):
    """A limit on the file size makes every larger write fail as a full disk does."""
    code = """
import resource, sys
import numpy as np
from aligned_jax import checkpoint
from aligned_jax.config import DiscriminatorConfig
from aligned_jax.errors import CheckpointError
big = {"params": {"w": np.random.RandomState(0).randn(200, 1000).astype(np.float32)}}
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    checkpoint.write(sys.argv[1], {"D": (DiscriminatorConfig(8), big)})
except CheckpointError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "net")], capture_output=True, text=True
    )
    assert "was not written" in run.stdout and "nothing was left behind" in run.stdout, run
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_no_checkpoints(tmp_path, saved):
    with pytest.raises(CheckpointError, match="no such folder"):
        checkpoint.read_manifest(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"is not a checkpoint: it has no config\.json"):
        checkpoint.read_manifest(tmp_path / "empty")
    config = saved / "config.json"
    good = json.loads(config.read_text())
    kinds = good | {"networks": {"D": good["networks"]["G_ema"]}}
    for text, reason in [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "no JSON object but a list"),
        ("{}", "of another kind"),
        (json.dumps(good | {"format_version": 99}), "format 99; this release reads 1"),
        (json.dumps(good | {"networks": {}}), "damaged: .*it is empty"),
        (json.dumps(good | {"networks": 3}), "damaged: .*it is empty"),
        (json.dumps(good | {"networks": {"D": 3}}), "D is an int, not an object"),
        (json.dumps(good | {"networks": {"D": {"kind": ["x"], "config": {}}}}), "none of gen"),
        (json.dumps(good | {"networks": {"D": {"kind": "discriminator"}}}), "missing: img"),
        (json.dumps(good | {"provenance": []}), "provenance is a list"),
        (json.dumps(kinds), "D is a generator"),
    ]:
        config.write_text(text)
        with pytest.raises(CheckpointError, match=reason):
            checkpoint.read_manifest(saved)


def test_absent_networks_name_those_present(saved):
    with pytest.raises(CheckpointError, match="no network 'G'; it has G_ema, D"):
        checkpoint.read(saved, "G")
    for networks, reason in [
        ({"X": (G, tree())}, "'X' is not one of G_ema, G, D, E"),
        ({"D": (G, tree())}, "D is a generator"),
        ({}, "it is empty"),
    ]:
        with pytest.raises(CheckpointError, match=reason):
            checkpoint.write(saved.parent / "x", networks)


def test_runs_and_their_checkpoints(tmp_path):
    run = tmp_path / "dog"
    for kimg in (80, 400):
        checkpoint.write(checkpoint.run_checkpoint(run, kimg), {"D": (D, tree(kimg))})
    assert checkpoint.find(run) == checkpoint.run_checkpoint(run, 400)
    assert checkpoint.find(f"{run}@80") == checkpoint.run_checkpoint(run, 80)
    with pytest.raises(CheckpointError, match="no checkpoint at 81 kimg; it has 80, 400"):
        checkpoint.find(f"{run}@81")
    with pytest.raises(CheckpointError, match="no such folder"):
        checkpoint.find(f"{run}@latest")
    with pytest.raises(CheckpointError, match="no such file"):
        checkpoint.find(tmp_path / "cat")
    (run / "checkpoints" / "kimg-²").mkdir()
    assert checkpoint.find(run) == checkpoint.run_checkpoint(run, 400)
    with pytest.raises(CheckpointError, match="no such folder"):
        checkpoint.find(f"{run}@²")
    at_sign = tmp_path / "a@7"
    checkpoint.write(at_sign, {"D": (D, tree())})
    assert checkpoint.find(at_sign) == at_sign


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folders_are_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CheckpointError, match="cannot be written"):
        checkpoint.write(tmp_path / "net", {"D": (D, tree())})
