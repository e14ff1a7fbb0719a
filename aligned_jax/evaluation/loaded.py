"""Feature networks by the names that metrics give them."""

from collections.abc import Callable, Sequence
from typing import Any

from aligned_jax import features
from aligned_jax.errors import UserError
from aligned_jax.evaluation.catalogue import networks_of


def load(name: str, half_pixel: bool = False) -> Any:
    """A `features.Extractor`, or a `features.Lpips` for lpips_NET.

    Args:
      name: as in `METRICS`.
      half_pixel: Inception prepares images as pytorch-fid does.

    Raises:
      UserError: saying which file is missing and how to add it.
    """
    net = name.removeprefix("lpips_")
    if net != name:
        return features.lpips(net)
    options: dict[str, Any] = {"half_pixel": True} if half_pixel and name == "inception" else {}
    return features.load(name, **options)


def load_all(names: Sequence[str], load: Callable[[str], Any] = load) -> dict[str, Any]:
    """The feature networks of metrics by name.

    Args:
      names: of `METRICS`.
      load: from a network's name to the network.

    Raises:
      UserError: naming every network that is missing or damaged, and how to add it.
    """
    networks: dict[str, Any] = {}
    problems = []
    for name in networks_of(names):
        try:
            networks[name] = load(name)
        except UserError as error:
            problems.append(str(error))
            if name == "inception":
                problems.append("fd_vgg and kid_vgg are metrics that do without this file")
    if problems:
        raise UserError("; ".join(problems))
    return networks
