"""What a page asks for besides pictures: regions, feature maps, uploads, films, words."""

import base64
import io
import json
import shlex
import threading
import time
import zipfile
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image, ImageSequence

from aligned_jax.errors import UserError
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.latents import style_layers
from aligned_jax.tools.main import main
from aligned_jax.viewer import insights
from aligned_jax.viewer import session as sessions
from aligned_jax.viewer.engine import Engine
from aligned_jax.viewer.state import read_state
from aligned_jax.viewer.tasks import TaskBoard
from aligned_jax.viewer.uploads import cut_out, read_options
from aligned_jax.viz import figure, to_uint8
from tests.helpers import same_bits
from tests.jobs.small_inputs import PARENT

STATE = {"seeds": [1, 4], "blend": {"child": 1, "t2": 0.5}}


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def frames_of(content):
    with Image.open(io.BytesIO(content)) as film:
        return np.stack([np.asarray(one.convert("RGB")) for one in ImageSequence.Iterator(film)])


@pytest.fixture
def finished(client):
    """finished(status) -> the task when it has ended."""

    def wait(status):
        for _ in range(600):
            content = client.request("GET", f"task/{status['task']}")[2]
            status = json.loads(content)
            if status["state"] != "running":
                return status
            time.sleep(0.05)
        raise AssertionError(status)

    return wait


def test_the_page_knows_what_it_can_offer(client):
    info = json.loads(client.request("GET", "info")[2])
    assert info["resolution"] == 8 and info["resolutions"] == [4, 8] and info["labels"] == 0
    assert info["directions"] == {"tilt": "w"} and info["layers"][0] == "b4.conv1"
    assert "affine_conv" in info["components"] and not info["words"]


def test_edits_are_found_by_name(client):
    def found(text):
        return json.loads(client.request("GET", f"edits?{urlencode({'q': text})}")[2])

    assert found("til")["names"] == ["tilt"] and found("2_2")["names"] == ["2_2"]
    assert found("b8.conv0_1")["names"][0] == "2_1" and found("/etc/passwd")["names"] == []
    meant = {"tilt": "tilt", " 2_2 ": "2_2", "b8.conv0_1": "2_1"}
    meant |= dict.fromkeys(("til", "2_", "_2", "99_0", "2_99999", "2_02", "yaw", ""))
    assert {text: found(text)["exact"] for text in meant} == meant


def test_directions_of_the_zoo_are_known_without_their_prefix(session, monkeypatch):
    shelf = session.engine.shelf
    tilt = shelf.directions["tilt"]
    monkeypatch.setattr(shelf, "_directions", {"zoo:yaw": tilt, "zoo:tilt": tilt, "tilt": tilt})
    assert shelf.exact("yaw") == shelf.exact("zoo:yaw") == "zoo:yaw"
    assert shelf.exact("tilt") == "tilt" and shelf.exact("roll") is None


@pytest.mark.parametrize("column", [0, 2])
def test_channels_of_a_region_are_those_that_change_it_most(client, session, column):
    box = [0.0, 0.25, 0.5, 0.75]
    found = client.ask("region", {"state": STATE, "row": 1, "column": column, "box": box})
    engine, scene = session.engine, session.engine.scene(read_state(STATE))
    network = engine.network(scene, column)
    sigma = known_statistics(engine.family.parent, count=300).std
    styles = engine.latents(scene, scene.groups[0], column).take([1]).styles(network)
    styles = styles.style_vectors()

    def change(layer, number):
        moved = []
        for way in (-5, 5):
            shifted = {**styles, layer: styles[layer].copy()}
            shifted[layer][0, number] += way * sigma[layer][number]
            moved.append(np.clip(network.render(shifted), -1, 1))
        return np.abs(moved[1] - moved[0])[0].mean(axis=-1)

    maps = {
        f"{layer.index}_{k}": change(layer.name, k)
        for layer in style_layers(network.config)
        for k in range(layer.channels)
    }
    region = {name: float(one[2:6, :4].mean()) for name, one in maps.items()}
    best = max(region.values())
    assert found["channels"][0]["change"] == pytest.approx(best, rel=1e-3)
    for one in found["channels"]:
        assert one["change"] == pytest.approx(region[one["name"]], rel=1e-3)
        share = maps[one["name"]][2:6, :4].sum() / maps[one["name"]].sum()
        assert one["inside"] == pytest.approx(share, rel=1e-3)
    silent = {"state": {**STATE, "noise": "none"}, "row": 1, "column": column, "box": box}
    assert client.ask("region", silent) != found
    other = client.ask(
        "region", {"state": STATE, "row": 1, "column": column, "box": [0.5, 0, 1, 1]}
    )
    assert other != found


