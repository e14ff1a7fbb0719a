"""Latents whose images are like given pictures."""

import contextlib
import dataclasses
import os
from typing import Any, Unpack

from aligned_jax import inversion, viz
from aligned_jax.errors import UserError
from aligned_jax.inversion import Inverted, setup
from aligned_jax.inversion.options import GivenSettings
from aligned_jax.jobs.inversion.films import FRAMES, Films
from aligned_jax.jobs.inversion.folder import InversionFolder
from aligned_jax.jobs.inversion.request import (
    InversionRequest,
    PictureSource,
    check_given,
    image_names,
    request_inversions,
)
from aligned_jax.jobs.inversion.results import InvertedImage, InvertedImages
from aligned_jax.jobs.inversion.tuning import PIVOT, WORSE, TuneOptions, Tuner
from aligned_jax.jobs.picture_cuts import AlignWord
from aligned_jax.loading import NetworkSource
from aligned_jax.provenance import Command
from aligned_jax.utils.reporting import QUIET, Advance, Reporter


def invert(
    network: NetworkSource,
    images: PictureSource,
    *,
    space: str | None = None,
    encoder: str | os.PathLike[str] | None = None,
    start: str | os.PathLike[str] | None = None,
    label: int | None = None,
    perceptual: str = "vgg",
    pixels: float = 0.0,
    align: AlignWord = "center",
    seed: int = 0,
    batch: int | None = None,
    network_key: str = "G_ema",
    out: str | os.PathLike[str] | None = None,
    video: bool = False,
    overwrite: bool = False,
    tune: TuneOptions | None = None,
    command: Command = Command(),  # noqa: B008  # it cannot change
    report: Reporter = QUIET,
    **settings: Unpack[GivenSettings],
) -> InvertedImages:
    """Finds latents whose images are like the given ones.

    Unlike that of `generate`, `translate` and `morph`, whose results are written by their own
    `write`, `out` is written by this function, an image at a time, so that what was stopped can
    go on.

    What cannot be read, or grows beyond all bounds, is named in `skipped` of the result and
    does not stop the others.

    Args:
      network: a name, or a loaded network.
      images: a picture, folder or zip, or several of them; or uint8 [N, H, W, 1, 3 or 4].
      space: "z", "z+", "w", "w+" or "s"; by default w, or the encoder's.
      encoder: name of an encoder whose latents are the results; nothing is optimised.
      start: name of an encoder at whose latents the optimisation begins.
      label: class of a conditional network.
      perceptual: network of LPIPS, "vgg", "alex" or "none".
      pixels: weight of the mean squared difference of pixels.
      align: how pictures are cut, as for `PictureOptions`.
      seed: of all random numbers.
      batch: images times restarts at a time; by default 8, or as many as fit into half of the
        memory, and one on a CPU.
      network_key: "G_ema" or "G" of a network that is loaded.
      out: a folder, to which all is written as soon as it is known. If such a call was stopped,
        the same call goes on from there.
      video: write films of how the images came about as well.
      overwrite: replace what the folder holds.
      tune: how the network is tuned at the latents that were found, in w or w+ (PTI); None for not
        at all. Settings that are not given are those of `jobs.inversion.tuning.PIVOT` then.
      command: that the results shall name.
      report: hears of every step, and of a stop.
      settings: of `inversion.Settings`, by name.

    Raises:
      UserError: before any work, if something cannot be read or options contradict each other;
        later if not one inversion stays finite, or the disk refuses.
    """
    check_given(settings, encoder, start, video, out)
    setup.check_perceptual(perceptual, pixels)
    if tune and encoder is None:
        settings = GivenSettings(**{**PIVOT, **_known(settings)})  # type: ignore[typeddict-item]
    folder = None
    if out is not None:
        folder = InversionFolder(out, command, overwrite, video)
        folder.check()
    request = request_inversions(
        network,
        images,
        settings,
        space=space,
        encoder=encoder,
        start=start,
        label=label,
        perceptual=perceptual,
        pixels=pixels,
        align=align,
        seed=seed,
        batch=batch,
        network_key=network_key,
        command=command,
    )
    if folder:
        networks = [network, encoder, start] if tune else []
        given = [os.fspath(one) for one in networks if isinstance(one, str | os.PathLike)]
        folder.check_apart([*image_names(images), *given], request.targets, bool(tune))
    setup.warn_passed(request.targets, report)
    tuner = Tuner(request, tune, folder) if tune else None
    loss = setup.perceptual_of(perceptual, pixels)
    return InversionRun(request, loss, folder, report, video, tuner).all()


def _known(given: GivenSettings) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


