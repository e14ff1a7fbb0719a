"""A tiny CLIP learns two colours, is packed, and read again."""

import dataclasses
import json

import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.features import clip
from aligned_jax.train import zoo_clip
from aligned_jax.zoo import clip_making, clip_packing, clip_scoring, clip_states, clip_training
from aligned_jax.zoo.clip_training import ClipTraining, FactTable

OPTIONS = ClipTraining(
    steps=60,
    batch=16,
    captions=16,
    width=32,
    layers=1,
    image_size=16,
    patch_size=8,
    learning_rate=3e-3,
)


def colours(count, seed):
    """Red and blue pictures."""
    random = np.random.default_rng(seed)
    facts = [{"kind": "person", "shirt": ("red", "blue")[k % 2]} for k in range(count)]
    images = random.integers(0, 60, (count, 16, 16, 3), np.uint8)
    for k, image in enumerate(images):
        image[..., 2 * (k % 2)] += 150
    names = [("kind", "person"), ("shirt", "blue"), ("shirt", "red")]
    holds = np.asarray([[fact.get(g) == v for g, v in names] for fact in facts], np.float32)
    return FactTable(images, facts, names, holds)


@pytest.fixture(scope="module")
def losses():
    return []


@pytest.fixture(scope="module")
def trained(losses):
    return clip_training.train_clip(
        colours(64, 0), OPTIONS, lambda count, note: losses.append(float(note.split()[1]))
    )


@pytest.mark.slow
def test_it_learns(trained, losses):
    assert len(losses) == OPTIONS.steps and np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    scores = clip_scoring.accuracies(trained, colours(40, 1))["shirt"]
    assert scores["accuracy"] == 1 and scores["balanced"] == 1
    assert scores["commonest"] == 0.5 and scores["pictures"] == 40
    right, chance = clip_scoring.retrieval(trained, colours(40, 1), among=8)
    assert right > 0.9 > chance > 0.4


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"learning_rate": 1e-4},
        {"rise": 30},
        {"batch": 8},
        {"captions": 8},
        {"width": 64},
        {"layers": 2},
        {"image_size": 8},
        {"patch_size": 4},
    ],
)
def test_options_change_what_is_learned(change):
    few = dataclasses.replace(OPTIONS, steps=3)  # the first one has rate 0
    other = dataclasses.replace(few, **change)
    heard = []
    for options in (few, other):
        notes = []
        clip_training.train_clip(colours(64, 0), options, lambda _, note, to=notes: to.append(note))
        heard.append(notes)
    assert heard[0] != heard[1]


def test_a_caption_that_is_true_of_several_is_shared_out():
    logits = np.zeros((1, 4), np.float32)
    truth = np.asarray([[1, 1, 0, 0]], np.float32)
    loss = clip_training._shared_entropy(np.asarray(logits), truth)
    assert float(loss) == pytest.approx(np.log(4) - np.log(2), rel=1e-5)
    sure = np.asarray([[50, 50, 0, 0]], np.float32)
    assert float(clip_training._shared_entropy(sure, truth)) == pytest.approx(0, abs=1e-5)


@pytest.mark.slow
def test_it_is_packed_and_read_again(trained, tmp_path):
    test = colours(40, 1)
    scores = clip_packing.scored(trained, test)
    line = ["python", "-m", "x y"]
    clip_packing.pack_clip(tmp_path / "c", trained, scores, OPTIONS, ["personas"], [line])
    read = clip.load(tmp_path / "c")
    assert read.config == trained.config
    text = ["a person with a red shirt"]
    near = read.embed_texts(text) - trained.embed_texts(text)
    assert np.abs(near).max() < 0.01 * np.abs(trained.embed_texts(text)).max()
    assert json.loads((tmp_path / "c" / "scores.json").read_text()) == scores
    card = (tmp_path / "c" / "card.md").read_text()
    assert "red, shirt, with" in card and "| shirt | 2 | 40 | 100% |" in card and "'x y'" in card
    with pytest.raises(UserError, match="not empty"):
        clip_packing.pack_clip(tmp_path / "c", trained, scores, OPTIONS, ["personas"], [line])


