"""Films, edited or translated frame by frame."""

import collections
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aligned_jax import viz
from aligned_jax.data import targets
from aligned_jax.data.footage import Footage, open_footage
from aligned_jax.data.tracks import find_track
from aligned_jax.errors import UserError
from aligned_jax.jobs.editing import AUTO, EditRequest, edit
from aligned_jax.jobs.edits.part_masks import named_mask
from aligned_jax.jobs.edits.words import WordOptions, read_edits
from aligned_jax.jobs.footage.drawing import Flicker, FrameDrawing, Painter
from aligned_jax.jobs.footage.inverting import count_diverged, invert_film
from aligned_jax.jobs.footage.keys import frames_key, latents_key, white_picture
from aligned_jax.jobs.footage.options import FilmOptions, RedrawnFilm, unfinished_folder
from aligned_jax.jobs.footage.work import FilmWork, own_films
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
    words = [repr([edit.key() for edit in family.recipe.edits])]
    redrawn = work.run(os.fspath(out), family.networks, words, command, overwrite, report)
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

    usage = Usage.of([pending], noise or chosen.noise)
    work = _Redrawing(footage, pending, painted, options, paste, pictures, usage)
    words = [repr([edit.key() for edit in moves])]
    return work.run(os.fspath(out), {child_name: target}, words, command, overwrite, report)


def _opened(
    film: str | os.PathLike[str],
    out: str | os.PathLike[str],
    paste: PasteOptions,
    overwrite: bool,
) -> Footage:
    """The film, after a look at where the results go."""
    results = [os.fspath(path) for path in (out, paste.paste_back) if path is not None]
    targets.check_apart([os.fspath(film)], results)
    inside = os.path.join(os.path.realpath(film), "")
    own = own_films(unfinished_folder(out))
    for path in results:
        if os.path.realpath(path).startswith(inside):
            raise UserError(f"{path} lies among the frames of {os.fspath(film)}; choose another")
        viz.check_video(path, overwrite or path in own)
    return open_footage(film)


def _pending(network: Network, space: str | None, options: SourceOptions) -> PendingInversion:
    """How squares are inverted, said of one that is white."""
    plain = replace(options, pictures=replace(options.pictures, align="none"))
    [pending] = read_source(network, white_picture(network), [space], plain)
    if not isinstance(pending, PendingInversion):  # for type checkers: arrays always are
        raise TypeError("pictures in an array are inverted, and this one was not")
    return pending


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
        networks: Mapping[str, Network],
        words: Sequence[str],
        command: Command,
        overwrite: bool,
        report: Reporter,
    ) -> RedrawnFilm:
        """All that is not done yet; then the films are written, and the folder is removed."""
        footage, window, pending = self.footage, self.options.window, self.pending
        block = max(_SMALLEST_BLOCK, pending.batch)
        align = alignment_of(self.pictures.align)
        squares = latents_key(footage, pending, align, self.pictures, self.options, block)
        words = [*words, repr((self.options, self.paste.paste_back is None, self.paste.feather))]
        drawn = frames_key(self.painter, pending, networks.values(), words)
        work = FilmWork.begin(unfinished_folder(out), block, squares, drawn, overwrite)
        found = work.track()
        if found is None:
            with report.progress(footage.expected, "frames looked at") as advance:
                found = find_track(footage, align, advance)
            work.keep_track(found)
        count, track = len(found), found.smoothed(window)
        films = self._films(out, count, len(networks))
        for film in films.values():
            known = overwrite or film.path in own_films(work.path)
            viz.check_video(film.path, known, footage.fps, film.shape, film.scale)
        with report.progress(count, "frames inverted") as advance:
            invert_film(footage, track, pending, work, advance)
        feather = None if self.paste.paste_back is None else self.paste.feather
        config, psi = pending.network.config, pending.psi
        drawing = FrameDrawing(footage, track, config, psi, window, self.painter, feather)
        with report.progress(count, "frames drawn") as advance:
            drawing.draw(work, advance)
        flicker = self._write(films, work, count, len(networks), command, overwrite, report)
        result = RedrawnFilm(
            out,
            None if self.paste.paste_back is None else os.fspath(self.paste.paste_back),
            count,
            footage.fps,
            dict(zip(networks, flicker[1:].tolist(), strict=True)),
            float(flicker[0]),
            int((~found.found).sum()),
            count_diverged(work, count),
            tuple(
                film.path
                for film in films.values()
                if footage.sound and not film.path.endswith(".mp4")
            ),
            self.usage,
        )
        work.remove()
        return result

    def _films(self, out: str, count: int, networks: int) -> dict[str, "_Film"]:
        """What is written, by the kind of its frames."""
        side, paste = self.pending.network.config.img_resolution, self.paste.paste_back
        width = side * (networks + self.options.beside)
        films = {"squares": _Film(out, (count, side, width), self.options.scale)}
        if paste is not None:
            films["whole"] = _Film(os.fspath(paste), (count, *self.footage.size[::-1]))
        return films

    def _write(
        self,
        films: Mapping[str, "_Film"],
        work: FilmWork,
        count: int,
        networks: int,
        command: Command,
        overwrite: bool,
        report: Reporter,
    ) -> np.ndarray:
        """Writes the films; returns the flicker of what was cut out and of each network."""
        footage, text = self.footage, png_text(command.line)
        sound = viz.Sound(footage.name, footage.sound) if footage.sound else None
        flicker = Flicker(1 + networks)
        with report.progress(count * len(films), "frames written") as advance:

            def frames(kind: str) -> Iterator[np.ndarray]:
                for number in range(count):
                    yield work.frame(kind, number)
                    advance(1)

            for kind, film in films.items():
                passing = frames(kind) if kind == "whole" else flicker.watched(frames(kind))
                if film.path in own_films(work.path):
                    collections.deque(passing, maxlen=0)  # before a stop
                    continue
                shape = (*film.shape, work.frame(kind, 0).shape[2])
                # Squares have what was cut out on their left, whether it is shown or not.
                stream = viz.FrameStream(shape, (frame[:, -shape[2] :] for frame in passing))
                viz.save_video(
                    film.path, stream, footage.fps, text, overwrite, film.scale, sound=sound
                )
                work.note_film(film.path)
        return flicker.means


@dataclass(frozen=True)
class _Film:
    """A film to be written: number, height and width of its frames, and their scale."""

    path: str
    shape: tuple[int, int, int]
    scale: int = 1
