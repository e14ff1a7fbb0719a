"""A reader as one small file: safetensors, with a sealed description in its header."""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import save

from aligned_jax.config.attributes import ReaderConfig
from aligned_jax.convert.files.safetensors_file import is_safetensors, read_tensors
from aligned_jax.errors import ConfigError, FormatError, UserError
from aligned_jax.features.attributes.network import from_named, shapes, to_named
from aligned_jax.features.attributes.reader import Reader
from aligned_jax.features.files import problems
from aligned_jax.utils import paths
from aligned_jax.utils.checksums import check_seal, checksum_of, sealed
from aligned_jax.utils.jsonable import from_dict, to_dict
from aligned_jax.utils.reading import parse_json
from aligned_jax.utils.text import listed
from aligned_jax.viz.files import writing

FORMAT_VERSION = 1
KEY = "aligned_jax_reader"
# What a folder of the zoo holds for a reader, besides its card and pictures.
ZOO_FILE = "reader.safetensors"
_ZOO = "zoo:"
_LONGEST = 1 << 22  # letters of a description


def save_reader(
    path: str | os.PathLike, reader: Reader, half: bool = False, overwrite: bool = False
) -> None:
    """Writes a reader, in float32 or with `half` in float16.

    Raises:
      UserError: if the file exists and may not be replaced, the disk refuses, or half precision
        cannot hold a parameter.
    """
    tensors = to_named(rounded(reader).params if half else reader.params)
    if half:
        tensors = {name: value.astype(np.float16) for name, value in tensors.items()}
    document = {
        "format_version": FORMAT_VERSION,
        "config": to_dict(reader.config),
        "card": dict(reader.card),
        "checksum": checksum_of(sorted(tensors.items())),
    }
    with writing(path, overwrite) as file:
        file.write(save(tensors, {KEY: json.dumps(sealed(document))}))


def rounded(reader: Reader) -> Reader:
    """The reader with parameters as float16 holds them, in float32: what is stored with `half`.

    Raises:
      UserError: naming parameters that are too large for it.
    """
    arrays = to_named(reader.params)
    with np.errstate(over="ignore"):
        small = {
            name: value.astype(np.float16).astype(np.float32) for name, value in arrays.items()
        }
    if lost := [name for name, value in small.items() if not np.isfinite(value).all()]:
        raise UserError(f"half precision cannot hold {listed(lost)}; store it without")
    return dataclasses.replace(reader, params=from_named(reader.config, small))


def load(source: str | os.PathLike) -> Reader:
    """The reader of a file, or of the zoo; parameters become float32.

    Args:
      source: READER.safetensors, or zoo:NAME.

    Raises:
      UserError: if there is no such file or reader, with a list of the zoo's.
      FormatError: if it is damaged, of another kind, or naming every parameter that does not
        fit its description.
    """
    path = reader_file(source)
    if not paths.is_file(path):
        raise UserError(f"{source} is no file; give READER.safetensors, or {_zoo_text()}")
    if not is_safetensors(path):
        raise FormatError(f"{source} is no reader: it is no safetensors file")
    try:
        tensors, metadata = read_tensors(path)
    except FormatError as error:
        raise FormatError(f"{source}: {error}") from None
    config, card, recorded = _described(source, metadata)
    expected = {".".join(name): shape for name, shape in shapes(config).items()}
    wrong = [f"{name} is unexpected" for name in tensors if name not in expected]
    if wrong := [*wrong, *problems(tensors, expected)]:
        raise FormatError(f"{source}: {listed(wrong, separator='; ')}")
    stored = {name: tensors[name].numpy() for name in expected}
    if checksum_of(sorted(stored.items())) != recorded:
        raise FormatError(f"{source} is damaged: its parameters are not those that were written")
    single = {name: np.asarray(value, np.float32) for name, value in stored.items()}
    return Reader(config, from_named(config, single), card)


def zoo_readers() -> list[str]:
    """Names of the readers that come with the package, without "zoo:"."""
    return paths.zoo_members(ZOO_FILE)


def reader_file(source: str | os.PathLike) -> str:
    """The path of a reader's file; UserError if the zoo has none of this name."""
    text = os.fspath(source)
    if not text.startswith(_ZOO):
        return text
    name = text.removeprefix(_ZOO)
    if name not in zoo_readers():
        raise UserError(f"there is no reader {text}; there are {_zoo_text()}")
    return str(paths.zoo_folder() / name / ZOO_FILE)


def _zoo_text() -> str:
    return listed(f"{_ZOO}{name}" for name in zoo_readers()) or "none in the zoo"


def _described(
    source: str | os.PathLike, metadata: Mapping[str, str]
) -> tuple[ReaderConfig, dict[str, Any], Any]:
    """Config, card and checksum of a file; FormatError if it describes no reader."""
    text = metadata.get(KEY, "")
    if not text or len(text) > _LONGEST:
        raise FormatError(f"{source} is no reader: `aligned attributes train` did not write it")
    document = parse_json(text, f"the description of {source}")
    check_seal(document, f"the description of {source}")
    if document.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"{source} is a reader of format {document.get('format_version')!r:.20}; this program "
            f"reads format {FORMAT_VERSION}: update it"
        )
    card = document.get("card")
    try:
        config = from_dict(ReaderConfig, document.get("config", {}), "config")
    except ConfigError as error:
        raise FormatError(f"{source}: {error}") from None
    return config, card if isinstance(card, dict) else {}, document.get("checksum")
