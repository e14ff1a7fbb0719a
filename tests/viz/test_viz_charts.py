"""Charts and pages as text."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from aligned_jax.viz import heatmap, report

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
        report.drawing("<svg></svg>", "drawn"),
    ]
    page = report.page("Title <1>", body, footer="made & done")
    assert "<script" not in page
    assert "&lt;script&gt;" in page and "A &amp; B" in page and "Title &lt;1&gt;" in page
    assert "made &amp; done" in page and "1,234" in page
    assert 'src="data:image/png;base64,iVBORw=="' in page
    assert not re.search(r"https?://", page)
    assert "prefers-color-scheme: dark" in page


def test_only_columns_of_numbers_are_set_right():
    page = report.table(("a", "b", "c"), [("x", 1, "12%"), ("3", 2.5, "n")])
    assert re.findall(r"<td( class='number')?>", page) == ["", " class='number'", ""] * 2
