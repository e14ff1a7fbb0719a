"""The edits that a page can name: style channels, directions of the zoo, files, and words."""

import re
import threading
from collections.abc import Sequence

from aligned_jax.errors import UserError
from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.jobs.edits.words import channel_in
from aligned_jax.jobs.named_directions import zoo_directions
from aligned_jax.latents import style_layers
from aligned_jax.loading import label_of
from aligned_jax.networks.network import Network
from aligned_jax.semantics.direction import Direction
from aligned_jax.semantics.edits import Edit
from aligned_jax.semantics.statistics import COUNT
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed
from aligned_jax.viewer.kept import Kept
from aligned_jax.viewer.state import StackedEdit

_CHANNEL = re.compile(r"(\d+|b\d+\.\w+?)_\d+")
_FOUND = 60  # channels that a search returns


class EditShelf:
    """Directions by name. Nothing that a page says is taken for a file."""

    def __init__(
        self,
        parent: Network,
        name: str,
        files: Sequence[str] = (),
        samples: int = COUNT,
        report: Reporter = QUIET,
    ) -> None:
        """Reads all directions.

        Args:
          parent: in whose sigmas strengths are counted.
          name: as it was named.
          files: of directions, which are called after their files.
          samples: latents on which deviations of channels are measured.
          report: hears of directions of networks that are no relatives.

        Raises:
          UserError: if a file cannot be read or does not fit.
        """
        self._parent, self._samples, self._lock = parent, samples, threading.Lock()
        self._channels: Kept[Direction] = Kept(256)
        self._directions: dict[str, Direction] = {}
        for file in files:
            direction = read_direction(file, parent, name=name, report=report)
            called = _stem(file)
            if called in self._directions:
                raise UserError(f"two directions are called {called}; rename one of the files")
            self._directions[called] = direction
        for called in zoo_directions():
            listener = _Listener()
            try:
                found = read_direction(f"zoo:{called}", parent, name=name, report=listener)
            except UserError:
                continue  # of a network of other sizes
            if not listener.warned:
                self._directions[f"zoo:{called}"] = found

    @property
    def directions(self) -> dict[str, Direction]:
        """All but channels, by name."""
        return dict(self._directions)

    def add(self, name: str, direction: Direction) -> None:
        """Keeps a direction that the session found."""
        self._directions[name] = direction

    def edits(self, stack: Sequence[StackedEdit], label: int | None) -> tuple[Edit, ...]:
        """Edits that are named, checked.

        Raises:
          UserError: for one that is not known, or does not fit the network.
        """
        found = tuple(self._edit(one, label) for one in stack)
        for edit in found:
            edit.check(self._parent.config)
        return found

    def search(self, text: str) -> list[str]:
        """Names that hold a text: directions first, then style channels in their order."""
        wanted = text.strip().lower()
        found = [name for name in self._directions if wanted in name.lower()]
        for layer in style_layers(self._parent.config):
            for number in range(layer.channels):
                if len(found) >= _FOUND:
                    return found
                names = (f"{layer.index}_{number}", f"{layer.name}_{number}")
                if wanted and any(name.startswith(wanted) for name in names):
                    found.append(names[0])
        return found

    def exact(self, text: str) -> str | None:
        """The name of the edit that somebody means by a text; None if there is none."""
        text = text.strip()
        for name in (text, f"zoo:{text}"):
            if name in self._directions:
                return name
        layer, _, number = text.rpartition("_")
        for one in style_layers(self._parent.config):
            if layer in (str(one.index), one.name) and number in map(str, range(one.channels)):
                return f"{one.index}_{number}"
        return None

    def _edit(self, one: StackedEdit, label: int | None) -> Edit:
        if one.name in self._directions:
            return Edit(self._directions[one.name], one.by, False, one.layers, _stem(one.name))
        if not _CHANNEL.fullmatch(one.name):
            known = listed(self._directions, most=12) or "none"
            raise UserError(
                f"there is no edit {one.name!r:.60}; give a style channel like 5_23, or one of the "
                f"directions: {known}"
            )
        with self._lock:
            direction = self._channels.get(
                (one.name, label),
                lambda: channel_in(self._parent, one.name, label, self._samples),
            )
        return Edit(direction, one.by, False, one.layers, direction.found["name"])


class _Listener(Reporter):
    """Remembers that something was warned of."""

    warned = False

    def warn(self, text: str) -> None:
        self.warned = True


def _stem(name: str) -> str:
    return re.sub(r"\.(npz|npy|pt)$", "", label_of(name))
