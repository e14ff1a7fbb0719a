"""Files of latents: an .npz with z, ws or styles, checked before anything is drawn."""

import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers

_KINDS = "z [N, D] or [N, L, D], or ws [N, L, D], or styles/<layer> [N, C] of every layer"
# What `aligned generate` and `aligned invert` write beside the latents; nothing is drawn of it.
_PASSED_OVER = ("images", "meta_json", "trace")
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# Of a zip archive, its compression (NotImplementedError: an unknown one; zlib.error is
# no OSError) and its encryption (RuntimeError), and of an array in it.
_DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


class _Header(NamedTuple):
    """What an entry says it holds; believed only if it fits the network and its own size."""

    shape: tuple[int, ...]
    dtype: np.dtype
    size: int  # of the entry without its header, in bytes


def read_latents(
    path: str | Path, config: GeneratorConfig, prefer: str = "ws"
) -> dict[str, np.ndarray]:
    """Arrays of a file of latents as float32, for a network of these sizes.

    The file holds exactly one of `z` [N, z_dim] or [N, L, z_dim], `ws`
    [N, L, w_dim], and `styles/<layer>` [N, C] for every layer; and if it likes labels `c`
    [N, c_dim], and maps `noise/<layer>` [N, R, R] for every convolution. The files of
    `aligned generate` hold both z and ws: what is preferred is taken. Nothing is read before
    its shape and type are known to fit.

    Raises:
      UserError: if the file cannot be read, or naming everything in it that does not fit.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            if file.read(6) == np.lib.format.MAGIC_PREFIX:
                raise UserError(
                    f"{path} is a single array; write an .npz with np.savez(path, z=...)"
                )
            with zipfile.ZipFile(file) as archive:
                arrays, problems = _read(archive, _shapes(config), prefer)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no .npz file: {error}") from None
    if problems:
        more = f"; and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise UserError(
            f"{path} does not fit this network: {'; '.join(problems[:8])}{more}. A file of "
            f"latents holds {_KINDS}; and labels c [N, K] if there are any"
        )
    return arrays


def recorded_psi(path: str | Path) -> float | None:
    """The truncation of the latents in a file, if it says so; call `read_latents` first."""
    try:
        with np.load(path, allow_pickle=False) as file:
            meta = json.loads(str(file["meta_json"]))
        psi = (meta.get("settings") or meta.get("manner") or {}).get("psi")
    except (*_DAMAGE, KeyError, AttributeError):
        return None
    return float(psi) if isinstance(psi, int | float) and math.isfinite(psi) else None


def _read(
    archive: zipfile.ZipFile, shapes: Mapping[str, list[tuple[int, ...]]], prefer: str
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays, or else a line for everything that does not fit or cannot be read."""
    entries = {name.removesuffix(".npy"): name for name in archive.namelist()}
    for key in _PASSED_OVER:
        entries.pop(key, None)
    if {"z", "ws"} <= entries.keys():
        del entries["z" if prefer == "ws" else "ws"]
    known = {key: name for key, name in entries.items() if key in shapes}
    problems = [f"{key} is unknown" for key in entries if key not in shapes]
    headers: dict[str, _Header] = {}
    for key, name in known.items():
        try:
            headers[key] = _header(archive, name)
        except _DAMAGE as error:
            problems.append(f"{key} is damaged ({error})")
    problems += _misfits(entries, headers, shapes)
    if problems:
        return {}, problems
    arrays: dict[str, np.ndarray] = {}
    for key, name in known.items():
        try:
            arrays[key] = _array(archive, name)
        except _DAMAGE as error:
            problems.append(f"{key} is damaged ({error})")
        except MemoryError:
            problems.append(f"{key} is larger than the memory")
    for key, value in arrays.items():
        if not np.isfinite(value).all():
            problems.append(f"{key} holds values that are not finite")
    return arrays, problems


def _header(archive: zipfile.ZipFile, name: str) -> _Header:
    with archive.open(name) as entry:
        version = np.lib.format.read_magic(entry)
        if version not in _HEADERS:
            raise ValueError(f"a header of version {version}")
        shape, _, dtype = _HEADERS[version](entry)
        return _Header(shape, dtype, archive.getinfo(name).file_size - entry.tell())


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as entry:
        value = np.lib.format.read_array(entry, allow_pickle=False)
    # Beyond the range of float32 counts as infinite: that is what would be drawn.
    with np.errstate(over="ignore"):
        return value.astype(np.float32)


def _misfits(
    keys: Mapping[str, str],
    headers: Mapping[str, _Header],
    shapes: Mapping[str, list[tuple[int, ...]]],
) -> list[str]:
    """A line for everything that headers tell."""
    problems = []
    kinds = sorted({key.partition("/")[0] for key in keys if key in shapes} - {"c", "noise"})
    if not kinds and keys.keys() <= shapes.keys():
        problems.append("it holds no latents")
    if len(kinds) > 1:
        problems.append(f"it holds {' and '.join(kinds)}; keep one of them")
    for whole in ("styles/", "noise/"):  # all layers, or none
        if any(key.startswith(whole) for key in keys):
            found = (key for key in shapes if key.startswith(whole))
            problems += [f"{key} is missing" for key in found if key not in keys]
    for key, header in headers.items():
        problems += _header_problems(key, header, shapes[key])
    counts = {key: header.shape[0] for key, header in headers.items() if header.shape}
    if len(set(counts.values())) > 1:
        problems.append(f"the numbers of rows differ: {_joined(counts)}")
    elif 0 in counts.values():
        problems.append("it has no rows")
    return problems


def _shapes(config: GeneratorConfig) -> dict[str, list[tuple[int, ...]]]:
    """Shapes that each key may have, without the number of rows."""
    rows = config.num_ws
    shapes = {
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


def _header_problems(key: str, header: _Header, shapes: list[tuple[int, ...]]) -> list[str]:
    shape, dtype = header.shape, header.dtype
    if dtype.hasobject:
        return [f"{key} holds pickled objects, which are never read"]
    if shape[1:] not in shapes or not shape:
        expected = " or ".join(f"[N, {', '.join(map(str, shape))}]" for shape in shapes)
        return [f"{key} has shape {list(shape)}, expected {expected}"]
    if dtype.kind not in "fiub":  # floats, integers, booleans
        return [f"{key} holds {dtype}, expected numbers"]
    if math.prod(shape) * dtype.itemsize != header.size:
        return [f"{key} is damaged (shape {list(shape)}, but {header.size} bytes of numbers)"]
    return []


def _joined(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{key} {count}" for key, count in counts.items())
