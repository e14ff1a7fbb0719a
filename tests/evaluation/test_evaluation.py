"""Scores of pictures with small feature networks in place of the real ones."""

import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax import evaluation
from aligned_jax.config import GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.latents import z_from_seeds
from aligned_jax.metrics import PathOptions
from aligned_jax.networks import init_variables
from aligned_jax.networks.network import Network
from tests import standins

ONE = jax.local_devices()[:1]
CONFIG = GeneratorConfig(
    8,
    z_dim=5,
    w_dim=6,
    mapping=MappingConfig(num_layers=1),
    synthesis=SynthesisConfig(channels=(4, 3)),
)
ALL = tuple(evaluation.METRICS)
OPTIONS = evaluation.Options(
    subsets=4, subset_size=20, splits=3, pairs=21, path=PathOptions(epsilon=0.1)
)


class Data:
    """Random images that answer as an open dataset does, and count how often."""

    resolution = 8

    def __init__(self, count=45, seed=0, channels=3, size=8, labels=0):
        shape = (count, size, size, channels)
        self.images = np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8)
        self.channels, self.c_dim, self.looked = channels, labels, 0
        self.fingerprint = f"{seed} {shape}"
        self.options = DataOptions("memory")

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        self.looked += 1
        return self.images[index], np.zeros(0, np.float32)

    def label(self, index):
        return np.eye(self.c_dim, dtype=np.float32)[index % self.c_dim]


def stored(most=None, **kwargs):
    return evaluation.StoredImages(Data(**kwargs), "memory", most)


def network(c_dim=0):
    """Weights with noise strengths moved off zero, so that noise matters."""
    config = dataclasses.replace(CONFIG, c_dim=c_dim)
    variables = jax.jit(init_variables, static_argnums=0)(config, jax.random.key(0))

    def move(path, leaf):
        return leaf + 0.5 if "noise_strength" in jax.tree_util.keystr(path) else leaf

    return Network(config, jax.tree_util.tree_map_with_path(move, variables))


def scores(pictures, reals, names, options=OPTIONS, **kwargs):
    run = {"devices": ONE, "batch": 16} | kwargs
    return evaluation.evaluate(pictures, reals, names, standins.networks(), options, **run)


def generated(count=43, **kwargs):
    return evaluation.GeneratedImages(network(), "net", count, **{"devices": ONE} | kwargs)


@pytest.mark.slow
def test_eight_devices_and_other_batches_change_nothing():
    reals = stored(seed=1)
    one = scores(generated(), reals, ALL)
    eight = scores(generated(devices=None), reals, ALL, devices=None, batch=30)
    assert one.values.keys() == eight.values.keys() > {"fid", "precision", "is", "ppl"}
    # A step's ends differ by epsilon times the root of the path length, and that difference is off
    # by a few roundings of images of size one.
    step = OPTIONS.path.epsilon * np.sqrt(one.values["ppl"])
    bounds = {"ppl": 8 * np.finfo(np.float32).eps / step}
    assert bounds["ppl"] < 1e-5
    for name, value in one.values.items():
        assert eight.values[name] == pytest.approx(value, rel=bounds.get(name, 1e-6)), name
    assert all(np.isfinite(list(one.values.values())))
    named = {value for name in ALL for value in evaluation.METRICS[name].values}
    assert named <= one.values.keys()
    assert one.details["ppl"]["kept"] <= 43
    assert one.details["fid"] == eight.details["fid"]
    assert one.details["kid_vgg"]["features"] == {"network": "vgg16", "sha256": "stand-in"}


