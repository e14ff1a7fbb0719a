"""Films, edited or translated frame by frame."""

import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.data import targets
from aligned_jax.data.faces import FaceTable
from aligned_jax.data.footage import Footage, open_footage
from aligned_jax.data.placements import of_middle
from aligned_jax.data.tracks import find_track
from aligned_jax.errors import UserError
from aligned_jax.jobs.editing import AUTO, EditRequest, edit
from aligned_jax.jobs.edits.part_masks import named_mask
from aligned_jax.jobs.edits.words import WordOptions, read_edits
from aligned_jax.jobs.footage.drawing import Flicker, FrameDrawing, Painter
from aligned_jax.jobs.footage.inverting import count_diverged, invert_film
from aligned_jax.jobs.footage.options import FilmOptions, RedrawnFilm, unfinished_folder
from aligned_jax.jobs.footage.work import FilmWork
from aligned_jax.jobs.keeping import KeepOptions
from aligned_jax.jobs.pasting import PasteOptions
from aligned_jax.jobs.pending import PendingInversion
from aligned_jax.jobs.picture_cuts import alignment_of
from aligned_jax.jobs.picture_translation import translate
from aligned_jax.jobs.sources import PictureOptions, SourceOptions, Usage, read_source
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command, png_text
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.pasting import Face
from aligned_jax.semantics.edits import Edit
from aligned_jax.translation import Truncation, preset_and_spaces
from aligned_jax.utils import checksums
from aligned_jax.utils.reporting import QUIET, Reporter

_SMALLEST_BLOCK = 8
_NOTHING = Command()


