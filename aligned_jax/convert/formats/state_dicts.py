"""State dicts with official names whose file says nothing about the networks.

One network has the official tensor names as they are, several have them behind
`G_ema.`, `G.` and `D.`. Sizes come from the tensors, and the rest from the
defaults of stylegan2-ada-pytorch.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aligned_jax.config import KEYS
from aligned_jax.convert.description import Description
from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.formats import foreign_networks, lost_labels
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

_GENERATOR, _DISCRIMINATOR = "synthesis", "b4"  # how some names of each network begin


def read(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Description], dict[str, Any]]:
    """Networks by key, and facts on where they come from.

    `tensors` maps names to lazy tensors. Raises FormatError for anything but
    StyleGAN2 networks under official names.
    """
    described, cautions = {}, []
    for key, part in split(tensors).items():
        foreign_networks.refuse(key, part)
        has_filters = any(name.endswith("resample_filter") for name in part)
        described[key] = Description(key != "D", part, has_filters=has_filters)
        cautions += lost_labels.cautions(key, part, as_long_as_w=False)
    warning = (
        "the file does not record how its networks were built; activations, clamps, half "
        "precision and learning-rate multipliers are the defaults of stylegan2-ada-pytorch"
    )
    source: dict[str, Any] = {"code_base": "unknown", "warnings": [warning, *cautions]}
    return described, source | ({"cautions": cautions} if cautions else {})


def has_official_names(names: Iterable[Any]) -> bool:
    """Whether names are those of official tensors, with or without keys before them."""
    names = list(names)
    if not all(isinstance(name, str) for name in names):
        return False
    return not _beginnings(names).isdisjoint((_GENERATOR, _DISCRIMINATOR, *KEYS))


def split(
    tensors: Mapping[str, Tensor], keys: Iterable[str] = KEYS
) -> dict[str, dict[str, Tensor]]:
    """Tensors by network, official names inside; a lone generator is G_ema."""
    keys = tuple(keys)
    beginnings = _beginnings(tensors)
    if _GENERATOR in beginnings:
        return {"G_ema": dict(tensors)}
    if _DISCRIMINATOR in beginnings:
        return {"D": dict(tensors)}
    if not beginnings or not beginnings <= set(keys):
        foreign_networks.refuse("the file", tensors)
        raise FormatError(
            f"its tensors are not named as official ones: {listed(map(show, tensors))}; "
            f"names begin with synthesis., mapping., b4. or with {', '.join(keys)} and a dot"
        )
    return {
        key: {
            name.removeprefix(f"{key}."): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{key}.")
        }
        for key in keys
        if key in beginnings
    }


def _beginnings(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}