@pytest.mark.slow
def test_images_of_a_network():
    net = network()
    made = generated(4, seed=7, noise="const", psi=0.5)
    numbers = np.arange(4)
    direct = net(z_from_seeds(CONFIG, range(7, 11)), psi=0.5)
    np.testing.assert_array_equal(made.take(numbers), evaluation.quantise(direct))
    backwards = made.take(numbers[::-1])
    np.testing.assert_array_equal(backwards, np.asarray(made.take(numbers))[::-1])
    drawn = generated(4, seed=7, psi=0.5)
    images = np.asarray(drawn.take(numbers))
    assert (images != made.take(numbers)).any()
    np.testing.assert_array_equal(drawn.take(numbers[::-1]), images[::-1])
    assert (drawn.take(numbers, numbers + 9) != images).any()
    for other in (
        generated(4, seed=8, psi=0.5),
        generated(4, seed=7),
        generated(4, seed=7, psi=0.5, half="bfloat16"),
    ):
        assert (other.take(numbers) != images).any()
    facts = made.facts()
    assert (facts["seeds"], facts["psi"], facts["noise"]) == ("7-10", 0.5, "const")
    moved = jax.tree.map(lambda leaf: leaf + 1, net)
    assert (
        dataclasses.replace(made, network=moved).facts()["weights_sha256"]
        != (facts["weights_sha256"])
    )


@pytest.mark.slow
def test_labels_come_from_the_data():
    labels = evaluation.labels_like(Data(labels=3), 40)
    assert labels.shape == (40, 3) and set(labels.argmax(axis=1)) == {0, 1, 2}
    made = evaluation.GeneratedImages(network(3), "net", 40, labels=labels, devices=ONE)
    others = dataclasses.replace(made, labels=labels[:, ::-1])
    numbers = np.arange(4)
    assert (made.take(numbers) != others.take(numbers)).any()
    with pytest.raises(UserError, match=r"it needs labels \[40, 3\]"):
        dataclasses.replace(made, labels=None)


def test_options_change_scores():
    names = ("fid", "kid", "pr", "is", "diversity")
    sets = stored(count=50, seed=1), stored()
    base = scores(*sets, names).values
    changes = {
        "ddof": ({"ddof": 1}, "fid"),
        "subsets": ({"subsets": 5}, "kid"),
        "subset_size": ({"subset_size": 21}, "kid"),
        "neighbours": ({"neighbours": 7}, "recall"),
        "splits": ({"splits": 4}, "is"),
        "pairs": ({"pairs": 22}, "diversity"),
        "seed": ({"seed": 1}, "kid"),
    }
    for changed, name in changes.values():
        changed_scores = scores(*sets, names, dataclasses.replace(OPTIONS, **changed)).values
        assert changed_scores[name] != base[name], changed
    assert scores(*sets, ("diversity",), dataclasses.replace(OPTIONS, seed=1)).values != {
        "diversity": base["diversity"]
    }
    # Fewer images, fewer reals.
    assert scores(stored(30, count=50, seed=1), sets[1], ("fid",)).values["fid"] != base["fid"]
    assert scores(sets[0], stored(30), ("fid",)).values["fid"] != base["fid"]


@pytest.mark.slow
def test_settings_of_the_path_length_change_it():
    made = generated(17)
    lengths = {
        setting: scores(
            made, None, ("ppl",), dataclasses.replace(OPTIONS, path=PathOptions(**dict([setting])))
        ).values["ppl"]
        for setting in [
            *(("epsilon", 0.1), ("epsilon", 0.05)),
            *(("space", "z"), ("sampling", "full"), ("crop", True)),
        ]
    }
    assert len(set(lengths.values())) == 5
    fixed = dataclasses.replace(made, noise="const")
    assert scores(fixed, None, ("ppl",), OPTIONS).values["ppl"] != lengths["epsilon", 0.1]


def test_a_set_and_itself():
    values = scores(stored(), stored(), ("fd_vgg", "kid_vgg", "pr_vgg")).values
    assert values["fd_vgg"] == pytest.approx(0, abs=1e-9)
    # An image that is in both subsets is its own pair, which only lowers the distance.
    assert -0.1 < values["kid_vgg"] < 0
    assert (values["precision_vgg"], values["recall_vgg"]) == (1, 1)


def test_grey_images_and_a_bias_that_does_not_count():
    networks = standins.networks()
    fc = networks["inception"].variables["params"]["fc"]
    pictures = stored(channels=1)
    first = evaluation.evaluate(pictures, None, ("is", "diversity"), networks, OPTIONS, 16, ONE)
    fc["bias"] = fc["bias"] + np.float32(np.arange(5))
    second = evaluation.evaluate(pictures, None, ("is", "diversity"), networks, OPTIONS, 16, ONE)
    assert first.values == pytest.approx(second.values, rel=1e-6)


