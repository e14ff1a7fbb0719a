"""How a run is computed, which does not change what it computes: threads, cache, devices, hosts."""

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligned_jax.errors import UserError
from aligned_jax.runs import hosts
from aligned_jax.utils import paths

if TYPE_CHECKING:
    import jax

# Shorter compilations cost less than looking them up.
_WORTH_KEEPING = 0.5  # seconds


@dataclass(frozen=True)
class Session:
    """How this process takes part in a run.

    Attributes:
      threads: that read data ahead.
      cache: whether compiled programs are kept for the next process.
      tensorboard: whether RUN/tensorboard is written as well as stats.jsonl.
      devices: use only the first so many devices of this machine; None takes all.
      distributed: "HOST:PORT,COUNT,INDEX" for one process of several, or "auto" to ask
        the TPU pod or the cluster; None is a process alone.
    """

    threads: int = 2
    cache: bool = True
    tensorboard: bool = False
    devices: int | None = None
    distributed: str | None = None

    def prepare(self) -> None:
        """Joins the other hosts and switches the cache on; before any other use of JAX.

        Raises:
          UserError: if the hosts cannot be joined as asked, or an extra is missing.
        """
        if self.threads < 1:
            raise UserError(f"--threads is {self.threads}; it must be at least 1")
        if self.devices is not None and self.distributed:
            raise UserError(
                "--devices and --distributed exclude each other: hosts use all they have"
            )
        if self.tensorboard:
            tensorboard()
        if self.distributed:
            hosts.join(self.distributed)
        if self.cache:
            enable_cache()

    def chosen_devices(self) -> "list[jax.Device] | None":
        """The devices that are asked for; None are all.

        Raises:
          UserError: if there are not so many.
        """
        if self.devices is None:
            return None
        import jax

        present = jax.local_devices()
        if not 1 <= self.devices <= len(present):
            raise UserError(f"--devices is {self.devices}; this machine has {len(present)}")
        return present[: self.devices]

    def device_count(self) -> int:
        """How many devices share a batch, over all hosts; UserError as `chosen_devices`."""
        import jax

        chosen = self.chosen_devices()
        return jax.device_count() if chosen is None else len(chosen)


PLAIN = Session()  # all devices of this machine, by itself


def enable_cache() -> Path | None:
    """Keeps compiled programs for the next process; returns the folder.

    $JAX_COMPILATION_CACHE_DIR decides where, else it is the user's cache folder.
    Programs fit one version of JAX and one processor: each has its own folder.
    None where no folder can be written, which only costs time.
    """
    import jax

    folder = Path(os.environ.get("JAX_COMPILATION_CACHE_DIR") or _cache_folder(jax.__version__))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING)
    return folder


def tensorboard() -> Any:
    """The class that writes TensorBoard files; UserError if the extra is not installed."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise UserError(
            "--tensorboard needs tensorboardX: pip install 'aligned_jax[tensorboard]'"
        ) from None
    return SummaryWriter


def _cache_folder(version: str) -> Path:
    return paths.cache_folder(f"jax-{version}-{_machine()}")


def _machine() -> str:
    """Name of the kind of processor; programs for one may use instructions another lacks."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    facts = sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
    text = "\n".join(facts) or platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
