"""Directions of a small network: planted scores are found again, and every option counts."""

import dataclasses
import json

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.jobs import judges
from aligned_jax.jobs.directions import found as found_job
from aligned_jax.latents import style_layers, z_from_seeds
from aligned_jax.networks import fingerprint
from aligned_jax.rendering import LatentBatch
from aligned_jax.semantics import Direction, directions
from aligned_jax.semantics.directions import fit
from tests.jobs.small_inputs import PARENT, aligned

COUNT = 400


@pytest.fixture(autouse=True)
def few_latents(monkeypatch):
    """Sigmas are measured on fewer latents than users get."""
    monkeypatch.setattr(fit, "_COUNT", 1000)
    monkeypatch.setattr(found_job, "_COUNT", 1000)


@pytest.fixture(scope="module")
def planted(network):
    """Scores of seeds that two directions of Z decide."""
    z = z_from_seeds(network.config, range(COUNT))
    first, second = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 2)))[0].T
    noise = np.random.default_rng(1).standard_normal((2, COUNT)) * 0.1
    values = {"glasses": z @ first + 0.2 + noise[0], "yaw": 10 * (z @ second + noise[1])}
    values = {name: value.astype(np.float32) for name, value in values.items()}
    return judges.SeedScores(np.arange(COUNT), values), first, second


def bright(images):
    """A judge: how bright pictures are, and how red."""
    return {
        "bright": images.mean(axis=(1, 2, 3)),
        "red": images[..., 0].mean(axis=(1, 2)) - images[..., 1:].mean(axis=(1, 2, 3)),
    }


def options(**changes):
    return jobs.SearchOptions(**({"space": "z", "tails": 0.1, "bootstrap": 2} | changes))


def find(network, planted, attributes=("glasses",), without=(), **changes):
    return jobs.find_directions(
        network, planted[0], attributes, options=options(**changes), without=without
    )


@pytest.mark.parametrize("method", directions.METHODS)
def test_a_planted_direction_is_found(network, planted, method):
    [found] = find(network, planted, method=method).values()
    assert found.direction.vectors["z"] @ planted[1] > 0.95
    assert found.direction.sigma == pytest.approx(1)
    assert found.direction.network == fingerprint(network.variables)
    assert found.merits.accuracy > 0.85 and found.merits.auc > 0.95
    assert found.merits.population == int(0.3 * COUNT) and found.warnings == []
    assert abs(found.merits.correlations["yaw"]) < 0.3 and abs(found.merits.cosines["yaw"]) < 0.4
    assert found.direction.found["measured_on"] == "120 random latents"
    json.dumps(found.direction.found)
    z = z_from_seeds(network.config, range(COUNT))
    share = (z @ found.direction.vectors["z"] + found.direction.intercept > 0).mean()
    assert share == pytest.approx((planted[0].values["glasses"] > 0).mean(), abs=0.1)


@pytest.mark.parametrize(
    "change",
    [{"method": "logistic"}, {"tails": None}, {"tails": 0.2}, {"seed": 1},
     {"threshold": 0.5, "tails": None}, {"threshold": "median", "tails": None},
     {"space": "w"}, {"space": "s"}],
)  # fmt: skip
def test_every_option_changes_the_direction(network, planted, change):
    [plain] = find(network, planted).values()
    [other] = find(network, planted, **change).values()
    same = plain.direction.vectors.keys() == other.direction.vectors.keys()
    assert not same or (plain.direction.vectors["z"] != other.direction.vectors["z"]).any()
    if "threshold" in change:
        [tails] = find(network, planted, tails=None).values()
        assert (tails.direction.vectors["z"] != other.direction.vectors["z"]).any()


@pytest.mark.slow
def test_what_else_counts(network, planted):
    [plain] = find(network, planted, space="s").values()
    [more] = find(network, planted, space="s", torgb=True).values()
    assert set(more.direction.vectors) - set(plain.direction.vectors) == {"b4.torgb", "b8.torgb"}
    [few] = find(network, planted, space="s", layers=(0,)).values()
    assert set(few.direction.vectors) == {"b4.conv1"}
    assert plain.direction.sigma == 1 and plain.direction.layers is None
    [rows] = find(network, planted, space="w", layers=(0, 1)).values()
    assert rows.direction.layers == (0, 1)
    [none] = find(network, planted, bootstrap=0).values()
    assert none.merits.bootstrap is None
    [truncated] = jobs.find_directions(
        network, planted[0], ["glasses"], options=options(space="w"), psi=0.5
    ).values()
    [whole] = find(network, planted, space="w").values()
    assert truncated.direction.found["psi"] == 0.5
    assert (truncated.direction.vectors["w"] != whole.direction.vectors["w"]).any()


