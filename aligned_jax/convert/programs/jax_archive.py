"""Archives of jax.export: a generator as StableHLO, which any JAX runs without this package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export, lax

from aligned_jax.config import GeneratorConfig
from aligned_jax.convert.programs.options import PSI, STYLE, ProgramOptions
from aligned_jax.convert.programs.packages import package
from aligned_jax.convert.programs.records import line_ending, write_with_record
from aligned_jax.networks.network import Network
from aligned_jax.types import Array, Variables

_PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


class ArchiveProgram:
    """A generator as an archive of jax.export; its images are [N, R, R, C].

    Attributes:
      content: the archive in bytes.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._call: Any = None

    def draw(self, latents: Mapping[str, np.ndarray], psi: float | None = None) -> np.ndarray:
        """Images float32 [N, R, R, C], by the code of the archive; see `DrawingProgram`."""
        if self._call is None:
            self._call = export.deserialize(bytearray(self.content)).call
        inputs = _nested({name: jnp.asarray(array) for name, array in latents.items()})
        inputs |= {} if psi is None else {PSI: jnp.float32(psi)}
        return np.asarray(self._call(**inputs))

    def write(self, path: Path, record: Mapping[str, Any], overwrite: bool = False) -> None:
        """Writes the file, whose last line is the record; see `DrawingProgram`."""
        write_with_record(path, self.content, record, line_ending, overwrite)


def archive_program(
    config: GeneratorConfig, variables: Variables, options: ProgramOptions
) -> ArchiveProgram:
    """A generator as an archive of jax.export, for CPUs, GPUs and TPUs.

    It takes its inputs by name: z, c and psi; or w; or ws; or styles, {layer: [N, C]}. The
    first axis N has any length; psi is a single number. All are float32.

    Args:
      config, variables: of the network.
      options: what the program takes and draws.

    Raises:
      UserError: if the package flatbuffers is not installed.
    """
    package("flatbuffers", "writing .jaxexport")
    dtype = np.float16 if options.half else np.float32
    stored = jax.tree.map(lambda leaf: np.asarray(leaf, dtype), dict(variables))

    def images(**inputs: Any) -> Array:
        # XLA would compute all that depends on constants alone when it compiles, and slowly.
        kept = lax.optimization_barrier(jax.tree.map(jnp.asarray, stored))
        whole = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), kept)
        return _images(Network(config, whole), options, inputs)

    (batch,) = export.symbolic_shape("N")
    shapes = {name: (batch, *shape) for name, shape in options.latents(config).items()}
    if options.takes_psi(config):
        shapes[PSI] = ()
    takes = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in shapes.items()}
    exported = export.export(jax.jit(images), platforms=_PLATFORMS)(**_nested(takes))
    return ArchiveProgram(bytes(exported.serialize()))


def _images(network: Network, options: ProgramOptions, inputs: Mapping[str, Any]) -> Array:
    """[N, R, R, C] of the inputs that `archive_program` names."""
    if options.space == "s":
        return network.render(inputs["styles"], options.noise)
    if options.space != "z":
        (ws,) = inputs.values()
        return network.synthesis(ws, options.noise)
    labels = inputs.get("c")
    z = inputs["z"] if labels is None or "z" in inputs else jnp.zeros((labels.shape[0], 0))
    psi = inputs.get(PSI, 1.0 if options.psi is None else options.psi)
    return network(z, labels, psi, noise=options.noise)


def _nested(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Style vectors as a dictionary of their own, as networks return and take them."""
    styles = {k.removeprefix(STYLE): v for k, v in arrays.items() if k.startswith(STYLE)}
    return {"styles": styles} if styles else dict(arrays)
