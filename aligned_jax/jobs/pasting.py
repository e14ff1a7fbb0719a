"""Pictures back into the photographs that they were cut out of."""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from aligned_jax import provenance, viz
from aligned_jax.config import GeneratorConfig
from aligned_jax.data import targets
from aligned_jax.data.cropping import cropped
from aligned_jax.data.photographs import Photograph, check_photographs, read_photograph
from aligned_jax.data.pictures import as_mode
from aligned_jax.data.placements import Placement
from aligned_jax.errors import UserError
from aligned_jax.jobs.pending import Pending, PendingInversion
from aligned_jax.provenance import Command
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.pasting import FEATHER, Face, check_feather, pasted
from aligned_jax.utils.reporting import QUIET, Reporter


@dataclass(frozen=True)
class PasteOptions:
    """Whether and how faces go back into their photographs.

    Attributes:
      paste_back: the folder that the photographs will be written to; None if they will not.
      feather: width of the seam in sides of the square that was cut out, from 0 to 0.5.
      overwrite: replace what the folder holds.
    """

    paste_back: str | os.PathLike[str] | None = None
    feather: float = FEATHER
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_feather(self.feather)

    def check(self, pending: Pending) -> None:
        """Looks at all that may be wrong before long work, if photographs will be written.

        Args:
          pending: the pictures, or latents of pictures.

        Raises:
          UserError: if it is not known where the pictures come from, photographs are not there any
            more, or the folder may not be used.
        """
        if self.paste_back is None:
            return
        places = _placements(pending)
        viz.check_folder(self.paste_back, self.overwrite)
        targets.check_apart([place.photo for place in places], [os.fspath(self.paste_back)])
        check_photographs(places)


@dataclass(frozen=True, eq=False)
class PastedPhotographs:
    """Photographs with faces in their places; each is made when it is asked for.

    Attributes:
      faces: by the name of the result.
      feather: as for `pasting.pasted`.
      facts: what their files say besides the command, JSON-able.
    """

    faces: Mapping[str, Sequence[Face]]
    feather: float = FEATHER
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.faces)

    def images(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names and pictures, uint8 [H, W, C], of the size of the photographs."""
        for name in self.faces:
            yield name, self._made(name)[0]

    def write(
        self,
        folder: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
        report: Reporter = QUIET,
    ) -> None:
        """Writes NAME.png of each to a folder.

        Raises:
          UserError: if the folder may not be used, the disk refuses, or a photograph is not there.
        """
        text = provenance.png_text(command, self.facts)
        with (
            report.progress(len(self), "photographs") as advance,
            viz.writing_folder(folder, overwrite) as place,
        ):
            for name in self.faces:
                image, photo = self._made(name)
                with open(place / f"{name}.png", "wb") as file:
                    viz.save_png(file, image, text, photo.profile_of(image))
                advance(1)

    def _made(self, name: str) -> tuple[np.ndarray, Photograph]:
        faces = self.faces[name]
        photo = read_photograph(faces[0].placement)
        return pasted(photo.pixels, faces, self.feather), photo


def paste_back(
    latents: LatentBatch,
    images: Mapping[str, np.ndarray],
    left: Sequence[np.ndarray | None] | None = None,
    feather: float = FEATHER,
    facts: Mapping[str, Any] | None = None,
) -> PastedPhotographs:
    """Photographs with pictures where those were cut out whose latents are given.

    Args:
      latents: N of pictures, which know their places.
      images: of each network by its name, uint8 [N, R, R, C].
      left: where the photograph of each stays as it is, float32 [R, R] or None.
      feather: as for `pasting.pasted`.
      facts: what the files say besides.

    Returns:
      a photograph for each file and network.

    Raises:
      UserError: if the latents do not know their places.
    """
    places = _placements(latents)
    names = result_names([place.photo for place in places], list(images))
    faces: dict[str, list[Face]] = {}
    for network, placed in faces_of(places, images, left).items():
        for face in placed:
            faces.setdefault(names[face.placement.photo, network], []).append(face)
    return PastedPhotographs(faces, feather, facts or {})


def faces_of(
    places: Sequence[Placement],
    images: Mapping[str, np.ndarray],
    left: Sequence[np.ndarray | None] | None = None,
) -> dict[str, list[Face]]:
    """N pictures of each network, uint8 [N, R, R, C], with their places; as for `paste_back`."""
    return {
        network: [
            Face(drawn[row], place, left[row] if left else None) for row, place in enumerate(places)
        ]
        for network, drawn in images.items()
    }


def result_names(photos: Sequence[str], networks: Sequence[str]) -> dict[tuple[str, str], str]:
    """How the results of photographs are called, by the photograph and the network that draws.

    Args:
      photos: their files, each once or more.
      networks: names; of several, results bear them.
    """
    different = list(dict.fromkeys(photos))
    endings = [f"-{one.replace(os.sep, '_').replace('/', '_')}" for one in networks]
    if _collide(endings):
        endings = [f"-{number}{ending}" for number, ending in enumerate(endings)]
    endings = endings if len(networks) > 1 else [""]
    stems = [os.path.splitext(os.path.basename(photo))[0] for photo in different]
    joined = [stem + ending for stem in stems for ending in endings]
    if _collide(joined):
        stems = [f"{number:04d}_{stem}" for number, stem in enumerate(stems)]
    return {
        (photo, network): stem + ending
        for network, ending in zip(networks, endings, strict=True)
        for photo, stem in zip(different, stems, strict=True)
    }


def _collide(names: Sequence[str]) -> bool:
    """Whether some disk takes two names for one."""
    return len({name.lower() for name in names}) < len(names)


def with_pictures(latents: LatentBatch, config: GeneratorConfig) -> LatentBatch:
    """Latents with the pictures that they are of, cut out again if they know from where.

    Args:
      latents: of a network.
      config: its sizes.

    Raises:
      UserError: if a photograph is not there any more.
    """
    if latents.pictures is not None or latents.placements is None:
        return latents
    channels, resolution = config.img_channels, config.img_resolution
    known: dict[str, Image.Image] = {}
    crops = []
    for place in latents.placements:
        if not place.photo:
            return latents
        if place.photo not in known:
            pixels = read_photograph(place).pixels
            plain = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
            known = {place.photo: as_mode(plain, channels)}  # one at a time: they are large
        crop = np.asarray(cropped(known[place.photo], place, resolution))
        crops.append(crop.reshape(resolution, resolution, channels))
    return dataclasses.replace(latents, pictures=np.stack(crops))


def known_placements(pending: Pending) -> tuple[Placement, ...] | None:
    """Where pictures, or latents of pictures, lie in their photographs; None if nobody says it."""
    if isinstance(pending, PendingInversion):
        return targets.placements_of_targets(pending.targets.targets)
    return pending.placements


def _placements(pending: Pending) -> tuple[Placement, ...]:
    places = known_placements(pending)
    if places is None:
        raise UserError(
            "these latents do not say where in which photograph they belong; give pictures, or "
            "the files of `aligned invert`"
        )
    if not all(place.photo for place in places):
        raise UserError("pictures in memory have no file; give the names of photographs")
    return places
