"""Networks as jobs take them: by name, or loaded already."""

import os

from aligned_jax import loading
from aligned_jax.errors import UserError
from aligned_jax.networks.network import Network

NetworkSource = str | os.PathLike[str] | Network


def named_network(source: NetworkSource, key: str = "G_ema") -> tuple[str, Network]:
    """A generator, and how results and messages call it.

    Args:
      source: whatever `loading.load` takes, or a network, which is called after the file that it
        was made of.
      key: "G_ema" or "G"; a loaded network has none.

    Raises:
      UserError: as `loading.load`.
    """
    if isinstance(source, Network):
        return (source.provenance or {}).get("file") or "a network in memory", source
    network = loading.load(source, key)
    if not isinstance(network, Network):
        raise UserError(f"{source}: {key} is no generator; give G_ema or G")
    return os.fspath(source), network