@pytest.mark.slow
def test_words_that_it_does_not_know_are_said_and_not_guessed(trained):
    with pytest.raises(UserError) as error:
        trained.embed_texts(["a person with a zebra and a sombrero", "a person"])
    said = str(error.value)
    assert "the words zebra, sombrero of" in said and "are not known" in said and "shirt" in said
    assert trained.tokens.unknown("A Person, with: red Shirt!") == []
    assert "shirt" in trained.tokens.words and "glasses" not in trained.tokens.words


def test_the_program_shows_its_commands(tmp_path, capsys):
    words = ["--work", str(tmp_path / "w"), "--steps", "7", "--seed", "3", "--show"]
    assert zoo_clip.main(words) == 0
    *draws, train = capsys.readouterr().out.splitlines()
    assert [line.split()[4] for line in draws] == list(clip_making.LEARNED)
    assert train == "python -m aligned_jax.train.zoo_clip --steps 7 --seed 3 --work ."
    assert not (tmp_path / "w").exists()


@pytest.mark.slow
def test_what_is_stopped_goes_on_to_the_same_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(clip_training, "_KEPT", 2)
    few = dataclasses.replace(OPTIONS, steps=5)
    whole = clip_training.train_clip(colours(64, 0), few)

    def stop(count, note):
        heard.append(count)
        if len(heard) == 4:
            raise KeyboardInterrupt

    heard = []
    with pytest.raises(KeyboardInterrupt):
        clip_training.train_clip(colours(64, 0), few, stop, tmp_path)
    heard = []
    on = clip_training.train_clip(
        colours(64, 0), few, lambda count, note: heard.append(count), tmp_path
    )
    assert heard == [2, 1, 1, 1]
    assert on.fingerprint == whole.fingerprint


def test_a_state_of_other_facts_or_damaged_is_not_taken(tmp_path):
    images, tree = np.zeros((1, 2, 2, 3), np.uint8), {"a": np.ones(3, np.float32)}
    files = {clip_states.state_file(tmp_path, {"seed": seed}, images) for seed in (0, 1)}
    assert len(files | {clip_states.state_file(tmp_path, {"seed": 0}, images + 1)}) == 3
    file = files.pop()
    assert clip_states.read_state(file, tree, 10, 7) == (0, tree)
    clip_states.write_state(file, 4, {"a": 2 * tree["a"]}, 10, 7)
    done, read = clip_states.read_state(file, tree, 10, 7)
    assert done == 4 and (read["a"] == 2).all()
    assert clip_states.read_state(file, {"a": np.ones(4)}, 10, 7)[0] == 0
    # Trainings of other lengths are the same until the first of them lets its rate fall.
    assert clip_states.read_state(file, tree, 6, 4)[0] == 4
    assert clip_states.read_state(file, tree, 5, 3)[0] == 0
    clip_states.write_state(file, 8, tree, 10, 7)
    assert clip_states.read_state(file, tree, 20, 14)[0] == 0
    assert clip_states.read_state(file, tree, 10, 7)[0] == 8
    file.write_bytes(file.read_bytes()[:-40])
    assert clip_states.read_state(file, tree, 10, 7) == (0, tree)


def test_trainings_of_any_length_are_the_same_until_the_rate_falls():
    short, long = (dataclasses.replace(OPTIONS, steps=steps) for steps in (100, 200))
    rates = [[float(clip_training._rate(one, k)) for k in range(201)] for one in (short, long)]
    assert rates[0][: short.falls] == rates[1][: short.falls]
    assert rates[0][short.falls + 5] < rates[1][short.falls + 5]
    assert max(rates[0]) == pytest.approx(OPTIONS.learning_rate)
    assert rates[0][100] == rates[1][200] == 0 < rates[0][0] < rates[0][2]
