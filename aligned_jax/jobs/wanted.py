"""Latents that people ask for by words, and what of their options was for nothing."""

import argparse
import re
from collections.abc import Sequence

from aligned_jax.cli import console, groups
from aligned_jax.errors import UserError
from aligned_jax.jobs import pictured
from aligned_jax.jobs.pictured import Pictures
from aligned_jax.networks.network import Network
from aligned_jax.rendering import codes
from aligned_jax.rendering.codes import Codes

# Latents at hand, or pictures that are still to be inverted.
Source = Codes | Pictures
_SEEDS = re.compile(r"[\d\s,-]+")


def read(
    args: argparse.Namespace,
    network: Network,
    words: Sequence[str],
    space: str | None,
    usual: str,
    psi: float | None = None,
) -> Source:
    """Latents of `network` that words name.

    Args:
      args: with --psi, --label, --batch, and the options of pictures.
      network: whose latents they are.
      words: one list of seeds; or names of files of latents, `F.npz` or
        `F.npz@ROW`; or pictures, folders and zips of them.
      space, usual: in which pictures are inverted, as in `of_pictures`; seeds and
        files stay as they are.
      psi: as in `of_pictures`.

    Raises:
      UserError: for words of different kinds, or whatever they name that does not fit.
    """
    kinds = {_kind(word) for word in words}
    if len(kinds) > 1 or (kinds == {"seeds"} and len(words) > 1):
        raise UserError(
            f"{' '.join(words)[:80]}: give one list of seeds, or files of latents, or pictures"
        )
    if "seeds" in kinds:
        return codes.of_seeds(args, network, words[0], psi)
    if "latents" in kinds:
        return codes.of_files(args, network, words, psi)
    return pictured.of_pictures(args, network, words, [space], usual, psi)[0]


def _kind(word: str) -> str:
    if _SEEDS.fullmatch(word):
        return "seeds"
    return "latents" if codes.is_file(word) else "pictures"


def tell_idle(args: argparse.Namespace, found: Sequence[Source], given: Sequence[str]) -> None:
    """Warnings about options that were given for nothing.

    Args:
      args: the command line.
      found: all latents that were asked for.
      given: options of inversions that were given, but for --encoder and --start.
    """
    inverted = [one for one in found if isinstance(one, Pictures)]
    if inverted:
        groups.warn_unused_encoders(args, {one.guide.source for one in inverted if one.guide})
    else:
        also = [name for name in ("encoder", "start") if getattr(args, name)]
        _tell([*given, *also], "there are no pictures to invert")
    if args.psi is not None and all(one.psi is None for one in found):
        _tell(["psi"], "these latents are not in z")


def tell_idle_seed(args: argparse.Namespace, noise: str) -> None:
    """A warning if --noise-seed was given for nothing."""
    if args.noise_seed and noise != "random":
        _tell(["noise_seed"], f"noise is {noise}")


def _tell(names: Sequence[str], why: str) -> None:
    if names:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in names)
        console.warn(f"{options} {'changes' if len(names) == 1 else 'change'} nothing: {why}")


def settled(args: argparse.Namespace, found: Sequence[Source], noise: str) -> argparse.Namespace:
    """The arguments without those that changed nothing, for a page to tell."""
    told = argparse.Namespace(**vars(args))
    inverted = [one for one in found if isinstance(one, Pictures)]
    optimised = [one for one in inverted if one.settings.steps]
    idle = [] if optimised else ["steps", *groups.INVERSION]
    idle += [] if inverted else ["align", "encoder", "start"]
    idle += [] if noise == "random" else ["noise_seed"]
    idle += [] if any(one.psi is not None for one in found) else ["psi"]
    for name in idle:
        setattr(told, name, None)
    return told
