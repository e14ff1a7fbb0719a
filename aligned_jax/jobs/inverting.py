"""How pictures are inverted, by `aligned invert` and by verbs that take pictures."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from aligned_jax import features, inversion
from aligned_jax.cli import console
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.inversion import Progress, Settings
from aligned_jax.inversion.encoder_choice import Guide
from aligned_jax.jobs.inversion_options import SETTINGS
from aligned_jax.latents import one_hot_labels

# Why an image has no inversion.
DIVERGED = "its numbers grew beyond all bounds"


def settings_of(args: argparse.Namespace, guide: Guide | None = None) -> Settings:
    """The settings of the command line; raises ConfigError for values that cannot be."""
    return settings({name: getattr(args, option) for option, name in SETTINGS.items()}, guide)


def settings(given: Mapping[str, Any], guide: Guide | None = None) -> Settings:
    """Settings of which those that are None are left to the encoder, if there is one."""
    known = {name: value for name, value in given.items() if value is not None}
    return Settings(**(guide.defaults(known.get("space")) if guide else {}) | known)


def check_perceptual(args: argparse.Namespace) -> None:
    """Raises UserError if nothing would be compared."""
    if args.pixels < 0 or (args.perceptual == "none" and args.pixels == 0):
        raise UserError(
            f"--pixels is {args.pixels:g}; with --perceptual none it must be above 0, and never "
            "negative"
        )


def perceptual_of(args: argparse.Namespace) -> inversion.Perceptual:
    """What is compared; raises UserError if the weights of a network are not there."""
    parts: list[tuple[Any, float]] = []
    if args.perceptual != "none":
        parts.append((features.lpips(args.perceptual), 1.0))
    if args.pixels:
        parts.append((inversion.Pixels(), args.pixels))
    return inversion.Weighted(*zip(*parts, strict=True))


def label_of(config: GeneratorConfig, label: int | None) -> np.ndarray | None:
    """[1, c_dim] of a conditional network; raises UserError if it is missing or not wanted."""
    if label is not None:
        return one_hot_labels(config, [label])
    if config.c_dim:
        raise UserError(
            "this network is conditional; choose a class with --label, "
            f"from 0 to {config.c_dim - 1}"
        )
    return None


def batch_for(config: GeneratorConfig, settings: Settings) -> int:
    """Rows at a time: 8, or fewer if half of the free memory holds fewer.

    On a CPU one: more are no faster there, and alone every attempt at an image comes to
    the same bits in any company.
    """
    device = jax.local_devices()[0]
    if device.platform == "cpu":
        return 1
    stats = device.memory_stats()
    if not stats or "bytes_limit" not in stats:
        return 8
    free = stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    return min(8, inversion.rows_that_fit(config, settings, free / 2))


def watcher(
    settings: Settings,
    advance: Callable[..., None],
    also: Callable[[Progress], None] | None = None,
) -> inversion.Watch:
    """Tells `advance` how many steps were done, times images, and how near they are.

    `also` hears of the same progress.
    """
    before = [0]  # steps of the present images that have been told

    def watch(progress: Progress) -> None:
        # All restarts together count as one inversion.
        attempts = progress.attempts
        steps = attempts.start * settings.steps + progress.step * len(attempts)
        done = steps // settings.restarts
        advance(
            (done - before[0]) * len(progress.distances), f"loss {np.mean(progress.distances):.4f}"
        )
        before[0] = done % settings.steps
        if also:
            also(progress)

    return watch


def tell_skipped(skipped: Mapping[str, str]) -> None:
    """A warning for each image that was not inverted."""
    for file, reason in list(skipped.items())[:8]:
        console.warn(f"skipped {file}: {reason}")
    if len(skipped) > 8:
        console.warn(f"skipped {len(skipped) - 8} more; inversions.json names them")
