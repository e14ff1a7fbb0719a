"""Jobs about style channels, in networks of which it is known what every channel does."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.jobs.channel_evidence import Evidence
from aligned_jax.jobs.channel_family import ChannelFamily, parent_statistics
from aligned_jax.jobs.channels import _showing_first
from aligned_jax.latents import z_from_seeds
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.utils.reporting import QUIET, Reporter
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT, moved
from tests.planted import PARTS, QUARTERS, judge, planted, segment

SMALL = {"statistics": 200, "seeds": "0-5"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


class Listener(Reporter):
    """Keeps warnings."""

    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def align(*children, **options):
    """Of planted networks; the first child has two channels in each other's place."""
    options = SMALL | {"names": ["parent", "child", "other"][: 1 + len(children)]} | options
    if options.get("control") is not None:
        options["names"] = [*options["names"], "control"]
    return jobs.alignment(planted(), children, **options)


def scores(result, row=0):
    return {name: one.value for name, one in result.rows[row].scores.items()}


@pytest.fixture(scope="module")
def swapped():
    return planted(places=(1, 0, 2))


@pytest.fixture(scope="module")
def aligned_pair(swapped, tmp_path_factory):
    """A child, and the parent itself as control."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        return align(swapped, control=planted(), judge=judge, judged=4)


@pytest.mark.slow
def test_known_channels_score_as_they_should(aligned_pair):
    child, control = aligned_pair.rows
    assert (child.control, control.control) == (False, True)
    assert scores(aligned_pair)["nearest"] == 0.5
    assert scores(aligned_pair, 1)["nearest"] == 1
    assert child.slopes["upper left"].sign < 1 == control.slopes["upper left"].sign
    assert control.attributes["upper left"] == pytest.approx(1)
    assert child.attributes["upper right"] > 0.9 > child.attributes["upper left"]


@pytest.mark.slow
def test_the_report_tells_what_was_measured(aligned_pair, tmp_path):
    aligned_pair.write(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "alignment.json",
        "index.html",
    ]
    document = json.loads((tmp_path / "out" / "alignment.json").read_text())
    assert (document["torgb"], document["psi"], document["strength"]) == (True, 1, 5)
    assert document["unit"]["latents"] == 200 and document["unit"]["psi"] == 1
    assert document["latents"] == [f"seed {k}" for k in range(6)]
    child = document["networks"][0]
    assert child["scores"]["nearest"]["value"] == 0.5
    assert child["channels"]["nearest"][:4] == [0, 0, 1, 1]
    assert document["channels"][:4] == ["0_0", "0_1", "0_2", "0_3"]
    assert child["by_layer"]["b8.conv1"]["nearest"] is None, "its channels are dead"
    page = (tmp_path / "out" / "index.html").read_text()
    for text in (
        "child, channels shuffled",
        "control (control)",
        "upper left",
        "with toRGB layers",
    ):
        assert text in page
    assert "nearest of all 0.500" in aligned_pair.table()
    with pytest.raises(UserError, match="not empty"):
        aligned_pair.write(tmp_path / "out")
    aligned_pair.write(tmp_path / "out", overwrite=True)


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": "0-3"},
        {"psi": 0.5},
        {"strength": 1.0},
        {"torgb": False},
        {"statistics": 30},
        {"resamples": 9},
    ],
)
def test_every_option_of_alignment_counts(usual, change):
    other = pair_scores(**change)
    assert usual != other
    if "resamples" in change:
        assert {k: v[0] for k, v in usual.items()} == {k: v[0] for k, v in other.items()}


def pair_scores(**options):
    """Means and errors of a child whose weights were moved."""
    parent = loading.load(PARENT)
    options = {**SMALL, "names": ["a", "b"]} | options
    [row] = jobs.alignment(parent, [moved(parent, 0.3)], **options).rows
    return {name: (one.value, one.error) for name, one in row.scores.items()}


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        return pair_scores()


def test_children_of_moved_data_are_told(tmp_path):
    result = align(planted(shift=2), planted(), moved=["flip:horizontal", "flip:horizontal"])
    follows, stays = (row.locality for row in result.rows)
    assert (follows.share, stays.share) == (1, 0)
    result.write(tmp_path / "out")
    assert "if the data were moved" in (tmp_path / "out" / "index.html").read_text()
    document = json.loads((tmp_path / "out" / "alignment.json").read_text())
    assert document["networks"][0]["locality"]["channels"] == 4
    with pytest.raises(UserError, match="1 moves for 2 children"):
        align(planted(), planted(), moved=["none"])


def test_judges_of_two_domains_and_fewer_channels(swapped):
    result = align(swapped, judge=judge, child_judge=turned, judged=1)
    row = result.rows[0]
    assert list(row.slopes) == list(PARTS) and max(s.sure for s in row.slopes.values()) <= 1
    same = align(swapped, judge=judge, judged=1).rows[0]
    assert same.attributes["upper left"] != row.attributes["upper left"]


def turned(images):
    return {name: -value for name, value in judge(images).items()} | {"fur": np.zeros(len(images))}


@pytest.mark.slow
def test_a_run_is_scored_over_its_snapshots(tmp_path, swapped):
    for kimg, network in ((0, planted()), (2, planted()), (4, swapped)):
        folder = tmp_path / "run" / "checkpoints" / f"kimg-{kimg:06d}"
        loading.save(folder, network, {"kind": "made for a test"})
    listener = Listener()
    result = jobs.alignment(planted(), [tmp_path / "run"], report=listener, **SMALL)
    assert [(row.name, row.kimg) for row in result.rows] == [
        ("run@0", 0),
        ("run@2", 2),
        ("run@4", 4),
    ]
    assert [scores(result, k)["nearest"] for k in range(3)] == [1, 1, 0.5]
    result.write(tmp_path / "out")
    assert "Snapshots of run." in (tmp_path / "out" / "index.html").read_text()
    fewer = jobs.alignment(planted(), [tmp_path / "run"], snapshots=2, **SMALL)
    assert [row.kimg for row in fewer.rows] == [0, 4]
    one = jobs.alignment(planted(), [f"{tmp_path}/run@2"], **SMALL)
    assert [row.kimg for row in one.rows] == [None]


def test_networks_that_are_no_relatives_are_warned_of_but_for_the_control(tmp_path):
    noise = planted()
    noise = dataclasses.replace(
        noise,
        variables={
            **noise.variables,
            "noise": {
                "synthesis": {
                    block: {
                        layer: {"noise_const": 1 + value["noise_const"]}
                        for layer, value in layers.items()
                    }
                    for block, layers in noise.variables["noise"]["synthesis"].items()
                }
            },
        },
        provenance=None,
    )
    plain = dataclasses.replace(planted(), provenance=None)
    listener = Listener()
    options = {**SMALL, "names": ["a", "b"], "report": listener, "resamples": 0}
    jobs.alignment(plain, [noise], **options)
    assert len(listener.warnings) == 1 and "no common ancestor" in listener.warnings[0]
    options["names"] = ["a", "b", "c"]
    jobs.alignment(plain, [plain], control=noise, **options)
    assert len(listener.warnings) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"children": []}, "no child was given"),
        ({"children": "x.pkl"}, "list of names"),
        ({"child_judge": judge}, "needs one of the parent"),
        ({"names": ["a"]}, "1 names for 2 networks"),
        ({"children": [DATA / "generator_skip32.pkl"]}, "img_resolution 32"),
        ({"strength": -1.0}, "must be more than 0"),
        ({"label": 1}, "label"),
    ],
)
def test_what_cannot_be_aligned(options, message):
    options = {"children": [planted()], "names": ["a", "b"], **SMALL} | options
    with pytest.raises(UserError, match=message):
        jobs.alignment(planted(), options.pop("children"), **options)


def found(*more, **options):
    names = ["net", "child"][: 1 + len(more)]
    return jobs.channels([planted(), *more], **SMALL | {"names": names} | options)


def first(table):
    return (table.rows[0].layer, table.rows[0].channel)


@pytest.mark.parametrize("part", range(3))
def test_the_channel_of_a_part_is_found_by_a_function_and_by_masks(part, tmp_path):
    by_function = found(segment=segment, part=PARTS[part], torgb=False)
    assert first(by_function) == ("b4.conv1", part)
    assert by_function.rows[0].figures["accepted"]
    for k, name in enumerate(PARTS):
        (tmp_path / name).mkdir()
        mask = np.zeros((8, 8), np.uint8)
        mask[QUARTERS[k]] = 255
        for seed in range(6):
            Image.fromarray(mask).save(tmp_path / name / f"{seed}.png")
    by_masks = found(masks=tmp_path, part=PARTS[part], torgb=False)
    assert by_masks.rows[0].name == by_function.rows[0].name
    assert by_masks.rows[0].figures == by_function.rows[0].figures
    assert {row.layer for row in by_function.rows} == {"b4.conv1"}, "others are dead"


def test_channels_that_hardly_show_come_last():
    latents = latents_of_seeds(planted().config, range(3))
    unit = parent_statistics(planted(), 100, None, QUIET)
    family = ChannelFamily({"net": planted()}, latents, unit)
    ranked = [("b8.conv1", 1), ("b4.conv1", 1), ("b4.conv1", 0), ("b8.conv0", 2)]
    evidence = Evidence("a part", ranked, {"frequency": np.float32([0.9, 0.8, 0.7, 0.6])}, {})
    shown = _showing_first(family, evidence, 1, 5.0, 8, QUIET)
    assert shown.channels == [ranked[1], ranked[2], ranked[0], ranked[3]]
    assert shown.figures["frequency"].tolist() == pytest.approx([0.8, 0.7, 0.9, 0.6])


@pytest.mark.parametrize("part", range(3))
def test_the_channel_of_an_attribute_is_found_with_its_sign(part):
    table = found(judge=judge, attribute=PARTS[part], samples=300)
    assert first(table) == ("b4.conv1", part)
    figures = table.rows[0].figures
    assert figures["shift"] > 1 and figures["slope"] > 0
    assert figures["others"] < 0.1


@pytest.mark.slow
def test_examples_are_seeds_or_files_of_latents(tmp_path):
    network = planted()
    seeds = range(200)
    z = z_from_seeds(network.config, seeds)
    best = np.argsort(-judge(np.asarray(network(z)))["upper right"])[:12]
    table = found(examples=[int(seed) for seed in best])
    assert first(table) == ("b4.conv1", 2)
    np.savez(tmp_path / "inverted.npz", ws=np.asarray(network.mapping(z[best])))
    stored = found(examples=[str(tmp_path / "inverted.npz")])
    assert [row.name for row in stored.rows] == [row.name for row in table.rows]
    listener = Listener()
    found(examples=f"{best[0]},{best[1]}", report=listener)
    assert "2 examples are few" in listener.warnings[0]
    judged = found(examples=[int(s) for s in best], judge=judge, attribute="upper right")
    assert "slope" in judged.rows[0].figures


def test_the_survey_has_three_orders_and_leaves_dead_channels_out(swapped):
    effect, local, untangled = (found(swapped, by=by) for by in ("effect", "local", "untangled"))
    for table in (effect, local, untangled):
        assert {row.layer for row in table.rows} == {"b4.conv1"} and len(table.rows) == 4
    values = [row.effects["net"] for row in effect.rows]
    assert values == sorted(values, reverse=True)
    leakages = [row.leakages["net"] for row in local.rows[:3]]
    assert leakages == sorted(leakages)
    entanglements = [row.figures["entanglement"] for row in untangled.rows[:3]]
    assert entanglements == sorted(entanglements)
    row = next(row for row in effect.rows if row.channel == 0)
    assert row.cosines["net"] == pytest.approx(1) and row.cosines["child"] < 0.1
    assert row.leakages["child"] > 0.9


@pytest.mark.slow
def test_options_of_channels_count():
    parent = loading.load(PARENT)

    def names(**options):
        return [row.name for row in jobs.channels([parent], **SMALL | options).rows]

    usual = names()
    assert len(usual) == 12 and names(top=3) == usual[:3]
    assert any(name.startswith("1_") for name in usual)
    assert not any(name.startswith(("1_", "4_")) for name in names(torgb=False))
    sized = [
        jobs.channels([parent], **SMALL | options).rows[0].effects
        for options in ({}, {"strength": 1.0}, {"psi": 0.3}, {"seeds": "7"}, {"statistics": 20})
    ]
    assert len({tuple(one.values()) for one in sized}) == 5


def test_the_table_is_written_with_pictures(tmp_path, swapped):
    table = found(swapped, top=2)
    table.write(tmp_path / "out")
    document = json.loads((tmp_path / "out" / "channels.json").read_text())
    assert document["around"] == "each latent's own value"
    row = document["channels"][0]
    assert row["sigma"] > 0 and set(row["effect"]) == {"net", "child"}
    sheet = table.sheet()
    assert sheet.images.shape == (4, 6, 8, 8, 3)
    assert sheet.columns == ("-5", "seed 0", "+5", "-5", "seed 1", "+5")
    # As it is, a picture is what the network draws; less and more are not.
    from aligned_jax.viz import to_uint8

    plain = to_uint8(np.asarray(planted()(_z(planted(), [0]))))[0]
    assert np.abs(sheet.images[0, 1].astype(int) - plain).max() <= 1
    assert np.abs(sheet.images[0, 0].astype(int) - plain).max() > 3
    assert (tmp_path / "out" / "channels.png").read_bytes().startswith(b"\x89PNG")
    assert "cosine in child" in (tmp_path / "out" / "index.html").read_text()


def _z(network, seeds):
    from aligned_jax.latents import z_from_seeds

    return z_from_seeds(network.config, seeds)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "size"}, "choose effect, local, untangled"),
        ({"by": "local", "judge": judge}, "give one of them"),
        ({"segment": segment, "judge": judge}, "give one of them"),
        ({"segment": segment, "masks": "x"}, "either a function"),
        ({"segment": segment}, "which part. choose one of upper left"),
        ({"segment": segment, "part": "nose"}, "no part 'nose'; there are upper left"),
        ({"segment": lambda images: images[..., 0]}, "gave parts of shape"),
        ({"masks": "nowhere", "part": "a"}, "nowhere is no folder"),
        ({"judge": judge, "samples": 20}, "which attribute. choose one of upper left"),
        ({"judge": judge, "attribute": "age", "samples": 20}, "no attribute 'age'"),
        ({"judge": judge, "attribute": "upper left", "samples": 5}, "5 samples are too few"),
        ({"judge": lambda x: {"a": np.ones(len(x))}, "samples": 20}, "a is 1 in all of 20"),
        ({"examples": "3"}, "1 example"),
        ({"examples": ["a.png", "b.png"]}, "aligned invert"),
        ({"top": 0}, "0 channels"),
    ],
)
def test_what_cannot_be_searched(options, message):
    with pytest.raises(UserError, match=message):
        found(report=Listener(), **options)


def test_masks_that_do_not_fit(tmp_path):
    with pytest.raises(UserError, match="has no folders"):
        found(masks=tmp_path)
    (tmp_path / "nose").mkdir()
    with pytest.raises(UserError, match=r"lacks nose/0.png, nose/1.png"):
        found(masks=tmp_path)
    for seed in range(6):
        Image.new("L", (4, 4)).save(tmp_path / "nose" / f"{seed}.png")
    with pytest.raises(UserError, match="4 x 4 pixels; the pictures have 8 x 8"):
        found(masks=tmp_path)
    (tmp_path / "nose" / "0.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="cannot be read"):
        found(masks=tmp_path)
