"""State dicts behind prefixes, in dictionaries, and beside others."""

import numpy as np
import pytest

from aligned_jax.convert import read_official
from aligned_jax.convert.formats import tensor_dicts, wrappers
from aligned_jax.errors import FormatError, UserError
from tests.convert.small_networks import Lazy, discriminator, generator
from tests.convert.test_rosinality import discriminator_state, generator_state
from tests.makers.official_file import write_rosinality

MEAN = np.arange(6, dtype=np.float32)
OPTIMISER = {"state": {0: {"step": np.float32(1), "exp_avg": Lazy(MEAN)}}, "param_groups": [{}]}


def lazy(state, prefix=""):
    return {f"{prefix}{name}": Lazy(array) for name, array in state.items()}


PORT_G, PORT_D = lazy(generator_state()), lazy(discriminator_state())
OTHER_G = lazy(generator_state(5))
OFFICIAL_G, OFFICIAL_D = lazy(generator().tensors), lazy(discriminator().tensors)


def behind(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def same(found, expected):
    return found.keys() == expected.keys() and all(found[n] is t for n, t in expected.items())


PREFIXES = ["", "module.", "generator.", "g_ema.", "netG.", "_orig_mod.", "_orig_mod.module."]
PREFIXES += ["module.netG.", "g_ema.module.", "ema_model.", "a.b.c.d."]
# How dictionaries are put around a state dict.
AROUND = {
    "bare": lambda state: state,
    "state_dict": lambda state: {"state_dict": state, "epoch": 3, "optimizer": OPTIMISER},
    "params_ema": lambda state: {"params_ema": state},
    "params": lambda state: {"params": state, "iter": 10},
    "model": lambda state: {"model": {"state_dict": state}, "args": object()},
    "n_averaged": lambda state: {**state, "n_averaged": Lazy(np.int64(3))},
    "settings between": lambda state: {**state, "epoch": 3, "name": "x", "none": None},
}


SOUND = {"g_ema": PORT_G, "d": PORT_D, "G_ema": OFFICIAL_G, "D": OFFICIAL_D}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_one_network_behind_prefixes_and_in_dictionaries(prefix, around):
    for key, sound in SOUND.items():
        if around == "n_averaged" and not prefix:
            continue  # a number among the names of the network itself, for its reader
        value, warnings = wrappers.unwrapped(AROUND[around](behind(prefix, sound)))
        if key in ("g_ema", "d"):
            assert list(value) == [key] and same(value[key], sound)
        else:
            assert same(value, behind(f"{key}.", sound))
        assert warnings == []


@pytest.mark.parametrize(
    "value",
    [
        {"g_ema": PORT_G, "g": OTHER_G, "d": PORT_D},
        {"G_ema": PORT_G, "G": OTHER_G, "D": PORT_D},
        {"params_ema": PORT_G, "params": OTHER_G, "net_d": PORT_D},
        {"netG_ema": PORT_G, "netG": OTHER_G, "netD": PORT_D},
        {"model": {"generator_ema": PORT_G, "generator": OTHER_G, "discriminator": PORT_D}},
        behind("g_ema.", PORT_G) | behind("g.", OTHER_G) | behind("d.", PORT_D),
        {"state_dict": behind("ema.module.", PORT_G) | behind("net.", OTHER_G), "d": PORT_D},
        {"all": {"shadow": behind("a.", PORT_G), "g": behind("a.", OTHER_G)}, "D": PORT_D},
    ],
    ids=range(8),
)
def test_several_networks(value):
    found, warnings = wrappers.unwrapped(value | {"latent_avg": Lazy(MEAN), "ada_aug_p": 0.5})
    assert same(found["g_ema"], PORT_G) and same(found["g"], OTHER_G) and same(found["d"], PORT_D)
    assert np.array_equal(found["latent_avg"].numpy(), MEAN) and found["ada_aug_p"] == 0.5
    assert warnings == []


def test_the_mean_of_w_is_found_beside_above_and_inside():
    mean = Lazy(MEAN)
    for value in (
        {"g_ema": PORT_G, "latent_avg": mean},
        {"state_dict": behind("module.", PORT_G), "latent_avg": mean},
        {"model": {"state_dict": PORT_G}, "latent_avg": mean},
        {"model": {"state_dict": PORT_G, "latent_avg": mean}},
        PORT_G | {"latent_avg": mean},
        behind("module.", PORT_G | {"latent_avg": mean}),
    ):
        found, _ = wrappers.unwrapped(value)
        assert found["latent_avg"] is mean and same(found["g_ema"], PORT_G)


def test_a_generator_that_trains_keeps_its_key():
    assert list(wrappers.unwrapped({"g": PORT_G, "d": PORT_D})[0]) == ["g", "d"]
    assert list(wrappers.unwrapped({"netG": PORT_G, "netD": PORT_D})[0]) == ["g_ema", "d"]


def test_what_is_no_network_is_left_out_and_named():
    vgg = behind("lpips.", lazy({"net.0.weight": np.ones(2), "net.0.bias": np.ones(2)}))
    _, warnings = wrappers.unwrapped(behind("netG.", PORT_G) | vgg)
    assert warnings == ["left out, as they are no part of a network: lpips (2 tensors)"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": PORT_G, "b": PORT_G}, "2 generators that are not said to be averaged, at a, b"),
        ({"x_ema": PORT_G, "ema": OTHER_G}, "2 averaged generators, at x_ema, ema"),
        ({"a": PORT_D, "b": behind("module.", PORT_D)}, r"2 discriminators, at a, b\.module"),
        ({"a": PORT_G, "b": OFFICIAL_D}, r"two code bases: a \(port\), b \(official\)"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(value, said):
    with pytest.raises(FormatError, match=said):
        wrappers.unwrapped(value)


def test_encoders_lose_a_prefix_too():
    state = lazy({"encoder.x": MEAN, "decoder.y": MEAN})
    for prefix in ("module.", "_orig_mod.module."):
        value, _ = wrappers.unwrapped({"state_dict": behind(prefix, state), "opts": {"a": 1}})
        assert same(value["state_dict"], state) and value["opts"] == {"a": 1}


def test_other_dictionaries_stay_as_they_are():
    endless = {}
    endless["a"] = endless
    for value in ({}, {"a": 1}, {"state": {"w": Lazy(MEAN)}}, {3: PORT_G}, {"g_ema": {}}):
        assert wrappers.unwrapped(value) == (value, [])
    with pytest.raises(FormatError, match="beyond measure"):
        wrappers.unwrapped(endless)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_files_are_read_through_them(prefix, tmp_path):
    state = {f"{prefix}{name}": array for name, array in generator_state().items()}
    write_rosinality(tmp_path / "net.pt", {"state_dict": state, "latent_avg": MEAN})
    official = read_official(tmp_path / "net.pt")
    assert list(official.networks) == ["G_ema"] and official.source["warnings"] == []
    tensors = official.networks["G_ema"].tensors
    assert np.array_equal(tensors["mapping.w_avg"].numpy(), MEAN)
    assert np.array_equal(tensors["synthesis.b4.const"].numpy(), state[f"{prefix}input.input"][0])


def test_official_names_behind_a_prefix(tmp_path):
    tensors = generator().tensors
    state = {f"module.{name}": array for name, array in tensors.items()}
    write_rosinality(tmp_path / "net.pt", {"model": state})
    found = read_official(tmp_path / "net.pt").networks["G_ema"].tensors
    assert all(np.array_equal(found[name].numpy(), array) for name, array in tensors.items())


def test_names_of_the_port_in_safetensors(tmp_path):
    from safetensors.numpy import save_file

    save_file(generator_state(), tmp_path / "net.safetensors")
    official = read_official(tmp_path / "net.safetensors")
    assert list(official.networks) == ["G_ema"]
    assert official.source["code_base"] == "stylegan2-pytorch (rosinality)"


def test_a_strange_tensor_behind_a_prefix_is_named_without_it():
    state = behind("module.", PORT_G | {"convs.0.extra.weight": Lazy(MEAN)})
    with pytest.raises(UserError, match=r"G_ema has tensors .*: convs\.0\.extra\.weight\. "):
        tensor_dicts.read({"g_ema": state})
