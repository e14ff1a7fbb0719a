"""Pictures cut around faces that a file names, or a function finds."""

import io
import json
import sys
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import faces, targets
from aligned_jax.data.faces import Detector, FaceTable
from aligned_jax.errors import FormatError, UserError
from tests.data.test_placements import FACE, blobs, centres, turned

SIZE = (150, 120)
SPOTS = np.asarray([[20, 24], [45, 30], [33, 47]])
# Two faces side by side, one of them turned.
MOVES = [(20, 0.8, (-10.0, 5.0)), (-30, 0.9, (70.0, 20.0))]


def face_at(degrees, scale, shift):
    return turned(FACE + 0.5, degrees, scale, shift) - 0.5


ONE = [face_at(*MOVES[0])]


def photo_of(*moves):
    """uint8 [120, 150, 3] with the spots of every face."""
    parts = [blobs(SIZE, turned(SPOTS, *move), 2) for move in moves]
    return np.min(parts, axis=0)


def spots_in(target):
    """Where the spots are in a target, in pixels of one with 64."""
    return centres(Image.fromarray(target.pixels)) * 64 / len(target.pixels)


@pytest.fixture
def photos(tmp_path):
    """a.png with two faces, b.png with one of them, c.png with none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, moves in (("a", MOVES), ("b", MOVES[:1])):
        Image.fromarray(photo_of(*moves)).save(folder / f"{name}.png")
    Image.new("RGB", SIZE).save(folder / "c.png")
    return folder


def table_of(named, path):
    """A file of faces, read."""
    lists = {name: [np.asarray(f).tolist() for f in entry] for name, entry in named.items()}
    path.write_text(json.dumps(lists))
    return faces.read_faces(path)


def test_every_face_is_a_target(photos, tmp_path):
    both, one = [face_at(*move) for move in MOVES], [face_at(*MOVES[0])]
    known = table_of({"a.png": both, "b.png": one, "c.png": []}, tmp_path / "f.json")
    read = targets.read([str(photos)], 128, 3, known)
    assert [target.name for target in read.targets] == ["a_face1", "a_face2", "b"]
    assert read.skipped == {f"{photos}/c.png": f"there is no face in it, says {tmp_path}/f.json"}
    for target in read.targets:
        found = spots_in(target)
        # The other face's spots pull a little at the centres.
        assert np.abs(np.median(found - SPOTS, axis=0)).max() < (8 if "a_" in target.name else 1)
        assert target.placement.photo == target.file and len(target.placement.digest) == 64
        assert target.placement.size == SIZE
    beyond = np.asarray([[-64, 0], [0, 0], [0, 64], [-64, 64]])
    corners = FaceTable({"b.png": [turned(beyond, *MOVES[0])]})
    with pytest.raises(UserError, match=r"corners whose middle lies outside the picture"):
        targets.read([f"{photos}/b.png"], 64, 3, corners)
    smaller = FaceTable({"b.png": [turned([[16, 16], [48, 16], [48, 48], [16, 48]], *MOVES[0])]})
    [half] = targets.read([f"{photos}/b.png"], 64, 3, smaller).targets
    assert half.placement.side == pytest.approx(32 * MOVES[0][1])
    alone = targets.read([f"{photos}/b.png"], 64, 3, FaceTable({"b.png": one}))
    assert np.abs(spots_in(alone.targets[0]) - SPOTS).max() < 1
    for align in ("center", Detector(lambda image: [np.asarray([0, 0, 50, 50])])):
        other = targets.read([f"{photos}/b.png"], 64, 3, align)
        assert (other.targets[0].pixels != alone.targets[0].pixels).any()


def test_damaged_pictures_are_no_strangers(photos):
    (photos / "d.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    known = FaceTable({"b.png": ONE, "d.png": ONE})
    read = targets.read([str(photos)], 8, 3, known)
    assert [target.name for target in read.targets] == ["b"]
    assert "damaged" in read.skipped[f"{photos}/d.png"]


def test_a_function_finds_faces(photos):
    seen = []

    def find(image):
        seen.append((image.shape, image.dtype))
        image[:] = 0  # it may do with it as it likes
        return [face_at(*MOVES[1]).tolist(), FACE - 100]

    read = targets.read([f"{photos}/a.png"], 32, 1, Detector(find, "f.py:find"))
    assert seen == [((120, 150, 3), np.uint8)]
    assert [target.name for target in read.targets] == ["a_face1"]
    [(lost, why)] = read.skipped.items()
    assert lost == f"{photos}/a.png, face 2" and why.endswith(
        "outside the picture of 150x120 pixels"
    )
    assert (read.targets[0].pixels < 200).any()

    def fails(image):
        raise RuntimeError("no\nmodel")

    for function, message in (
        (fails, "f.py:find fails at .*a.png: RuntimeError: no model"),
        (lambda image: sys.exit(0), "f.py:find fails at .*a.png: SystemExit"),
        (lambda image: None, "returns no list of faces at .*a.png, but NoneType: None; a face is"),
        (lambda image: [[1, 2, 3]], r"but list: \[\[1, 2, 3\]\]"),
        (lambda image: [[1, 2, 3, float("nan")]], "returns no list of faces"),
        (lambda image: "face", "returns no list of faces"),
    ):
        with pytest.raises(UserError, match=message):
            targets.read([f"{photos}/a.png"], 32, 3, Detector(function, "f.py:find"))
    with pytest.raises(
        UserError, match=r"no picture can be used .*no face in it, says the detector"
    ):
        targets.read([str(photos)], 32, 3, Detector(lambda image: []))


def test_pictures_are_known_by_name_and_path(photos, tmp_path):
    one = [face_at(*MOVES[0])]
    (photos / "more").mkdir()
    Image.fromarray(photo_of(MOVES[0])).save(photos / "more" / "b.png")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as file:
        for path in photos.rglob("*.png"):
            file.write(path, path.relative_to(photos))
    for source in (photos, tmp_path / "z.zip"):
        apart = FaceTable({"b.png": one, "more/b.png": one})
        assert len(targets.read([str(source)], 8, 3, apart)) == 2
        full = FaceTable({f"{source}/b.png": one})
        assert len(targets.read([str(source)], 8, 3, full)) == 1
    (photos / "b.png").unlink()
    assert len(targets.read([str(photos)], 8, 3, FaceTable({"b.png": one}))) == 1
    (photos / "less").mkdir()
    Image.fromarray(photo_of(MOVES[0])).save(photos / "less" / "b.png")
    with pytest.raises(UserError, match=r"b.png stands for .*less/b.png, .*more/b.png"):
        targets.read([str(photos)], 8, 3, FaceTable({"b.png": one}))


def test_all_that_does_not_fit_is_told_at_once(photos, tmp_path):
    swapped = face_at(*MOVES[0])[[1, 0, 2, 3, 4]]
    wrong = {"a.png": [face_at(*MOVES[0]), swapped], "b.png": [[0, 0, 151, 9]]}
    wrong |= {"x.png": [swapped], "y.jpg": []}
    with pytest.raises(UserError) as told:
        targets.read([str(photos)], 8, 3, table_of(wrong, tmp_path / "t.json"))
    said = str(told.value)
    assert "a.png, face 2 has the left eye to the right of the right one" in said
    assert "b.png, face 1 has a box that leaves the picture of 150x120 pixels" in said
    assert "no picture is called x.png, y.jpg" in said and "as its camera says" in said
    (tmp_path / "f.json").write_text(
        '{"a": 3, "b": [[1, 2, 3]], "c": [["1", 2, 3, 4], [true, 2, 3, 4], [1, 2, 3, 4]],'
        ' "d": [[[1, 2], [3]]], "e": [[1, 2, 3, 1e999]]}'
    )
    with pytest.raises(FormatError) as told:
        faces.read_faces(tmp_path / "f.json")
    said = str(told.value)
    assert "a is no list of faces; b, face 1; c, face 1; c, face 2; d, face 1; e, face 1; a" in said
    for content, message in (("[]", "holds no JSON object"), ("{", "cannot be read")):
        (tmp_path / "f.json").write_text(content)
        with pytest.raises(FormatError, match=message):
            faces.read_faces(tmp_path / "f.json")
    with pytest.raises(UserError, match=r"g.json cannot be read: No such file"):
        faces.read_faces(tmp_path / "g.json")


def test_points_are_those_of_the_turned_picture(tmp_path):
    """A camera's note to turn the picture counts before points do; modes do not matter."""
    upright = Image.fromarray(photo_of(MOVES[0]))
    plain = targets.from_array(np.asarray(upright)[None], 32, 3, FaceTable({"image0000": ONE}))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it right by 90 degrees to see it as it was
    stored = io.BytesIO()
    upright.rotate(90, expand=True).save(stored, "PNG", exif=exif)
    (tmp_path / "p.png").write_bytes(stored.getvalue())
    known = FaceTable({"p.png": ONE})
    [target] = targets.read([str(tmp_path / "p.png")], 32, 3, known).targets
    np.testing.assert_array_equal(target.pixels, plain.targets[0].pixels)
    assert target.placement.size == SIZE and plain.targets[0].placement.photo == ""
    for mode in ("L", "RGBA", "P", "CMYK", "I;16"):
        image = upright.convert("L") if mode == "I;16" else upright
        image.convert("I" if mode == "I;16" else mode).save(tmp_path / "p.tiff")
        [target] = targets.read(
            [str(tmp_path / "p.tiff")], 32, 4, FaceTable({"p.tiff": ONE})
        ).targets
        assert target.pixels.shape == (32, 32, 4) and target.placement.size == SIZE