def test_regions_that_cannot_be(client):
    for box in ([0, 0, 0, 1], [0.5, 0, 0.2, 1], [0, 0, 2, 1], [0, 0, 1], "all"):
        given = {"state": STATE, "row": 0, "column": 0, "box": box}
        assert "left, top, right" in client.refused("region", given)
    given = {"state": STATE, "row": 2, "column": 0, "box": [0, 0, 1, 1]}
    assert "row is 2; it is from 0 to 1" in client.refused("region", given)


def test_feature_maps_are_those_of_the_layer(client, session):
    engine, scene = session.engine, session.engine.scene(read_state(STATE))
    network = engine.network(scene, 0)
    styles = engine.latents(scene, scene.groups[0], 0).take([0]).styles(network).style_vectors()
    maps, numbers = insights.feature_maps(network, styles, "b8.conv0")
    assert maps.shape[1:] == (8, 8) and sorted(numbers) == list(range(len(maps)))
    assert maps.min() == -1 and maps.max() <= 1
    # The next layer's style scales each map: without it, the map has no effect.
    told = [client.ask("features", {"state": STATE, "row": 0, "column": c, "layer": layer})
            for c, layer in ((0, "b8.conv0"), (1, "b8.conv0"), (0, "b8.conv1"))]  # fmt: skip
    assert told[0]["channels"] == numbers and len({one["png"] for one in told}) == 3
    pictures = []
    for noise in ("const", "none", "random"):
        state = {**STATE, "noise": noise, "noise_seed": 1}
        given = {"state": state, "row": 0, "column": 0, "layer": "b8.conv0"}
        pictures.append(client.ask("features", given)["png"])
    assert len(set(pictures)) == 3 and pictures[0] == told[0]["png"]
    for layer in ("b8.torgb", "b16.conv0", "../x", 3):
        given = {"state": STATE, "row": 0, "column": 0, "layer": layer}
        assert client.refused("features", given)


def test_a_crop_is_where_the_page_shows_it(session):
    network = session.engine.family.parent
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[10:30, 40:60] = 255  # a white square of half the height

    def cut(face):
        return cut_out(png(picture), read_options({"face": json.dumps(face)}), network)[0]

    assert (cut([40, 10, 60, 30]) == 255).all()
    assert (cut([[40, 10], [60, 10], [60, 30], [40, 30]]) == 255).all()
    assert (cut([60, 20, 80, 40]) == 0).all()
    whole, place = cut_out(png(picture), read_options({}), network)
    assert 0 < whole.mean() < 255 and place.whole_box == (20, 0, 60, 40)


@pytest.mark.slow
@pytest.mark.parametrize("space", ["w+", "z"])
def test_an_upload_is_inverted_and_drawn_by_all(
    client, session, finished, tmp_path, monkeypatch, space
):
    monkeypatch.chdir(tmp_path)
    picture = np.random.RandomState(3).randint(0, 256, (24, 30, 3)).astype(np.uint8)
    words = {"way": "optimise", "space": space, "steps": "3", "compare": "pixels"}
    words |= {"name": "x y.png", "face": "[[3, 2], [20, 5], [17, 22], [0, 19]]"}
    status, _, content = client.request("POST", f"upload?{urlencode(words)}", png(picture))
    assert status == 200
    done = finished(json.loads(content))
    assert done["state"] == "done" and done["total"] == 3, done
    number = done["result"]["picture"]
    state = {**STATE, "pictures": [number], "edits": [{"name": "tilt", "by": 2}]}
    lines = client.draw(state)
    assert lines[0]["rows"] == ["seed 1", "seed 4", f"picture {number}"]
    assert len([line for line in lines if "png" in line]) == 9
    told = client.ask("explain", {"state": state})
    status, _, content = client.request("POST", "save", json.dumps({"state": state, "what": "zip"}))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    names = {}
    exec(told["python"], names)
    engine, scene = session.engine, session.engine.scene(read_state(state))
    group = f"picture-{number}"
    for column, name in enumerate(scene.columns):
        ours = engine.images(scene, scene.groups[1], column)
        assert same_bits(names["images"][group][name], ours)
    # The command that is said to find the latents finds them.
    [line] = [one for one in told["commands"] if one.startswith("# aligned invert")]
    assert main(shlex.split(line)[2:]) == 0
    with np.load(f"{group}-inverted/x_y.npz") as found, np.load(f"{group}.npz") as kept:
        key = "z" if space == "z" else "ws"
        assert same_bits(found[key], kept[key])
    for line in told["commands"]:
        if not line.startswith("#"):
            assert main(shlex.split(line)[1:]) == 0
    with Image.open(f"{group}.png") as image, Image.open(f"pictures/{group}.png") as ours:
        np.testing.assert_array_equal(np.asarray(image), np.asarray(ours))


