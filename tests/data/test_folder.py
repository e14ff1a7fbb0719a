"""Folders and zips of finished images, read as they are."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data.folder import ImageFolder
from aligned_jax.errors import FormatError, UserError


@pytest.fixture
def folder(tmp_path):
    """Three RGB images of 6x4 pixels, one in a folder inside."""
    pixels = np.random.RandomState(0).randint(0, 256, (3, 4, 6, 3)).astype(np.uint8)
    path = tmp_path / "images"
    (path / "sub").mkdir(parents=True)
    for name, image in zip(("a.png", "b.png", "sub/c.png"), pixels, strict=True):
        Image.fromarray(image).save(path / name)
    (path / "notes.txt").write_text("no image")
    return path, pixels


def test_images_are_those_of_the_files(folder, tmp_path):
    path, pixels = folder
    opened = ImageFolder(path)
    assert (len(opened), opened.channels, opened.names) == (3, 3, ["a.png", "b.png", "sub/c.png"])
    np.testing.assert_array_equal([opened[i][0] for i in range(3)], pixels)
    assert opened[0][1].shape == (0,)
    both = ImageFolder(path, mirror=True)
    assert len(both) == 6
    np.testing.assert_array_equal(both[4][0], pixels[1][:, ::-1])
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for name in opened.names:
            archive.write(path / name, name)
    zipped = ImageFolder(tmp_path / "images.zip")
    np.testing.assert_array_equal(zipped[2][0], pixels[2])
    assert zipped.fingerprint == opened.fingerprint != both.fingerprint
    with pytest.raises(IndexError, match="3 is not one of 3"):
        opened[3]


def test_the_fingerprint_is_of_names_and_contents(folder):
    path, pixels = folder
    before = ImageFolder(path).fingerprint
    (path / "a.png").rename(path / "d.png")
    renamed = ImageFolder(path).fingerprint
    Image.fromarray(pixels[1]).save(path / "d.png")
    assert len({before, renamed, ImageFolder(path).fingerprint}) == 3


def test_kinds_of_pictures(folder):
    path, _ = folder
    for name in ("a.png", "b.png", "sub/c.png"):
        Image.open(path / name).convert("L").save(path / name)
    grey = ImageFolder(path)
    assert grey.channels == 1 and grey[0][0].shape == (4, 6, 1)
    Image.fromarray(np.zeros((4, 6, 4), np.uint8)).save(path / "d.png")
    mixed = ImageFolder(path)
    assert mixed.channels == 3 and mixed[0][0].shape == (4, 6, 3)
    # What is transparent is white.
    assert (mixed[2][0] == 255).all()


def test_what_cannot_be_read_is_named(folder, tmp_path):
    path, _ = folder
    whole = (path / "b.png").read_bytes()
    (path / "b.png").write_bytes(whole[:60])
    with pytest.raises(FormatError, match=r"b\.png is damaged"):
        ImageFolder(path)[1]
    (path / "b.png").write_bytes(b"GIF?")
    with pytest.raises(FormatError, match=r"damaged ones: b\.png"):
        ImageFolder(path)
    Image.new("RGB", (5, 4)).save(path / "b.png")
    with pytest.raises(UserError, match=r"2 sizes: 6x4 \(2, such as a\.png\), 5x4 \(1"):
        ImageFolder(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no images"):
        ImageFolder(tmp_path / "empty")
    with pytest.raises(UserError, match="does not exist"):
        ImageFolder(tmp_path / "nothing")