def test_a_name_that_is_there_twice_loses_no_face(tmp_path):
    (tmp_path / "f.json").write_text('{"a.png": [[0, 0, 9, 9]], "a.png": [[9, 9, 20, 20]]}')
    with pytest.raises(FormatError, match=r"f.json cannot be read: 'a.png' is there more"):
        faces.read_faces(tmp_path / "f.json")


@pytest.mark.parametrize(
    ("face", "message"),
    [
        ([[-1e308, 0], [1e308, 0], [1e308, 1e308], [-1e308, 1e308]], "far from the picture"),
        ([5, 5, 5.0001, 5.0001], "a box less than a pixel wide"),
        ([[5, 5], [5.1, 5], [5.1, 5.1], [5, 5.1]], "a square less than a pixel wide"),
    ],
)
def test_squares_that_nobody_could_draw(photos, face, message):
    table = FaceTable({"a.png": [np.array(face)]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserError, match=message):
            targets.read([f"{photos}/a.png"], 8, 3, table)


def test_names_stay_apart(tmp_path):
    for name in ("a.png", "a_face1.png"):
        Image.fromarray(photo_of(*MOVES)).save(tmp_path / name)
    both = [face_at(*move) for move in MOVES]
    read = targets.read([str(tmp_path)], 8, 3, FaceTable({"a.png": both, "a_face1.png": ONE}))
    names = [target.name for target in read.targets]
    assert names == ["0000_a_face1", "0001_a_face2", "0002_a_face1"]


def test_places_of_whole_pictures(tmp_path):
    Image.fromarray(photo_of(MOVES[0])).save(tmp_path / "p.png")
    [target] = targets.read([str(tmp_path / "p.png")], 8, 3).targets
    assert target.placement.whole_box == (15, 0, 135, 120)
