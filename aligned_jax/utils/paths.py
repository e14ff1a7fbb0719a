"""Paths on this machine, or in a bucket (gs://, s3://) through etils.

A bucket knows files alone: nothing is renamed there, and a file appears whole
or not at all. Folders are therefore filled on this machine and copied at the
end, the file that makes them valid last.
"""

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from aligned_jax.errors import UserError

# What names a file or a folder.
Name = str | os.PathLike
# Packages that speak to the service, by scheme; extra `gcs` installs the first.
SERVICES = {"gs": "gcsfs", "s3": "s3fs"}


def is_remote(path: str | os.PathLike) -> bool:
    """Whether the path lies in a bucket."""
    scheme, separator, _ = os.fspath(path).partition("://")
    return bool(separator) and scheme in SERVICES


def as_path(path: str | os.PathLike) -> Path:
    """A `pathlib.Path`, or for a bucket the `etils.epath.Path` that has its methods.

    Raises:
      UserError: if the package that speaks to the bucket's service is missing.
    """
    return _in_bucket(path) if is_remote(path) else Path(path)


def cache_folder(name: str) -> Path:
    """Where things that can be had again are kept: $XDG_CACHE_HOME or ~/.cache, then ours."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "aligned_jax" / name


def zoo_folder() -> Path:
    """Where what comes with the package lies."""
    return Path(str(resources.files("aligned_jax"))) / "zoo"


def zoo_members(file: str) -> list[str]:
    """Names of the folders of the zoo that hold a file of this name, sorted."""
    return sorted(path.parent.name for path in zoo_folder().glob(f"*/{file}"))


def absolute(path: str | os.PathLike) -> Path:
    """The path from the root on; one in a bucket is that already."""
    place = as_path(path)
    return place if is_remote(place) else place.absolute()


def exists(path: str | os.PathLike) -> bool:
    """Whether the name is taken, be it by a link that leads nowhere."""
    return as_path(path).exists() if is_remote(path) else os.path.lexists(path)


def is_file(path: str | os.PathLike) -> bool:
    """Whether a file has this name; impossible names are none."""
    return as_path(path).is_file() if is_remote(path) else os.path.isfile(path)


def is_dir(path: str | os.PathLike) -> bool:
    """Whether a folder has this name; impossible names are none."""
    return as_path(path).is_dir() if is_remote(path) else os.path.isdir(path)


def is_utf8(path: str | os.PathLike) -> bool:
    """Whether libraries in C++ can open the file or folder of this name, from the root on."""
    name = os.fspath(absolute(path))
    return name == name.encode(errors="replace").decode()


def remove_folder(folder: str | os.PathLike) -> None:
    """Removes a folder and all that is in it; no error if there is none."""
    if is_remote(folder):
        _in_bucket(folder).rmtree(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def on_disk(folder: Path) -> Iterator[Path]:
    """The folder itself, or a copy on this machine for the time of the block."""
    if not is_remote(folder):
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory() as name:
        _fetch(as_path(folder), Path(name))
        yield Path(name)


@contextlib.contextmanager
def uploading(folder: Path, last: str = "") -> Iterator[Path]:
    """A folder on this machine to fill, copied into the bucket's when the block ends.

    Files that are there already and are not written again stay.

    Args:
      folder: in a bucket.
      last: name of the file that is copied after all others.

    Raises:
      UserError: if the service refuses.
    """
    with tempfile.TemporaryDirectory() as name:
        partial = Path(name)
        yield partial
        files = [path.relative_to(partial) for path in partial.rglob("*") if path.is_file()]
        for file in sorted(files, key=lambda file: (file == Path(last), file)):
            put(folder / file.as_posix(), (partial / file).read_bytes())


def put(path: Path, content: bytes) -> None:
    """Writes a file of a bucket, whole or not at all; UserError if the service refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except Exception as error:  # every service has exceptions of its own
        raise UserError(f"{path} was not written: {error}") from error


def _in_bucket(path: str | os.PathLike) -> Any:
    from etils import epath

    package = SERVICES[os.fspath(path).partition("://")[0]]
    if not importlib.util.find_spec(package):
        raise UserError(f"{os.fspath(path)} needs the package {package}: pip install {package}")
    return epath.Path(path)


def _fetch(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for entry in source.iterdir():
        if entry.is_dir():
            _fetch(entry, target / entry.name)
        else:
            (target / entry.name).write_bytes(entry.read_bytes())


def names_of(names: Any) -> list[str]:
    """Names of files and folders as text, of which there may be one alone."""
    return [os.fspath(name) for name in ([names] if isinstance(names, Name) else names)]
