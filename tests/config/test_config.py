"""Configs: derived sizes, JSON, and refusals."""

import json

import pytest

from aligned_jax.config import (
    DiscriminatorConfig,
    EpilogueConfig,
    GeneratorConfig,
    MappingConfig,
    SynthesisConfig,
    check_kinds,
    from_dict,
    to_dict,
)
from aligned_jax.errors import ConfigError


def test_channels_follow_base_and_maximum():
    config = GeneratorConfig(1024)
    assert config.channels == {
        4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32
    }  # fmt: skip
    assert config.num_ws == 18
    table = SynthesisConfig(channels=(9, 8, 7), channel_max=1)
    assert GeneratorConfig(16, synthesis=table).channels == {4: 9, 8: 8, 16: 7}


@pytest.mark.parametrize(
    "count, expected", [(0, ()), (1, (64,)), (4, (8, 16, 32, 64)), (9, (8, 16, 32, 64))]
)
def test_half_precision_takes_the_highest_resolutions_but_never_4(count, expected):
    synthesis = SynthesisConfig(num_fp16_res=count)
    assert GeneratorConfig(64, synthesis=synthesis).half_resolutions == expected
    assert DiscriminatorConfig(64, num_fp16_res=count).half_resolutions == expected


@pytest.mark.parametrize(
    "config",
    [
        GeneratorConfig(64, c_dim=3, mapping=MappingConfig(2, embed_features=5)),
        GeneratorConfig(
            16, synthesis=SynthesisConfig(channels=(4, 4, 3), resample_filter=((1.0, 2.0),))
        ),
        DiscriminatorConfig(32, cmap_dim=4, epilogue=EpilogueConfig(None, 2), conv_clamp=256.0),
    ],
)
def test_json_round_trip(config):
    assert from_dict(type(config), json.loads(json.dumps(to_dict(config)))) == config


@pytest.mark.parametrize(
    "values, reason",
    [
        ({"img_resolution": 16, "colour": 1, "size": 2}, "unknown: colour, size"),
        ({}, "missing: img_resolution"),
        ({"img_resolution": "16"}, "not of type"),
        ({"img_resolution": 16, "mapping": 3}, "must be an object"),
        ({"img_resolution": True}, "not of type"),
        ({"img_resolution": 8, "synthesis": {"conv_clamp": 10**5000}}, "beyond 2"),
        (
            {"img_resolution": 8, "synthesis": {"channels": ["a", 2]}},
            r"channels.0. is 'a', which is not of type int",
        ),
        (
            {"img_resolution": 8, "synthesis": {"channels": [True, 2]}},
            "True, which is not of type int",
        ),
    ],
)
def test_bad_json_is_explained(values, reason):
    with pytest.raises(ConfigError, match=reason):
        from_dict(GeneratorConfig, values)


@pytest.mark.parametrize(
    "build, reason",
    [
        (lambda: GeneratorConfig(48), "48; it must be one of"),
        (lambda: GeneratorConfig(2048), "2048"),
        (lambda: GeneratorConfig(64, z_dim=0), "both 0"),
        (lambda: GeneratorConfig(64, w_dim=0), "w_dim"),
        (lambda: GeneratorConfig(64, mapping=MappingConfig(0)), "at least one layer"),
        (lambda: GeneratorConfig(64, synthesis=SynthesisConfig(32)), "no channels.* 64"),
        (lambda: GeneratorConfig(64, synthesis=SynthesisConfig(channels=(1, 2))), "needs 5"),
        (lambda: SynthesisConfig(architecture="x"), "orig, skip, resnet"),
        (lambda: SynthesisConfig(activation="gelu"), "swish"),
        (lambda: SynthesisConfig(resample_filter=(1.0, -1.0)), "sums to zero"),
        (lambda: SynthesisConfig(resample_filter=((1.0,), (1.0, 2.0))), "equally long rows"),
        (lambda: MappingConfig(lr_multiplier=0.0), "positive"),
        (lambda: MappingConfig(num_layers=10**7), "0 to 64"),
        (lambda: DiscriminatorConfig(8, c_dim=2, cmap_dim=0), "cmap_dim is 0"),
        (
            lambda: DiscriminatorConfig(8, c_dim=2, mapping=MappingConfig(0, embed_features=5)),
            "embed_features is 5.* 512 label features",
        ),
        (lambda: MappingConfig(embed_features=0), "embed_features"),
        (lambda: EpilogueConfig(mbstd_group_size=0), "mbstd_group_size"),
        (lambda: DiscriminatorConfig(64, epilogue=EpilogueConfig(mbstd_num_channels=3)), "divide"),
    ],
)
def test_impossible_sizes_are_refused(build, reason):
    with pytest.raises(ConfigError, match=reason):
        build()


def test_label_features_default_to_the_last_width():
    assert DiscriminatorConfig(32).label_features == 0
    assert DiscriminatorConfig(32, c_dim=2).label_features == 512
    assert DiscriminatorConfig(32, c_dim=2, cmap_dim=6).label_features == 6


def test_every_key_holds_its_kind():
    generator, discriminator = GeneratorConfig(8), DiscriminatorConfig(8)
    check_kinds({"G_ema": generator, "G": generator, "D": discriminator})
    with pytest.raises(ConfigError, match=r"'X' is not one of.*D is a generator") as error:
        check_kinds({"X": generator, "D": generator, "G": discriminator})
    assert "G is a discriminator" in str(error.value)
    with pytest.raises(ConfigError, match="it is empty"):
        check_kinds({})
