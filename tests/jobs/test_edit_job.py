"""Edits of a small family: names, recipes, masks, strengths and films, and the verb."""

import functools
import itertools
import json

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, loading, semantics, viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.edits.masks import mask_of
from aligned_jax.jobs.edits.words import WordOptions, strength_in
from aligned_jax.latents import z_from_seeds
from aligned_jax.rendering import latents_of_seeds, render
from aligned_jax.rendering.editing import edited
from aligned_jax.semantics import Direction, leakage
from aligned_jax.semantics.edits import Edit
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT, aligned, moved

SAMPLES = 1000


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    """Files of directions: w.npz, z.npz."""
    place = tmp_path_factory.mktemp("directions") / "d"
    found = {
        space: Direction(space, {space: vector / np.linalg.norm(vector)}, 0.7, "", -0.1)
        for space, vector in (("w", np.float32([1, 2, 0, -1, 0, 1])), ("z", np.float32([1] * 6)))
    }
    jobs.write_directions(place, found)
    return place


def ask(*edits, **more):
    return jobs.EditRequest(edits, **{"samples": SAMPLES, **more})


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_words(network, folder):
    assert strength_in("a/b.npz:-2.5") == ("a/b.npz", -2.5)
    assert strength_in("15_45") == ("15_45", None) and strength_in("c:x.npz") == ("c:x.npz", None)
    words = [f"{folder}/w.npz:2", f"{folder}/z.npz", "2_2:-4", "b8.conv0_1"]
    options = WordOptions(samples=SAMPLES)
    found = jobs.read_edits("", network, words, options)
    assert [edit.summary for edit in found] == ["w +2", "z +3", "2_2 -4", "2_1 +6"]
    std = jobs.known_statistics(network, count=SAMPLES).std["b8.conv0"]
    np.testing.assert_array_equal(found[2].direction.vectors["b8.conv0"], [0, 0, std[2], 0])
    told = WordOptions(5.0, True, (0, 1), samples=SAMPLES)
    [one] = jobs.read_edits("", network, words[:1], told)
    assert (one.amount, one.to, one.layers) == (2.0, True, (0, 1))
    [one] = jobs.read_edits("", network, [f"{folder}/w.npz"], told)
    assert one.amount == 5.0
    assert jobs.read_edits("", network, found)[0] is found[0]
    for words, message in (
        ([f"{folder}/x.npz:2"], "x.npz: no such file"),
        (["2_99:1"], "no channel 99 in style layer 2"),
        (["99_1"], "no such style layer: 99"),
    ):
        with pytest.raises(UserError, match=message):
            jobs.read_edits("", network, words, options)


def test_a_vector_of_another_program(network, tmp_path):
    np.save(tmp_path / "age.npy", np.ones((1, 6)))
    words = [f"{tmp_path}/age.npy:2"]
    with pytest.raises(UserError, match="does not say what space it is in"):
        jobs.edit([network], ask(*words))
    family = jobs.edit([network], ask(*words, space="z"))
    assert family.recipe.edits[0].direction.space == "z"


def test_rows_are_the_edits_of_each_network(network, child, folder):
    request = ask(f"{folder}/w.npz:2", f"{folder}/z.npz:1", "2_2:-4")
    family = jobs.edit([PARENT, child], request, latents=[3, 4], psi=0.5)
    sheet = family.sheet(columns=3)
    said = ("+50%", "w +2, z +1, 2_2 -4")
    assert sheet.columns == ("seed 3", *said, "seed 4", *said)
    assert sheet.rows == ("hostile_baseline_ok", "child") and sheet.group == 3
    for row, one in enumerate((network, loading.load(child))):
        latents = latents_of_seeds(one.config, [3, 4], psi=0.5)
        for column, factor in enumerate((0.0, 0.5, 1.0)):
            after = edited(one, latents, family.recipe.edits, factor)
            images = viz.to_uint8(render(one, after)).astype(int)
            assert np.abs(images - sheet.images[row, column::3]).max() <= 1
    assert set(family.changes) == {"hostile_baseline_ok", "child"}
    assert family.changes["child"] > 0


