"""The relevance index of a network: what each channel changes for a CLIP, kept on this machine."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import numpy as np

from aligned_jax.convert.files.kept_arrays import keep, kept, kept_name
from aligned_jax.errors import UserError
from aligned_jax.features.clip import Clip
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.latents import labels_for, z_from_seeds
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.semantics.statistics import COUNT, LatentStatistics
from aligned_jax.semantics.text import SHIFT, RelevanceIndex, channel_changes, conv_channels
from aligned_jax.types import Array, Styles
from aligned_jax.utils import paths
from aligned_jax.utils.reporting import QUIET, Reporter

# Raised when what is stored, or how it is computed, changes.
_VERSION = 1
_BLOCK = 32  # channels between two files
_MEANS = "means"


@dataclass(frozen=True)
class IndexOptions:
    """Over which pictures a relevance index is measured.

    Attributes:
      seeds: pictures.
      first: the seed of the first one.
      psi: their truncation; shifts are in sigmas at psi 1.
      label: class of a conditional network.
      group: seeds that are drawn at a time, and that are averaged before they are kept.
      samples: latents of which mean and sigma of the channels are measured.

    Raises:
      UserError: for values that cannot be.
    """

    seeds: int = 100
    first: int = 0
    psi: float = 0.7
    label: int | None = None
    group: int = 10
    samples: int = COUNT

    def __post_init__(self) -> None:
        if self.seeds < 1 or self.group < 1:
            raise UserError(f"{self.seeds} seeds in groups of {self.group}; both are at least 1")


def known_index(
    network: Network,
    clip: Clip,
    options: IndexOptions = IndexOptions(),
    report: Reporter = QUIET,
) -> RelevanceIndex:
    """The relevance index of a network and a CLIP; what was measured before is not measured again.

    It lies in the user's cache folder under the hashes of both. Work that is stopped goes on from
    the last 32 channels that were finished. What cannot be read is measured again; what cannot be
    written is not kept.

    Raises:
      UserError: if a conditional network gets no label, or another one does.
    """
    channels = conv_channels(network.config)
    folder = index_folder(network, clip, options)
    starts = range(0, len(channels), _BLOCK)
    blocks = {start: channels[start : start + _BLOCK] for start in starts}
    groups = -(-options.seeds // options.group)
    found = {
        start: _stored(folder / _name(start), (groups, len(block), clip.config.embedding))
        for start, block in blocks.items()
    }
    missing = [start for start in starts if found[start] is None]
    if missing:
        statistics = known_statistics(
            network, count=options.samples, label=options.label, report=report
        )
        seeds = list(_seed_groups(network, options))
        with report.progress(sum(len(blocks[start]) for start in missing), "channels") as advance:
            for start in missing:
                means = []
                for channel in blocks[start]:
                    means.append(_means(network, clip, statistics, seeds, channel))
                    advance(1)
                measured = found[start] = np.stack(means, axis=1).astype(np.float32)
                keep(folder / _name(start), {_MEANS: measured})
    parts = [part for part in found.values() if part is not None]
    counts = [min(options.group, options.seeds - k) for k in range(0, options.seeds, options.group)]
    return RelevanceIndex(channels, np.concatenate(parts, axis=1), np.asarray(counts))


def index_folder(network: Network, clip: Clip, options: IndexOptions) -> Path:
    """Where an index is kept."""
    facts = {
        "network": fingerprint(network.variables),
        "clip": clip.fingerprint,
        "shift": SHIFT,
        **asdict(options),
    }
    return paths.cache_folder("relevance") / kept_name(_VERSION, facts)


def _seed_groups(network: Network, options: IndexOptions) -> Iterator[tuple[Styles, int]]:
    """Styles of each group of seeds, and how many of its rows count; the last one is filled up."""
    last = options.first + options.seeds - 1
    for start in range(options.first, last + 1, options.group):
        numbers = [min(start + k, last) for k in range(options.group)]
        z = z_from_seeds(network.config, numbers)
        labels = labels_for(network.config, options.label, len(numbers))
        ws = network.mapping(z, labels, options.psi)
        yield network.styles(ws), min(options.group, last + 1 - start)


def _means(
    network: Network,
    clip: Clip,
    statistics: LatentStatistics,
    seeds: list[tuple[Styles, int]],
    channel: tuple[str, int],
) -> np.ndarray:
    """Mean change of each group, float32 [G, E]."""
    layer, number = channel
    middle = float(statistics.mean[layer][number])
    reach = SHIFT * float(statistics.std[layer][number])
    embed = jax.tree_util.Partial(_embed, clip)
    ends = (middle - reach, middle + reach)
    changes = [
        channel_changes(network, embed, styles, channel, *ends)[:kept].mean(axis=0)
        for styles, kept in seeds
    ]
    return np.stack(changes)


def _embed(clip: Clip, images: Array) -> Array:
    return clip.embed_images(images)


def _name(start: int) -> str:
    return f"channels-{start:05d}.npz"


def _stored(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    arrays = kept(file, {_MEANS: shape})
    return None if arrays is None else arrays[_MEANS].astype(np.float32)