def test_a_step_in_styles_is_one_deviation(network, planted):
    [found] = find(network, planted, space="s").values()
    styles = network.styles(network.mapping(z_from_seeds(network.config, range(1000))))
    vectors = {k: v.astype(np.float64) for k, v in found.direction.vectors.items()}
    length = np.sqrt(sum((v**2).sum() for v in vectors.values()))
    scores = sum(np.asarray(styles[name]) @ v for name, v in vectors.items()) / length
    assert scores.std() == pytest.approx(length, rel=1e-3)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["attribute", "file", "direction"])
def test_conditioned_on_attributes_files_and_directions(network, planted, kind, tmp_path):
    scores = planted[0].values
    mixed = judges.SeedScores(
        planted[0].seeds, {**scores, "roll": scores["glasses"] + scores["yaw"] / 10}
    )
    first, second = Direction("z", {"z": planted[1].astype(np.float32)}, 1.0, ""), "yaw"
    plain = jobs.find_directions(network, mixed, options=options())
    if kind == "file":
        plain["yaw"].write(tmp_path / "yaw.npz")
        second = str(tmp_path / "yaw.npz")
    elif kind == "direction":
        second = plain["yaw"].direction
    [found] = jobs.find_directions(
        network, mixed, ["roll"], options=options(), without=[second]
    ).values()
    vector = found.direction.vectors["z"]
    assert abs(vector @ plain["yaw"].direction.vectors["z"]) < 1e-6
    assert found.merits.conditioned == pytest.approx(
        float(vector @ plain["roll"].direction.vectors["z"]), abs=1e-5
    )
    assert len(found.direction.found["without"]) == 1
    [both] = jobs.find_directions(
        network, mixed, ["roll"], options=options(), without=[second, "glasses", first]
    ).values()
    for other in ("glasses", "yaw"):
        assert abs(both.direction.vectors["z"] @ plain[other].direction.vectors["z"]) < 1e-6


def test_conditioning_that_changes_nothing_is_said(network, planted):
    [plain] = find(network, planted).values()
    normal = plain.direction.vectors["z"].astype(np.float64)
    across = np.r_[-normal[1], normal[0], np.zeros(4)] + 0.01 * normal
    other = Direction("z", {"z": across.astype(np.float32)}, 1.0, "")
    with pytest.warns(UserWarning, match="glasses: the conditioning changes nothing"):
        [found] = find(network, planted, without=[other]).values()
    assert any("changes nothing" in sentence for sentence in found.warnings)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_judge_looks_at_pictures_and_at_the_edit(network):
    def search(**changes):
        how = options(space="w", threshold="median")
        given = {"count": 120, "held_out": 40, "effect": 4, "batch": 32, "options": how}
        return jobs.find_directions(network, bright, **{**given, **changes})

    found = search(attributes=["bright"])["bright"]
    assert found.effects["bright"] > 0.1
    assert found.direction.found["judge"] == "bright" and found.merits.population == 40
    again = search(attributes=["bright"], batch=16)["bright"]
    np.testing.assert_allclose(
        again.direction.vectors["w"], found.direction.vectors["w"], atol=1e-2
    )
    for changes in ({"count": 100}, {"held_out": 30}, {"psi": 0.5}, {"effect": 8}):
        other = search(attributes=["bright"], **changes)["bright"]
        assert (other.merits, other.effects) != (found.merits, found.effects)
    assert search(attributes=["bright"], effect=0)["bright"].effects == {}
    assert list(search()) == ["bright", "red"]


