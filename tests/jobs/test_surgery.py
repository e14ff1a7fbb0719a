"""`jobs.reset`, `interpolate`, `swap`, `arithmetic`, `resize`, and their strips, from a script."""

import functools

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import checkpoint, jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.jobs.describe import headline
from aligned_jax.provenance import Command
from tests.jobs.small_inputs import PARENT, aligned, moved


def same(a, b):
    """Whether two networks have the same sizes and numbers."""
    pairs = zip(jax.tree.leaves(a.variables), jax.tree.leaves(b.variables), strict=True)
    return a.config == b.config and all(np.array_equal(x, y) for x, y in pairs)


# A verb's words after PARENT CHILD, and the same job.
CASES = {
    "reset": (
        "--components conv,affine --resolutions 8",
        functools.partial(jobs.reset, components=["conv", "affine"], resolutions=[8]),
    ),
    "interpolate": (
        "--weights conv=0.3,torgb=2",
        functools.partial(jobs.interpolate, weight={"conv": 0.3, "torgb": 2}),
    ),
    "swap": (
        "--resolution 4 --smooth 0.5 --mapping high",
        functools.partial(jobs.swap, resolution=4, smooth=0.5, mapping="high"),
    ),
}


@pytest.mark.parametrize("verb", CASES)
def test_a_network_is_that_of_the_verb(verb, child, tmp_path):
    words, job = CASES[verb]
    said = aligned(verb, PARENT, child, *words.split(), "--out", tmp_path / "verb")
    theirs = loading.load(tmp_path / "verb")
    assert said == f"wrote {tmp_path / 'verb'}: {headline(theirs.config)}\n"
    for networks in ([PARENT, child], [loading.load(PARENT), loading.load(child)]):
        made = job(*networks)
        assert same(made, theirs)
        assert made.provenance["kind"] == "made" and made.provenance["command"] == ""
    made = job(PARENT, child)
    assert made.provenance["parents"] == theirs.provenance["parents"]
    command = Command(theirs.provenance["command"], theirs.provenance["arguments"])
    jobs.write_network(tmp_path / "job", made, command)
    assert loading.load(tmp_path / "job").provenance == theirs.provenance


def test_a_script_records_what_it_asked_for(child, tmp_path):
    network = jobs.reset(PARENT, loading.load(child), "conv", resolutions=[8])
    jobs.write_network(tmp_path / "made", network)
    known = loading.load(tmp_path / "made").provenance
    assert known["arguments"] == {"components": "conv", "resolutions": [8]}
    assert known["parents"]["parent"]["network"] == str(PARENT)
    assert known["parents"]["child"]["network"] == "a network in memory"
    assert "origin      made by a script" in jobs.info(tmp_path / "made").text()
    with pytest.raises(UserError, match="exists"):
        jobs.write_network(tmp_path / "made", network)
    jobs.write_network(tmp_path / "made", network, overwrite=True)


def test_a_network_of_ones_own_keeps_its_provenance(tmp_path):
    jobs.write_network(tmp_path / "made", moved(loading.load(PARENT), 0.1))
    assert loading.load(tmp_path / "made").provenance == {}


def test_numbers_that_are_not_finite_are_not_written(tmp_path):
    with pytest.raises(UserError, match=r"not finite, in .*more; nothing was written"):
        jobs.write_network(tmp_path / "made", moved(loading.load(PARENT), np.nan))
    assert not (tmp_path / "made").exists()


def test_networks_are_added_and_a_sum_is_warned_of(child, tmp_path):
    networks = {"p": PARENT, "c": loading.load(child)}
    half = jobs.arithmetic("p + 0.5*(c - p)", networks)
    aligned("arithmetic", "p+0.5*(c-p)", f"p={PARENT}", f"c={child}", "--out", tmp_path / "verb")
    assert same(half, loading.load(tmp_path / "verb"))
    with pytest.warns(UserWarning, match=r"the coefficients sum to 1\.5, not 1"):
        jobs.arithmetic("p + 0.5*c", networks)
    with pytest.raises(UserError, match="names no network"):
        jobs.arithmetic("1 + 1", networks)


def test_the_raw_generator_is_another(tmp_path):
    network = loading.load(PARENT)
    loading.save(tmp_path / "both", {"G_ema": network, "G": moved(network, 0.1)})
    averaged, raw = (
        jobs.interpolate(tmp_path / "both", PARENT, 0.0, network_key=key) for key in ("G_ema", "G")
    )
    assert same(averaged, network) and not same(raw, network)


@pytest.mark.slow
def test_networks_are_resized(tmp_path):
    aligned("resize", PARENT, "--resolution", 16, "--seed", 3, "--out", tmp_path / "verb")
    resized = jobs.resize(PARENT, 16, seed=3)
    theirs = loading.load_all(tmp_path / "verb")
    assert set(resized.networks) == {"G_ema", "G", "D"} == set(theirs)
    assert all(same(resized.networks[key], network) for key, network in theirs.items())
    known = theirs["G_ema"].provenance
    resized.write(tmp_path / "job", Command(known["command"], known["arguments"]))
    assert checkpoint.read_manifest(tmp_path / "job").provenance == known
    one = jobs.resize(loading.load(PARENT), 16, seed=3)
    assert list(one.networks) == ["G_ema"] and same(one.main, resized.main)
    critic = jobs.resize(loading.load(PARENT, "D"), 16, seed=3)
    assert same(critic.main, resized.networks["D"])
    assert not same(jobs.resize(loading.load(PARENT), 16).main, one.main)


def test_strips_are_those_of_the_verbs(child, tmp_path):
    def pixels(path):
        with Image.open(path) as image:
            return np.asarray(image)

    words = ("--seeds", "3,5", "--psi", 0.5, "--out", tmp_path / "verb.png")
    drawing = {"seeds": [3, 5], "psi": 0.5}
    aligned("interpolate", PARENT, child, "--strip", "0,0.5,1", *words)
    blends = jobs.interpolate_strip(PARENT, child, [0, 0.5, 1], **drawing)
    np.testing.assert_array_equal(blends.picture(), pixels(tmp_path / "verb.png"))
    assert blends.columns == ("0", "0.5", "1") and blends.rows == ("seed 3", "seed 5")
    part = jobs.interpolate_strip(PARENT, child, [1], components=["torgb"], **drawing)
    assert not np.array_equal(part.images[:, 0], blends.images[:, 2])
    aligned("swap", PARENT, child, "--strip", "4", *words, "--overwrite")
    swaps = jobs.swap_strip(PARENT, child, [4], **drawing)
    np.testing.assert_array_equal(swaps.picture(), pixels(tmp_path / "verb.png"))
    assert swaps.columns == ("high", "low to 4 px", "low")
    np.testing.assert_array_equal(swaps.images[:, [2, 0]], blends.images[:, [0, 2]])
    with pytest.raises(UserError, match="no such resolution: 5"):
        jobs.swap_strip(PARENT, child, [4, 5])
