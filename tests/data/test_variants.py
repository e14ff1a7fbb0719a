import json
import subprocess
import sys

import numpy as np
import pytest

from aligned_jax.data.options import DataOptions, Variant
from aligned_jax.data.variants import apply_variant, mirrored
from aligned_jax.errors import ConfigError
from aligned_jax.utils import jsonable


def picture():
    return np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)


def row(variant):
    """First channel of the first row, counted in pixels."""
    return (apply_variant(picture(), variant)[0, :, 0] // 3).tolist()


def test_nothing_to_change_changes_nothing():
    assert apply_variant(picture(), Variant()) is not None
    np.testing.assert_array_equal(apply_variant(picture(), Variant()), picture())


def test_shifts_to_the_right_and_fills():
    assert row(Variant(shift_x=0.25, fill="edge")) == [0, 0, 1, 2]
    assert row(Variant(shift_x=0.25, fill="reflect")) == [1, 0, 1, 2]
    assert row(Variant(shift_x=0.25, fill="black")) == [0, 0, 1, 2]
    assert row(Variant(shift_x=-0.5, fill="edge")) == [2, 3, 3, 3]
    assert row(Variant(shift_x=-0.5, fill="reflect")) == [2, 3, 2, 1]
    assert row(Variant(shift_x=0.75, fill="reflect")) == [3, 2, 1, 0]


def test_black_is_black():
    image = apply_variant(np.full((4, 4, 3), 200, np.uint8), Variant(shift_x=0.5, fill="black"))
    assert image[:, :2].max() == 0
    assert image[:, 2:].min() == 200


def test_shifts_down():
    image = apply_variant(picture(), Variant(shift_y=0.25, fill="black"))
    assert image[0].max() == 0
    np.testing.assert_array_equal(image[1:], picture()[:3])


def test_flips():
    np.testing.assert_array_equal(
        apply_variant(picture(), Variant(upside_down=True)), picture()[::-1]
    )
    np.testing.assert_array_equal(mirrored(picture()), picture()[:, ::-1])


def test_edges_are_dark_lines_where_colours_change():
    image = np.full((16, 16, 4), 200, np.uint8)
    image[:, 8:, 1] = 20  # one colour changes, from the left to the right half
    sharp, soft = (apply_variant(image, Variant(edges=blur)) for blur in (0.01, 2.0))
    assert (sharp[:, 7:9, :3] == 75).all() and (sharp[:, :7, :3] == 255).all()
    assert sharp.shape == image.shape and (sharp[..., 3] == 200).all()
    assert 75 < soft[8, 7, 0] < soft[8, 4, 0] < 255
    grey = apply_variant(image[..., 1:2], Variant(edges=0.01))
    np.testing.assert_array_equal(grey[..., 0], sharp[..., 0])
    moved = apply_variant(image, Variant(edges=0.01, shift_x=0.25, fill="edge"))
    assert (moved[:, 11:13, :3] == 75).all()


@pytest.mark.parametrize("edges", [-1.0, 101.0, float("nan")])
def test_blurs_that_are_none(edges):
    with pytest.raises(ConfigError, match="no blur from 0 to 100"):
        Variant(edges=edges)


def test_the_input_is_not_written_to():
    image = picture()
    apply_variant(image, Variant(shift_x=0.5, shift_y=0.5, fill="black", upside_down=True))
    np.testing.assert_array_equal(image, picture())


@pytest.mark.parametrize("mistake", [{"shift_x": 1.0}, {"shift_y": float("nan")}, {"fill": "red"}])
def test_bad_variants_are_refused(mistake):
    with pytest.raises(ConfigError, match=next(iter(mistake))):
        Variant(**mistake)


def test_options_survive_json():
    options = DataOptions("x", labels="smile", subset=3, variant=Variant(0.25, fill="edge"))
    text = json.dumps(jsonable.to_dict(options))
    assert jsonable.from_dict(DataOptions, json.loads(text)) == options


def test_the_options_import_nothing_heavy():
    code = (
        "import sys, aligned_jax.data.options; print({'jax', 'numpy', 'grain'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr


def test_bad_subsets_are_refused():
    with pytest.raises(ConfigError, match="at least 1"):
        DataOptions("x", subset=0)
    with pytest.raises(ConfigError, match="negative"):
        DataOptions("x", subset_seed=-1)
