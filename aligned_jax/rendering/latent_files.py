"""What files of latents hold: those of this project, and w of other programs.

Other programs write W under other names and shapes: NVIDIA's projectors `w` [1, L, D] in an .npz,
or `dlatents`; encoders such as e4e and pSp one array in an .npy or .pt file. They are read as `ws`
wherever that is the only thing that they can be.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.convert.files.arrays import (
    DAMAGE,
    UNNAMED,
    ArrayFile,
    Header,
    open_arrays,
    read_arrays,
    read_document,
    read_headers,
)
from aligned_jax.data.photographs import found_from
from aligned_jax.data.placements import Placement, placements_of
from aligned_jax.errors import FormatError, UserError
from aligned_jax.latents.shapes import Shapes, array_shapes, latent_shape
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.utils.text import listed, one_line, said

_KINDS = (
    "z [N, D] or [N, L, D], or ws [N, L, D] (or w, as projectors write it), or styles/<layer> "
    "[N, C] of every layer"
)
# What `aligned generate` and `aligned invert` write beside the latents; nothing is drawn of it.
# Pictures are those that the latents are inversions of, uint8 [N, R, R, C].
_PICTURES, _META, _PLACEMENTS = "pictures", "meta_json", "placements"
_PASSED_OVER = ("images", _META, "trace", _PICTURES)
# What other programs call W; one of its rows alone counts for all rows.
_W = ("w", "dlatents", UNNAMED)
_LONGEST_NAME = 100


@dataclass(frozen=True, eq=False)
class StoredLatents:
    """What a file of latents holds.

    Attributes:
      arrays: float32 `z`, `ws` or `styles/<layer>`, and perhaps `c` and `noise/<layer>`.
      psi: truncation at which z was drawn or found, if the file says it.
      pictures: uint8 [N, R, R, C], of which the latents are inversions, or None.
      names: of the pictures; () without them.
      placements: of the pictures in their photographs, or None.
    """

    arrays: dict[str, np.ndarray]
    psi: float | None = None
    pictures: np.ndarray | None = None
    names: tuple[str, ...] = ()
    placements: tuple[Placement, ...] | None = None


def read_latents(
    path: str | os.PathLike, config: GeneratorConfig, prefer: str = "ws"
) -> StoredLatents:
    """Latents of a file for a network of these sizes.

    An .npz file holds exactly one of `z` [N, z_dim] or [N, L, z_dim], `ws`
    [N, L, w_dim], and `styles/<layer>` [N, C] for every layer; and if it likes labels `c`
    [N, c_dim], and maps `noise/<layer>` [N, R, R] for every convolution. The files of
    `aligned generate` hold both z and ws: what is preferred is taken. A .pt file may hold a
    dictionary of the same.

    In place of `ws` there may be `w` or `dlatents` [N, L, w_dim]; [N, 1, w_dim], [N, w_dim] or
    [w_dim], whose rows count for all; or [L, w_dim], one latent. An array without a name, in an
    .npy or .pt file or alone in an .npz, is read as W+ if it is [N, L, w_dim] or [L, w_dim];
    other shapes only if they cannot be those of z.

    Nothing is read before its shape and type are known to fit.

    Args:
      path: of the file.
      config: of the network.
      prefer: "ws" or "z".

    Raises:
      UserError: if the file cannot be read, or naming everything in it that does not fit.
    """
    psi, pictures = None, None
    names: tuple[str, ...] = ()
    places: tuple[Placement, ...] | None = None
    try:
        with open_arrays(path) as file:
            arrays, problems = _read(file, config, prefer)
            if not problems:
                psi = _recorded_psi(file)
                pictures, problems = _pictures(file, config, _count(arrays))
                names = _names(file, _count(arrays)) if pictures is not None else ()
                places = _placements(file, _count(arrays), os.path.dirname(path))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UserError as error:
        raise UserError(f"{error}; write the latents with np.savez(F.npz, ws=...)") from None
    except DAMAGE as error:
        raise UserError(f"{path} is no .npz file: {said(error)}") from None
    if problems:
        raise UserError(
            f"{path} does not fit this network: {listed(problems, separator='; ')}. A file of "
            f"latents holds {_KINDS}, as np.savez(F.npz, ws=...) writes it; and labels c [N, K] if "
            "there are any"
        )
    return StoredLatents(arrays, psi, pictures, names, places)


def holds_latents(path: str | os.PathLike) -> bool:
    """Whether a file holds latents by the names in it, whatever their sizes; a network does not."""
    try:
        with open_arrays(path) as file:
            return not {"z", "ws", *_W}.isdisjoint(file.keys)
    except (UserError, *DAMAGE):
        return False


def write_latents(file: BinaryIO, latents: LatentBatch, facts: Mapping[str, Any]) -> None:
    """Writes latents to an open file, which `read_latents` reads with names and pictures.

    Args:
      file: of an .npz.
      latents: of any space.
      facts: JSON-able, kept beside them.
    """
    document = {**facts, "manner": {"psi": latents.psi}, "names": list(latents.names)}
    if latents.placements is not None:
        document[_PLACEMENTS] = [place.document() for place in latents.placements]
    arrays: dict[str, Any] = {**latents.arrays, _META: np.asarray(json.dumps(document))}
    if latents.pictures is not None:
        arrays[_PICTURES] = latents.pictures
    np.savez(file, **arrays)


def _count(arrays: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(arrays.values())))


def _pictures(
    file: ArrayFile, config: GeneratorConfig, count: int
) -> tuple[np.ndarray | None, list[str]]:
    """The pictures that the latents are of, if they are there, or else what is wrong with them."""
    if _PICTURES not in file.keys:
        return None, []
    headers, problems = read_headers(file, [_PICTURES])
    shape = (count, config.img_resolution, config.img_resolution, config.img_channels)
    for header in headers.values():
        if header.shape != shape or header.dtype != np.uint8:
            found = f"{header.dtype} {list(header.shape)}"
            problems.append(f"{_PICTURES} is {found}, expected uint8 {list(shape)}")
        elif header.problem:
            problems.append(f"{_PICTURES} {header.problem}")
    if problems:
        return None, problems
    arrays, problems = read_arrays(file, [_PICTURES])
    return arrays.get(_PICTURES), problems


def _names(file: ArrayFile, count: int) -> tuple[str, ...]:
    """The names that `write_latents` wrote; () if there are none, or not one of each row."""
    try:
        names = read_document(file).get("names")
    except (*DAMAGE, KeyError, AttributeError):
        return ()
    if not isinstance(names, list) or len(names) != count:
        return ()
    return tuple(one_line(str(name))[:_LONGEST_NAME] for name in names)


def _placements(file: ArrayFile, count: int, folder: str) -> tuple[Placement, ...] | None:
    """Where `write_latents` or `aligned invert` say the pictures lie; None if they do not.

    Photographs that are elsewhere now are looked for from the folder of the file upwards.
    """
    try:
        meta = read_document(file)
        told = meta.get(_PLACEMENTS) or [meta["facts"]["placement"]]
        places = placements_of(told)
    except (*DAMAGE, KeyError, AttributeError, TypeError, FormatError):
        return None
    return tuple(found_from(one, folder) for one in places) if len(places) == count else None


def _recorded_psi(file: ArrayFile) -> float | None:
    """The truncation that `aligned generate` ("manner") or `aligned invert` wrote down."""
    try:
        meta = read_document(file)
        psi = (meta.get("settings") or meta.get("manner") or {}).get("psi")
    except (*DAMAGE, KeyError, AttributeError):
        return None
    # Python's whole numbers may be larger than any float; a NaN is not smaller.
    return float(psi) if isinstance(psi, int | float) and abs(psi) < 2**53 else None


def _read(
    file: ArrayFile, config: GeneratorConfig, prefer: str
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays as float32, or else a line for everything that does not fit or cannot be read."""
    called = {key: "ws" if key in _W else key for key in file.keys if key not in _PASSED_OVER}
    if {"z", "ws"} <= set(called.values()):
        other = "z" if prefer == "ws" else "ws"
        called = {key: name for key, name in called.items() if name != other}
    keys = list(called)
    shapes = array_shapes(config)
    known = [key for key in keys if called[key] in shapes]
    problems = [f"{key} is unknown" for key in keys if called[key] not in shapes]
    headers, damaged = read_headers(file, known)
    allowed = {key: shapes[called[key]] for key in known}
    for key in headers.keys() & set(_W):
        # W of other programs is looked at with its axes in place.
        if shape := _batched(headers[key].shape, config, key):
            headers[key] = headers[key]._replace(shape=shape)
            allowed[key] = [*shapes["ws"], (1, config.w_dim)]
    problems += damaged + _misfits(called, headers, allowed, shapes)
    if problems:
        return {}, problems
    arrays, problems = read_arrays(file, known)
    # Beyond the range of float32 counts as infinite: that is what would be drawn.
    with np.errstate(over="ignore"):
        arrays = {key: value.astype(np.float32) for key, value in arrays.items()}
    for key, value in arrays.items():
        if not np.isfinite(value).all():
            problems.append(f"{key} holds values that are not finite")
        elif key in _W:
            value = value.reshape(headers[key].shape)
            arrays[key] = np.repeat(value, config.num_ws // value.shape[1], axis=1)
    return {called[key]: value for key, value in arrays.items()}, problems


def _batched(
    shape: tuple[int, ...], config: GeneratorConfig, key: str
) -> tuple[int, int, int] | None:
    """The shape [N, 1 or L, D] of W that other programs wrote as `shape`; None if it is not clear.

    As many latents [N, D] as a network has rows count as the rows of one: programs that write
    latents without their batch axis are many, and such a number is a coincidence.
    """
    rows, width = latent_shape(config, "w+")
    may_be_z = key == UNNAMED and config.z_dim == width
    if shape[-1:] != (width,):
        return None
    if len(shape) == 3 and (shape[1] == rows or (shape[1] == 1 and not may_be_z)):
        return shape[0], shape[1], shape[2]
    if len(shape) == 2 and shape[0] == rows:
        return 1, rows, shape[1]
    if len(shape) in (1, 2) and not may_be_z:
        return math.prod(shape[:-1]), 1, shape[-1]
    return None


def _misfits(
    called: Mapping[str, str], headers: Mapping[str, Header], allowed: Shapes, shapes: Shapes
) -> list[str]:
    """A line for everything that headers tell.

    Args:
      called: by key, what its array is, such as "ws" of w.
      headers: that could be read.
      allowed: by key, the shapes that its array may have.
      shapes: by what there may be, the same.
    """
    problems = []
    names = {called[key] for key in allowed}
    kinds = sorted({name.partition("/")[0] for name in names} - {"c", "noise"})
    if not kinds and set(called.values()) <= shapes.keys():
        problems.append("it holds no latents")
    several = [key for key in allowed if called[key] == "ws"]
    several = kinds if len(kinds) > 1 else several
    if len(several) > 1:
        problems.append(f"it holds {' and '.join(several)}; keep one of them")
    for whole in ("styles/", "noise/"):  # all layers, or none
        if any(name.startswith(whole) for name in called.values()):
            needed = (name for name in shapes if name.startswith(whole))
            problems += [f"{name} is missing" for name in needed if name not in names]
    for key, header in headers.items():
        problems += _header_problems(key, header, allowed[key])
    counts = {key: header.shape[0] for key, header in headers.items() if header.shape}
    if len(set(counts.values())) > 1:
        numbers = ", ".join(f"{key} {count}" for key, count in counts.items())
        problems.append(f"the numbers of rows differ: {numbers}")
    elif 0 in counts.values():
        problems.append("it has no rows")
    return problems


def _header_problems(key: str, header: Header, shapes: Sequence[tuple[int, ...]]) -> list[str]:
    if header.dtype.hasobject:
        return [f"{key} {header.problem}"]
    if header.shape[1:] not in shapes or not header.shape:
        expected = " or ".join(f"[N, {', '.join(map(str, shape))}]" for shape in shapes)
        note = "; without a name it is read as W+ alone" if key == UNNAMED else ""
        return [f"{key} has shape {list(header.shape)}, expected {expected}{note}"]
    if not header.is_numbers:
        return [f"{key} holds {header.dtype}, expected numbers"]
    return [f"{key} {header.problem}"] if header.problem else []
