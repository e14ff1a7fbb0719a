"""Edits that words name: FILE:3, 15_45:8, or a file alone."""

import dataclasses
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from aligned_jax.ancestry import origin_of
from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.latents import parse_channel
from aligned_jax.loading import label_of
from aligned_jax.networks.network import Network
from aligned_jax.semantics.direction import Direction
from aligned_jax.semantics.edits import Edit, channel_direction
from aligned_jax.semantics.statistics import COUNT
from aligned_jax.utils.reporting import QUIET, Reporter

CHANNEL_STRENGTH, STRENGTH = 6.0, 3.0
_CHANNEL = re.compile(r"(\d+|b\d+\.\w+?)_\d+")


@dataclass(frozen=True)
class WordOptions:
    """What edits that are named by words have in common.

    Attributes:
      strength: of those that do not say it; None is 3 sigmas, or 6 of a channel.
      to: whether strengths are targets rather than shifts.
      layers: rows of W+ that move; None is up to each direction.
      space: of vectors of other programs.
      label: class of a conditional network, for the deviations of channels.
      samples: latents on which the deviations of channels are measured.
    """

    strength: float | None = None
    to: bool = False
    layers: tuple[int, ...] | None = None
    space: str | None = None
    label: int | None = None
    samples: int = COUNT


PLAIN = WordOptions()


def read_edits(
    name: str,
    parent: Network,
    words: Sequence[str | Edit],
    options: WordOptions = PLAIN,
    report: Reporter = QUIET,
) -> list[Edit]:
    """Edits by name, or as they are.

    Args:
      name: as the parent was named.
      parent: in whose sigmas strengths are counted.
      words: a file of a direction or a style channel ("15_45", "b16.conv1_23"), with ":S" behind
        it for its strength; or edits.
      options: what they have in common.
      report: hears of directions of networks that are no relatives.

    Raises:
      UserError: if one of them cannot be read, does not fit, or has no number for its strength.
    """
    found = []
    for word in words:
        edit = word if isinstance(word, Edit) else _read(name, parent, word, options, report)
        edit.check(parent.config)
        found.append(edit)
    return found


def is_channel(word: str) -> bool:
    """Whether a word is a style channel by its form, such as 15_45 or b16.conv1_23."""
    return _CHANNEL.fullmatch(word) is not None


def strength_in(word: str) -> tuple[str, float | None]:
    """A word without its strength, and the strength if it says one."""
    source, colon, number = word.rpartition(":")
    try:
        return (source, float(number)) if colon and source else (word, None)
    except ValueError:
        return word, None


def _read(name: str, parent: Network, word: str, options: WordOptions, report: Reporter) -> Edit:
    source, strength = strength_in(word)
    if _CHANNEL.fullmatch(source) and not os.path.exists(source):
        direction = channel_in(parent, source, options.label, options.samples, report)
        called, usual = direction.found["name"], CHANNEL_STRENGTH
    else:
        direction = read_direction(source, parent, space=options.space, name=name, report=report)
        called, usual = os.path.splitext(label_of(source))[0], STRENGTH
    if strength is None:
        strength = usual if options.strength is None else options.strength
    return Edit(direction, strength, options.to, options.layers, called)


def channel_in(
    parent: Network,
    channel: str,
    label: int | None = None,
    samples: int = COUNT,
    report: Reporter = QUIET,
) -> Direction:
    """A style channel of a parent as a direction.

    Args:
      parent: in which its deviation is measured, once on a machine.
      channel: like "15_45" or "b128.conv1_45".
      label: class of a conditional network.
      samples: latents.
      report: hears of them.

    Raises:
      UserError: if there is no such channel, or it never varies.
    """
    layer, number = parse_channel(parent.config, channel)
    known = known_statistics(parent, count=samples, label=label, report=report)
    found = channel_direction(parent.config, layer.name, number, known.std, known.network)
    told = {**found.found, "samples": samples, "label": label, "psi": 1.0}
    return dataclasses.replace(found, found={**told, "origin": origin_of("", parent)})
