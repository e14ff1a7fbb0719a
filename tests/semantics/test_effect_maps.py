"""Maps of what style channels do, against the same thing written out for one channel."""

import numpy as np
import pytest

from aligned_jax import loading, semantics
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers, z_from_seeds
from tests.helpers import DATA

SEEDS = range(5)


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


@pytest.fixture(scope="module")
def styles(network):
    return network.styles(network.mapping(z_from_seeds(network.config, SEEDS)))


@pytest.fixture(scope="module")
def sigma(network):
    return semantics.latent_statistics(network, count=100).std


@pytest.fixture(scope="module")
def maps(network, styles, sigma):
    return semantics.effect_maps(network, styles, sigma, size=4)


def change(network, styles, sigma, layer, channel, strength=5.0):
    """Difference of pictures [N, R, R, C] for one channel, by the plain way."""
    amount = strength * float(sigma[layer][channel])
    less, more = (
        np.clip(network.render(semantics.shifted(styles, layer, channel, way * amount)), -1, 1)
        for way in (-1, 1)
    )
    return more - less


def pooled(images, side=4):
    n, size, _, channels = images.shape
    return images.reshape(n, side, size // side, side, size // side, channels).mean(axis=(2, 4))


def test_every_channel_is_shifted_alone_around_its_own_value(network, styles, sigma, maps):
    """What one channel did is gone when the next is tried, in any order."""
    assert list(maps.channels) == [
        (layer.name, k) for layer in style_layers(network.config) for k in range(layer.channels)
    ]
    for row in range(len(maps))[::6]:
        difference = change(network, styles, sigma, *maps.channels[row])
        expected = pooled(difference)
        np.testing.assert_allclose(maps.signed[row], expected, atol=2e-6)
        np.testing.assert_allclose(
            maps.absolute[row], pooled(np.abs(difference)).mean(axis=-1), atol=2e-6
        )
        assert maps.effect[row] == pytest.approx(np.abs(difference).mean(), abs=1e-6)


def test_names_are_those_of_style_space(network, maps):
    from aligned_jax.latents import parse_channel

    for name, (layer, channel) in zip(maps.names, maps.channels, strict=True):
        found, number = parse_channel(network.config, name)
        assert (found.name, number) == (layer, channel)
    indices = [layer.index for layer in style_layers(network.config)]
    assert sorted(set(maps.layer_of)) == indices


def test_latents_share_groups(network, styles, sigma, maps):
    few = semantics.effect_maps(network, styles, sigma, size=4, groups=2)
    np.testing.assert_allclose(few.weights, [0.6, 0.4])
    np.testing.assert_allclose(few.signed[:, 0], maps.signed[:, :3].mean(axis=1), atol=2e-6)
    np.testing.assert_allclose(few.mean(), maps.mean(), atol=2e-6)


def test_batches_change_nothing_and_sizes_only_average(network, styles, sigma, maps):
    some = [channel for channel in maps.channels if channel[0] in ("b4.conv1", "b8.torgb")]
    other = semantics.effect_maps(network, styles, sigma, channels=some, size=2, batch=7)
    rows = [maps.channels.index(channel) for channel in some]
    expected = np.stack([pooled(one, 2) for one in maps.signed[rows]])
    np.testing.assert_allclose(other.signed, expected, atol=2e-6)


def test_strength_changes_the_maps(network, styles, sigma, maps):
    other = semantics.effect_maps(network, styles, sigma, size=4, strength=2.0)
    assert other.strength == 2 and other.effect.sum() < maps.effect.sum()


def test_kinds_of_layers_can_be_left_out(maps):
    some = maps.take(("conv",))
    assert [layer for layer, _ in some.channels] == [
        layer for layer, _ in maps.channels if "conv" in layer
    ]
    rows = [row for row, (layer, _) in enumerate(maps.channels) if "conv" in layer]
    np.testing.assert_array_equal(some.signed, maps.signed[rows])


def test_single_channels_are_measured_as_among_all(network, styles, sigma, maps):
    """In whatever order they are asked for."""
    wanted = [("b8.conv1", 3), ("b4.conv1", 2), ("b8.conv1", 0)]
    some = semantics.effect_maps(network, styles, sigma, size=4, channels=wanted)
    assert some.channels == (("b4.conv1", 2), ("b8.conv1", 0), ("b8.conv1", 3))
    rows = [maps.channels.index(channel) for channel in some.channels]
    np.testing.assert_allclose(some.signed, maps.signed[rows], atol=2e-6)
    assert some.names == [maps.names[row] for row in rows]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": [("b4.conv1", 99), ("b9", 0)]}, r"no channel b4\.conv1_99, b9_0"),
        ({"channels": []}, "no channels were given"),
        ({"strength": 0.0}, "must be more than 0"),
        ({"strength": float("nan")}, "must be more than 0"),
        ({"size": 3}, "power of 2"),
    ],
)
def test_what_cannot_be_measured(network, styles, sigma, options, message):
    with pytest.raises(UserError, match=message):
        semantics.effect_maps(network, styles, sigma, **options)


def test_styles_of_another_network(network, styles, sigma):
    with pytest.raises(UserError, match=r"b4\.conv1 is missing"):
        rest = {name: value for name, value in styles.items() if name != "b4.conv1"}
        semantics.effect_maps(network, rest, sigma)
    with pytest.raises(UserError, match=r"b8\.conv0 has shape"):
        semantics.effect_maps(network, styles, {**sigma, "b8.conv0": sigma["b8.conv0"][:2]})
    with pytest.raises(UserError, match="no latents"):
        semantics.effect_maps(network, {k: v[:0] for k, v in styles.items()}, sigma)


@pytest.mark.parametrize("backward", [True, False])
def test_gradients_are_small_shifts(network, styles, backward):
    some = {name: value[:2] for name, value in styles.items()}
    gradients = semantics.style_gradients(network, some, size=4, batch=5, backward=backward)
    assert gradients.shape == (2, sum(v.shape[1] for v in styles.values()), 4, 4)
    row, first = 0, dict[str, int]()
    for name, value in some.items():
        first[name], row = row, row + value.shape[1]
    for layer, channel in (("b4.conv1", 1), ("b8.torgb", 0)):
        less, more = (
            np.asarray(network.render(semantics.shifted(some, layer, channel, way)), np.float64)
            for way in (-0.01, 0.01)
        )
        expected = np.abs(pooled(more - less) / 0.02).mean(axis=-1)
        found = gradients[:, first[layer] + channel]
        np.testing.assert_allclose(found, expected, rtol=0.05, atol=2e-3 * expected.max())
