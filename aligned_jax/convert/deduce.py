"""Sizes of a network from its official tensors, checked against what was recorded.

Files do not always say how a network was built, and what they say can be
wrong. Shapes tell nearly all of it; activations, clamps, filters, half
precision, learning-rate multipliers and group sizes have to come from the
recorded arguments, or from the defaults of the code base.
"""

import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aligned_jax.config import (
    MAX_MAPPING_LAYERS,
    DiscriminatorConfig,
    GeneratorConfig,
    NetworkConfig,
    from_dict,
)
from aligned_jax.convert import kwargs as recorded
from aligned_jax.convert.files.problems import number
from aligned_jax.convert.rules import filter_kernel
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

Shapes = Mapping[str, tuple[int, ...]]

# Widths that the official training scripts use, tried before any other.
_USUAL_WIDTHS = ((32768, 512), (16384, 512))
_GENERATOR_CHANNELS = r"synthesis\.b(\d+)\.conv1\.weight"
_DISCRIMINATOR_CHANNELS = r"b(\d+)\.conv0?\.weight"


def generator(shapes: Shapes, kwargs: Mapping[str, Any], code_base: str) -> GeneratorConfig:
    """Config of a generator with official tensors of these names and shapes.

    `kwargs` are the official constructor arguments, as many as were recorded;
    the tensors fill the gaps. Raises FormatError listing every recorded size
    that the tensors contradict, ConfigError as `kwargs.generator_config`.
    """
    values = recorded.generator_values(kwargs)
    sizes = _generator_sizes(shapes)
    _require_layers(sizes, "synthesis.b8.conv1.weight")
    if not {"channel_base", "channel_max"} & set(values["synthesis"]):
        widths = _widths(_channels(shapes, _GENERATOR_CHANNELS))
        sizes |= {f"synthesis.{key}": value for key, value in widths.items()}
    defaults = recorded.generator_defaults(code_base)
    config = from_dict(GeneratorConfig, recorded.merge(defaults, _nested(sizes), values))
    check_sizes(config, shapes)
    return config


def discriminator(shapes: Shapes, kwargs: Mapping[str, Any], code_base: str) -> DiscriminatorConfig:
    """Config of a discriminator; otherwise as `generator`."""
    values = recorded.discriminator_values(kwargs)
    sizes = _discriminator_sizes(shapes)
    _require_layers(sizes, "b8.conv0.weight")
    if not {"channel_base", "channel_max"} & set(values):
        sizes |= _widths(_channels(shapes, _DISCRIMINATOR_CHANNELS))
    defaults = recorded.discriminator_defaults(code_base)
    config = from_dict(DiscriminatorConfig, recorded.merge(defaults, _nested(sizes), values))
    check_sizes(config, shapes)
    return config


def check_sizes(config: NetworkConfig, shapes: Shapes) -> None:
    """Raises FormatError with every size of `config` that the tensors contradict.

    Numbers that shapes cannot tell must be of a usual magnitude.
    """
    _check_numbers(config)
    if isinstance(config, GeneratorConfig):
        sizes, pattern, table = _generator_sizes(shapes), _GENERATOR_CHANNELS, config.channels
    else:
        sizes, pattern = _discriminator_sizes(shapes), _DISCRIMINATOR_CHANNELS
        table = config.channels_by_resolution
    pairs = [(key, operator.attrgetter(key)(config), size) for key, size in sizes.items()]
    pairs += [
        (f"channels at {r}x{r}", table[r], count)
        for r, count in _channels(shapes, pattern).items()
        if r in table
    ]
    wrong = [
        f"{key} is {said!r}, in the tensors {is_!r}" for key, said, is_ in pairs if said != is_
    ]
    if wrong:
        raise FormatError(
            "the recorded constructor arguments contradict the tensors: "
            + listed(wrong, separator="; ")
        )


def _require_layers(sizes: Mapping[str, Any], example: str) -> None:
    """Refuses a network without convolutions; their names tell the resolution."""
    if not sizes["img_resolution"]:
        raise FormatError(f"it has no convolutions, such as {example}; the file is incomplete")


def _check_numbers(config: NetworkConfig) -> None:
    """Bounds that are narrower in files than in configs, which have checked themselves."""
    options = config.synthesis if isinstance(config, GeneratorConfig) else config
    clamp = options.conv_clamp
    usual = [
        ("mapping.lr_multiplier", config.mapping.lr_multiplier, 1e-6, 1e6),
        ("conv_clamp", 1.0 if clamp is None else clamp, 1e-6, 1e9),
        ("num_fp16_res", options.num_fp16_res, 0, 100),
    ]
    if isinstance(config, DiscriminatorConfig):
        group = config.epilogue.mbstd_group_size
        usual.append(("epilogue.mbstd_group_size", 1 if group is None else group, 1, 1_000_000))
    filter_kernel(options.resample_filter)  # raises if it cannot be normalised
    wrong = [
        f"{name} is {number(value)}, expected {least:g} to {most:g}"
        for name, value, least, most in usual
        if not least <= value <= most
    ]
    if wrong:
        raise FormatError(f"recorded constructor arguments are out of range: {listed(wrong)}")


