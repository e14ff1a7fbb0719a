"""Mixtures of latents, their names, and what sources keep."""

import dataclasses

import numpy as np
import pytest

from aligned_jax import loading, translation
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers
from aligned_jax.rendering import mixing
from aligned_jax.rendering.latent_batch import latents_of_seeds
from tests.helpers import DATA


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


def test_cuts(network):
    config = network.config
    count = len(style_layers(config))
    assert mixing.parse_cuts(config, 3) == [3] and mixing.parse_cuts(config, "8px") == [2]
    assert mixing.parse_cuts(config, ["2", 3, "8px"]) == [2, 3, 2]
    for layers in ("all", ["all"]):
        assert mixing.parse_cuts(config, layers) == list(range(count + 1))
    with pytest.raises(UserError, match=r"from 0 to 5"):
        mixing.parse_cuts(config, 6)
    assert mixing.parse_cuts(config) == [2]
    with pytest.raises(UserError, match="`layers` is all,3; give either all, which is the whole"):
        mixing.parse_cuts(config, ["all", 3])


def test_names():
    pair = (("a", "b"), ("x", "y"))
    assert mixing.mixture_names(*pair, [1]) == ("a, x", "a, y", "b, x", "b, y")
    names = mixing.mixture_names(("a",), ("x", "y"), [1, 2])
    assert names == ("a, x, layers 1", "a, x, layers 2", "a, y, layers 1", "a, y, layers 2")
    assert mixing.mixture_names(("a", "b"), None, []) == ("a", "b")
    assert mixing.texture_names(("x", "y"), [1]) == ["x", "y"]
    assert mixing.texture_names(("x",), [1, 2]) == ["x, keeps 1", "x, keeps 2"]


def test_mixtures_have_the_noise_of_their_sources(network):
    config, cuts = network.config, [1, 3]
    maps = {"noise/b4.conv1": np.arange(32, dtype=np.float32).reshape(2, 4, 4)}
    plain = latents_of_seeds(config, [3, 5]).styles(network)
    sources = dataclasses.replace(plain, arrays={**plain.arrays, **maps}, skipped={"a": "b"})
    references = latents_of_seeds(config, [7, 8, 9]).styles(network)
    mixed = mixing.mixed(config, sources, references, cuts)
    expected = translation.mixtures(
        config, sources.style_vectors(), references.style_vectors(), cuts
    )
    assert len(mixed) == 12 and mixed.names[:2] == ("seed 3, seed 7, layers 1",
                                                    "seed 3, seed 7, layers 3")  # fmt: skip
    for layer, value in expected.items():
        assert (mixed.arrays[f"styles/{layer}"] == value).all()
    assert mixed.numbers.tolist() == [3] * 6 + [5] * 6
    assert (mixed.arrays["noise/b4.conv1"] == maps["noise/b4.conv1"].repeat(6, axis=0)).all()
    assert mixed.psi == 1 and mixed.pictures is None and not mixed.skipped
