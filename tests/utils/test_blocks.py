import pytest

from aligned_jax.utils.blocks import blocks


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((5, 2), [([0, 1], 2), ([2, 3], 2), ([4, 4], 1)]),
        ((10, 3, 2), [([0, 1, 2, 3], 4), ([4, 5, 6, 7], 4), ([8, 9, 9, 9], 2)]),
        ((3, 8), [([0, 1, 2], 3)]),
        ((3, 8, 8), [([0, 1, 2, 2, 2, 2, 2, 2], 3)]),
        ((0, 4), []),
    ],
)
def test_blocks_have_one_size_and_the_last_is_filled_up(asked, expected):
    assert [(rows.tolist(), kept) for rows, kept in blocks(*asked)] == expected
