"""Files of latents: .npz archives that are looked at before anything of them is read."""

import contextlib
import json
import math
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents.style_space import style_layers
from aligned_jax.utils.text import listed

_KINDS = "z [N, D] or [N, L, D], or ws [N, L, D], or styles/<layer> [N, C] of every layer"
# What `aligned generate` and `aligned invert` write beside the latents; nothing is drawn of it.
_PASSED_OVER = ("images", "meta_json", "trace")
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_LONGEST_TEXT = 2**28  # bytes
# What damage raises in a zip archive, in its compression (NotImplementedError: an unknown one;
# zlib.error is no OSError), in its encryption (RuntimeError), and in an array of it.
DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)

# By key, the shapes [N, ...] that its array may have, without their N.
Shapes = Mapping[str, Sequence[tuple[int, ...]]]


class Header(NamedTuple):
    """What an entry of an archive says it holds; believed only if its own size agrees."""

    shape: tuple[int, ...]
    dtype: np.dtype
    size: int  # of the entry without its header, in bytes

    @property
    def problem(self) -> str:
        """Why its array cannot be read, behind the name of the entry; empty if it can."""
        if self.dtype.hasobject:
            return "holds pickled objects, which are never read"
        if math.prod(self.shape) * self.dtype.itemsize != self.size:
            return f"is damaged (shape {list(self.shape)}, but {self.size} bytes of numbers)"
        return ""


class ArrayArchive:
    """An open .npz file. Nothing in it is run, and nothing is read that was not asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {name.removesuffix(".npy"): name for name in archive.namelist()}

    @property
    def keys(self) -> list[str]:
        """The names of its arrays, in their order."""
        return list(self._names)

    def header(self, key: str) -> Header:
        """What an entry says it holds; raises KeyError, or one of DAMAGE."""
        name = self._names[key]
        with self._archive.open(name) as entry:
            version = np.lib.format.read_magic(entry)
            if version not in _HEADERS:
                raise ValueError(f"a header of version {version}")
            shape, _, dtype = _HEADERS[version](entry)
            return Header(shape, dtype, self._archive.getinfo(name).file_size - entry.tell())

    def headers(self, keys: Sequence[str]) -> tuple[dict[str, Header], list[str]]:
        """The headers that can be read, and a line for each of the others."""
        headers: dict[str, Header] = {}
        problems: list[str] = []
        for key in keys:
            try:
                headers[key] = self.header(key)
            except DAMAGE as error:
                problems.append(f"{key} is damaged ({error})")
        return headers, problems

    def arrays(self, keys: Sequence[str]) -> tuple[dict[str, np.ndarray], list[str]]:
        """The arrays that can be read, and a line for each of the others; look at headers first."""
        arrays: dict[str, np.ndarray] = {}
        problems: list[str] = []
        for key in keys:
            try:
                with self._archive.open(self._names[key]) as entry:
                    arrays[key] = np.lib.format.read_array(entry, allow_pickle=False)
            except DAMAGE as error:
                problems.append(f"{key} is damaged ({error})")
            except MemoryError:
                problems.append(f"{key} is larger than the memory")
        return arrays, problems

    def document(self, key: str = "meta_json") -> Any:
        """The JSON document that an entry holds as text; raises KeyError, or one of DAMAGE."""
        header = self.header(key)
        if header.problem or header.shape or header.dtype.kind != "U":
            raise ValueError(f"{key} {header.problem or 'is no text'}")
        if header.size > _LONGEST_TEXT:
            raise ValueError(f"{key} is a text of {header.size} bytes")
        arrays, problems = self.arrays([key])
        if problems:
            raise ValueError(problems[0])
        return json.loads(str(arrays[key]))


@contextlib.contextmanager
def open_archive(path: str | os.PathLike) -> Iterator[ArrayArchive]:
    """The archive in a file, to be read inside the block.

    Raises:
      UserError: for a file that holds one bare array.
      OSError, ValueError, EOFError, zipfile.BadZipFile: for one that is no archive or is not there.
    """
    with open(path, "rb") as file:
        if file.read(6) == np.lib.format.MAGIC_PREFIX:
            raise UserError(f"{path} is a single array; write an .npz with np.savez(path, z=...)")
        with zipfile.ZipFile(file) as archive:
            yield ArrayArchive(archive)


@dataclass(frozen=True, eq=False)
class StoredLatents:
    """What a file of latents holds.

    Attributes:
      arrays: float32 `z`, `ws` or `styles/<layer>`, and perhaps `c` and `noise/<layer>`.
      psi: truncation at which z was drawn or found, if the file says it.
    """

    arrays: dict[str, np.ndarray]
    psi: float | None = None


def read_latents(
    path: str | os.PathLike, config: GeneratorConfig, prefer: str = "ws"
) -> StoredLatents:
    """Latents of a file for a network of these sizes.

    The file holds exactly one of `z` [N, z_dim] or [N, L, z_dim], `ws`
    [N, L, w_dim], and `styles/<layer>` [N, C] for every layer; and if it likes labels `c`
    [N, c_dim], and maps `noise/<layer>` [N, R, R] for every convolution. The files of
    `aligned generate` hold both z and ws: what is preferred is taken. Nothing is read before
    its shape and type are known to fit.

    Args:
      path: of the file.
      config: of the network.
      prefer: "ws" or "z".

    Raises:
      UserError: if the file cannot be read, or naming everything in it that does not fit.
    """
    try:
        with open_archive(path) as archive:
            arrays, problems = _read(archive, _shapes(config), prefer)
            psi = None if problems else _recorded_psi(archive)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no .npz file: {error}") from None
    if problems:
        raise UserError(
            f"{path} does not fit this network: {listed(problems, separator='; ')}. A file of "
            f"latents holds {_KINDS}; and labels c [N, K] if there are any"
        )
    return StoredLatents(arrays, psi)


def _recorded_psi(archive: ArrayArchive) -> float | None:
    """The truncation that `aligned generate` ("manner") or `aligned invert` wrote down."""
    try:
        meta = archive.document()
        psi = (meta.get("settings") or meta.get("manner") or {}).get("psi")
    except (*DAMAGE, KeyError, AttributeError):
        return None
    return float(psi) if isinstance(psi, int | float) and math.isfinite(psi) else None


def _read(
    archive: ArrayArchive, shapes: Shapes, prefer: str
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays as float32, or else a line for everything that does not fit or cannot be read."""
    keys = [key for key in archive.keys if key not in _PASSED_OVER]
    if {"z", "ws"} <= set(keys):
        keys.remove("z" if prefer == "ws" else "ws")
    known = [key for key in keys if key in shapes]
    problems = [f"{key} is unknown" for key in keys if key not in shapes]
    headers, damaged = archive.headers(known)
    problems += damaged + _misfits(keys, headers, shapes)
    if problems:
        return {}, problems
    arrays, problems = archive.arrays(known)
    # Beyond the range of float32 counts as infinite: that is what would be drawn.
    with np.errstate(over="ignore"):
        arrays = {key: value.astype(np.float32) for key, value in arrays.items()}
    for key, value in arrays.items():
        if not np.isfinite(value).all():
            problems.append(f"{key} holds values that are not finite")
    return arrays, problems


