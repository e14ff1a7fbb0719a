"""What a fine-tuning run starts from: every source, another resolution, labels, widths."""

import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax import loading
from aligned_jax.augment import AdaConfig, AugmentConfig
from aligned_jax.config import GeneratorConfig, SynthesisConfig
from aligned_jax.errors import ConfigError
from aligned_jax.networks import init_variables
from aligned_jax.networks.network import DiscriminatorNetwork, Network
from aligned_jax.training import parallel
from aligned_jax.training.augmentation import hooks
from aligned_jax.training.gan_step import GanStep
from aligned_jax.training.options import GanOptions
from aligned_jax.training.start import starting_configs, starting_networks
from aligned_jax.training.state import create_state
from aligned_jax.training.terms import Recipe
from aligned_jax.weights import resize
from tests.convert import small_networks as samples
from tests.helpers import DATA, same_values
from tests.makers.official_file import write_snapshot
from tests.training import tiny_gan as tiny

ONE = jax.local_devices()[:1]


@pytest.fixture(scope="module")
def source():
    """Three trained networks, all different."""
    keys = jax.random.split(jax.random.key(5), 3)
    return {
        "G_ema": Network(tiny.GENERATOR, init_variables(tiny.GENERATOR, keys[0])),
        "G": Network(tiny.GENERATOR, init_variables(tiny.GENERATOR, keys[1])),
        "D": DiscriminatorNetwork(tiny.DISCRIMINATOR, init_variables(tiny.DISCRIMINATOR, keys[2])),
    }


def sizes(networks):
    """Configs of networks by key."""
    return {key: network.config for key, network in networks.items()}


def assert_equal(first, second):
    assert jax.tree.structure(first) == jax.tree.structure(second)
    jax.tree.map(np.testing.assert_array_equal, first, second)


def few_steps(networks, generator, discriminator, ada=None, **options):
    """The state before and after two iterations, every phase in the first."""
    options = {"g_reg_interval": 2, "d_reg_interval": 2, "ema_rampup": None, **options}
    settings = GanOptions(batch_size=4, **options)
    size, n = generator.img_resolution, generator.c_dim
    shape = (size, size, generator.img_channels)
    augment, adapt = None, None
    ada = dataclasses.replace(ada or AdaConfig("none"), kimg=100.0)
    if ada.mode != "none":
        augment, adapt = hooks(AugmentConfig(brightness=1.0), ada, 4, shape)
    recipe = Recipe(generator, discriminator, settings, augment, adapt)
    before = create_state(generator, discriminator, settings, 3, networks, augment_p=ada.p)
    step, state = GanStep(recipe, ONE), parallel.replicate(before, ONE)
    rng = np.random.RandomState(1)
    for i in range(2):
        images = rng.randint(0, 256, (4, *shape)).astype(np.uint8)
        labels = np.eye(max(n, 1), dtype=np.float32)[rng.randint(0, max(n, 1), (4, 4))][..., :n]
        state, reports = step(state, step.feed(images, labels[:, 0], labels[:, 1:]), i)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(parallel.local(reports)))
    return before, parallel.local(state)


@pytest.mark.slow
def test_everything_is_copied_and_the_rest_is_fresh(source):
    networks, report = starting_networks(source, *starting_configs(sizes(source)))
    for key in ("G", "D", "G_ema"):
        assert_equal(networks[key], source[key].variables)
    assert report.fresh == report.dropped == report.notes == ()
    assert "G_ema/stats/mapping/w_avg" in report.copied
    assert "G/noise/synthesis/b8/conv1/noise_const" in report.copied
    options = GanOptions(batch_size=4)
    state = create_state(tiny.GENERATOR, tiny.DISCRIMINATOR, options, networks=networks)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves((state.G_opt, state.D_opt)))
    assert (state.pl_mean, state.step, state.images_seen, state.augment_p) == (0, 0, 0, 0)


def test_a_saved_run_starts_the_next(source, tmp_path):
    loading.save(tmp_path / "run", source)
    loaded = loading.load_all(tmp_path / "run")
    networks, report = starting_networks(loaded, *starting_configs(sizes(loaded)))
    assert_equal(networks["D"], source["D"].variables)
    assert report.fresh == ()
    assert report.lines()[0].startswith("copied ")