class InversionRun:
    """The inversion of all images of a request, some of which may be done already.

    Attributes:
      done: results by number of the image.
      skipped: why others have none, by file.
      films: frames of the images, if they are wanted.
    """

    def __init__(
        self,
        request: InversionRequest,
        loss: inversion.Perceptual,
        folder: InversionFolder | None,
        report: Reporter,
        video: bool,
        tuner: Tuner | None = None,
    ) -> None:
        """Starts with nothing.

        Args:
          request: what is inverted, and how.
          loss: what is made small.
          folder: where results are written, and may be already; None if they are not.
          report: hears of a stop.
          video: whether films are wanted.
          tuner: of the network at what was found; None for not at all.
        """
        self._request, self._loss, self._folder, self._report = request, loss, folder, report
        self._video, self._tuner = video, tuner
        self.done: dict[int, InvertedImage] = {}
        self.skipped = dict(request.targets.skipped)
        self.films: Films | None = None

    def all(self) -> InvertedImages:
        """Inverts and tunes, and writes every image as soon as it is done.

        What an earlier run of the same command has left is taken as it is. If this
        one is stopped, table and page of what is done are written all the same.

        Raises:
          UserError: if not one inversion, or not one tuning, stays finite, or the disk refuses.
        """
        request, report = self._request, self._report
        try:
            with report.progress(len(request.targets) * request.settings.steps, "steps") as advance:
                self._invert(advance)
            self._tune()
        except BaseException as stop:
            with contextlib.suppress(UserError):  # what has stopped us is to be told
                self._conclude(finished=False)
            if self._folder and self.done and isinstance(stop, KeyboardInterrupt | SystemExit):
                tuned = sum(one.tuned is not None for one in self.done.values())
                also = f", {tuned} of them tuned" if self._tuner else ""
                self._report.warn(
                    f"stopped after {len(self.done)} of {len(self._request.targets)} images{also}; "
                    "the same command goes on from there"
                )
            raise
        if not self.done:
            raise UserError(
                "not one inversion stayed finite; use a smaller `learning_rate`, or look at the "
                "network"
            )
        self._conclude(finished=True)
        return self._results()

    def _invert(self, advance: Advance) -> None:
        request, steps = self._request, self._request.settings.steps
        if self._folder and self._folder.unfinished:
            advance(self._take(self._folder) * steps)
        todo = [number for number in range(len(request.targets)) if number not in self.done]
        if not todo:
            return
        self.films = Films(todo, steps) if self._video else None
        also = self.films.watch if self.films else None
        numbers = iter(todo)
        for part in request.parts(todo, self._loss, advance, also, max(1, steps // FRAMES)):
            for index in range(len(part.latent)):
                self.keep(part, index, next(numbers))
            if self._folder and self.done:
                self._folder.write_table(request, self._results(), finished=False)

    def _tune(self) -> None:
        """Tunes the network at what was found, and writes as soon as something is finished."""
        if not (self._tuner and self.done):
            return
        numbers, images = sorted(self.done), self._results().images
        with self._report.progress(self._tuner.steps * len(images), "tuning steps") as advance:
            for places, tuned in self._tuner.all(images, advance):
                for place, one in zip(places, tuned, strict=False):
                    self.done[numbers[place]] = dataclasses.replace(images[place], tuned=one)
                if not tuned:
                    self.skipped |= {images[place].target.file: WORSE for place in places}
                if self._folder:
                    self._folder.write_table(self._request, self._results(), finished=False)
        if not any(one.tuned for one in self.done.values()):
            raise UserError("no tuning stayed finite; use a smaller rate, or look at the network")

    def _take(self, folder: InversionFolder) -> int:
        """Takes what an earlier run has left; returns of how many images."""
        for number, target in enumerate(self._request.targets.targets):
            if result := folder.read(self._request, target):
                self.done[number] = result
        return len(self.done)

    def keep(self, part: Inverted, index: int, number: int) -> None:
        """Keeps and writes one image's results; skips it if they are not finite.

        Args:
          part: inversions of several images.
          index: of the image among them.
          number: of the image among all.
        """
        request = self._request
        target = request.targets.targets[number]
        frames = self.films.take(number, int(part.restart[index])) if self.films else []
        if not part.finite[index]:
            self.skipped[target.file] = setup.DIVERGED
            return
        facts = request.facts(target)
        single = inversion.single(request.network, part, index, facts, request.label)
        result = InvertedImage(target, viz.to_uint8(part.images[index]), single)
        if self._folder:
            self._folder.write(request, result, frames)
        self.done[number] = result

    def _conclude(self, finished: bool) -> None:
        """Writes the table and the page, if there is anything to tell."""
        if self._folder and self.done:
            results = self._results()
            self._folder.write_table(self._request, results, finished)
            self._folder.write_page(self._request, results)

    def _results(self) -> InvertedImages:
        """What is done, in the order of the images."""
        images = tuple(self.done[number] for number in sorted(self.done))
        request = self._request
        return InvertedImages(request.network, request.settings, images, self.skipped)
