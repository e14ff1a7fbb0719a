"""Generated pictures beside the training pictures that are nearest: does a network memorise?"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from aligned_jax import evaluation
from aligned_jax.data import sources
from aligned_jax.data.pictures import as_mode, fitted
from aligned_jax.errors import UserError
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.metrics import nearest_rows
from aligned_jax.provenance import Command, record
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz import to_uint8
from aligned_jax.viz.files import check_file, writing
from aligned_jax.viz.sheet import Sheet, check_sheet

_SCRIPT = Command()
_NETWORK = "vgg16"
# Of pictures that the network has not seen, so many are nearer to the training pictures than one
# that is called near.
_NEAR = 0.01
# Pictures whose features are so much nearer than usual are the same, but for rounding.
_SAME = 1e-3


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Generated pictures and the training pictures that are nearest to them.

    Attributes:
      names: of the N generated pictures.
      images: uint8 [N, R, R, 3].
      numbers: int [N, K], of the nearest training pictures, the nearest first.
      nearest: uint8 [N, K, R, R, 3], resized to the network's size.
      distances: float64 [N, K], Euclidean, of pooled VGG16 features.
      unseen: float64 [U], the distance of every picture that the network was not trained on to its
        nearest training picture; None if there were none.
      facts: network, data, features, JSON-able.
      files: of the training pictures, by number modulo their count; None if they have none.
    """

    names: tuple[str, ...]
    images: np.ndarray
    numbers: np.ndarray
    nearest: np.ndarray
    distances: np.ndarray
    unseen: np.ndarray | None
    facts: dict[str, Any]
    files: Sequence[str] | None = None

    @property
    def shares(self) -> np.ndarray | None:
        """For each picture, the share of unseen ones that are as near or nearer, float64 [N]."""
        if self.unseen is None:
            return None
        ordered = np.sort(self.unseen)
        return np.searchsorted(ordered, self.distances[:, 0], side="right") / len(ordered)

    @property
    def near(self) -> list[str]:
        """Names of pictures that are nearer to a training picture than nearly all unseen ones."""
        shares = self.shares
        if shares is None:
            return []
        return [name for name, share in zip(self.names, shares, strict=True) if share < _NEAR]

    def summary(self) -> str:
        """The distances in words, and what they say."""
        nearest = self.distances[:, 0]
        said = f"median distance to the nearest training picture {np.median(nearest):.4g}"
        if self.unseen is None:
            return f"{said}; without unseen pictures nobody can say whether that is near"
        said += f", of {len(self.unseen)} unseen pictures {np.median(self.unseen):.4g}"
        if not self.near:
            return f"{said}; none is nearer than nearly all of those are"
        return f"{said}; suspiciously near: {', '.join(self.near)}"

    def sheet(self) -> Sheet:
        """A row for each generated picture: itself, and its nearest, the nearest first."""
        shares = self.shares
        rows = [f"{name}: {self.distances[k, 0]:.3g}" for k, name in enumerate(self.names)]
        if shares is not None:
            rows = [f"{row}, {share:.0%}" for row, share in zip(rows, shares, strict=True)]
        order = ["generated", "nearest", *(f"{k + 1}." for k in range(1, self.numbers.shape[1]))]
        images = np.concatenate([self.images[:, None], self.nearest], axis=1)
        title = "Generated pictures, and the training pictures that are nearest"
        note = "distance of the generated from the nearest picture"
        if shares is not None:
            note += "; the share of unseen pictures that are as near"
        facts = {"rows": note, "result": self.summary(), **self.facts}
        labels = (tuple(rows), tuple(order))
        return Sheet(images, *labels, title=title, headed=True, facts=facts, made_of=self.facts)

    def document(self, command: Command = _SCRIPT) -> dict[str, Any]:
        """All numbers, JSON-able."""
        shares = self.shares
        return {
            **record(command),
            **self.facts,
            "pictures": [
                {
                    "name": name,
                    "nearest": [int(number) for number in self.numbers[k]],
                    "files": self.files_of(k),
                    "distances": [float(value) for value in self.distances[k]],
                    "share of unseen as near": None if shares is None else float(shares[k]),
                }
                for k, name in enumerate(self.names)
            ],
            "unseen": None if self.unseen is None else [float(value) for value in self.unseen],
            "near": self.near,
        }

    def files_of(self, row: int) -> list[str] | None:
        """Files of the pictures that are nearest to a generated one, of mirrored ones as well."""
        files = self.files
        return [files[n % len(files)] for n in self.numbers[row]] if files else None

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = _SCRIPT,
        overwrite: bool = False,
    ) -> None:
        """Writes NAME.png or NAME.html with the pictures, or NAME.json with the numbers.

        Raises:
          UserError: if the file exists and may not be replaced, or the disk refuses.
        """
        if not os.fspath(out).endswith(".json"):
            self.sheet().write(out, command, overwrite)
            return
        with writing(out, overwrite) as file:
            file.write(f"{json.dumps(self.document(command), indent=2)}\n".encode())


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Pictures in memory, uint8 [N, R, R, C], as feature networks take them."""

    images: np.ndarray

    @property
    def channels(self) -> int:
        return self.images.shape[-1]

    @property
    def size(self) -> tuple[int, int]:
        return self.images.shape[1], self.images.shape[2]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        return self.images[numbers]

    def facts(self) -> dict[str, Any]:
        return {"images": len(self)}


def nearest(
    network: NetworkSource,
    data: str | os.PathLike[str],
    *,
    seeds: str | Sequence[int] = "0-7",
    psi: float = 1.0,
    label: int | None = None,
    neighbours: int = 5,
    split: str = "train",
    mirror: bool = False,
    unseen: str | os.PathLike[str] | None = None,
    unseen_split: str = "test",
    most: int | None = None,
    batch: int = 16,
    network_key: str = "G_ema",
    cache: bool = True,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> Neighbours:
    """Finds the training pictures that are nearest to generated ones.

    Distances are Euclidean, of the pooled VGG16 features of `fd_vgg`. Real pictures that the
    network was not trained on are the measure: a network that memorises draws pictures that are
    nearer to its training pictures than those are.

    Args:
      network: a name, or a loaded network.
      data: what it was trained on: a dataset, or a folder or zip of pictures.
      seeds: a list, or text such as "0-7".
      psi: truncation; 1 is none.
      label: class of a conditional network.
      neighbours: K, nearest training pictures of each.
      split: of a dataset.
      mirror: whether it was trained on mirrored pictures as well.
      unseen: pictures that it was not trained on; by default `data`, if that is a dataset.
      unseen_split: of a dataset.
      most: so many of both at most; None takes all.
      batch: images at a time.
      network_key: "G_ema" or "G" of a network that is loaded.
      cache: keeps features of real pictures on the disk.
      out: where the result will be written: what cannot be is refused before any work.
      overwrite: of what is there.
      report: hears of every picture.

    Raises:
      UserError: if something cannot be read or does not fit, or there are too few pictures.
    """
    if out is not None:
        _check_out(out, overwrite)
    name, generator = named_network(network, network_key)
    path, other = os.fspath(data), os.fspath(data if unseen is None else unseen)
    seen = sources.open_images(path, mirror, split=split)
    training = evaluation.StoredImages(seen, path, most)
    if not 1 <= neighbours <= len(training):
        raise UserError(
            f"{neighbours} neighbours among {len(training)} pictures; ask for 1 to {len(training)}"
        )
    plain = sources.open_images(path, split=split) if mirror else seen
    reference = _unseen(plain, path, other, unseen is not None, unseen_split, most)
    latents = latents_of_seeds(generator.config, seeds, label, psi)
    drawn = _Drawn(to_uint8(render(generator, latents, RenderOptions(batch=batch))))
    seer = evaluation.load(_NETWORK)
    kept = evaluation.Cache(evaluation.default_folder()) if cache else None
    total = len(drawn) + len(training) + (0 if reference is None else len(reference))
    with report.progress(total, "images") as advance:
        rows = evaluation.rows_of(training, seer, batch, kept, advance)
        own = evaluation.rows_of(drawn, seer, batch, None, advance)
        far = None
        if reference is not None:
            others = evaluation.rows_of(reference, seer, batch, kept, advance)
            far = nearest_rows(others, rows, 1)[1][:, 0]
            if copies := int((far < _SAME * np.median(far)).sum()):
                report.warn(
                    f"{copies} of {len(far)} unseen pictures are among the training pictures"
                )
    if training.size != drawn.size:
        report.warn(
            f"{path} has pictures of {training.size[1]}x{training.size[0]} pixels, {name} draws "
            f"{drawn.size[1]}x{drawn.size[0]}: the difference of sharpness is part of the distances"
        )
    numbers, distances = nearest_rows(own, rows, neighbours)
    side = drawn.size[0]
    shown = [_shown(training.take(row), side) for row in numbers]
    facts = {
        "network": name,
        "psi": psi,
        "data": training.facts(),
        "unseen data": None if reference is None else reference.facts(),
        "features": {"network": seer.name, "sha256": seer.sha256},
    }
    images = _shown(drawn.images, side)
    files = getattr(seen, "names", None)  # of folders and zips
    return Neighbours(latents.names, images, numbers, np.stack(shown), distances, far, facts, files)


def _check_out(out: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raises UserError unless `Neighbours.write` may write `out`; call it before long work."""
    if os.fspath(out).endswith(".json"):
        check_file(out, overwrite)
    else:
        check_sheet(out, overwrite)


def _unseen(
    seen: Any, data: str, other: str, given: bool, unseen_split: str, most: int | None
) -> evaluation.StoredImages | None:
    """Pictures that the network was not trained on; None if nothing says which those are."""
    if not given and sources.kind_of(data) != "dataset":
        return None
    try:
        opened = sources.open_images(other, split=unseen_split)
    except UserError:
        if given:
            raise
        return None  # a dataset without such a split
    if opened.fingerprint == seen.fingerprint:
        raise UserError(f"the unseen pictures, {other}, are the training pictures; give others")
    return evaluation.StoredImages(opened, other, most)


def _shown(images: np.ndarray, side: int) -> np.ndarray:
    """uint8 [N, H, W, C] as uint8 [N, side, side, 3], over white."""
    pictures = [Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
                for image in images]  # fmt: skip
    return np.stack([np.asarray(fitted(as_mode(one, 3), side)) for one in pictures])