@pytest.mark.parametrize("left", ["G", "G_ema"])
def test_one_generator_stands_in_for_the_other(source, left):
    networks, report = starting_networks(
        {left: source[left], "D": source["D"]}, tiny.GENERATOR, tiny.DISCRIMINATOR
    )
    assert_equal(networks["G"], source[left].variables)
    assert_equal(networks["G_ema"], source[left].variables)
    other = {"G": "G_ema", "G_ema": "G"}[left]
    assert report.notes[0].startswith(f"the source has no {other}:")


def test_without_a_discriminator_one_is_drawn_as_for_a_fresh_run(source):
    part = {"G_ema": source["G_ema"]}
    generator, discriminator = starting_configs(sizes(part))
    assert discriminator.channels == generator.synthesis.channels
    networks, report = starting_networks(part, generator, discriminator, seed=4)
    fresh = create_state(generator, discriminator, GanOptions(batch_size=4), seed=4)
    assert_equal(networks["D"], fresh.D)
    other, _ = starting_networks(part, generator, discriminator, seed=5)
    assert not same_values(networks["D"], other["D"])
    assert any("has no D: the discriminator starts untrained" in note for note in report.notes)
    assert all(path.startswith("D/") for path in report.fresh)
    with pytest.raises(ConfigError, match="starts from a generator, but the source has D"):
        starting_configs(sizes({"D": source["D"]}))


@pytest.mark.slow
@pytest.mark.parametrize("resolution", [8, 32])
def test_another_resolution_is_what_resize_makes(source, resolution):
    configs = {
        "generator": GeneratorConfig(
            16, z_dim=5, w_dim=6, synthesis=SynthesisConfig(channels=(5, 4, 3))
        ),
    }
    discriminator = dataclasses.replace(
        tiny.DISCRIMINATOR, img_resolution=16, channels=(5, 4, 3), freeze_layers=2
    )
    middle = {
        "G": Network(configs["generator"], init_variables(configs["generator"], jax.random.key(1))),
        "D": DiscriminatorNetwork(discriminator, init_variables(discriminator, jax.random.key(2))),
    }
    wanted = starting_configs(sizes(middle), resolution)
    assert [config.img_resolution for config in wanted] == [resolution] * 2
    networks, report = starting_networks(middle, *wanted, seed=9)
    keys = jax.random.split(jax.random.key(9, impl="threefry2x32"), 3)
    for key, drawn in (("G", keys[0]), ("D", keys[1])):
        expected = resize(middle[key], resolution, drawn)
        assert_equal(networks[key], expected.variables)
        for ours, theirs in ((report.fresh, expected.new), (report.dropped, expected.dropped)):
            assert [p for p in ours if p.startswith(f"{key}/")] == [f"{key}/{p}" for p in theirs]
    assert_equal(networks["G_ema"], networks["G"])
    assert "D/params/b8/fromrgb/weight" in report.fresh or resolution == 32
    assert any(line.startswith("new ") and f"D b{resolution} (" in line for line in report.lines())


def test_networks_of_other_sizes_are_refused_with_every_difference(source):
    generator, discriminator = starting_configs(sizes(source), resolution=16, c_dim=2)
    generator = dataclasses.replace(
        generator, synthesis=dataclasses.replace(generator.synthesis, channels=(6, 4, 4))
    )
    with pytest.raises(ConfigError) as error:
        starting_networks(source, generator, discriminator)
    for part in (
        "G: c_dim: 0 in the source, 2 here",
        "G: synthesis.channels: [5, 4, 4] in the source, [6, 4, 4] here",
        "D: c_dim: 0 in the source, 2 here",
        "`partial=True`",
    ):
        assert part in str(error.value)


def test_partly_fitting_networks_are_copied_by_name_and_shape(source):
    wanted = starting_configs(sizes(source), c_dim=2)
    networks, report = starting_networks(source, *wanted, partial=True)
    mapping = networks["G"]["params"]["mapping"]
    old = source["G"].variables["params"]
    assert_equal(networks["G"]["params"]["synthesis"], old["synthesis"])
    assert mapping["fc0"]["weight"].shape != old["mapping"]["fc0"]["weight"].shape
    assert_equal(mapping["fc0"]["bias"], old["mapping"]["fc0"]["bias"])
    assert {"G/params/mapping/embed/weight", "G/params/mapping/fc0/weight"} <= set(report.fresh)
    assert "D/params/b4/out/weight" in {*report.fresh} & {*report.dropped}
    assert not {*report.copied} & {*report.fresh}


