"""Endless batches for training; each is a pure function of the seed and its number."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from aligned_jax.data.dataset import Dataset
from aligned_jax.errors import UserError


class Rows(NamedTuple):
    """One host's rows of a batch.

    Attributes:
      images: uint8 [n, H, W, C].
      labels: float32 [n, c_dim], of these images.
      gen_labels: float32 [n, 3, c_dim], of other random images of the dataset, for
        what the generator is asked to draw.
    """

    images: np.ndarray
    labels: np.ndarray
    gen_labels: np.ndarray


def batches(
    dataset: Dataset,
    batch_size: int,
    seed: int = 0,
    start: int = 0,
    host: int = 0,
    hosts: int = 1,
    threads: int = 2,
) -> Iterator[Rows]:
    """Batches number `start`, `start + 1`, ... of the endless, shuffled dataset.

    Every epoch has an order of its own. Batch t depends on the seed and t alone:
    not on where reading starts, nor on the number of hosts or threads.

    Args:
      dataset: from `open_dataset`.
      batch_size: images of all hosts together, a multiple of `hosts`.
      host, hosts: row r of a batch goes to host r % hosts.
      threads: that read ahead and decode; a few are enough.

    Raises:
      UserError: sizes that do not fit.
      FormatError: when a damaged record is reached.
    """
    _check(batch_size, seed, start, host, hosts, threads)
    import grain

    def row(index: int, rng: np.random.Generator) -> Rows:
        image, label = dataset[index]
        if dataset.c_dim == 0:
            return Rows(image, label, np.zeros((3, 0), np.float32))
        others = rng.integers(len(dataset), size=3)
        return Rows(image, label, np.stack([dataset.label(other) for other in others]))

    stream = grain.MapDataset.range(len(dataset)).seed(seed).shuffle().repeat().random_map(row)
    stream = stream[host::hosts].batch(batch_size // hosts, drop_remainder=True)[start:]
    ahead = max(2 * threads, 4)
    return iter(stream.to_iter_dataset(grain.ReadOptions(threads, ahead if threads else 0)))


def _check(batch_size: int, seed: int, start: int, host: int, hosts: int, threads: int) -> None:
    mistakes = []
    if hosts < 1 or not 0 <= host < hosts:
        mistakes.append(f"host {host} of {hosts} does not exist")
    if batch_size < 1 or (hosts > 0 and batch_size % hosts):
        mistakes.append(f"{hosts} hosts cannot share {batch_size} images evenly")
    if min(seed, start, threads) < 0:
        mistakes.append(f"seed {seed}, start {start} and threads {threads} must not be negative")
    if mistakes:
        raise UserError("; ".join(mistakes))
