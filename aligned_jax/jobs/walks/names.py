"""What of a walk moves, by name: truncation, latents, weights, places, and edits."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from aligned_jax.errors import UserError
from aligned_jax.jobs.edits.words import is_channel, strength_in
from aligned_jax.jobs.named_directions import ZOO, zoo_directions
from aligned_jax.utils.text import listed

PSI, T1, T2, SWAP, PLACE = "psi", "t1", "t2", "swap", "place"
OF_A_CHILD = (T1, T2, SWAP)
NAMES = (PSI, *OF_A_CHILD, PLACE)

_LARGEST = (2 - 2**-23) * 2.0**127
# Values at the key frames by name; one value stays.
Values = Mapping[str, float | Sequence[float]]


def parse_animations(words: Iterable[str]) -> dict[str, list[float]]:
    """Values at the key frames of words such as "psi=0.3,1" or "zoo:roll=-3,3".

    Raises:
      UserError: naming every word that is not like that, comes twice, or names nothing that moves.
    """
    found: dict[str, list[float]] = {}
    wrong: list[str] = []
    names: list[str] = []
    for word in words:
        name, equals, text = word.rpartition("=")
        bad = [part for part in text.split(",") if not _is_number(part)]
        names += [name] if name else []
        if not equals or not name:
            wrong.append(f"{word!r:.60} is not like psi=0.3,1")
        elif bad:
            wrong.append(f"{name}: {listed(map(repr, bad))} is no finite number")
        elif name in found:
            wrong.append(f"{name} comes twice")
        else:
            found[name] = [float(part) for part in text.split(",")]
    try:
        check_names(names)
    except UserError as error:
        wrong.append(str(error))
    if wrong:
        raise UserError(f"`animate`: {listed(wrong, separator='; ')}")
    return found


def as_values(animate: Values | Iterable[str] | None) -> dict[str, list[float]]:
    """The same of words, and of values by name, of which one number stands for itself.

    Raises:
      UserError: as `parse_animations`, or naming every value that is no finite number.
    """
    if animate is None:
        return {}
    if not isinstance(animate, Mapping):
        return parse_animations(animate)
    found = {
        name: [float(one) for one in ([values] if isinstance(values, int | float) else values)]
        for name, values in animate.items()
    }
    bad = [name for name, values in found.items() if not values or not all(map(is_number, values))]
    if bad:
        raise UserError(f"{listed(bad)}: give one or more finite numbers for each")
    return found


def check_names(names: Iterable[str]) -> None:
    """Raises UserError naming everything that is no parameter and no edit."""
    wrong = []
    for name in names:
        if name in NAMES or is_channel(name):
            continue
        if strength_in(name)[1] is not None:
            wrong.append(f"{name} says its strength, which is what moves; leave out :S")
        elif not _is_direction(name):
            wrong.append(name)
    if wrong:
        raise UserError(
            f"nothing that moves: {listed(wrong)}; there are {', '.join(NAMES)}, style channels "
            "(15_45), files of directions and zoo:NAME"
        )


def edit_names(names: Iterable[str]) -> list[str]:
    """Those of the names that are edits."""
    return [name for name in names if name not in NAMES]


def _is_direction(name: str) -> bool:
    if name.startswith(ZOO):
        return name.removeprefix(ZOO) in zoo_directions()
    return bool(re.search(r"\.(npz|npy|pt)$", name)) and os.path.isfile(name)


def is_number(value: float) -> bool:
    """Whether it is one in single precision, which ends at 3e38."""
    return abs(value) <= _LARGEST


def _is_number(text: str) -> bool:
    try:
        return is_number(float(text))
    except ValueError:
        return False
