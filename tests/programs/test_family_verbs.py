"""`aligned family` and `aligned edit`: rows of networks."""

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, latents, loading, semantics
from aligned_jax.viz import figure, to_uint8
from tests.helpers import DATA


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image), image.text


@pytest.fixture
def draw(ok, tmp_path):
    """draw("family", ...) -> pixels, and what the command said."""

    def run(*argv):
        out = tmp_path / "x.png"
        said = ok(*argv, "--out", out, "--overwrite")
        pixels, text = picture(out)
        assert text["Comment"].startswith(f"aligned {argv[0]} ")
        return pixels, said

    return run


def test_a_row_for_each_network(draw, images, parent, child):
    pixels, said = draw("family", parent, child, parent.with_name(parent.name), "--seeds", "3,5",
                        "--names", "one,two,three")  # fmt: skip
    assert "3 rows, 2 columns" in said
    rows = [to_uint8(images(n, "--seeds", "3,5", "--psi", 0.7)) for n in (parent, child, parent)]
    expected = figure(np.stack(rows), ["seed 3", "seed 5"], ["one", "two", "three"])
    np.testing.assert_array_equal(pixels, expected)


def test_names_come_from_the_networks(draw, parent, child):
    pixels, _ = draw("family", parent, child, "--seeds", "0")
    named, _ = draw("family", parent, child, "--seeds", "0", "--names", f"{parent.stem},child")
    np.testing.assert_array_equal(pixels, named)


@pytest.mark.parametrize("option", [("--psi", 0.5), ("--seeds", "8-9"), ("--names", "a,b"),
                                    ("--network-key", "G")])  # fmt: skip
def test_every_option_changes_the_family(draw, parent, child, option):
    arguments = ("family", parent, child, "--seeds", "0-1")
    before, _ = draw(*arguments)
    after, _ = draw(*arguments, *option)
    assert before.shape != after.shape or (before != after).any()


@pytest.mark.parametrize("space", ["z", "ws"])
def test_latents_of_files_are_drawn_by_all(draw, refused, parent, child, ok, tmp_path, space):
    both = tmp_path / "both.npz"
    network = loading.load(parent)
    z = latents.z_from_seeds(network.config, [4, 5])
    arrays = {"z": z} if space == "z" else {"ws": np.asarray(network.mapping(z, psi=0.3))}
    np.savez(both, **arrays)
    usual, _ = draw("family", parent, child, "--latents", both)
    kept = tmp_path / "x.npz"
    again, _ = draw("family", parent, child, "--latents", kept)  # it is not replaced by itself
    np.testing.assert_array_equal(again[24:], usual[24:])
    if space == "z":
        half, _ = draw("family", parent, child, "--latents", both, "--psi", 0.1)
        assert (half != usual).any()
    of_files = jobs.family([parent, child], latents=both)
    of_seeds = jobs.family([parent, child], seeds=[4, 5], psi=0.7 if space == "z" else 0.3)
    alike = slice(None if space == "z" else 1)  # the child maps z to other w
    expected = of_seeds.images[alike].astype(float)
    np.testing.assert_allclose(of_files.images[alike], expected, atol=1)
    np.testing.assert_array_equal(of_files.picture(), usual)
    one, said = draw("family", parent, child, "--latents", f"{both}@1", both)
    assert "2 rows, 3 columns" in said and one.shape[1] > usual.shape[1]
    words = ("--latents", both, "--out", tmp_path / "y.png")
    assert "one of --seeds and --latents" in refused("family", parent, "--seeds", "1", *words)
    (tmp_path / "y.npz").write_bytes(b"mine")
    assert "y.npz already exists" in refused("family", parent, *words)


