"""What an import decides, and says that it did: labels, files passed over, fits, opacity."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import DataOptions, images, labelling, open_dataset, targets
from aligned_jax.data.folder import ImageFolder
from aligned_jax.data.image_files import ImageFiles
from aligned_jax.data.writer import write_dataset
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs import inspect_data


def picture(seed=0, height=8, width=8, channels=3):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(values)


def encoded(image, kind="PNG"):
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


PNG = encoded(picture())


def folder_of(tmp_path, files):
    """A folder with these files; text is written as JSON."""
    for name, content in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return tmp_path / "folder"


def zip_of(tmp_path, files, top=""):
    path = tmp_path / f"zipped{len(list(tmp_path.iterdir()))}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            archive.writestr(top + name, data)
    return path


def labels_of(path, **options):
    """Label by name without folders, classes, and the first line that is said."""
    source = images.scan(path, 8, **options)
    items = source.items["train"]
    return {i.file.split("/")[-1]: i.label for i in items}, source.classes, source.told[0]


# ---- folders and zips


CLASSES = {"a cat/0.png": PNG, "a cat/1.png": PNG, "dog/2.png": PNG, "dog/3.png": PNG}


def test_a_zip_has_the_labels_of_its_folder(tmp_path):
    names = {"0.png": 0, "1.png": 0, "2.png": 1, "3.png": 1}
    expected = names, ("a cat", "dog"), "2 classes: a cat, dog (from the names of folders)"
    assert labels_of(folder_of(tmp_path, CLASSES)) == expected
    assert labels_of(zip_of(tmp_path, CLASSES)) == expected
    litter = {"__MACOSX/pets/._0.png": b"x", "pets/.DS_Store": b"x", "pets/Thumbs.db": b"x"}
    deep = {f"pets/{name}": content for name, content in CLASSES.items()} | litter
    assert labels_of(zip_of(tmp_path, deep)) == expected
    windows = {name.replace("/", "\\"): content for name, content in CLASSES.items()}
    assert labels_of(zip_of(tmp_path, windows)) == expected
    assert labels_of(zip_of(tmp_path, CLASSES, top="./")) == expected
    none = labels_of(zip_of(tmp_path, CLASSES), labelled=False)
    assert none == (dict.fromkeys(names), (), "no labels (as was asked for)")


def test_class_names_that_a_list_with_a_line_for_each_cannot_hold(tmp_path):
    names = (" ", " cat", "a\nb", "c\rd", "cat", "cat ")
    source = images.scan(folder_of(tmp_path, {f"{name}/0.png": PNG for name in names}), 8)
    assert source.classes == ("_", "cat", "a b", "c d", "cat_", "cat__")
    write_dataset(source, tmp_path / "d", workers=1)
    data = open_dataset(DataOptions(str(tmp_path / "d"), labels="label"))
    assert data.label_names == source.classes


def test_splits_of_a_zip_with_its_top_folder_are_those_of_the_folder(tmp_path):
    files = {f"{k}.png": PNG for k in range(12)}
    chosen = []
    for path in (folder_of(tmp_path, files), zip_of(tmp_path, files, top="top/inner/")):
        items = images.scan(path, 8, test=0.25).items["test"]
        chosen.append([item.file.split("/")[-1] for item in items])
    assert chosen[0] == chosen[1] and len(chosen[0]) == 3


# ---- dataset.json


TWO = {"faces/0.png": PNG, "faces/1.PNG": PNG}


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("dataset.json", ("faces/0.png", "faces/1.PNG")),
        ("dataset.json", ("faces\\0.png", "faces\\1.PNG")),
        ("dataset.json", ("0.png", ".\\1.PNG")),
        ("dataset.json", ("./faces/0.png", ".\\faces\\1.PNG")),
        ("dataset.json", ("Faces/0.PNG", "faces/1.png")),
        ("faces/dataset.json", ("0.png", "1.PNG")),
        ("faces/dataset.json", ("faces/0.png", "faces\\1.png")),
        ("faces/Dataset.JSON", ("./0.png", "1.PNG")),
    ],
)
@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_a_list_of_labels_wherever_it_lies_and_however_it_is_written(tmp_path, place, names, make):
    listing = {"labels": [[names[0], 1], [names[1], 0]]}
    found, classes, told = labels_of(make(tmp_path, TWO | {place: listing}))
    assert (found, classes) == ({"0.png": 1, "1.PNG": 0}, ("0", "1"))
    assert told == f"2 classes: 0, 1 (from {place})"


def test_names_in_a_list_are_all_relative_to_one_folder(tmp_path):
    files = {"f/0.png": PNG, "f/f/0.png": PNG}
    for names in (("0.png", "f/0.png"), ("f/0.png", "f/f/0.png")):
        listing = {"labels": [[names[0], 1], [names[1], 0]]}
        source = images.scan(zip_of(tmp_path, files | {"f/dataset.json": listing}), 8)
        assert [(item.file, item.label) for item in source.items["train"]] == [
            ("f/0.png", 1),
            ("f/f/0.png", 0),
        ]
    alone = files | {"f/dataset.json": {"labels": [["f/0.png", 1]]}}
    with pytest.raises(UserError, match="has no label for f/"):
        images.scan(zip_of(tmp_path, alone), 8)


def test_lists_that_lie_deeper_than_pictures_are_named(tmp_path):
    listing = {"labels": [["0.png", 1]]}
    files = {"a/0.png": PNG, "b/1.png": PNG, "a/dataset.json": listing}
    told = images.scan(folder_of(tmp_path, files), 8).told
    assert told == (
        "2 classes: a, b (from the names of folders)",
        "not used: a/dataset.json, which lies deeper than some pictures or aside",
    )
    both = images.scan(zip_of(tmp_path, files | {"b/dataset.json": listing}), 8).told
    assert both[1].startswith("not used: a/dataset.json, b/dataset.json, which lie deeper")
    above = files | {"dataset.json": {"labels": [["a/0.png", [1, 2]], ["b/1.png", [3, 4]]]}}
    assert labels_of(zip_of(tmp_path, above))[2] == "labels of 2 numbers (from dataset.json)"


def test_a_byte_order_mark_and_other_names_of_pictures(tmp_path):
    text = b"\xef\xbb\xbf" + json.dumps({"labels": [["0.jfif", 0], ["1", 1]]}).encode()
    files = {"0.jfif": encoded(picture(), "JPEG"), "1": PNG, "dataset.json": text}
    assert labels_of(zip_of(tmp_path, files))[0] == {"0.jfif": 0, "1": 1}


def test_names_that_differ_in_capitals_alone(tmp_path):
    files = {"a.png": PNG, "A.png": PNG}
    exact = {"labels": [["a.png", 0], ["A.png", 1]]}
    found = labels_of(zip_of(tmp_path, files | {"dataset.json": exact}))[0]
    assert found == {"a.png": 0, "A.png": 1}
    with pytest.raises(UserError, match=r"no label for A\.png"):
        images.scan(zip_of(tmp_path, files | {"dataset.json": {"labels": [["a.png", 0]]}}), 8)
    with pytest.raises(UserError, match=r"'\./a\.png' two labels"):
        twice = {"labels": [["a.png", 0], ["./a.png", 1], ["A.png", 1]]}
        images.scan(zip_of(tmp_path, files | {"dataset.json": twice}), 8)


def damaged(tmp_path, change):
    """A zip with a picture and a list, of which `change` has changed bytes."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", PNG)
        archive.writestr("dataset.json", json.dumps({"labels": [["a.png", 3]] * 60}))
    data = bytearray(path.read_bytes())
    change(data, data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x03\x04"))
    path.write_bytes(data)
    return path


def encrypt(data, central, local):
    data[central + 8] |= 1
    data[local + 6] |= 1


def unknown_method(data, central, local):
    data[central + 10 : central + 12] = data[local + 8 : local + 10] = b"\x62\x00"


def broken_stream(data, central, local):
    data[local + 45 : local + 60] = b"\xff" * 15


def wrong_sum(data, central, local):
    data[central + 16] ^= 1
    data[local + 14] ^= 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (encrypt, "dataset.json cannot be read: it is encrypted"),
        (unknown_method, "packs it in a way that is not known"),
        (broken_stream, "it is damaged in the zip"),
        (wrong_sum, "it is damaged in the zip: Bad CRC-32"),
        (lambda data, central, local: data.__setitem__(central + 6, 255), "no readable zip"),
        (lambda data, central, local: data.__delitem__(slice(-10, None)), "no readable zip"),
    ],
)
def test_zips_that_do_not_give_their_list_away(tmp_path, change, said):
    path = damaged(tmp_path, change)
    with pytest.raises(FormatError, match=said):
        images.scan(path, 8)


