"""Generators as programs that draw elsewhere: .onnx and .jaxexport."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.config import GeneratorConfig, describe
from aligned_jax.convert import programs
from aligned_jax.convert.programs import DrawingProgram, ProgramOptions
from aligned_jax.errors import UserError
from aligned_jax.jobs.conversion import described, export_origin
from aligned_jax.jobs.surgery import check_finite
from aligned_jax.latents import one_hot_labels, z_from_seeds
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.viz import check_file

_SCRIPT = Command()
_PICTURES, _PSI = 3, 0.7
# Of images in [-1, 1], and of larger ones by their size.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class ExportedProgram:
    """What `export_program` wrote.

    Attributes:
      inputs: shapes by name, with "N" for the number of pictures; () is a single number.
      images: shape of the result, [N, C, R, R] of an .onnx and [N, R, R, C] of a .jaxexport.
      difference: the largest difference between its images and those of JAX; None if they were
        not compared.
    """

    inputs: Mapping[str, tuple[int | str, ...]]
    images: tuple[int | str, ...]
    difference: float | None


def export_program(
    network: NetworkSource,
    out: str | os.PathLike[str],
    key: str = "G_ema",
    *,
    space: str = "z",
    psi: float | None = None,
    noise: str = "const",
    half: bool = False,
    check: bool = True,
    command: Command = _SCRIPT,
    overwrite: bool = False,
) -> ExportedProgram:
    """Writes a generator as a program that draws without this package.

    Inputs are float32: z [N, z_dim], with labels c [N, c_dim] of a conditional network and a
    single number psi; or w [N, w_dim]; or ws [N, L, w_dim]; or styles/<layer> [N, C]. N is any
    number. The result is images, float32, around [-1, 1] and unclipped.

    Args:
      network: the source, by name, or a loaded generator, which is its G_ema.
      out: the file. NAME.onnx runs in onnxruntime and others, and its images are [N, C, R, R];
        NAME.jaxexport runs in JAX by `jax.export.deserialize`, on CPUs, GPUs and TPUs, and its
        images are [N, R, R, C].
      key: "G_ema" or "G".
      space: of the latents: "z", "w", "w+" or "s".
      psi: truncation that is built in; None makes it an input, of a program of z.
      noise: "const", the stored maps, or "none".
      half: stores float16, half the size and about three digits; the arithmetic is float32.
      check: runs the program on three latents, .onnx by onnxruntime on the CPU, and compares
        with JAX before the file is written.
      command: recorded as what made the file.
      overwrite: replaces a file that is there.

    Raises:
      UserError: for another ending of the file's name, networks that are no generators or too
        large for such a file, options that do not fit, packages that are not installed (extra
        `onnx`), images that differ from JAX's by more than 1e-4 of the largest number or of 1,
        or a file that cannot be written.
    """
    path, options = Path(out), ProgramOptions(space, psi, noise, half)
    check_program_file(out, overwrite)
    versions = programs.check_packages(path.suffix, check)
    name, manifest = described(network)
    config = manifest.configs.get(key)
    if not isinstance(config, GeneratorConfig):
        raise UserError(
            f"{name} has no generator {key!r:.40}, and a program holds one, G_ema or G; it has "
            f"{', '.join(manifest.configs)}"
        )
    options.check(config)
    programs.check_size(out, config, half)
    loaded = named_network(network, key)[1]
    check_finite(key, loaded.variables)
    if half:
        loaded = Network(config, programs.rounded(out, config, loaded.variables))
    make = programs.onnx_program if path.suffix == ".onnx" else programs.archive_program
    program: DrawingProgram = make(config, loaded.variables, options)
    difference = _difference(program, loaded, options, name) if check else None
    origin = export_origin(command, name, manifest)
    origin["versions"] |= versions
    exported = _described(config, options, path.suffix, difference)
    record = {
        "networks": describe({key: config}),
        "program": {**asdict(options), "inputs": exported.inputs, "images": exported.images},
        "compared": {"pictures": _PICTURES, "largest_difference": difference} if check else None,
        "provenance": origin,
    }
    program.write(path, record, overwrite)
    return exported


def check_program_file(out: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raises UserError unless `out` names a program's file that may be written."""
    if not programs.is_program(out):
        raise UserError(
            f"{os.fspath(out)}: give a name that ends in {' or '.join(programs.SUFFIXES)}"
        )
    check_file(out, overwrite)


def _described(
    config: GeneratorConfig, options: ProgramOptions, suffix: str, difference: float | None
) -> ExportedProgram:
    inputs: dict[str, tuple[int | str, ...]] = {
        name: ("N", *shape) for name, shape in options.latents(config).items()
    }
    if options.takes_psi(config):
        inputs["psi"] = ()
    size, channels = config.img_resolution, config.img_channels
    images = (channels, size, size) if suffix == ".onnx" else (size, size, channels)
    return ExportedProgram(inputs, ("N", *images), difference)


def _difference(
    program: DrawingProgram, network: Network, options: ProgramOptions, name: str
) -> float:
    """The largest difference between images of a program and of JAX; UserError if it is large."""
    latents, expected = _drawn(network, options)
    if not np.isfinite(expected).all():
        raise UserError(f"the images of {name} hold numbers that are not finite")
    found = program.draw(latents, _PSI if options.takes_psi(network.config) else None)
    difference = float(np.abs(found - expected).max())
    most = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    if not difference <= most:
        raise UserError(
            f"nothing was written: images of the program differ from those of JAX by "
            f"{difference:.2g}, where {most:.2g} is allowed; `check=False` writes it all the same"
        )
    return difference


def _drawn(network: Network, options: ProgramOptions) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Latents that a program takes, with unlike rows of W+, and the images of JAX."""
    config, noise = network.config, options.noise
    z, labels = z_from_seeds(config, range(_PICTURES)), np.arange(_PICTURES)
    c = one_hot_labels(config, labels % config.c_dim) if config.c_dim else None
    if options.space == "z":
        psi = _PSI if options.takes_psi(config) else options.psi
        images = np.asarray(network(z, c, 1.0 if psi is None else psi, noise=noise))
        arrays: dict[str, Any] = {"z": z, "c": c}
        return {name: arrays[name] for name in options.latents(config)}, images
    ws = np.asarray(network.mapping(z, c))
    if options.space == "w":
        return {"w": ws[:, 0]}, np.asarray(network.synthesis(ws, noise))
    rows = np.arange(config.num_ws)
    ws = np.stack([ws[(number + rows) % _PICTURES, rows] for number in range(_PICTURES)])
    images = np.asarray(network.synthesis(ws, noise))
    if options.space == "w+":
        return {"ws": ws}, images
    styles = network.styles(ws)
    return {f"{programs.STYLE}{name}": np.asarray(style) for name, style in styles.items()}, images
