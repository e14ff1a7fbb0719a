"""Layer swapping: the hard rule, the smooth one, and its limit."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.errors import ConfigError, UserError
from aligned_jax.networks.network import Network
from aligned_jax.weights import reset, swap
from aligned_jax.weights.components import entries
from aligned_jax.weights.resize import resized_config
from tests.helpers import same_bits
from tests.weights.small_generators import pair, random_variables, small, sources


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize("resolution", [4, 8, 16])
@pytest.mark.parametrize("architecture", ["skip", "resnet"])
def test_blocks_up_to_the_resolution_are_low(architecture, resolution, side):
    low, high = pair(small(architecture=architecture))
    origins = sources(swap(low, high, resolution, mapping=side), low=low, high=high)
    for path, (leaf, _) in entries(low).items():
        if leaf.resolution is None:
            assert origins[path] == side, path
        else:
            assert origins[path] == ("low" if leaf.resolution <= resolution else "high"), path


def test_mapping_is_low_unless_said():
    low, high = pair()
    assert same_bits(swap(low, high, 8), swap(low, high, 8, mapping="low"))
    assert not same_bits(swap(low, high, 8), swap(low, high, 8, mapping="high"))


@pytest.mark.parametrize("smooth", [None, 0, 0.5, 3.0])
def test_swap_with_itself(smooth):
    low, _ = pair()
    assert same_bits(swap(low, low, 8, smooth=smooth), low)


def test_hard_swap_undoes_itself():
    low, high = pair()
    there = swap(low, high, 8)
    assert same_bits(swap(there, low, 8), low)
    back = swap(high, there, 8, mapping="high")
    assert same_bits(back, reset(low, high, "mapping"))


@pytest.mark.parametrize("width", [0, 0.0, 1e-3, 1e-9])
@pytest.mark.parametrize("resolution", [4, 8, 16])
def test_narrow_smooth_swap_is_the_hard_one(resolution, width):
    low, high = pair()
    hard = swap(low, high, resolution, mapping="high")
    assert same_bits(swap(low, high, resolution, smooth=width, mapping="high"), hard)


def test_smooth_weights_are_logistic_in_the_position():
    low, high = pair(small(architecture="resnet"))
    low = jax.tree.map(np.zeros_like, low)
    high = jax.tree.map(np.ones_like, high)
    positions = {"const": 0, "conv0": 0, "skip": 0, "conv1": 1, "torgb": 1}
    for path, (leaf, value) in entries(swap(low, high, 8, smooth=0.75)).items():
        if leaf.component == "mapping":
            assert np.all(value == 0)
            continue
        layer = path.split("/")[3]
        position = 2 * (math.log2(leaf.resolution) - 2) + positions[layer]
        # 8x8 ends at position 3 and 16x16 starts at 4: the middle is 3.5.
        expected = 1 / (1 + math.exp(-(position - 3.5) / 0.75))
        np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_a_smooth_switch_moves_between_resolutions():
    low, high = pair()
    at = {size: swap(low, high, size, smooth=1.5) for size in (4, 8, 8.0, math.sqrt(32))}
    assert same_bits(at[8], swap(low, high, 8.0, smooth=1.5))

    def share_of_high(found):
        """In conv1 of 4 pixels, the layer at position 1."""
        leaves = zip(*(entries(tree).values() for tree in (low, high, found)), strict=True)
        a, b, value = next(
            [np.asarray(value) for _, value in three]
            for three in leaves
            if three[0][0].position == 1 and np.all(three[0][1] != three[1][1])
        )
        return float(np.mean((value - a) / (b - a)))

    shares = {size: share_of_high(found) for size, found in at.items()}
    assert shares[4] > shares[math.sqrt(32)] > shares[8]
    assert shares[math.sqrt(32)] == pytest.approx(1 / (1 + math.exp((2.5 - 1) / 1.5)), abs=1e-3)
    for wrong in (3, 5.0, 17):
        with pytest.raises(UserError, match="no such resolution"):
            swap(low, high, wrong, smooth=None if wrong == 5.0 else 1.0)


def test_wide_smooth_swap_is_the_mean():
    low, high = pair()
    result = swap(low, high, 8, smooth=1e9)
    conv = ("params", "synthesis", "b16", "conv0", "weight")
    mean = (_at(low, conv) + _at(high, conv)) / 2
    np.testing.assert_allclose(_at(result, conv), mean, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_jit_and_gradient():
    low, high = pair(small(8))
    hard = jax.jit(lambda a, b: swap(a, b, 4))(low, high)
    assert same_bits(hard, swap(low, high, 4))

    def total(a, b, width):
        return sum(jnp.sum(x) for x in jax.tree.leaves(swap(a, b, 4, smooth=width)))

    by_low, by_high, slope = jax.jit(jax.grad(total, argnums=(0, 1, 2)))(low, high, 1.0)
    for path, (leaf, value) in entries(by_low).items():
        share = 0 if leaf.resolution is None else 1 / (1 + math.exp(-(leaf.position - 1.5)))
        np.testing.assert_allclose(value, 1 - share, rtol=1e-5)
        np.testing.assert_allclose(entries(by_high)[path][1], share, rtol=1e-5)
    step = 1e-2
    difference = (total(low, high, 1 + step) - total(low, high, 1 - step)) / (2 * step)
    np.testing.assert_allclose(slope, difference, rtol=2e-2)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (12, {}, "no such resolution: 12; this network has 4, 8, 16"),
        (32, {}, "this network has 4, 8, 16"),
        (8, {"mapping": "both"}, "mapping is 'both'; it must be 'low' or 'high'"),
        (8, {"smooth": -1.0}, "smooth is -1.0; a width must be 0 or more"),
        (8, {"smooth": float("nan")}, "smooth is nan; it must be one finite number"),
        (8, {"smooth": "wide"}, "smooth is 'wide'"),
    ],
)
def test_errors(arguments, options, message):
    low, high = pair()
    with pytest.raises(UserError, match=message):
        swap(low, high, arguments, **options)


def _at(tree, path):
    for name in path:
        tree = tree[name]
    return np.asarray(tree)


def sized(resolution, seed=1, **options):
    config = small(resolution, **options)
    return Network(config, random_variables(config, seed))


@pytest.mark.parametrize("architecture", ["skip", "orig"])
def test_networks_of_two_resolutions_are_told_how_to_meet(architecture):
    low, high = sized(8, architecture=architecture), sized(16, architecture=architecture)
    down = "`aligned resize 'the high' --resolution 8 --out DST` first"
    with pytest.raises(ConfigError) as caught:
        swap(low, high, 4, called=("low", "the high"))
    said = str(caught.value)
    assert said.startswith("low has 8 px, the high 16 px") and said.endswith(down)
    assert "`aligned resize low --resolution 16 --out DST` first, or" in said
    with pytest.raises(
        ConfigError, match=r": `aligned resize LOW --resolution 8 --out DST` first$"
    ):
        swap(high, low, 4)
    # Both ways work.
    smaller, larger = resized_config(high.config, 8), resized_config(low.config, 16)
    swap(low, Network(smaller, random_variables(smaller, 3)), 4)
    swap(Network(larger, random_variables(larger, 3)), high, 8)


def test_networks_that_differ_in_more_are_told_all_of_it():
    with pytest.raises(ConfigError, match=r"does not fit low .first.:\n  img_resolution: 8 versus"):
        swap(sized(8), sized(16, channel_max=4), 4)
    with pytest.raises(ConfigError, match=r"synthesis.activation"):
        swap(sized(8), sized(16, activation="relu"), 4)
