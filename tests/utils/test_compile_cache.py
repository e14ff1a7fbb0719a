"""Programs that are kept for the next process."""

import os
import subprocess
import sys

import jax
import pytest

from aligned_jax.utils.compile_cache import enable_cache, enable_cache_at_import

NAMES = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@pytest.fixture
def kept(monkeypatch):
    """JAX's configuration is as before afterwards; nothing in the environment."""
    before = {name: jax.config.values[name] for name in NAMES}
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_folder(kept, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = enable_cache()
    assert folder.parent == tmp_path / "aligned_jax" and jax.__version__ in folder.name
    assert jax.config.values[NAMES[0]] == str(folder)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "mine"))
    assert enable_cache() == tmp_path / "mine"
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "file" / "in"))
    assert enable_cache() is None
    assert enable_cache_at_import() is None, "JAX is here already"


PROGRAM = """
import sys
from aligned_jax.utils import compile_cache
compile_cache._WORTH_KEEPING = 0.0
folder = compile_cache.enable_cache_at_import()
assert "jax" not in sys.modules
if "off" in sys.argv:
    compile_cache.disable_cache()
import jax
print(folder)
jax.jit(lambda x: x + 1)(1.0)
"""


@pytest.mark.parametrize(
    ("words", "asked", "count"), [([], 0, 1), (["off"], 0, 0), (["off"], 1, 1)]
)
def test_a_process_keeps_what_it_compiles_unless_that_is_switched_off(
    tmp_path, words, asked, count
):
    names = ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS")
    home = {key: value for key, value in os.environ.items() if key not in names}
    home["XDG_CACHE_HOME"] = str(tmp_path)
    if asked:
        home |= {names[0]: str(tmp_path / "asked"), names[1]: "0"}
    line = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(line, env=home, check=True, text=True, capture_output=True)
    folder = done.stdout.strip()
    assert folder.startswith(str(tmp_path))
    assert any(name.startswith("jit_") for name in os.listdir(folder)) == bool(count)
