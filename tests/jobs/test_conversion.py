"""`jobs.convert_file`, `export` and `info`, called from a script."""

import json

import jax
import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from tests.helpers import same_bits
from tests.jobs.small_inputs import PARENT, aligned, moved


def same(a, b):
    """Whether two networks have the same numbers."""
    pairs = zip(jax.tree.leaves(a.variables), jax.tree.leaves(b.variables), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


def test_a_file_is_converted_as_by_the_verb(tmp_path):
    aligned("convert", PARENT, tmp_path / "verb")
    converted = jobs.convert_file(PARENT)
    assert set(converted.official.networks) == {"G_ema", "G", "D"} and converted.warnings == ()
    theirs = loading.load_all(tmp_path / "verb")
    known = theirs["G_ema"].provenance
    converted.write(tmp_path / "job", Command(known["command"], known["arguments"]))
    ours = loading.load_all(tmp_path / "job")
    assert ours["G_ema"].provenance == theirs["G_ema"].provenance
    assert all(same(ours[key], network) for key, network in theirs.items())
    with pytest.raises(UserError, match="exists"):
        converted.write(tmp_path / "job")
    converted.write(tmp_path / "job", overwrite=True)


def test_an_export_is_that_of_the_verb(tmp_path):
    verb, job = tmp_path / "verb.safetensors", tmp_path / "job.safetensors"
    for keys, word in ((None, "all"), (["D"], "D")):
        aligned("export", PARENT, verb, "--network-key", word, "--half", "--overwrite")
        known = loading.describe(verb).provenance["provenance"]
        command = Command(known["command"], known["arguments"])
        written = jobs.export(PARENT, job, keys, half=True, command=command, overwrite=True)
        assert set(written) == set(keys or ("G_ema", "G", "D"))
        assert job.read_bytes() == verb.read_bytes()
    with pytest.raises(UserError, match="exists"):
        jobs.export(PARENT, job)
    with pytest.raises(UserError, match=r"ends in \.safetensors"):
        jobs.export(PARENT, tmp_path / "job.pkl")
    with pytest.raises(UserError, match="has no network 'E'; it has G"):
        jobs.export(PARENT, tmp_path / "other.safetensors", ["E"])


def test_a_loaded_network_is_exported(tmp_path):
    network = moved(loading.load(PARENT), 0.1)
    jobs.export(network, tmp_path / "x.safetensors")
    assert same(loading.load(tmp_path / "x.safetensors"), network)
    with pytest.raises(UserError, match="G_ema holds numbers that are not finite"):
        jobs.export(moved(network, np.nan), tmp_path / "y.safetensors")


@pytest.mark.parametrize("styles", [False, True])
def test_a_network_is_described_as_by_the_verb(styles):
    words = ["--styles"] if styles else []
    described = jobs.info(PARENT)
    assert described.text(styles) + "\n" == aligned("info", PARENT, *words)
    assert described.document(styles) == json.loads(aligned("info", PARENT, "--json", *words))
    loaded = jobs.info(loading.load(PARENT))
    assert loaded.source == PARENT.name
    assert loaded.document(styles)["networks"] == {
        "G_ema": described.document(styles)["networks"]["G_ema"]
    }


def test_saved_as_one_file_it_is_what_export_writes(tmp_path):
    network = loading.load(PARENT)
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    loading.save(one, network)
    jobs.export(network, other)
    assert same_bits(loading.load(one).variables, loading.load(other).variables)
    assert same_bits(loading.load(one).variables, network.variables)
    with pytest.raises(UserError, match="already exists"):
        loading.save(one, network)
    loading.save(one, network, overwrite=True)
