"""Labelled pictures: kinds deduced from values, tables of three forms, datasets, refusals."""

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data.attribute_columns import columns
from aligned_jax.data.attribute_tables import read_labelled, read_table
from aligned_jax.errors import FormatError, UserError
from tests.labelled_pictures import drawn, save_table


def kinds(**table):
    return {name: column.kind for name, column in columns(table).items()}


def test_kinds_are_deduced():
    assert kinds(
        glasses=["yes", "no", "unknown"],
        smile=["True", "false", ""],
        celeba=["1", "-1", None],
        bit=["0", "1", "1"],
        age=["0", "1", "2"],
        yaw=[-0.5, 0.25, 1.0],
        hair=["long", "short", "1"],
        skin=["#ff0000", "#00FF00", None],
        fur=[np.float32([1, 0, 0.5]), np.float32([-1, -1, -1]), np.float32([0, 0, 0])],
    ) == {
        "glasses": "binary",
        "smile": "binary",
        "celeba": "binary",
        "bit": "binary",
        "age": "number",
        "yaw": "number",
        "hair": "category",
        "skin": "colour",
        "fur": "colour",
    }


def test_labels_are_numbers_and_nan_where_unknown():
    found = columns(
        {
            "glasses": ["yes", "no", "unknown"],
            "hair": ["short", "long", None],
            "skin": ["#ff8000", "", "#000000"],
            "age": [" 3 ", "nan", "4.5"],
        }
    )
    np.testing.assert_array_equal(found["glasses"].labels, [1, 0, np.nan])
    assert found["hair"].values == ("long", "short")
    np.testing.assert_array_equal(found["hair"].labels, [1, 0, np.nan])
    np.testing.assert_allclose(found["skin"].labels[0], [1, 128 / 255, 0], rtol=1e-6)
    assert found["skin"].known.tolist() == [True, False, True]
    np.testing.assert_array_equal(found["age"].labels, [3, np.nan, 4.5])
    assert all(column.labels.dtype == np.float32 for column in found.values())


def test_kinds_can_be_given():
    found = columns({"age": ["1", "2", "3"], "bit": ["0", "1", "1"]}, {"age": "category"})
    assert (found["age"].kind, found["age"].values) == ("category", ("1", "2", "3"))
    assert columns({"bit": ["0", "1"]}, {"bit": "number"})["bit"].kind == "number"
    with pytest.raises(UserError) as refused:
        columns({"age": ["1", "x"], "hair": ["a", "b"]}, {"age": "number", "hair": "binary"})
    assert "age as number: 'x'" in str(refused.value)
    assert "hair as binary: 'a', 'b'" in str(refused.value)
    with pytest.raises(UserError, match="no attribute mood, age is no 'smell'"):
        columns({"age": ["1"]}, {"mood": "binary", "age": "smell"})
    with pytest.raises(UserError, match="201 values, more than 200"):
        columns({"id": [f"n{k}" for k in range(201)]})


def test_a_long_table(tmp_path):
    table = save_table(tmp_path / "pictures", 12)
    found = read_labelled(table, 8)
    images, rows = drawn(12)
    assert (found.images == images).all()
    assert {name: c.kind for name, c in found.columns.items()} == {
        "glasses": "binary",
        "hair": "category",
        "skin": "colour",
        "yaw": "number",
    }
    assert found.columns["yaw"].labels.tolist() == [float(row["yaw"]) for row in rows]


def test_every_option_changes_what_is_read(tmp_path):
    table = save_table(tmp_path / "pictures", 12)
    moved = tmp_path / "elsewhere.csv"
    moved.write_bytes(table.read_bytes())
    with pytest.raises(UserError, match="lacks 12 pictures"):
        read_labelled(moved, 8)
    assert len(read_labelled(moved, 8, images=tmp_path / "pictures").images) == 12
    assert read_labelled(table, 16).images.shape == (12, 16, 16, 3)
    few = read_labelled(table, 8, most=5)
    assert len(few.images) == len(few.columns["yaw"].labels) == 5
    assert (read_labelled(table, 8, most=5, seed=1).images != few.images).any()
    assert list(read_labelled(table, 8, attributes=["yaw"]).columns) == ["yaw"]
    given = read_labelled(table, 8, kinds={"yaw": "category"})
    assert given.columns["yaw"].kind == "category"


