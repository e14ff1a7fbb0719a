"""What the command line gave to a page: networks, and what else it may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aligned_jax import ancestry, translation
from aligned_jax.errors import UserError
from aligned_jax.jobs.relatives import load_relatives
from aligned_jax.loading import NetworkSource
from aligned_jax.networks.network import Network
from aligned_jax.utils.reporting import QUIET, Reporter

BLEND = "blend"  # how the column is called that surgery makes


@dataclass(frozen=True, eq=False)
class ViewFamily:
    """The networks of a page.

    Attributes:
      networks: by name, the parent first; all of equal structure.
      sources: as they were given, in the same order; None for networks in memory.
      key: "G_ema" or "G", of the networks that were named.
    """

    networks: Mapping[str, Network]
    sources: tuple[str | None, ...]
    key: str = "G_ema"

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return list(self.networks)

    @property
    def parent(self) -> Network:
        """The first network, in which sigmas are measured and pictures inverted."""
        return next(iter(self.networks.values()))

    @property
    def parent_name(self) -> str:
        """How messages call it."""
        return self.sources[0] or self.names[0]


def load_family(
    sources: Sequence[NetworkSource],
    names: Sequence[str] | None = None,
    key: str = "G_ema",
    report: Reporter = QUIET,
) -> ViewFamily:
    """Loads the networks of a page.

    Args:
      sources: names, or loaded networks, the parent first.
      names: of the columns; by default the networks' own.
      key: "G_ema" or "G" of networks that are named.
      report: hears of networks that are no relatives.

    Raises:
      UserError: if one cannot be loaded, or naming each that does not fit the first.
    """
    if names is None and all(isinstance(one, Network) for one in sources):
        names = ["parent", "child", *(f"child {k}" for k in range(2, 100))][: len(sources)]
    networks = load_relatives(sources, names, key)
    if BLEND in networks:
        raise UserError(f"a network is called {BLEND}, as is a column of the page; use `names`")
    (_, parent), *children = networks.items()
    for source, (name, child) in zip(sources[1:], children, strict=True):
        try:
            translation.check_aligned(parent, child)
        except UserError as error:
            told = " ".join(str(error).split())
            raise UserError(
                f"{name} cannot be viewed beside {next(iter(networks))}: {told}"
            ) from None
        ancestry.warn_unrelated((sources[0], source), (parent, child), report)
    given = tuple(None if isinstance(one, Network) else str(one) for one in sources)
    return ViewFamily(networks, given, key)
