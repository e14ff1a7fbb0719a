"""The packages that programs are written, read and run with: extra `onnx`."""

import importlib
from importlib import metadata
from typing import Any

from aligned_jax.errors import UserError


def package(name: str, what: str) -> Any:
    """A module of a package that not everybody has.

    Args:
      name: under which it is imported.
      what: needs it, as a message says it.

    Raises:
      UserError: if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        top = name.partition(".")[0]
        raise UserError(
            f"{what} needs the package {top}: pip install 'aligned_jax[onnx]'"
        ) from None


def check_packages(suffix: str, compare: bool) -> dict[str, str]:
    """Versions of the packages that a program is written with, and run with if it is compared.

    Args:
      suffix: ".onnx" or ".jaxexport".
      compare: whether it is run.

    Raises:
      UserError: naming one that is not installed.
    """
    if suffix == ".onnx":
        needed = {"onnx": "writing .onnx"}
        if compare:
            needed["onnxruntime"] = "comparing with JAX (`check=False` leaves it out)"
    else:
        needed = {"flatbuffers": "writing .jaxexport"}
    for name, what in needed.items():
        package(name, what)
    return {name: metadata.version(name) for name in needed}
