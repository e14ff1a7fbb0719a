"""Delta files: by how much a tuned generator differs from its base, and which base that is.

Safetensors with the official names and layouts of the tensors that differ; numbers that are added
to those of the base. Of low rank, a kernel `NAME` [O, ...] is the product of `NAME.up` [O, rank]
and `NAME.down` [rank, ...as many as are left], where that takes less space. The metadata says to
which network, by name and fingerprint, it is to be added.
"""

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from aligned_jax.config import GeneratorConfig
from aligned_jax.convert.checks import FLOATS, shape_text
from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.safetensors_file import is_safetensors, read_tensors
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.formats.own_exports import FORMAT_VERSION, METADATA_KEY
from aligned_jax.convert.new_file import appearing, finite
from aligned_jax.convert.rules import from_official, official_shapes, to_official
from aligned_jax.errors import ConfigError, FormatError
from aligned_jax.types import Variables
from aligned_jax.utils.checksums import check_seal, checksum_of, sealed
from aligned_jax.utils.jsonable import from_dict
from aligned_jax.utils.reading import parse_json
from aligned_jax.utils.text import listed

KIND = "delta"
DTYPES = ("float16", "float32")
_UP, _DOWN = ".up", ".down"
# Buffers of the synthesis, which nothing tunes.
_BUFFERS = ("noise_const", "resample_filter")


@dataclass(frozen=True)
class DeltaBase:
    """The network that a delta is added to.

    Attributes:
      network: as `loading.load` finds it.
      key: which of its networks, "G_ema" or "G".
      sha256: its `networks.fingerprint`.
    """

    network: str
    key: str
    sha256: str


@dataclass(frozen=True, eq=False)
class Delta:
    """What is added to a base, and what is known of it.

    Attributes:
      base: the network.
      tensors: float16 or float32 under their names in the file.
      facts: JSON-able; what came of it, settings, the command.
    """

    base: DeltaBase
    tensors: Mapping[str, np.ndarray]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """How many bytes the numbers take; the file has a header of some kilobytes besides."""
        return sum(tensor.nbytes for tensor in self.tensors.values())


def delta_of(
    config: GeneratorConfig,
    before: Variables,
    after: Variables,
    base: DeltaBase,
    *,
    rank: int | None = None,
    dtype: str = "float16",
    facts: Mapping[str, Any] | None = None,
) -> Delta:
    """The difference of two generators in their trainable numbers of the synthesis.

    Args:
      config: of both.
      before, after: variables of the base and of the tuned network.
      base: how the former is called.
      rank: of every kernel's difference, the nearest of that rank; None for all of it. Kernels that
        would take more space that way are kept as they are.
      dtype: in which the numbers are kept, float16 or float32.
      facts: JSON-able.

    Raises:
      ConfigError: for another dtype, or a rank below 1.
    """
    if dtype not in DTYPES or (rank is not None and rank < 1):
        raise ConfigError(
            f"a delta of dtype {dtype} and rank {rank}; dtypes are {' and '.join(DTYPES)}, and a "
            "rank is at least 1"
        )
    old, new = to_official(config, before), to_official(config, after)
    tensors: dict[str, np.ndarray] = {}
    for name in _tunable(config):
        change = np.asarray(new[name] - old[name])
        if change.any():
            tensors |= _parts(name, change, rank)
    with np.errstate(over="ignore"):  # what is too large is found when it is written
        tensors = {name: np.asarray(t, dtype, order="C") for name, t in tensors.items()}
    return Delta(base, tensors, dict(facts or {}))


def added(config: GeneratorConfig, variables: Variables, delta: Delta) -> Variables:
    """Variables of a generator with a delta added, float32; whether it fits is not looked at."""
    tensors = to_official(config, variables)
    for name, shape in _tunable(config).items():
        change = delta.tensors.get(name)
        if name + _UP in delta.tensors:
            up, down = (delta.tensors[name + end].astype(np.float32) for end in (_UP, _DOWN))
            change = (up @ down).reshape(shape)
        if change is not None:
            tensors[name] = np.asarray(tensors[name] + change.astype(np.float32))
    return from_official(config, tensors)


