"""`aligned reset|interpolate|swap|arithmetic|resize`: the library's results, and where from."""

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import loading, viz, weights


def same(a, b) -> bool:
    """Whether two networks agree bit for bit."""
    ours, theirs = (
        [np.asarray(leaf).view(np.int32) for leaf in jax.tree.leaves(network.variables)]
        for network in (a, b)
    )
    return len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))


def reset(p, c):
    return weights.reset(p, c, "conv")


def reset_resolution(p, c):
    return weights.reset(p, c, "conv", "8")


def blend(p, c):
    return weights.interpolate(p, c, 0.25)


def blend_part(p, c):
    return weights.interpolate(p, c, 0.25, "torgb,conv", "4")


def blend_components(p, c):
    return weights.interpolate(p, c, {"conv": 0.5, "torgb": 1.5})


def blend_resolutions(p, c):
    return weights.interpolate(p, c, {4: 0, 8: -1})


def swap(p, c):
    return weights.swap(p, c, 4)


def swap_smooth(p, c):
    return weights.swap(p, c, 4, 0.7, "high")


CASES = {
    "reset PARENT CHILD --components conv": reset,
    "reset PARENT CHILD --components conv --resolutions 8": reset_resolution,
    "interpolate PARENT CHILD --weight 0.25": blend,
    "interpolate PARENT CHILD --weight 0.25 --components torgb,conv --resolutions 4": blend_part,
    "interpolate PARENT CHILD --weights conv=0.5,torgb=1.5": blend_components,
    "interpolate PARENT CHILD --weights 4=0,8=-1": blend_resolutions,
    "swap PARENT CHILD --resolution 4": swap,
    "swap PARENT CHILD --resolution 4 --smooth 0.7 --mapping high": swap_smooth,
}


@pytest.mark.parametrize("line", CASES)
def test_a_verb_writes_what_the_library_makes(line, parent, child, ok, tmp_path):
    words = [{"PARENT": parent, "CHILD": child}.get(word, word) for word in line.split()]
    said = ok(*words, "--out", tmp_path / "made")
    assert said == f"wrote {tmp_path}/made: 8 px RGB generator, 723 parameters\n"
    made, networks = loading.load(tmp_path / "made"), (loading.load(parent), loading.load(child))
    assert same(made, CASES[line](*networks))
    assert not any(same(made, network) for network in networks)


def test_the_raw_generators_can_be_used(parent, child, ok, tmp_path):
    options = ("--weight", 1, "--network-key", "G", "--out", tmp_path / "made")
    ok("interpolate", parent, child, *options)
    made = loading.load(tmp_path / "made")
    assert same(made, loading.load(child, "G"))
    assert not same(made, loading.load(child))


def test_a_result_knows_where_it_comes_from(parent, child, ok, tmp_path):
    out = tmp_path / "made"
    ok("reset", parent, child, "--components", "mapping", "--out", out)
    manifest = loading.describe(out)
    assert list(manifest.configs) == ["G_ema"]
    origin = manifest.provenance
    assert origin["kind"] == "made" and origin["verb"] == "reset"
    command = f"aligned reset {parent} {child} --components mapping --out {out}"
    assert origin["command"] == command
    assert origin["arguments"] == {"components": "mapping", "network_key": "G_ema"}
    assert origin["parents"]["parent"]["network"] == str(parent)
    sha256 = loading.describe(parent).provenance["sha256"]
    assert origin["parents"]["parent"]["sha256"] == sha256
    assert origin["parents"]["child"]["kind"] == "made for a test"
    assert origin["versions"]["jax"] == jax.__version__
    ok("interpolate", parent, out, "--weight", 0.5, "--out", tmp_path / "next")
    grandparents = loading.describe(tmp_path / "next").provenance["parents"]
    assert grandparents["b"]["command"] == command


def test_arithmetic(parent, child, ok, aligned, tmp_path):
    networks = (f"p={parent}", f"c={child}")
    ok("arithmetic", "p + 0.7*(c - p)", *networks, "--out", tmp_path / "made")
    p, c = loading.load(parent), loading.load(child)
    expected = weights.arithmetic("p + 0.7*(c - p)", {"p": p, "c": c})
    assert same(loading.load(tmp_path / "made"), expected)
    parents = loading.describe(tmp_path / "made").provenance["parents"]
    assert parents["c"]["network"] == str(child)
    odd = aligned("arithmetic", "p + c", *networks, "--out", tmp_path / "odd")
    assert odd.code == 0
    assert odd.err.startswith("warning: the coefficients sum to 2, not 1")


