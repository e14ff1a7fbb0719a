"""Sizes and estimates read from the text of a compiled program."""

import pytest

from benchmarks.compiled import buffers, estimated_cycles, padding

TEXT = """\
HloModule jit_f, entry_computation_layout={(f32[8,32]{1,0:T(8,128)})->f32[8,32]{1,0:T(8,128)}}

%fused (p: f32[8,32]) -> f32[8,32] {
  %p = f32[8,32]{1,0:T(8,128)} parameter(0)
  ROOT %e = f32[8,32]{1,0:T(8,128)} exponential(%p), backend_config={"estimated_cycles":"900"}
}

ENTRY %main (x: f32[8,32]) -> f32[8,32] {
  %x = f32[8,32]{1,0:T(8,128)} parameter(0)
  %b = f32[256]{0:T(256)} bitcast(%x)
  %half.1 = bf16[3,9,64]{2,1,0:T(8,128)(2,1)S(1)} convert(%x), y={"estimated_cycles":"30"}
  %pair = (f32[], pred[32,8]{0,1:T(8,128)(4,1)}) fusion(%x), kind=kLoop, calls=%fused
  ROOT %out = f32[8,32]{1,0:T(8,128)} fusion(%x), calls=%fused, y={"estimated_cycles":"12"}
}
"""


def test_buffers_of_the_main_computation_are_counted_in_whole_tiles():
    sizes = [tuple(size) for _, size in buffers(TEXT)]
    assert sizes == [
        (2 * 3 * 9 * 64, 2 * 3 * 16 * 128),
        (32 * 8, 8 * 128),  # the order of the axes says which is padded: 32 lies along the lanes
        (4 * 8 * 32, 4 * 8 * 128),
    ]
    used, held = (sum(size[i] for size in sizes) for i in (0, 1))
    assert padding(TEXT) == pytest.approx(held / used)


def test_cycles_of_other_computations_are_not_counted_again():
    assert estimated_cycles(TEXT) == 42