def test_an_own_picture_is_drawn_by_the_command_that_is_shown(
    client, finished, tmp_path, monkeypatch
):
    """Without edits too, and the zip says how its latents were found."""
    monkeypatch.chdir(tmp_path)
    picture = np.random.RandomState(4).randint(0, 256, (8, 8, 3)).astype(np.uint8)
    words = urlencode({"steps": "2", "compare": "pixels", "name": "me.png"})
    done = finished(json.loads(client.request("POST", f"upload?{words}", png(picture))[2]))
    name = f"picture-{done['result']['picture']}"
    state = {"seeds": [2], "pictures": [done["result"]["picture"]]}
    [origin, *lines] = client.ask("explain", {"state": state})["commands"]
    content = client.request("POST", "save", json.dumps({"state": state, "what": "zip"}))[2]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    assert origin.startswith(f"# aligned invert {PARENT} photographs/me.png --space w+")
    assert (tmp_path / "commands.sh").read_text().splitlines() == ["set -e", origin, *lines]
    assert [line.split()[1] for line in lines] == ["family", "family"]
    for line, out in zip(lines, ("seeds.png", f"{name}.png"), strict=True):
        assert main(shlex.split(line)[1:]) == 0
        with Image.open(out) as image, Image.open(f"pictures/{out}") as ours:
            np.testing.assert_array_equal(np.asarray(image), np.asarray(ours))


def test_asking_for_a_task_too_early_does_not_hide_it():
    board, done = TaskBoard(), threading.Event()
    with pytest.raises(UserError, match="there is no task '1'"):
        board.get("1")
    task = board.start(lambda task: {"done": done.set()})
    assert done.wait(10) and board.get(task.number) is task and task.number == "1"


def test_an_inversion_can_be_stopped(client, finished):
    picture = np.zeros((8, 8, 3), np.uint8)
    words = urlencode({"steps": "5000", "compare": "pixels"})
    status = json.loads(client.request("POST", f"upload?{words}", png(picture))[2])
    assert "other work is going on" in client.refused(f"upload?{words}", png(picture))
    client.request("POST", f"task/{status['task']}/stop")
    stopped = finished(status)
    assert stopped["state"] == "stopped" and stopped["result"] is None
    assert "there is no task" in client.refused("task/999/stop", {})


@pytest.mark.parametrize(
    "more", [{}, {"last": 1}, {"loop": False, "frames": 4}, {"scale": 1}, {"first": 1, "last": 1}]
)
def test_a_film_is_that_of_its_command(client, finished, tmp_path, monkeypatch, more):
    monkeypatch.chdir(tmp_path)
    pins = [{"seeds": [1]}, {"seeds": [], "pad": {"seeds": [1, 2, 3, 4], "x": 0.1, "y": 0.5}}]
    given = {"pins": pins, "frames": 3, "scale": 2, **more}
    done = finished(client.ask("film", given))
    assert done["state"] == "done", done
    status, headers, film = client.request(
        "POST", "film/done", json.dumps({"done": done["result"]["film"]})
    )
    assert status == 200 and headers["content-type"] == "image/webp"
    (tmp_path / "pins.npz").write_bytes(base64.b64decode(done["result"]["pins"]))
    assert main(shlex.split(done["result"]["command"])[1:]) == 0
    again = frames_of((tmp_path / "film.webp").read_bytes())
    ours = frames_of(film)
    np.testing.assert_array_equal(ours, again)
    legs = 2 if given.get("loop", True) else 1
    size = 8 * given["scale"]
    assert ours.shape == (legs * (given["frames"] - 1) + (legs == 1), size, size, 3)


def test_pins_in_several_spaces_meet_in_w(client, finished, session):
    pins = [{"seeds": [1]}, {"seeds": [1], "psi": 0.2}]
    done = finished(client.ask("film", {"pins": pins, "frames": 2, "loop": False, "scale": 1}))
    assert done["state"] == "done", done
    content = base64.b64decode(done["result"]["pins"])
    with np.load(io.BytesIO(content)) as file:
        parent = session.engine.family.parent
        scene = session.engine.scene(read_state(pins[1]))
        ws = scene.groups[0].latents.in_space(parent, "w+").arrays["ws"]
        assert same_bits(file["ws"][1:], ws)


def test_films_that_cannot_be(client):
    for given, said in (
        ({"pins": [{"seeds": [1]}]}, "2 to 24 pins"),
        ({"pins": [{"seeds": [1]}] * 2, "last": 2, "path": "x"}, "path is unknown; last is"),
        ({"pins": [{"seeds": [1, 2]}] * 2}, "pins[0] is no single row"),
        ({"pins": [{"seeds": [1]}] * 2, "loop": 1}, "loop is true or false"),
    ):
        assert said in client.refused("film", given)
    assert "no such film" in client.refused("film/done", {"done": "x"})


