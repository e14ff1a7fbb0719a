"""Sizes and estimates read from the text of a compiled program."""

import pytest

from benchmarks.compiled import buffers, estimated_cycles, exchanges, padding, pickings

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


LOOP = """\
HloModule pmap_f

%body.1 (p: (s32[], f32[8,32])) -> (s32[], f32[8,32]) {
  %g = f32[24,32]{1,0:T(8,128)} gather(%p, %i), offset_dims={1}, y={"estimated_cycles":"5"}
  %small = f32[4]{0:T(128)} scatter(%p, %i, %u), to_apply=%add
  ROOT %t = (s32[], f32[8,32]{1,0:T(8,128)}) tuple(%i, %g)
}

%cond.1 (p: (s32[], f32[8,32])) -> pred[] {
  ROOT %c = pred[]{:T(512)} compare(%p, %p), direction=LT, y={"estimated_cycles":"1000"}
}

ENTRY %main.2 (x: f32[8,32]) -> f32[8,32] {
  %x = f32[8,32]{1,0:T(8,128)} parameter(0)
  %w = (s32[], f32[8,32]{1,0:T(8,128)}) while(%x), condition=%cond.1, body=%body.1
  %s = f32[8,32]{1,0:T(8,128)} select-and-scatter(%x, %x, %x), y={"estimated_cycles":"7"}
  %r = (f32[100]{0:T(128)}, f32[28]{0:T(128)}) all-reduce(%x, %x), channel_id=1, to_apply=%add
  %b = f32[2]{0:T(128)} all-reduce-start(%x), channel_id=2, to_apply=%add
  ROOT %d = f32[2]{0:T(128)} all-reduce-done(%b)
}
"""


def test_what_a_loop_repeats_is_looked_at_once():
    assert estimated_cycles(LOOP) == 5 + 7
    assert (4 * 24 * 32, 4 * 24 * 128) in [tuple(size) for _, size in buffers(LOOP)]


def test_exchanges_and_numbers_that_are_picked_one_by_one_are_found():
    assert exchanges(LOOP) == {"all-reduce": (2, 4 * 130)}
    assert [line.split()[0] for line in pickings(LOOP, 100)] == ["%g"]
    assert [line.split()[0] for line in pickings(LOOP, 1)] == ["%g", "%small"]
    assert exchanges(TEXT) == {} and not pickings(TEXT, 1)
