"""What is known of the ancestors of networks."""

from aligned_jax import ancestry, loading
from tests.helpers import DATA


def test_marks_of_a_lineage():
    marks = ancestry.marks_of("runs/a@40", {
        "sha256": "11", "command": "aligned finetune zoo:x tiny64 --data d",
        "parents": {"network": {"network": "b", "sha256": "22", "command": "aligned 'finetune"}},
    })  # fmt: skip
    assert {"11", "22", "zoo:x"} <= marks
    assert marks & ancestry.marks_of("runs/a", {}) and marks & ancestry.marks_of("./b", {})
    assert not marks & ancestry.marks_of("runs/c", {"command": "aligned export zoo:x y"})
    assert not marks & ancestry.marks_of("c", {"parents": ["b"], "command": 3, "sha256": None})


def test_a_network_without_a_name_has_no_place():
    assert ancestry.marks_of("", {}) == set()
    unnamed = {"parents": {"parent": {"sha256": "11"}}}
    assert ancestry.marks_of("", unnamed) == {"11"}


def test_an_origin_that_makes_no_sense_is_of_no_relative():
    network = loading.load(DATA / "hostile_baseline_ok.pkl")
    origin = ancestry.origin_of("", network)
    assert ancestry.is_relative(origin | {"marks": []}, "", network)
    layer = next(iter(origin["noise"]))
    for strange in (10**400, "x", None, [], {}):
        noise = {**origin["noise"], layer: strange}
        assert not ancestry.is_relative({"marks": [], "noise": noise}, "", network)