def test_psi_that_changes_nothing_is_said(parent, child, tmp_path, aligned, ok):
    network = loading.load(parent)
    ws = np.asarray(network.mapping(latents.z_from_seeds(network.config, [4])))
    np.savez(tmp_path / "w.npz", ws=ws)
    words = ("family", parent, child, "--latents", tmp_path / "w.npz", "--out")
    said = aligned(*words, tmp_path / "x.png", "--psi", 0.5)
    assert said.code == 0
    assert said.err == "warning: --psi changes nothing: these latents are not in z\n"
    ok(*words, tmp_path / "y.png")
    np.testing.assert_array_equal(picture(tmp_path / "x.png")[0], picture(tmp_path / "y.png")[0])


def test_unlike_networks_are_refused(refused, parent, child, tmp_path):
    out = ("--out", tmp_path / "x.png")
    other = DATA / "avatars_parent.pkl"
    said = refused("family", parent, other, *out)
    assert "avatars_parent has z_dim 64, hostile_baseline_ok 5" in said or "z_dim" in said
    assert "img_resolution 32" in said
    assert "1 names for 2 networks" in refused("family", parent, child, "--names", "a", *out)
    assert "names come twice: a" in refused("family", parent, child, "--names", "a,a", *out)
    assert "NAME.png" in refused("family", parent, "--out", tmp_path / "x.npz")
    assert not (tmp_path / "x.png").exists()


@pytest.fixture(scope="module")
def edited(parent, child):
    """What `aligned edit --channel b8.conv0_2 --strength 4 --seeds 0-1` should show."""
    networks = [loading.load(parent), loading.load(child)]
    amount = 4 * float(jobs.known_statistics(networks[0]).std["b8.conv0"][2])
    rows = []
    for network in networks:
        z = latents.z_from_seeds(network.config, [0, 1])
        styles = network.styles(network.mapping(z, psi=0.7))
        sides = [
            network.render(semantics.shifted(styles, "b8.conv0", 2, shift))
            for shift in (-amount, 0.0, amount)
        ]
        # [sides, seeds, H, W, C] -> [seeds * sides, H, W, C]
        rows.append(to_uint8(np.stack(sides, axis=1).reshape(6, 8, 8, 3)))
    columns = ["-4", "seed 0", "+4", "-4", "seed 1", "+4"]
    title = "Edited by 2_2 +4"
    return figure(np.stack(rows), columns, ["a", "b"], group=3, title=title)


EDIT = ("--strength", 4, "--seeds", "0-1", "--names", "a,b")


def test_less_as_it_is_and_more(draw, parent, child, edited):
    pixels, said = draw("edit", parent, child, "--channel", "b8.conv0_2", *EDIT)
    assert pixels.shape == edited.shape
    # Batches of another size round differently.
    assert np.abs(pixels.astype(int) - edited).max() <= 1
    assert "2_2 +4; change of a pixel: a 0." in said
    by_number, _ = draw("edit", parent, child, "--channel", "2_2", *EDIT)
    np.testing.assert_array_equal(by_number, pixels)


@pytest.mark.parametrize(
    "option",
    [("--channel", "2_1"), ("--strength", 8), ("--psi", 0.5), ("--seeds", "1-2"),
     ("--names", "a,c"), ("--network-key", "G")],
)  # fmt: skip
def test_every_option_changes_the_edit(draw, parent, child, edited, option):
    pixels, _ = draw("edit", parent, child, "--channel", "2_2", *EDIT, *option)
    assert pixels.shape != edited.shape or np.abs(pixels.astype(int) - edited).max() > 1


def test_a_random_channel_is_chosen_by_the_parent(draw, parent, child):
    def channel(*argv):
        return draw("edit", *argv, *EDIT[:4])[1].partition(";")[0]

    first = channel(parent, child, "--random", 0)
    assert channel(parent, "--random", 0) == first
    assert channel(child, parent, "--random", 0) != first


def test_edits_that_cannot_be(refused, parent, child, tmp_path):
    out = ("--out", tmp_path / "x.png")
    assert "no channel 99" in refused("edit", parent, "--channel", "2_99", *out)
    assert "nothing to edit: give edits, a channel, a random" in refused("edit", parent, *out)
    assert "not allowed with" in refused("edit", parent, "--channel", "2_2", "--random", 0, *out)
