"""What the verbs that make a network out of others share: load, check, save."""

import argparse
from collections.abc import Mapping

import jax
import numpy as np

from aligned_jax import checkpoint, loading, provenance
from aligned_jax.cli import console
from aligned_jax.cli.command_line import command
from aligned_jax.errors import UserError
from aligned_jax.jobs import describe
from aligned_jax.networks.network import Network
from aligned_jax.types import Variables


def check_target(args: argparse.Namespace) -> None:
    """Raises UserError if the checkpoint could not be written; before any work."""
    checkpoint.check_target(args.out, args.overwrite)


def load(args: argparse.Namespace, role: str) -> Network:
    """The network that the argument called `role` names."""
    return loading.load(getattr(args, role), args.network_key)


def check_finite(what: str, variables: Variables) -> None:
    """Raises UserError naming the arrays that hold numbers beyond float32, or none at all."""
    leaves = jax.tree_util.tree_leaves_with_path(variables)
    bad = [
        "/".join(str(key.key) for key in path)
        for path, value in leaves
        if not np.isfinite(value).all()
    ]
    if bad:
        more = f" and {len(bad) - 8} more" if len(bad) > 8 else ""
        raise UserError(
            f"{what} holds numbers that are not finite, in {', '.join(bad[:8])}{more}; nothing was "
            "written. Are the weights of the blend too large, or is a network damaged?"
        )


def save(
    args: argparse.Namespace,
    result: Network,
    parents: Mapping[str, Network],
    sources: Mapping[str, str] | None = None,
) -> None:
    """Writes `result` as G_ema of a checkpoint that knows where it comes from.

    Args:
      args: the parsed command line.
      result: the network.
      parents: the networks it was made from, by role.
      sources: their NETWORK arguments; by default the arguments named like the roles.

    Raises:
      UserError: if a number of the result is not finite, or it cannot be written.
    """
    check_finite("the result", result.variables)
    sources = sources or {role: getattr(args, role) for role in parents}
    known = {role: (sources[role], network) for role, network in parents.items()}
    origin = provenance.origin(command(args), known)
    loading.save(args.out, result, origin, args.overwrite)
    console.say(f"wrote {args.out}: {describe.headline(result.config)}")
