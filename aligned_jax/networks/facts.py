"""What there is to say of a network at a glance: a line for terminals, a table for notebooks."""

from collections.abc import Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from aligned_jax.config import AnyConfig, DiscriminatorConfig, EncoderConfig, GeneratorConfig
from aligned_jax.latents import style_layers
from aligned_jax.types import Variables
from aligned_jax.viz.notebook import facts_html


class Described(Protocol):
    """Config, variables and origin, as all networks have them."""

    @property
    def config(self) -> Any: ...
    @property
    def variables(self) -> Variables: ...
    @property
    def provenance(self) -> dict[str, Any] | None: ...


def summary(net: Described, name: str, detail: str) -> str:
    """One line instead of every weight."""
    config = net.config
    c_dim = getattr(config, "c_dim", 0)  # an encoder takes no labels
    labels = f"{c_dim} labels, " if c_dim else ""
    source = (net.provenance or {}).get("file") or (net.provenance or {}).get("verb")
    origin = f", from {source}" if source else ""
    return f"<{name} {_size(config)}, {labels}{detail}, {_count(net):,} parameters{origin}>"


def table(net: Described, name: str) -> str:
    """HTML of the same and a little more; nothing is drawn, so that it costs nothing."""
    config = net.config
    facts = {"images": _size(config)}
    if getattr(config, "c_dim", 0):
        facts["labels"] = str(config.c_dim)
    facts |= _kind_of_facts(config)
    facts["parameters"] = f"{_count(net):,}"
    facts |= _origin(net.provenance or {})
    return facts_html(name, facts)


def _kind_of_facts(config: AnyConfig) -> dict[str, str]:
    if isinstance(config, GeneratorConfig):
        layers = style_layers(config)
        channels = sum(layer.channels for layer in layers)
        return {
            "Z, W": f"{config.z_dim}, {config.w_dim}",
            "W+": f"{config.num_ws} rows",
            "S": f"{channels:,} channels in {len(layers)} layers",
        }
    if isinstance(config, DiscriminatorConfig):
        return {"architecture": config.architecture}
    if isinstance(config, EncoderConfig):
        return {"finds": f"latents in {config.space.upper()}"}
    return {}


def _origin(provenance: Mapping[str, Any]) -> dict[str, str]:
    made = provenance.get("command") or provenance.get("verb")
    names = {"from": provenance.get("file"), "made by": made}
    return {name: str(value) for name, value in names.items() if value}


def _size(config: AnyConfig) -> str:
    return f"{config.img_resolution} px, {config.img_channels} channels"


def _count(net: Described) -> int:
    return sum(jnp.size(leaf) for leaf in jax.tree.leaves(net.variables["params"]))
