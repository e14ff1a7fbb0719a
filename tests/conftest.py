"""For every test: no silent promotion, eight virtual devices, programs that compile fast, once."""

import os
import shutil
import tempfile

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Programs compile up to three times as fast and run slower: no worse as tests. Those that hold
# numbers against other implementations are marked `optimised`. Child processes inherit it.
# Most take minutes that way: marked `optimised("in long runs")`, they do in those alone.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax
import pytest

_DEVICES = "--xla_force_host_platform_device_count=8"
# An older way to make loops of fused operations, in one piece, takes half as long to compile.
_QUICKLY = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
_CACHE = "JAX_COMPILATION_CACHE_DIR"
_FAST = "jax_disable_most_optimizations"
_QUICK = pytest.StashKey[bool]()
_MOST = 5e9  # bytes
# Linux gives a process some 65,000 pieces of memory, and every program takes many.
_PIECES = 30_000
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_configure(config):
    """Processes of a session share what they compile, in a folder that is removed at its end.

    A program is wanted again and again: by both workers, by child processes, by every new step of
    the same training. A folder of one's own, named in the environment, is used and kept.

    Long tests (`-m slow`, `-m "slow or optimised"`) meet loops as users' programs have them.
    """
    quickly = config.stash[_QUICK] = config.option.markexpr == "not slow"
    os.environ.setdefault("XLA_FLAGS", f"{_DEVICES} {_QUICKLY}" if quickly else _DEVICES)
    if _CACHE not in os.environ:
        os.environ[_CACHE] = folder = tempfile.mkdtemp(prefix="aligned_jax-programs-")
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Programs as users get them for tests that are marked `optimised`, before any fixture."""
    marker = item.get_closest_marker("optimised")
    fast = marker is None or ("in long runs" in marker.args and item.config.stash[_QUICK])
    if jax.config.values[_FAST] != fast:
        jax.config.update(_FAST, fast)
        jax.clear_caches()  # they hold programs of the other kind


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """Between two modules programs are kept, for the next one, while memory allows it."""
    last = nextitem is None or nextitem.path != item.path
    if last and (_memory() > _MOST or _pieces() > _PIECES):
        jax.clear_caches()


def _memory():
    """Bytes of this process; where nobody tells, more than any limit."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return float("inf")


def _pieces():
    """Pieces of memory that this process has; 0 where nobody tells."""
    try:
        with open("/proc/self/maps", "rb") as file:
            return file.read().count(b"\n")
    except OSError:
        return 0


@pytest.fixture
def bucket(monkeypatch):
    """The files of gs://, empty at first, by name ("bucket/file")."""
    import fsspec
    from etils.epath import backend

    from aligned_jax.utils import paths
    from tests.utils.memory_bucket import Bucket

    for name in Bucket.protocol:
        fsspec.register_implementation(name, Bucket, clobber=True)
    backend.fsspec_backend._get_filesystem.cache_clear()
    monkeypatch.setattr(Bucket, "files", {})
    monkeypatch.setattr(Bucket, "log", [])
    monkeypatch.setattr(Bucket, "refuse_after", None)
    monkeypatch.setitem(paths.SERVICES, "gs", "fsspec")
    yield Bucket.files
    backend.fsspec_backend._get_filesystem.cache_clear()
