"""Pictures, sheets and networks as notebooks show them."""

import io
import re

import numpy as np
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax.errors import UserError
from aligned_jax.viz import Sheet, to_uint8

FLOATS = np.linspace(-1, 1, 3 * 8 * 8 * 3, dtype=np.float32).reshape(3, 8, 8, 3)


def parsed(html):
    """Pictures of a piece of HTML, and its text; it must be well formed and ask for nothing."""
    import base64
    from xml.etree import ElementTree

    root = ElementTree.fromstring(re.sub(r"(<img[^>]*)>", r"\1/>", html))
    assert "http" not in html and "class=" not in html
    sources = [node.attrib["src"] for node in root.iter("img")]
    data = [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in sources]
    pictures = [np.asarray(Image.open(io.BytesIO(one))) for one in data]
    return pictures, " ".join(root.itertext())


def test_pictures_are_shown_as_they_are():
    shown = aj.show(FLOATS, titles=[1, "b & c", "d"])
    pictures, text = parsed(shown._repr_html_())
    np.testing.assert_array_equal(pictures, to_uint8(FLOATS))
    assert text.split() == ["1", "b", "&", "c", "d"]
    assert repr(shown) == "<3 pictures of 8x8 pixels, 3 channels>"
    np.testing.assert_array_equal(aj.show(list(FLOATS)).images, shown.images)
    np.testing.assert_array_equal(aj.show(FLOATS[1]).images, shown.images[1:2])
    np.testing.assert_array_equal(aj.show(to_uint8(FLOATS)).images, shown.images)


def test_columns_and_titles_change_the_picture(tmp_path):
    plain, titled = aj.show(FLOATS), aj.show(FLOATS, titles="abc")
    narrow = aj.show(FLOATS, columns=2)
    height, width, _ = plain.picture().shape
    assert titled.picture().shape[0] > height and titled.picture().shape[1] == width
    assert narrow.picture().shape[0] == 2 * height and narrow.picture().shape[1] < width
    assert "repeat(2," in narrow._repr_html_() and "repeat(3," in plain._repr_html_()
    narrow.write(tmp_path / "narrow.png")
    written = np.asarray(Image.open(tmp_path / "narrow.png"))
    drawn = np.asarray(Image.open(io.BytesIO(narrow._repr_png_())))
    np.testing.assert_array_equal(written, drawn)
    with pytest.raises(UserError, match="already exists"):
        narrow.write(tmp_path / "narrow.png")
    narrow.write(tmp_path / "narrow.png", overwrite=True)


@pytest.mark.parametrize("channels", [1, 4])
def test_pictures_of_other_channels(channels):
    images = np.zeros((2, 4, 4, channels), np.float32)
    shown = aj.show(images)
    assert len(parsed(shown._repr_html_())[0]) == 2
    assert Image.open(io.BytesIO(shown._repr_png_())).width > 200


def test_labels_of_rows_need_rows():
    with pytest.raises(UserError, match="1 labels of rows for pictures without rows"):
        aj.show(FLOATS, rows=["a"])
    with pytest.raises(UserError, match="3 labels of rows for 1 rows"):
        aj.show(FLOATS[None], rows="abc")


@pytest.mark.parametrize(
    ("images", "titles", "columns", "message"),
    [
        (FLOATS, ["a"], None, "1 titles for 3 pictures"),
        (FLOATS, (), 0, "columns is 0"),
        (FLOATS[None], (), 2, "columns is 2; it must be left out"),
        (FLOATS[None], "ab", None, "2 titles for 3 columns"),
        (FLOATS[0, 0], (), None, r"shape \[8, 3\]"),
        (FLOATS[:0], (), None, r"shape \[0, 8, 8, 3\]"),
        (FLOATS.astype(np.int32), (), None, "int32"),
        (FLOATS * np.nan, (), None, "not finite"),
        ([FLOATS[0], FLOATS[0, :4]], (), None, "one size"),
        ([], (), None, "one size"),
        (np.zeros((1, 4, 4, 2), np.uint8), (), None, "2 channels"),
    ],
)
def test_what_cannot_be_shown_is_refused(images, titles, columns, message):
    with pytest.raises(UserError, match=message):
        aj.show(images, titles, columns)


def test_sheets_are_shown_with_their_labels():
    images = to_uint8(np.stack([FLOATS, -FLOATS]))
    sheet = Sheet(images, ("parent", "child"), ("seed 1", "2 < 3", "4"))
    pictures, text = parsed(sheet._repr_html_())
    np.testing.assert_array_equal(pictures, images.reshape(6, 8, 8, 3))
    assert text.split() == ["seed", "1", "2", "<", "3", "4", "parent", "child"]
    drawn = np.asarray(Image.open(io.BytesIO(sheet._repr_png_())))
    np.testing.assert_array_equal(drawn, sheet.picture())
    assert "parent" not in parsed(Sheet(images, (), ("a", "b", "c"))._repr_html_())[1]


def test_rows_make_a_sheet():
    rows = [FLOATS, -FLOATS]
    shown = aj.show(rows, titles=range(3), rows=["parent", "child"])
    assert isinstance(shown, Sheet) and shown.rows == ("parent", "child")
    np.testing.assert_array_equal(shown.images, to_uint8(np.stack(rows)))
    assert parsed(shown._repr_html_())[1].split() == ["0", "1", "2", "parent", "child"]
    plain = aj.show(np.stack(rows))
    assert plain.picture().shape[1] < shown.picture().shape[1]


def test_large_pictures_are_made_small_for_the_page():
    images = np.zeros((1, 1200, 1200, 3), np.float32)
    html = aj.show(images)._repr_html_()
    assert parsed(html)[0][0].shape == (400, 400, 3)
    assert "pixelated" not in html and "pixelated" in aj.show(FLOATS)._repr_html_()


def test_networks_are_shown_as_tables():
    text = parsed(aj.load("zoo:personas64")._repr_html_())[1]
    for fact in ("Network", "64 px, 3 channels", "10 rows", "704 channels", "zoo:personas64"):
        assert fact in text
    text = parsed(aj.load("zoo:personas64", "D")._repr_html_())[1]
    assert "DiscriminatorNetwork" in text and "resnet" in text
    network = aj.load("zoo:personas64")
    made = aj.Network(network.config, network.variables, {"verb": "swap", "command": "aligned <x>"})
    assert "made by" in made._repr_html_() and "aligned &lt;x&gt;" in made._repr_html_()
