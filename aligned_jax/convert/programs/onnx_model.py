"""ONNX models: the graph of a generator with its inputs and its result."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import __version__
from aligned_jax.config import GeneratorConfig
from aligned_jax.convert.programs.graph import FLOAT, FLOAT16, INT64, Graph
from aligned_jax.convert.programs.onnx_generator import IMAGES, generator_graph
from aligned_jax.convert.programs.options import PSI, ProgramOptions
from aligned_jax.convert.programs.packages import package
from aligned_jax.convert.programs.records import onnx_ending, write_with_record
from aligned_jax.convert.rules import to_official
from aligned_jax.types import Variables

# Runtimes know these since 2022.
_OPSET, _IR_VERSION = 17, 8
_TYPES = {"float32": FLOAT, "float16": FLOAT16, "int64": INT64}
_ERRORS = 3  # the least that onnxruntime may say


class OnnxProgram:
    """A generator as an ONNX model; its own images are [N, C, R, R].

    Attributes:
      content: the model in bytes.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._session: Any = None

    def draw(self, latents: Mapping[str, np.ndarray], psi: float | None = None) -> np.ndarray:
        """Images float32 [N, R, R, C], by onnxruntime on the CPU; see `DrawingProgram`."""
        if self._session is None:
            runtime = package("onnxruntime", "running an .onnx")
            options = runtime.SessionOptions()
            options.log_severity_level = _ERRORS
            # Threads that wait leave the processor to others.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            self._session = runtime.InferenceSession(
                self.content, options, providers=["CPUExecutionProvider"]
            )
        feeds = dict(latents) if psi is None else {**latents, PSI: np.asarray(psi, np.float32)}
        (images,) = self._session.run([IMAGES], feeds)
        return np.moveaxis(images, 1, -1)

    def write(self, path: Path, record: Mapping[str, Any], overwrite: bool = False) -> None:
        """Writes the file, whose `metadata_props` hold the record; see `DrawingProgram`."""
        write_with_record(path, self.content, record, onnx_ending, overwrite)


def onnx_program(
    config: GeneratorConfig, variables: Variables, options: ProgramOptions
) -> OnnxProgram:
    """A generator as an ONNX model of standard operators (opset 17).

    Inputs and "images" have a first axis N of any length; "psi" is a single number. All are
    float32. The stored arrays are the official tensors under their official names, as float16
    if `options.half`, besides filters and single numbers.

    Args:
      config, variables: of the network.
      options: what the program takes and draws.

    Raises:
      UserError: if the package onnx is not installed.
    """
    graph = generator_graph(config, to_official(config, variables), options)
    inputs = {name: ("N", *shape) for name, shape in options.latents(config).items()}
    if options.takes_psi(config):
        inputs[PSI] = ()
    size = config.img_resolution
    images = {IMAGES: ("N", config.img_channels, size, size)}
    return OnnxProgram(model_of(graph, inputs, images).SerializeToString())


def model_of(
    graph: Graph, inputs: Mapping[str, tuple[Any, ...]], outputs: Mapping[str, tuple[Any, ...]]
) -> Any:
    """A graph as an `onnx.ModelProto`.

    Args:
      graph: its nodes and arrays.
      inputs, outputs: shapes by name, float32; text names a length that is not known yet.
    """
    helper = package("onnx.helper", "writing .onnx")
    described = [
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in shapes.items()]
        for shapes in (inputs, outputs)
    ]
    nodes = [
        helper.make_node(node.op, node.inputs, [node.result], name=node.result, **node.attributes)
        for node in graph.nodes
    ]
    arrays = [
        helper.make_tensor(name, _TYPES[array.dtype.name], array.shape, _raw(array), raw=True)
        for name, array in graph.arrays.items()
    ]
    return helper.make_model(
        helper.make_graph(nodes, "generator", *described, arrays),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="aligned_jax",
        producer_version=__version__,
    )


def _raw(array: np.ndarray) -> bytes:
    """Bytes of an array as ONNX wants them, little-endian."""
    return array.astype(array.dtype.newbyteorder("<")).tobytes()
