"""Every leaf has one component; counts; names of components and resolutions."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from aligned_jax import networks, weights
from aligned_jax.config import DiscriminatorConfig, GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.networks.network import Network
from aligned_jax.weights.components import COMPONENTS, Leaf, entries, leaf_of, select
from tests.weights.small_generators import random_variables, small

# Feature convolutions with their biases, as in the paper's component reset.
TABLE = {
    1024: (2_101_248, 3_102_624, 1_559_520, 23_583_744 + 5_568, 9_147, 8_192, 17),
    512: (2_101_248, 3_053_376, 1_543_104, 23_556_096 + 5_504, 9_048, 8_192, 15),
}
TOTALS = {1024: 30_370_060, 512: 30_276_583, 256: 30_034_338}


@pytest.mark.slow
@pytest.mark.parametrize("resolution", TOTALS)
def test_counts_of_official_sizes(resolution):
    counts = weights.count(GeneratorConfig(resolution))
    assert tuple(counts) == COMPONENTS
    assert sum(counts.values()) == TOTALS[resolution]
    if resolution in TABLE:
        assert tuple(counts.values()) == TABLE[resolution]


def test_count_without_noise_and_with_labels():
    assert weights.count(small(use_noise=False))["noise"] == 0
    plain = GeneratorConfig(16, z_dim=8, w_dim=8)
    labelled = GeneratorConfig(16, z_dim=8, c_dim=3, w_dim=8)
    added = weights.count(labelled)["mapping"] - weights.count(plain)["mapping"]
    assert added == (3 * 8 + 8) + 8 * 8  # the embedding, and its rows in fc0


@pytest.mark.parametrize(
    ("path", "leaf"),
    [
        ("params/mapping/fc3/weight", Leaf("mapping", None, True)),
        ("params/mapping/embed/bias", Leaf("mapping", None, True)),
        ("stats/mapping/w_avg", Leaf("mapping", None, False)),
        ("params/synthesis/b4/const", Leaf("const", 4, True, 0)),
        ("params/synthesis/b4/conv1/weight", Leaf("conv", 4, True, 1)),
        ("params/synthesis/b64/conv0/bias", Leaf("conv", 64, True, 0)),
        ("params/synthesis/b64/skip/weight", Leaf("conv", 64, True, 0)),
        ("params/synthesis/b64/conv0/affine/weight", Leaf("affine_conv", 64, True, 0)),
        ("params/synthesis/b64/torgb/affine/bias", Leaf("affine_torgb", 64, True, 1)),
        ("params/synthesis/b1024/torgb/weight", Leaf("torgb", 1024, True, 1)),
        ("params/synthesis/b8/conv1/noise_strength", Leaf("noise", 8, True, 1)),
        ("noise/synthesis/b8/conv1/noise_const", Leaf("noise", 8, False, 1)),
    ],
)
def test_leaf_of(path, leaf):
    assert leaf_of(path) == leaf
    assert leaf_of(f"variables/{path}") == leaf


def test_positions_follow_evaluation():
    names = ["b4/const", "b4/conv1/bias", "b8/conv0/bias", "b8/torgb/bias", "b16/skip/weight"]
    assert [leaf_of(f"params/synthesis/{name}").position for name in names] == [0, 1, 2, 3, 4]
    assert leaf_of("stats/mapping/w_avg").position is None


@pytest.mark.parametrize(
    "path",
    [
        "params/synthesis/b64/conv2/weight",
        "params/synthesis/b64/conv0/noise_const",
        "stats/mapping/fc0/weight",
        "params/b16/conv0/weight",
        "params/synthesis/b64/conv0/weight/extra",
        "",
    ],
)
def test_unknown_path(path):
    with pytest.raises(UserError, match="is no weight of a StyleGAN2 generator"):
        leaf_of(path)


@pytest.mark.parametrize(
    "config",
    [small(), small(architecture="resnet"), small(architecture="orig"), small(use_noise=False)],
)
def test_every_leaf_of_a_generator_has_a_component(config):
    leaves = entries(networks.variable_shapes(config))
    assert len(leaves) == len(jax.tree.leaves(networks.variable_shapes(config)))
    assert {leaf.resolution for leaf, _ in leaves.values()} == {None, *config.resolutions}


def test_key_paths_of_a_network_object_equal_those_of_its_variables():
    variables = random_variables(small(), 0)
    assert list(entries(Network(small(), variables))) == list(entries(variables))


def test_trees_that_are_no_generator():
    discriminator = networks.variable_shapes(DiscriminatorConfig(16, channel_base=64))
    with pytest.raises(UserError, match=r"params/b16/conv0/bias.* and 10 more"):
        entries(discriminator)
    with pytest.raises(UserError, match="without weights"):
        entries({"params": {}})
    with pytest.raises(UserError, match="a bare array"):
        entries(np.zeros(3))
    variables = random_variables(small(), 0)
    with pytest.raises(UserError, match="several networks"):
        entries([variables, variables])


def test_parse_components():
    parse = weights.parse_components
    assert parse("mapping, affine") == {"mapping", "affine_conv", "affine_torgb"}
    assert parse("affine-tRGB,tRGB,trgb") == {"affine_torgb", "torgb"}
    assert parse(["CONV", "affine_conv"]) == {"conv", "affine_conv"}
    assert parse("all") == set(COMPONENTS)


@pytest.mark.parametrize("names", ["", " , ", [], ["kernel"], "conv,,noise"])
def test_parse_components_refuses(names):
    with pytest.raises(UserError, match=r"components are mapping, .*groups affine, all"):
        weights.parse_components(names)


def test_parse_components_names_all_unknown():
    with pytest.raises(UserError, match="'kernel', 'colour'; components are"):
        weights.parse_components("conv,kernel,colour")


def test_parse_resolutions():
    valid = (4, 8, 16)
    assert weights.parse_resolutions("4, 16", valid) == {4, 16}
    assert weights.parse_resolutions(8, valid) == {8}
    assert weights.parse_resolutions([np.int64(8), "4"], valid) == {4, 8}
    with pytest.raises(UserError, match=r"'12', '32'; this network has 4, 8, 16"):
        weights.parse_resolutions("4,12,32", valid)
    with pytest.raises(UserError, match=r"no resolution named; this network has 4, 8, 16"):
        weights.parse_resolutions([], valid)


def test_select():
    variables = random_variables(small(), 0)
    everything = select(variables)
    assert {leaf.component for leaf in everything} == set(COMPONENTS)
    assert {leaf.resolution for leaf in select(variables, resolutions="8,16")} == {8, 16}
    assert {leaf.component for leaf in select(variables, "all", [4])} == {*COMPONENTS} - {"mapping"}
    assert select(variables, "const", 4) == {Leaf("const", 4, True, 0)}


def test_select_refuses_what_selects_nothing():
    variables = random_variables(small(use_noise=False), 0)
    with pytest.raises(UserError, match="mapping has no resolution"):
        select(variables, "mapping,conv", [8])
    with pytest.raises(UserError, match="no const at resolution 8, 16; it has mapping"):
        select(variables, "const", "8,16")
    with pytest.raises(UserError, match=r"no noise; it has mapping, .*const$"):
        select(variables, "noise")


def test_components_and_resolutions_of_a_network():
    variables = random_variables(small(use_noise=False), 0)
    assert weights.components_of(variables) == tuple(c for c in COMPONENTS if c != "noise")
    assert weights.resolutions_of(variables) == (4, 8, 16)


@pytest.mark.slow
def test_functions_take_the_place_of_modules_in_any_import_order():
    code = """
import importlib, sys
verbs = 'arithmetic compare interpolate reset resize swap'.split()
for first in (*verbs, 'components', 'structure'):
    for name in [n for n in sys.modules if n.startswith('aligned_jax')]:
        del sys.modules[name]
    importlib.import_module(f'aligned_jax.weights.{first}')
    import aligned_jax as aj
    for verb in verbs:
        importlib.import_module(f'aligned_jax.weights.{verb}')
        if not callable(getattr(aj.weights, verb)):
            sys.exit(f'{verb} is a module when {first} is imported first')
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