def edit_film(
    networks: Sequence[NetworkSource],
    request: EditRequest,
    film: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    options: FilmOptions = FilmOptions(),  # noqa: B008  # it cannot change
    invert_space: str | None = None,
    pictures: PictureOptions = PictureOptions(),  # noqa: B008
    keep: KeepOptions = KeepOptions(),  # noqa: B008
    paste: PasteOptions = PasteOptions(),  # noqa: B008
    names: Sequence[str] | None = None,
    psi: float | None = None,
    label: int | None = None,
    batch: int = 8,
    network_key: str = "G_ema",
    command: Command = _NOTHING,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> RedrawnFilm:
    """Edits a face in a film, and writes films of its square and of the whole frames.

    A square of every frame is inverted in the first network, for itself; places of squares and
    latents are averaged over a window of frames. One frame at a time is in memory, and what is
    done waits in a folder beside `out`: the same call goes on after a stop.

    Args:
      networks, request, invert_space, keep, names, psi, label, batch, network_key: as of `edit`.
      film: as of `open_footage`.
      out: NAME.mp4, NAME.webp, NAME.gif or a folder of frames for the squares, those of several
        networks side by side.
      options: how the film is taken apart.
      pictures: how squares are inverted and cut; see `tracks.find_track` for tables of faces.
      paste: `paste_back` is another such film, of the whole frames.
      command: that the results name, by which a stopped one knows its drawn frames again.
      overwrite: replace results, and drop unfinished work of other films.
      report: hears of every frame.

    Raises:
      UserError: as `edit`, or if the film cannot be read or written, or has no face.
    """
    if request.strength == AUTO or request.random is not None:
        raise UserError(
            "what an edit of a film does is decided before: give a strength in numbers, and a "
            "channel by name"
        )
    footage, parent = _opened(film, out, paste, overwrite), named_network(networks[0], network_key)
    source = SourceOptions(label, Truncation(psi, usual=0.7), "w+", batch, pictures)
    pending = _pending(parent[1], invert_space, source)
    family = edit(
        [parent[1], *networks[1:]],
        request,
        latents=pending.template(),
        keep=keep,
        names=names or [parent[0], *(named_network(one, network_key)[0] for one in networks[1:])],
        psi=psi,
        label=label,
        batch=batch,
        network_key=network_key,
        report=report,
    )
    if paste.paste_back is not None and len(family.networks) > 1:
        raise UserError(
            f"{len(family.networks)} networks draw the face, and a whole frame has room for one: "
            "leave the others out"
        )
    usage = Usage.of([pending], family.usage.noise)
    work = _Redrawing(footage, pending, family.faces, options, paste, pictures, usage)
    redrawn = work.run(os.fspath(out), tuple(family.networks), command, overwrite, report)
    return replace(redrawn, recipe=family.recipe)


def translate_film(
    parent: NetworkSource,
    child: NetworkSource,
    film: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    options: FilmOptions = FilmOptions(),  # noqa: B008  # it cannot change
    space: str | None = None,
    preset: str = "plain",
    edits: Sequence[str | Edit] = (),
    psi: float | None = None,
    noise: str | None = None,
    noise_seed: int = 0,
    label: int | None = None,
    batch: int = 8,
    pictures: PictureOptions = PictureOptions(),  # noqa: B008
    keep: KeepOptions = KeepOptions(),  # noqa: B008
    paste: PasteOptions = PasteOptions(),  # noqa: B008
    network_key: str = "G_ema",
    command: Command = _NOTHING,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> RedrawnFilm:
    """Translates a face in a film, and writes films of its square and of the whole frames.

    As `edit_film`; all frames have the same noise, also where it is random.

    Args:
      parent, child, space, preset, psi, noise, noise_seed, label, batch, keep, network_key: as of
        `translate`.
      film, out, options, pictures, paste, command, overwrite, report: as of `edit_film`.
      edits: of the child's latents.

    Raises:
      UserError: as `translate`, or if the film cannot be read or written, or has no face.
    """
    footage = _opened(film, out, paste, overwrite)
    (parent_name, source), (child_name, target) = (
        named_network(network, network_key) for network in (parent, child)
    )
    chosen, [wanted] = preset_and_spaces(preset, space)
    given = SourceOptions(label, Truncation(psi, chosen.psi), "z", batch, pictures)
    pending = _pending(source, wanted, given)
    moves = read_edits(parent_name, source, edits, WordOptions(label=label), report)
    mask = named_mask(keep.keep, keep.reader)
    kept = KeepOptions(keep=mask, keep_colour=keep.keep_colour)

    def painted(latents: LatentBatch, told: Reporter = QUIET) -> dict[str, list[Face]]:
        translation = translate(
            source,
            target,
            latents,
            preset=preset,
            space=wanted if preset != "plain" else None,
            edits=moves,
            psi=psi,
            noise=noise,
            noise_seed=noise_seed,
            label=label,
            batch=batch,
            keep=kept,
            report=told,
        )
        [faces] = translation.faces().values()
        return {child_name: faces}

    _try(painted, pending, report)
    usage = Usage.of([pending], noise or chosen.noise)
    work = _Redrawing(footage, pending, painted, options, paste, pictures, usage)
    return work.run(os.fspath(out), (child_name,), command, overwrite, report)


def _opened(
    film: str | os.PathLike[str],
    out: str | os.PathLike[str],
    paste: PasteOptions,
    overwrite: bool,
) -> Footage:
    """The film, after a look at where the results go."""
    results = [os.fspath(path) for path in (out, paste.paste_back) if path is not None]
    targets.check_apart([os.fspath(film)], results)
    for path in results:
        viz.check_video(path, overwrite)
    return open_footage(film)


def _pending(network: Network, space: str | None, options: SourceOptions) -> PendingInversion:
    """How squares are inverted, said of one that is white."""
    plain = replace(options, pictures=replace(options.pictures, align="none"))
    [pending] = read_source(network, _white(network), [space], plain)
    if not isinstance(pending, PendingInversion):  # for type checkers: arrays always are
        raise TypeError("pictures in an array are inverted, and this one was not")
    return pending


def _white(network: Network) -> np.ndarray:
    """A white picture of a network's size, uint8 [1, R, R, C]."""
    config = network.config
    shape = (1, config.img_resolution, config.img_resolution, config.img_channels)
    return np.full(shape, 255, np.uint8)


def _try(painted: Any, pending: PendingInversion, report: Reporter) -> None:
    """Draws a made-up latent, so that what does not fit is told before the film is looked at."""
    place = of_middle((1, 1))
    latents = pending.template()
    painted(replace(latents, pictures=_white(pending.network), placements=(place,)), report)


@dataclass(frozen=True, eq=False)
class _Redrawing:
    """A film, how its squares are inverted, and who draws them."""

    footage: Footage
    pending: PendingInversion
    painter: Painter
    options: FilmOptions
    paste: PasteOptions
    pictures: PictureOptions
    usage: Usage

    def run(
        self,
        out: str,
        names: tuple[str, ...],
        command: Command,
        overwrite: bool,
        report: Reporter,
    ) -> RedrawnFilm:
        """All that is not done yet; then the films are written, and the folder is removed."""
        footage, window = self.footage, self.options.window
        block = max(_SMALLEST_BLOCK, self.pending.batch)
        drawn = command.line or secrets.token_hex(16)  # scripts: what draws has no name
        align = alignment_of(self.pictures.align)
        work = FilmWork.begin(
            unfinished_folder(out), block, self._key(align, block), drawn, overwrite
        )
        found = work.track()
        if found is None:
            with report.progress(footage.expected, "frames looked at") as advance:
                found = find_track(footage, align, advance)
            work.keep_track(found)
        count, track = len(found), found.smoothed(window)
        for path in (out, self.paste.paste_back):
            if path is not None:
                viz.check_video(path, overwrite, footage.fps)
        with report.progress(count, "frames inverted") as advance:
            invert_film(footage, track, self.pending, work, advance)
        feather = None if self.paste.paste_back is None else self.paste.feather
        config, psi = self.pending.network.config, self.pending.psi
        drawing = FrameDrawing(footage, track, config, psi, window, self.painter, feather)
        with report.progress(count, "frames drawn") as advance:
            drawing.draw(work, advance)
        flicker = self._write(out, work, count, len(names), command, overwrite, report)
        result = RedrawnFilm(
            out,
            None if self.paste.paste_back is None else os.fspath(self.paste.paste_back),
            count,
            footage.fps,
            dict(zip(names, flicker[1:].tolist(), strict=True)),
            float(flicker[0]),
            int((~found.found).sum()),
            count_diverged(work, count),
            bool(footage.sound) and not out.endswith(".mp4"),
            self.usage,
        )
        work.remove()
        return result

    def _write(
        self,
        out: str,
        work: FilmWork,
        count: int,
        networks: int,
        command: Command,
        overwrite: bool,
        report: Reporter,
    ) -> np.ndarray:
        """Writes the films; returns the flicker of what was cut out and of each network."""
        footage, scale, text = self.footage, self.options.scale, png_text(command.line)
        sound = viz.Sound(footage.name, footage.sound) if footage.sound else None
        films = ["squares"] if self.paste.paste_back is None else ["squares", "whole"]
        with report.progress(count * len(films), "frames written") as advance:

            def frames(kind: str) -> Any:
                for number in range(count):
                    yield work.frame(kind, number)
                    advance(1)

            flicker = Flicker(1 + networks)
            squares = flicker.watched(frames("squares"))
            height, width, channels = work.frame("squares", 0).shape
            first = 0 if self.options.beside else height
            shape = (count, height, width - first, channels)
            stream = viz.FrameStream(shape, (frame[:, first:] for frame in squares))
            viz.save_video(out, stream, footage.fps, text, overwrite, scale, sound=sound)
            if self.paste.paste_back is not None:
                shape = (count, *work.frame("whole", 0).shape)
                stream = viz.FrameStream(shape, frames("whole"))
                viz.save_video(
                    self.paste.paste_back, stream, footage.fps, text, overwrite, sound=sound
                )
        return flicker.means

    def _key(self, align: Any, block: int) -> str:
        """Of all that decides squares and latents."""
        pending, choice = self.pending, self.pending.choice
        words = [self.footage.digest, checksums.checksum(pending.network.variables)]
        words += [checksums.checksum(choice.encoder.variables)] if choice else []
        words += [repr(replace(self.pictures, align="center")), repr(pending.settings)]
        words += [pending.label.tobytes().hex(), str(block), str(self.options.window)]
        if isinstance(align, FaceTable):
            faces = {name: [face.tolist() for face in entry] for name, entry in align.faces.items()}
            words.append(repr(sorted(faces.items())))
        else:
            words.append(align if isinstance(align, str) else align.where)
        return hashlib.sha256("\n".join(words).encode()).hexdigest()
