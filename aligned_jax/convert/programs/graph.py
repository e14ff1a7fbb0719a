"""A graph of ONNX while it is made: nodes in order, and the arrays that they read."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

FLOAT, FLOAT16, INT64 = 1, 10, 7  # numbers of ONNX's element types


class Node(NamedTuple):
    """One operation: its name in ONNX, names of what it reads and of its result, attributes."""

    op: str
    inputs: tuple[str, ...]
    result: str
    attributes: dict[str, Any]


class Graph:
    """Nodes of ONNX's standard operators on float32, and arrays by name.

    With `half` the tensors of the network are stored as float16, and cast when they are used.
    """

    def __init__(self, half: bool = False) -> None:
        self.nodes: list[Node] = []
        self.arrays: dict[str, np.ndarray] = {}
        self._half = half
        self._used: dict[str, int] = {}

    def add(self, op: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Adds a node with one result; returns the result's name: `name`, numbered if it is taken.

        Args:
          op: as ONNX calls the operator.
          inputs: names of results, arrays and inputs.
          name: of the node and its result.
          attributes: of the operator.
        """
        count = self._used.get(name, 0)
        self._used[name] = count + 1
        result = f"{name}.{count}" if count else name
        self.nodes.append(Node(op, tuple(inputs), result, attributes))
        return result

    def weight(self, name: str, array: np.ndarray) -> str:
        """A tensor of the network under its name; returns what to call it."""
        self.arrays[name] = array.astype(np.float16) if self._half else array
        return self.add("Cast", [name], f"{name}/float32", to=FLOAT) if self._half else name

    def constant(self, name: str, values: Any, dtype: type = np.float32) -> str:
        """An array that is no tensor of the network, stored once; returns its name."""
        self.arrays.setdefault(name, np.asarray(values, dtype))
        return name

    def number(self, value: float) -> str:
        """A single number."""
        return self.constant(f"number/{value!r}", value)

    def axes(self, *axes: int) -> str:
        """Numbers of axes."""
        return self.constant(f"axes/{'_'.join(map(str, axes))}", axes, np.int64)