def _misfits(keys: Sequence[str], headers: Mapping[str, Header], shapes: Shapes) -> list[str]:
    """A line for everything that headers tell."""
    problems = []
    kinds = sorted({key.partition("/")[0] for key in keys if key in shapes} - {"c", "noise"})
    if not kinds and set(keys) <= shapes.keys():
        problems.append("it holds no latents")
    if len(kinds) > 1:
        problems.append(f"it holds {' and '.join(kinds)}; keep one of them")
    for whole in ("styles/", "noise/"):  # all layers, or none
        if any(key.startswith(whole) for key in keys):
            needed = (key for key in shapes if key.startswith(whole))
            problems += [f"{key} is missing" for key in needed if key not in keys]
    for key, header in headers.items():
        problems += _header_problems(key, header, shapes[key])
    counts = {key: header.shape[0] for key, header in headers.items() if header.shape}
    if len(set(counts.values())) > 1:
        numbers = ", ".join(f"{key} {count}" for key, count in counts.items())
        problems.append(f"the numbers of rows differ: {numbers}")
    elif 0 in counts.values():
        problems.append("it has no rows")
    return problems


def _shapes(config: GeneratorConfig) -> Shapes:
    rows = config.num_ws
    shapes: dict[str, list[tuple[int, ...]]] = {
        "z": [(config.z_dim,), (rows, config.z_dim)],
        "ws": [(rows, config.w_dim)],
        "c": [(config.c_dim,)],
    }
    layers = style_layers(config)
    shapes |= {f"styles/{layer.name}": [(layer.channels,)] for layer in layers}
    if config.synthesis.use_noise:
        maps = {s.name: (s.resolution, s.resolution) for s in layers if s.kind == "conv"}
        shapes |= {f"noise/{name}": [size] for name, size in maps.items()}
    return shapes


def _header_problems(key: str, header: Header, shapes: Sequence[tuple[int, ...]]) -> list[str]:
    if header.dtype.hasobject:
        return [f"{key} {header.problem}"]
    if header.shape[1:] not in shapes or not header.shape:
        expected = " or ".join(f"[N, {', '.join(map(str, shape))}]" for shape in shapes)
        return [f"{key} has shape {list(header.shape)}, expected {expected}"]
    if header.dtype.kind not in "fiub":  # floats, integers, booleans
        return [f"{key} holds {header.dtype}, expected numbers"]
    return [f"{key} {header.problem}"] if header.problem else []
