"""What forks record beyond the official arguments: harmless values, and images of other shapes."""

import numpy as np
import pytest

from aligned_jax.convert import forks, read_official
from aligned_jax.convert.kwargs import (
    discriminator_config,
    discriminator_values,
    generator_config,
    generator_values,
    passed_over,
)
from aligned_jax.errors import ConfigError, FormatError, UserError
from tests.convert.small_networks import D_KWARGS, G_KWARGS, discriminator, generator
from tests.makers.official_file import OfficialNetwork, write_snapshot

# Values that say the same as no argument, for networks of 8 pixels.
SAME = [
    {"square": True},
    {"square": None},
    {"init_res": [4, 4]},
    {"init_res": (4, 4)},
    {"init_res": "4x4"},
    {"init_size": 4},
    {"min_h": 4, "min_w": 4, "res_log2": 1},
    {"resolution_h": 8, "resolution_w": 8},
    {"img_size": [8, 8]},
    {"height": 8, "width": 8},
    {"aspect_ratio": 1.0},
    {"rectangular": False},
    {"verbose": True},
    {"block_kwargs": {}},
]
# Values that say so as far as can be told, of arguments whose names are unknown here.
PASSED = [
    {"attention": None},
    {"use_attention": False},
    {"extra_layers": []},
    {"attn_heads": 0},
    {"variant": "default"},
    {"demodulate": True},
    {"no_demodulation": False},
]
# (argument, height and width in the message)
RECTANGLES = [
    ({"square": False}, ""),
    ({"init_res": [3, 5]}, ": 6x10"),
    ({"init_res": (2, 4)}, ": 4x8"),
    ({"min_h": 4, "min_w": 2, "res_log2": 3}, ": 32x16"),
    ({"resolution_h": 8, "resolution_w": 16}, ": 8x16"),
    ({"img_resolution": [8, 16]}, ": 8x16"),
    ({"aspect_ratio": 0.5}, ""),
    ({"rect": True}, ""),
]


def put(kwargs, group, extra):
    """The arguments with more of them, at the top or in a group."""
    return kwargs | (extra if not group else {group: kwargs.get(group, {}) | extra})


@pytest.mark.parametrize("extra", SAME + PASSED, ids=str)
@pytest.mark.parametrize("group", ["", "mapping_kwargs", "synthesis_kwargs", "block_kwargs"])
def test_arguments_that_change_nothing_in_a_generator(group, extra):
    assert generator_config(put(G_KWARGS, group, extra)) == generator_config(G_KWARGS)
    assert bool(passed_over(put(G_KWARGS, group, extra), True)) is (extra in PASSED)


@pytest.mark.parametrize("extra", SAME + PASSED, ids=str)
@pytest.mark.parametrize("group", ["", "mapping_kwargs", "block_kwargs", "epilogue_kwargs"])
def test_arguments_that_change_nothing_in_a_discriminator(group, extra):
    assert discriminator_config(put(D_KWARGS, group, extra)) == discriminator_config(D_KWARGS)


@pytest.mark.parametrize(("extra", "sides"), RECTANGLES, ids=str)
@pytest.mark.parametrize("values", [generator_values, discriminator_values])
def test_arguments_of_images_that_are_not_square(values, extra, sides):
    kwargs = G_KWARGS if values is generator_values else D_KWARGS
    with pytest.raises(FormatError, match=rf"images that are not square{sides}\b") as caught:
        values(kwargs | extra)
    assert "unknown" not in str(caught.value)


@pytest.mark.parametrize("extra", [{"init_res": 8}, {"init_res": [8, 8]}, {"min_h": 8, "min_w": 8}])
def test_arguments_of_another_first_block(extra):
    with pytest.raises(FormatError, match="begins at 8x8 pixels instead of 4x4"):
        generator_values(G_KWARGS | extra)


