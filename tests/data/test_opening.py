"""Pictures are opened in one place, by known formats, within bounds, from regular files."""

import ast
import io
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

import aligned_jax
from aligned_jax.data import images, opening, pictures, sources, targets
from aligned_jax.data.folder import ImageFolder
from aligned_jax.data.writer import write_dataset
from aligned_jax.errors import FormatError, UserError

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n%%EOF\n"
PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8))


def encoded(kind="PNG", image=PHOTO):
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def test_no_other_place_opens_pictures():
    """`Image.open` and its like stand in one function of the whole package."""
    top = Path(aligned_jax.__file__).parent
    found = []
    for path in [*top.rglob("*.py"), *(top.parent / "tools").rglob("*.py")]:
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if "Image" in text else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Image.open"):
                found.append((path.name, [keyword.arg for keyword in node.keywords]))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PIL.Image"):
                assert "open" not in [name.name for name in node.names], path
    assert found == [("opening.py", ["formats"])]


def test_formats_that_start_programs_or_ask_plug_ins_are_not_opened(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    folder = tmp_path / "photos"
    folder.mkdir()
    stubs = {"a.png": EPS, "b.jpg": b"GRIB\0\0\0\1", "c.tif": b"BUFR" + bytes(20), "d.gif": EPS}
    for name, content in stubs.items():
        (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=r"(?s)4 files cannot be used.*a\.png: this is no picture"):
        write_dataset(images.scan(folder, 8), tmp_path / "d", workers=1)
    with pytest.raises(FormatError, match="damaged ones"):
        ImageFolder(folder)
    with pytest.raises(UserError, match="no picture can be used"):
        targets.read([str(folder)], 8, 3)
    with pytest.raises(FormatError, match="is no picture"):
        sources.open_pairs(str(folder / "a.png"), str(folder / "d.gif"))
    assert not (tmp_path / "started").exists()
    assert not {"EPS", "WMF", "GRIB", "BUFR", "HDF5", "FITS", "MPEG", "PSD"} & {*opening.FORMATS}


@pytest.mark.parametrize("kind", opening.FORMATS)
def test_every_format_that_is_named_is_read(kind):
    if (kind, False) in (
        ("AVIF", features.check("avif")),
        ("JPEG2000", features.check("jpg_2000")),
    ):
        pytest.skip("this Pillow lacks it")
    with opening.opened(io.BytesIO(encoded(kind))) as image:
        assert image.size == PHOTO.size
        difference = np.abs(np.asarray(image.convert("RGB"), int) - np.asarray(PHOTO))
    exact = kind not in ("JPEG", "WEBP", "AVIF", "GIF")
    assert difference.max() == 0 if exact else difference.mean() < 60


def test_content_counts_and_not_the_name(tmp_path):
    for name in ("a", "b.photo", "c.txt"):
        (tmp_path / name).write_bytes(encoded("JPEG"))
        assert opening.is_picture_file(str(tmp_path / name))
    others = {"d": b"\x89PNG\r\n\x1a\nno", "e": b"P2 is a word", "f.dng": encoded("TIFF"), "g": b""}
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
        assert not opening.is_picture_file(str(tmp_path / name))
    read = targets.read([str(tmp_path / "a")], 8, 3)
    assert [target.name for target in read.targets] == ["a"]


def test_pillow_says_nothing_of_its_own(caplog):
    """A TIFF of 140 samples a pixel, of which Pillow's plug-in writes to its log."""
    data = bytearray(encoded("TIFF"))
    entry = data.index((277).to_bytes(2, "little"), 8)
    data[entry + 8 : entry + 10] = (140).to_bytes(2, "little")
    with pytest.raises(Image.UnidentifiedImageError), opening.opened(io.BytesIO(data)):
        pass
    assert not caplog.records


def test_pictures_of_too_many_pixels_or_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "LARGEST_PICTURE", 80)
    with pytest.raises(Image.DecompressionBombError, match="9x9 pixels"):
        pictures.squared(io.BytesIO(encoded()), 8, 3)
    monkeypatch.setattr(opening, "LARGEST_FILE", 100)
    (tmp_path / "a.png").write_bytes(encoded())
    with pytest.raises(ValueError, match="bytes is too large"):
        opening.read_file(tmp_path / "a.png")
    read = images.ImageFiles(str(tmp_path)).read
    with pytest.raises(ValueError, match="bytes is too large"):
        read(images.Item("a.png", 0))


@pytest.fixture
def strange(tmp_path):
    """A folder with a picture, and with pipes, devices and links to them in others' places."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "good.png").write_bytes(encoded())
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    (folder / "link.gif").symlink_to("pipe.png")
    (folder / "nowhere.webp").symlink_to("nothing")
    return folder


def test_what_is_no_regular_file_neither_hangs_nor_is_read(strange, tmp_path):
    source = images.scan(strange, 8)
    assert source.splits() == {"train": 5}
    with pytest.raises(UserError, match="4 files cannot be used") as caught:
        write_dataset(source, tmp_path / "d", workers=1)
    assert str(caught.value).count("is not a regular file") == 3
    assert write_dataset(source, tmp_path / "d", workers=1, skip_bad=True).counts == {"train": 1}
    found = targets.read([str(strange)], 8, 3)
    assert [target.name for target in found.targets] == ["good"] and len(found.skipped) == 4
    with pytest.raises(FormatError, match=r"link\.gif, nowhere\.webp, pipe\.png, zero\.jpg"):
        ImageFolder(strange)
    for name in ("pipe.png", "zero.jpg"):
        with pytest.raises(UserError, match=r"give two pictures|is no picture"):
            sources.open_pairs(str(strange / name), str(strange / "good.png"))
        with pytest.raises(UserError, match="neither a file nor a folder"):
            targets.read([str(strange / name)], 8, 3)
        with pytest.raises(UserError, match="neither a folder nor a zip"):
            images.scan(strange / name, 8)
