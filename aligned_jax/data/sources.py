"""Images from whatever an argument names: a network, a dataset, a folder or zip of images."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aligned_jax.data import pictures
from aligned_jax.data.folder import ImageFolder
from aligned_jax.data.opening import is_picture_file, read_file
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils import paths
from aligned_jax.utils.text import listed

if TYPE_CHECKING:
    from aligned_jax.data.dataset import Dataset

Take = Callable[[np.ndarray], np.ndarray]


class _Images(Protocol):
    """Pictures by number, each with something else."""

    def __getitem__(self, index: int, /) -> tuple[np.ndarray, Any]: ...


# Endings of files that hold networks; other files must be zips of images.
_NETWORKS = (".pkl", ".pt", ".pth", ".safetensors")


def kind_of(source: str) -> str:
    """What a source is: "network", "dataset" or "images".

    Raises:
      UserError: for a folder that is none of them.
    """
    if paths.is_file(source):
        return "network" if source.lower().endswith(_NETWORKS) else "images"
    if not paths.is_dir(source):  # RUN@KIMG, zoo:NAME, or a mistake, which loading explains
        return "network"
    names = {path.name for path in paths.as_path(source).iterdir()}
    if "dataset_info.json" in names:
        return "dataset"
    if "config.json" in names:
        return "network"
    return "images"


def open_images(source: str, mirror: bool = False, **options: Any) -> "Dataset | ImageFolder":
    """The dataset, folder or zip that `source` names.

    Args:
      source: a path.
      mirror: every image comes mirrored as well.
      options: `split` and `labels` of a dataset.

    Raises:
      UserError: if it is a network, or nothing at all.
    """
    if not paths.exists(source):
        raise UserError(f"{source} does not exist; give a dataset, or a folder or zip of images")
    kind = kind_of(source)
    if kind == "network":
        raise UserError(f"{source} is a network; give a dataset, or a folder or zip of images")
    if kind == "dataset":
        from aligned_jax.data import open_dataset

        return open_dataset(DataOptions(source, mirror=mirror, **options))
    if options.get("labels"):
        raise UserError(f"{source} is a folder of images, without labels; import it as a dataset")
    return ImageFolder(os.fspath(source), mirror)


def open_pairs(first: str, second: str) -> tuple[Take, Take, list[str]]:
    """Two functions from numbers of pairs to images uint8 [n, H, W, C], and the pairs' names.

    Args:
      first, second: two picture files, or two folders or zips whose images have
        the same names but for their endings.

    Raises:
      UserError: naming images without a partner, or for different sizes.
    """
    single = [_is_picture(path) for path in (first, second)]
    sets: Sequence[_Images]
    if all(single):
        sets = [_one(path) for path in (first, second)]
        names, orders = [os.path.basename(first)], [[0], [0]]
    elif any(single):
        raise UserError(f"{first} and {second}: give two pictures, or two folders or zips of them")
    else:
        sets = folders = [_folder(path) for path in (first, second)]
        names, orders = _matched(first, second, *(folder.names for folder in folders))
    shapes = [images[order[0]][0].shape[:2] for images, order in zip(sets, orders, strict=True)]
    if shapes[0] != shapes[1]:
        sizes = " and ".join(f"{width}x{height}" for height, width in shapes)
        raise UserError(f"{first} and {second} have {sizes} pixels; make them equal first")

    def take(which: int) -> Take:
        return lambda numbers: np.stack([sets[which][orders[which][n]][0] for n in numbers])

    return take(0), take(1), names


def _is_picture(path: str) -> bool:
    return not paths.is_remote(path) and is_picture_file(path)


def _one(path: str) -> list[tuple[np.ndarray, None]]:
    try:
        pixels = np.asarray(pictures.opaque(read_file(path)))
    except Exception as error:  # Decoders raise all kinds of errors.
        raise FormatError(f"{path} is no picture, or a damaged one ({error})") from error
    return [(pixels.reshape(*pixels.shape[:2], -1), None)]


def _folder(path: str) -> ImageFolder:
    if not paths.exists(path) or kind_of(path) != "images":
        raise UserError(f"{path} is no picture, and no folder or zip of pictures")
    return ImageFolder(path)


def _matched(
    first: str, second: str, ours: list[str], theirs: list[str]
) -> tuple[list[str], list[list[int]]]:
    """Names of the pairs, and where each stands in the first and in the second.

    Args:
      first, second: folders or zips.
      ours, theirs: names of their images.
    """
    keys = [ours, theirs]
    if set(ours) != set(theirs):
        keys = [[os.path.splitext(name)[0] for name in names] for names in keys]
    places = [{key: i for i, key in enumerate(names)} for names in keys]
    alone = [
        f"{first}/{name}" for name, key in zip(ours, keys[0], strict=True) if key not in places[1]
    ]
    alone += [
        f"{second}/{name}"
        for name, key in zip(theirs, keys[1], strict=True)
        if key not in places[0]
    ]
    twice = len(places[0]) < len(ours) or len(places[1]) < len(theirs)
    if alone or twice:
        shown = listed(alone) if alone else "several differ in their endings alone"
        raise UserError(f"images without a partner of the same name: {shown}")
    return ours, [list(range(len(ours))), [places[1][key] for key in keys[0]]]
