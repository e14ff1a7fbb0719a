"""Generators as programs that draw without this package: ONNX graphs and archives of jax.export."""

from aligned_jax.convert.programs.jax_archive import archive_program
from aligned_jax.convert.programs.onnx_model import onnx_program
from aligned_jax.convert.programs.options import STYLE, SUFFIXES, ProgramOptions
from aligned_jax.convert.programs.packages import check_packages
from aligned_jax.convert.programs.program import DrawingProgram, check_size, is_program, rounded
from aligned_jax.convert.programs.records import FORMAT_VERSION, read_record

__all__ = [
    "FORMAT_VERSION",
    "STYLE",
    "SUFFIXES",
    "DrawingProgram",
    "ProgramOptions",
    "archive_program",
    "check_packages",
    "check_size",
    "is_program",
    "onnx_program",
    "read_record",
    "rounded",
]
