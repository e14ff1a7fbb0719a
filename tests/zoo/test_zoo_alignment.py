"""How much of what the parent's style channels do the networks of the zoo have kept."""

import pytest

from aligned_jax import jobs

# Share of nearest channels, among all and within the layer: 5 sigma, psi 1, seeds 0 to 15.
KEPT = {
    "toon-head64": (0.38, 0.54),
    "pixel-art64": (0.17, 0.31),
    "critters64": (0.057, 0.19),
    "personas-again64": (0.165, 0.28),
    "critters64-scratch": (0.0, 0.018),
}


@pytest.mark.slow
@pytest.mark.optimised
def test_the_table_of_the_zoo(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    *children, control = (f"zoo:{name}" for name in KEPT)
    result = jobs.alignment("zoo:personas64", children, control=control, resamples=0)
    assert [row.name for row in result.rows] == list(KEPT)
    for row in result.rows:
        found = row.scores["nearest"].value, row.scores["nearest_in_layer"].value
        assert found == pytest.approx(KEPT[row.name], abs=0.03)