def test_an_edit_that_goes_the_wrong_way_is_said(network, planted):
    [found] = find(network, planted).values()
    wrong = dataclasses.replace(found, effects={"glasses": -0.2, "yaw": 0.1})
    assert wrong.warnings == ["the edit does not raise glasses: -0.20 deviations a sigma"]
    leaking = dataclasses.replace(found, effects={"glasses": 0.2, "yaw": -0.3})
    assert leaking.warnings == [
        "the edit changes yaw (-0.30 deviations a sigma) more than glasses (+0.20)"
    ]
    assert "a sigma moves: yaw -0.30, glasses +0.20" in leaking.table()
    assert "glasses: svm in z, 56 examples, sigma 1" in found.table()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_directions_between_sets(network, planted, tmp_path):
    scores = planted[0].values["glasses"]
    order = np.argsort(scores)
    low, high = order[:40].tolist(), order[-40:].tolist()
    for space in ("z", "w", "s"):
        found = jobs.direction_between(network, high, low, name="g", options=options(space=space))
        other = jobs.direction_between(network, low, high, options=options(space=space))
        for name, vector in found.direction.vectors.items():
            np.testing.assert_allclose(other.direction.vectors[name], -vector, atol=1e-2)
        assert found.merits.accuracy > 0.9 and found.merits.population == 80
    assert jobs.direction_between(network, high, low, options=options()).direction.vectors[
        "z"
    ] @ planted[1] > 0.9  # fmt: skip
    ws = np.asarray(network.mapping(z_from_seeds(network.config, [*high, *low]))).copy()
    ws[:, 1] += 0.3 * np.random.default_rng(0).standard_normal((80, 6)).astype(np.float32)
    np.savez(tmp_path / "high.npz", ws=ws[:40])
    np.savez(tmp_path / "low.npz", ws=ws[40:])
    found = jobs.direction_between(
        network, str(tmp_path / "high.npz"), str(tmp_path / "low.npz"), options=options(space="w")
    )
    assert found.direction.vectors["w"].shape == (network.config.num_ws, 6)
    with pytest.raises(UserError, match="from which no way leads to z"):
        jobs.direction_between(network, str(tmp_path / "high.npz"), high, options=options())
    with pytest.raises(UserError, match="3 latents with the attribute"):
        jobs.direction_between(network, [0, 1, 2], low, options=options())
    with pytest.raises(UserError, match="yaw: without scores, `without` takes files"):
        jobs.direction_between(network, high, low, options=options(), without=["yaw"])
    without = jobs.direction_between(
        network, high, low, options=options(), without=[Direction("z", {"z": planted[2]}, 1.0, "")]
    )
    assert abs(without.direction.vectors["z"] @ planted[2]) < 1e-6
    truncated = jobs.direction_between(network, high, low, options=options(space="w"), psi=0.5)
    whole = jobs.direction_between(network, high, low, options=options(space="w"))
    assert (truncated.direction.vectors["w"] != whole.direction.vectors["w"]).any()


def test_folders_of_inversions_are_latents(network, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "inversions.json").write_text("{}")
    shift = {"a": 1, "b": -1}
    for folder, sign in shift.items():
        for number in range(6):
            ws = np.random.default_rng(number).standard_normal((1, 1, 6)) + 3 * sign
            np.savez(tmp_path / folder / f"{number}.npz", ws=np.repeat(ws, 4, axis=1))
    found = jobs.direction_between(
        network, tmp_path / "a", tmp_path / "b", options=options(space="w", method="mean")
    )
    np.testing.assert_allclose(found.direction.vectors["w"], np.full(6, 6**-0.5), atol=1e-6)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "inversions.json").write_text("{}")
    with pytest.raises(UserError, match="but no inversions NAME"):
        jobs.direction_between(network, tmp_path / "empty", tmp_path / "b", options=options())


def test_scores_that_do_not_do(network, planted):
    with pytest.raises(UserError, match="no attribute 'hat'; there are glasses, yaw"):
        find(network, planted, ["hat"])
    with pytest.raises(UserError, match="no attribute 'hat'; there are glasses, yaw"):
        find(network, planted, without=["hat"])
    for wrong, message in (
        ({"space": "x"}, "space is 'x'; it is z, w, s"),
        ({"method": "x"}, "method is 'x'; it is svm"),
        ({"tails": 0.7}, "tails are 0.7"),
        ({"threshold": "mean"}, "threshold is 'mean'; a number, or median"),
        ({"bootstrap": -1}, "bootstrap is -1"),
        ({"torgb": True}, "toRGB is a matter of space s"),
    ):
        with pytest.raises(UserError, match=message):
            options(**wrong)
    few = judges.SeedScores(np.arange(12), {"a": np.arange(12, dtype=np.float32)})
    with pytest.raises(UserError, match="9 latents to fit to and 3 to measure on"):
        jobs.find_directions(network, few)
    flat = judges.SeedScores(np.arange(60), {"a": np.ones(60, np.float32)})
    with pytest.raises(UserError, match="a: all 42 scores are 1; nothing can be told apart"):
        jobs.find_directions(network, flat, ["a"])
    with (
        pytest.raises(UserError, match="scores tells nothing that varies"),
        pytest.warns(UserWarning, match="no direction of a: all 42"),
    ):
        jobs.find_directions(network, flat)
    with pytest.raises(UserError, match="z is the same for all rows"):
        find(network, planted, layers=(0,))
    with pytest.raises(UserError, match=r"no row 9 of W\+"):
        find(network, planted, space="w", layers=(9,))


