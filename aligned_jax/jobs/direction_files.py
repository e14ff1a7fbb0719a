"""Files of directions: our own (.npz), and vectors that other programs wrote (.npy, .pt, .npz).

A file of ours holds `vector/z`, `vector/w` or `vector/<layer>`, float32, and `meta_json`: the
space, sigma, intercept, rows, the fingerprint of the network it was found in, and how it was
found. Nothing in a file is run.
"""

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from aligned_jax import ancestry, provenance, viz
from aligned_jax.convert.files.arrays import (
    DAMAGE,
    ArrayFile,
    open_arrays,
    read_arrays,
    read_document,
    read_headers,
)
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs.named_directions import direction_file, zoo_directions
from aligned_jax.latents import split_styles
from aligned_jax.latents.shapes import latent_shape
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.semantics.direction import Direction, Space
from aligned_jax.semantics.directions import SPACES, check_direction, deviation, unit
from aligned_jax.utils.checksums import check_seal, checksum_of, sealed
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed, said

_VERSION = 1
_PREFIX, _META = "vector/", "meta_json"
_MOST = 2**22  # numbers of all vectors; a network of 1024 px has 9,088 style channels
_DAMAGE = (*DAMAGE, KeyError, TypeError, AttributeError, RecursionError)


def write_direction(
    path: str | os.PathLike[str],
    direction: Direction,
    command: Command = Command(),  # noqa: B008  # it cannot change
    overwrite: bool = False,
) -> None:
    """Writes a direction as an .npz file, which `read_direction` reads.

    Args:
      path: NAME.npz.
      direction: what is written; all that it says of how it was found must be JSON-able.
      command: that made it.
      overwrite: replace what is there.

    Raises:
      UserError: for another name, or if the file exists or the disk refuses.
    """
    check_direction_file(path, overwrite)
    arrays = {
        _PREFIX + name: np.asarray(vector, np.float32) for name, vector in direction.vectors.items()
    }
    document = sealed(
        {
            "direction": _VERSION,
            "space": direction.space,
            "sigma": float(direction.sigma),
            "intercept": None if direction.intercept is None else float(direction.intercept),
            "layers": None if direction.layers is None else [int(row) for row in direction.layers],
            "network": direction.network,
            "found": dict(direction.found),
            **provenance.record(command),
            "arrays": checksum_of(arrays.items()),
        }
    )
    contents: dict[str, Any] = {**arrays, _META: np.asarray(json.dumps(document))}
    with viz.writing(path, overwrite) as file:
        np.savez(file, **contents)