def test_an_expression_may_start_with_zero(parent, child, ok, tmp_path):
    networks = (f"p={parent}", f"c={child}")
    ok("arithmetic", "0 - p + 2*c", *networks, "--out", tmp_path / "made")
    expected = weights.arithmetic("2*c - p", {"p": loading.load(parent), "c": loading.load(child)})
    assert same(loading.load(tmp_path / "made"), expected)


@pytest.mark.slow
def test_resize(parent, child, ok, tmp_path):
    said = ok("resize", parent, "--resolution", 16, "--out", tmp_path / "made")
    assert "16 px RGB generator" in said and "G_ema, G, D" in said
    made, old = loading.load_all(tmp_path / "made"), loading.load_all(parent)
    assert {key: network.config.img_resolution for key, network in made.items()} == {
        "G_ema": 16,
        "G": 16,
        "D": 16,
    }
    assert same(made["G"], made["G_ema"])
    for path, value in jax.tree_util.tree_leaves_with_path(old["G_ema"].variables["params"]):
        new = made["G_ema"].variables["params"]
        for key in path:
            new = new[key.key]
        assert (new == value).all()
    ok("resize", child, "--resolution", 16, "--seed", 1, "--out", tmp_path / "other")
    other = loading.load_all(tmp_path / "other")
    assert list(other) == ["G_ema", "G"]
    fresh = [n.variables["params"]["synthesis"]["b16"] for n in (made["G"], other["G"])]
    assert (fresh[0]["conv1"]["weight"] != fresh[1]["conv1"]["weight"]).any()


def column(path, index, images):
    """Rows of a strip's column, in the size of the images."""
    count, size = images.shape[0], images.shape[1]
    factor = -(-112 // size)
    pitch = size * factor + 4
    with Image.open(path) as picture:
        pixels, comment = np.asarray(picture), picture.text["Comment"]
    columns = (pixels.shape[1] - 16) // pitch
    left = pixels.shape[1] - 8 - (columns - index) * pitch + 4
    top = pixels.shape[0] - 8 - count * pitch + 4
    assert comment.startswith("aligned ")
    return np.stack(
        [
            pixels[y : y + size * factor : factor, left : left + size * factor : factor]
            for y in range(top, top + count * pitch, pitch)
        ]
    )


def test_a_strip_of_blends(parent, child, ok, images, tmp_path):
    out = tmp_path / "strip.png"
    sampling = ("--seeds", "1-3", "--psi", 0.5)
    line = ok("interpolate", parent, child, "--strip", "0,0.5,1", *sampling, "--out", out)
    assert line == f"wrote {out}: 3 rows, 3 columns\n"
    ok("interpolate", parent, child, "--weight", 0.5, "--out", tmp_path / "half")
    for index, network in enumerate((parent, tmp_path / "half", child)):
        expected = viz.to_uint8(images(network, *sampling))
        assert (column(out, index, expected) == expected).all()
    ok("interpolate", parent, child, "--strip", "0,0.5,1", *sampling, "--components", "torgb",
       "--resolutions", 4, "--out", tmp_path / "part.png")  # fmt: skip
    assert (column(tmp_path / "part.png", 2, expected) != expected).any()


def test_a_strip_of_swaps_has_both_networks_at_its_ends(parent, child, ok, images, tmp_path):
    out = tmp_path / "strip.png"
    sampling = ("--seeds", "1-3", "--psi", 0.5)
    ok("swap", parent, child, "--strip", "4,8", *sampling, "--out", out)
    ok("swap", parent, child, "--resolution", 4, "--out", tmp_path / "four")
    for index, network in enumerate((child, tmp_path / "four", parent, parent)):
        expected = viz.to_uint8(images(network, *sampling))
        assert (column(out, index, expected) == expected).all()
    with Image.open(out) as picture:
        before = np.asarray(picture)
    ok("swap", parent, child, "--strip", "4,8", "--smooth", 2, "--out", out, "--overwrite")
    with Image.open(out) as picture:  # four seeds and psi 0.7 by default
        assert np.asarray(picture).shape[0] == before.shape[0] + 112 + 4
