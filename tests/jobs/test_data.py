"""Datasets drawn, imported and looked at, and the list of feature networks, from a script."""

import json

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs
from aligned_jax.data import DataOptions, open_dataset
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from tests.jobs.small_inputs import aligned, noise_images, save_images


def images(path, split="train"):
    data = open_dataset(DataOptions(str(path), split))
    return np.stack([data[k][0] for k in range(len(data))])


def test_images_are_imported_as_by_the_verb(tmp_path):
    source = save_images(tmp_path / "photos", noise_images(9))
    line = ["data", "images", source, "--resolution", 8, "--workers", 1, "--test", 0.4]
    said = aligned(*line, "--gray", "--out", tmp_path / "verb")
    command = Command("aligned data images photos")
    options = {"test": 0.4, "gray": True, "workers": 1, "command": command}
    written = jobs.import_images(source, tmp_path / "job", 8, **options)
    assert (written.bad, written.reused) == ([], 0) and set(written.counts) == {"train", "test"}
    counts = ", ".join(f"{count} {split}" for split, count in written.counts.items())
    told = (
        "no labels (no dataset.json, and no folders of classes)",
        "no picture was cropped: all are square",
    )
    assert written.told == told
    wrote = f"wrote {tmp_path / 'verb'}: {counts} images of 8 px\n"
    assert said == wrote + "".join(f"  {line}\n" for line in told)
    for split in written.counts:
        theirs = images(tmp_path / "verb", split)
        np.testing.assert_array_equal(images(tmp_path / "job", split), theirs)
    assert jobs.inspect_data(tmp_path / "job").command == command.line


def test_damaged_files_are_left_out_on_request(tmp_path):
    source = save_images(tmp_path / "photos", noise_images(3))
    (source / "bad.png").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"bad\.png"):
        jobs.import_images(source, tmp_path / "job", 8, workers=1)
    written = jobs.import_images(source, tmp_path / "job", 8, workers=1, skip_bad=True)
    assert written.counts == {"train": 3} and "bad.png" in written.bad[0]


def test_labels_are_left_out_on_request(tmp_path):
    for name in ("a", "b"):
        save_images(tmp_path / "photos" / name, noise_images(2))
    for labels in (True, False):
        out = tmp_path / f"labels-{labels}"
        jobs.import_images(tmp_path / "photos", out, 8, labels=labels, workers=1)
        assert ("label: " in jobs.inspect_data(out).text()) == labels


def test_a_dataset_is_inspected_as_by_the_verb(tmp_path):
    source = save_images(tmp_path / "photos", noise_images(9))
    out, sheet = tmp_path / "data", tmp_path / "verb.png"
    jobs.import_images(source, out, 8, test=0.4, workers=1)
    said = aligned("data", "inspect", out, "--check", "--out", sheet, "--images", 2)
    count, report = jobs.check_data(out), jobs.inspect_data(out)
    assert said == (
        f"{out}: the SHA-256 of {count} files are those that were recorded\n"
        f"{report.text()}\n\nwrote {sheet}: up to 2 images of {', '.join(report.splits)}\n"
    )
    with Image.open(sheet) as picture:
        np.testing.assert_array_equal(report.sheet(2), np.asarray(picture))
    report.write_sheet(tmp_path / "job.png", 2, Command("aligned data inspect"))
    with Image.open(tmp_path / "job.png") as picture:
        assert picture.text["Comment"] == "aligned data inspect"
    with pytest.raises(UserError, match="exists"):
        report.write_sheet(sheet, 2)
    next(out.glob("*train.array_record*")).write_bytes(b"changed")
    with pytest.raises(UserError):
        jobs.check_data(out)


def test_avatars_are_drawn_as_by_the_verb(tmp_path):
    pytest.importorskip("dicebear")
    words = ("--style", "personas", "--count", 5, "--resolution", 8, "--workers", 1)
    aligned("data", "avatars", *words, "--roll", 20, "--out", tmp_path / "verb")
    drawing = {"roll": 20, "workers": 1}
    written = jobs.draw_avatars(tmp_path / "job", "personas", 5, 8, **drawing)
    assert written.counts["train"] == 5
    drawn = images(tmp_path / "job")
    np.testing.assert_array_equal(drawn, images(tmp_path / "verb"))
    changes = ({"roll": 5}, {"yaw": 1}, {"zoom": 2}, {"seed": 1}, {"background": ["#ff0000"]})
    for number, change in enumerate(changes):
        jobs.draw_avatars(tmp_path / str(number), "personas", 5, 8, **drawing | change)
        assert not np.array_equal(images(tmp_path / str(number)), drawn)
    tests = jobs.draw_avatars(tmp_path / "tests", "personas", 5, 8, test=2, workers=1)
    assert tests.counts == {"train": 5, "test": 2}
    metadata = json.loads((tmp_path / "job" / "metadata.json").read_text())
    assert not metadata.get("command")


def test_feature_networks_are_listed_as_by_the_verb(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    listed = jobs.list_features()
    assert listed.text() + "\n" == aligned("features", "list")
    assert listed.states["arcface"].startswith("missing; get model_ir_se50.pth")
    with pytest.raises(UserError, match=r"nowhere\.pt: there is no such file"):
        jobs.add_features("nowhere.pt")