def test_a_channel_shows_both_sides(network):
    sheet = jobs.edit([network], ask(channel="2_2", strength=4.0), latents="0").sheet()
    assert sheet.columns == ("-4", "seed 0", "+4")
    one_side = jobs.edit([network], ask(channel="2_2"), latents="0", both=False).sheet()
    assert one_side.columns == ("seed 0", "+6")
    both = jobs.edit([network], ask("2_2:4"), latents="0", both=True).sheet(5)
    assert both.columns == ("-4", "-2", "seed 0", "+2", "+4")
    np.testing.assert_array_equal(both.images[:, ::2], sheet.images)
    family = jobs.edit([network], ask("2_2:4"), latents="0", both=True)
    for steps, message in ((2, "2 columns for each latent; there are at least 3"),
                           (4, "leave out the middle")):  # fmt: skip
        with pytest.raises(UserError, match=message):
            family.sheet(steps)


def test_truncation_changes_no_shift(network):
    """What --psi decides is what is drawn, never how far an edit goes."""
    shifts = []
    for psi in (0.3, 1.0):
        family = jobs.edit([network], ask(channel="2_2", strength=4.0), latents="0", psi=psi)
        before = family.latents.styles(network).style_vectors()["b8.conv0"]
        after = edited(network, family.latents, family.recipe.edits).style_vectors()["b8.conv0"]
        shifts.append(after - before)
    np.testing.assert_allclose(shifts[0], shifts[1], atol=1e-6)
    std = jobs.known_statistics(network, count=SAMPLES).std["b8.conv0"]
    assert shifts[0][0, 2] == pytest.approx(4 * std[2], rel=1e-5)


def test_order_does_not_matter(network, folder):
    words = [f"{folder}/w.npz:2", "2_2:-4", "2_1:3"]
    first, *others = (
        jobs.edit([network], ask(*order), latents="0").sheet().images
        for order in itertools.permutations(words)
    )
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_a_random_channel_is_the_parents_choice(network, child, monkeypatch):
    few = functools.partial(semantics.visible_channels, tried=1)
    monkeypatch.setattr(semantics, "visible_channels", few)

    def chosen(networks, seed):
        return jobs.edit(networks, ask(random=seed), latents="0").recipe.edits[0].name

    first = [chosen([network], seed) for seed in range(4)]
    assert len(set(first)) > 1
    assert [chosen([network, child], seed) for seed in range(2)] == first[:2]


def test_recipes_replay(network, folder, tmp_path):
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    request = ask(f"{folder}/w.npz:2.5", "2_2:-4", layers=[0, 1], mask=tmp_path / "mask.png")
    family = jobs.edit([network], request, latents="0-1")
    family.recipe.write(tmp_path / "r.json")
    again = jobs.edit([network], ask(recipe=tmp_path / "r.json"), latents="0-1")
    np.testing.assert_array_equal(again.sheet().images, family.sheet().images)
    more = jobs.edit([network], ask("2_1:3", recipe=tmp_path / "r.json"), latents="0-1")
    assert [edit.name for edit in more.recipe.edits] == ["w", "2_2", "2_1"]
    jobs.edit([moved(network, 0.1)], ask(recipe=tmp_path / "r.json"), latents="0")  # a relative
    stranger = jax.tree.map(lambda value: value + 1, network)
    with pytest.warns(UserWarning, match="2_2 was found in another network, which is no relative"):
        jobs.edit([stranger], ask(recipe=tmp_path / "r.json"), latents="0")
    with pytest.raises(UserError, match="already exists"):
        family.recipe.write(tmp_path / "r.json")
    with pytest.raises(UserError, match="more than one mask"):
        jobs.edit([network], ask(recipe=tmp_path / "r.json", mask=tmp_path / "mask.png"))
    idle = ask(recipe=tmp_path / "r.json", strength=2, layers=[0], space="w")
    assert idle.idle == ["strength", "layers", "space"]
    with pytest.warns(UserWarning, match="`strength`, `layers`, `space`: without effect on edits"):
        jobs.edit([network], idle, latents="0")
    wide = Edit(Direction("w", {"w": np.ones((4, 6), np.float32)}, 0.3, "a", 0.5, (0, 1)), 1.0,
                True, name="x")  # fmt: skip
    jobs.EditRecipe((wide,)).write(tmp_path / "wide.json")
    [read] = jobs.read_recipe(tmp_path / "wide.json").edits
    assert read.key() == wide.key() and read.direction.layers == (0, 1)
    assert (read.to, read.name, read.direction.network) == (True, "x", "a")


