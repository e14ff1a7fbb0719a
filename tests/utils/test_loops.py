"""Loops written out: the same results, and no loop in the program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.utils import loops


def body(carry, row):
    total = carry["total"] * row["a"] + row["b"].sum()
    return {"total": total}, {"squared": total**2}


@pytest.mark.parametrize("length", [1, 3])
def test_written_out_it_is_a_scan(length, monkeypatch):
    rows = {"a": jnp.arange(1.0, 1 + length), "b": jnp.arange(2.0 * length).reshape(length, 2)}

    def run(rows):
        return loops.scan(body, {"total": jnp.float32(3)}, rows)

    programs, results = [], []
    for slow in (True, False):
        monkeypatch.setattr(loops, "slow", lambda slow=slow: slow)
        programs.append(jax.jit(lambda rows: run(rows)).lower(rows).as_text())
        results.append(run(rows))
    assert ["while" in program for program in programs] == [False, True]
    jax.tree.map(np.testing.assert_array_equal, *results)
    assert results[0][1]["squared"].shape == (length,)


def test_loops_are_slow_on_cpus_alone(monkeypatch):
    assert loops.slow() == (jax.default_backend() == "cpu")
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    assert not loops.slow()