def test_the_cache(tmp_path):
    cache = evaluation.Cache(tmp_path / "cache")
    reals = stored()
    names = ("fd_vgg", "kid_vgg")
    first = scores(stored(seed=1), reals, names, cache=cache)
    looked = reals.dataset.looked
    assert looked >= 45 and len(list((tmp_path / "cache").iterdir())) == 2
    assert scores(stored(seed=1), reals, names, cache=cache).values == first.values
    assert reals.dataset.looked == looked
    # Other images, and other numbers of them, are not confused with these.
    for other in (stored(seed=2), stored(44)):
        assert scores(stored(seed=1), other, names, cache=cache).values != first.values
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(b"PK\3\4 damaged")
    assert scores(stored(seed=1), reals, names, cache=cache).values == first.values
    assert reals.dataset.looked > looked


def test_the_cache_keeps_options_of_feature_networks_apart(tmp_path):
    cache = evaluation.Cache(tmp_path / "cache")
    pictures, reals = stored(seed=1), stored()
    kept = {}
    for half_pixel in (False, True):
        networks = {"inception": standins.load("inception", half_pixel=half_pixel)}
        run = pictures, reals, ("fid", "kid"), networks, OPTIONS, 16, ONE
        kept[half_pixel] = evaluation.evaluate(*run, cache=cache)
        looked = reals.dataset.looked
        assert evaluation.evaluate(*run, cache=cache).values == kept[half_pixel].values
        assert reals.dataset.looked == looked  # those of its own are taken from the cache
        assert evaluation.evaluate(*run).values == kept[half_pixel].values
        facts = kept[half_pixel].details["fid"]["features"]
        assert facts == {"network": "inception", "sha256": "stand-in", "half_pixel": half_pixel}
    assert kept[False].values["fid"] != kept[True].values["fid"]


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / "file").touch()
    cache = evaluation.Cache(tmp_path / "file" / "cache")
    assert scores(stored(seed=1), stored(), ("fd_vgg",), cache=cache).values["fd_vgg"] > 0


def test_warnings_say_what_they_mean():
    scored = scores(stored(6, count=9, seed=1), stored(size=10), ("fd_vgg", "kid_vgg"))
    size, few = scored.warnings
    assert "8x8 pixels" in size and "10x10" in size
    assert few.startswith("fd_vgg: 6 images are no more than the 6 features")
    assert "too large" in few and "kid_vgg" in few
    assert scores(stored(7, count=9), stored(), ("fd_vgg",)).warnings == []


@pytest.mark.slow
def test_work_is_counted():
    counted = []
    made, reals = generated(20), stored()
    names = ("fd_vgg", "ppl", "diversity", "diversity_z")
    scores(made, reals, names, advance=counted.append)
    assert sum(counted) == evaluation.work(made, reals, names, OPTIONS) == 20 + 45 + 20 + 21 + 20


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: evaluation.parse_names("fid,fido, kidd"), "no such metric: fido, kidd; there are"),
        (lambda: evaluation.parse_names(","), "no such metric"),
        (lambda: scores(stored(), None, ("fid", "is")), "fid compares with real images"),
        (lambda: scores(stored(), stored(), ("ppl",)), "ppl can only be had of a network"),
        (lambda: scores(stored(channels=5), stored(), ("fid",)), "5 channels cannot be scored"),
        (lambda: evaluation.Options(subsets=0, pairs=0), "subsets is 0.*pairs is 0"),
        (lambda: scores(generated(noise="none"), None, ("diversity_z",)), "needs random noise"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises((UserError, ConfigError), match=said):
        call()


def test_images_that_are_not_finite_are_named():
    net = network()
    broken = Network(
        net.config, jax.tree.map(lambda leaf: leaf * np.float32(np.nan), net.variables)
    )
    with pytest.raises(UserError, match="seeds 3, 4 are not finite"):
        evaluation.GeneratedImages(broken, "net", 2, seed=3, devices=ONE).take(np.arange(2))
