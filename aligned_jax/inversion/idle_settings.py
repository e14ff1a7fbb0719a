"""Settings of an inversion that change nothing beside the others."""

import dataclasses
from collections.abc import Callable, Container, Mapping

from aligned_jax.config import GeneratorConfig
from aligned_jax.inversion.options import Settings
from aligned_jax.inversion.spaces import is_z


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


# When settings count that do not always, by the others and whether an encoder gives the start.
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


def unused_settings(
    given: Container[str], settings: Settings, config: GeneratorConfig, started: bool
) -> list[str]:
    """Names of settings that were given and change nothing.

    Args:
      given: names of the settings that somebody chose; the seed counts as one.
      settings: all of them.
      config: of the network.
      started: whether an encoder's latents are the start.
    """
    unused = []
    if not config.synthesis.use_noise:
        settings = dataclasses.replace(settings, noise="none")
        unused += ["noise"] if "noise" in given else []
    return unused + [
        name for name, counts in _COUNTS.items() if name in given and not counts(settings, started)
    ]