@pytest.mark.parametrize(
    ("edits", "more", "idle"),
    [
        (["a.npz:2"], {"strength": 3.0}, ["strength"]),
        (["a.npz:2", "b.npz"], {"strength": 3.0, "layers": [0]}, []),
        ([], {"channel": "1_1", "strength": 3.0}, []),
        ([], {"random": 0, "strength": 3.0, "layers": [0], "space": "w"}, ["space"]),
        (["a.npz"], {"strength": "auto", "space": "w"}, []),
    ],
)
def test_what_edits_say_themselves(edits, more, idle):
    assert ask(*edits, **more).idle == idle


def test_recipes_that_are_none(network, folder, tmp_path):
    family = jobs.edit([network], ask(f"{folder}/w.npz:2.5"), latents="0")
    family.recipe.write(tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_text())
    [entry] = document["edits"]

    def read(**changes):
        changed = {k: v for k, v in {**entry, **changes}.items() if v is not ...}
        (tmp_path / "x.json").write_text(json.dumps({**document, "edits": [changed]}))
        return jobs.read_recipe(tmp_path / "x.json")

    assert read(by=7).edits[0].amount == 7.0
    for changes, message in (
        ({"by": "7"}, "by or to is not"),
        ({"by": ...}, "it needs one of by and to"),
        ({"to": 1}, "it needs one of by and to"),
        ({"sigma": -1}, "sigma is not"),
        ({"sigma": ...}, "sigma is missing"),
        ({"space": "x"}, "space is not"),
        ({"vectors": {"w": [1, "a"]}}, "vectors is not"),
        ({"vectors": {"w": [[1], [1, 2]]}}, "vectors is not"),
        ({"vectors": {}}, "vectors is not"),
        ({"layers": [-1]}, "layers is not"),
        ({"found": []}, "found is not"),
        ({"more": 1}, "more is unknown"),
        ({"name": 1}, "name is not"),
        ({"intercept": "a"}, "intercept is not"),
        ({"network": 1}, "network is not"),
    ):
        with pytest.raises(UserError, match=message):
            read(**changes)
    for text, message in (
        ("{}", "is no recipe; `aligned edit` writes one"),
        ("[", "cannot be read"),
        (json.dumps({"recipe": 1, "edits": [3]}), "edit 0: it is no object"),
        (json.dumps({"recipe": 1, "edits": [], "mask": 3}), "its mask is no text"),
        (json.dumps({"recipe": 1, "edits": [], "mask": "%"}), "its mask is no base64"),
        (json.dumps({"recipe": 1, "edits": [], "mask": "abcd"}), "is no picture"),
    ):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(UserError, match=message):
            jobs.read_recipe(tmp_path / "x.json")
    with pytest.raises(UserError, match="no such file"):
        jobs.read_recipe(tmp_path / "none.json")


