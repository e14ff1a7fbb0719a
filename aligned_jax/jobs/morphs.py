"""Morphs from a picture of one network to a picture of another: films, and the whole plane."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax import morphing, provenance, translation, viz
from aligned_jax.ancestry import warn_unrelated
from aligned_jax.data import targets
from aligned_jax.errors import UserError
from aligned_jax.jobs.sources import (
    Pending,
    PictureOptions,
    Source,
    SourceOptions,
    Usage,
    file_names,
    latents_of,
    read_source,
)
from aligned_jax.latents import noise_fields
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.draw import Noise, RenderOptions
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz.sheet import Sheet


@dataclass(frozen=True, eq=False)
class Film:
    """The frames of a film, ready to be written.

    Attributes:
      frames: uint8 [T, R, R, C].
      fps: frames a second.
      scale: a pixel becomes a square of so many pixels when it is written.
      usage: what of the options counted.
    """

    frames: np.ndarray
    fps: float
    scale: int
    usage: Usage

    @property
    def summary(self) -> str:
        """The length in words: "70 frames, 3.5 s"."""
        return f"{len(self.frames)} frames, {len(self.frames) / self.fps:.1f} s"

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes NAME.webp or NAME.mp4, which says what command made it.

        Raises:
          UserError: if the target is taken, or the disk or the format refuses.
        """
        text = provenance.png_text(command.line)
        viz.save_video(out, self.frames, self.fps, text, overwrite, self.scale)


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
    child: NetworkSource,
    a: Source,
    b: Source,
    *,
    frames: int = 60,
    fps: float = 20.0,
    easing: str = "smooth",
    hold: int = 10,
    ping_pong: bool = False,
    scale: int = 1,
    **options: Unpack[MorphOptions],
) -> Film:
    """Films the way from A in the parent to B in the child (StyleAlign, figures 24 to 27).

    Latents go in W+ from A to B, and the weights that render go from the parent to the child, both
    at once. A z is mapped once, by its own network and truncated towards its own mean of w.

    Args:
      parent, child: names, or loaded networks.
      a, b: a latent of the parent and one of the child: a seed, a row of a file of latents, a
        picture, or latents.
      frames: from A to B.
      fps: frames a second.
      easing: one of `morphing.EASINGS`.
      hold: frames that either end lasts longer.
      ping_pong: goes back as well, for a loop.
      scale: a pixel becomes a square of so many pixels in the file.
      options: see `MorphOptions`; a film is NAME.webp or NAME.mp4.

    Raises:
      UserError: if something cannot be read, does not fit, or contradicts something else; or if not
        one inversion stays finite.
    """
    times = morphing.timeline(frames, easing, hold, ping_pong)

    def check(out: str | os.PathLike[str], overwrite: bool, size: int | None) -> None:
        shape = None if size is None else (len(times), size, size)
        viz.check_video(out, overwrite, fps, shape, scale)

    way = _way(parent, child, a, b, check, **options)
    # Held frames, and those on the way back, are drawn once.
    drawn, places = np.unique(times.astype(np.float32), return_inverse=True)
    images = []
    with way.report.progress(len(drawn), "frames") as advance:
        for part in morphing.frames(*way.networks, *way.ends, drawn, way.noise, way.batch):
            images.append(viz.to_uint8(part))
            advance(len(part))
    return Film(np.concatenate(images)[places], fps, scale, way.usage)


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
    way = _way(parent, child, a, b, _check_sheet, **options)
    images = []
    with way.report.progress(rows * columns, "images") as advance:
        plane = morphing.grid(*way.networks, *way.ends, rows, columns, way.noise, way.batch)
        for row in plane:
            images.append(viz.to_uint8(row))
            advance(columns)
    weights, latents = (
        tuple(f"{name} {t:.3g}" for t in np.linspace(0, 1, count))
        for name, count in (("weights", rows), ("latents", columns))
    )
    title = f"From {way.names[0]} to {way.names[1]}"
    return MorphGrid(Sheet(np.stack(images), weights, latents, 0, title, way.facts), way.usage)


def _check_sheet(out: str | os.PathLike[str], overwrite: bool, size: int | None) -> None:
    if not os.fspath(out).endswith((".png", ".html")):
        raise UserError(f"{os.fspath(out)}: a grid is a picture; give --out NAME.png or NAME.html")
    viz.check_file(out, overwrite)


@dataclass(frozen=True, eq=False)
class _Way:
    """Both networks and both ends of a morph.

    Attributes:
      networks, names: parent and child.
      ends: W+ [1, L, w_dim] of A and B.
      noise: of all images, as `morphing.images` takes it.
      batch: images at a time.
      facts: what a page says of the ends.
      usage: what of the options counted.
      report: hears of the images.
    """

    networks: tuple[Network, Network]
    names: tuple[str, str]
    ends: tuple[np.ndarray, np.ndarray]
    noise: Noise
    batch: int
    facts: dict[str, str]
    usage: Usage
    report: Reporter


def _way(
    parent: NetworkSource,
    child: NetworkSource,
    a: Source,
    b: Source,
    check: Callable[[str | os.PathLike[str], bool, int | None], None],
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
    """Loads, looks at both ends before either is inverted, and inverts; arguments as of `morph`.

    `check` looks at `out` and `overwrite`, first of all, and again when the images' size is known.
    """
    RenderOptions(noise=noise, noise_seed=noise_seed, batch=batch)  # looks at them
    if out is not None:
        check(out, overwrite, None)
        targets.check_apart([*file_names(a), *file_names(b)], [os.fspath(out)])
    (first_name, first), (second_name, second) = (
        named_network(source, network_key) for source in (parent, child)
    )
    viz.check_channels(first.config.img_channels)
    if out is not None:
        check(out, overwrite, first.config.img_resolution)
    translation.check_aligned(first, second)
    warn_unrelated((parent, child), (first, second), report)
    options = SourceOptions(label, translation.Truncation(psi), "w+", batch, pictures)
    sources = [
        _one(name, source, read_source(network, source, [space], options))
        for name, network, source in (("A", first, a), ("B", second, b))
    ]
    pending = [
        source.in_space(network, "w+") if isinstance(source, LatentBatch) else source
        for network, source in zip((first, second), sources, strict=True)
    ]
    ends = [
        latents_of(end, report).in_space(network, "w+").arrays["ws"]
        for network, end in zip((first, second), pending, strict=True)
    ]
    facts = {
        f"latent {name}": source.summary
        for name, source in zip("AB", sources, strict=True)
        if source.summary
    }
    return _Way(
        networks=(first, second),
        names=(first_name, second_name),
        ends=(ends[0], ends[1]),
        noise=_noise(first, noise, noise_seed),
        batch=batch,
        facts=facts,
        usage=Usage.of(sources, noise),
        report=report,
    )


def _one(name: str, source: Source, sources: Sequence[Pending]) -> Pending:
    """The one latent of an end; raises UserError if there are more."""
    [pending] = sources
    if len(pending.names) != 1:
        called = " ".join(file_names(source)) or "given in memory"
        raise UserError(
            f"{name} is {called}, which has {len(pending.names)} latents; give one seed, one "
            "picture, or one row of a file, like F.npz@0"
        )
    return pending


def _noise(network: Network, noise: str, seed: int) -> Noise:
    """One for all frames."""
    if noise != "random":
        return noise
    drawn = noise_fields(network.config, jax.random.key(seed), jnp.zeros(1, jnp.uint32))
    return {layer: field[0] for layer, field in drawn.items()}