def test_pictures_that_a_zip_does_not_give_away_are_named(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.png", "b.png"):
            archive.writestr(name, PNG)
    data = bytearray(path.read_bytes())
    encrypt(data, data.index(b"PK\x01\x02"), data.index(b"PK\x03\x04"))
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"1 file cannot be used.*\n  a\.png: it is encrypted"):
        write_dataset(images.scan(path, 8), tmp_path / "d", workers=1)
    read = targets.read([str(path)], 8, 3)
    assert [target.name for target in read.targets] == ["b"]
    assert read.skipped[f"{path}/a.png"].startswith("it is encrypted")


def test_entries_without_names_and_folders_are_no_files(tmp_path):
    path = zip_of(tmp_path, {"x": b"\0", "a.png": PNG, "dir\\": b"", "dir/": b""})
    data = bytearray(path.read_bytes())
    for place in (data.index(b"PK\x03\x04") + 26, data.index(b"PK\x01\x02") + 28):
        data[place : place + 4] = b"\0\0\1\0"  # what was the name belongs to other facts now
    path.write_bytes(data)
    assert images.scan(path, 8).told == ("no labels (no dataset.json, and no folders of classes)",)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_lists_of_too_many_bytes_are_not_unpacked(tmp_path, monkeypatch, method):
    monkeypatch.setattr(labelling, "LARGEST_LISTING", 10_000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.png", PNG)
        archive.writestr("dataset.json", b" " * 10_000 + b'{"labels": null}')
    with pytest.raises(FormatError, match=r"dataset\.json cannot be read: .* is too large"):
        images.scan(path, 8)
    # A size that is declared too small ends where it says, and its sum is wrong.
    data = path.read_bytes()
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.rindex(mark) + place
        data = data[:at] + (100).to_bytes(4, "little") + data[at + 4 :]
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"dataset\.json"):
        images.scan(path, 8)


