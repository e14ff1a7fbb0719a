"""What the file of a program says of itself, written and read with every check.

A file is the program followed by a record. In an .onnx the record is a message of its own that
holds `metadata_props` alone: messages of protocol buffers that follow each other are one. An
archive of jax.export has no place for a record, and its reader passes over what follows it:
there the record is the last line, as JSON. So the checksum is one of all bytes of the program.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aligned_jax.convert.new_file import appearing
from aligned_jax.convert.programs.packages import package
from aligned_jax.errors import FormatError
from aligned_jax.utils.checksums import check_seal, sealed
from aligned_jax.utils.reading import LONGEST_JSON, open_regular, parse_json
from aligned_jax.utils.text import said

FORMAT_VERSION = 1
_KEY, _WHAT = "aligned_jax", "its record"
_LONGEST = 2**31  # bytes of a file


def write_with_record(
    path: Path,
    content: bytes,
    record: Mapping[str, Any],
    ending: Callable[[str], bytes],
    overwrite: bool,
) -> None:
    """Writes a program and its record; the file appears when it is complete.

    Args:
      path: of the file.
      content: the program.
      record: JSON-able; a checksum of the content is added.
      ending: bytes that hold a text behind the content.
      overwrite: replaces a file that is there.

    Raises:
      FormatError: if the file cannot be written; nothing is left behind.
    """
    checksum = hashlib.sha256(content).hexdigest()
    known = sealed({"format_version": FORMAT_VERSION, **record, "checksum": checksum})
    with appearing(path, overwrite) as temporary, open(temporary, "wb") as file:
        file.write(content)
        file.write(ending(json.dumps(known)))


def onnx_ending(text: str) -> bytes:
    """A text as bytes that an .onnx may end with."""
    model = package("onnx", "writing .onnx").ModelProto()
    model.metadata_props.add(key=_KEY, value=text)
    return model.SerializeToString()


def line_ending(text: str) -> bytes:
    """A text as the last line of a file."""
    return b"\n" + text.encode()


def read_record(path: str | os.PathLike) -> dict[str, Any]:
    """The record of a program's file, once its checksum is that of the program.

    Args:
      path: NAME.onnx or NAME.jaxexport.

    Returns:
      `format_version`; `networks`, as `config.describe` has them; `program`, what it takes and
      draws; `compared`, what was found; `provenance`; `checksum`.

    Raises:
      FormatError: if the file is no such program of ours, is damaged or changed, or of a later
        format.
      UserError: if the package onnx is not installed, and the file is an .onnx.
    """
    name = os.fspath(path)
    find = _of_onnx if name.endswith(".onnx") else _of_archive
    try:
        with open_regular(path) as file:
            data = file.read(_LONGEST)
        text, ending = find(data)
        record = parse_json(text, _WHAT)
        if record.get("format_version") != FORMAT_VERSION:
            raise FormatError(
                f"its format version is {record.get('format_version')!s:.20}, this release "
                f"reads {FORMAT_VERSION}; update aligned_jax"
            )
        check_seal(record, _WHAT)
        _check_parts(record)
        content = memoryview(data)[: len(data) - len(ending)]
        if record.get("checksum") != hashlib.sha256(content).hexdigest():
            raise FormatError("it is damaged, or was changed after `aligned export` wrote it")
    except OSError as error:
        raise FormatError(f"{name} cannot be read: {error.strerror}") from None
    except FormatError as error:
        raise FormatError(f"{os.path.basename(name)}: {error}") from None
    return record


def _check_parts(record: Mapping[str, Any]) -> None:
    """Refuses a record whose parts are of other kinds than what `export_program` writes."""
    program = record.get("program")
    program = program if isinstance(program, dict) else {}
    inputs = program.get("inputs")
    kinds = {
        "networks": isinstance(record.get("networks"), dict),
        "provenance": isinstance(record.get("provenance"), dict),
        "program.inputs": isinstance(inputs, dict)
        and all(isinstance(shape, list) for shape in inputs.values()),
        "program.images": isinstance(program.get("images"), list),
    }
    if wrong := [name for name, right in kinds.items() if not right]:
        raise FormatError(f"{_WHAT} is damaged: {', '.join(wrong)}")


def _of_onnx(data: bytes) -> tuple[str, bytes]:
    """The record of an ONNX file, and the bytes that hold it."""
    onnx = package("onnx", "reading .onnx")
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # of protocol buffers
        raise FormatError(f"it is no ONNX file ({said(error)})") from None
    texts = [entry.value for entry in model.metadata_props if entry.key == _KEY]
    if not texts or not data.endswith(onnx_ending(texts[-1])):
        raise FormatError("it is an ONNX file, and not one as `aligned export` wrote it")
    return texts[-1], onnx_ending(texts[-1])


def _of_archive(data: bytes) -> tuple[str, bytes]:
    """The record of an archive, and the bytes that hold it."""
    line = data[data.rfind(b"\n", -LONGEST_JSON) :]
    if not line.startswith(b"\n{"):
        raise FormatError("it is no archive as `aligned export` wrote it: the record is missing")
    text = line[1:].decode(errors="replace")
    return text, line