def test_options_that_change_the_meaning_of_weights_are_noted(source):
    generator, discriminator = starting_configs(sizes(source))
    discriminator = dataclasses.replace(
        discriminator, epilogue=dataclasses.replace(discriminator.epilogue, mbstd_group_size=4)
    )
    _, report = starting_networks(source, generator, discriminator)
    assert report.notes == ("discriminator epilogue.mbstd_group_size: 2 in the source, 4 here",)


def test_new_layers_are_not_frozen(source):
    with pytest.raises(ConfigError, match=r"never be trained: b16/fromrgb, b16/conv0; use 0"):
        starting_networks(source, *starting_configs(sizes(source), 16, freeze_layers=2))
    starting_networks(source, *starting_configs(sizes(source), freeze_layers=2))


@pytest.mark.slow
def test_a_conditional_frozen_run_from_an_official_file(tmp_path):
    labels = {"c_dim": 2}
    generator = samples.generator({**samples.G_KWARGS, **labels})
    kwargs = {**samples.D_KWARGS, **labels, "mapping_kwargs": {"num_layers": 1}}
    snapshot = {"G": generator, "D": samples.discriminator(kwargs), "G_ema": generator}
    write_snapshot(tmp_path / "official.pkl", snapshot)
    source = loading.load_all(tmp_path / "official.pkl")
    wanted = starting_configs(sizes(source), freeze_layers=2)
    networks, report = starting_networks(source, *wanted)
    assert report.fresh == report.dropped == ()
    before, after = few_steps(networks, *wanted, pl_weight=0.0)
    for name, frozen in (("fromrgb", True), ("conv0", True), ("conv1", False)):
        pair = [state.D["params"]["b8"][name] for state in (before, after)]
        assert same_values(*pair) == frozen, name
    assert not same_values(
        before.G["params"]["mapping"]["embed"], after.G["params"]["mapping"]["embed"]
    )


@pytest.mark.slow
def test_an_adaptive_run_at_a_lower_resolution_from_an_averaged_generator():
    source = loading.load_all(DATA / "avatars_parent.pkl")
    wanted = starting_configs(sizes(source), 8)
    networks, report = starting_networks(source, *wanted)
    assert len(report.notes) == 2  # neither G nor D
    assert any(line.startswith("left out") and "G b32 (16)" in line for line in report.lines())
    ada = AdaConfig(p=0.1, interval=2)
    before, after = few_steps(networks, *wanted, ada=ada, pl_weight=0.0)
    step = 2 * 4 / 100_000  # two batches of 4, 100 kimg from 0 to 1
    assert abs(after.augment_p - before.augment_p) == pytest.approx(step, rel=1e-2)
    parent = source["G_ema"].variables["params"]["mapping"]
    assert same_values(before.G["params"]["mapping"], parent)
    assert not same_values(after.G["params"]["mapping"], parent)
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), after.G, before.G)
    assert max(jax.tree.leaves(moved["params"])) < 0.1


@pytest.mark.slow
def test_a_run_at_a_higher_resolution(source):
    wanted = starting_configs(sizes(source), 16)
    networks, _ = starting_networks(source, *wanted)
    before, after = few_steps(networks, *wanted, pl_weight=0.0, r1_gamma=0.0)
    for key, layer in (("G", "synthesis"), ("D", "b16")):
        pair = [getattr(state, key)["params"][layer] for state in (before, after)]
        assert not same_values(*pair)
    # Without the ramp of a fresh run the average lags behind.
    rate = -np.expm1(-np.log(2) * 4 / 10_000)
    bias = [state["params"]["synthesis"]["b4"]["conv1"]["bias"] for state in (after.G_ema, after.G)]
    assert np.abs(bias[0]).max() < 3 * rate * np.abs(bias[1]).max()