def check_delta(config: GeneratorConfig, delta: Delta) -> None:
    """Raises FormatError naming all tensors of a delta that no such generator has a place for."""
    known, wrong = _tunable(config), []
    for name, tensor in delta.tensors.items():
        whole = name.removesuffix(_UP).removesuffix(_DOWN)
        shape = known.get(whole)
        if shape is None:
            wrong.append(f"{show(name)} {shape_text(tensor.shape)} is unexpected")
            continue
        expected: tuple[int, ...] = shape
        if whole != name:
            other = delta.tensors.get(whole + (_DOWN if name.endswith(_UP) else _UP))
            if other is None or other.ndim != 2 or whole in delta.tensors:
                beside = (
                    f"stands beside {whole}" if whole in delta.tensors else "has no counterpart"
                )
                wrong.append(f"{show(name)} {beside}")
                continue
            rank = other.shape[0 if name.endswith(_UP) else 1]
            rest = math.prod(shape[1:])
            expected = (shape[0], rank) if name.endswith(_UP) else (rank, rest)
        if tensor.shape != expected:
            wrong.append(
                f"{show(name)} has shape {shape_text(tensor.shape)}, expected "
                f"{shape_text(expected)}"
            )
    if wrong:
        raise FormatError(f"it does not fit its base: {listed(wrong, separator='; ')}")


def write_delta(path: str | os.PathLike, delta: Delta, overwrite: bool = False) -> int:
    """Writes a delta to one file, which appears when it is complete; returns its bytes.

    Raises:
      FormatError: naming tensors that are not finite (float16 ends at 65504), or if the file
        cannot be written, or is there already and may not be replaced.
    """
    path = Path(path)
    finite(path, delta.tensors)
    document = {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "base": dataclasses.asdict(delta.base),
        "facts": dict(delta.facts),
        "checksum": checksum_of((name, delta.tensors[name]) for name in sorted(delta.tensors)),
    }
    metadata = {METADATA_KEY: json.dumps(sealed(document))}
    with appearing(path, overwrite) as temporary:
        save_file(dict(delta.tensors), temporary, metadata)
    return path.stat().st_size


def read_delta(path: str | os.PathLike) -> Delta | None:
    """A delta file; None for a file of another kind.

    Nothing is known yet of how it fits its base: see `check_delta`.

    Raises:
      FormatError: for a delta that is damaged or of a later release; the message begins with the
        file's name.
    """
    if not is_safetensors(path):
        return None
    try:
        entries, metadata = read_tensors(path)
    except FormatError:  # whoever reads networks says it
        return None
    if (text := metadata.get(METADATA_KEY)) is None:
        return None
    try:
        document = parse_json(text, "its header")
        if document.get("kind") != KIND:
            return None
        return _read(document, entries)
    except FormatError as error:
        raise FormatError(f"{os.path.basename(os.fspath(path))}: {error}") from None


def _read(document: dict[str, Any], entries: Mapping[str, Tensor]) -> Delta:
    if document.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"it is a delta of format {document.get('format_version')!r:.20}, this release reads "
            f"{FORMAT_VERSION}; update aligned_jax"
        )
    check_seal(document, "its header")
    base, facts = document.get("base"), document.get("facts")
    if not isinstance(base, dict) or not isinstance(facts, dict):
        raise FormatError("its header is damaged: a delta says its base and its facts")
    try:
        known = from_dict(DeltaBase, base)
    except ConfigError as error:
        raise FormatError(f"its header is damaged: {error}") from None
    strange = [name for name, entry in entries.items() if str(entry.dtype) not in FLOATS]
    if strange:
        raise FormatError(f"not floating-point numbers: {listed(strange)}")
    tensors = {name: entries[name].numpy() for name in sorted(entries)}
    if document.get("checksum") != checksum_of(tensors.items()):
        raise FormatError("it is damaged: its tensors are not those that were written")
    if bad := [name for name, tensor in tensors.items() if not np.isfinite(tensor).all()]:
        raise FormatError(f"values that are not finite in {listed(bad)}")
    return Delta(known, tensors, facts)


def _tunable(config: GeneratorConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of the official tensors of the synthesis that are no buffers, by name."""
    return {
        name: shape
        for name, shape in official_shapes(config).items()
        if name.startswith("synthesis.") and not name.endswith(_BUFFERS)
    }


def _parts(name: str, change: np.ndarray, rank: int | None) -> dict[str, np.ndarray]:
    """A tensor as a whole, or as two factors if they take less space (Eckart and Young 1936)."""
    if rank is None or change.ndim < 2:
        return {name: change}
    matrix = change.reshape(len(change), -1)
    if rank * sum(matrix.shape) >= matrix.size:
        return {name: change}
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    root = np.sqrt(s[:rank])
    return {name + _UP: u[:, :rank] * root, name + _DOWN: root[:, None] * v[:rank]}
