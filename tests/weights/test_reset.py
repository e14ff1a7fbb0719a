"""Reset puts the parent's values into the child, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.weights import COMPONENTS, reset
from aligned_jax.weights.components import entries
from tests.helpers import same_bits
from tests.weights.small_generators import pair, small, sources


@pytest.mark.parametrize("architecture", ["skip", "resnet"])
@pytest.mark.parametrize("component", COMPONENTS)
def test_exactly_the_component_comes_from_the_parent(component, architecture):
    parent, child = pair(small(architecture=architecture))
    origins = sources(reset(parent, child, component), parent=parent, child=child)
    for path, (leaf, _) in entries(child).items():
        assert origins[path] == ("parent" if leaf.component == component else "child"), path
    assert len(set(origins.values())) == 2


def test_buffers_travel():
    parent, child = pair()
    mapping = sources(reset(parent, child, "mapping"), parent=parent, child=child)
    assert mapping["stats/mapping/w_avg"] == "parent"
    assert mapping["noise/synthesis/b8/conv0/noise_const"] == "child"
    noise = sources(reset(parent, child, "noise", 8), parent=parent, child=child)
    chosen = {path for path, name in noise.items() if name == "parent"}
    assert chosen == {
        f"{kind}/synthesis/b8/{layer}/{name}"
        for kind, name in [("noise", "noise_const"), ("params", "noise_strength")]
        for layer in ("conv0", "conv1")
    }


def test_resolutions_restrict_and_leave_out_the_mapping():
    parent, child = pair()
    origins = sources(reset(parent, child, "all", "4,16"), parent=parent, child=child)
    for path, (leaf, _) in entries(child).items():
        assert origins[path] == ("parent" if leaf.resolution in (4, 16) else "child"), path


def test_endpoints():
    parent, child = pair()
    assert same_bits(reset(parent, child, "all"), parent)
    assert same_bits(reset(child, child, "affine,noise"), child)


def test_jit_and_gradient():
    parent, child = pair(small(8))
    names = ("torgb", "const")
    compiled = jax.jit(lambda p, c: reset(p, c, names))(parent, child)
    assert same_bits(compiled, reset(parent, child, names))

    def total(p, c):
        return sum(jnp.sum(value) for value in jax.tree.leaves(reset(p, c, names)))

    by_parent, by_child = (entries(g) for g in jax.grad(total, argnums=(0, 1))(parent, child))
    for path, (leaf, value) in by_parent.items():
        expected = float(leaf.component in names)
        assert np.all(value == expected)
        assert np.all(by_child[path][1] == 1 - expected)


def test_errors():
    parent, child = pair()
    with pytest.raises(UserError, match="no such component: 'kernels'"):
        reset(parent, child, "kernels")
    with pytest.raises(UserError, match="no such resolution: 32; this network has 4, 8, 16"):
        reset(parent, child, "conv", [8, 32])
    with pytest.raises(UserError, match="mapping has no resolution"):
        reset(parent, child, "mapping", 8)
