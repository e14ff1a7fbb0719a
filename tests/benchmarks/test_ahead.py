"""Programs compiled for TPUs that are not there stay as small as they are."""

import importlib.util

import pytest

from benchmarks.absent import answer


def compiled(*options):
    """What `benchmarks.ahead` says, from a process of its own: libtpu stays loaded for good."""
    if importlib.util.find_spec("libtpu") is None:
        pytest.skip("libtpu is missing: pip install '.[tpu-aot]'")
    return answer("benchmarks.ahead", *options)


@pytest.mark.slow
def test_generation_of_the_largest_pictures_wastes_little_on_a_tpu():
    found = compiled("--resolution", "1024", "--batch", "8", "--half", "bfloat16")
    assert found["moved_gb"] < 12
    assert found["padding"] < 1.3
    assert found["temporaries_gib"] < 2.5
    assert found["estimated_million_cycles"] < 1500 * 0.045  # 45 ms at 1.5 GHz


@pytest.mark.slow
def test_the_layout_matters_on_a_tpu():
    options = ("--resolution", "64", "--channel-base", "2048", "--batch", "8", "--half", "bfloat16")
    folded, plain = compiled(*options), compiled(*options, "--layout", "plain")
    assert folded["padding"] < plain["padding"] / 1.5
    assert folded["moved_gb"] < plain["moved_gb"]
