"""What jobs that invert pictures have in common: settings, what is compared, batches, progress."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from aligned_jax import features, inversion
from aligned_jax.config import GeneratorConfig
from aligned_jax.data.targets import Targets
from aligned_jax.errors import UserError
from aligned_jax.inversion import InversionProgress, Settings
from aligned_jax.inversion.encoder_choice import EncoderChoice
from aligned_jax.utils.reporting import Advance, Reporter

# Why an image has no inversion.
DIVERGED = "its numbers grew beyond all bounds"
_SHOWN = 8


def settings(given: Mapping[str, Any], choice: EncoderChoice | None = None) -> Settings:
    """Settings of which those that are None are left to the encoder, if there is one.

    Raises:
      ConfigError: for values that cannot be.
    """
    known = {name: value for name, value in given.items() if value is not None}
    return Settings(**(choice.defaults(known.get("space")) if choice else {}) | known)


def check_perceptual(net: str, pixels: float) -> None:
    """Raises UserError if nothing would be compared."""
    if pixels < 0 or (net == "none" and pixels == 0):
        raise UserError(
            f"`pixels` is {pixels:g}; with `perceptual='none'` it must be above 0, and never "
            "negative"
        )


def perceptual_of(net: str, pixels: float) -> inversion.Perceptual:
    """The distance of images that an inversion makes small: LPIPS, pixels, or both.

    Args:
      net: network of LPIPS, "vgg" or "alex"; or "none".
      pixels: weight of the mean squared difference of pixels, 0 or more.

    Raises:
      UserError: if nothing would be compared, or the weights of the network are not there.
    """
    check_perceptual(net, pixels)
    parts: list[tuple[inversion.Perceptual, float]] = []
    if net != "none":
        parts.append((features.lpips(net), 1.0))
    if pixels:
        parts.append((inversion.Pixels(), pixels))
    return inversion.Weighted(*zip(*parts, strict=True))


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
    settings: Settings, advance: Advance, also: Callable[[InversionProgress], None] | None = None
) -> inversion.Watch:
    """Tells `advance` how many steps were done, times images, and how near they are.

    Args:
      settings: of the inversion.
      advance: of a block of work of as many units as there are images times steps.
      also: hears of the same progress.
    """
    before = [0]  # steps of the present images that have been told

    def watch(progress: InversionProgress) -> None:
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


def warn_passed(targets: Targets, report: Reporter) -> None:
    """Warns of files in folders and zips that are no pictures, if there are any."""
    if targets.passed:
        report.warn(targets.passed)


def warn_skipped(skipped: Mapping[str, str], report: Reporter, named_in: str = "") -> None:
    """Warns of the first images that were not inverted, and says how many more there are.

    Args:
      skipped: why, by file.
      report: hears it.
      named_in: file that names them all, if there is one.
    """
    for file, reason in list(skipped.items())[:_SHOWN]:
        report.warn(f"skipped {file}: {reason}")
    if len(skipped) > _SHOWN:
        rest = f"; {named_in} names them" if named_in else ""
        report.warn(f"skipped {len(skipped) - _SHOWN} more{rest}")
