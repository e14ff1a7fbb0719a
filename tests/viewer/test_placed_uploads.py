"""Faces that are cut out of uploaded photographs, and put back into them."""

import dataclasses
import io
import json
import shlex
import time
import zipfile
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import placements
from aligned_jax.errors import UserError
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.rendering.pasting import Face, pasted
from aligned_jax.tools.main import main
from aligned_jax.viewer.album import PhotoAlbum
from aligned_jax.viewer.state import read_state
from aligned_jax.viewer.uploads import cut_out, read_options
from aligned_jax.viz import to_uint8
from tests.viewer.test_calls import png

SIZE = (50, 40)
# One is turned, the other reaches beyond the left edge.
FACES = ([[24, 6], [40, 10], [36, 26], [20, 22]], [[-3, 20], [9, 20], [9, 32], [-3, 32]])
HOW = {"way": "optimise", "steps": "1", "compare": "pixels"}
EDITS = [{"name": "tilt", "by": 3.0}]


@pytest.fixture(scope="module")
def photo():
    """The file of a photograph that its camera has turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.RandomState(5).randint(0, 256, (SIZE[0], SIZE[1], 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", exif=exif)
    return file.getvalue()


@pytest.fixture(scope="module")
def pictures(session, photo):
    """Numbers of pictures: both faces, and the middle of another photograph of the same name."""
    pixels = np.random.RandomState(6).randint(0, 256, (12, 9)).astype(np.uint8)
    uploads = [(photo, {"face": json.dumps(face)}) for face in FACES] + [(png(pixels), {})]
    found = []

    def invert(network, picture, place, options, report):  # real ones are slow: see test_calls
        known = latents_of_seeds(network.config, [len(found)]).in_space(network, "w+")
        return dataclasses.replace(known, pictures=picture[None], placements=(place,)), {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session.uploads, "invert", invert)
        for content, more in uploads:
            task = session.upload(content, {**HOW, "name": "party of two.jpeg", **more})
            while (status := task.status())["state"] == "running":
                time.sleep(0.01)
            assert status["state"] == "done", status
            found.append(status["result"])
    names = [one["photograph"] for one in found]
    assert names == ["party_of_two.png", "party_of_two.png", "party_of_two-2.png"]
    return [one["picture"] for one in found]


@pytest.mark.parametrize("edits", [EDITS, []], ids=["edit", "family"])
def test_commands_and_python_put_faces_back_as_the_page_does(
    client, session, pictures, edits, tmp_path, monkeypatch, capsys
):
    """To the bit, several faces of a photograph, and several photographs; also a blend apart."""
    monkeypatch.chdir(tmp_path)
    blend = {"child": 1, "t2": 0.5, "t1": 0.5}
    state = {"seeds": [], "pictures": pictures, "edits": edits, "paste": {"feather": 0.2}}
    state |= {"blend": blend}
    told = client.ask("explain", {"state": state})
    content = client.request("POST", "save", json.dumps({"state": state, "what": "zip"}))[2]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    line = told["commands"][-1]
    assert line.split()[1] == ("edit" if edits else "family")
    assert "--paste-back pasted --feather 0.2" in line
    photos = ["photographs/party_of_two.png", "photographs/party_of_two-2.png"]
    assert told["files"][-2:] == photos
    assert main(shlex.split(line)[1:]) == 0, capsys.readouterr().err
    ours = {file.name: file for file in (tmp_path / "pictures" / "pasted").iterdir()}
    theirs = {file.name for file in (tmp_path / "pasted").iterdir()}
    apart = {name for name in ours if name.endswith("-blend.png")}
    assert len(theirs) == 4 and len(apart) == 2 and ours.keys() == theirs | apart
    for name in theirs:
        with Image.open(ours[name]) as image, Image.open(f"pasted/{name}") as again:
            assert image.size == (SIZE if "-2-" not in name else (9, 12))
            np.testing.assert_array_equal(np.asarray(image), np.asarray(again))
            assert image.text["Comment"] == line and again.text["Comment"] == line
    names = {}
    exec(told["python"], names)
    assert len(names["photographs"]) == 6
    for (path, column), pixels in names["photographs"].items():
        stem = path.removeprefix("photographs/").removesuffix(".png")
        label = column.replace("/", "_")
        with Image.open(ours[f"{stem}-{label}.png"]) as image:
            np.testing.assert_array_equal(np.asarray(image), pixels)


def test_the_page_gets_the_photograph_that_it_shows(client, session, photo, pictures):
    base = {"seeds": [], "pictures": pictures[:1], "paste": {"feather": 0.1}}

    def asked(most=None, column=0, **more):
        given = {"state": {**base, **more}, "photograph": "party_of_two.png", "column": column}
        given |= {} if most is None else {"most": most}
        status, headers, content = client.request("POST", "photograph", json.dumps(given))
        assert status == 200 and headers["content-type"] == "image/png", content
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("RGB"))

    with Image.open(io.BytesIO(photo)) as image:
        before = np.rot90(np.asarray(image), -1)
    found = asked()
    y, x = np.nonzero((found != before).any(axis=-1))
    place = placements.of_corners(np.asarray(FACES[0]), SIZE)
    inside = place.from_photo(np.stack([x, y], axis=-1) + 0.5)
    assert ((inside > 0) & (inside < 1)).all() and len(x) > 0.8 * place.side**2
    scene = session.engine.scene(read_state(base))
    [drawn] = to_uint8(session.engine.images(scene, scene.groups[0], 0))
    np.testing.assert_array_equal(found, pasted(before, [Face(drawn, place)], 0.1))
    different = [
        asked(column=1),
        asked(paste={"feather": 0.4}),
        asked(edits=EDITS),
        asked(pictures=pictures[:2]),
    ]
    assert all((one != found).any() for one in different)
    assert max(asked(most=20).shape) == 17  # by the least whole factor


def test_what_the_page_cannot_put_back_is_said(client, pictures):
    base = {"seeds": [], "pictures": pictures[:1], "paste": {}}
    name = {"photograph": "party_of_two.png", "column": 0}
    for given, said in (
        ({"state": base, **name, "column": 2}, "column is 2; it is from 0 to 1"),
        ({"state": base, **name, "photograph": "../x"}, "there is no photograph '../x'"),
        ({"state": base, **name, "photograph": "party_of_two-2.png"}, "no face of party_of_two-2"),
        ({"state": base, **name, "photograph": 3}, "there is no photograph 3"),
        ({"state": base, **name, "most": 1e9}, "most is 1000000000.0"),
        ({"state": {**base, "paste": None}, **name}, "give paste"),
        ({"state": {**base, "paste": {"feather": 0.6, "x": 1}}, **name}, "paste has no field x; "),
        ({"state": {**base, "paste": {"feather": 0.6}}, **name}, "paste.feather is 0.6; it is"),
        ({"state": {**base, "paste": 1}, **name}, "paste is 1; it is an object"),
        ({"state": base, **name, "path": "x"}, "this call has no path"),
    ):
        assert said in client.refused("photograph", given)
    assert "no picture is shown" in client.refused(
        "save", {"state": {"seeds": [1]}, "what": "faces"}
    )
    noisy = client.ask("explain", {"state": {**base, "noise": "random"}})["commands"]
    assert noisy[-1] == ("# no verb makes photographs with noise random: run the Python lines")


def test_faces_are_saved_as_align_takes_them(client, pictures):
    state = {"seeds": [], "pictures": pictures}
    given = json.dumps({"state": state, "what": "faces"})
    status, headers, content = client.request("POST", "save", given)
    assert status == 200 and "faces.json" in headers["content-disposition"]
    assert json.loads(content) == {
        "party_of_two.png": list(FACES),
        "party_of_two-2.png": [[0, 1, 9, 10]],
    }
    info = json.loads(client.request("GET", "info")[2])
    assert [info["photographs"][one] for one in pictures] == [
        "party_of_two.png", "party_of_two.png", "party_of_two-2.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "face, said",
    [
        (
            "[[60, 0], [80, 0], [80, 20], [60, 20]]",
            "whose middle lies outside the picture of 50x40",
        ),
        ("[[0, 0], [20, 0], [20, 30], [0, 30]]", "corners of no square"),
        ("[[5, 5], [5, 5], [5, 5], [5, 5]]", "corners of no square"),
        ("[[-90, -90], [110, -90], [110, 110], [-90, 110]]", "more than twice as wide"),
        ("[[0, 0], [20, 0], [20, 20]]", "a face is [x, y] of left eye"),
        ("[[0, 0], [20, 0], [20, 20], [0, NaN]]", "a face is [x, y] of left eye"),
        ("[[0, 0], [20, 0], [20, 20], [0, 1e999]]", "a face is [x, y] of left eye"),
        ("[0, 0, 20", "a face is [x, y] of left eye"),
        ("{}", "a face is [x, y] of left eye"),
        ("[" * 900, "a face is [x, y] of left eye"),
        ("[0, 0, 60, 20]", "a box that leaves the picture of 50x40"),
        ("[[9, 9], [5, 9], [7, 12], [5, 15], [9, 15]]", "the left eye to the right"),
    ],
)
def test_squares_that_cannot_be(client, photo, face, said):
    words = urlencode({**HOW, "face": face})
    told = client.refused(f"upload?{words}", photo)
    assert said in told and "\n" not in told


def test_points_are_a_face_too(session, photo):
    """For networks that were trained on FFHQ's squares, through the call alone."""
    points = [[15, 12], [24, 12], [20, 16], [16, 21], [23, 21]]
    options = read_options({"face": json.dumps(points)})
    _, place = cut_out(photo, options, session.engine.family.parent)
    assert place == placements.of_points(np.asarray(points), SIZE)


