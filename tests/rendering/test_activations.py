"""Activations of layers, and the colours that show them."""

import numpy as np
import pytest

from aligned_jax import loading
from aligned_jax.errors import UserError
from aligned_jax.latents import z_from_seeds
from aligned_jax.rendering.activations import ActivationColours, activations, convolution
from tests.helpers import DATA


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


def test_activations_are_what_the_layer_puts_out(network):
    styles = network.styles(network.mapping(z_from_seeds(network.config, [1, 2])))
    found = activations(network, styles, "b8/conv1")
    assert found.shape == (2, 8, 8, network.config.channels[8]) and found.dtype == np.float32
    np.testing.assert_array_equal(found, activations(network, styles, "b8.conv1"))
    assert (found != activations(network, styles, "b8.conv1", noise="none")).any()
    # The picture is a linear map of them, 1x1, beside what the coarser block drew.
    images = np.asarray(network.render(styles))
    torgb = network.variables["params"]["synthesis"]["b8"]["torgb"]
    style = np.asarray(styles["b8.torgb"]) / np.sqrt(found.shape[-1])
    rgb = np.einsum("nrsc,nc,cd->nrsd", found, style, np.asarray(torgb["weight"])[0, 0])
    rest = images - rgb - np.asarray(torgb["bias"])
    coarse = rest[:, ::2, ::2]  # 4 x 4, enlarged by a filter: smoother than the picture
    assert np.abs(np.diff(rest, axis=1)).mean() < np.abs(np.diff(images, axis=1)).mean()
    assert coarse.shape == (2, 4, 4, 3)


def test_layers_that_are_none(network):
    assert convolution(network.config, "b8/conv0").name == "b8.conv0"
    with pytest.raises(UserError, match=r"convolutions are b4.conv1, b8.conv0, b8.conv1"):
        convolution(network.config, "b16.conv1")
    with pytest.raises(UserError, match="is no convolution"):
        convolution(network.config, "b8.torgb")


def test_colours_are_principal_components():
    random = np.random.default_rng(0)
    scores = random.standard_normal((2, 6, 6, 3)) * [5, 2, 0.5]
    axes = np.linalg.qr(random.standard_normal((7, 7)))[0][:, :3]
    maps = (scores @ axes.T + 3).astype(np.float32)
    colours = ActivationColours.of([maps[:1], maps[1:]])
    flat = maps.reshape(-1, 7).astype(float)
    _, sizes, vectors = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(colours.deviations, sizes[:3] / np.sqrt(len(flat)), rtol=1e-4)
    cosines = np.abs((colours.axes * vectors[:3].T).sum(axis=0))
    np.testing.assert_allclose(cosines, 1, rtol=1e-5)
    largest = np.abs(colours.axes).argmax(axis=0)
    assert (colours.axes[largest, range(3)] > 0).all()
    shown = colours(maps)
    assert shown.shape == (2, 6, 6, 3) and shown.dtype == np.float32 and np.abs(shown).max() <= 1
    np.testing.assert_allclose(shown.std(axis=(0, 1, 2)), 0.4, atol=0.03)


def test_few_channels_leave_colours_out():
    maps = np.random.default_rng(0).standard_normal((1, 4, 4, 2)).astype(np.float32)
    shown = ActivationColours.of([maps])(maps)
    assert np.ptp(shown[..., :2]) > 1 and not shown[..., 2].any()
