"""The study of translation in miniature: every row, what chance looks like, and going on."""

import dataclasses
import functools
import io
import json
import shlex
from importlib.util import find_spec

import jax
import numpy as np
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax import evaluation, features
from aligned_jax.networks import init_variables
from studies import translation, translation_report, translation_scores
from studies.likeness import MEASURES
from tests.networks.small_encoder import ENCODER, GENERATOR, filled, provenance_of
from tests.standins import Nearness, Projection, projection

pytestmark = pytest.mark.skipif(not find_spec("dicebear"), reason="needs the extra avatars")
COUNT = 5


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["variables"],
    meta_fields=["name", "sha256", "options"],
)
@dataclasses.dataclass(frozen=True, eq=False)
class Coarse(Projection):
    """A stand-in that sees all of a picture."""

    def __call__(self, images):
        return super().__call__(images[:, ::4, ::4])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A dataset, a parent with an encoder, a child of other colours, and a stranger."""
    from aligned_jax.data.avatar_source import AvatarSource
    from aligned_jax.data.writer import write_dataset

    folder = tmp_path_factory.mktemp("study")
    source = AvatarSource("personas", 1, 2 * COUNT + 1, 32, roll=20.0, yaw=1.0)
    write_dataset(source, folder / "data", "aligned data avatars ...", workers=1)
    for name, seed in (("parent", 0), ("child", 0), ("other", 1)):
        network = aj.Network(GENERATOR, init_variables(GENERATOR, jax.random.key(seed)))
        if name == "child":
            network.variables["params"]["synthesis"]["b32"]["torgb"]["bias"] += 0.1
        aj.save(folder / name, network)
    parent = aj.load(folder / "parent")
    whose = {"generator": provenance_of("parent", parent)}
    aj.save(folder / "E", aj.EncoderNetwork(ENCODER, filled(ENCODER, 1)), whose)
    return folder


@pytest.fixture
def study(files, monkeypatch, tmp_path):
    """Runs the study; returns its document."""
    monkeypatch.setattr(features, "lpips", lambda net: Nearness())

    def load(name):
        return Nearness() if name == "lpips_vgg" else Coarse(name, projection(name).variables)

    monkeypatch.setattr(evaluation, "load", load)

    def run(*options, work=tmp_path / "work"):
        names = {"parent": "parent", "near": "child", "distant": "child", "control": "other"}
        line = [part for k, v in names.items() for part in (f"--{k}", str(files / v))]
        for name in ("data", "near-data", "distant-data"):
            line += [f"--{name}", str(files / "data")]
        line += ["--images", str(COUNT), "--steps", "2", "--batch", "4", "--work", str(work)]
        line += options
        translation.main(line)
        document = json.loads((work / "translation_study.json").read_text())
        assert document["command"] == shlex.join(["python", "-m", "studies.translation", *line])
        return document

    return run


@pytest.mark.slow
def test_a_row_for_every_way_and_network(study, files, tmp_path, capsys):
    out = tmp_path / "docs"
    encoder = ["--encoder", f"mine={files / 'E'}"]
    document = study("--space", "z,w+", *encoder, "--show", "2", "--out", str(out))
    names = [(row["latents"], row["drawn by"]) for row in document["rows"]]
    networks = ("parent", "near", "distant", "control")
    expected = [(way, network) for way in ("z", "w+", "mine", "random z") for network in networks]
    assert names == [*expected, *(("real images", name) for name in networks[:3])]
    for row in document["rows"]:
        assert np.isfinite([row["fd_vgg"], row["kid_vgg"]]).all()
        for name in MEASURES if "survives" in row else ():
            assert 0 <= row["survives"][name]["survival"] <= 1
            assert -1.001 <= row["survives"][name]["correlation"] <= 1.001
    # Those of a child with nearly the parent's weights are like the inversions.
    near, control = document["rows"][1]["survives"], document["rows"][3]["survives"]
    assert near != control
    text = (out / "translation_study.md").read_text()
    assert f"\n{document['command']}\n" in text
    assert text.count("\n| ") == len(names) + 2 and "50 % is chance" in text
    assert text in capsys.readouterr().out or "| latents |" in text
    assert (out / "images" / "translation_study.png").stat().st_size > 1000
    page = (tmp_path / "work" / "translation_study.html").read_text()
    assert "data:image/png" in page and "What survives translation" in page
    assert not (tmp_path / "work" / "translation_study.md").exists()


@pytest.mark.slow
def test_an_interrupted_study_goes_on(study, tmp_path, monkeypatch):
    whole = study("--space", "w+")
    files = sorted((tmp_path / "work" / "inversions" / "w+").iterdir())
    assert len(files) == COUNT
    times = {file: file.stat().st_mtime_ns for file in files}
    files[1].unlink()
    files[2].write_bytes(b"damaged")
    again = study("--space", "w+")
    assert [f for f in files if f.stat().st_mtime_ns != times[f]] == [files[1], files[2]]
    ours, theirs = (run["rows"][0]["rmse"] for run in (whole, again))
    assert ours == pytest.approx(theirs, rel=0.05)
    monkeypatch.setattr(translation.inversion, "parts", None)  # nothing is left to invert
    assert study("--space", "w+")["rows"][0] == again["rows"][0]


@pytest.mark.slow
def test_every_option_of_an_inversion_makes_it_anew(study, files, tmp_path, monkeypatch):
    study("--space", "w+")
    asked = []

    def asks(parent, sources, loss, settings, key, batch):
        asked.append(
            (len(sources), settings, loss.weights, len(loss.parts), jax.random.key_data(key))
        )
        return iter(())

    monkeypatch.setattr(translation.inversion, "parts", asks)
    for option in (
        ["--steps", "3"],
        ["--noise", "drop"],
        ["--pixels", "5"],
        ["--perceptual", "none"],
        ["--seed", "1"],
    ):
        with pytest.raises(AttributeError):  # nothing was found
            study("--space", "w+", *option)
    assert [count for count, *_ in asked] == [COUNT] * 5
    assert len({str(each) for each in asked}) == 5
    assert asked[0][1].steps == 3 and asked[1][1].noise == "drop"
    assert asked[2][2] == (1.0, 5.0) and asked[3][3] == 1 and asked[4][4].tolist() == [0, 1]


@pytest.mark.slow
def test_other_counts(study):
    few = study("--space", "w", "--reals", "3", "--images", "4", "--show-ways", "w")
    more = study("--space", "w", "--images", "4")
    assert few["rows"][0]["rmse"] == more["rows"][0]["rmse"]
    assert few["rows"][-1]["kid_vgg"] != more["rows"][-1]["kid_vgg"]


def test_permuted_pairs_come_out_near_chance():
    """Pictures that are their own translations survive; dealt to others they do not."""
    rng = np.random.default_rng(0)
    images = np.full((40, 16, 16, 3), 255, np.uint8)
    for image in images:
        left, width, top = rng.integers(0, 5), rng.integers(4, 10), rng.integers(0, 8)
        image[top:, left : left + width] = rng.integers(0, 220, 3)
    scorer = translation_scores.Scorer(None, {}, None, 0)
    likeness = scorer.likeness(images, images // 2 + 127)
    own, chance = likeness["mean survival"], likeness["mean permuted"]
    assert own > 0.7 and abs(chance - 0.5) < 0.1
    assert likeness["position"]["survival"] > 0.9 and likeness["position"]["permuted"] < 0.7
    other = translation_scores.Scorer(None, {}, None, 1).likeness(images, images)
    assert other["mean survival"] > 0.9 and other["mean permuted"] != chance
    wrong = scorer.likeness(images, np.roll(images, 1, axis=0))
    assert abs(wrong["mean survival"] - 0.5) < 0.15


def test_the_picture_shows_what_is_asked_for():
    white = np.full((3, 16, 16, 3), 255, np.uint8)
    images = {way: {"parent": white, "near": white} for way in ("z", "w")}
    sizes = []
    for show, ways in ((2, ["z", "w"]), (3, ["z", "w"]), (2, ["z"])):
        drawn = translation_report.picture(white, images, show, ways)
        sizes.append(Image.open(io.BytesIO(drawn)).size)
    (width, height), (same, higher), (narrower, low) = sizes
    assert same == width and higher > height and narrower < width and low == height


def test_style_vectors_are_refused(capsys):
    line = ["--work", "w", "--data", "d", "--near-data", "n", "--distant-data", "f"]
    assert translation.parse([*line, "--space", "z,w"]).space == ["z", "w"]
    with pytest.raises(SystemExit):
        translation.parse([*line, "--space", "w,s"])
    assert "style vectors are not part of this study" in capsys.readouterr().err
