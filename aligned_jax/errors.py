"""The one exception family that people, rather than programmers, can mend."""

from collections.abc import Mapping
from typing import Any


class UserError(ValueError):
    """Bad input that its author can correct.

    The message is one sentence or a short list: what was given, what was
    expected, what to do. The command line prints it without a traceback and
    exits with code 2.
    """


class ConfigError(UserError):
    """Sizes that cannot describe a network, or that contradict each other."""


class FormatError(UserError):
    """A file that is damaged, unsafe, or of a kind this project does not read."""


class CheckpointError(UserError):
    """A folder that is no checkpoint, lacks an item, or cannot be written."""


def too_small(options: Any, least: Mapping[str, float], prefix: str = "") -> list[str]:
    """A sentence for each attribute below its bound; None is no number, and never too small.

    Args:
      options: whose attributes they are.
      least: bounds by attribute.
      prefix: of the names as people write them, such as "snapshots.".
    """
    return [
        f"{prefix}{name} is {value}; it must be at least {bound}"
        for name, bound in least.items()
        if (value := getattr(options, name)) is not None and value < bound
    ]


def too_large(options: Any, most: Mapping[str, float], prefix: str = "") -> list[str]:
    """A sentence for each attribute above its bound; the counterpart of `too_small`."""
    return [
        f"{prefix}{name} is {value}; it must be at most {bound}"
        for name, bound in most.items()
        if (value := getattr(options, name)) is not None and value > bound
    ]
