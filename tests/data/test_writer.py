import json
import os
import shutil

import numpy as np
import pytest

from aligned_jax.data import DataOptions, open_dataset, writer
from aligned_jax.data.avatar_source import AvatarSource
from aligned_jax.data.writer import write_dataset
from aligned_jax.errors import UserError

SOURCE = AvatarSource("pixel-art", 23, 5, 8)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(writer, "ITEMS_PER_SHARD", 5)


def contents(folder):
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if "array_record" in file.name
    }


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "ITEMS_PER_SHARD", 5)
        write_dataset(SOURCE, folder, "made by hand", workers=1)
    return contents(folder)


def test_what_is_in_the_folder(tmp_path):
    done = []
    written = write_dataset(SOURCE, tmp_path / "d", "made by hand", workers=1, advance=done.append)
    assert written.counts == {"train": 23, "test": 5} and not written.bad and not written.reused
    assert sum(done) == 28
    assert not [path for path in tmp_path.iterdir() if path.name != "d"]
    names = {path.name for path in (tmp_path / "d").iterdir()}
    assert "avatars-train.array_record-00004-of-00005" in names
    assert not [name for name in names if name.startswith((".", "plan")) or ".json." in name]
    assert "CC0" in (tmp_path / "d" / "LICENSE").read_text()
    metadata = json.loads((tmp_path / "d" / "metadata.json").read_text())
    assert metadata["command"] == "made by hand"
    assert metadata["source"]["style"] == "pixel-art"


class Interrupted(Exception):
    pass


def test_an_interrupted_run_goes_on(tmp_path, expected):
    """The records are those of a run that was never interrupted, byte for byte."""

    def stop(count, seen=[]):  # noqa: B006 (it counts)
        seen.append(count)
        if len(seen) == 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        write_dataset(SOURCE, tmp_path / "d", "made by hand", workers=1, advance=stop)
    assert not (tmp_path / "d").exists()
    # What a kill leaves behind: a shard half written, and one without its note.
    partial = tmp_path / ".d.partial"
    (partial / ".avatars-train.array_record-00003-of-00005").write_bytes(b"half")
    (partial / "avatars-train.array_record-00004-of-00005").write_bytes(b"half")
    written = write_dataset(SOURCE, tmp_path / "d", "made by hand", workers=1)
    assert written.reused == 2
    assert contents(tmp_path / "d") == expected
    assert len(open_dataset(DataOptions(str(tmp_path / "d")))) == 23


def test_another_source_does_not_take_over(tmp_path):
    def stop(count):
        if count:
            raise Interrupted

    with pytest.raises(Interrupted):
        write_dataset(SOURCE, tmp_path / "d", workers=1, advance=stop)
    other = AvatarSource("pixel-art", 23, 5, 8, seed=1)
    assert write_dataset(other, tmp_path / "d", workers=1).reused == 0


@pytest.mark.slow
def test_two_processes_write_the_same(tmp_path, expected):
    write_dataset(SOURCE, tmp_path / "d", "made by hand", workers=2)
    assert contents(tmp_path / "d") == expected


@pytest.mark.slow
def test_the_style_and_all_options_change_the_records(tmp_path, expected):
    others = [
        AvatarSource("personas", 23, 5, 8),
        AvatarSource("pixel-art", 23, 5, 8, roll=20.0),
        AvatarSource("pixel-art", 23, 5, 8, yaw=1.0),
        AvatarSource("pixel-art", 23, 5, 8, background=("#ff0000",)),
        AvatarSource("pixel-art", 23, 5, 8, zoom=1.5),
    ]
    for k, source in enumerate(others):
        write_dataset(source, tmp_path / str(k), workers=1)
        records = contents(tmp_path / str(k))
        assert all(records[name] != expected[name] for name in expected)


def test_features_read_by_tfds_itself(tmp_path):
    import tensorflow_datasets as tfds

    write_dataset(SOURCE, tmp_path / "d", workers=1)
    source = tfds.builder_from_directory(str(tmp_path / "d")).as_data_source(split="test")
    row = source[0]
    assert len(source) == 5
    np.testing.assert_array_equal(
        row["image"], open_dataset(DataOptions(str(tmp_path / "d"), "test"))[0][0]
    )
    assert row["seed"] == b"0/test/0"


def test_a_target_that_is_taken_is_refused(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "precious").write_text("x")
    with pytest.raises(UserError, match="exists already"):
        write_dataset(SOURCE, tmp_path / "d", workers=1)
    shutil.rmtree(tmp_path / "d")
    (tmp_path / "d").mkdir()
    write_dataset(SOURCE, tmp_path / "d", workers=1)


@pytest.mark.parametrize("name", ["plan.json", "avatars-train.array_record-00000-of-00001.json"])
@pytest.mark.parametrize("kind", ["pipe", "no text", "another object"])
def test_a_hidden_folder_of_strangers_is_not_taken_over(tmp_path, expected, name, kind):
    (tmp_path / ".d.partial").mkdir()
    strange = tmp_path / ".d.partial" / name
    if kind == "pipe":
        os.mkfifo(strange)
    else:
        strange.write_bytes(b"\xff\xfe" if kind == "no text" else b'{"bytes": 0}')
    assert write_dataset(SOURCE, tmp_path / "d", "made by hand", workers=1).reused == 0
    assert contents(tmp_path / "d") == expected


def test_a_lock_that_leads_elsewhere_is_refused(tmp_path):
    (tmp_path / "precious").write_text("x")
    (tmp_path / ".d.partial").mkdir()
    (tmp_path / ".d.partial" / ".lock").symlink_to("../precious")
    with pytest.raises(UserError, match="was not written"):
        write_dataset(SOURCE, tmp_path / "d", workers=1)
    assert (tmp_path / "precious").read_text() == "x"


def test_names_that_no_folder_can_have(tmp_path):
    with pytest.raises(UserError, match="the name is not UTF-8"):
        write_dataset(SOURCE, tmp_path / "d\udcff", workers=1)
    with pytest.raises(UserError, match="the name is not UTF-8"):
        open_dataset(DataOptions(str(tmp_path / "d\udcff")))
    with pytest.raises(UserError, match="was not written: File name too long"):
        write_dataset(SOURCE, tmp_path / ("a" * 300), workers=1)


def test_a_disk_that_refuses_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="was not written"):
        write_dataset(SOURCE, tmp_path / "file" / "d", workers=1)


def test_two_processes_do_not_write_one_dataset(tmp_path, expected):
    def meanwhile(count):
        with pytest.raises(UserError, match="another process is writing"):
            write_dataset(SOURCE, tmp_path / "d", workers=1)

    write_dataset(SOURCE, tmp_path / "d", "made by hand", workers=1, advance=meanwhile)
    assert contents(tmp_path / "d") == expected


class Fatal(AvatarSource):
    """Ends the process that works on it."""

    def check(self):
        pass

    def examples(self, split, start, stop):
        os._exit(1)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_told(tmp_path):
    with pytest.raises(UserError, match="`workers=1` needs less"):
        write_dataset(Fatal("pixel-art", 23, 5, 8), tmp_path / "d", workers=2)
    assert not (tmp_path / "d").exists()
