"""Pictures of any kind as targets of an inversion; a bad one does not stop the others."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aligned_jax.data import pictures
from aligned_jax.data.images import SUFFIXES, ImageFiles, Item
from aligned_jax.errors import UserError


class Target(NamedTuple):
    """A picture: where it is from, the name of its results, and uint8 [R, R, C]."""

    file: str
    name: str
    pixels: np.ndarray


@dataclass(frozen=True)
class Targets:
    """The pictures that could be read, and a line for each of the others, by file."""

    found: list[Target]
    skipped: dict[str, str]

    def images(self) -> np.ndarray:
        """uint8 [N, R, R, C]."""
        return np.stack([target.pixels for target in self.found])


def read(sources: Sequence[str], resolution: int, channels: int, align: str = "center") -> Targets:
    """All pictures of files, folders and zips, made square and of the network's size.

    A picture is turned as its camera says; transparent parts become white, 16
    bits 8, palettes and CMYK RGB (or grey for a grey network), and of an
    animation the first frame is taken. Resizing is Lanczos with antialiasing.

    Args:
      sources: names of pictures, of folders (searched through) and of zips.
      resolution, channels: of the network.
      align: "center" cuts out the middle square, as long as the shorter side;
        "none" cuts nothing, and skips what is not square.

    Raises:
      UserError: for a network that no picture fits, names that do not exist, or
        if no picture can be used.
    """
    if channels not in (1, 3):
        raise UserError(f"this network draws {channels} channels; pictures have 1 or 3")
    sources = [source.rstrip("/") or source for source in sources]
    missing = [source for source in sources if not os.path.exists(source)]
    if missing:
        more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
        raise UserError(f"no such picture, folder or zip: {', '.join(missing[:8])}{more}")
    read, skipped = [], {}
    for file, data in _files(sources):
        try:
            image = pictures.square(data(), resolution, channels, align == "center")
        except Exception as error:  # Decoders raise all kinds of errors.
            skipped[file] = _reason(error)
            continue
        read.append((file, np.asarray(image).reshape(resolution, resolution, channels)))
    if not read:
        listed = [f"{file}: {reason}" for file, reason in list(skipped.items())[:8]]
        raise UserError(f"no picture can be used ({'; '.join(listed) or 'there are none'})")
    names = _names([file for file, _ in read], sources)
    found = [Target(file, name, pixels) for (file, pixels), name in zip(read, names, strict=True)]
    return Targets(found, skipped)


def _files(sources: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Every file once, with a function that opens it."""
    for source in dict.fromkeys(sources):
        if os.path.isfile(source) and source.lower().endswith(SUFFIXES):
            folder, name = os.path.split(os.path.abspath(source))
            item = Item(name, os.path.getsize(source))
            yield source, lambda folder=folder, item=item: ImageFiles(folder).read(item)
            continue
        with closing(ImageFiles(source)) as files:
            for item in files.images():
                yield f"{source}/{item.file}", lambda files=files, item=item: files.read(item)


def _names(files: Sequence[str], sources: Sequence[str]) -> list[str]:
    """A different file name for each, without its ending where that is enough."""
    relative = [_relative(file, sources).replace("/", "_") for file in files]
    short = [os.path.splitext(name)[0] for name in relative]
    shared = {name for name, count in Counter(n.lower() for n in short).items() if count > 1}
    names = [
        long.replace(".", "_") if name.lower() in shared else name
        for long, name in zip(relative, short, strict=True)
    ]
    if len({name.lower() for name in names}) < len(names):  # such as a/x.png and b/x.png
        return [f"{i:04d}_{name}" for i, name in enumerate(names)]
    return names


def _relative(file: str, sources: Sequence[str]) -> str:
    """Its path inside of the folder or zip that was named, or its name."""
    folders = [source for source in sources if file.startswith(f"{source}/")]
    return file[len(max(folders, key=len)) + 1 :] if folders else os.path.basename(file)


def _reason(error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":
        return "no picture, or a damaged one"
    return " ".join(str(error).split())[:120] or type(error).__name__