# ---- what was read, and what was not


def test_files_are_read_by_content_or_counted(tmp_path):
    files = {f"{k}.png": PNG for k in range(2)}
    files |= {"a.jfif": encoded(picture(), "JPEG"), "b": PNG, "c.ppm": encoded(picture(), "PPM")}
    files |= {"d.heic": b"x", "e.HEIC": b"x", "f.svg": b"<svg/>", "g": b"\0\1", "h.photo": PNG}
    files |= {"readme.txt": b"x", "LICENSE": b"text", ".hidden": b"\0", "e.json": b"{}"}
    told = (
        "read by their content: 1 .jfif, 1 .photo, 1 .ppm, 1 without suffix",
        "passed over, as no pictures that can be read: 2 .heic, 1 .svg, 1 without suffix",
    )
    for path in (folder_of(tmp_path, files), zip_of(tmp_path, files)):
        source = images.scan(path, 8)
        assert source.splits() == {"train": 6} and source.told[1:] == told
        assert ImageFolder(path).passed == told[1]
        assert not ImageFiles(str(path)).found().images[0].file.startswith(".")
    with pytest.raises(UserError, match=r"holds no images .*; passed over, .*1 \.heic"):
        images.scan(zip_of(tmp_path, {"d.heic": b"x"}), 8)


# ---- what is not square


def gradient(width, height):
    shades = np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))
    return Image.fromarray(np.stack([shades, shades, shades], axis=2))


def imported(tmp_path, files, **options):
    source = images.scan(folder_of(tmp_path, files), 8, **options)
    out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
    written = write_dataset(source, out, workers=1)
    data = open_dataset(DataOptions(str(out)))
    metadata = json.loads((out / "metadata.json").read_text())
    return np.stack([data[k][0] for k in range(len(data))]), written.told, metadata["source"]


