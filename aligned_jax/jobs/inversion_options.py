"""Options of `aligned invert` that are settings of the optimiser, and when they count."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aligned_jax.cli import console
from aligned_jax.config import GeneratorConfig
from aligned_jax.inversion import Settings
from aligned_jax.inversion.spaces import is_z

# Settings by the names of their options.
SETTINGS = {"lr": "learning_rate"} | {
    name: name
    for name in (
        *("space", "steps", "rampup", "rampdown", "latent_noise", "latent_noise_ramp", "noise"),
        *("noise_weight", "psi", "restarts", "spread", "samples", "samples_seed", "resolution"),
    )
}


def given(args: argparse.Namespace) -> dict[str, Any]:
    """Settings by their names as the command line gives them, None where it does not."""
    return {name: getattr(args, option) for option, name in SETTINGS.items()}


def _optimises_noise(settings: Settings, started: bool) -> bool:
    return settings.noise in ("drop", "keep")


def _shifts(settings: Settings, started: bool) -> bool:
    """Whether latents are shifted at random, by some of the spread of their space."""
    return settings.spread > 0 or settings.latent_noise * settings.latent_noise_ramp > 0


def _is_random(settings: Settings, started: bool) -> bool:
    """Whether one attempt differs from another."""
    return _shifts(settings, started) or _optimises_noise(settings, started)


def _is_sampled(settings: Settings, started: bool) -> bool:
    """Whether mean or spread of w decide anything; those of z are known."""
    return not is_z(settings.space) and (not started or _shifts(settings, started))


# When options count that do not always, by the settings and whether an encoder gives the start.
_COUNTS: Mapping[str, Callable[[Settings, bool], bool]] = {
    "psi": lambda settings, started: is_z(settings.space),
    "rampup": lambda settings, started: settings.learning_rate > 0,
    "rampdown": lambda settings, started: settings.learning_rate > 0,
    "latent_noise_ramp": lambda settings, started: settings.latent_noise > 0,
    "noise_weight": _optimises_noise,
    "restarts": _is_random,
    "seed": _is_random,
    "samples": _is_sampled,
    "samples_seed": _is_sampled,
}


def idle(args: argparse.Namespace, settings: Settings, config: GeneratorConfig) -> list[str]:
    """Options that were given and change nothing.

    Args:
      args: of the command line, None where nothing was given.
      settings: what they came to.
      config: of the network.
    """
    named = {name for name in (*SETTINGS, "seed") if getattr(args, name) is not None}
    found = []
    if not config.synthesis.use_noise:
        settings = dataclasses.replace(settings, noise="none")
        found += ["noise"] if "noise" in named else []
    started = bool(args.encoder or args.start)
    return found + [
        name for name, counts in _COUNTS.items() if name in named and not counts(settings, started)
    ]


def tell_idle(names: Sequence[str]) -> None:
    """A warning that names them, if there are any."""
    if names:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in names)
        console.warn(f"{options}: without effect beside the other options")
