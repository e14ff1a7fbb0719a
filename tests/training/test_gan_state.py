"""The state: what it starts from, what is frozen in it, and that it is all there is."""

import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax.convert.kwargs import discriminator_config
from aligned_jax.convert.rules import official_shapes
from aligned_jax.networks import init_variables
from aligned_jax.training import parallel
from aligned_jax.training.gan_step import GanStep
from aligned_jax.training.optimizer import frozen_layers, merge_frozen, split_frozen
from aligned_jax.training.state import create_state, parameter_counts
from tests.helpers import document, reference, same_values
from tests.training import tiny_gan as tiny

ONE = jax.local_devices()[:1]


def test_frozen_layers_are_those_of_the_official_implementation():
    arrays = reference("generator_options16")
    config = discriminator_config(document(arrays, "d_init_kwargs_json"))
    assert config.freeze_layers == 3
    names, kinds = arrays["D/tensor_names"], arrays["D/tensor_kinds"]
    buffers = {str(n) for n, kind in zip(names, kinds, strict=True) if kind == "buffer"}
    buffers = {name for name in buffers if not name.endswith("resample_filter")}
    frozen = {
        name
        for name in official_shapes(config)
        if tuple(name.split(".")[:2]) in frozen_layers(config)
    }
    frozen = {name for name in frozen if not name.endswith("resample_filter")}
    assert frozen == buffers
    assert len(frozen) == 6


@pytest.mark.parametrize(
    ("architecture", "order"),
    [
        ("orig", "16.fromrgb 16.conv0 16.conv1 8.conv0 8.conv1"),
        ("skip", "16.fromrgb 16.conv0 16.conv1 8.fromrgb 8.conv0 8.conv1"),
        ("resnet", "16.fromrgb 16.conv0 16.conv1 16.skip 8.conv0 8.conv1 8.skip"),
    ],
)
def test_order_of_freezing(architecture, order):
    expected = [tuple(f"b{name}".split(".")) for name in order.split()]
    for count in (0, 1, len(expected) - 1, 99):
        config = dataclasses.replace(
            tiny.DISCRIMINATOR,
            img_resolution=16,
            channels=(5, 4, 3),
            architecture=architecture,
            freeze_layers=count,
        )
        assert list(frozen_layers(config)) == expected[:count]
        params = init_variables(config, jax.random.key(0))["params"] if count == 1 else None
        if params:
            trainable, frozen = split_frozen(config, params)
            assert list(frozen) == ["b16"]
            assert list(frozen["b16"]) == ["fromrgb"]
            assert same_values(merge_frozen(trainable, frozen), params)
            assert "fromrgb" not in trainable["b16"]


@pytest.mark.slow
def test_starting_states():
    chosen = tiny.recipe(d={"freeze_layers": 2})
    sizes = chosen.generator, chosen.discriminator, chosen.options
    state = create_state(*sizes, seed=3, augment_p=0.2)
    assert same_values(create_state(*sizes, seed=3, augment_p=0.2), state)
    other = create_state(*sizes, seed=4)
    assert not same_values(other.G["params"], state.G["params"])
    assert not same_values(other.D["params"], state.D["params"])
    assert not np.array_equal(other.key, state.key)
    assert same_values(state.G_ema, state.G)
    assert (state.augment_p, other.augment_p) == (np.float32(0.2), 0)
    given = create_state(*sizes, networks={"G": other.G, "D": other.D})
    assert same_values((given.G, given.D, given.G_ema), (other.G, other.D, other.G))
    averaged = create_state(*sizes, networks={"G_ema": other.G})
    assert same_values(averaged.G_ema, other.G)
    assert not same_values(averaged.G, other.G)
    counts = parameter_counts(state)
    whole = parameter_counts(create_state(*tiny_sizes()))
    assert counts["G"] == whole["G"] == sum(v.size for v in jax.tree.leaves(state.G["params"]))
    frozen = sum(v.size for n in ("fromrgb", "conv0") for v in state.D["params"]["b8"][n].values())
    assert whole["D"] - counts["D"] == frozen


def tiny_sizes():
    chosen = tiny.recipe()
    return chosen.generator, chosen.discriminator, chosen.options


@pytest.mark.slow
def test_frozen_runs_stops_and_broken_batches():
    """One program: frozen layers stay, a copy of the state goes on alike, NaN does no harm."""
    chosen = tiny.recipe(
        d={"freeze_layers": 2, "architecture": "skip"}, pl_weight=0.0, r1_gamma=0.0
    )
    step, before = GanStep(chosen, ONE), tiny.start(chosen)
    floats = tiny.images(4).astype(np.float32) / 127.5 - 1
    state, _ = step(parallel.replicate(before, ONE), step.feed(floats), 0)
    saved = parallel.local(state)
    state, reports = step(state, step.feed(-floats), 1)
    onward = parallel.local(state)

    assert list(reports) == ["Gmain", "Dmain"]
    said = parallel.local(reports)["Dmain"]
    assert said["Gradient/nonfinite"] == 0
    assert said["Gradient/norm"] > 0
    moved = jax.tree.map(
        lambda a, b: not np.array_equal(a, b), before.D["params"], onward.D["params"]
    )
    assert not any(jax.tree.leaves([moved["b8"]["fromrgb"], moved["b8"]["conv0"]]))
    assert all(jax.tree.leaves([moved["b8"]["conv1"], moved["b4"]]))

    resumed, _ = step(parallel.replicate(saved, ONE), step.feed(-floats), 1)
    assert same_values(parallel.local(resumed), onward)
    reseeded = dataclasses.replace(saved, key=saved.key + np.uint32(1))
    other, _ = step(parallel.replicate(reseeded, ONE), step.feed(-floats), 1)
    assert not same_values(parallel.local(other).G["params"], onward.G["params"])

    floats[0, 0, 0, 0] = np.nan
    state, reports = step(state, step.feed(floats), 2)
    assert parallel.local(reports)["Dmain"]["Gradient/nonfinite"] > 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(parallel.local(state)))