def test_every_fit_makes_another_square(tmp_path):
    files = {"0.png": encoded(gradient(16, 8)), "1.png": encoded(gradient(4, 8)), "2.png": PNG}
    crop, told, facts = imported(tmp_path, files)
    assert told[-1] == "2 of 3 pictures were cropped, by 50 % at most" and facts["fit"] == "crop"
    assert (crop[0] == np.asarray(gradient(16, 8))[:, 4:12]).all()
    stretch, told, facts = imported(tmp_path, files, fit="stretch")
    assert told[-1] == "2 of 3 pictures were stretched, by a factor of 2 at most"
    assert facts["fit"] == "stretch" and stretch[0, 0, 0, 0] < 30 and stretch[0, 0, -1, 0] > 225
    pad, told, facts = imported(tmp_path, files, fit="pad")
    assert told[-1] == "2 of 3 pictures were given margins, which take 50 % at most"
    assert (facts["fit"], facts["pad_colour"]) == ("pad", "#ffffff")
    assert (pad[0][[0, 1, 6, 7]] == 255).all() and pad[0][2:6].min() < 30
    assert (pad[1][:, [0, 1, 6, 7]] == 255).all()
    assert (pad[1][:, 2:6] == np.asarray(gradient(4, 8))).all()
    red, _, facts = imported(tmp_path, files, fit="pad", pad_colour="#f00")
    assert facts["pad_colour"] == "#ff0000" and (red[0][0] == (255, 0, 0)).all()
    assert (red[0][2:6] == pad[0][2:6]).all()
    for squares in (crop, stretch, pad, red):
        assert (squares[2] == np.asarray(picture())).all()
    grey, *_ = imported(tmp_path, files, fit="pad", pad_colour="#ff0000", gray=True)
    assert grey[0][0, 0, 0] == 76


def test_opacity_is_kept_on_demand(tmp_path):
    clear = picture(3, 8, 8, 4)
    files = {"0.png": encoded(clear), "1.png": PNG, "2.png": encoded(picture(4, 4, 8, 4))}
    kept, told, facts = imported(tmp_path, files, alpha=True, fit="pad")
    assert kept.shape == (3, 8, 8, 4) and facts["channels"] == 4
    assert (kept[0] == np.asarray(clear)).all() and (kept[1][..., 3] == 255).all()
    assert (kept[2][0] == (255, 255, 255, 0)).all() and facts["pad_colour"] == "#ffffff00"
    half, _, facts = imported(tmp_path, files, alpha=True, fit="pad", pad_colour="#00ff0080")
    assert (half[2][0] == (0, 255, 0, 128)).all() and facts["pad_colour"] == "#00ff0080"
    lost, told, _ = imported(tmp_path, files)
    assert lost.shape == (3, 8, 8, 3)
    assert told[-1] == "transparent parts of 2 of 3 pictures became white; `alpha=True` keeps them"
    _, told, _ = imported(tmp_path / "o", {"0.png": PNG}, alpha=True)
    assert told[-1] == "no picture is transparent anywhere; alpha is 255 in all"
    report = inspect_data(next(tmp_path.glob("out*")))
    assert "3 train images of 8 px, 4 channels (RGB and opacity)" in report.text()
    assert report.sheet(4).shape == (8, 24, 4)
    assert (report.sheet(4)[:, :8] == np.asarray(clear)).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fit": "squeeze"}, "'squeeze'; it can be crop, pad, stretch"),
        ({"pad_colour": "#ffffff"}, "`pad_colour` is for `fit='pad'`"),
        ({"fit": "pad", "pad_colour": "blue"}, "'blue' is no colour; write it as #rrggbb$"),
        ({"fit": "pad", "pad_colour": "ffffff"}, "'ffffff' is no colour"),
        ({"fit": "pad", "pad_colour": "#ffffff80"}, "is no colour; write it as #rrggbb$"),
        ({"fit": "pad", "pad_colour": "x", "alpha": True}, "or, with alpha, #rrggbbaa"),
        ({"gray": True, "alpha": True, "test": 2}, "2 for tests.*`gray=True` has one channel"),
    ],
)
def test_options_that_cannot_be(tmp_path, options, said):
    with pytest.raises(UserError, match=said):
        images.scan(folder_of(tmp_path, {"0.png": PNG}), 8, **options)
