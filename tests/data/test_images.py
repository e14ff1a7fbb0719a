import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import DataOptions, images, open_dataset, opening, pictures
from aligned_jax.data.writer import write_dataset
from aligned_jax.errors import FormatError, UserError


def noise(seed, height=20, width=20, channels=3):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def square(image, resolution=8, channels=3, kind="PNG", **options):
    png = pictures.squared(io.BytesIO(encoded(image, kind, **options)), resolution, channels).png()
    return np.asarray(Image.open(io.BytesIO(png)))


def imported(tmp_path, source, **options):
    skip_bad = options.pop("skip_bad", False)
    out = tmp_path / "out"
    written = write_dataset(images.scan(source, 8, **options), out, workers=1, skip_bad=skip_bad)
    return out, written


# ---- one picture


def test_the_middle_square_is_taken():
    image = Image.new("RGB", (30, 10), "red")
    image.paste((0, 0, 255), (10, 0, 20, 10))
    assert (square(image) == (0, 0, 255)).all()
    assert (square(image.transpose(Image.Transpose.ROTATE_90)) == (0, 0, 255)).all()


def test_the_same_size_stays_to_the_bit():
    image = noise(0, 8, 8)
    np.testing.assert_array_equal(square(image), np.asarray(image))


def test_resizing_averages():
    """Without antialiasing, every pixel would be black or white."""
    board = np.indices((64, 64)).sum(0) % 2 * 255
    assert np.abs(square(Image.fromarray(board.astype(np.uint8)), 8).astype(int) - 127).max() < 5


def test_gray_and_colour():
    assert square(noise(0), channels=1).shape == (8, 8)
    assert square(noise(0, channels=1)).shape == (8, 8, 3)
    assert square(Image.new("1", (9, 9), 1)).min() == 255


def test_transparent_parts_are_white():
    assert square(Image.new("RGBA", (9, 9), (255, 0, 0, 0))).min() == 255
    assert square(Image.new("RGBA", (9, 9), (255, 0, 0, 255)))[0, 0].tolist() == [255, 0, 0]
    assert square(Image.new("LA", (9, 9), (0, 0)), channels=1).min() == 255
    palette = Image.new("P", (9, 9), 0)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    assert square(palette)[0, 0].tolist() == [10, 20, 30]
    assert square(palette, transparency=0).min() == 255


def test_sixteen_bits_become_eight():
    values = np.array([[0, 257 * 5, 257 * 200, 65535]] * 4, np.uint16)
    pixels = square(Image.fromarray(values), 4, channels=1)
    assert pixels[0].tolist() == [0, 5, 200, 255]


def test_cmyk():
    pixels = square(Image.new("CMYK", (9, 9), (0, 255, 255, 0)), kind="JPEG")
    assert pixels[0, 0, 0] > 200 and pixels[0, 0, 1] < 60


def test_cameras_orientation_is_followed():
    image = Image.new("RGB", (8, 8), "black")
    image.paste("white", (0, 0, 8, 4))  # White above.
    exif = Image.Exif()
    exif[0x0112] = 3  # Held upside down.
    pixels = square(image, exif=exif)
    assert pixels[:4].max() == 0 and pixels[4:].min() == 255


@pytest.mark.slow
def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="floating-point"):
        square(Image.fromarray(np.zeros((9, 9), np.float32)), kind="TIFF")
    with pytest.raises(OSError):
        pictures.squared(io.BytesIO(encoded(noise(0, 90, 90))[:-200]), 8, 3)
    huge = encoded(Image.new("1", (30_000, 30_000)))
    assert len(huge) < 2**20
    with pytest.raises((Image.DecompressionBombError, Image.DecompressionBombWarning)):
        pictures.squared(io.BytesIO(huge), 8, 3)


# ---- folders


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "photos"
    for k in range(12):
        file = source / ("dogs" if k % 3 else "cats") / "deep" / f"{k:02d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(noise(k, 8, 8)))
    (source / ".hidden.png").write_bytes(b"")
    (source / "notes.txt").write_text("x")
    return source


