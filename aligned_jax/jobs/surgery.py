"""Networks made of others: resets, blends, swaps, sums, other resolutions."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np

from aligned_jax import checkpoint, loading, provenance, weights
from aligned_jax.errors import UserError
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import DiscriminatorNetwork, Network
from aligned_jax.provenance import Command
from aligned_jax.types import Variables
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed

_SCRIPT = Command()


def reset(
    parent: NetworkSource,
    child: NetworkSource,
    components: str | Sequence[str],
    resolutions: str | Sequence[int] | None = None,
    *,
    network_key: str = "G_ema",
) -> Network:
    """The child with some of its parent's components back (StyleAlign, figures 1 and 8).

    Args:
      parent, child: networks of equal sizes, by name or loaded.
      components: of `weights.COMPONENTS` or groups of them, such as "mapping,affine".
      resolutions: only in these blocks; None takes all.
      network_key: "G_ema" or "G" of networks that are named.

    Raises:
      UserError: for networks that cannot be loaded or do not fit, and for unknown components
        or resolutions.
    """
    weights.parse_components(components)
    named = {
        "parent": named_network(parent, network_key),
        "child": named_network(child, network_key),
    }
    made = weights.reset(named["parent"][1], named["child"][1], components, resolutions)
    return _with_origin(made, named, components=components, resolutions=resolutions)


def interpolate(
    a: NetworkSource,
    b: NetworkSource,
    weight: float | Mapping[str, float],
    *,
    components: str | Sequence[str] | None = None,
    resolutions: str | Sequence[int] | None = None,
    network_key: str = "G_ema",
) -> Network:
    """(1 - weight) * a + weight * b, exactly `a` at 0 and `b` at 1.

    Args:
      a, b: networks of equal sizes, by name or loaded.
      weight: the share of `b`; or shares by component or by resolution, where what is left out
        stays as in `a`. Outside of 0 to 1 it extrapolates.
      components, resolutions: only these are blended; None takes all.
      network_key: "G_ema" or "G" of networks that are named.

    Raises:
      UserError: for networks that cannot be loaded or do not fit, and for unknown or
        contradictory names.
    """
    if components is not None:
        weights.parse_components(components)
    named = {"a": named_network(a, network_key), "b": named_network(b, network_key)}
    made = weights.interpolate(named["a"][1], named["b"][1], weight, components, resolutions)
    shares: float | dict[str, float]
    if isinstance(weight, Mapping):
        shares = {str(name): float(share) for name, share in weight.items()}
    else:
        shares = float(weight)
    return _with_origin(made, named, weight=shares, components=components, resolutions=resolutions)


def swap(
    low: NetworkSource,
    high: NetworkSource,
    resolution: float,
    *,
    smooth: float | None = None,
    mapping: Literal["low", "high"] = "low",
    network_key: str = "G_ema",
) -> Network:
    """Coarse layers of one network, fine layers of another.

    Args:
      low, high: networks of equal sizes, by name or loaded.
      resolution: the last block that comes from `low`; with `smooth` any number between two.
      smooth: width in layers of a logistic blend in place of the hard switch.
      mapping: whose mapping network and mean of w are taken.
      network_key: "G_ema" or "G" of networks that are named.

    Raises:
      UserError: for networks that cannot be loaded or do not fit, and for a resolution that
        they do not have.
    """
    named = {"low": named_network(low, network_key), "high": named_network(high, network_key)}
    called = (named["low"][0], named["high"][0])
    made = weights.swap(named["low"][1], named["high"][1], resolution, smooth, mapping, called)
    return _with_origin(made, named, resolution=resolution, smooth=smooth, mapping=mapping)


def arithmetic(
    expression: str,
    networks: Mapping[str, NetworkSource],
    *,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> Network:
    """The sum of networks that an expression such as "parent + 0.7*(dog - parent)" describes.

    Args:
      expression: names, numbers, + - * / and parentheses.
      networks: networks of equal sizes by the names in the expression.
      network_key: "G_ema" or "G" of networks that are named.
      report: hears a warning if the coefficients do not sum to 1.

    Raises:
      UserError: for an expression that is no linear combination of the networks, and for
        networks that cannot be loaded or do not fit.
    """
    total = sum(weights.parse_expression(expression).values())
    named = {name: named_network(source, network_key) for name, source in networks.items()}
    loaded = {name: network for name, (_, network) in named.items()}
    made = weights.arithmetic(expression, loaded)
    if total != 1:
        report.warn(
            f"the coefficients sum to {float(total):g}, not 1; such a network seldom draws anything"
        )
    return _with_origin(made, named, expression=expression)


@dataclass(frozen=True, eq=False)
class ResizedNetworks:
    """Networks of one source, started at another resolution.

    Attributes:
      networks: config, variables, and paths of new and dropped arrays, by key: G_ema, G, D.
      provenance: where they come from.
    """

    networks: Mapping[str, weights.Resized]
    provenance: Mapping[str, Any]

    @property
    def main(self) -> weights.Resized:
        """G_ema, or the first one of a source without it."""
        return self.networks.get("G_ema", next(iter(self.networks.values())))

    def write(
        self, out: str | os.PathLike[str], command: Command = _SCRIPT, overwrite: bool = False
    ) -> None:
        """Writes all networks as one checkpoint that records the command.

        Raises:
          UserError: if a number is not finite, or the checkpoint cannot be written.
        """
        for key, resized in self.networks.items():
            check_finite(key, resized.variables)
        trees = {key: (resized.config, resized.variables) for key, resized in self.networks.items()}
        origin = provenance.with_command(self.provenance, command)
        checkpoint.write(out, trees, origin, overwrite)


def resize(
    network: NetworkSource | DiscriminatorNetwork, resolution: int, *, seed: int = 0
) -> ResizedNetworks:
    """Starts every network of a source at another resolution (StyleAlign, figure 30).

    Args:
      network: what `loading.load_all` takes, or one loaded network.
      resolution: of the images, a power of two from 8 on.
      seed: of new weights; G and its average get the same ones.

    Raises:
      UserError: if the networks cannot be loaded or have no such resolution.
    """
    networks: Mapping[str, loading.AnyNetwork]
    if isinstance(network, DiscriminatorNetwork):
        name, networks = "a network in memory", {"D": network}
    elif isinstance(network, Network):
        name, networks = named_network(network)[0], {"G_ema": network}
    else:
        name, networks = os.fspath(network), loading.load_all(network)
    key = jax.random.key(seed)
    resized = {key_: weights.resize(one, resolution, key) for key_, one in networks.items()}
    command = Command(arguments={"resolution": resolution, "seed": seed})
    first = next(iter(networks.values()))
    return ResizedNetworks(resized, provenance.origin(command, {"network": (name, first)}))


def check_finite(what: str, variables: Variables) -> None:
    """Raises UserError naming the arrays that hold numbers beyond float32, or none at all."""
    leaves = jax.tree_util.tree_leaves_with_path(variables)
    damaged = [
        "/".join(str(key.key) for key in path)
        for path, value in leaves
        if not np.isfinite(value).all()
    ]
    if damaged:
        raise UserError(
            f"{what} holds numbers that are not finite, in {listed(damaged)}; nothing was "
            "written. Are the weights of the blend too large, or is a network damaged?"
        )


def write_network(
    out: str | os.PathLike[str],
    network: Network,
    command: Command = _SCRIPT,
    overwrite: bool = False,
) -> None:
    """Writes a network as G_ema of a checkpoint that knows where it comes from.

    Args:
      out: the new folder.
      network: the result of `reset`, `interpolate`, `swap` or `arithmetic`, or any other.
      command: recorded as what made it; by default the network's provenance stays as it is.
      overwrite: replaces a checkpoint that is there.

    Raises:
      UserError: if a number of the network is not finite, or it cannot be written.
    """
    check_finite("the result", network.variables)
    origin = provenance.with_command(network.provenance or {}, command)
    loading.save(out, network, origin, overwrite)


def _with_origin(
    made: Network, parents: Mapping[str, tuple[str, Network]], **arguments: Any
) -> Network:
    """The network with its parents, and the arguments that made it, as its provenance."""
    given = {name: value for name, value in arguments.items() if value is not None}
    origin = provenance.origin(Command(arguments=given), parents)
    return dataclasses.replace(made, provenance=origin)
