"""Sizes from shapes alone, and the recorded arguments checked against them."""

import json

import pytest

from aligned_jax.convert import deduce
from aligned_jax.convert.kwargs import ADA, discriminator_config, generator_config
from aligned_jax.convert.rules import official_shapes
from aligned_jax.errors import FormatError, UserError
from tests.helpers import DATA, document, reference

GENERATORS = sorted(path.stem for path in DATA.glob("generator_*.npz"))
DISCRIMINATORS = sorted(path.stem for path in DATA.glob("discriminator_*.npz"))


def shapes_of(arrays, key):
    names, shapes = arrays[f"{key}/tensor_names"], arrays[f"{key}/tensor_shapes"]
    pairs = zip(names.tolist(), shapes.tolist(), strict=True)
    return {name: tuple(json.loads(shape)) for name, shape in pairs}


@pytest.mark.parametrize("name", GENERATORS)
def test_generator_shapes_tell_all_shapes(name):
    arrays = reference(name)
    shapes, kwargs = shapes_of(arrays, "G_ema"), document(arrays, "init_kwargs_json")
    bare = deduce.generator(shapes, {}, ADA)
    assert official_shapes(bare) == shapes == official_shapes(generator_config(kwargs))
    assert deduce.generator(shapes, kwargs, ADA) == generator_config(kwargs)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminator_shapes_tell_all_shapes(name):
    arrays = reference(name)
    shapes, kwargs = shapes_of(arrays, "D"), document(arrays, "init_kwargs_json")
    bare = deduce.discriminator(shapes, {}, ADA)
    described = discriminator_config(kwargs)
    if described.resample_filter == bare.resample_filter:
        assert official_shapes(bare) == shapes == official_shapes(described)
    assert deduce.discriminator(shapes, kwargs, ADA) == described


def small(**synthesis):
    synthesis = {"channel_base": 64, "channel_max": 8} | synthesis
    sizes = {"z_dim": 5, "c_dim": 3, "w_dim": 6, "img_resolution": 8, "img_channels": 3}
    return {**sizes, "mapping_kwargs": {"num_layers": 3}, "synthesis_kwargs": synthesis}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"img_resolution": 16}, "img_resolution is 16, in the tensors 8"),
        ({"z_dim": 6}, "z_dim is 6, in the tensors 5"),
        ({"c_dim": 0}, "c_dim is 0, in the tensors 3"),
        ({"w_dim": 7}, "w_dim is 7, in the tensors 6"),
        ({"img_channels": 1}, "img_channels is 1, in the tensors 3"),
        ({"mapping_kwargs": {"num_layers": 2}}, "mapping.num_layers is 2, in the tensors 3"),
        ({"synthesis_kwargs": {"architecture": "orig"}}, "architecture is 'orig', .* 'skip'"),
        ({"synthesis_kwargs": {"channel_base": 64, "channel_max": 4}}, "channels at 4x4 is 4"),
        ({"synthesis_kwargs": {"use_noise": False}}, "use_noise is False, in the tensors True"),
    ],
)
def test_contradictions_are_named(change, said):
    shapes = official_shapes(generator_config(small()))
    with pytest.raises(FormatError, match=said):
        deduce.generator(shapes, small() | change, ADA)


def test_all_contradictions_are_named_together():
    shapes = official_shapes(generator_config(small()))
    with pytest.raises(FormatError, match=r"img_channels is 4.*z_dim is 9"):
        deduce.generator(shapes, small() | {"z_dim": 9, "img_channels": 4}, ADA)


@pytest.mark.parametrize("architecture", ["orig", "skip", "resnet"])
@pytest.mark.parametrize("use_noise", [False, True])
def test_options_that_shapes_tell(architecture, use_noise):
    config = generator_config(small(architecture=architecture, use_noise=use_noise))
    deduced = deduce.generator(official_shapes(config), {}, ADA)
    assert deduced.synthesis.architecture == architecture
    assert deduced.synthesis.use_noise is use_noise
    assert official_shapes(deduced) == official_shapes(config)


@pytest.mark.slow
def test_usual_and_unusual_widths():
    sizes = {"img_resolution": 64, "img_channels": 3, "c_dim": 0}
    for base in (32768, 16384):
        config = discriminator_config(sizes | {"channel_base": base})
        assert deduce.discriminator(official_shapes(config), {}, ADA).channel_base == base
    config = discriminator_config(sizes | {"channel_base": 640, "channel_max": 70})
    deduced = deduce.discriminator(official_shapes(config), {}, ADA)
    assert deduced.channels is None and (deduced.channel_base, deduced.channel_max) == (640, 70)


def test_endless_mappings_are_refused_at_once():
    shapes = official_shapes(generator_config(small())) | {"mapping.fc999.weight": (1, 1)}
    with pytest.raises(FormatError, match="1000 layers"):
        deduce.generator(shapes, {}, ADA)
    shapes = official_shapes(generator_config(small()))
    with pytest.raises(UserError, match="num_layers"):
        deduce.generator(shapes, small() | {"mapping_kwargs": {"num_layers": 10**9}}, ADA)


@pytest.mark.parametrize("kind", [deduce.generator, deduce.discriminator])
def test_nothing_is_no_network(kind):
    with pytest.raises(UserError):
        kind({}, {}, ADA)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mapping_kwargs": {"lr_multiplier": 1e-300}}, "lr_multiplier is 1e-300"),
        ({"mapping_kwargs": {"w_avg_beta": 1.5}}, "w_avg_beta is 1.5; it must be 0 to 1"),
        ({"synthesis_kwargs": {"conv_clamp": float("nan")}}, "conv_clamp is nan"),
        ({"synthesis_kwargs": {"num_fp16_res": 10**18}}, "num_fp16_res is a number beyond"),
        ({"synthesis_kwargs": {"resample_filter": [3e38, 3e38]}}, "cannot be normalised"),
    ],
)
def test_numbers_beyond_reason_are_refused(change, said):
    kwargs = small()
    for group, values in change.items():
        kwargs[group] = kwargs[group] | values
    with pytest.raises(UserError, match=said):
        deduce.generator(official_shapes(generator_config(small())), kwargs, ADA)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"block_kwargs": {"freeze_layers": -1}}, "freeze_layers is -1"),
        ({"epilogue_kwargs": {"mbstd_group_size": 2**40}}, "mbstd_group_size is 1099511627776"),
    ],
)
def test_discriminator_numbers_beyond_reason_are_refused(change, said):
    kwargs = {"img_resolution": 8, "img_channels": 3, "c_dim": 0, "channel_base": 64}
    with pytest.raises(UserError, match=said):
        deduce.discriminator(official_shapes(discriminator_config(kwargs)), kwargs | change, ADA)