def check_direction_file(path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raises UserError if `write_direction` would refuse this name; call it before long work."""
    if not os.fspath(path).endswith(".npz"):
        raise UserError(f"{os.fspath(path)}: a direction is written to NAME.npz")
    viz.check_file(path, overwrite)


def read_direction(
    path: str | os.PathLike[str],
    network: Network | None = None,
    *,
    space: str | None = None,
    name: str = "",
    report: Reporter = QUIET,
) -> Direction:
    """Reads a direction, of ours or of another program; nothing in the file is run.

    A vector of another program is one array [D], [1, D] or, in W, [L, D] or [1, L, D]. It gets
    length 1, except in S ([all channels], in order of evaluation); its sigma is measured in
    `network`.

    Args:
      path: of the file, or zoo:NAME, a direction that comes with the package.
      network: in which it will be used; needed for vectors of other programs.
      space: "z", "w" or "s": what a vector of another program is in; of a file of ours, what it
        must be in.
      name: as the network was named, which helps to know relatives.
      report: is warned if the network is no relative of the one that the direction was found in.

    Raises:
      UserError: if the file cannot be read, holds no direction, or one that does not fit.
    """
    if space not in (None, *SPACES):
        raise UserError(f"space is {space!r:.40}; a direction is in {', '.join(SPACES)}")
    shown = os.fspath(path)
    try:
        with open_arrays(direction_file(path)) as file:
            if _META in file.keys:
                direction = _own(shown, file)
            else:
                return _foreign(shown, file, network, space)
    except FileNotFoundError:
        there = f"; zoo:{shown} comes with the package" if shown in zoo_directions() else ""
        raise UserError(f"{shown}: no such file{there}") from None
    except UserError:
        raise
    except _DAMAGE as error:
        raise FormatError(f"{shown} is no direction, or a damaged one ({said(error)})") from None
    if space not in (None, direction.space):
        raise UserError(f"{shown} is a direction in {direction.space}, not in {space}")
    if network is not None:
        check_direction(network.config, direction, shown)
        warn_of_strangers(shown, direction, network, name, report)
    return direction


def _own(shown: str, file: ArrayFile) -> Direction:
    document = read_document(file, _META)
    if not isinstance(document, dict) or "direction" not in document:
        raise FormatError(f"{shown} is no direction; `aligned directions` makes them")
    if document["direction"] != _VERSION:
        raise FormatError(f"{shown} is of format {document['direction']!r:.40}, not {_VERSION}")
    check_seal(document, shown)
    wrong = _document_problems(document)
    keys = [key for key in file.keys if key != _META]
    wrong += [f"{key} is unknown" for key in keys if not key.startswith(_PREFIX)]
    if not keys:
        wrong.append("it holds no vector")
    arrays = {} if wrong else _vectors(shown, file, keys)
    if not wrong and checksum_of(arrays.items()) != document["arrays"]:
        wrong.append("its vectors do not have the checksum that it records")
    if wrong:
        raise FormatError(f"{shown} is no direction, or a damaged one: {listed(wrong)}")
    intercept, layers = document["intercept"], document["layers"]
    return Direction(
        space=document["space"],
        vectors={key.removeprefix(_PREFIX): value for key, value in arrays.items()},
        sigma=float(document["sigma"]),
        network=document["network"],
        intercept=None if intercept is None else float(intercept),
        layers=None if layers is None else tuple(layers),
        found=document["found"],
    )


def _document_problems(document: Mapping[str, Any]) -> list[str]:
    """A line for everything that is not as `write_direction` writes it."""
    rows = document["layers"]
    fine = {
        "space": document["space"] in SPACES,
        "sigma": _is_number(document["sigma"]) and document["sigma"] > 0,
        "intercept": document["intercept"] is None or _is_number(document["intercept"]),
        "layers": rows is None
        or (isinstance(rows, list) and all(type(row) is int and 0 <= row < 1000 for row in rows)),
        "network": isinstance(document["network"], str),
        "found": isinstance(document["found"], dict),
        "arrays": isinstance(document["arrays"], str),
    }
    return [f"{key} is {document[key]!r:.40}" for key, good in fine.items() if not good]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 2**53 and math.isfinite(value)


def _vectors(shown: str, file: ArrayFile, keys: list[str]) -> dict[str, np.ndarray]:
    """Float32 arrays, none of which is read before all are known to be short and of numbers."""
    headers, wrong = read_headers(file, keys)
    for key, header in headers.items():
        if header.problem:
            wrong.append(f"{key} {header.problem}")
        elif not header.is_numbers:
            wrong.append(f"{key} holds {header.dtype}, expected numbers")
        elif not 1 <= len(header.shape) <= 3:
            wrong.append(f"{key} has shape {list(header.shape)}, expected [D] or [L, D]")
    if sum(math.prod(header.shape) for header in headers.values()) > _MOST:
        wrong.append(f"it holds more than {_MOST} numbers, as no direction does")
    arrays: dict[str, np.ndarray] = {}
    if not wrong:
        arrays, wrong = read_arrays(file, keys)
        with np.errstate(over="ignore"):
            arrays = {key: value.astype(np.float32) for key, value in arrays.items()}
        bad = (key for key, value in arrays.items() if not np.isfinite(value).all())
        wrong += [f"{key} holds values that are not finite" for key in bad]
    if wrong:
        raise FormatError(f"{shown} is no direction: {listed(wrong, separator='; ')}")
    return arrays


def _foreign(shown: str, file: ArrayFile, network: Network | None, space: str | None) -> Direction:
    """A vector of another program, which says nothing of itself."""
    keys = file.keys
    if len(keys) != 1:
        raise FormatError(f"{shown} holds {listed(keys) or 'nothing'}; a direction is one array")
    if space is None:
        raise UserError(f"{shown} does not say what space it is in; say z, w or s")
    if network is None:
        raise UserError(f"{shown} does not say how far latents vary along it; name its network")
    [array] = _vectors(shown, file, keys).values()
    chosen: Space = next(one for one in SPACES if one == space)
    vectors = _named(shown, array, network, chosen)
    label = 0 if network.config.c_dim else None
    return Direction(
        space=chosen,
        vectors=vectors,
        sigma=deviation(network, chosen, vectors, label),
        network="",
        found={"method": "another program", "file": os.path.basename(shown), "label": label},
    )


def _named(shown: str, array: np.ndarray, network: Network, space: Space) -> dict[str, np.ndarray]:
    """The vectors of `Direction`, of an array with or without axes of length 1 before it."""
    config = network.config
    spaces = ("w", "w+") if space == "w" else (space,)
    shapes = [latent_shape(config, one) for one in spaces]
    values = array
    while values.ndim > 1 and values.shape not in shapes and values.shape[0] == 1:
        values = values[0]
    if values.shape not in shapes:
        expected = " or ".join(str(list(shape)) for shape in shapes)
        raise UserError(
            f"{shown} has shape {list(array.shape)}; in {space} this network's directions are "
            f"{expected}, perhaps with [1] before it"
        )
    if space == "s":
        unit({"s": values})  # refuses nothing but zeros
        styles = split_styles(config, jnp.asarray(values[None]))
        found = {layer: np.asarray(value)[0] for layer, value in styles.items()}
        return {layer: value for layer, value in found.items() if value.any()}
    return unit({space: values})


def warn_of_strangers(
    shown: str, direction: Direction, network: Network, name: str, report: Reporter
) -> None:
    """Warns unless a network is, or is a relative of, the one that a direction was found in.

    Args:
      shown: what the direction is called.
      direction: of which nothing is said if it does not say where it is from.
      network: in which it will be used.
      name: as that was named, "" for none.
      report: hears the warning.
    """
    if not direction.network or direction.network == fingerprint(network.variables):
        return
    origin = direction.found.get("origin")
    if isinstance(origin, Mapping) and ancestry.is_relative(origin, name, network):
        return
    called = origin.get("name") if isinstance(origin, Mapping) else ""
    report.warn(
        f"{shown} was found in another network{f', {called}' if called else ''}, which is no "
        f"relative of {name or 'this one'} as far as is known; what it does here may be chance"
    )
