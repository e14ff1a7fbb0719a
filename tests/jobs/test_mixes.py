"""`jobs.mix`, called from a script."""

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.latents import z_from_seeds
from aligned_jax.viz import to_uint8
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT


@pytest.fixture(scope="module")
def sheet(network):
    return jobs.mix(network, "3,5", "4,7,1", "0-1", psi=0.7)


def test_sources_are_at_the_edges_and_mixtures_between(network, sheet):
    assert sheet.images.shape == (3, 4, 8, 8, 3) and sheet.images.dtype == np.uint8
    assert sheet.rows == ("", "seed 3", "seed 5")
    assert sheet.columns == ("", "seed 4", "seed 7", "seed 1")
    assert (sheet.images[0, 0] == 255).all()
    drawn = to_uint8(jobs.generate(network, [3, 5, 4, 7, 1], psi=0.7).images()).astype(int)
    assert np.abs(sheet.images[1:, 0] - drawn[:2]).max() <= 1
    assert np.abs(sheet.images[0, 1:] - drawn[2:]).max() <= 1
    ws = np.array(network.mapping(z_from_seeds(network.config, [3, 5, 4, 7, 1]), psi=0.7))
    for row, column in np.ndindex(2, 3):
        w = ws[row].copy()
        w[[0, 1]] = ws[2 + column][[0, 1]]
        expected = to_uint8(network.synthesis(w[None]))[0].astype(int)
        assert np.abs(sheet.images[1 + row, 1 + column] - expected).max() <= 1


def test_cells_are_the_networks_own_drawings_to_the_bit(network):
    found = jobs.mix(network, [3], [4], [2, 0], batch=1).images
    ws = [network.mapping(z_from_seeds(network.config, [seed])) for seed in (3, 4)]
    w = np.array(ws[0])
    w[:, [0, 2]] = np.asarray(ws[1])[:, [0, 2]]
    np.testing.assert_array_equal(found[1, 1], to_uint8(network.synthesis(w))[0])
    np.testing.assert_array_equal(found[1, 0], to_uint8(network.synthesis(ws[0]))[0])
    np.testing.assert_array_equal(found[0, 1], to_uint8(network.synthesis(ws[1]))[0])


def test_no_layer_gives_the_row_and_all_layers_the_column(network):
    nothing, everything = (jobs.mix(network, "3", "4,7", rows).images for rows in ([], "0-3"))
    np.testing.assert_allclose(nothing[1, 1:], nothing[1, [0, 0]], atol=1)
    np.testing.assert_allclose(everything[1, 1:], everything[0, 1:], atol=1)


@pytest.mark.parametrize(
    "option",
    [{"layers": "2-3"}, {"psi": 1.0}, {"noise": "none"}, {"noise": "random"},
     {"noise": "random", "noise_seed": 1}, {"rows": "3,6"}, {"columns": "4,7,2"}],
)  # fmt: skip
def test_every_option_changes_the_sheet(network, sheet, option):
    given = {"rows": "3,5", "columns": "4,7,1", "layers": "0-1", "psi": 0.7}
    before = sheet
    if "noise_seed" in option:
        before = jobs.mix(network, **given, noise="random")
    after = jobs.mix(network, **given | option)
    assert np.abs(before.images[1:, 1:].astype(int) - after.images[1:, 1:]).max() > 1


@pytest.mark.parametrize(
    ("source", "rows"), [(PARENT, "0-1"), (DATA / "generator_skip64_fp16.pkl", "0-6")]
)
def test_the_coarse_rows_are_mixed_by_default(source, rows):
    asked, by_default = (jobs.mix(source, "3", "4", layers).images for layers in (rows, None))
    np.testing.assert_array_equal(by_default, asked)


def test_rows_share_their_random_noise(network):
    found = jobs.mix(network, "3", "4,7", [], noise="random").images
    np.testing.assert_allclose(found[1, 1:], found[1, [0, 0]], atol=1)


def test_classes():
    path = DATA / "generator_cond16.pkl"
    first, second = (jobs.mix(path, "3", "5", "0-1", label=k).images for k in (0, 1))
    assert np.abs(first.astype(int) - second).max() > 1


def test_what_cannot_be_mixed(network, tmp_path):
    def refused(words, rows="0", columns="1", layers="0-1", source="nothing", **options):
        with pytest.raises(UserError, match=words):
            jobs.mix(source, rows, columns, layers, **options)

    refused("NAME.png or NAME.html", out=tmp_path / "x.webp")
    refused("not a list of seeds: 'x'", "x")
    refused("not a list of layers: 'b4'", layers="b4")
    refused("no seeds were given", [], source=network)
    refused(r"no such row of W\+: \[4, 6\]; this network has rows 0 to 3", layers="4,6,2",
            source=network)  # fmt: skip
    refused("noise is 'loud'", noise="loud")
    refused("10000 rows and 1 column of seeds are too many", "0-9999")
