"""TensorFlow pickles that hold a part of a snapshot, or counters of the training script."""

import itertools

import numpy as np
import pytest

from aligned_jax.convert.files.inert import TFNetwork
from aligned_jax.convert.formats import nvidia_tf, tf_snapshot
from aligned_jax.errors import FormatError
from tests.convert.small_networks import Lazy
from tests.convert.test_nvidia_tf import critic_variables, network, variables

SIZES = {"resolution": 8, "latent_size": 5, "dlatent_size": 6}


def snapshot(**kwargs):
    """(G, D, Gs) with different numbers."""
    generators = (network(variables(seed), **SIZES, **kwargs) for seed in (1, 2))
    g, gs = generators
    return g, network(critic_variables(), resolution=8, **kwargs), gs


def keys(value):
    assert tf_snapshot.is_snapshot(value)
    described, source = nvidia_tf.read(value)
    assert source["code_base"] == "stylegan2 (TensorFlow)" and source["warnings"] == []
    return list(described)


@pytest.mark.parametrize("present", list(itertools.product((True, False), repeat=3)))
def test_any_part_of_a_snapshot(present):
    value = [item if there else None for item, there in zip(snapshot(), present, strict=True)]
    expected = [key for key, there in zip(("G", "D", "G_ema"), present, strict=True) if there]
    if expected:
        assert keys(tuple(value)) == expected
        named = dict(zip(("G", "D", "Gs"), value, strict=True))
        assert keys(named | {"epoch": 3}) == expected
    else:
        assert not tf_snapshot.is_snapshot(tuple(value))


def test_networks_alone_and_in_pairs():
    g, d, gs = snapshot()
    assert keys(gs) == keys((gs,)) == keys([None, gs]) == keys({"Gs": gs}) == ["G_ema"]
    assert keys(d) == ["D"]
    assert keys((g, gs)) == ["G", "G_ema"]
    assert keys((d, gs)) == keys((gs, d)) == ["D", "G_ema"]
    assert keys((g, d, gs, 17, {"kimg": 3})) == ["G", "D", "G_ema"]
    assert keys({"snapshot": (g, d, gs), "kimg": 3}) == ["G", "D", "G_ema"]
    tensors = nvidia_tf.read((g, gs))[0]["G_ema"].tensors
    mean = variables(2)["dlatent_avg"]
    assert np.array_equal(tensors["mapping.w_avg"].numpy(), mean)


def test_what_is_no_snapshot_is_said_in_whole_sentences():
    g, d, gs = snapshot()
    cases = {
        "holds 6 networks; .* G, D and Gs": (g, d, gs) * 2,
        "0 generators and 2 discriminators": (d, d),
        "D is a number": (g, 3, gs),
        "holds a number beside": (gs, 3),
        "in 2 places": {"a": (g, d, gs), "b": [gs]},
        "D is a generator": (g, gs, gs),
        "G_ema is a discriminator": (g, d, d),
    }
    for said, value in cases.items():
        with pytest.raises(FormatError, match=said):
            nvidia_tf.read(value)


@pytest.mark.parametrize("part", ["mapping", "synthesis"])
def test_components_alone_are_named(part):
    component = snapshot()[2].state["components"][part]
    component.state["version"] = 4
    with pytest.raises(FormatError, match=f"holds the {part} network of a generator without"):
        nvidia_tf.read(component)


@pytest.mark.parametrize(
    "names",
    [["epochs", "epochs_1"], ["training/kimg"], ["synthesis/step"], ["mapping/iterations"]],
    ids=str,
)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_counters_are_left_out_and_named(names, shape):
    counters = {name: np.ones(shape, np.float32) for name in names}
    g, gs = (network(variables(seed) | counters, **SIZES) for seed in (1, 2))
    critic = critic_variables() | {"epochs": np.ones((), np.float32)}
    described, source = nvidia_tf.read((g, network(critic), gs))
    plain = nvidia_tf.read(snapshot())[0]
    assert {key: set(item.tensors) for key, item in described.items()} == {
        key: set(item.tensors) for key, item in plain.items()
    }
    said = {text.partition(":")[0]: text for text in source["warnings"]}
    assert list(said) == ["G", "D", "G_ema"]
    assert all(name in said["G"] and name in said["G_ema"] for name in names)
    assert "epochs" in said["D"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("synthesis/8x8/Conv1/gain", ()),
        ("synthesis/8x8/Attention/gamma", ()),
        ("synthesis/extra/weight", (1,)),
        ("epochs", (2,)),
    ],
)
def test_numbers_that_may_be_part_of_a_layer_are_refused(name, shape):
    arrays = variables() | {name: np.ones(shape, np.float32)}
    with pytest.raises(FormatError, match=f"(does|do) not have: {name}$|attention"):
        nvidia_tf.read(network(arrays))


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"min_h": 4, "min_w": 4, "res_log2": 1}, None),
        ({"min_h": 4, "min_w": 4, "resolution_h": 8, "resolution_w": 8}, None),
        ({"attention_layers": None}, "passed over"),
        ({"min_h": 8, "min_w": 8, "res_log2": 1}, "begins at 8x8 pixels instead of 4x4"),
        ({"min_h": 4, "min_w": 8, "res_log2": 1}, "not square: 8x16"),
        ({"resolution_h": 16, "resolution_w": 8}, "not square: 16x8"),
        ({"min_h": 4, "min_w": 4, "res_log2": 10**9}, "not known here: res_log2"),
        ({"resolution_h": 16, "resolution_w": 16}, "not known here: resolution_h, resolution_w"),
    ],
    ids=str,
)
def test_forks_for_rectangles(kwargs, said):
    value = snapshot(**kwargs)
    if said is None:
        assert keys(value) == ["G", "D", "G_ema"]
    elif said == "passed over":
        assert all(said in text for text in nvidia_tf.read(value)[1]["warnings"])
    else:
        with pytest.raises(FormatError, match=f"^G.*{said}"):
            nvidia_tf.read(value)


@pytest.mark.parametrize(
    ("layer", "said"),
    [("8x8/Const/const", "begins at 8x8"), ("4x2/Const/const", "not square: 8x4")],
)
def test_names_of_variables_tell_the_first_block(layer, said):
    arrays = variables()
    const = arrays.pop("synthesis/4x4/Const/const")
    arrays |= {f"synthesis/{layer}": const}
    if "4x2" in layer:
        arrays["synthesis/8x4/Conv1/bias"] = const
    with pytest.raises(FormatError, match=said):
        nvidia_tf.read(network(arrays))


def test_lists_that_hold_themselves_end():
    endless = []
    endless += [endless] * 3
    assert not tf_snapshot.is_snapshot(endless)
    assert not tf_snapshot.is_snapshot([[0] * 10_000])
    hidden = {"a": {"b": {"c": {"d": TFNetwork({"variables": [("x", Lazy(np.ones(1)))]})}}}}
    assert not tf_snapshot.is_snapshot(hidden)