@pytest.mark.parametrize(
    ("group", "extra"),
    [
        ("", {"attention": True}),
        ("", {"demodulate": False}),
        ("", {"without_noise": True}),
        ("synthesis_kwargs", {"heads": 4}),
        ("mapping_kwargs", {"variant": "deep"}),
        ("synthesis_kwargs", {"img_size": 16}),
        ("", {"res_log2": 10**9}),
        ("", {"init_res": [4, 4, 4]}),
        ("", {"square": "yes"}),
        ("block_kwargs", {"groups": 2}),
    ],
)
def test_others_are_refused_where_they_stand(group, extra):
    place = ".".join(filter(None, (group, *extra)))
    with pytest.raises(ConfigError, match=rf"arguments of the generator: {place};"):
        generator_config(put(G_KWARGS, group, extra))


def test_an_argument_in_two_places_is_refused():
    kwargs = put(put(G_KWARGS, "", {"use_noise": True}), "block_kwargs", {"use_noise": True})
    with pytest.raises(ConfigError, match=r"twice: as use_noise and as block_kwargs\.use_noise"):
        generator_config(kwargs)


def test_a_snapshot_with_them_is_the_plain_one(tmp_path):
    networks = {"G_ema": generator(), "G": generator(seed=2), "D": discriminator()}
    write_snapshot(tmp_path / "plain.pkl", networks)
    extra = {"square": True, "init_res": [4, 4], "use_attention": False}
    forked = {
        key: OfficialNetwork(network.kwargs | extra, network.tensors)
        for key, network in networks.items()
    }
    write_snapshot(tmp_path / "fork.pkl", forked)
    plain, fork = (read_official(tmp_path / f"{name}.pkl") for name in ("plain", "fork"))
    assert plain.source["warnings"] == []
    warnings = fork.source["warnings"]
    assert [text.partition(":")[0] for text in warnings] == ["G_ema", "G", "D"]
    assert all("passed over" in text and "use_attention=False" in text for text in warnings)
    for key, network in plain.networks.items():
        assert fork.networks[key].config == network.config
        for name, tensor in network.tensors.items():
            assert np.array_equal(fork.networks[key].tensors[name].numpy(), tensor.numpy())


def reshaped(height, width):
    """Shapes of a 16-pixel generator that begins at this size."""
    shapes = {"synthesis.b4.const": (8, height, width)}
    for block, factor in ((4, 1), (8, 2), (16, 4)):
        noise = (height * factor, width * factor)
        shapes[f"synthesis.b{block}.conv1.noise_const"] = noise
    return shapes


def test_tensors_tell_the_shape_of_images():
    forks.check_shapes(reshaped(4, 4))
    with pytest.raises(FormatError, match="not square: 16x8 "):
        forks.check_shapes(reshaped(4, 2))
    with pytest.raises(FormatError, match="not square: 12x20 "):
        forks.check_shapes(reshaped(3, 5))
    with pytest.raises(FormatError, match="begins at 8x8 pixels instead of 4x4"):
        forks.check_shapes(reshaped(8, 8))
    with pytest.raises(FormatError, match="not square: 4x2 "):  # without noise
        forks.check_shapes({"synthesis.b4.const": (8, 4, 2)})
    with pytest.raises(FormatError, match="begins at 8x8"):
        forks.check_shapes({"synthesis.b8.const": (8, 8, 8)})
    # A tensor of an odd shape among sound ones is damage, for the checks to name.
    forks.check_shapes(reshaped(4, 4) | {"synthesis.b4.const": (8, 4, 2)})
    forks.check_shapes({"synthesis.b4.const": (0, 4, 2)})


def test_the_tensors_name_the_sides_that_arguments_do_not(tmp_path):
    network = generator()
    tensors = dict(network.tensors)
    for name, array in network.tensors.items():
        if name.endswith((".const", ".noise_const")):
            tensors[name] = array[..., : array.shape[-1] // 2]
    forked = OfficialNetwork(network.kwargs | {"square": False}, tensors)
    write_snapshot(tmp_path / "net.pkl", {"G_ema": forked})
    with pytest.raises(UserError, match=r"^net.pkl: G_ema: it is a fork .*not square: 8x4 "):
        read_official(tmp_path / "net.pkl")
