"""Where compiled programs are kept for the next process.

Programs fit one version of JAX and one kind of processor: each has its own folder.
$JAX_COMPILATION_CACHE_DIR decides where, else it is the user's cache folder. Where no
folder can be written nothing is kept, which only costs time.
"""

import hashlib
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

from aligned_jax.utils.paths import cache_folder

# Shorter compilations cost less than looking them up.
_WORTH_KEEPING = 0.5  # seconds
_FOLDER, _LEAST = "JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
_OURS = "ALIGNED_JAX_CACHES_PROGRAMS"  # in the environment, where nobody asked for the folder


def enable_cache() -> Path | None:
    """Keeps compiled programs from now on; returns the folder, None if it cannot be written."""
    import jax

    folder = _writable()
    if folder is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING)
    return folder


def enable_cache_at_import() -> Path | None:
    """The same for a process that has not imported JAX yet, and does not for this.

    Returns:
      the folder; None if it cannot be written, or JAX is here already.
    """
    if "jax" in sys.modules:
        return None
    asked = _FOLDER in os.environ
    folder = _writable()
    if folder is not None and not asked:
        os.environ[_FOLDER] = str(folder)
        os.environ.setdefault(_LEAST, str(_WORTH_KEEPING))
        os.environ[_OURS] = "1"
    return folder


def disable_cache() -> None:
    """Compiles anew from now on, unless the cache is the user's own wish."""
    if os.environ.get(_OURS):
        import jax

        jax.config.update("jax_enable_compilation_cache", False)


def _writable() -> Path | None:
    folder = Path(os.environ.get(_FOLDER) or _usual_folder())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _usual_folder() -> Path:
    return cache_folder(f"jax-{metadata.version('jax')}-{_machine()}")


def _machine() -> str:
    """Name of the kind of processor; programs for one may use instructions another lacks."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    facts = sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
    text = "\n".join(facts) or platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