def _generator_sizes(shapes: Shapes) -> dict[str, Any]:
    """What the shapes tell, by dotted config field; absent where they tell nothing."""
    resolution = _resolution(shapes, r"synthesis\.b(\d+)\.conv[01]\.(weight|bias)")
    w_dim = _size(shapes, "synthesis.b4.conv1.affine.weight", 1)
    sizes = {
        "img_resolution": resolution,
        "img_channels": _size(shapes, f"synthesis.b{resolution}.torgb.weight", 0),
        "w_dim": w_dim,
        "synthesis.architecture": _architecture(shapes, "synthesis.", "torgb", resolution),
        "synthesis.use_noise": any(name.endswith(".noise_strength") for name in shapes),
        **_mapping_sizes(shapes, w_dim),
    }
    embedded = _size(shapes, "mapping.embed.weight", 0) or 0
    inputs = _size(shapes, "mapping.fc0.weight", 1)
    sizes["z_dim"] = None if inputs is None else inputs - embedded
    return _known(sizes)


def _discriminator_sizes(shapes: Shapes) -> dict[str, Any]:
    resolution = _resolution(shapes, r"b(\d+)\.conv[01]\.(weight|bias)")
    last, inputs = _size(shapes, "b4.conv.weight", 0), _size(shapes, "b4.conv.weight", 1)
    sizes = {
        "img_resolution": resolution,
        "img_channels": _size(shapes, f"b{resolution}.fromrgb.weight", 1),
        "architecture": _architecture(shapes, "", "fromrgb", resolution),
        "c_dim": 0,
        "epilogue.mbstd_num_channels": None if inputs is None or last is None else inputs - last,
    }
    if "mapping.embed.weight" in shapes:
        label_features = _size(shapes, "b4.out.weight", 0)
        sizes |= _mapping_sizes(shapes, label_features)
        sizes["cmap_dim"] = None if label_features == last else label_features
    return _known(sizes)


def _mapping_sizes(shapes: Shapes, width: int | None) -> dict[str, Any]:
    """Sizes of a mapping network with output `width`; widths equal to it are left out."""
    layers = [int(match[1]) + 1 for match in _matches(shapes, r"mapping\.fc(\d+)\.")]
    depth = max(layers, default=0)
    if depth > MAX_MAPPING_LAYERS:
        raise FormatError(f"the mapping has {depth} layers; {MAX_MAPPING_LAYERS} is the most")
    hidden = _size(shapes, "mapping.fc0.weight", 0) if depth > 1 else width
    embedded = _size(shapes, "mapping.embed.weight", 0)
    return {
        "c_dim": _size(shapes, "mapping.embed.weight", 1) or 0,
        "mapping.num_layers": depth,
        "mapping.layer_features": None if hidden == width else hidden,
        "mapping.embed_features": None if embedded == width else embedded,
    }


def _architecture(shapes: Shapes, prefix: str, image_layer: str, resolution: int) -> str:
    """The architecture, told by image layers of low resolutions or by skip convolutions."""
    if f"{prefix}b4.{image_layer}.weight" in shapes:
        return "skip"
    return "resnet" if f"{prefix}b{resolution}.skip.weight" in shapes else "orig"


def _resolution(shapes: Shapes, pattern: str) -> int:
    return max((int(match[1]) for match in _matches(shapes, pattern)), default=0)


def _channels(shapes: Shapes, pattern: str) -> dict[int, int]:
    """Output channels of the convolutions whose name matches, by resolution."""
    by_resolution = {int(match[1]): shapes[match.string] for match in _matches(shapes, pattern)}
    return {resolution: shape[0] for resolution, shape in sorted(by_resolution.items()) if shape}


def _widths(channels: Mapping[int, int]) -> dict[str, Any]:
    """The official width rule where it explains the channels, else a table of them."""
    usual = list(_USUAL_WIDTHS)
    if channels:
        top = max(channels)
        usual.append((channels[top] * top, max(channels.values())))
    for base, most in usual:
        if all(min(base // r, most) == count for r, count in channels.items()):
            return {"channel_base": base, "channel_max": most}
    return {"channels": tuple(channels.values())}


def _matches(shapes: Shapes, pattern: str) -> Iterator[re.Match]:
    """Matches of a pattern with one number at the beginning of names."""
    return filter(None, (re.match(pattern.replace(r"\d+", r"\d{1,4}"), name) for name in shapes))


def _size(shapes: Shapes, name: str, axis: int) -> int | None:
    shape = shapes.get(name, ())
    return shape[axis] if axis < len(shape) else None


def _known(sizes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: size for key, size in sizes.items() if size is not None}


def _nested(sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as nested dictionaries."""
    nested: dict[str, Any] = {}
    for key, size in sizes.items():
        *groups, field = key.split(".")
        parent = nested
        for group in groups:
            parent = parent.setdefault(group, {})
        parent[field] = size
    return nested
