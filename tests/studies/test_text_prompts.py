"""The study of prompts in miniature, on tiny networks and a CLIP of random weights."""

import json

import jax
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax.networks import init_variables
from studies import text_prompts
from studies.text_prompts import MARKS, PAGE, PICTURE, Prompt
from tests.features.clip.conftest import FOLDER
from tests.networks.small_encoder import GENERATOR

RED, NONSENSE = Prompt("a red face", "hair red"), Prompt("of of of", "")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Runs the study with some options; returns its folders."""
    folder = tmp_path_factory.mktemp("prompts")
    for name, seed in (("parent", 0), ("child", 0), ("critters-other", 1)):
        aj.save(
            folder / name, aj.Network(GENERATOR, init_variables(GENERATOR, jax.random.key(seed)))
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr(text_prompts, "PROMPTS", (RED, NONSENSE))

        def run(**options):
            work = tmp_path_factory.mktemp("run")
            (work / "images").mkdir()
            (work / PAGE).write_text(f"# Before\n{MARKS[0]}old{MARKS[1]}\nafter\n", "utf-8")
            few = {"index_seeds": 20, "images": 3, "strength": 5.0, "show": 1} | options
            argv = ["--work", work, "--docs", work, "--clip", FOLDER]
            argv += ["--parent", folder / "parent", "--children", folder / "child"]
            argv += ["--control", folder / "critters-other"]
            for key, value in few.items():
                argv += [f"--{key.replace('_', '-')}", value]
            text_prompts.main([str(word) for word in argv])
            return work

        yield run


def rows(work):
    return json.loads((work / "text_prompts.json").read_text("utf-8"))["rows"]


@pytest.mark.slow
def test_it_writes_a_table_a_picture_and_numbers(made):
    work = made()
    page = (work / PAGE).read_text("utf-8")
    assert page.startswith("# Before\n") and page.endswith("after\n") and "old" not in page
    assert "python -m studies.text_prompts" in page and "| a red face |" in page
    assert (work / PICTURE).stat().st_size > 1000
    red, nonsense = rows(work)
    # The child is the parent, so far; monsters have no hair.
    assert set(red["effects"]) == {"parent", "child"} and nonsense["effects"] == {}
    assert red["effects"]["parent"] == red["effects"]["child"]
    assert set(red["merits"]) == {"agreement", "chance", "rise", "rose"}


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"index_seeds": 10}, {"strength": 2.0}, {"images": 4}], ids=str)
def test_options_change_the_numbers(made, change):
    assert rows(made()) != rows(made(**change))


@pytest.mark.slow
def test_more_seeds_are_shown(made):
    sizes = [(made(show=show) / PICTURE).read_bytes()[16:24] for show in (1, 2)]
    assert sizes[0] != sizes[1]


def test_an_effect_is_in_deviations_and_signed():
    before = {"roll": np.asarray([-2.0, 0.0, 2.0]), "yaw": np.asarray([0.0, 1.0, 2.0])}
    after = {"roll": before["roll"] - 3, "yaw": before["yaw"] + 0.5}
    own, other = 3 / np.std(before["roll"]), 0.5 / np.std(before["yaw"])
    left = text_prompts.effect(Prompt("left", "roll", -1), before, after)
    assert left.moved == pytest.approx(own) and left.leaks == pytest.approx(other / own)
    right = text_prompts.effect(Prompt("right", "roll"), before, after)
    assert right.moved == pytest.approx(-own)
    assert text_prompts.effect(Prompt("hair", "hair red"), before, after) is None
    still = text_prompts.effect(Prompt("yaw", "yaw"), before, {**before, "roll": after["roll"]})
    assert still.moved == 0 and still.leaks == float("inf")


def test_a_colour_is_what_is_above_the_others():
    colours = np.asarray([[1.0, 0, 0], [1, 1, 1], [0, 0, 1]])
    np.testing.assert_allclose(text_prompts.hue(colours, 0), [1, 0, -0.5])
