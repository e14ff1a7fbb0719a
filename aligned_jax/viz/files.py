"""Atomic output: a name holds a whole file, or what it held before."""

import contextlib
import io
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from aligned_jax.errors import UserError
from aligned_jax.provenance import Command, record
from aligned_jax.utils.atomic import take_name
from aligned_jax.utils.paths import absolute, as_path, exists, is_dir, is_remote, put, uploading

_OF_FILES = (".html", ".png", ".jpg", ".npz", ".json", ".csv", ".webp", ".mp4", ".gif", ".pdf")
_LONGEST, _LONGEST_PATH = 255, 4096  # bytes of a name, and of all of a path


def check_file(path: str | os.PathLike, overwrite: bool = False) -> None:
    """Raises UserError if `writing` would refuse this target; call it before long work."""
    path = as_path(path)
    _check_name(path)
    if is_dir(path):
        raise UserError(f"{path} is a folder; give the name of a file")
    if exists(path) and not overwrite:
        raise UserError(f"{path} already exists; choose another name or pass `overwrite=True`")


def check_folder(folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Raises UserError if `writing_folder` would refuse this target; call it before long work."""
    folder = as_path(folder)
    _check_name(folder)
    if exists(folder) and not is_dir(folder):
        raise UserError(f"{folder} is a file; give the name of a folder")
    if folder.suffix in _OF_FILES and not is_dir(folder):
        raise UserError(
            f"{folder}: a folder of several files is written here; leave out {folder.suffix}"
        )
    if not overwrite and is_dir(folder) and _holds_files(folder):
        raise UserError(
            f"{folder} is not empty; choose another folder or pass `overwrite=True`, which "
            "replaces files of the same names and keeps the others"
        )


def try_folder(folder: str | os.PathLike) -> None:
    """Raises UserError if the disk refuses files in this folder; leaves nothing behind.

    A bucket is not tried.
    """
    folder = absolute(folder)
    if is_remote(folder):
        return
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    with _explained(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            trial = _beside(folder / "trial")
            trial.touch(exist_ok=False)
            trial.unlink()
        finally:
            with contextlib.suppress(OSError):
                for path in missing:
                    path.rmdir()


@contextlib.contextmanager
def writing(path: str | os.PathLike, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends, and vanishes if it fails.

    Raises:
      UserError: if the target exists and may not be replaced, or the disk refuses.
    """
    path = absolute(path)
    check_file(path, overwrite)
    if is_remote(path):
        buffer = io.BytesIO()
        yield buffer
        put(path, buffer.getvalue())
        return
    partial = _beside(path)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = partial.open("xb")
        try:
            yield file
            file.close()
            take_name(partial, path, overwrite)
        except BaseException:
            # What is still buffered has nowhere to go when the disk is full.
            with contextlib.suppress(OSError):
                file.close()
            partial.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def writing_folder(folder: str | os.PathLike, overwrite: bool = False) -> Iterator[Path]:
    """An empty folder to fill with files, which move to `folder` when the block ends.

    A failure leaves nothing behind (in a bucket, the files that were copied). In
    a folder that exists, files of the same names are replaced, one by one, and
    all others stay.

    Raises:
      UserError: if the target may not be used, or the disk refuses.
    """
    folder = absolute(folder)
    check_folder(folder, overwrite)
    if is_remote(folder):
        with uploading(folder) as partial:
            yield partial
        return
    with _explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = _beside(folder)
        partial.mkdir()
        try:
            yield partial
            check_folder(folder, overwrite)  # again: the block may have taken hours
            if folder.exists():
                for file in sorted(partial.iterdir()):
                    take_name(file, folder / file.name, overwrite)
            else:
                partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def record_file(path: str | os.PathLike) -> str:
    """Where a table that can say nothing of itself has it said: NAME.csv.json of NAME.csv."""
    return f"{os.fspath(path)}.json"


def write_record(
    path: str | os.PathLike,
    command: Command,
    facts: Mapping[str, Any],
    overwrite: bool = False,
) -> None:
    """Writes `provenance.record` and facts, JSON-able, to the `record_file` of a table.

    Raises:
      UserError: if it is there and may not be replaced, or the disk refuses.
    """
    text = json.dumps(record(command, facts), indent=1)
    with writing(record_file(path), overwrite) as file:
        file.write(f"{text}\n".encode())


def _beside(path: Path) -> Path:
    """A hidden name in the same folder, which nothing has; as short as names may have to be."""
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}")


def _holds_files(folder: Path) -> bool:
    with _explained(folder):
        return any(folder.iterdir())


def _check_name(path: Path) -> None:
    """Folders on the way are made when they are missing; a file in the way stays."""
    if is_remote(path):
        return
    long = [part for part in path.parts if len(os.fsencode(part)) > _LONGEST]
    if long or len(os.fsencode(path.absolute())) >= _LONGEST_PATH:
        raise UserError(
            f"{str(path)[:60]}... is too long a name; a file or folder may have {_LONGEST} bytes"
        )
    nearest = next((p for p in path.absolute().parents if os.path.lexists(p)), None)
    if nearest is None:
        raise UserError(f"{path} is the root of all folders; give the name of one inside it")
    if not nearest.is_dir():
        raise UserError(f"{nearest} is a file, so that {path} cannot be written")


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{path} was not written: {reason}; nothing was left behind") from error
