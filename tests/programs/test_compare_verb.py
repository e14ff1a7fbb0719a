"""`aligned compare`: the numbers, the pictures and the page."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from aligned_jax import loading, weights

PIECES = ["change.json", "change.svg", "index.html", "resets.png"]


@pytest.fixture(scope="module")
def report(aligned, parent, child, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "report"
    options = ("--seeds", "0-2", "--psi", 0.5)
    result = aligned("compare", parent, child, *options, "--out", folder)
    assert (result.code, result.err) == (0, "")
    return folder


def test_all_pieces_are_there(report, contents):
    assert contents(report) == PIECES


def test_the_numbers_are_the_library_s(report, parent, child):
    document = json.loads((report / "change.json").read_text())
    p, c = loading.load(parent), loading.load(child)
    changes = weights.compare(p, c)
    assert len(document["rows"]) == len(changes)
    for row, change in zip(document["rows"], changes, strict=True):
        assert (row["component"], row["resolution"]) == (change.component, change.resolution)
        assert row["norm_change"] == pytest.approx(float(change.norm_change))
        relative = float(change.relative)
        assert row["relative"] == (pytest.approx(relative) if np.isfinite(relative) else None)
    noise = next(row for row in document["rows"] if row["component"] == "noise")
    assert noise["trainable"] and noise["norm_change"] > 0
    assert document["meta"]["arguments"]["psi"] == 0.5
    assert document["meta"]["parents"]["parent"]["network"] == str(parent)


def test_the_change_of_images_is_measured(report, parent, child, images):
    measured = json.loads((report / "change.json").read_text())["image_change"]
    sampling = ("--seeds", "0-2", "--psi", 0.5)
    old, new = images(parent, *sampling), images(child, *sampling)
    assert measured["parent_to_child"] == pytest.approx(float(np.abs(old - new).mean()), rel=1e-4)
    assert set(measured["resets"]) == set(weights.COMPONENTS)
    z = images.last["z"]
    reset = weights.reset(loading.load(parent), loading.load(child), "torgb")(z, psi=0.5)
    expected = float(np.abs(np.asarray(reset) - new).mean())
    assert measured["resets"]["torgb"] == pytest.approx(expected, rel=1e-4)


def test_the_page_is_self_contained(report):
    page = (report / "index.html").read_text()
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    for name in weights.COMPONENTS:
        assert f"<td>{name}</td>" in page
    assert "<pre>aligned compare" in page.partition("<img")[0]
    for fact in ("mean of w", "noise maps", "data:image/png;base64", "<svg", "--psi 0.5"):
        assert fact in page


def test_the_picture_has_a_column_for_each_component(report):
    with Image.open(report / "resets.png") as picture:
        width, height = picture.size
        assert picture.text["Comment"].startswith("aligned compare")
    pitch = 112 + 4
    assert 0 <= width - (2 + len(weights.COMPONENTS)) * pitch < pitch
    assert 0 <= height - 3 * pitch < pitch


def test_equal_networks_have_no_change(parent, ok, tmp_path):
    ok("compare", parent, parent, "--seeds", "0-2", "--out", tmp_path / "report")
    document = json.loads((tmp_path / "report" / "change.json").read_text())
    assert {row["relative"] for row in document["rows"]} == {0.0}
    assert set(document["image_change"]["resets"].values()) == {0.0}


def test_a_report_replaces_only_its_own_files(report, parent, child, refused, ok, contents):
    (report / "notes.txt").write_text("mine")
    options = ("compare", parent, child, "--seeds", "0-2", "--out", report)
    assert "is not empty" in refused(*options)
    before = (report / "resets.png").read_bytes()
    ok(*options, "--overwrite")
    assert contents(report) == sorted([*PIECES, "notes.txt"])
    assert (report / "resets.png").read_bytes() != before
