"""A folder or zip of finished images, read as it is: nothing is cropped or resized."""

import functools
import os
import threading
from collections import defaultdict
from typing import Any

import numpy as np

from aligned_jax.data import pictures
from aligned_jax.data.image_files import ImageFiles, Item, told_passed
from aligned_jax.data.opening import SUFFIXES, calm, opened
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.text import listed


class ImageFolder:
    """Images by number, in the order of their names; used like a `Dataset` without labels.

    Attributes:
      options: path and `mirror`.
      names: of the files.
      passed: a line on other files, that were passed over; empty if there are none.
      channels: 1 if all images are grey, else 3.
      fingerprint: hexadecimal SHA-256 of names and contents.
      recipe: says that nothing was resized.

    Raises:
      UserError: no images, or of several sizes.
      FormatError: naming damaged files.
    """

    c_dim, label_names, recipe = 0, (), "files as they are"

    def __init__(self, path: str | os.PathLike, mirror: bool = False) -> None:
        self.options = DataOptions(str(path), split="all", mirror=mirror)
        self._files = ImageFiles(os.path.abspath(path))
        self._lock = threading.Lock()  # a zip is read by one thread at a time
        found = self._files.found()
        self._items, self.passed = found.images, told_passed(found.passed) if found.passed else ""
        if not self._items:
            more = f"; {self.passed}" if self.passed else ""
            raise UserError(f"{path} holds no images ({', '.join(SUFFIXES)}){more}")
        self.names = [item.file for item in self._items]
        self.channels = self._check()

    def __len__(self) -> int:
        return len(self._items) * (2 if self.options.mirror else 1)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """An image uint8 [H, W, C] and no label; the second half is mirrored, if any is.

        Raises:
          IndexError: outside of the folder.
          FormatError: a damaged file.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"{index} is not one of {len(self)} images")
        item = self._items[index % len(self._items)]
        try:
            pixels = np.asarray(pictures.opaque(self._read(item), self.channels))
        except Exception as error:  # Decoders raise all kinds of errors.
            raise FormatError(f"{self.options.path}: {item.file} is damaged ({error})") from error
        pixels = pixels.reshape(*pixels.shape[:2], self.channels)
        flip = index >= len(self._items)
        return np.ascontiguousarray(pixels[:, ::-1] if flip else pixels), np.zeros(0, np.float32)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the whole content, which is read for it."""
        with self._lock:
            return self._files.fingerprint(self._items, f"mirror {self.options.mirror}\n")

    def _read(self, item: Item) -> Any:
        with self._lock:
            return self._files.read(item)

    def _check(self) -> int:
        """The number of channels, after a look at the heads of all files."""
        sizes, damaged, grey = defaultdict(list), [], True
        for item in self._items:
            try:
                with calm(), opened(self._read(item)) as image:
                    sizes[image.size].append(item.file)
                    grey &= image.mode in ("1", "L", "I", "I;16")
            except Exception:  # Decoders raise all kinds of errors.
                damaged.append(item.file)
        if damaged:
            raise FormatError(
                f"{self.options.path} holds files that are no pictures, or damaged ones: "
                f"{listed(damaged)}"
            )
        if len(sizes) > 1:
            most = sorted(sizes.items(), key=lambda entry: -len(entry[1]))
            shown = [f"{w}x{h} ({len(f)}, such as {f[0]})" for (w, h), f in most]
            raise UserError(
                f"{self.options.path} holds images of {len(sizes)} sizes: {listed(shown)}; "
                "make them equal first, for example with `aligned data images`"
            )
        return 1 if grey else 3
