"""Charts and pages as text."""

import base64
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
from PIL import Image

from aligned_jax.viz import curves, heatmap, report, spark

VALUES = np.array([[0.0, 0.25, np.nan], [1.0, np.inf, 0.01]])


def colours(svg):
    """Brightness of each filled cell."""
    found = re.findall(r'fill="rgb\((\d+),(\d+),(\d+)\)"', svg)
    return [sum(map(int, triple)) for triple in found]


def test_a_heat_map_shows_every_number_darker_the_larger():
    svg = heatmap(("conv", "<torgb>"), ("4", "8", "16"), VALUES, "change & more")
    texts = [node.text for node in ElementTree.fromstring(svg).iter() if node.text]
    for label in ("change & more", "conv", "<torgb>", "0.0%", "25.0%", "100.0%", "1.0%", "∞"):
        assert label in texts
    zero, quarter, one, infinite, hundredth = colours(svg)
    assert zero > hundredth > quarter > one == infinite
    assert svg.count('class="empty"') == 1


def test_a_heat_map_of_nothing_and_of_zeros():
    assert colours(heatmap(("a",), ("b",), np.array([[np.nan]]), "t")) == []
    assert len(colours(heatmap(("a",), ("b",), np.array([[0.0]]), "t"))) == 1


def test_numbers_can_be_shown_differently():
    assert "0.25 units" in heatmap(("a",), ("b",), np.array([[0.25]]), "t", "{} units".format)


def test_a_page_is_self_contained_and_escaped():
    body = [
        report.section("A & B", report.paragraph("<script>"), report.command("a < b")),
        report.table(("name", "count"), [("x", 1234), ("<y>", 5)]),
        report.picture(b"\x89PNG", "a 'picture'"),
        report.picture(b"RIFF", "a film"),
        report.drawing("<svg></svg>", "drawn"),
    ]
    page = report.page("Title <1>", body, footer="made & done")
    assert "<script" not in page
    assert "&lt;script&gt;" in page and "A &amp; B" in page and "Title &lt;1&gt;" in page
    assert "made &amp; done" in page and "1,234" in page
    assert 'src="data:image/png;base64,iVBORw=="' in page
    assert 'src="data:image/webp;base64,UklGRg=="' in page
    assert not re.search(r"https?://", page)
    assert "prefers-color-scheme: dark" in page


def test_thumbnails_are_embedded_once_and_enlarged_without_scripts():
    images = np.arange(2 * 2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 2, 4, 4, 3)
    hostile = "<script>alert(1)</script>"
    settings = {"steps": 10, hostile: f"'{hostile}'"}
    made = report.origin(f"aligned invert {hostile}", settings)
    shown = report.pictures(("a", hostile), (hostile, '" onload="x'), images)
    page = report.page(hostile, [made, shown])
    assert "<script" not in page and 'onload="' not in page
    found = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)">', page)
    assert len(found) == len({data for _, data in found}) == page.count("<img") == 4
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert [alt for alt, _ in found][:2] == [f"{escaped}, a", f"{escaped}, {escaped}"]
    for (_, data), expected in zip(found, images.reshape(4, 4, 4, 3), strict=True):
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert (np.asarray(image) == expected).all()
    # The command and its settings stand above the pictures.
    top = page.partition("<img")[0]
    assert f"<pre>aligned invert {escaped}</pre>" in top and "<td>steps</td><td>10</td>" in top
    # Everything that opens can be reached by keyboard.
    assert page.count("<details") == page.count("<summary") == 5
    assert page.count('scope="col"') == page.count('scope="row"') == 2


def test_galleries_and_large_pictures():
    large = np.zeros((1030, 1030, 3), np.uint8)
    large[:, 515:] = 200
    shown = report.gallery([("small", large[:8, :8]), ("<large>", large), ("grey", large[..., :1])])
    found = re.findall(r'class="enlarge ([^"]+)".*?base64,([^"]+)"', shown)
    sizes = []
    for _, data in found:
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            sizes.append((*image.size, image.mode, *image.getextrema()[:1]))
    assert [style for style, _ in found] == ["small pixels", "small", "small"]
    assert [size[:3] for size in sizes] == [(8, 8, "RGB"), (344, 344, "RGB"), (344, 344, "L")]
    assert sizes[1][3] == (0, 200)
    assert "<figcaption>&lt;large&gt;</figcaption>" in shown


def test_a_small_line_falls_where_the_numbers_do():
    svg = spark(np.r_[10.0, np.linspace(5, 0, 500), np.nan], "loss & steps")
    node = ElementTree.fromstring(svg)
    assert node[0].text == "loss & steps"
    points = [tuple(map(float, pair.split(","))) for pair in node[1].get("points").split()]
    x, y = np.array(points).T
    assert 70 <= len(points) <= 80 and (np.diff(x) > 0).all() and (np.diff(y) >= 0).all()
    assert "nan" not in svg and "nan" not in spark([], "nothing") + spark([1.0], "one")


def test_only_columns_of_numbers_are_set_right():
    page = report.table(("a", "b", "c"), [("x", 1, "12%"), ("3", 2.5, "n")])
    assert re.findall(r"<td( class='number')?>", page) == ["", " class='number'", ""] * 2


def test_curves_rise_where_the_numbers_do():
    svg = curves({"up & away": ([0, 1, 2], [0, 5, 10]), "flat": ([0, 2], [0, 0])}, "t", "kimg")
    lines = [
        [tuple(map(float, point.split(","))) for point in text.split()]
        for text in re.findall(r'polyline points="([^"]+)"', svg)
    ]
    (x0, y0), (x1, y1), (x2, y2) = lines[0]
    assert x0 < x1 < x2 and y0 > y1 > y2  # SVG counts downwards
    assert lines[1][0] == (x0, y0) and lines[1][1][1] == y0
    texts = [node.text for node in ElementTree.fromstring(svg).iter() if node.text]
    assert {"up & away", "flat", "t", "kimg", "10", "2"} <= set(texts)


def test_names_of_curves_that_end_together_do_not_cover_each_other():
    svg = curves({name: ([0, 1], [0, 1]) for name in "abc"}, "t", "x")
    heights = [float(y) for y in re.findall(r'y="([\d.]+)" dy=".35em" style', svg)]
    assert min(np.diff(sorted(heights))) >= 15


def test_curves_leave_out_what_is_not_finite():
    svg = curves({"a": ([0, 1, 2], [1, np.nan, 3]), "b": ([0], [np.inf])}, "t", "x")
    assert svg.count("<polyline") == 1 and "nan" not in svg
    assert "<polyline" not in curves({}, "t", "x")
