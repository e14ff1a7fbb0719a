"""TPUs that are not there: what one of their chips can do, and how to compile for it."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import jax

from aligned_jax.errors import UserError

# libtpu asks the machine which TPUs it has; these answers keep it from waiting for one.
_ENVIRONMENT = {
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_MIN_LOG_LEVEL": "3",
}


class Chip(NamedTuple):
    """A kind of TPU chip: bfloat16 FLOP/s and bytes/s as Google publishes them.

    `memory` is in GiB: what the compiler says is left for a program.
    """

    flops: float
    bandwidth: float
    memory: float


CHIPS = {
    "v4": Chip(275e12, 1228e9, 30.75),
    "v5e": Chip(197e12, 819e9, 15.75),
    "v6e": Chip(918e12, 1640e9, 31.25),
}


def kind_of(topology: str) -> str:
    """ "v5e" of "v5e:2x2"."""
    return topology.partition(":")[0]


def chips(topology: str) -> list[Any]:
    """Devices of a topology such as "v5e:2x2", one for each chip; no TPU is needed for it.

    The first call in a process loads libtpu for good (extra `tpu-aot`).
    """
    from jax.experimental import topologies

    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # The two cores of a v4 are one device, as they are where there is one.
    together = {"chip_config_name": "megacore"} if kind_of(topology) == "v4" else {}
    found = topologies.get_topology_desc(platform="tpu", topology_name=topology, **together)
    return list(found.devices)


def traced_for(backend: str) -> contextlib.AbstractContextManager:
    """A context in which what is traced takes the forms of a backend, such as "tpu"."""
    return mock.patch.object(jax, "default_backend", lambda: backend)


def answer(module: str, *words: str) -> dict[str, Any]:
    """The last line, of JSON, of a program that compiles for them, in a process of its own.

    Args:
      module: as for `python -m`.
      words: its arguments.

    Raises:
      UserError: if libtpu is not installed, or the program fails.
    """
    if importlib.util.find_spec("libtpu") is None:
        raise UserError("libtpu, which compiles for TPUs, is missing: pip install '.[tpu-aot]'")
    # What speeds up tests on CPUs, or is meant for TPUs that are there, is not for the compiler.
    hidden = ("XLA_FLAGS", "JAX_", "TPU_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    env["JAX_PLATFORMS"] = "cpu"  # topologies are asked for by name
    line = [sys.executable, "-m", module, *words]
    root = Path(__file__).parents[1]
    run = subprocess.run(line, capture_output=True, text=True, cwd=root, env=env)
    if run.returncode:
        told = " ".join([module, *words])
        raise UserError(f"{told} ended with {run.returncode}: {run.stderr[-2000:]}")
    return json.loads(run.stdout.strip().splitlines()[-1])