def test_a_wide_table_and_celeba_s_list(tmp_path):
    save_table(tmp_path, 3)
    (tmp_path / "wide.csv").write_text(
        'file,glasses,note\n0000.png,yes,"a, b"\n0001.png,no,c\n\n0002.png,,d\n', "utf-8-sig"
    )
    assert read_table(str(tmp_path / "wide.csv"))["0000.png"] == {"glasses": "yes", "note": "a, b"}
    found = read_labelled(tmp_path / "wide.csv", 8)
    np.testing.assert_array_equal(found.columns["glasses"].labels, [1, 0, np.nan])
    (tmp_path / "list.txt").write_text(
        "3\nBald Eyeglasses\n0000.png -1  1\n0001.png  1  1\n0002.png -1 -1\n"
    )
    found = read_labelled(tmp_path / "list.txt", 8)
    assert found.columns["Bald"].labels.tolist() == [0, 1, 0]
    assert found.columns["Eyeglasses"].labels.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,value\n1,2\n", "begins with name, value"),
        ("file,a,a\nx,1,2\n", "all different"),
        ("file,name,value\nx,a\n", "line 2 has 2 cells"),
        ("file,name,value\nx,a,1\nx,a,2\n", "line 3: x has a twice"),
        ('file,name,value\n"x,a,1\n', "is no CSV"),
        ("file,name,value\n", "has no rows"),
        ("", "begins with nothing"),
        ("2\nBald\nx.png 1\n", "says that it has 2 rows, and has 1"),
        ("1\nBald\nx.png 1 1\n", "line 3 has 2 values for 1 attribute"),
    ],
)
def test_damaged_tables(tmp_path, text, said):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(FormatError, match=said):
        read_table(str(tmp_path / "table.csv"))
    (tmp_path / "table.csv").write_bytes(b"file,name,value\n\xff,a,1\n")
    with pytest.raises(FormatError, match="UTF-8"):
        read_table(str(tmp_path / "table.csv"))


def test_damaged_pictures_are_named_or_left_out(tmp_path):
    table = save_table(tmp_path, 6)
    (tmp_path / "0002.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with pytest.raises(UserError, match=r"0002\.png .*`skip_bad=True` leaves them out"):
        read_labelled(table, 8)
    found = read_labelled(table, 8, skip_bad=True)
    assert len(found.images) == len(found.columns["yaw"].labels) == 5
    assert "0002.png" in found.told[0]


def test_names_that_lead_out_are_not_followed(tmp_path):
    save_table(tmp_path / "in", 2)
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (tmp_path / "in" / "table.csv").write_text("file,a\n../secret.png,1\n0000.png,0\n")
    with pytest.raises(UserError, match=r"lacks 1 picture .*\.\./secret\.png"):
        read_labelled(tmp_path / "in" / "table.csv", 8)


def test_what_teaches_nothing_is_left_out_or_refused(tmp_path):
    save_table(tmp_path, 3)
    table = tmp_path / "wide.csv"
    table.write_text("file,a,b,c\n0000.png,1,x,x\n0001.png,1,y,y\n0002.png,1,x,x\n")
    found = read_labelled(table, 8)
    assert list(found.columns) == ["b"]  # c says the same
    assert found.told == ("left out, as they are always the same: a",)
    assert list(read_labelled(table, 8, attributes=["c", "b"]).columns) == ["c", "b"]
    with pytest.raises(UserError, match=r"cannot teach a \(always the same\), d; it has b, c"):
        read_labelled(table, 8, attributes=["a", "d"])
    table.write_text("file,a\n0000.png,1\n0001.png,1\n")
    with pytest.raises(UserError, match="no attribute in which its pictures differ"):
        read_labelled(table, 8)


@pytest.mark.slow
def test_a_dataset_of_drawn_faces(faces):
    found = read_labelled(faces, 16)
    kinds = {name: column.kind for name, column in found.columns.items()}
    assert found.images.shape == (24, 16, 16, 3)
    assert kinds["glasses"] == "binary" and kinds["yaw"] == kinds["roll"] == "number"
    assert kinds["hair"] == kinds["clothes"] == "category" and kinds["clothing_color"] == "colour"
    # Bald people have no colour of hair; a part's own choice is not told twice.
    bald = found.columns["hair"].labels == found.columns["hair"].values.index("none")
    assert (found.columns["hair_color"].known != bald).all() and "hair_kind" not in kinds
    assert found.facts["recipe"]["style"] == "personas"
    small = read_labelled(faces, 8, split="test")
    assert small.images.shape == (6, 8, 8, 3)
    with pytest.raises(UserError, match="leave out `images`"):
        read_labelled(faces, 16, images=faces)
    again = read_labelled(faces, 16)
    assert list(again.columns) == list(found.columns)
