"""Data parallelism: the only module that knows of several devices and hosts.

Row i of the global batch belongs to device i mod D, counted host by host in
turns: host h of H holds rows h, h + H, ...; device l of the L devices of that
host takes every L-th of them. So every device holds an evenly strided part of
the batch. The minibatch standard deviation groups samples by the same stride,
and the path length uses the first rows: both see the same samples on any
number of devices, as long as their sizes divide a device's share.
"""

from collections.abc import Callable, Sequence

import jax
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from aligned_jax.errors import ConfigError
from aligned_jax.types import Array, PyTree

AXIS = "batch"
Devices = Sequence[jax.Device]


def on_each_device(body: Callable, devices: Devices | None = None) -> Callable:
    """`body(state, *args)` on every device at once, the state donated.

    Arguments and results have a leading axis of local devices; inside, `mean`
    averages over the devices of all hosts.
    """
    return jax.pmap(body, axis_name=AXIS, donate_argnums=(0,), devices=devices)


def mean(tree: PyTree) -> PyTree:
    """Average of float32 arrays over all devices, in a single exchange for the whole tree.

    Only for use inside `on_each_device`.
    """
    if lax.axis_size(AXIS) == 1:
        return tree
    flat, restore = ravel_pytree(tree)
    return restore(lax.pmean(flat, AXIS))


def gather(tree: PyTree, rows: Array) -> PyTree:
    """All rows of a batch [B, ...] in order, from every device's [n, ...], numbered by `rows` [n].

    Only for use inside `on_each_device`.
    """
    everywhere = lax.all_gather((tree, rows), AXIS, tiled=True)
    order = everywhere[1].argsort()
    return jax.tree.map(lambda v: v[order], everywhere[0])


def replicate(tree: PyTree, devices: Devices | None = None) -> PyTree:
    """Copies a host tree to every local device: leaves [...] become [devices, ...]."""
    devices = jax.local_devices() if devices is None else devices
    sharding = _sharding(devices)

    def spread(value: Array) -> Array:
        # A copy that no one else owns: the step overwrites its state in place.
        rows = np.repeat(np.asarray(value)[None], len(devices), axis=0)
        return jax.device_put(rows, sharding)

    return jax.tree.map(spread, tree)


def local(tree: PyTree) -> PyTree:
    """Host copy of what the first local device holds; no exchange between devices."""
    return jax.tree.map(lambda v: np.array(v.addressable_shards[0].data)[0], tree)


def deal(rows: PyTree, devices: Devices | None = None) -> PyTree:
    """Deals this host's rows [n, ...] to its devices in turns: [devices, n / devices, ...]."""
    devices = jax.local_devices() if devices is None else devices
    sharding = _sharding(devices)

    def spread(value: np.ndarray) -> Array:
        value = np.asarray(value)
        share = len(value) // len(devices)
        dealt = value.reshape(share, len(devices), *value.shape[1:]).swapaxes(0, 1)
        return jax.device_put(np.ascontiguousarray(dealt), sharding)

    return jax.tree.map(spread, rows)


def row_numbers(batch_size: int) -> np.ndarray:
    """Global row numbers of this host's part of a batch, int32 [batch_size / hosts]."""
    return np.arange(jax.process_index(), batch_size, jax.process_count(), dtype=np.int32)


def check_division(
    batch_size: int, rounds: int, devices: int, group: int | None, shrink: int
) -> int:
    """Rows that a device works on at a time: batch_size / (devices * rounds).

    Args:
      batch_size: rows over all devices of all hosts.
      rounds: parts that each device works on one after another.
      devices: devices of all hosts.
      group: samples in a group of the minibatch standard deviation; None is all.
      shrink: the path length uses one row in `shrink`.

    Raises:
      ConfigError: listing everything that does not divide.
    """
    rows, rest = divmod(batch_size, devices * rounds)
    if rest or not rows:
        times = f"{devices} devices" + (f" x {rounds} rounds" if rounds > 1 else "")
        raise ConfigError(
            f"a batch of {batch_size} cannot be dealt to {times}; "
            f"use a multiple of {devices * rounds}"
        )
    wrong = []
    if group and rows > group and rows % group:
        wrong.append(f"groups of {group} for the minibatch standard deviation do not divide that")
    if rows < shrink:
        wrong.append(f"the path length, which uses one row in {shrink}, would be left without any")
    if wrong:
        raise ConfigError(
            f"a batch of {batch_size} gives each of {devices} devices {rows} rows at a time, but "
            f"{' and '.join(wrong)}; change the batch, the rounds or the devices"
        )
    return rows


def device_dependence(rows: int, group: int | None, shrink: int) -> list[str]:
    """Why a step with `rows` rows a device would differ from one device's; empty if it does not.

    Args:
      rows: what `check_division` returned.
      group: samples in a group of the minibatch standard deviation; None is all,
        1 or no statistics is independent of devices.
      shrink: the path length uses one row in `shrink`.
    """
    reasons = []
    if group is None or rows % group:
        size = "the whole batch" if group is None else f"{group} samples"
        reasons.append(
            f"the minibatch standard deviation groups {size}, but a device has {rows} rows"
        )
    if rows % shrink:
        reasons.append(f"the path length uses one row in {shrink}, but a device has {rows} rows")
    return reasons


def _sharding(devices: Devices) -> NamedSharding:
    return NamedSharding(Mesh(np.array(devices), (AXIS,)), PartitionSpec(AXIS))
