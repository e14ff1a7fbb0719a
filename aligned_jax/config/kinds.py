"""The kinds of networks, and under which keys a snapshot or checkpoint holds them."""

from collections.abc import Mapping
from typing import Any, Final

from aligned_jax.config.discriminator import DiscriminatorConfig
from aligned_jax.config.encoder import EncoderConfig
from aligned_jax.config.generator import GeneratorConfig
from aligned_jax.errors import ConfigError
from aligned_jax.utils.jsonable import from_dict, to_dict

NetworkConfig = GeneratorConfig | DiscriminatorConfig
AnyConfig = NetworkConfig | EncoderConfig

# The networks of a snapshot or checkpoint, the averaged generator first, and what each is.
KEYS = ("G_ema", "G", "D")
ENCODER: Final = "E"
ALL_KEYS = (*KEYS, ENCODER)
KINDS: dict[str, type] = {
    "generator": GeneratorConfig,
    "discriminator": DiscriminatorConfig,
    "encoder": EncoderConfig,
}
_KIND_OF_KEY = {"G_ema": "generator", "G": "generator", "D": "discriminator", ENCODER: "encoder"}


def kind_of(config: AnyConfig) -> str:
    """Which kind of network a config describes: "generator", "discriminator" or "encoder"."""
    return next(name for name, cls in KINDS.items() if isinstance(config, cls))


def check_kinds(configs: Mapping[str, AnyConfig]) -> None:
    """Raises ConfigError naming every key that is unknown or holds the wrong kind of network."""
    known = ", ".join(_KIND_OF_KEY)
    wrong = [f"{key!r:.80} is not one of {known}" for key in configs if key not in _KIND_OF_KEY]
    wrong += [
        f"{key} is {_article(kind_of(config))}"
        for key, config in configs.items()
        if key in _KIND_OF_KEY and kind_of(config) != _KIND_OF_KEY[key]
    ]
    if wrong or not configs:
        raise ConfigError(
            f"not a set of networks: {'; '.join(wrong) or 'it is empty'}; G_ema and G are "
            f"generators, D is a discriminator, {ENCODER} is an encoder"
        )


def describe(configs: Mapping[str, AnyConfig]) -> dict[str, dict[str, Any]]:
    """JSON-able kind and config of networks by key, as checkpoints and exports record them."""
    return {
        key: {"kind": kind_of(config), "config": to_dict(config)} for key, config in configs.items()
    }


def configs_of(described: Any) -> dict[str, AnyConfig]:
    """Inverse of `describe`, for documents that anyone may have written.

    Raises:
      ConfigError: unless it names networks of ours with configs that are right in every field.
    """
    configs = {}
    for key, entry in described.items() if isinstance(described, dict) else ():
        if not isinstance(entry, dict):
            raise ConfigError(f"{key:.80} is {_article(type(entry).__name__)}, not an object")
        kind = entry.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise ConfigError(f"the kind of {key:.80} is none of {', '.join(KINDS)}")
        configs[key] = from_dict(KINDS[kind], entry.get("config", {}), f"the config of {key:.80}")
    check_kinds(configs)
    return configs


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
