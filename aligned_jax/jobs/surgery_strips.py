"""The same latents drawn by several blends of two networks (StyleAlign, figures 31 and 32)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal, TypedDict, Unpack

from aligned_jax import weights
from aligned_jax.jobs.strip import Column, strip_sheet
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.rendering.records import picture_facts
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz.sheet import Sheet


class StripOptions(TypedDict, total=False):
    """How strips are drawn.

    Attributes:
      seeds: a list, or text such as "0-3", which is the default.
      psi: truncation, 0.7 by default; 1 is none.
      label: class of conditional networks.
      batch: images at a time, 8 by default.
      report: hears of every image.
    """

    seeds: str | Sequence[int]
    psi: float
    label: int | None
    batch: int
    report: Reporter


def interpolate_strip(
    a: NetworkSource,
    b: NetworkSource,
    shares: Sequence[float],
    *,
    components: str | Sequence[str] | None = None,
    resolutions: str | Sequence[int] | None = None,
    network_key: str = "G_ema",
    **drawn: Unpack[StripOptions],
) -> Sheet:
    """Draws a row for each seed and a column for each blend of two networks.

    Args:
      a, b: networks of equal sizes, by name or loaded.
      shares: of `b` in each column.
      components, resolutions: only these are blended; None takes all.
      network_key: "G_ema" or "G" of networks that are named.
      drawn: see `StripOptions`.

    Raises:
      UserError: as `interpolate`, and for seeds, label and truncation that do not fit.
    """
    if components is not None:
        weights.parse_components(components)
    named = [named_network(source, network_key) for source in (a, b)]
    (first_name, first), (last_name, last) = named

    def blend(share: float) -> Network:
        # The result of a blend has the options of A; a whole B is shown as it is.
        if share == 1 and components is None and resolutions is None:
            return last
        return weights.interpolate(first, last, share, components, resolutions)

    blend(0.0)  # refuses what does not fit before anything is drawn
    columns: list[Column] = [(f"{share:g}", partial(blend, share)) for share in shares]
    title = f"Weights from {first_name} (0) to {last_name} (1)"
    return _strip(columns, {"a": first, "b": last}, title, **drawn)


def swap_strip(
    low: NetworkSource,
    high: NetworkSource,
    resolutions: Sequence[int],
    *,
    smooth: float | None = None,
    mapping: Literal["low", "high"] = "low",
    network_key: str = "G_ema",
    **drawn: Unpack[StripOptions],
) -> Sheet:
    """Draws a row for each seed, and a column for each swap between the two networks' own.

    Args:
      low, high: networks of equal sizes, by name or loaded.
      resolutions: for each column between, the last block that comes from `low`.
      smooth, mapping: as in `swap`.
      network_key: "G_ema" or "G" of networks that are named.
      drawn: see `StripOptions`.

    Raises:
      UserError: as `swap`, and for seeds, label and truncation that do not fit.
    """
    named = [named_network(source, network_key) for source in (low, high)]
    (coarse_name, coarse), (fine_name, fine) = named

    def swapped(resolution: int) -> Network:
        called = (coarse_name, fine_name)
        return weights.swap(coarse, fine, resolution, smooth, mapping, called)

    weights.parse_resolutions(resolutions, weights.resolutions_of(coarse))
    swapped(resolutions[0])  # refuses what does not fit before anything is drawn
    columns: list[Column] = [
        ("high", lambda: fine),
        *((f"low to {size} px", partial(swapped, size)) for size in resolutions),
        ("low", lambda: coarse),
    ]
    title = f"Low resolutions of {coarse_name}, high ones of {fine_name}"
    return _strip(columns, {"low": coarse, "high": fine}, title, **drawn)


def _strip(
    columns: Sequence[Column],
    networks: Mapping[str, Network],
    title: str,
    seeds: str | Sequence[int] = "0-3",
    psi: float = 0.7,
    label: int | None = None,
    batch: int = 8,
    report: Reporter = QUIET,
) -> Sheet:
    """Latents of the first of the networks, drawn by those of all columns."""
    latents = latents_of_seeds(next(iter(networks.values())).config, seeds, label, psi)
    facts = picture_facts(networks, latents)
    return strip_sheet(columns, latents, RenderOptions(batch=batch), title, report, facts)
