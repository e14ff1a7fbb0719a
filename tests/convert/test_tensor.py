"""Views of storages: every check before any array exists."""

import ml_dtypes
import numpy as np
import pytest

from aligned_jax.convert.files.tensor import DTYPES, LazyTensor, Storage
from aligned_jax.errors import FormatError


def storage(numel: int, dtype: str = "float32") -> Storage:
    return Storage(dtype, numel).attach(np.arange(numel).astype(DTYPES[dtype]).tobytes())


@pytest.mark.parametrize(
    "offset, shape, strides",
    [
        (0, (3, 4), (4, 1)),
        (2, (5,), (2,)),
        (11, (), ()),
        (0, (4, 3), (1, 4)),
        (0, (2, 2), (3, 3)),
        (0, (1, 2), (2**62, 1)),
    ],
)
def test_views_match_numpy(offset, shape, strides):
    ramp = np.arange(12, dtype=np.float32)
    expected = np.lib.stride_tricks.as_strided(
        ramp[offset:], shape, [4 * min(s, 99) for s in strides]
    )
    actual = LazyTensor(storage(12), offset, shape, strides).numpy()
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(
    "offset, shape, strides, reason",
    [
        (0, (13,), (1,), "more elements"),
        (1, (12,), (1,), "reaches element 12 of a storage of 12"),
        (12, (), (), "reaches element 12"),
        (0, (2, 7), (6, 1), "more elements"),
        (0, (2, 6), (7, 1), "reaches element 12"),
        (0, (1000, 1000), (0, 0), "more elements"),
        (-1, (2,), (1,), "whole numbers"),
        (0, (-2,), (1,), "whole numbers"),
        (0, (2,), (-1,), "whole numbers"),
        (0, (2.0,), (1,), "whole numbers"),
        (0, (True,), (1,), "whole numbers"),
        (0, (2**63,), (1,), "whole numbers"),
        (0, (2,), (1, 1), "belong together"),
        (0, [2], (1,), "belong together"),
        (0, (1,) * 33, (1,) * 33, "33 dimensions"),
        (0, (0, 2**62, 2**62), (1, 1, 1), "more elements"),
    ],
)
def test_views_outside_their_storage_are_refused(offset, shape, strides, reason):
    with pytest.raises(FormatError, match=reason):
        LazyTensor(storage(12), offset, shape, strides)


def test_empty_and_bfloat16_views():
    assert LazyTensor(storage(0), 0, (0, 3), (3, 1)).numpy().shape == (0, 3)
    assert LazyTensor(storage(4), 99, (2, 0), (1, 1)).numpy().shape == (2, 0)
    array = LazyTensor(storage(4, "bfloat16"), 1, (3,), (1,)).numpy()
    assert array.dtype == ml_dtypes.bfloat16 and array.astype(np.float32).tolist() == [1, 2, 3]


@pytest.mark.parametrize("dtype", DTYPES)
def test_big_endian_storages(dtype):
    array = np.arange(4).astype(DTYPES[dtype])
    swapped = Storage(dtype, 4, swapped=True).attach(array.byteswap().tobytes())
    np.testing.assert_array_equal(LazyTensor(swapped, 1, (3,), (1,)).numpy(), array[1:])


def test_storages_check_their_size():
    with pytest.raises(FormatError, match="needs 16 bytes, the file has 15"):
        Storage("float32", 4).attach(bytes(15))
    for numel in (-1, 1.0, None, True):
        with pytest.raises(FormatError, match="no valid size"):
            Storage("float32", numel)
    with pytest.raises(FormatError, match="bytes are missing"):
        LazyTensor(Storage("float32", 4), 0, (4,), (1,)).numpy()
