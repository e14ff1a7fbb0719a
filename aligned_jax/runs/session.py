"""What a training process sets up before it touches a device: hosts, and the compilation cache."""

import argparse
import hashlib
import os
import platform
from pathlib import Path

from aligned_jax.errors import UserError
from aligned_jax.runs import hosts
from aligned_jax.utils import paths

# Shorter compilations cost less than looking them up.
_WORTH_KEEPING = 0.5  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of how a run is computed, which do not change what it computes."""
    group = parser.add_argument_group("this process")
    group.add_argument("--threads", type=int, default=2, help="that read data ahead (default 2)")
    group.add_argument(
        "--no-cache", action="store_true", help="compile anew instead of keeping compiled programs"
    )
    group.add_argument(
        "--tensorboard", action="store_true", help="write RUN/tensorboard as well as stats.jsonl"
    )
    group.add_argument(
        "--devices", type=int, metavar="N", help="use only the first N devices of this machine"
    )
    group.add_argument(
        "--distributed",
        nargs="?",
        const="auto",
        metavar="HOST:PORT,COUNT,INDEX",
        help="one process of several; alone, it asks the TPU pod or the cluster who it is",
    )


def prepare(args: argparse.Namespace) -> None:
    """Joins the other hosts and switches the cache on; before any other use of JAX.

    Raises:
      UserError: if the hosts cannot be joined as asked, or an extra is missing.
    """
    if args.threads < 1:
        raise UserError(f"--threads is {args.threads}; it must be at least 1")
    if args.devices is not None and args.distributed:
        raise UserError("--devices and --distributed exclude each other: hosts use all they have")
    if args.tensorboard:
        tensorboard()
    if args.distributed:
        hosts.join(args.distributed)
    if not args.no_cache:
        enable_cache()


def devices(args: argparse.Namespace) -> list | None:
    """The devices that `--devices` asks for; None are all.

    Raises:
      UserError: if there are not so many.
    """
    if args.devices is None:
        return None
    import jax

    found = jax.local_devices()
    if not 1 <= args.devices <= len(found):
        raise UserError(f"--devices is {args.devices}; this machine has {len(found)}")
    return found[: args.devices]


def device_count(args: argparse.Namespace) -> int:
    """How many devices share a batch, over all hosts; UserError as `devices`."""
    import jax

    chosen = devices(args)
    return jax.device_count() if chosen is None else len(chosen)


def is_first() -> bool:
    """Whether this host is the one that writes and speaks."""
    import jax

    return jax.process_index() == 0


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


def tensorboard() -> type:
    """The writer of TensorBoard files; UserError if the extra is not installed."""
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
    said = sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
    text = "\n".join(said) or platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