def test_sub_folders_are_classes(tmp_path, folder):
    out, written = imported(tmp_path, folder)
    assert written.counts == {"train": 12}
    data = open_dataset(DataOptions(str(out), labels="label"))
    assert data.label_names == ("cats", "dogs")
    for k in range(12):
        row = data.attributes(k)
        number = int(row["file"][-6:-4])
        assert row["label"] == ("dogs" if number % 3 else "cats")
        np.testing.assert_array_equal(data[k][0], np.asarray(noise(number, 8, 8)))
    assert "originals" in (out / "LICENSE").read_text()


def test_labels_may_be_left_out(tmp_path, folder):
    out, _ = imported(tmp_path, folder, labelled=False)
    with pytest.raises(UserError, match="the dataset has none"):
        open_dataset(DataOptions(str(out), labels="label"))


def test_gray_datasets(tmp_path, folder):
    out, _ = imported(tmp_path, folder, gray=True)
    data = open_dataset(DataOptions(str(out)))
    assert data.channels == 1 and data[0][0].shape == (8, 8, 1)


def test_a_fraction_for_tests_is_disjoint_and_depends_on_names_alone(tmp_path, folder):
    splits = images.scan(folder, 8, test=0.25).items
    train, test = ({item.file for item in splits[name]} for name in ("train", "test"))
    assert len(test) == 3 and not train & test and len(train) == 9
    assert images.scan(folder, 8, test=0.25).items == splits
    assert images.scan(folder, 8, test=0.5).splits() == {"train": 6, "test": 6}
    out, _ = imported(tmp_path, folder, test=0.25)
    assert len(open_dataset(DataOptions(str(out), "test"))) == 3


def test_damaged_files_are_all_named_and_left_out_on_demand(tmp_path, folder):
    (folder / "cats" / "broken.png").write_bytes(encoded(noise(0, 90, 90))[:-300])
    (folder / "dogs" / "text.jpg").write_text("this is no picture")
    (folder / "dogs" / "empty.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"3 files cannot be used.*`skip_bad=True`") as caught:
        imported(tmp_path, folder)
    assert not (tmp_path / "out").exists()
    for name in ("cats/broken.png", "dogs/text.jpg", "dogs/empty.jpg"):
        assert name in str(caught.value)
    out, written = imported(tmp_path, folder, skip_bad=True)
    assert len(written.bad) == 3 and len(open_dataset(DataOptions(str(out)))) == 12


def test_mended_files_are_read_again(tmp_path, folder):
    good = encoded(noise(50, 8, 8))
    bad = folder / "cats" / "broken.png"
    bad.write_bytes(bytes(len(good)))  # The same size, so that the list of files is the same.
    with pytest.raises(UserError, match="1 file cannot be used"):
        imported(tmp_path, folder)
    bad.write_bytes(good)
    assert imported(tmp_path, folder)[1].counts == {"train": 13}


def test_nothing_left_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="holds no images"):
        imported(tmp_path, tmp_path / "photos")
    (tmp_path / "photos" / "a.png").write_bytes(b"x")
    with pytest.raises(UserError, match="nothing would be left"):
        imported(tmp_path, tmp_path / "photos", skip_bad=True)


def test_images_beside_classes_are_refused(tmp_path, folder):
    (folder / "loose.png").write_bytes(encoded(noise(0)))
    with pytest.raises(UserError, match=r"loose\.png.*`labels=False`"):
        imported(tmp_path, folder)
    assert imported(tmp_path, folder, labelled=False)[1].counts == {"train": 13}


# ---- official zips


def archive(tmp_path, labels, names=("00000/a.png", "00000/b.png", "00001/c.png")):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as file:
        for k, name in enumerate(names):
            file.writestr(name, encoded(noise(k, 8, 8)))
        file.writestr("__MACOSX/00000/a.png", b"x")
        if labels is not ...:
            text = labels if isinstance(labels, str) else json.dumps({"labels": labels})
            file.writestr("dataset.json", text)
    return path


