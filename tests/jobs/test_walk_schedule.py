"""When a walk is where: words, tables, counts, and loops, without any network."""

import os

import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.jobs.walks.names import as_values, parse_animations
from aligned_jax.jobs.walks.schedule import schedule
from aligned_jax.jobs.walks.tables import read_table

PLAIN = {"frames": 4, "fps": 10.0, "loop": True, "straight": False, "circle": False}


def laid(seeds, animate=None, table=None, **options):
    return schedule(seeds, animate or {}, table, **PLAIN | options)


def written(folder, text):
    file = folder / "curves.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_loop_does_not_show_its_first_frame_again():
    """Programs that take linspace(0, 2 pi, n) do: the film stands still for a frame."""
    plan = laid(3, {"psi": [0.2, 1, 0.5]})
    np.testing.assert_array_equal(plan.places, np.arange(12) / 4)
    np.testing.assert_array_equal(plan.tracks["psi"][::4], [0.2, 1, 0.5])
    assert plan.turns[0] == 0 and plan.turns[-1] == 11 / 12
    turned = laid(3, {"psi": [1, 0.5, 0.2]}).tracks["psi"]
    np.testing.assert_allclose(np.roll(plan.tracks["psi"], -4), turned, atol=1e-12)


def test_an_open_way_shows_its_last_key_frame():
    """Programs that stop a step before it do not."""
    plan = laid(3, {"psi": [0.2, 1, 0.5]}, loop=False)
    assert len(plan) == 9 and plan.places[-1] == 2 and plan.tracks["psi"][-1] == 0.5


def test_numbers_stay_within_their_key_frames():
    values = [0.2, 1, 1, 0.5]
    smooth, straight = (laid(4, {"psi": values}, straight=flag).tracks["psi"] for flag in (0, 1))
    assert smooth.min() == 0.2 and smooth.max() == 1 and (smooth[4:9] == 1).all()
    np.testing.assert_allclose(straight[:5], np.linspace(0.2, 1, 5))
    assert np.abs(smooth - straight).max() > 0.05
    halves = laid(2, {"swap": [4, 64]}, frames=2).tracks["swap"]
    np.testing.assert_allclose(halves, [4, 16, 64, 16])
    assert halves[0] == 4 and halves[2] == 64


def test_one_value_stays_and_one_seed_stands_still():
    plan = laid(1, {"t2": [0, 1, 0.5], "psi": [0.7]})
    assert len(plan) == 12 and not plan.places.any()
    assert set(plan.tracks["psi"]) == {0.7} and plan.tracks["t2"][4] == 1
    assert len(laid(2, {"psi": [0.7]})) == 8


def test_circles_close():
    plan = laid(2, {"t2": [0, 1, 0.5]}, circle=True)
    np.testing.assert_allclose(plan.places, np.arange(12) / 12)
    assert len(laid(2, circle=True)) == 8


def test_words():
    assert parse_animations(["psi=0.3,1", "zoo:roll=-3", "15_45=1e1,2"]) == {
        "psi": [0.3, 1], "zoo:roll": [-3], "15_45": [10, 2],
    }  # fmt: skip
    assert as_values({"psi": 1, "t1": (0, 1)}) == {"psi": [1], "t1": [0, 1]}
    assert as_values(None) == {} and as_values(["t1=0"]) == {"t1": [0]}
    with pytest.raises(UserError) as refused:
        parse_animations(["psi", "=1", "t1=a,2,inf,1e39", "t2=", "swap=4", "swap=8"])
    for part in ("'psi' is not like", "'=1' is not like", "t1: 'a', 'inf', '1e39' is no",
                 "t2: '' is no", "swap comes twice"):  # fmt: skip
        assert part in str(refused.value)
    with pytest.raises(UserError, match="t1, t2: give one or more finite numbers"):
        as_values({"psi": [1], "t1": [], "t2": [np.nan]})


def test_a_row_a_frame(tmp_path):
    table = read_table(written(tmp_path, "psi, t1\n0.5,0\n\n0.75,1\n1,0.5\n"))
    assert table.times is None and table.rows == 3
    plan = laid(2, None, table, frames=None)
    np.testing.assert_array_equal(plan.tracks["psi"], [0.5, 0.75, 1])
    np.testing.assert_allclose(plan.places, [0, 2 / 3, 4 / 3])
    np.testing.assert_allclose(laid(2, None, table, frames=None, loop=False).places, [0, 0.5, 1])
    same = read_table({"psi": [0.5, 0.75, 1], "t1": [0, 1, 0.5]})
    np.testing.assert_array_equal(laid(1, None, same, frames=None).tracks["t1"], [0, 1, 0.5])
    assert len(laid(1, None, table, frames=3)) == 3
    with pytest.raises(UserError, match="the table is for 3 rows, but 2 key frames with 4 frames"):
        laid(2, None, table)


