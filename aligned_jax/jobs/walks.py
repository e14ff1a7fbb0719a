"""Walks through the latents of one network: films from seed to seed, several side by side."""

import os
from collections.abc import Sequence

import numpy as np

from aligned_jax import viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.films import Film, check_size
from aligned_jax.jobs.sources import Usage
from aligned_jax.latents import Curve, parse_seeds
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import counted

# What the curves of each space may be, the usual one first.
_CURVES = {"w": ("cubic", "linear"), "z": ("spherical",)}


def walk(
    network: NetworkSource,
    seeds: str | Sequence[int] = "0-7",
    *,
    frames: int = 60,
    grid: tuple[int, int] = (1, 1),
    space: str = "w",
    curve: str | None = None,
    loop: bool = True,
    fps: float = 30.0,
    scale: int = 1,
    psi: float = 1.0,
    label: int | None = None,
    noise: str = "const",
    noise_seed: int = 0,
    batch: int = 8,
    network_key: str = "G_ema",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> Film:
    """Films a walk from seed to seed, and back to the first one.

    A key frame is the image of its seed. Noise is the same in every frame.

    Args:
      network: a name, or a loaded network.
      seeds: a list, or text such as "0-7"; in a grid the first of them are those of the first cell,
        in reading order, and every cell has equally many, two or more.
      frames: from a key frame to the next: key frame k is frame k * frames.
      grid: cells across and down, each with a walk of its own.
      space: "w" or "z", in which latents move.
      curve: in w "cubic" (a spline, which the default None stands for) or "linear"; in z always
        along great circles.
      loop: goes on from the last key frame to the first, which is not shown again.
      fps: frames a second.
      scale: a pixel becomes a square of so many pixels in the file.
      psi: truncation; 1 is none.
      label: class of a conditional network.
      noise: the same in all frames: "const", "none" or "random", which each cell has for itself.
      noise_seed: of random noise.
      batch: images at a time; changes an image by rounding at most.
      network_key: "G_ema" or "G" of a network that is loaded.
      out: where the film will be written, if it will, NAME.webp or NAME.mp4: what cannot be is
        refused before any work.
      overwrite: of what is there.
      report: hears of every image.

    Raises:
      UserError: if something cannot be read, does not fit, or contradicts something else.
      NotFinite: naming frames whose numbers are not finite.
    """
    options = RenderOptions(noise=noise, noise_seed=noise_seed, batch=batch)
    chosen = _curve(space, curve)
    seeds = parse_seeds(seeds) if isinstance(seeds, str) else [*seeds]
    across, down = grid
    each = _keys_of_a_cell(len(seeds), across, down)
    if frames < 1:
        raise UserError(f"{frames} frames from a key frame to the next; there must be 1 or more")
    count = each * frames if loop else (each - 1) * frames + 1
    if out is not None:
        viz.check_video(out, overwrite, fps, None, scale)
    _, generator = named_network(network, network_key)
    size, channels = generator.config.img_resolution, generator.config.img_channels
    viz.check_channels(channels)
    if out is not None:
        viz.check_video(out, overwrite, fps, (count, size * down, size * across), scale)
    check_size(count, size * down, size * across, channels)
    latents = latents_of_seeds(generator.config, seeds, label, psi)
    keys = latents if space == "z" else _in_w(generator, latents, batch)
    places = np.arange(count) / frames
    film = np.empty((count, down, size, across, size, channels), np.uint8)
    with report.progress(count * across * down, "images") as advance:
        for cell, (row, column) in enumerate(np.ndindex(down, across)):
            own = keys.take(range(cell * each, (cell + 1) * each))
            [name] = own.arrays.keys() & {"z", "ws"}
            way = Curve(own.arrays[name], chosen, loop)
            for rows, kept in blocks(count, batch):
                drawn = _moved(own, name, way.at(places[rows]), rows, cell)
                images = render(generator, drawn, options)[:kept]
                film[rows[:kept], row, :, column] = viz.to_uint8(images)
                advance(kept)
    shown = film.reshape(count, down * size, across * size, channels)
    return Film(shown, fps, scale, Usage.of([latents], noise))


def _curve(space: str, curve: str | None) -> str:
    """The kind of curve; raises UserError unless the space has it."""
    if space not in _CURVES:
        raise UserError(f"space is {space!r:.40}; a walk is in {' or '.join(_CURVES)}")
    if curve is None:
        return _CURVES[space][0]
    if space == "z":
        raise UserError(
            f"curve is {curve!r:.40}, but in z a walk follows great circles; leave `curve` out, "
            "or walk in w"
        )
    if curve not in _CURVES[space]:
        raise UserError(f"curve is {curve!r:.40}; in w it is {' or '.join(_CURVES[space])}")
    return curve


def _keys_of_a_cell(seeds: int, across: int, down: int) -> int:
    """How many key frames each cell has; raises UserError unless that is a number above 1."""
    if across < 1 or down < 1:
        raise UserError(f"the grid is {across}x{down}; it has 1 or more cells across and down")
    cells = across * down
    if seeds % cells or seeds < 2 * cells:
        raise UserError(
            f"{counted(seeds, 'seed')} for {counted(cells, 'cell')}: every cell has equally many, "
            f"2 or more; give {2 * cells}, {3 * cells} or another multiple of {cells}"
            if cells > 1
            else f"{counted(seeds, 'seed')}: a walk goes through 2 or more"
        )
    return seeds // cells


def _in_w(network: Network, latents: LatentBatch, batch: int) -> LatentBatch:
    """The same in W+, mapped in the blocks in which `generate` maps them."""
    parts = [
        latents.take(rows).in_space(network, "w+").arrays["ws"][:kept]
        for rows, kept in blocks(len(latents), batch)
    ]
    return LatentBatch({"ws": np.concatenate(parts)}, latents.names, latents.numbers)


def _moved(
    keys: LatentBatch, name: str, points: np.ndarray, frames: np.ndarray, cell: int
) -> LatentBatch:
    """Latents of some frames of a cell, all with the noise of the cell."""
    arrays = {name: points}
    if "c" in keys.arrays:
        arrays["c"] = keys.arrays["c"][:1].repeat(len(points), axis=0)
    names = tuple(f"frame {frame}" for frame in frames)
    numbers = np.full(len(points), cell, np.uint32)
    return LatentBatch(arrays, names, numbers, keys.psi)
