"""The files of a folder or zip: which are pictures, which are passed over, and their bytes."""

import hashlib
import io
import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from aligned_jax.data import opening
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils import reading
from aligned_jax.utils.text import listed

LISTING = "dataset.json"
# What nobody takes for a picture, and what systems leave everywhere.
_TEXTS = (
    *(".txt", ".md", ".rst", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".html", ".htm"),
    *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".log", ".css", ".js", ".py", ".sh"),
)
_LITTER = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
_LONGEST_SUFFIX, _HEAD = 12, 512


@dataclass(frozen=True)
class Item:
    """A file and its label: a class number, a vector, or None."""

    file: str
    size: int
    label: int | tuple[float, ...] | None = None


@dataclass(frozen=True)
class Found:
    """What there is in a folder or zip.

    Attributes:
      images: pictures, by name.
      unusual: how many of them are called otherwise than pictures mostly are, by suffix.
      passed: how many other files there are, by suffix; texts and hidden files are not counted.
    """

    images: list[Item]
    unusual: Mapping[str, int]
    passed: Mapping[str, int]

    def told(self) -> tuple[str, ...]:
        """A line on each of the last two, if there are any."""
        lines = []
        if self.unusual:
            lines.append(f"read by their content: {_by_suffix(self.unusual)}")
        if self.passed:
            lines.append(told_passed(self.passed))
        return tuple(lines)


def told_passed(passed: Mapping[str, int]) -> str:
    """A line on files that are no pictures, counted by suffix."""
    return f"passed over, as no pictures that can be read: {_by_suffix(passed)}"


def _by_suffix(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], not entry[0], entry[0]))
    return listed(f"{count} {suffix or 'without suffix'}" for suffix, count in ranked)


