"""Long rows of work cut into blocks of one size, so that a program is compiled for one shape."""

from collections.abc import Iterator

import numpy as np


def blocks(count: int, most: int, multiple: int = 1) -> Iterator[tuple[np.ndarray, int]]:
    """Row numbers 0 ... count - 1, block by block, and how many of each block count.

    The last block is filled up with the last row.

    Args:
      count: of rows; none give no block.
      most: rows in a block; fewer if there are fewer rows.
      multiple: what the size of a block is rounded up to, such as a number of devices.

    Yields:
      int64 [size], the same size every time, and how many of its rows are not filling.
    """
    size = -(-min(most, count) // multiple) * multiple
    for start in range(0, count, max(size, 1)):
        yield np.minimum(np.arange(start, start + size), count - 1), min(size, count - start)