def test_masks(network, tmp_path):
    values = np.zeros((8, 8), np.uint8)
    values[2:5, 3:6] = 255
    Image.fromarray(values).save(tmp_path / "mask.png")
    plain = jobs.edit([network], ask("2_2:9"), latents="0-1").sheet().images[0]
    masked = jobs.edit([network], ask("2_2:9", mask=tmp_path / "mask.png"), latents="0-1")
    shown, inside = masked.sheet().images[0], values > 0
    for before, whole, after in zip(plain[::2], plain[1::2], shown[1::2], strict=True):
        assert (whole != before).any()
        np.testing.assert_array_equal(after[inside], whole[inside])
        np.testing.assert_array_equal(after[~inside], before[~inside])
    mask = jobs.read_mask(tmp_path / "mask.png")
    np.testing.assert_array_equal(mask_of(mask.text(), "x").values, mask.values)
    assert mask.resized(4).values[1, 2] == pytest.approx(values[2:4, 4:6].mean() / 255)
    assert mask.resized(16).values.shape == (16, 16)
    opacity = np.dstack([np.full((8, 8), 255, np.uint8)] * 3 + [values])
    Image.fromarray(opacity).save(tmp_path / "opacity.png")
    np.testing.assert_array_equal(jobs.read_mask(tmp_path / "opacity.png").values, mask.values)
    Image.fromarray(values[:, :4]).save(tmp_path / "flat.png")
    Image.fromarray(values * 0).save(tmp_path / "black.png")
    (tmp_path / "text.png").write_text("no")
    for name, message in (
        ("flat", "has 4 x 8 pixels; it must be square"),
        ("black", "is black all over"),
        ("text", "is no picture"),
        ("none", "no such file"),
    ):
        with pytest.raises(UserError, match=message):
            jobs.edit([network], ask("2_2:9", mask=tmp_path / f"{name}.png"), latents="0")


def test_targets_and_rows(network, folder):
    family = jobs.edit([network], ask(f"{folder}/w.npz:2", to=True), latents="0-2")
    ws = edited(network, family.latents, family.recipe.edits).arrays["ws"]
    [direction] = [edit.direction for edit in family.recipe.edits]
    np.testing.assert_allclose((ws @ direction.vectors["w"] - 0.1) / 0.7, 2.0, atol=1e-5)
    assert family.sheet().columns[:2] == ("seed 0", "w to +2")
    with pytest.raises(UserError, match="a target has no other side"):
        jobs.edit([network], ask(f"{folder}/w.npz:2", to=True), both=True)
    with pytest.raises(UserError, match="is in s, where no target is defined"):
        jobs.edit([network], ask("2_2:2", to=True))
    rows = jobs.edit([network], ask(f"{folder}/w.npz:2", layers=[0]), latents="0-2")
    ws = edited(network, rows.latents, rows.recipe.edits).arrays["ws"]
    assert (ws[:, 0] != ws[:, 1]).any()


def test_latents_of_files_and_inversions(network, folder, tmp_path):
    ws = np.asarray(network.mapping(z_from_seeds(network.config, [0, 1]), psi=0.5))
    np.savez(tmp_path / "a.npz", ws=ws)
    words = f"{folder}/w.npz:2"
    seeds = jobs.edit([network], ask(words), latents="0-1", psi=0.5).sheet().images
    files = jobs.edit([network], ask(words), latents=str(tmp_path / "a.npz")).sheet().images
    assert np.abs(seeds.astype(int) - files).max() <= 1
    (tmp_path / "inverted").mkdir()
    (tmp_path / "inverted" / "inversions.json").write_text("{}")
    for row in range(2):
        np.savez(tmp_path / "inverted" / f"{row}.npz", ws=ws[row : row + 1])
    family = jobs.edit([network], ask(words), latents=tmp_path / "inverted")
    assert family.latents.names == ("0", "1")
    np.testing.assert_array_equal(family.sheet().images, files)
    with pytest.raises(UserError, match="an edit in an earlier space than the latents"):
        jobs.edit([network], ask(f"{folder}/z.npz:2"), latents=str(tmp_path / "a.npz"))


def test_leakage_of_pictures():
    plain = np.zeros((2, 8, 8, 3))
    near, far = plain.copy(), plain.copy()
    near[:, :2, :2], far[:, :2, :2] = 0.1, 0.2
    far[:, 4:, 4:] = 0.2
    leaks = leakage.picture_leakage([plain, near, 2 * near, far])
    np.testing.assert_allclose(leaks, [0, 0, 16 / 20])
    assert leakage.strongest([1, 2, 3], leaks) == 2.0
    assert leakage.strongest([1, 2, 3], leaks, rise=0.9) == 3.0
    assert leakage.strongest([1, 2], np.asarray([0.5, 0.9])) == 1.0
    spread = plain + np.linspace(0, 0.5, 192).reshape(8, 8, 3)
    assert leakage.picture_leakage([plain, spread])[0] == pytest.approx(0.2, abs=0.05)
    with pytest.raises(UserError, match="changes no picture"):
        leakage.picture_leakage([plain, plain])


