"""The geometric stage compiled for a TPU that is not there (extra `tpu-aot`)."""

import importlib.util

import pytest

from benchmarks.absent import answer

CLOCK = 1.5e9  # of a v5e, per second


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("libtpu") is None,
    reason="libtpu, which compiles for TPUs, is not installed (extra tpu-aot)",
)
def test_the_geometric_stage_compiles_for_a_tpu(record_property):
    """16 images of 256 px with their gradient, on one chip of a v5e."""
    facts = answer("tests.augment.tpu_program", "v5e:2x2", "16", "256")
    for name, value in facts.items():
        record_property(name, value)
    print(facts)
    assert facts["kernels"] == 2
    assert facts["gather"] <= 1e4 and facts["scatter"] <= 1e4  # an image has 196,608 numbers
    assert facts["gigabytes"] < 3  # gathering takes 3,509
    # What leads to the kernels and away from them; the compiler does not estimate kernels.
    assert 0 < facts["cycles_beside_kernels"] / CLOCK < 0.005  # gathering takes 4.3 s
