"""Pictures of any kind as targets of an inversion; a bad one does not stop the others."""

import functools
import hashlib
import io
import itertools
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from aligned_jax.data import pictures
from aligned_jax.data.cropping import cropped
from aligned_jax.data.faces import Align, Cutter, NoFace, with_file
from aligned_jax.data.image_files import ImageFiles, reason, told_passed
from aligned_jax.data.opening import SUFFIXES, is_picture_file, read_file
from aligned_jax.data.placements import Placement
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.text import listed

Open = Callable[[], io.BytesIO]


class Target(NamedTuple):
    """A picture to invert, cut and scaled to the size of the network.

    Attributes:
      file: where it is from.
      name: of its results.
      pixels: uint8 [R, R, C].
      placement: where it lies in the picture that was given; None if nobody says it.
    """

    file: str
    name: str
    pixels: np.ndarray
    placement: Placement | None = None


@dataclass(frozen=True)
class Targets:
    """The pictures that could be read, and why others could not, by file.

    Attributes:
      targets: what was read.
      skipped: why it was not, by file.
      passed: a line on files in folders and zips that are no pictures; empty without any.
    """

    targets: list[Target]
    skipped: dict[str, str]
    passed: str = ""

    def __len__(self) -> int:
        return len(self.targets)

    def images(self) -> np.ndarray:
        """The pictures that could be read, uint8 [N, R, R, C]."""
        return np.stack([target.pixels for target in self.targets])


def placements_of_targets(targets: Sequence[Target]) -> tuple[Placement, ...] | None:
    """Where targets lie in their photographs; None unless all say it."""
    known = tuple(target.placement for target in targets if target.placement is not None)
    return known if len(known) == len(targets) else None


def read(
    sources: Sequence[str], resolution: int, channels: int, align: Align = "center"
) -> Targets:
    """All pictures of files, folders and zips, made square and of the network's size.

    A picture is turned as its camera says; transparent parts become white (unless the
    network has a fourth channel for them), 16 bits 8, palettes and CMYK RGB (or grey for a
    grey network), and of an animation the first frame is taken. Resizing is Lanczos with
    antialiasing.

    Args:
      sources: names of pictures, of folders (searched through) and of zips; what is
        none of these is skipped like a damaged picture.
      resolution, channels: of the network.
      align: "center" cuts out the middle square, as long as the shorter side;
        "none" cuts nothing, and skips what is not square. With faces, the square around
        each face is a target of its own (see `placements.of_points`); what has none is skipped.

    Raises:
      UserError: for a network that no picture fits, names that do not exist, faces that do not
        fit the pictures, or if no picture can be used.
    """
    _check_channels(channels)
    sources = [source.rstrip("/") or source for source in sources]
    missing = [source for source in sources if not os.path.exists(source)]
    if missing:
        raise UserError(f"no such picture, folder or zip: {listed(missing)}")
    cutter, found = Cutter(align), _Found(resolution, channels)
    passed = Counter[str]()
    for file, data in _files(sources, found.skipped, passed):
        known = (file, _relative(file, sources), os.path.basename(file))
        try:
            content = data()
            image = pictures.opaque(content, channels)
        except Exception as error:  # Decoders raise all kinds of errors.
            found.skipped[file] = reason(error).removeprefix("this is ")
            cutter.pass_over(known)
            continue
        found.add(cutter, file, known, image, hashlib.sha256(content.getbuffer()).hexdigest())
    cutter.finish()
    if not found.read:
        reasons = [f"{file}: {why}" for file, why in found.skipped.items()]
        reasons += [told_passed(passed)] if passed else []
        raise UserError(f"no picture can be used ({listed(reasons, separator='; ')})")
    files = list(dict.fromkeys(file for file, *_ in found.read))
    names = dict(zip(files, _names(files, sources), strict=True))
    return Targets(found.targets(names), found.skipped, told_passed(passed) if passed else "")


def from_array(
    images: np.ndarray, resolution: int, channels: int, align: Align = "center"
) -> Targets:
    """Pictures that are arrays already, prepared as `read` prepares files.

    They are called "image0000" and so on, by tables of faces too.

    Args:
      images: uint8 [N, H, W, 1, 3 or 4].
      resolution, channels, align: as for `read`.

    Raises:
      UserError: for arrays of another kind, that are not square if nothing may be cut, or that
        faces do not fit.
    """
    _check_channels(channels)
    if (
        images.dtype != np.uint8
        or images.ndim != 4
        or images.shape[3] not in pictures.MODES
        or not len(images)
    ):
        raise UserError(
            f"the images are {images.dtype} {list(images.shape)}; give uint8 [N, H, W, 1, 3 or 4]"
        )
    if align == "none" and images.shape[1] != images.shape[2]:
        raise UserError(f"{images.shape[2]}x{images.shape[1]} pixels are not square")
    cutter, found = Cutter(align), _Found(resolution, channels)
    for number, pixels in enumerate(images):
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        name = f"image{number:04d}"
        found.add(cutter, name, [name], pictures.as_mode(image, channels))
    cutter.finish()
    if not found.read:
        reasons = [f"{name}: {why}" for name, why in found.skipped.items()]
        raise UserError(f"no picture can be used ({listed(reasons, separator='; ')})")
    names = [f"image{number:04d}" for number in range(len(images))]
    return Targets(found.targets(dict(zip(names, names, strict=True))), found.skipped)


