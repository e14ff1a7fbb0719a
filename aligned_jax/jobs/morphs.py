"""Morphs from a picture of one network to a picture of another: films, and the whole plane."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax import morphing, translation, viz
from aligned_jax.ancestry import warn_unrelated
from aligned_jax.data import targets
from aligned_jax.errors import UserError
from aligned_jax.jobs.films import check_count, in_turn
from aligned_jax.jobs.key_frames import KeyFrame, asked_keys
from aligned_jax.jobs.pasted_films import MorphFilm, check_pasted, place_of
from aligned_jax.jobs.pasting import PasteOptions
from aligned_jax.jobs.sources import PictureOptions, Source, SourceOptions, Usage, file_names
from aligned_jax.latents import noise_fields
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import Noise, RenderOptions
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import counted
from aligned_jax.viz.sheet import Sheet, check_sheet


@dataclass(frozen=True, eq=False)
class MorphGrid:
    """The plane of a morph.

    Attributes:
      sheet: weights in rows, latents in columns.
      usage: what of the options counted.
    """

    sheet: Sheet
    usage: Usage


class MorphOptions(TypedDict, total=False):
    """What films and grids have in common.

    Attributes:
      space: of z, z+, w and w+, that in which pictures are inverted; None is w+, or the encoder's.
      psi: truncation of z. None is 0.5, or that of files and encoders.
      noise: the same in all images: "const", "none" or "random".
      noise_seed: of random noise.
      label: class of conditional networks.
      batch: images at a time.
      pictures: how pictures are inverted.
      network_key: "G_ema" or "G" of networks that are loaded.
      out: where the result will be written, if it will: what cannot be is refused before any work.
      overwrite: of what is there.
      report: hears of every step and image, and of strangers.
    """

    space: str | None
    psi: float | None
    noise: str
    noise_seed: int
    label: int | None
    batch: int
    pictures: PictureOptions
    network_key: str
    out: str | os.PathLike[str] | None
    overwrite: bool
    report: Reporter


def morph(
    parent: NetworkSource,
    child: NetworkSource | None,
    *keys: Source,
    frames: int = 60,
    fps: float = 20.0,
    easing: str = "smooth",
    hold: int = 10,
    ping_pong: bool = False,
    loop: bool = False,
    scale: int = 1,
    lossless: bool = False,
    paste: PasteOptions = PasteOptions(),  # noqa: B008  # it cannot change
    **options: Unpack[MorphOptions],
) -> MorphFilm:
    """Films the way from A in the parent to B in the child (StyleAlign, figures 24 to 27).

    Latents go in W+ from A to B, and the weights that render go from the parent to the child, both
    at once. A z is mapped once, by its own network and truncated towards its own mean of w.

    There may be more key frames than A and B. The weights go on by the same amount from each to
    the next, and a key frame on the way is a latent of the blend that draws it: the film shows
    what `generate` shows of that latent and that blend.

    Args:
      parent, child: names, or loaded networks; no child leaves the weights as they are.
      keys: latents, the first of the parent and the last of the child: seeds, rows of files of
        latents, pictures, or latents. Lists of seeds and whole files are as many key frames as
        they hold; together there must be two or more.
      frames: from a key frame to the next, both included.
      fps: frames a second.
      easing: of the way between two key frames, one of `morphing.EASINGS`.
      hold: frames that every key frame lasts longer.
      ping_pong: goes back as well, for a loop.
      loop: goes on from the last key frame to the first, which is not shown again.
      scale: a pixel becomes a square of so many pixels in the file.
      lossless: whether a webp will be written so.
      paste: whether the film `in_photograph` will be written too, under a name like that of `out`,
        and how wide its seam is. It lies where the first key frame does that was cut out of a
        photograph.
      options: see `MorphOptions`; a film is NAME.webp, NAME.mp4, NAME.gif or a folder of frames.

    Returns:
      A film whose pictures were inverted, if there were any, and whose frames are drawn when they
      are wanted.

    Raises:
      UserError: if something cannot be read, does not fit, or contradicts something else; or if not
        one inversion stays finite.
    """

    def times(keys: int) -> np.ndarray:
        check_count((frames + hold) * keys)
        return morphing.timeline(frames, easing, hold, ping_pong, keys, loop)

    def check(out: str | os.PathLike[str], overwrite: bool, keys: int, size: int | None) -> None:
        shape = None if size is None else (len(times(keys)), size, size)
        viz.check_video(out, overwrite, fps, shape, scale, lossless)

    times(2)  # looks at the options
    way = _way(parent, child, keys, check, **options)
    place = place_of([key.pending for key in way.keys])
    count = len(times(len(way.keys)))
    check_pasted(paste, place, count, fps, lossless)
    latents = way.inverted()
    # Held frames are drawn once, and so are those on the way back.
    drawn, places = np.unique(times(len(latents)), return_inverse=True)

    def draw() -> Iterator[np.ndarray]:
        parts = morphing.path(way.first, way.second, latents, drawn, way.noise, way.batch, loop)
        return in_turn((frame for part in parts for frame in viz.to_uint8(part)), places)

    config = way.first.config
    shape = (len(places), config.img_resolution, config.img_resolution, config.img_channels)
    return MorphFilm(shape, draw, fps, scale, way.usage, place, paste.feather)


def morph_grid(
    parent: NetworkSource,
    child: NetworkSource,
    a: Source,
    b: Source,
    rows: int = 5,
    columns: int = 5,
    **options: Unpack[MorphOptions],
) -> MorphGrid:
    """Draws the whole plane through which `morph` goes.

    Args:
      parent, child, a, b: as for `morph`.
      rows: steps of the weights, from the parent down to the child.
      columns: steps of the latents, from A right to B.
      options: see `MorphOptions`; a grid is NAME.png or NAME.html.

    Raises:
      UserError: as `morph`.
    """
    way = _way(parent, child, [a, b], _check_sheet, **options)
    if way.second is None or len(way.keys) != 2:
        raise UserError(
            "a grid has two networks and two key frames, A and B; "
            f"{counted(len(way.keys), 'key frame')} in {counted(len(way.names), 'network')} were "
            "given. A file's row is named like F.npz@0"
        )
    first, last = way.inverted()
    images = []
    with way.report.progress(rows * columns, "images") as advance:
        ends = (way.first, way.second, first, last)
        for row in morphing.grid(*ends, rows, columns, way.noise, way.batch):
            images.append(viz.to_uint8(row))
            advance(columns)
    weights, latents = (
        tuple(f"{name} {t:.3g}" for t in np.linspace(0, 1, count))
        for name, count in (("weights", rows), ("latents", columns))
    )
    title = f"From {way.names[0]} to {way.names[1]}"
    sheet = Sheet(np.stack(images), weights, latents, title=title, facts=way.facts)
    return MorphGrid(sheet, way.usage)


def _check_sheet(out: str | os.PathLike[str], overwrite: bool, keys: int, size: int | None) -> None:
    check_sheet(out, overwrite)


@dataclass(frozen=True, eq=False)
class _Way:
    """Networks and key frames of a morph.

    Attributes:
      first, second: parent and child; None for a film of one network.
      names: of the networks.
      keys: two or more.
      noise: of all images, as `morphing.images` takes it.
      batch: images at a time.
      usage: what of the options counted.
      report: hears of the images.
    """

    first: Network
    second: Network | None
    names: tuple[str, ...]
    keys: tuple[KeyFrame, ...]
    noise: Noise
    batch: int
    usage: Usage
    report: Reporter

    def inverted(self) -> list[np.ndarray]:
        """The key frames in W+, [1, L, w_dim] each; pictures are inverted now."""
        return [key.inverted(self.report) for key in self.keys]

    @property
    def facts(self) -> dict[str, str]:
        """What a page says of the key frames."""
        told = {f"latent {key.name}": key.asked.summary for key in self.keys}
        return {name: summary for name, summary in told.items() if summary}


def _way(
    parent: NetworkSource,
    child: NetworkSource | None,
    keys: Sequence[Source],
    check: Callable[[str | os.PathLike[str], bool, int, int | None], None],
    space: str | None = None,
    psi: float | None = None,
    noise: str = "const",
    noise_seed: int = 0,
    label: int | None = None,
    batch: int = 8,
    pictures: PictureOptions = PictureOptions(),  # noqa: B008  # it cannot change
    network_key: str = "G_ema",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> _Way:
    """Loads, and looks at all key frames before one is inverted; arguments as of `morph`.

    `check` looks at `out` and `overwrite`, first of all, and again when the number of key frames
    and the images' size are known.
    """
    RenderOptions(noise=noise, noise_seed=noise_seed, batch=batch)  # looks at them
    if out is not None:
        check(out, overwrite, 2, None)
        named = [name for source in keys for name in file_names(source)]
        targets.check_apart(named, [os.fspath(out)])
    if not keys:
        morphing.check_keys(0)
    (name, first), *others = (
        named_network(source, network_key) for source in (parent, child) if source is not None
    )
    viz.check_channels(first.config.img_channels)
    second = others[0][1] if others else None
    if second is not None and child is not None:
        translation.check_aligned(first, second)
        warn_unrelated((parent, child), (first, second), report)
    options = SourceOptions(label, translation.Truncation(psi), "w+", batch, pictures.shared())
    asked = asked_keys(first, second, keys, space, options)
    if out is not None:
        check(out, overwrite, len(asked), first.config.img_resolution)
    return _Way(
        first=first,
        second=second,
        names=(name, *(other for other, _ in others)),
        keys=asked,
        noise=still_noise(first, noise, noise_seed),
        batch=batch,
        usage=Usage.of([key.asked for key in asked], noise),
        report=report,
    )


def still_noise(network: Network, noise: str, seed: int) -> Noise:
    """One for all frames, as `morphing.images` takes it."""
    if noise != "random":
        return noise
    drawn = noise_fields(network.config, jax.random.key(seed), jnp.zeros(1, jnp.uint32))
    return {layer: field[0] for layer, field in drawn.items()}