class ImageFiles:
    """The files of a folder or zip, read only.

    Raises:
      UserError: if the path does not exist.
      FormatError: a damaged zip.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_zip = os.path.isfile(path)
        self._zip: zipfile.ZipFile | None = None
        self._entries: dict[str, zipfile.ZipInfo] = {}
        if self.is_zip:
            self._open_zip()
        elif not os.path.lexists(path):
            raise UserError(f"{path} does not exist; give a folder of images or a zip")
        elif not os.path.isdir(path):
            raise UserError(f"{path} is neither a folder nor a zip (but a pipe or a device?)")

    def _open_zip(self) -> None:
        try:
            self._zip = zipfile.ZipFile(self.path)
        except Exception as error:  # Whatever a damaged directory makes zipfile raise.
            raise FormatError(f"{self.path} is no readable zip: {error}") from error
        for entry in self._zip.infolist():
            name = plain_name(entry.filename)
            if name and not entry.filename.endswith(("/", "\\")):
                self._entries[name] = entry

    def close(self) -> None:
        """Closes a zip."""
        if self._zip:
            self._zip.close()

    def images(self) -> list[Item]:
        """All pictures, by name; hidden files and what systems add are left out."""
        return self.found().images

    def found(self) -> Found:
        """All pictures, and what else there is."""
        images, unusual, passed = [], Counter[str](), Counter[str]()
        for name in self._names():
            suffix = opening.suffix_of(name)
            if suffix in opening.SUFFIXES or self._is_picture(name, suffix):
                images.append(Item(name, self._size(name)))
                if suffix not in opening.COMMON:
                    unusual[_shown(suffix)] += 1
            elif not (suffix in _TEXTS or (not suffix and self._is_text(name))):
                passed[_shown(suffix)] += 1
        return Found(sorted(images, key=lambda item: item.file), unusual, passed)

    def outside(self) -> list[str]:
        """Pictures whose names in a zip lead out of it; they are not among `images`."""
        names = [entry.filename for entry in self._zip.infolist()] if self._zip else []
        return sorted(
            name for name in names if _leads_out(name) and name.lower().endswith(opening.SUFFIXES)
        )

    def listings(self) -> list[str]:
        """Every dataset.json, the outermost first."""
        names = [name for name in self._names() if name.split("/")[-1].lower() == LISTING]
        return sorted(names, key=lambda name: (name.count("/"), name))

    def fingerprint(self, items: Iterable[Item], words: str = "") -> str:
        """SHA-256 of words, and of the names and contents of files.

        Raises:
          FormatError: naming a file that cannot be read.
        """
        digest = hashlib.sha256(words.encode())
        for item in items:
            try:
                content = self.read(item)
            except (OSError, ValueError) as error:
                raise FormatError(f"{self.path}/{item.file}: {reason(error)}") from error
            each = hashlib.sha256(content.getbuffer()).hexdigest()
            digest.update(f"{item.file} {each}\n".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def read(self, item: Item, most: int | None = None) -> io.BytesIO:
        """The bytes of a file; those of a zip no more than it declares.

        Args:
          item: which file.
          most: bytes; as many as a picture may have by default.

        Raises:
          OSError: if it cannot be read.
          ValueError: saying why it is not: longer than `most` bytes, encrypted, damaged, packed
            in an unknown way, or no regular file.
        """
        most = opening.LARGEST_FILE if most is None else most
        size = self._size(item.file)
        if size > most:
            raise ValueError(f"a file of {size:,} bytes is too large")
        with self._opened(item.file) as file:
            # Neither a file that grows meanwhile nor an entry that has more than it declares.
            return io.BytesIO(_told(file, size) if self._zip else file.read(size))

    def _names(self) -> Iterator[str]:
        """Files within, but for hidden ones and those that lead out."""
        if self._zip:
            names: Iterable[str] = self._entries
        else:
            names = (
                os.path.relpath(os.path.join(folder, name), self.path).replace(os.sep, "/")
                for folder, _, files in os.walk(self.path)
                for name in files
            )
        return (name for name in names if not _hidden(name) and not _leads_out(name))

    def _size(self, name: str) -> int:
        if self._zip:
            return self._entries[name].file_size
        full = os.path.join(self.path, name)
        return os.path.getsize(full) if os.path.exists(full) else 0

    def _opened(self, name: str) -> IO[bytes]:
        if not self._zip:
            return reading.open_regular(os.path.join(self.path, name))
        entry = self._entries[name]
        if entry.flag_bits & 1:
            raise ValueError("it is encrypted; unpack the zip with its password, give the folder")
        try:
            return self._zip.open(entry)
        except NotImplementedError as error:
            raise ValueError(f"the zip packs it in a way that is not known here: {error}") from None
        except Exception as error:  # Whatever a damaged zip makes zipfile raise.
            raise ValueError(f"it is damaged in the zip: {error}") from error

    def _head(self, name: str) -> bytes:
        try:
            with self._opened(name) as file:
                return file.read(_HEAD)
        except Exception:  # Decompressors raise all kinds of errors.
            return b""

    def _is_picture(self, name: str, suffix: str) -> bool:
        """Whether a file is a picture by its content."""
        if not opening.is_marked(self._head(name), suffix):
            return False
        try:
            return opening.is_picture(self.read(Item(name, 0)))
        except (OSError, ValueError):
            return False

    def _is_text(self, name: str) -> bool:
        return not set(self._head(name)) & {*range(9), *range(14, 32)}


def plain_name(name: str) -> str:
    """A name as zips and lists of Windows write it too: "/" between folders, no "./" before."""
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def reason(error: Exception) -> str:
    """Why a picture cannot be read, in a line."""
    if type(error).__name__ == "UnidentifiedImageError":
        return "this is no picture, or a damaged one"
    return " ".join(str(error).split())[:120] or type(error).__name__


def _told(file: IO[bytes], most: int) -> bytes:
    """Bytes of an entry of a zip; ValueError for what decompressors raise."""
    try:
        return file.read(most)
    except Exception as error:
        raise ValueError(f"it is damaged in the zip: {error}") from error


def _shown(suffix: str) -> str:
    return suffix if len(suffix) <= _LONGEST_SUFFIX else f"{suffix[:_LONGEST_SUFFIX]}..."


def _hidden(name: str) -> bool:
    parts = name.split("/")
    if parts[-1].lower() in _LITTER:
        return True
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)


def _leads_out(name: str) -> bool:
    return ".." in name.replace("\\", "/").split("/")
