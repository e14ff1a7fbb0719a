"""`jobs.nearest` and its verb, with a small feature network."""

import json
import shutil

import jax
import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.latents import z_from_seeds
from aligned_jax.utils.reporting import Reporter
from aligned_jax.viz import to_uint8
from tests.jobs.small_inputs import PARENT, aligned, noise_images, save_images

pytestmark = pytest.mark.usefixtures("small_features")


@pytest.fixture
def drawn():
    """What the network makes of seed 2, uint8 [8, 8, 3]."""
    network = loading.load(PARENT)
    return to_uint8(np.asarray(network(z_from_seeds(network.config, [2]))))[0]


@pytest.fixture
def training(tmp_path, drawn):
    """Twelve pictures; number 5 is what the network makes of seed 2."""
    images = noise_images(12)
    images[5] = drawn
    return save_images(tmp_path / "training", images)


@pytest.fixture
def unseen(tmp_path):
    return save_images(tmp_path / "unseen", noise_images(40)[12:])


def test_a_planted_copy_is_first_and_named(training, unseen, drawn):
    found = jobs.nearest(PARENT, training, seeds="0-3", unseen=unseen, neighbours=3)
    order = sorted(f"{number}.png" for number in range(12)).index("5.png")
    assert found.numbers[2, 0] == order and found.distances[2, 0] == 0
    np.testing.assert_array_equal(found.nearest[2, 0], drawn)
    np.testing.assert_array_equal(found.images[2], drawn)
    assert (np.diff(found.distances, axis=1) >= 0).all() and (found.distances[:2] > 0).all()
    assert found.near == ["seed 2"] and found.shares[2] == 0
    assert "suspiciously near: seed 2" in found.summary()
    assert found.unseen.shape == (28,) and (found.unseen > 0).all()
    document = found.document()
    assert document["near"] == ["seed 2"] and document["pictures"][2]["nearest"][0] == order
    assert document["pictures"][2]["files"][0] == "5.png"


def test_without_unseen_pictures_nothing_is_called_near(training):
    found = jobs.nearest(PARENT, training, seeds=[2], neighbours=1)
    assert found.shares is None and found.near == []
    assert "without unseen pictures nobody can say" in found.summary()


@pytest.mark.slow
@pytest.mark.parametrize(
    "option",
    [{"seeds": "1-4"}, {"psi": 0.5}, {"neighbours": 2}, {"mirror": True}, {"most": 6},
     {"network_key": "G"}, {"unseen": None}],
    ids=lambda option: next(iter(option)),
)  # fmt: skip
def test_every_option_changes_the_result(training, unseen, tmp_path, option):
    network = loading.load(PARENT)
    other = jax.tree.map(lambda value: value * 1.1, network)
    loading.save(tmp_path / "both", {"G_ema": network, "G": other}, {"kind": "made for a test"})
    usual = {"seeds": "0-3", "unseen": unseen, "neighbours": 3}

    def result(**given):
        found = jobs.nearest(tmp_path / "both", training, **usual | given)
        document = found.document()
        return document["pictures"], document["unseen"], found.images.tolist()

    assert result() != result(**option)


def test_features_of_real_pictures_are_kept_unless_nobody_wants_that(training, unseen, tmp_path):
    jobs.nearest(PARENT, training, seeds=[0], unseen=unseen, cache=False)
    assert not (tmp_path / "home").exists()
    jobs.nearest(PARENT, training, seeds=[0], unseen=unseen)
    assert len(list((tmp_path / "home").rglob("*.npz"))) == 2


def test_pictures_of_another_size_are_resized_and_warned_of(tmp_path):
    class Listener(Reporter):
        def __init__(self):
            self.warnings = []

        def warn(self, text):
            self.warnings.append(text)

    large, listener = save_images(tmp_path / "large", noise_images(4, size=16)), Listener()
    found = jobs.nearest(PARENT, large, seeds=[0], neighbours=2, report=listener)
    assert found.nearest.shape == (1, 2, 8, 8, 3)
    assert "pictures of 16x16 pixels" in listener.warnings[0]


def test_the_verb(training, unseen, tmp_path):
    words = ("nearest", PARENT, "--data", training, "--unseen", unseen, "--seeds", "0-3")
    for name in ("x.json", "x.png", "x.html"):
        assert "suspiciously near: seed 2" in aligned(*words, "--out", tmp_path / name)
    document = json.loads((tmp_path / "x.json").read_text())
    assert document["command"].startswith("aligned nearest") and document["near"] == ["seed 2"]
    page = (tmp_path / "x.html").read_text()
    assert page.count("<img") == 4 * 6 and "suspiciously near" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neighbours": 13}, "13 neighbours among 12 pictures"),
        ({"out": "x.npz"}, "go to NAME.png or NAME.html"),
        ({"data": "nowhere"}, "nowhere does not exist"),
        ({"unseen": "nowhere"}, "nowhere does not exist"),
        ({"seeds": "x"}, "not a list of seeds"),
        ({"label": 1}, "unconditional"),
    ],
)
def test_what_cannot_be_compared(training, options, message):
    given = {"network": PARENT, "data": training} | options
    with pytest.raises(UserError, match=message):
        jobs.nearest(**given)


@pytest.mark.parametrize("more", [{}, {"mirror": True}, {"unseen_split": "train"}])
def test_training_pictures_are_not_unseen(training, more):
    """Folders have no splits, and the same one has many names."""
    with pytest.raises(UserError, match=r"the unseen pictures, .*, are the training pictures"):
        jobs.nearest(PARENT, training, unseen=f"{training}/../{training.name}", **more)


def test_unseen_pictures_that_are_among_the_training_pictures(training, unseen):
    copy = sorted(training.iterdir())[0]
    shutil.copy(copy, unseen / "copy.png")
    with pytest.warns(UserWarning, match="1 of 29 unseen pictures are among the training pictures"):
        jobs.nearest(PARENT, training, seeds=[0], unseen=unseen)


def test_splits_of_a_dataset(training, tmp_path):
    jobs.import_images(training, tmp_path / "set", 8, test=0.4, workers=1)
    found = jobs.nearest(PARENT, tmp_path / "set", seeds="0-3", neighbours=2)
    turned = jobs.nearest(PARENT, tmp_path / "set", seeds="0-3", neighbours=2, split="test",
                          unseen_split="train")  # fmt: skip
    assert len(found.unseen) + len(turned.unseen) == 12 and len(found.unseen) < 12
    assert found.distances.tolist() != turned.distances.tolist()
    alone = jobs.nearest(PARENT, tmp_path / "set", seeds=[0], neighbours=1, unseen_split="none")
    assert alone.unseen is None