def test_components_of_w_and_of_layers(network):
    found = jobs.component_directions(network, 3, samples=500, rows=(0, 1))
    assert list(found) == ["pca-00", "pca-01", "pca-02"]
    w = np.asarray(network.mapping(z_from_seeds(network.config, range(500)))[:, 0], np.float64)
    for one in found.values():
        scores = w @ one.vectors["w"] + one.intercept
        assert scores.std() == pytest.approx(one.sigma, rel=1e-4) and abs(scores.mean()) < 1e-5
        assert one.layers == (0, 1)
    assert [one.sigma for one in found.values()] == sorted(
        (one.sigma for one in found.values()), reverse=True
    )
    by_layer = jobs.component_directions(network, 2, style_layers=["b8.conv0", 0], samples=500)
    assert list(by_layer) == [f"pca-{n}-0{k}" for n in ("b8.conv0", "b4.conv1") for k in range(2)]
    one = by_layer["pca-b8.conv0-00"]
    styles = np.asarray(network.styles(w.astype(np.float32))["b8.conv0"], np.float64)
    values, vectors = np.linalg.eigh(np.cov(styles.T, ddof=0))
    expected = vectors[:, -1] * np.sqrt(values[-1])
    expected *= np.sign(expected[np.abs(expected).argmax()])
    np.testing.assert_allclose(one.vectors["b8.conv0"], expected, atol=1e-4)
    assert (one.space, one.sigma) == ("s", 1.0)
    other = jobs.component_directions(network, 3, samples=600)
    assert (other["pca-00"].vectors["w"] != found["pca-00"].vectors["w"]).any()
    for wrong, message in (
        ({"style_layers": ["b9"]}, "no such style layer"),
        ({"style_layers": [0], "rows": [0]}, "give either style layers, or rows"),
        ({"rows": [7]}, r"no row 7 of W\+"),
        ({"samples": 1}, "need at least 2"),
        ({"label": 0}, "unconditional"),
        ({"count": 7}, "7 directions were asked for; there are 1 to 6"),
    ):
        with pytest.raises(UserError, match=message):
            jobs.component_directions(network, **{"count": 3, "samples": 500, **wrong})


def test_closed_form_directions(network):
    found = jobs.closed_form_directions(network, 2, samples=300)
    factors = directions.closed_form(network, 2)
    w = np.asarray(network.mapping(z_from_seeds(network.config, range(300)))[:, 0], np.float64)
    for number, one in enumerate(found.values()):
        np.testing.assert_allclose(one.vectors["w"], factors.vectors[number], atol=1e-6)
        scores = w @ one.vectors["w"] + one.intercept
        assert scores.std() == pytest.approx(one.sigma, rel=1e-4) and abs(scores.mean()) < 1e-5
        assert one.found["normalised"] and one.found["torgb"] and one.layers is None
    for change in ({"normalise": False}, {"torgb": False}, {"rows": (1,)}):
        other = jobs.closed_form_directions(network, 2, samples=300, **change)
        assert (other["sefa-00"].vectors["w"] != found["sefa-00"].vectors["w"]).any()
        if "rows" in change:
            assert other["sefa-00"].layers == (1,)
    assert not other["sefa-00"].found["torgb"] or "rows" in change
    sigma = jobs.closed_form_directions(network, 2, samples=200)["sefa-00"].sigma
    assert sigma != found["sefa-00"].sigma


