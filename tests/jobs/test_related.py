"""Family trees by weights, noise maps and records."""

import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.weights.kinship import kinship, nearest_tree
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT, moved


def stranger(network, seed=5):
    """All weights drawn anew, of the same size."""
    random = np.random.default_rng(seed)
    fresh = jax.tree.map(
        lambda x: np.asarray(x).std() * random.standard_normal(x.shape, np.float32), network
    )
    return dataclasses.replace(fresh, provenance=None)


@pytest.fixture(scope="module")
def family():
    parent = dataclasses.replace(loading.load(PARENT), provenance=None)
    child = moved(parent, 0.3)
    return {
        "parent": parent,
        "child": child,
        "other": moved(parent, 0.3, seed=1),
        "grandchild": moved(child, 0.3, seed=2),
        "stranger": stranger(parent),
    }


def test_a_grandchild_hangs_on_the_child_between(family):
    tree = jobs.related(list(family.values()), names=list(family))
    assert tree.parents == {
        "parent": None,
        "child": "parent",
        "other": "parent",
        "grandchild": "child",
        "stranger": None,
    }
    assert "stranger: unrelated to the others" in tree.text()
    assert "│  └─ grandchild" in tree.text()
    pair = tree.relation("stranger", "parent")
    assert not pair.related and pair.noise is False and not pair.recorded
    assert tree.relation("child", "parent").noise
    document = tree.document()
    assert len(document["pairs"]) == 10 and document["tree"]["grandchild"] == "child"


def test_weights_alone_tell(family):
    """Whatever happened to the noise maps."""
    plain, child = family["parent"], family["child"]
    no_noise = dataclasses.replace(
        child, variables={k: v for k, v in child.variables.items() if k != "noise"}
    )
    assert jobs.related([plain, no_noise], names=["a", "b"]).parents["b"] == "a"
    assert kinship(plain, child).akin and not kinship(plain, family["stranger"]).akin
    assert kinship(plain, plain).distance == 0 and kinship(plain, plain).cosine == pytest.approx(1)
    assert 0 < kinship(plain, child).distance < kinship(plain, family["grandchild"]).distance


def test_records_tell_too(family):
    first, second = (
        dataclasses.replace(family[name], provenance={"sha256": "12"})
        for name in ("parent", "stranger")
    )
    tree = jobs.related([first, second], names=["a", "b"])
    assert tree.relation("a", "b").recorded and tree.parents["b"] == "a"
    assert "on record" in tree.text()


def test_other_sizes_are_compared_by_what_is_common(family):
    smaller = loading.load(DATA / "generator_skip32.pkl")
    found = kinship(family["parent"], smaller)
    assert not found.akin
    bigger = kinship(smaller, smaller)
    assert bigger.akin and bigger.count > found.count


def test_names_of_what_cannot_be_told():
    with pytest.raises(UserError, match="two or more"):
        jobs.related([PARENT])
    with pytest.raises(UserError, match="names come twice: hostile_baseline_ok"):
        jobs.related([PARENT, PARENT])
    with pytest.raises(UserError, match="1 names for 2"):
        jobs.related([PARENT, PARENT], names=["a"])


def test_each_family_has_a_tree():
    distance = {frozenset(pair): d for pair, d in {("a", "b"): 1.0, ("c", "d"): 2.0}.items()}
    tree = nearest_tree(
        "acbd",
        lambda x, y: distance[frozenset((x, y))],
        lambda x, y: frozenset((x, y)) in distance,
    )
    assert tree == {"a": None, "b": "a", "c": None, "d": "c"}