SLID = {**STATE, "edits": [{"name": "2_2", "by": 1.0}]}


@pytest.mark.parametrize("slider", ["psi", "blend.t2", "edits.0.by"])
def test_a_slider_s_film_shows_the_page_at_each_value(client, finished, session, slider):
    given = {"state": SLID, "slider": slider, "start": 0.25, "end": 0.75, "frames": 3}
    done = finished(client.ask("slide", given))
    assert done["state"] == "done", done
    film = client.request("POST", "film/done", json.dumps({"done": done["result"]["film"]}))[2]
    frames = frames_of(film)
    assert len(frames) == 4  # there and back, without the last one again
    np.testing.assert_array_equal(frames[1], frames[3])
    names = ["seed 1", "seed 4"]
    for frame, value in zip(frames, (0.25, 0.5, 0.75), strict=False):
        state = json.loads(json.dumps(SLID))
        holder = {"psi": state, "blend.t2": state["blend"], "edits.0.by": state["edits"][0]}
        holder[slider][slider.rpartition(".")[2]] = value
        scene = session.engine.scene(read_state(state))
        [group] = scene.groups
        images = [to_uint8(session.engine.images(scene, group, k)) for k in range(3)]
        called = {"psi": "psi", "blend.t2": "t2 weights", "edits.0.by": "2_2"}[slider]
        shown = figure(np.stack(images, 1), scene.columns, names, title=f"{called} {value:.2f}")
        np.testing.assert_array_equal(frame, shown)
    once = finished(client.ask("slide", {**given, "back": False, "frames": 2}))
    film = client.request("POST", "film/done", json.dumps({"done": once["result"]["film"]}))[2]
    assert len(frames_of(film)) == 2


def test_sliders_that_cannot_move(client):
    usual = {"state": STATE, "slider": "psi", "start": 0, "end": 1}
    for change, said in (
        ({"slider": "seeds"}, "slider is one of psi, pad.x"),
        ({"slider": "pad.x"}, "there is no pad to move"),
        ({"slider": "edits.3.by"}, "there is no edit 3 on the stack"),
        ({"start": "a", "frames": 1, "x": 2}, "x is unknown; start is a number; frames is a whole"),
        ({"back": 1}, "back is true or false"),
        ({"slider": "blend.t2", "end": 1e9}, "t2"),
        ({"state": 3}, "state is what the page shows"),
    ):
        assert said in client.refused("slide", {**usual, **change})
    assert "state is missing" in client.refused("slide", {"slider": "psi"})


def test_words_need_a_clip(client):
    assert "--clip" in client.refused("words", {"target": "a", "neutral": "b"})
    assert "two texts" in client.refused("words", {"target": ""})


def test_words_become_an_edit(session, monkeypatch, client, finished):
    tilt = session.engine.shelf.directions["tilt"]
    asked = {}

    def find(network, **given):
        asked.update(given, network=network)
        return type("Found", (), {"direction": tilt, "summary": "found"})

    monkeypatch.setattr(sessions, "text_direction", find)
    clip = object()
    monkeypatch.setattr(session, "_clip", clip)
    done = finished(client.ask("words", {"target": "a hat", "neutral": "a head", "label": 2}))
    assert done["result"] == {"edit": "words: a hat", "summary": "found"}
    assert asked["network"] is session.engine.family.parent and asked["clip"] is clip
    assert asked["options"].index.label == 2 and asked["neutral"] == "a head"
    state = {"seeds": [0], "edits": [{"name": "words: a hat", "by": 1.0}]}
    assert client.pictures(state) != client.pictures({"seeds": [0]})


def test_readers_score_every_picture(session):
    from aligned_jax.jobs.judges import NamedJudge

    def judge(images):
        return {"mean": images.mean((1, 2, 3)), "odds": 3 * images.std((1, 2, 3))}

    reader = NamedJudge("test", judge, ("mean", "odds"), frozenset({"odds"}))
    engine = Engine(session.engine.family, session.engine.shelf, (reader,))
    scene = engine.scene(read_state({"seeds": [0, 1]}))
    cells = list(engine.cells(scene))
    images = np.clip(engine.images(scene, scene.groups[0], 1), -1, 1)
    scores = [cell.scores for cell in cells if cell.column == 1]
    for score, image in zip(scores, images, strict=True):
        assert score["mean"] == pytest.approx(image.mean(), abs=1e-5)
        assert score["odds"] == pytest.approx(1 / (1 + np.exp(-3 * image.std())), abs=1e-5)