def test_shown_directions(network, planted, tmp_path):
    found = find(network, planted, ["glasses", "yaw"])
    jobs.write_directions(tmp_path / "d", {k: v.direction for k, v in found.items()})
    files = [tmp_path / "d" / f"{name}.npz" for name in found]
    shown = jobs.show_directions(files, network)
    names = [str(file) for file in files]
    assert list(shown.directions) == names
    expected = float(found["glasses"].direction.vectors["z"] @ found["yaw"].direction.vectors["z"])
    assert shown.cosines()[names[0]] == {names[1]: pytest.approx(expected, abs=1e-6)}
    table = shown.table()
    assert "in z, all rows, sigma 1, intercept" in table and "attribute yaw" in table
    assert f"cosines: {names[1]} {expected:+.3f}" in table
    assert shown.document()[names[0]]["found"]["attribute"] == "glasses"
    w = jobs.component_directions(network, 1, samples=50)
    jobs.write_directions(tmp_path / "w", w)
    mixed = jobs.show_directions([*files, tmp_path / "w" / "pca-00.npz"])
    assert list(mixed.cosines()[names[0]]) == [names[1]]
    channels = {"a": Direction("s", {"b8.conv0": np.float32([1, 0, 0, 0])}, 1.0, ""),
                "b": Direction("s", {"b8.conv1": np.float32([1, 0, 0, 0])}, 1.0, "")}  # fmt: skip
    jobs.write_directions(tmp_path / "s", channels)
    s = jobs.show_directions([tmp_path / "s" / "a.npz", tmp_path / "s" / "b.npz"])
    assert next(iter(s.cosines().values())) == {str(tmp_path / "s" / "b.npz"): 0.0}
    with pytest.raises(UserError, match="is not empty"):
        jobs.write_directions(tmp_path / "s", channels)


def test_the_verb_does_the_same(network, planted, tmp_path):
    scores, table = planted[0].values, tmp_path / "scores.csv"
    rows = zip(planted[0].seeds, *scores.values(), strict=True)
    table.write_text("seed,glasses,yaw\n" + "".join(f"{s},{a!s},{b!s}\n" for s, a, b in rows))
    words = ("--judge", table, "--space", "z", "--tails", 0.1, "--bootstrap", 2)
    said = aligned("directions", "find", PARENT, *words, "--out", tmp_path / "found")
    expected = find(network, planted, None)
    for name, one in expected.items():
        assert one.table() in said
        read = jobs.read_direction(tmp_path / "found" / f"{name}.npz", network)
        np.testing.assert_array_equal(read.vectors["z"], one.direction.vectors["z"])
    said = aligned("directions", "show", *(tmp_path / "found").glob("*.npz"))
    assert "attribute glasses" in said
    said = aligned("directions", "pca", PARENT, "--count", 2, "--samples", 99, "--out",
                   tmp_path / "pca")  # fmt: skip
    assert "pca-00: " in said and f"wrote {tmp_path / 'pca'}: 2 directions" in said
    aligned("directions", "sefa", PARENT, "--count", 2, "--raw", "--no-torgb", "--layers", "0-1",
            "--samples", 99, "--out", tmp_path / "sefa")  # fmt: skip
    read = jobs.read_direction(tmp_path / "sefa" / "sefa-01.npz")
    raw = jobs.closed_form_directions(
        network, 2, rows=(0, 1), normalise=False, torgb=False, samples=99
    )
    np.testing.assert_array_equal(read.vectors["w"], raw["sefa-01"].vectors["w"])
    assert read.layers == (0, 1)


def test_latents_of_a_batch_are_a_set(network):
    z = z_from_seeds(network.config, range(20))
    names, numbers = tuple(map(str, range(20))), np.arange(20, dtype=np.uint32)
    c = np.zeros((20, 0), np.float32)
    high = LatentBatch({"z": z + 1, "c": c}, names, numbers)
    low = LatentBatch({"z": z - 1, "c": c}, names, numbers)
    found = jobs.direction_between(network, high, low, options=options(method="mean"))
    np.testing.assert_allclose(found.direction.vectors["z"], np.full(6, 6**-0.5), atol=1e-6)
    assert {layer.name for layer in style_layers(network.config)} >= {"b4.conv1"}


def test_unknown_attributes_are_refused_before_much_is_drawn(network):
    seen = []

    def judge(images):
        seen.append(len(images))
        return bright(images)

    for asked, without in ((["hat"], []), (["red"], ["hat"])):
        with pytest.raises(UserError, match="no attribute 'hat'; there are bright, red"):
            jobs.find_directions(network, judge, asked, without=without)
    assert sum(seen) == 4