def test_the_mean_picture_is_that_of_w_avg(client, session):
    status, headers, content = client.request("GET", "mean")
    assert status == 200 and headers["content-type"] == "image/png"
    parent = session.engine.family.parent
    ws = np.broadcast_to(parent.w_avg, (1, parent.config.num_ws, parent.config.w_dim))
    [expected] = to_uint8(np.asarray(parent.synthesis(ws, "const")))
    with Image.open(io.BytesIO(content)) as image:
        assert np.abs(np.asarray(image).astype(int) - expected).max() <= 1


def test_an_album_keeps_each_photograph_once():
    album = PhotoAlbum(most_bytes=1 << 20)
    small = [png(np.full((8, 8, 3), value, np.uint8)) for value in (1, 2, 3)]
    names = [
        album.add(content, called).name
        for content, called in zip(small, ("a/b\\Me.JPG", "me.png", "-- ¿?"), strict=True)
    ]
    assert names == ["Me.png", "me-2.png", "photograph.png"]
    assert album.add(small[0], "other.png").name == "Me.png"
    album.check_room(bytes(1000))
    with pytest.raises(UserError, match="photographs of 1 MB are kept"):
        album.check_room(bytes(1 << 20))
    with pytest.raises(UserError, match="there is no photograph 'x'"):
        album.named("x")
