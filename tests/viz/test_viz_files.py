"""Output is whole or absent."""

import os

import pytest

from aligned_jax.errors import UserError
from aligned_jax.viz import check_file, check_folder, try_folder, writing, writing_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path):
    with writing(tmp_path / "new" / "a.txt") as file:
        file.write(b"whole")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"whole"
    assert names(tmp_path / "new") == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError), writing(tmp_path / "a.txt", overwrite=True) as file:
        file.write(b"half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_existing_file_is_refused_unless_overwritten(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(UserError, match=r"a\.txt already exists.*`overwrite=True`"):
        check_file(tmp_path / "a.txt")
    with pytest.raises(UserError, match="already exists"), writing(tmp_path / "a.txt"):
        pass
    with writing(tmp_path / "a.txt", overwrite=True) as file:
        file.write(b"new")
    assert (tmp_path / "a.txt").read_text() == "new"
    with pytest.raises(UserError, match="is a folder"):
        check_file(tmp_path, overwrite=True)


def test_a_refusing_disk_is_explained(tmp_path):
    reason = "No space left on device"
    with pytest.raises(UserError, match=f"b.txt was not written: {reason}; nothing was left"):  # noqa: SIM117
        with writing(tmp_path / "b.txt"):
            raise OSError(28, reason)
    assert names(tmp_path) == []


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for check in (check_file, check_folder):
        with pytest.raises(UserError, match=r"/file is a file, so that .*a\.txt cannot be written"):
            check(tmp_path / "file" / "deep" / "a.txt")


def test_the_root_is_no_name_for_a_result():
    for check in (check_file, check_folder):
        with pytest.raises(UserError, match="/ is the root of all folders"):
            check("/", overwrite=True)


def test_what_appears_during_the_work_is_not_replaced(tmp_path):
    path, folder = tmp_path / "a.txt", tmp_path / "results"
    with pytest.raises(UserError, match=r"a\.txt was not written"), writing(path) as file:
        file.write(b"mine")
        path.write_text("precious")
    with pytest.raises(UserError, match="results is not empty"), writing_folder(folder) as own:
        (own / "a.txt").write_text("mine")
        folder.mkdir()
        (folder / "a.txt").write_text("precious")
    assert path.read_text() == (folder / "a.txt").read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "results"]
    with writing(path, overwrite=True) as file:
        file.write(b"mine")
    assert path.read_text() == "mine"


def test_names_that_are_too_long_are_refused_beforehand(tmp_path):
    for check in (check_file, check_folder):
        check(tmp_path / ("a" * 255))
        for name in ("a" * 256, "é" * 128, "new/" + "a" * 256 + "/b", "a/" * 2048):
            with pytest.raises(UserError, match="too long a name") as caught:
                check(tmp_path / name)
            assert len(str(caught.value)) < 200


def test_the_longest_names_can_be_written(tmp_path):
    with writing(tmp_path / ("a" * 255)) as file:
        file.write(b"x")
    with writing_folder(tmp_path / ("é" * 127)) as folder:
        (folder / "a").write_text("1")
    assert names(tmp_path) == ["a" * 255, "é" * 127]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_output_is_as_open_as_the_umask_says(tmp_path, mask):
    before = os.umask(mask)
    try:
        with writing_folder(tmp_path / "out") as folder:
            (folder / "a").write_text("1")
        with writing(tmp_path / "b") as file:
            file.write(b"x")
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "out", tmp_path / "b")]
    assert modes == [0o777 & ~mask, 0o666 & ~mask]


def test_a_folder_appears_when_the_block_ends(tmp_path):
    with writing_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
        assert not (tmp_path / "out").exists()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["a"]


def test_a_folder_in_use_keeps_its_other_files(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with writing_folder(out) as folder:  # an empty one may be filled
        (folder / "a").write_text("1")
    with pytest.raises(UserError, match="out is not empty"), writing_folder(out):
        pass
    (out / "mine").write_text("kept")
    with writing_folder(out, overwrite=True) as folder:
        (folder / "a").write_text("2")
    assert (out / "a").read_text() == "2"
    assert names(out) == ["a", "mine"]
    with pytest.raises(RuntimeError), writing_folder(out, overwrite=True) as folder:
        (folder / "a").write_text("3")
        raise RuntimeError
    assert (out / "a").read_text() == "2"
    assert names(tmp_path) == ["out"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UserError, match="is a file"):
        check_folder(tmp_path / "out", overwrite=True)


def test_names_of_files_are_no_names_of_folders(tmp_path):
    for suffix in (".html", ".png", ".npz"):
        with pytest.raises(UserError, match=f"several files is written here; leave out {suffix}"):
            check_folder(tmp_path / f"out{suffix}")
    check_folder(tmp_path / "out.v2")
    (tmp_path / "x.html").mkdir()  # somebody wants it so
    check_folder(tmp_path / "x.html")


def test_folders_are_tried_without_a_trace(tmp_path):
    (tmp_path / "there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for name in ("there", "new", "there/a/b/c"):
        try_folder(tmp_path / name)
        assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(UserError, match="/proc/none was not written: "):
        try_folder("/proc/none")
