"""ArcFace's IR-SE50 and what is common to frozen layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.features import networks
from aligned_jax.networks import plain as layers
from aligned_jax.ops import resize
from tests.features import weights_by_rule as by_rule
from tests.helpers import nchw, nhwc, reference, relative_error

pytestmark = pytest.mark.optimised

REFERENCE = reference("arcface")


@pytest.mark.slow
def test_features_and_names():
    shapes = by_rule.tensor_shapes(REFERENCE)
    assert shapes == {
        name: networks.torch_shape(shape) for name, shape in networks.shapes("arcface").items()
    }
    made = by_rule.made(shapes, gain=0.5, slopes=("layer.2.weight",))
    arrays = {name: networks.from_torch(value) for name, value in made.items()}
    module, variables = networks.NETWORKS["arcface"].module(), networks.tree("arcface", arrays)
    images = jnp.asarray(nhwc(REFERENCE["small_input"]), jnp.float32)
    embedded = jax.jit(module.apply)(variables, images)["features"]
    assert relative_error(embedded, REFERENCE["small_features"]) < 1e-5
    np.testing.assert_allclose(jnp.square(embedded).sum(-1), 1, rtol=1e-6)
    prepared = resize.area(resize.area(images / 127.5 - 1, 256)[:, 35:223, 32:220], 112)
    expected = REFERENCE["small_prepared_sub7"]
    assert relative_error(nchw(prepared)[:, :, ::7, ::7], expected) < 1e-6


def test_area_resizing():
    images = np.random.default_rng(0).uniform(size=(2, 6, 10, 1)).astype(np.float32)
    halves = np.asarray(resize.area(images[:, :, :6], 3))
    np.testing.assert_allclose(
        halves, images[:, :, :6].reshape(2, 3, 2, 3, 2, 1).mean((2, 4)), rtol=1e-6
    )
    resized = np.asarray(resize.area(images, 4))  # windows 0-1, 1-2, 3-4, 4-5 of six rows
    np.testing.assert_allclose(resized[:, 1, 1], images[:, 1:3, 2:5].mean((1, 2)), rtol=1e-6)
    one = np.asarray(resize.half_pixel(images[:, :1, :1], 5))
    np.testing.assert_allclose(one, np.broadcast_to(images[:, :1, :1], one.shape), rtol=1e-6)


def test_small_layers():
    x = jnp.arange(2 * 3 * 3 * 2, dtype=jnp.float32).reshape(2, 3, 3, 2)
    np.testing.assert_array_equal(layers.flat_chw(x)[1, :3], x[1, 0, :, 0])
    corner = layers.average_pool(x)[0, 0, 0, 0]
    assert corner == x[0, :2, :2, 0].mean()  # padding is not counted
    assert layers.max_pool(-x - 1, 3, 1, 1)[0, 0, 0, 0] == -1  # padding never wins
