"""`jobs.family`, `transition` and `compare`, and strips, called from a script."""

import numpy as np
import pytest
from PIL import Image

from aligned_jax import checkpoint, jobs, loading, weights
from aligned_jax.errors import UserError
from aligned_jax.jobs import strip
from aligned_jax.provenance import Command
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.viz import figure, to_uint8
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT, aligned, moved


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run with snapshots at 0, 1 and 4 kimg."""
    run, network = tmp_path_factory.mktemp("runs") / "run", loading.load(PARENT)
    for kimg in (0, 1, 4):
        changed = moved(network, 0.02 * kimg)
        loading.save(checkpoint.run_checkpoint(run, kimg), {"G_ema": changed})
    return run


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_family_is_that_of_the_verb(child, tmp_path):
    out, words = tmp_path / "verb.png", ("--seeds", "3,5", "--psi", 0.5)
    said = aligned("family", PARENT, child, *words, "--out", out)
    assert said == f"wrote {out}: 2 rows, 2 columns\n"
    for networks in ([PARENT, child], [loading.load(PARENT), loading.load(child)]):
        sheet = jobs.family(networks, names=("hostile_baseline_ok", "child"), seeds=[3, 5], psi=0.5)
        np.testing.assert_array_equal(sheet.picture(), pixels(out))
    sheet.write(tmp_path / "job.png", Command(f"aligned family {PARENT}"))
    with Image.open(tmp_path / "job.png") as image:
        assert image.text["Comment"] == f"aligned family {PARENT}"
    assert sheet.rows == ("hostile_baseline_ok", "child")
    assert sheet.columns == ("seed 3", "seed 5")
    assert sheet.images.shape == (2, 2, 8, 8, 3)
    with pytest.raises(UserError, match="already exists"):
        sheet.write(out)


def test_a_transition_is_that_of_the_verb(run_folder, tmp_path):
    for options, words, marks in (
        ({"columns": 2}, ("--columns", 2), ("0 kimg", "4 kimg")),
        ({"kimg": [1, 0]}, ("--kimg", "1,0"), ("1 kimg", "0 kimg")),
        ({}, (), ("0 kimg", "1 kimg", "4 kimg")),
    ):
        out = tmp_path / f"{len(words)}{marks[0][0]}.png"
        aligned("transition", run_folder, *words, "--seeds", "0-1", "--out", out)
        sheet = jobs.transition(run_folder, **options, seeds="0-1")
        np.testing.assert_array_equal(sheet.picture(), pixels(out))
        assert (sheet.columns, sheet.rows) == (marks, ("seed 0", "seed 1"))
    with pytest.raises(UserError, match="no snapshot at 2, 3 kimg; it has 0, 1, 4"):
        jobs.transition(run_folder, kimg=[1, 2, 3])
    with pytest.raises(UserError, match="is not a run folder with checkpoints"):
        jobs.transition(tmp_path)


def test_a_strip_has_latents_in_rows():
    network = loading.load(PARENT)
    other, made = moved(network, 0.1), []

    def make(one):
        made.append(one)
        return one

    columns = [("one", lambda: make(network)), ("other", lambda: make(other))]
    latents, options = latents_of_seeds(network.config, [0, 1, 2], psi=0.7), RenderOptions(batch=3)
    sheet = strip.strip_sheet(columns, latents, options, "Two networks")
    picture = sheet.picture()
    assert sheet.title == "Two networks"
    images = [to_uint8(render(one, latents, options)) for one in (network, other)]
    names = ["seed 0", "seed 1", "seed 2"]
    expected = figure(np.stack(images, axis=1), ["one", "other"], names)
    np.testing.assert_array_equal(picture, expected)
    assert len(made) == 2


def test_a_comparison_is_that_of_the_verb(child, tmp_path):
    out, again = tmp_path / "verb", tmp_path / "job"
    aligned("compare", PARENT, child, "--seeds", "0-2", "--psi", 0.5, "--out", out)
    comparison = jobs.compare(PARENT, child, seeds="0-2", psi=0.5)
    assert set(comparison.shifts) == set(weights.components_of(loading.load(child)))
    assert comparison.distance == pytest.approx(
        float(np.abs(comparison.images["parent"] - comparison.images["child"]).mean()), rel=1e-5
    )
    assert comparison.latents.psi == 0.5
    comparison.write(again)
    names = sorted(path.name for path in out.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    np.testing.assert_array_equal(pixels(out / "resets.png"), pixels(again / "resets.png"))
    assert (out / "change.svg").read_bytes() == (again / "change.svg").read_bytes()
    page = (again / "index.html").read_text()
    assert f"<td>{PARENT}</td>" in page and f"<td>{child}</td>" in page and "psi 0.5" in page
    with pytest.raises(UserError, match="is not empty"):
        comparison.write(again)
    comparison.write(again, overwrite=True)


def test_what_does_not_fit_together(child, tmp_path):
    other = DATA / "avatars_parent.pkl"
    with pytest.raises(UserError, match="cannot be drawn together: avatars_parent has z_dim"):
        jobs.family([PARENT, other])
    with pytest.raises(UserError, match="`names` has 1 names for 2 networks"):
        jobs.edit([PARENT, child], jobs.EditRequest(channel="2_2"), names=["a"])
    with pytest.raises(UserError, match="not a list of seeds: 'x'"):
        jobs.compare(PARENT, child, seeds="x")
    with pytest.raises(UserError, match="has no network 'G'"):
        jobs.family([child], network_key="G")
