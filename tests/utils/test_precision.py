"""One name for the precision of float32 products, as the programs that are compiled show it."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.errors import ConfigError, UserError
from aligned_jax.inversion import Pixels, Settings, steps
from aligned_jax.jobs import generate
from aligned_jax.networks import init_variables
from aligned_jax.networks.network import DiscriminatorNetwork, Network
from aligned_jax.rendering import draw
from aligned_jax.rendering.draw import RenderOptions
from aligned_jax.training.encoder_options import EncoderOptions
from aligned_jax.training.options import GanOptions
from aligned_jax.utils.precision import PRECISIONS, products
from tests.training import tiny_gan as tiny

ASKED = {"exact": "HIGHEST", "high": "HIGH", "fast": "DEFAULT"}
Z = jax.ShapeDtypeStruct((2, tiny.GENERATOR.z_dim), jnp.float32)


@pytest.fixture(scope="module")
def network():
    return Network(tiny.GENERATOR, init_variables(tiny.GENERATOR, jax.random.key(0)))


def asked(function, *args):
    """What the products of a program ask for."""
    text = jax.jit(function).lower(*args).as_text()
    found = set(re.findall(r"precision = \[(\w+), \w+\]", text))
    plain = re.findall(r"stablehlo\.(?:dot_general|convolution)\b.*", text)
    return found | {"DEFAULT" for line in plain if "HIGH" not in line}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_networks_ask_for_what_they_are_told(network, precision):
    """Styles are divided by their norm exactly, whatever is asked for."""
    assert asked(lambda z: network(z, precision=precision), Z) == {ASKED[precision], "HIGHEST"}
    variables = init_variables(tiny.DISCRIMINATOR, jax.random.key(0))
    d = DiscriminatorNetwork(tiny.DISCRIMINATOR, variables)
    images = jax.ShapeDtypeStruct((2, 8, 8, 3), jnp.float32)
    assert asked(lambda x: d(x, precision=precision), images) == {ASKED[precision]}


def test_without_a_word_products_are_exact_or_as_the_context_says(network):
    """A program that was traced in one context does not serve in another."""
    plain = asked(network, Z)
    with jax.default_matmul_precision("high"):
        high = asked(network, Z)
        told = asked(lambda z: network(z, precision="exact"), Z)
    assert (plain, high, told) == ({"HIGHEST"}, {"HIGHEST", "HIGH"}, {"HIGHEST"})
    assert asked(network, Z) == plain


def test_derivatives_take_over_the_precision(network):
    slope = jax.grad(lambda z: network(z, precision="high").sum())
    assert asked(slope, Z) == {"HIGHEST", "HIGH"}


def test_cpus_compute_all_alike(network):
    z = np.ones(Z.shape, np.float32)
    images = [np.asarray(network(z, precision=one)) for one in PRECISIONS]
    assert (images[0] == images[1]).all() and (images[0] == images[2]).all()


def test_inversions_ask_for_what_their_settings_say(network):
    def slopes(precision):
        options = steps.StepOptions.of(
            Settings(space="w", noise="const", precision=precision), network
        )
        w = jnp.zeros((1, tiny.GENERATOR.w_dim))
        goal = jnp.zeros((1, 8, 8, 3))
        weight = jnp.float32(1)
        problem = steps.Problem(network, Pixels(), Pixels().embed(goal), None, w[0], weight)
        variable = steps.Variable(w, {})
        return lambda w: steps.gradients(problem, options, variable, w)[0].latent

    w = jax.ShapeDtypeStruct((1, tiny.GENERATOR.w_dim), jnp.float32)
    seen = {one: asked(slopes(one), w) for one in PRECISIONS}
    assert seen == {one: {ASKED[one], "HIGHEST"} for one in PRECISIONS}


def test_drawings_are_made_as_their_options_say(network, monkeypatch):
    seen = []

    def noted(network, arrays, *rest):
        seen.append(jax.config.jax_default_matmul_precision)
        return jnp.zeros((1, 8, 8, 3)), {}

    monkeypatch.setattr(draw, "_batch", noted)
    for precision in PRECISIONS:
        drawing = generate(network, [0], precision=precision)
        assert drawing.options == RenderOptions(precision=precision)
        list(drawing.batches())
    assert seen == ["highest", "high", "default"]


def test_other_names_are_refused():
    wrong = "precision is 'best'; it is exact, high, fast"
    for make in (
        lambda: GanOptions(4, precision="best"),
        lambda: EncoderOptions(precision="best"),
        lambda: Settings(precision="best"),
    ):
        with pytest.raises(ConfigError, match=wrong):
            make()
    for make in (lambda: RenderOptions(precision="best"), lambda: products("best")):
        with pytest.raises(UserError, match=wrong):
            make()
