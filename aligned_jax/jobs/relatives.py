"""What jobs for whole families of networks share: names, loading, checks."""

import os
from collections.abc import Mapping, Sequence

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers
from aligned_jax.loading import NetworkSource, label_of, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.viz import check_channels


def load_relatives(
    sources: Sequence[NetworkSource], names: Sequence[str] | None = None, key: str = "G_ema"
) -> dict[str, Network]:
    """The networks by name, in order.

    Args:
      sources: of networks, the parent first.
      names: of the networks; by default `label_of` what they are called.
      key: "G_ema" or "G".

    Raises:
      UserError: if the names do not fit, or naming each network that cannot be
        drawn together with the first one: it must take the same latents and
        labels and draw images of the same size.
    """
    if isinstance(sources, str | os.PathLike):
        raise UserError(f"networks are a list of names; give [{os.fspath(sources)!r}]")
    labels = list(names or [label_of(name_of(source)) for source in sources])
    if len(labels) != len(sources):
        raise UserError(f"`names` has {len(labels)} names for {len(sources)} networks")
    # Equal names would be one row.
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UserError(f"names come twice: {', '.join(twice)}; choose others with `names`")
    networks = {
        label: named_network(source, key)[1] for label, source in zip(labels, sources, strict=True)
    }
    configs = {label: network.config for label, network in networks.items()}
    check_channels(configs[labels[0]].img_channels)
    _check(configs, ("z_dim", "c_dim", "img_resolution", "img_channels"))
    return networks


def latents_for_all(
    networks: Mapping[str, Network], seeds: str | Sequence[int], label: int | None, psi: float
) -> LatentBatch:
    """The latents of seeds, which every network draws; arguments as of `latents_of_seeds`.

    Raises:
      UserError: as `latents_of_seeds`, or if one of the networks cannot truncate them.
    """
    latents = latents_of_seeds(next(iter(networks.values())).config, seeds, label, psi)
    for network in networks.values():
        latents.check(network)
    return latents


def check_styles_fit(networks: Mapping[str, Network]) -> None:
    """Raises UserError naming each network whose style channels are not those of the first."""
    spaces = {
        label: [(layer.name, layer.channels) for layer in style_layers(network.config)]
        for label, network in networks.items()
    }
    first = next(iter(spaces))
    wrong = [label for label in spaces if spaces[label] != spaces[first]]
    if wrong:
        raise UserError(
            f"the style channels of {', '.join(wrong)} are not those of {first}: the networks have "
            "other widths"
        )


def name_of(source: NetworkSource) -> str:
    """How a network was called, or after what a loaded one is."""
    return named_network(source)[0] if isinstance(source, Network) else str(source)


def _check(configs: Mapping[str, GeneratorConfig], fields: Sequence[str]) -> None:
    """Raises UserError naming all networks whose fields are not those of the first."""
    first = next(iter(configs))
    wrong = [
        f"{label} has {name} {getattr(config, name)}, {first} {getattr(configs[first], name)}"
        for label, config in configs.items()
        for name in fields
        if getattr(config, name) != getattr(configs[first], name)
    ]
    if wrong:
        raise UserError(f"the networks cannot be drawn together: {'; '.join(wrong)}")