def test_class_numbers(tmp_path):
    labels = [["00000/a.png", 2], ["00001/c.png", 0], ["00000/b.png", 2]]
    out, _ = imported(tmp_path, archive(tmp_path, labels))
    data = open_dataset(DataOptions(str(out), labels="label"))
    assert data.label_names == ("0", "1", "2")
    examples = {data.attributes(k)["file"]: data[k] for k in range(3)}
    assert examples["00000/a.png"][1].tolist() == [0, 0, 1]
    assert examples["00001/c.png"][1].tolist() == [1, 0, 0]
    np.testing.assert_array_equal(examples["00001/c.png"][0], np.asarray(noise(2, 8, 8)))


def test_vectors(tmp_path):
    labels = [["00000/a.png", [0.5, -1]], ["00001/c.png", [1, 2]], ["00000/b.png", [0, 0]]]
    out, _ = imported(tmp_path, archive(tmp_path, labels))
    data = open_dataset(DataOptions(str(out), labels="label"))
    assert data.label_names == ("label[0]", "label[1]")
    vectors = {data.attributes(k)["file"]: data[k][1].tolist() for k in range(3)}
    assert vectors == {"00000/a.png": [0.5, -1], "00001/c.png": [1, 2], "00000/b.png": [0, 0]}


@pytest.mark.parametrize("labels", [None, []])
def test_zips_without_labels(tmp_path, labels):
    """Their sub-folders are no classes, for dataset.json says so."""
    source = images.scan(archive(tmp_path, labels), 8)
    assert source.classes == () and set(source.features()) == {"image", "file"}
    assert source.told == ("no labels (dataset.json has none)",)


def test_zips_without_a_list_have_the_labels_of_their_folders(tmp_path):
    source = images.scan(archive(tmp_path, ...), 8)
    assert source.classes == ("00000", "00001")
    assert [item.label for item in source.items["train"]] == [0, 0, 1]


A, B, C = "00000/a.png", "00000/b.png", "00001/c.png"


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([[A, 1], [B, 1]], UserError, r"no label for 00001/c\.png"),
        ([[A, 1], [B, 1], [C, 1], ["d.png", 1]], UserError, r"lacks d\.png"),
        ([[A, 1], [B, -1], [C, 1]], UserError, "class numbers"),
        ([[A, 1], [B, [1]], [C, 1]], UserError, "class numbers"),
        ([[A, [1, 2]], [B, [1]], [C, [1, 2]]], UserError, r"see 00000/b\.png"),
        ([[A, ["x"]], [B, ["x"]], [C, ["x"]]], UserError, "class numbers"),
        ([[A, []], [B, []], [C, []]], UserError, "class numbers"),
        ([[A, True], [B, True], [C, True]], UserError, "class numbers"),
        ([[A]], FormatError, "dataset.json is damaged"),
        (5, FormatError, "dataset.json is damaged"),
        ("{", FormatError, "dataset.json is damaged"),
        ("[1]", FormatError, "dataset.json is damaged"),
        ("[" * 100_000, FormatError, "dataset.json is damaged"),
    ],
)
def test_bad_listings_are_refused(tmp_path, labels, error, message):
    with pytest.raises(error, match=message):
        images.scan(archive(tmp_path, labels), 8)


def test_what_is_no_source_is_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        images.scan(tmp_path / "nothing", 8)
    (tmp_path / "text.zip").write_text("x")
    with pytest.raises(FormatError, match="no readable zip"):
        images.scan(tmp_path / "text.zip", 8)
    with pytest.raises(UserError, match="fraction"):
        images.scan(tmp_path, 8, test=1.0)


def test_oversized_entries_are_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "LARGEST_FILE", 1000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.png", bytes(10**7))
        file.writestr("good.png", encoded(noise(0, 8, 8)))
    _, written = imported(tmp_path, path, skip_bad=True)
    assert written.bad == ["bomb.png: a file of 10,000,000 bytes is too large"]
