"""Mean and deviation of latents, against NumPy's of all of them at once."""

import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax import loading, semantics
from aligned_jax.errors import UserError
from aligned_jax.jobs import statistics as job
from aligned_jax.latents import sample_z
from aligned_jax.semantics import statistics
from tests.helpers import DATA


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(statistics, "_BATCH", 20)


def arrays_of(stored):
    return {
        "w_mean": stored.w_mean,
        "w_std": stored.w_std,
        **{f"mean {name}": value for name, value in stored.mean.items()},
        **{f"std {name}": value for name, value in stored.std.items()},
    }


def differ(first, second):
    other = arrays_of(second)
    return [name for name, value in arrays_of(first).items() if (value != other[name]).any()]


def test_batches_make_what_numpy_makes_of_all_rows(network, small_batches):
    found = semantics.latent_statistics(network, count=50)
    keys = [jax.random.fold_in(jax.random.key(0), start) for start in (0, 20, 40)]
    z = np.concatenate([sample_z(key, network.config, 20) for key in keys])[:50]
    ws = network.mapping(z)
    rows = {name: np.asarray(value, np.float64) for name, value in network.styles(ws).items()}
    w = np.asarray(ws[:, 0], np.float64)
    np.testing.assert_allclose(found.w_mean, w.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.w_std, w.std(axis=0), rtol=1e-5)
    assert list(found.mean) == list(found.std) == list(network.styles(ws))
    for name, value in rows.items():
        np.testing.assert_allclose(found.mean[name], value.mean(axis=0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.std[name], value.std(axis=0), rtol=1e-5)


@pytest.mark.parametrize("change", [{"count": 49}, {"seed": 1}])
def test_every_argument_changes_them(network, small_batches, change):
    first = semantics.latent_statistics(network, count=50)
    other = semantics.latent_statistics(network, **{"count": 50} | change)
    assert len(differ(first, other)) == len(arrays_of(first))


def test_classes_have_their_own():
    network = loading.load(DATA / "generator_cond16.pkl")
    first, second = (semantics.latent_statistics(network, 20, label=label) for label in (0, 1))
    assert differ(first, second) and second.label == 1
    with pytest.raises(UserError, match="conditional"):
        semantics.latent_statistics(network, 20)
    with pytest.raises(UserError, match="at least one"):
        semantics.latent_statistics(network, 0, label=0)


def test_they_are_computed_once(network, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = job.known_statistics(network, count=30)
    with monkeypatch.context() as context:
        context.setattr(job, "latent_statistics", None)
        again = job.known_statistics(network, count=30)
    assert not differ(first, again)
    for name in ("network", "count", "seed", "label"):
        assert getattr(first, name) == getattr(again, name)
    # Another network, and a damaged file, are computed.
    moved = jax.tree.map(lambda value: value + np.float32(0.1), network)
    assert differ(first, job.known_statistics(moved, count=30))
    for file in tmp_path.rglob("*.npz"):
        file.write_bytes(file.read_bytes()[:-30])
    assert not differ(first, job.known_statistics(network, count=30))


def test_a_folder_that_cannot_be_written_is_no_fault(network, monkeypatch, tmp_path):
    (tmp_path / "aligned_jax").write_text("a file is here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert dataclasses.is_dataclass(job.known_statistics(network, count=30))
