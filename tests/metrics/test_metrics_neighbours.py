"""`metrics.nearest_rows`."""

import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.metrics import nearest_rows, neighbours


@pytest.mark.parametrize("block", [2**23, 40])
def test_the_nearest_in_order_and_copies_at_zero(monkeypatch, block):
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    random = np.random.RandomState(0)
    rows = 1000 + random.standard_normal((20, 5)).astype(np.float32)
    queries = np.concatenate([rows[7:8], 1000 + random.standard_normal((6, 5))]).astype(np.float32)
    numbers, distances = nearest_rows(queries, rows, 4)
    whole = np.linalg.norm(rows[None].astype(float) - queries[:, None], axis=2)
    np.testing.assert_array_equal(numbers, np.argsort(whole, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(whole, axis=1)[:, :4], rtol=1e-6)
    assert (numbers[0, 0], distances[0, 0]) == (7, 0)


def test_what_cannot_be_compared():
    rows = np.zeros((3, 2), np.float32)
    with pytest.raises(UserError, match=r"shapes \(3, 2\) and \(3, 4\)"):
        nearest_rows(rows, np.zeros((3, 4), np.float32), 1)
    with pytest.raises(UserError, match="4 nearest of 3 rows"):
        nearest_rows(rows, rows, 4)