def test_leakage_of_scores():
    def scores(a, b):
        return {"a": np.asarray([a, a + 1.0]), "b": np.asarray([b, b + 1.0])}

    steps = [scores(0, 0), scores(1, 0.1), scores(2, -2.0)]
    leaks = leakage.score_leakage("a", steps, {"a": 0.5, "b": 1.0})
    np.testing.assert_allclose(leaks, [0.05, 0.5])
    with pytest.raises(UserError, match="does not know c; it knows a, b"):
        leakage.score_leakage("c", steps, {"a": 0.5, "b": 1.0})
    with pytest.raises(UserError, match="does not move a"):
        leakage.score_leakage("a", steps[:1] * 2, {"a": 0.5, "b": 1.0})
    alone = [{"a": np.zeros(2)}, {"a": np.ones(2)}]
    np.testing.assert_array_equal(leakage.score_leakage("a", alone, {"a": 1.0}), [0.0])


def judge(images):
    """What is bright, and how the corners differ."""
    return {
        "bright": images.mean(axis=(1, 2, 3)),
        "corner": images[:, :2, :2].mean(axis=(1, 2, 3)) - images[:, 6:, 6:].mean(axis=(1, 2, 3)),
    }


def test_strength_auto_stops_where_leakage_rises(network):
    from aligned_jax.jobs.judges import NamedJudge

    family = jobs.edit([network], ask("2_2", strength="auto"), latents="0-3")
    chosen = family.chosen
    assert chosen.by == "pictures" and chosen.strength in chosen.strengths
    assert family.recipe.edits[0].amount == chosen.strength
    assert f"strength {chosen.strength:g} by pictures; leakage at 0.5: 0." in family.choice
    expected = leakage.strongest(chosen.strengths, np.asarray(chosen.leakage))
    assert chosen.strength == expected
    loose = jobs.edit([network], ask("2_2", strength="auto", rise=1.0), latents="0-3")
    assert loose.chosen.strength == 12.0 and loose.chosen.leakage == chosen.leakage
    seen = NamedJudge("eye", judge)
    told = jobs.edit(
        [network], ask("2_2", strength="auto", judge=seen, attribute="bright"), latents="0-3"
    )
    assert told.chosen.by == "eye" and told.chosen.leakage != chosen.leakage
    other = jobs.edit(
        [network], ask("2_2", strength="auto", judge=seen, attribute="corner"), latents="0-3"
    )
    assert other.chosen.leakage != told.chosen.leakage
    with pytest.raises(UserError, match="say which of the judge's attributes"):
        jobs.edit([network], ask("2_2", strength="auto", judge=seen), latents="0")


def test_a_conditional_parent_measures_the_class_of_the_latents(tmp_path):
    network = loading.load(DATA / "generator_cond16.pkl")
    amounts = []
    for label in (0, 1):
        family = jobs.edit([network], ask("1_0:2"), latents="0", label=label)
        amounts.append(family.recipe.edits[0].direction.vectors["b4.torgb"][0])
    assert amounts[0] != amounts[1]
    c = np.eye(network.config.c_dim, dtype=np.float32)[1:2]
    np.savez(tmp_path / "z.npz", z=z_from_seeds(network.config, [0]), c=c)
    family = jobs.edit([network], ask("1_0:2"), latents=str(tmp_path / "z.npz"))
    assert family.recipe.edits[0].direction.vectors["b4.torgb"][0] == amounts[1]


