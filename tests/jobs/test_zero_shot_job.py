"""`jobs.zero_shot` on a tiny parent and a child that is nearly the parent, with a planted truth."""

import csv
import dataclasses
import itertools
import json

import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.jobs.judges import SeedScores
from aligned_jax.jobs.sources import PictureOptions
from aligned_jax.jobs.zero_shot import galleries
from aligned_jax.jobs.zero_shot.run import ZeroShotOptions
from aligned_jax.latents import z_from_seeds
from aligned_jax.semantics import Direction
from aligned_jax.viz import to_uint8
from tests.jobs.small_inputs import PARENT, moved, save_images

SHORT = ZeroShotOptions(samples=160, child_samples=100, batch=80, mirrored=8, supervised=0)
COUNT = 60


def judge(images):
    """Brightness, as log-odds and as a value; how far to the right it is; and what never varies."""
    light = images.mean(axis=(1, 2, 3))
    side = images[:, :, 4:].mean(axis=(1, 2, 3)) - images[:, :, :4].mean(axis=(1, 2, 3))
    return {"bright": light - MIDDLE, "yaw": side, "dull": np.zeros(len(images))}


MIDDLE = 0.12


@pytest.fixture(scope="module")
def parent():
    return loading.load(PARENT)


@pytest.fixture(scope="module")
def child(parent):
    return moved(parent, 0.01)


@pytest.fixture(scope="module")
def pictures(child):
    """uint8 pictures of seeds that no sample has."""
    return to_uint8(np.asarray(child(z_from_seeds(child.config, range(9000, 9000 + COUNT)))))


@pytest.fixture(scope="module")
def truth(pictures):
    return judge(pictures.astype(np.float32) / 127.5 - 1)


