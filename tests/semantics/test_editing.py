"""Edits of style channels, against the same thing written out."""

import numpy as np
import pytest

from aligned_jax import loading, semantics
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers, z_from_seeds
from tests.helpers import DATA


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


@pytest.fixture(scope="module")
def ws(network):
    return network.mapping(z_from_seeds(network.config, range(2)), psi=0.7)


@pytest.fixture(scope="module")
def deviations(network):
    return semantics.latent_statistics(network, count=50).std


def test_only_the_channel_is_shifted(network, ws):
    styles = network.styles(ws)
    moved = semantics.shifted(styles, "b8.conv0", 2, np.float32([1, -2]))
    for name, value in styles.items():
        expected = np.array(value)
        if name == "b8.conv0":
            expected[:, 2] += [1, -2]
        np.testing.assert_array_equal(moved[name], expected)


@pytest.mark.parametrize(("layer", "channel"), [("b8.conv9", 0), ("b8.conv0", 4), ("b8.conv0", -1)])
def test_unknown_channels(network, ws, layer, channel):
    with pytest.raises(UserError, match=f"no channel {layer}_{channel}"):
        semantics.shifted(network.styles(ws), layer, channel, 1.0)


def test_the_effect_is_the_change_of_the_images(network, ws, deviations):
    channels = [("b4.conv1", 1), ("b8.conv1", 3)]
    measured = semantics.effects(network, ws, channels, 5.0, deviations)
    styles = network.styles(ws)
    for (layer, channel), effect in zip(channels, measured, strict=True):
        amount = 5.0 * float(deviations[layer][channel])
        low, high = (
            np.clip(network.render(semantics.shifted(styles, layer, channel, shift)), -1, 1)
            for shift in (-amount, amount)
        )
        assert effect > 0
        assert effect == pytest.approx(np.abs(high - low).mean(), rel=1e-4)


def test_random_channels(network):
    widths = {layer.name: layer.channels for layer in style_layers(network.config)}
    convolutions = sum(n for name, n in widths.items() if "conv" in name)
    channels = semantics.random_channels(network.config, 1000)
    assert len(channels) == len(set(channels)) == convolutions
    assert all("conv" in layer and 0 <= k < widths[layer] for layer, k in channels)
    few = semantics.random_channels(network.config, 5, seed=3)
    assert few == semantics.random_channels(network.config, 5, seed=3)
    assert few != semantics.random_channels(network.config, 5, seed=4)


def test_visible_channels_are_the_strongest_of_their_layers(network, ws, deviations):
    every = semantics.random_channels(network.config, 1000)
    measured = dict(zip(every, semantics.effects(network, ws, every, 5.0, deviations), strict=True))
    chosen = semantics.visible_channels(network, ws, 2, 5.0, deviations, tried=1000)
    best = {}
    for (layer, channel), effect in measured.items():
        best[layer] = max(best.get(layer, (0.0, -1)), (effect, channel))
    expected = sorted(best, key=best.get)[-2:]
    order = [layer.name for layer in style_layers(network.config)]
    assert chosen == [(name, best[name][1]) for name in sorted(expected, key=order.index)]


def test_few_tries_leave_the_choice_to_the_seed(network, ws, deviations):
    chosen = {
        tuple(semantics.visible_channels(network, ws, 1, 5.0, deviations, seed, tried=1))
        for seed in range(4)
    }
    assert len(chosen) > 1
