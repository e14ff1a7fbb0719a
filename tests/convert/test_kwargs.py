"""Constructor arguments of both official code bases become configs."""

import numpy as np
import pytest

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.convert.kwargs import discriminator_config, generator_config
from aligned_jax.errors import ConfigError, UserError
from tests.helpers import DATA, document, reference

SIZES = {"z_dim": 8, "c_dim": 2, "w_dim": 6, "img_resolution": 16, "img_channels": 1}
D_SIZES = {"c_dim": 2, "img_resolution": 16, "img_channels": 1}
GENERATORS = sorted(path.stem for path in DATA.glob("generator_*.npz"))
DISCRIMINATORS = sorted(path.stem for path in DATA.glob("discriminator_*.npz"))


def test_every_generator_argument_arrives():
    mapping = {
        "num_layers": 4,
        "embed_features": 7,
        "layer_features": 18,
        "activation": "relu",
        "lr_multiplier": 0.1,
        "w_avg_beta": 0.9,
    }
    synthesis = {
        "channel_base": 512,
        "channel_max": 12,
        "num_fp16_res": 2,
        "architecture": "resnet",
        "resample_filter": [1, 2, 4, 3],
        "use_noise": False,
        "activation": "swish",
        "conv_clamp": 0.6,
    }
    config = generator_config(SIZES | {"mapping_kwargs": mapping, "synthesis_kwargs": synthesis})
    assert config == GeneratorConfig(
        **SIZES,
        mapping=MappingConfig(**mapping),
        synthesis=SynthesisConfig(**synthesis | {"resample_filter": (1.0, 2.0, 4.0, 3.0)}),
    )


def test_code_bases_differ_in_form_and_defaults():
    nested = generator_config(SIZES | {"synthesis_kwargs": {"channel_base": 512}})
    flat = generator_config(SIZES | {"channel_base": 512})
    assert (nested.synthesis.num_fp16_res, nested.synthesis.conv_clamp) == (0, None)
    assert (flat.synthesis.num_fp16_res, flat.synthesis.conv_clamp) == (4, 256.0)
    assert (nested.mapping.w_avg_beta, flat.mapping.w_avg_beta) == (0.995, 0.998)
    assert nested.channels == flat.channels
    early, late = discriminator_config(D_SIZES), discriminator_config(D_SIZES, "stylegan3")
    assert (early.num_fp16_res, early.conv_clamp) == (0, None)
    assert (late.num_fp16_res, late.conv_clamp) == (4, 256.0)


@pytest.mark.parametrize("name", GENERATORS)
def test_recorded_generator_arguments_are_understood(name):
    arrays = reference(name)
    kwargs = document(arrays, "init_kwargs_json")
    config = generator_config(kwargs)
    shapes = dict(zip(arrays["G_ema/tensor_names"], arrays["G_ema/tensor_shapes"], strict=True))
    for resolution, channels in config.channels.items():
        assert shapes[f"synthesis.b{resolution}.conv1.bias"] == f"[{channels}]"
    recorded = kwargs["synthesis_kwargs"].get("resample_filter", [1, 3, 3, 1])
    assert list(config.synthesis.resample_filter) == recorded
    assert discriminator_config(document(arrays, "d_init_kwargs_json")).c_dim == config.c_dim


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_recorded_discriminator_arguments_are_understood(name):
    kwargs = document(reference(name), "init_kwargs_json")
    config = discriminator_config(kwargs)
    assert isinstance(config, DiscriminatorConfig)
    assert config.mapping.lr_multiplier == kwargs["mapping_kwargs"].get("lr_multiplier", 0.01)
    assert config.epilogue.mbstd_group_size == kwargs["epilogue_kwargs"]["mbstd_group_size"]


def test_harmless_arguments_and_numpy_numbers_change_nothing():
    extra = {"fused_modconv_default": "inference_only", "fp16_channels_last": True}
    plain = generator_config(SIZES | {"channel_base": 512})
    numbers = {key: np.int64(value) for key, value in SIZES.items()}
    assert generator_config(numbers | extra | {"channel_base": 512, "kernel_size": 3}) == plain


def test_no_filter_is_an_empty_one():
    config = generator_config(SIZES | {"resample_filter": None})
    assert config.synthesis.resample_filter == ()


def test_two_dimensional_filters_stay_two_dimensional():
    kwargs = SIZES | {"synthesis_kwargs": {"resample_filter": [[1, 2], [3, 4]]}}
    assert generator_config(kwargs).synthesis.resample_filter == ((1.0, 2.0), (3.0, 4.0))


def test_unknown_arguments_are_named_together():
    kwargs = SIZES | {"mapping_kwargs": {"depth": 3}, "synthesis_kwargs": {"attention": True}}
    with pytest.raises(ConfigError, match=r"mapping_kwargs.depth, synthesis_kwargs.attention"):
        generator_config(kwargs)
    kwargs = D_SIZES | {"heads": 2, "epilogue_kwargs": {"pool": 1}, "block_kwargs": {"k": 1}}
    with pytest.raises(ConfigError, match=r"heads, block_kwargs.k, epilogue_kwargs.pool"):
        discriminator_config(kwargs)


@pytest.mark.parametrize(
    "extra",
    [
        {"kernel_size": 5},
        {"synthesis_kwargs": 3},
        {"synthesis_kwargs": {"channel_base": 512}, "channel_base": 256},
        {"img_resolution": "16"},
        {"img_resolution": 24},
        {"mapping_kwargs": {"num_layers": None}},
        {"resample_filter": ["a"]},
        {"img_channels": {"a": 1}},
    ],
)
def test_bad_values_are_refused(extra):
    with pytest.raises(ConfigError):
        generator_config(SIZES | extra)


def test_nested_bombs_are_refused_at_once():
    bomb = []
    for _ in range(100):
        bomb = [bomb] * 100
    with pytest.raises(UserError, match="too large"):
        generator_config(SIZES | {"resample_filter": bomb})
    with pytest.raises(UserError, match="too large"):
        generator_config(SIZES | {"resample_filter": [0] * 20_000})