@pytest.fixture(scope="module")
def data(pictures, truth, tmp_path_factory):
    """A table file,name,value beside its pictures."""
    folder = save_images(tmp_path_factory.mktemp("data") / "d", pictures)
    with open(folder / "truth.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "name", "value"])
        for row in range(COUNT):
            table.writerow([f"{row}.png", "bright", "yes" if truth["bright"][row] > 0 else "no"])
            table.writerow([f"{row}.png", "yaw", f"{truth['yaw'][row]:.6f}"])
    return folder / "truth.csv"


def run(task, parent, child, data, options=SHORT, teacher=judge, **more):
    return jobs.zero_shot(task, parent, child, teacher, data=data, options=options, **more)


@pytest.fixture(scope="module")
def labels(parent, child, data):
    options = dataclasses.replace(SHORT, ways=("latent", "translate", "paired"))
    return run("classify", parent, child, data, options, control=moved(parent, 1.0, seed=3))


@pytest.fixture(scope="module")
def values(parent, child, data):
    return run("regress", parent, child, data, attributes=["yaw"])


@pytest.mark.slow
def test_labels_by_every_way(labels, truth):
    assert labels.attributes == ("bright",)
    ways = {one.way: one.figures for one in labels.of("bright")}
    assert list(ways) == ["latent", "translate", "paired"]
    for figures in ways.values():
        assert figures["AUC"] > 0.75 and figures["n"] == COUNT
    control = {one.way: one.figures["AUC"] for one in labels.of("bright", "control")}
    assert max(control.values()) < min(figures["AUC"] for figures in ways.values())
    who = [row[0] for row in labels.rows("bright")]
    assert "chance" in who and "supervised, cross-validated" in who
    assert "supervised on latents, cross-validated" in who
    assert labels.verdicts()["bright"].startswith("holds")
    assert "bright (60 pictures)" in labels.text()


def test_values_and_mirrors(values):
    [one] = values.of("yaw")
    assert one.kinds is None and one.figures["Spearman"] > 0.5
    assert one.mirror["n"] == 8 and -1 <= one.mirror["correlation"] <= 1
    assert "sign" in values.verdicts()["yaw"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "option",
    [{"space": "s"}, {"method": "svm"}, {"samples": 120}, {"first_seed": 500}, {"psi": 0.5},
     {"threshold": "prevalence"}, {"threshold": "tails"}, {"child_samples": 80},
     {"ways": ("paired",)}],
)  # fmt: skip
def test_every_option_changes_the_labels(parent, child, data, labels, option):
    found = run("classify", parent, child, data, dataclasses.replace(SHORT, **option))
    before, after = labels.of("bright")[0], found.of("bright")[0]
    changed = np.abs(before.values - after.values).max() > 0
    assert changed or before.threshold != after.threshold


@pytest.mark.parametrize(
    "option",
    [{"method": "distance"}, {"standardise": False}, {"population": "samples"}, {"mirrored": 4},
     {"odd": ()}, {"both_sides": True}],
)  # fmt: skip
def test_every_option_changes_the_values(parent, child, data, values, option):
    options = dataclasses.replace(SHORT, **option)
    found = run("regress", parent, child, data, options, attributes=["yaw"])
    before, after = values.of("yaw")[0], found.of("yaw")[0]
    assert np.abs(before.values - after.values).max() > 0 or before.mirror != after.mirror


@pytest.mark.slow
def test_tails_leave_some_undecided(parent, child, data):
    options = dataclasses.replace(SHORT, threshold="tails", tails=0.2)
    [one] = run("classify", parent, child, data, options).of("bright")
    assert (one.kinds == -1).mean() == pytest.approx(0.6, abs=0.05)
    assert one.figures["decided"] == pytest.approx(0.4, abs=0.05)


@pytest.mark.slow
def test_other_teachers(parent, child, data, labels, tmp_path):
    """Scores by seed; answers of `aligned label`; a direction, with its intercept."""
    images = np.clip(parent(z_from_seeds(parent.config, range(160))), -1, 1)
    scores = SeedScores(np.arange(160), {"bright": judge(np.asarray(images))["bright"]})
    by_seed = run("classify", parent, child, data, teacher=scores).of("bright")[0]
    np.testing.assert_allclose(by_seed.values, labels.of("bright")[0].values, rtol=1e-3, atol=1e-3)
    yes = np.flatnonzero(scores.values["bright"] > 0)[:20].tolist()
    no = np.flatnonzero(scores.values["bright"] <= 0)[:20].tolist()
    answers = jobs.label_seeds(parent, "bright", yes=yes, no=no, pool="0-59", batch=60)
    answers.write(tmp_path / "bright.json")
    taught = run("classify", parent, child, data, teacher=tmp_path / "bright.json").of("bright")[0]
    assert taught.figures["AUC"] > 0.7
    ws = np.asarray(parent.mapping(z_from_seeds(parent.config, range(50))))[:, 0]
    direction = answers.model.direction(parent.config, ws)
    led = run("classify", parent, child, data, teacher={"bright": direction}).of("bright")[0]
    np.testing.assert_array_equal(led.kinds, taught.kinds)
    with pytest.raises(UserError, match=r"translate.*needs a judge of pictures"):
        run("classify", parent, child, data, dataclasses.replace(SHORT, ways=("translate",)),
            teacher=scores)  # fmt: skip


@pytest.fixture(scope="module")
def direction(parent):
    """A direction whose boundary cuts the parent's samples in halves."""
    vector = np.float32([1, 2, 0, -1, 0, 1]) / np.sqrt(np.float32(7))
    ws = np.asarray(parent.mapping(z_from_seeds(parent.config, range(160))))[:, 0]
    middle = float(np.median(ws @ vector))
    return Direction("w", {"w": vector}, float((ws @ vector).std()), "", -middle)


def test_directions_in_files(parent, child, pictures, direction, tmp_path):
    def labelled(file, task="classify", **more):
        options = dataclasses.replace(SHORT, **more)
        teacher = jobs.DirectionFiles([file])
        found = jobs.zero_shot(task, parent, child, teacher, pictures, options=options)
        return found, found.readings[0]

    jobs.write_direction(tmp_path / "side.npz", direction)
    found, plain = labelled(tmp_path / "side.npz")
    assert found.attributes == ("side",) and found.facts["teacher"].endswith("side.npz")
    assert found.facts["models"] == "direction in w; 160 samples"
    assert plain.threshold.high == 0 and set(plain.kinds) == {0, 1}
    given = jobs.zero_shot("classify", parent, child, {"side": direction}, pictures, options=SHORT)
    np.testing.assert_array_equal(given.readings[0].values, plain.values)
    # The intercept is the boundary.
    high = dataclasses.replace(direction, intercept=direction.intercept - direction.sigma)
    jobs.write_direction(tmp_path / "high.npz", high)
    assert labelled(tmp_path / "high.npz")[1].kinds.sum() < plain.kinds.sum()
    # Without one there are still tails, and values.
    told = {"attribute": "tilt", "method": "pca"}
    jobs.write_direction(tmp_path / "none.npz",
                         dataclasses.replace(direction, intercept=None, found=told))  # fmt: skip
    with pytest.raises(UserError, match=r"tilt has no intercept.*\(`threshold='tails'`\)"):
        labelled(tmp_path / "none.npz")
    found, tails = labelled(tmp_path / "none.npz", threshold="tails")
    assert set(tails.kinds) == {-1, 0, 1} and found.attributes == ("tilt",)
    assert found.facts["models"] == "pca in w; 160 samples"
    values = labelled(tmp_path / "none.npz", "regress", standardise=False)[1].values
    assert np.corrcoef(values, plain.values)[0, 1] > 0.999


def test_directions_that_do_not_fit(parent, child, pictures, direction, tmp_path):
    def refused(words, *files, space=None):
        teacher = jobs.DirectionFiles([tmp_path / f"{file}.npz" for file in files], space)
        with pytest.raises(UserError, match=words):
            jobs.zero_shot("classify", parent, child, teacher, pictures[:2], options=SHORT)

    vector = direction.vectors["w"]
    for name, vectors, space in (("w", {"w": vector}, "w"), ("z", {"z": vector}, "z"),
                                 ("wide", {"w": np.ones(7, np.float32)}, "w")):  # fmt: skip
        changed = dataclasses.replace(direction, space=space, vectors=vectors)
        jobs.write_direction(tmp_path / f"{name}.npz", changed)
    told = dataclasses.replace(direction, found={"attribute": "w"})
    jobs.write_direction(tmp_path / "same.npz", told)
    refused("is in z, where latents have no linear scores", "z")
    refused(r"wide.npz.*7", "wide")
    refused("is a direction in w, not in s", "w", space="s")
    refused("two directions are of w", "w", "same")
    refused("no such file", "none")


def test_pictures_without_truth_by_the_optimiser(parent, child, pictures):
    how = PictureOptions(steps=3, perceptual="none", pixels=1.0)
    found = jobs.zero_shot("classify", parent, child, judge, pictures[:3], options=SHORT,
                           pictures=how, attributes=["bright"])  # fmt: skip
    [one] = found.of("bright")
    assert one.figures is None and found.verdicts() == {} and "not known" in found.text()
    assert "3 steps of the optimiser" in found.facts["inverted by"]
    assert found.facts["population"] == "samples"


def test_bins_that_are_called_alike_stay_apart():
    values = np.linspace(100.0, 100.5, 70)
    found = galleries.bins(values)
    assert len({name for name, _ in found}) < len(found) == 7
    rows = np.concatenate([rows for _, rows in found])
    assert len(rows) == len(set(rows.tolist())) == 28
    assert all(values[a].max() <= values[b].min() for (_, a), (_, b) in itertools.pairwise(found))
    assert len(galleries.bins(np.ones(9))) == 7, "none differs from the others"


def test_files(labels, values, tmp_path):
    labels.write(tmp_path / "x.csv")
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert len(rows) == 3 * COUNT and rows[0].keys() >= {"file", "name", "value", "label", "way"}
    values.write(tmp_path / "x.json")
    stored = json.loads((tmp_path / "x.json").read_text())
    assert stored["verdicts"] == values.verdicts() and stored["readings"][0]["mirror"]["n"] == 8
    pages = {"a": (labels, ("positive", "neutral", "negative")),
             "b": (values, ("By the way latent", "mirrored pictures"))}  # fmt: skip
    for name, (found, words) in pages.items():
        found.write(tmp_path / f"{name}.html")
        html = (tmp_path / f"{name}.html").read_text()
        assert all(word in html for word in (*words, "supervised", "chance"))
    labels.write(tmp_path / "a.png")
    assert json.loads((tmp_path / "a.json").read_text())["task"] == "classify"
    ranked, [kinds, *_] = labels.sheet(), labels.of(labels.attributes[0])
    assert ranked.images.shape[:2] == (3 * len(labels.attributes), 8)
    np.testing.assert_array_equal(
        ranked.images[0, 0], labels.pictures.images[np.argmax(kinds.values)]
    )
    binned, bright = values.sheet(), values.of(values.attributes[0])[0].values
    assert binned.images.shape[:2] == (4 * len(values.attributes), 7)
    lowest = values.pictures.images[bright <= np.quantile(bright, 0.3)]
    assert any((binned.images[0, 0] == image).all() for image in lowest)
    with pytest.raises(UserError, match="already exists"):
        labels.write(tmp_path / "x.csv")
    with pytest.raises(UserError, match=r"a\.json already exists"):
        (tmp_path / "a.png").unlink()
        labels.write(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"NAME.html, NAME.png, NAME.json or NAME.csv"):
        labels.write(tmp_path / "x.txt")


def test_what_cannot_be_done(parent, child, data, pictures):
    def refused(words, task="classify", options=SHORT, **given):
        arguments = {"parent": parent, "child": child, "data": data, **given}
        with pytest.raises(UserError, match=words):
            run(task, options=options, **arguments)

    refused("does not know hat; it knows bright, yaw, dull", attributes=["hat"])
    refused("all 160 scores are equal", attributes=["dull"])
    never = {"teacher": lambda images: {"never": -1 - images.mean(axis=(1, 2, 3)) ** 2}}
    refused("single class, no", attributes=["never"], **never)
    refused("scores all samples of the parent alike", **never)
    refused("not aligned", child=loading.load(PARENT.with_name("avatars_parent.pkl")))
    refused("either pictures, or data", images=pictures)
    refused("the task is 'count'", task="count")
    with pytest.raises(UserError, match="50 are needed at least"):
        run("classify", parent, child, data, dataclasses.replace(SHORT, samples=10))
    refused("to regress it is ridge or distance", "regress",
            dataclasses.replace(SHORT, method="svm"))  # fmt: skip
    refused("ways are latent, translate, paired", options=dataclasses.replace(SHORT, ways=("x",)))
    for wrong in ({"threshold": "x"}, {"tails": 0.9}, {"population": "x"}, {"child_samples": 1}):
        with pytest.raises(UserError):
            ZeroShotOptions(**wrong)
