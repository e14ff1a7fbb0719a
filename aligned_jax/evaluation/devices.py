"""Work on several devices of this machine at once; rows never wait for each other."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

_AXIS = "rows"
Devices = Sequence[jax.Device]


def mesh_of(devices: Devices | None = None) -> Mesh:
    """The devices as a line; None takes all of this machine."""
    return Mesh(np.array(jax.local_devices() if devices is None else devices), (_AXIS,))


def by_rows(mesh: Mesh, body: Callable, shared: Any, *rows: Any) -> Any:
    """body(shared, *rows) with leading axes dealt to the devices; for use inside `jax.jit`.

    Rows of every argument and result are as many, and a multiple of the devices.
    """
    split, whole = PartitionSpec(_AXIS), PartitionSpec()
    specs = (whole, *[split] * len(rows))
    run = jax.shard_map(body, mesh=mesh, in_specs=specs, out_specs=split, check_vma=False)
    return run(shared, *rows)
