"""The study of tuning in miniature: tiny networks, stand-ins for LPIPS, a judge of one line."""

import json

import jax
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax import features
from aligned_jax.networks import init_variables
from aligned_jax.semantics.direction import Direction
from studies import tuning
from studies.tuning_tables import MARKS, PAGE, PICTURE, share
from tests.networks.small_encoder import ENCODER, GENERATOR, filled, provenance_of
from tests.standins import Nearness

JUDGE = "def judge(images):\n    return {'light': images.mean(axis=(1, 2, 3))}\n"


def test_how_much_is_left_of_an_effect():
    """Twice as much of one, none of another: half on the average, with a large error."""
    effects = [{"W": {"a": 1.0}, "tuned": {"a": 2.0}}, {"W": {"a": 3.0}, "tuned": {"a": 0.0}}]
    assert share([{"effects": row} for row in effects], "tuned", "W", "a") == "0.50 ± 0.53"


@pytest.mark.slow
def test_it_writes_tables_and_a_picture_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(
        features, "lpips", lambda net: Nearness(net, {"vgg": 1.0, "alex": 2.0}[net])
    )
    vector = np.float32([1, 0, 0, 0, 0, 0])
    known = Direction("w", {"w": vector}, 1.0, "", found={"attribute": "light"})
    monkeypatch.setattr(tuning, "read_direction", lambda name, network: known)
    (tmp_path / "judge.py").write_text(JUDGE)
    for name in ("parent", "child"):
        seed = jax.random.key(name == "child")
        network = aj.Network(GENERATOR, init_variables(GENERATOR, seed))
        aj.save(tmp_path / name, network)
        if name == "parent":
            known_of = {"generator": provenance_of("parent", network)}
            encoder = aj.networks.encoder_network.EncoderNetwork(ENCODER, filled(ENCODER))
            aj.save(tmp_path / "e4e", encoder, known_of)
    work, docs = tmp_path / "work", tmp_path / "docs"
    (docs / "images").mkdir(parents=True)
    (docs / PAGE).write_text(f"# Before\n{MARKS[0]}old{MARKS[1]}\nafter\n", "utf-8")
    argv = ["--work", work, "--docs", docs, "--network", tmp_path / "parent"]
    argv += ["--encoder", tmp_path / "e4e", "--children", tmp_path / "child"]
    argv += ["--reader", f"{tmp_path / 'judge.py'}:judge", "--directions", "zoo:way"]
    argv += ["--steps", 3, "--tune-steps", 4, "--others", 2]
    tuning.main([str(word) for word in (*argv, "--images", 1)])
    before = (work / "0.json").stat().st_mtime_ns
    tuning.main([str(word) for word in (*argv, "--images", 2)])
    assert (work / "0.json").stat().st_mtime_ns == before
    first, second = json.loads((work / "tuning.json").read_text())["rows"]
    assert first["near"]["W, tuned"]["alex"] < first["near"]["W"]["alex"]
    differ = ("W, all steps", "W, locality", "encoder, all steps")
    assert len({first["near"][name]["alex"] for name in differ}) == len(differ)
    assert first["steps"]["W, all steps"] == 4 and second["steps"]["encoder, locality"] == 4
    assert first["bytes"]["W, all steps, float32"] == 2 * first["bytes"]["W, all steps"]
    assert first["others"]["W, all steps"] > 0 and first["effects"]["W"]["way"] != 0
    assert {*first["children"]["child"]} > {"before: colours", "after: nearest", "moved", "apart"}
    page = (docs / PAGE).read_text("utf-8")
    assert page.startswith("# Before\n") and page.endswith("after\n") and "old" not in page
    assert (
        "Means over 2 drawn faces" in page
        and "| W, tuned |" in page
        and " ± " in page
        and "| way |" in page
    )
    assert (docs / PICTURE).stat().st_size > 1000