class _Found:
    """What is read one by one: squares of files, with the numbers of their faces."""

    def __init__(self, resolution: int, channels: int) -> None:
        self._resolution, self._channels = resolution, channels
        self.read: list[tuple[str, int, Placement, np.ndarray]] = []
        self.skipped: dict[str, str] = {}

    def add(
        self,
        cutter: Cutter,
        file: str,
        known: Sequence[str],
        image: Image.Image,
        digest: str = "",
    ) -> None:
        """Cuts a picture, or skips it; without a digest it has no file.

        Raises:
          UserError: as `Cutter.cut`.
        """
        try:
            cut = cutter.cut(file, known, image)
        except NoFace as error:
            self.skipped[file] = str(error)
            return
        for number, place in cut.placements.items():
            shape = (self._resolution, self._resolution, self._channels)
            pixels = np.asarray(cropped(image, place, self._resolution)).reshape(shape)
            named = with_file(place, file, digest) if digest else place
            self.read.append((file, number, named, pixels))
        for number, why in cut.skipped.items():
            self.skipped[f"{file}, face {number}" if number else file] = why

    def targets(self, names: Mapping[str, str]) -> list[Target]:
        """Targets, of which those of several faces of a file are numbered.

        Args:
          names: by file.
        """
        called = [
            names[file] + (f"_face{number}" if number else "") for file, number, *_ in self.read
        ]
        if len({name.lower() for name in called}) < len(called):  # a_face1.png beside a.png
            called = [f"{k:04d}_{name}" for k, name in enumerate(called)]
        return [
            Target(file, name, pixels, place)
            for (file, _, place, pixels), name in zip(self.read, called, strict=True)
        ]


def _check_channels(channels: int) -> None:
    if channels not in pictures.MODES:
        raise UserError(f"this network draws {channels} channels; pictures have 1, 3 or 4")


def check_apart(sources: Iterable[str], results: Iterable[str]) -> None:
    """Raises UserError if results would take the places of pictures that are given.

    Call it before work of which --overwrite would destroy the source.

    Args:
      sources: as of `read`, or files of latents, `F.npz` or `F.npz@ROW`; what does
        not exist is passed over.
      results: paths of the files that will be written; a folder that is there
        already stands for every PNG in it.
    """
    given = set()
    for source in (re.sub(r"(\.npz)@[^@]*$", r"\1", source) for source in sources):
        if os.path.isdir(source):
            files = ImageFiles(source)
            given |= {_identity(os.path.join(source, item.file)) for item in files.images()}
        else:
            given.add(_identity(source))
    written = itertools.chain.from_iterable(map(_written, results))
    replaced = [path for path in written if _identity(path) in given - {None}]
    if replaced:
        raise UserError(
            f"the results would replace what is given: {listed(replaced)}; choose another `out`"
        )


def _written(result: str) -> list[str]:
    if not os.path.isdir(result):
        return [result]
    names = sorted(os.listdir(result))
    return [os.path.join(result, name) for name in names if name.endswith(".png")]


def _identity(path: str) -> tuple[int, int] | None:
    """Device and number of a file, the same for all its names and links; None if there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _files(
    sources: Sequence[str], skipped: dict[str, str], passed: Counter[str]
) -> Iterator[tuple[str, Open]]:
    """Every file once, with a function that opens it.

    Others are named in `skipped` or, if they are no pictures, counted in `passed`.
    """
    for source in dict.fromkeys(sources):
        if is_picture_file(source):
            yield source, functools.partial(read_file, source)
        elif why := _unfit(source):
            skipped[source] = why
        else:
            yield from _inside(source, skipped, passed)


def _unfit(source: str) -> str:
    """Why a name stands neither for a folder nor for a zip; nothing if it does."""
    if os.path.isdir(source):
        return ""
    if source.lower().endswith((".npz", ".npy", ".pt", ".pth")):
        return "latents are no picture; give them as `latents`"
    if not os.path.isfile(source):
        return "neither a file nor a folder"
    if zipfile.is_zipfile(source):
        return ""
    if source.lower().endswith(".zip"):
        return "no zip, or a damaged one"
    return f"no picture ({', '.join(SUFFIXES)}) and no zip"


def _inside(
    source: str, skipped: dict[str, str], passed: Counter[str]
) -> Iterator[tuple[str, Open]]:
    """The pictures of a folder or zip."""
    try:
        files = ImageFiles(source)
    except FormatError:
        skipped[source] = "no zip, or a damaged one"
        return
    with closing(files):
        found, outside = files.found(), files.outside()
        passed.update(found.passed)
        images = found.images
        for name in outside:
            skipped[f"{source}/{name}"] = "its name leads out of the zip"
        if not images and not outside:
            skipped[source] = "there are no pictures in it"
            if os.path.isfile(os.path.join(source, "dataset_info.json")):
                skipped[source] = "it is a dataset; give a folder of pictures, or single ones"
        for item in images:
            yield f"{source}/{item.file}", functools.partial(files.read, item)


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
    """The file's path inside of the folder or zip that was named; else its name."""
    folders = [source for source in sources if file.startswith(f"{source}/")]
    return file[len(max(folders, key=len)) + 1 :] if folders else os.path.basename(file)