def test_requests_that_contradict_themselves(network, tmp_path):
    for more, message in (
        ({}, "nothing to edit"),
        ({"channel": "2_2", "random": 0}, "either a channel or the seed of a random one"),
        ({"channel": "2_2", "strength": "much"}, "strength is 'much'; a number, or auto"),
        ({"channel": "2_2", "strength": "auto", "to": True}, "with auto, no edit may say"),
        ({"channel": "2_2", "judge": "x"}, "are for the strength auto"),
        ({"channel": "2_2", "attribute": "x"}, "are for the strength auto"),
    ):
        with pytest.raises(UserError, match=message):
            ask(**more)
    with pytest.raises(UserError, match="with auto, no edit may say its strength"):
        ask("2_2:3", strength="auto")
    (tmp_path / "s.csv").write_text("seed,a\n1,2\n")
    with pytest.raises(UserError, match="scores seeds; edited pictures need a judge"):
        jobs.edit([network], ask("2_2", strength="auto", judge=tmp_path / "s.csv"))


def test_films_go_round(network, child, tmp_path):
    family = jobs.edit([network, child], ask("2_2:9"), latents="0-1", names=["a", "b"])
    film = family.film(frames=8, fps=5.0, scale=2)
    assert film.summary == "8 frames, 1.6 s" and film.scale == 2
    np.testing.assert_array_equal(film.frames[1], film.frames[7])
    assert (film.frames[0] != film.frames[4]).any() and (film.frames[0] != film.frames[1]).any()
    sheet = family.sheet()
    for place, column in ((0, 0), (4, 1)):
        expected = viz.figure(sheet.images[:, column::2], ("seed 0", "seed 1"), ("a", "b"))
        np.testing.assert_array_equal(film.frames[place], expected)
    both = jobs.edit([network], ask("2_2:9"), latents="0", both=True).film(frames=8)
    assert (both.frames[2] != both.frames[6]).any()
    np.testing.assert_array_equal(both.frames[0], both.frames[4])
    with pytest.raises(UserError, match="a film has at least 2"):
        family.film(frames=1)


@pytest.mark.slow
def test_the_verb_does_the_same(network, child, folder, tmp_path):
    out = tmp_path / "e.png"
    words = ("--edit", f"{folder}/w.npz:2", "--edit", "2_2:-4", "--seeds", "0-1")
    said = aligned("edit", PARENT, child, *words, "--columns", 3, "--out", out)
    request = jobs.EditRequest([f"{folder}/w.npz:2", "2_2:-4"])
    family = jobs.edit([PARENT, child], request, latents="0-1")
    np.testing.assert_array_equal(family.sheet(3).picture(), pixels(out))
    assert said == (
        f"wrote {out}: w +2, 2_2 -4; change of a pixel: hostile_baseline_ok "
        f"{family.changes['hostile_baseline_ok']:.3f}, child {family.changes['child']:.3f}\n"
    )
    aligned("edit", PARENT, child, "--recipe", tmp_path / "e.json", "--seeds", "0-1",
            "--columns", 3, "--out", tmp_path / "again.png")  # fmt: skip
    np.testing.assert_array_equal(pixels(out), pixels(tmp_path / "again.png"))
    aligned("edit", PARENT, "--edit", f"{folder}/w.npz", "--strength", "auto", "--out",
            tmp_path / "film.webp", "--frames", 4, "--fps", 9, "--scale", 2)  # fmt: skip
    with Image.open(tmp_path / "film.webp") as image:
        assert image.n_frames == 4
    assert (tmp_path / "film.json").exists()
    for flags in (("--both",), ("--layers", "0"), ("--to",), ("--psi", 0.2), ("--seeds", "4")):
        argv = ["--seeds", "0-1", *flags] if "--seeds" not in flags else flags
        aligned("edit", PARENT, "--edit", f"{folder}/w.npz:2", *argv, "--overwrite", "--out", out)
        plain = jobs.edit([PARENT], jobs.EditRequest([f"{folder}/w.npz:2"]), latents="0-1")
        shown, expected = pixels(out), plain.sheet().picture()
        assert shown.shape != expected.shape or (shown != expected).any()