def test_points_of_time(tmp_path):
    text = "\ufefftime,psi,place\n0.1,0,0\n0.3,1,3.5\n0.5,0.5,-1\n"
    table = read_table(written(tmp_path, text))
    plan = laid(3, None, table, frames=None)
    np.testing.assert_allclose(plan.tracks["psi"], [0, 0, 0.5, 1, 0.75, 0.5])
    np.testing.assert_allclose(plan.places, [0, 0, 1.75, 0.5, 1.25, 2], atol=1e-12)
    assert len(laid(3, None, table, frames=None, fps=100.0)) == 51
    assert len(laid(1, {"t1": [0]}, read_table({"time": [0, 0.5], "psi": [0, 1]}), frames=5)) == 5
    with pytest.raises(UserError, match="for 6 frames at 10 a second, but 3 key frames with 4"):
        laid(3, None, table)
    with pytest.raises(UserError, match=r"place goes from -1 to 3.5; key frames are 0 to 2"):
        laid(3, None, table, frames=None, loop=False)
    with pytest.raises(UserError, match="place has nowhere to go"):
        laid(1, None, table, frames=None)


def test_all_that_is_wrong_with_a_file_is_told_at_once(tmp_path):
    text = "time,psy,psi,psi,15_45,glasses.npz,\n0,1,2,x,4,5,6\n\n1,2\n2,1,2,nan,4,5,6\n"
    with pytest.raises(UserError) as refused:
        read_table(written(tmp_path, text))
    for part in ("nothing that moves: psy, glasses.npz; there are psi, t1, t2, swap, place",
                 "psi comes twice", "a column has no name", "line 4 has 2 cells for 7 columns",
                 "line 2, psi: ", "line 5, psi: "):  # fmt: skip
        assert part in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), ("psi\n", "no rows"), ("time\n1\n", "no column of anything"),
     ("time,psi\n1,0\n1,1\n", "rising from row to row"), ("time,psi\n-1,0\n", "rising"),
     ('psi\n"1', "no CSV file")],
)  # fmt: skip
def test_files_that_are_no_tables(tmp_path, text, words):
    with pytest.raises(UserError, match=words):
        read_table(written(tmp_path, text))


def test_what_is_no_table(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(UserError, match="is not a regular file"):
        read_table(tmp_path)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="no CSV file"):
        read_table(tmp_path / "bytes.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UserError, match="is not a regular file"):
        read_table(tmp_path / "pipe.csv")
    with pytest.raises(UserError, match="differ in length: psi 1, t1 2"):
        read_table({"psi": [1], "t1": [1, 2]})
    with pytest.raises(UserError, match="no finite number: psi"):
        read_table({"psi": [np.inf]})


def test_counts_and_names_that_do_not_fit():
    def refused(words, *args, **options):
        with pytest.raises(UserError, match=words):
            laid(*args, **options)

    refused("3 key frames, one for each seed, but values of psi 2, t1 4; give 3 or 1",
            3, {"psi": [0, 1], "t1": [0, 1, 2, 3], "t2": [1]})  # fmt: skip
    refused("numbers of values differ .psi 2, t1 3.", 1, {"psi": [0, 1], "t1": [0, 1, 2]})
    refused("1 seed: a walk goes through 2 or more, unless", 1, {"psi": [0.5]})
    refused("a circle goes through 2 seeds; 3 seeds were", 3, circle=True)
    refused("nothing that moves: pis, zoo:nobody, x.npz", 2, {"pis": [1], "zoo:nobody": [1],
            "x.npz": [2], "psi": [1]})  # fmt: skip
    refused("15_45:3 says its strength", 2, {"15_45:3": [1]})
    refused("place is for tables", 2, {"place": [0, 1]})
    refused("0 frames from a key frame to the next", 2, frames=0)
    refused("swap is 0; it is a resolution", 2, {"swap": [0, 8]})
    refused("psi: moved at key frames and by the table", 2, {"psi": [1]}, read_table({"psi": [1]}))
    refused("frames are too many for one film, which has 10000000", 1000, frames=100_000)
