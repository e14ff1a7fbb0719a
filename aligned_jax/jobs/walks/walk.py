"""Walks from seed to seed, and whatever else moves along them: films, several side by side."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax import translation, viz
from aligned_jax.ancestry import warn_unrelated
from aligned_jax.errors import UserError
from aligned_jax.jobs.edits.words import WordOptions, read_edits
from aligned_jax.jobs.films import Film
from aligned_jax.jobs.sources import Usage
from aligned_jax.jobs.walks.blends import WalkWeights
from aligned_jax.jobs.walks.centres import CentreSource, centre_of
from aligned_jax.jobs.walks.checks import (
    check_child,
    held_seeds,
    keys_of_a_cell,
    kind_of_way,
    with_psi,
)
from aligned_jax.jobs.walks.frames import WalkFrames
from aligned_jax.jobs.walks.latents import WalkLatents, Way, in_w
from aligned_jax.jobs.walks.names import (
    PSI,
    T1,
    Values,
    as_values,
    edit_names,
)
from aligned_jax.jobs.walks.noise import NoiseLoop
from aligned_jax.jobs.walks.schedule import Schedule, schedule
from aligned_jax.jobs.walks.tables import read_table
from aligned_jax.latents import mix_styles, parse_seeds, truncate
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.activations import convolution
from aligned_jax.rendering.draw import RenderOptions
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.semantics.edits import Edit
from aligned_jax.semantics.statistics import COUNT
from aligned_jax.utils.reporting import QUIET, Reporter

_NOISES = ("const", "none", "random", "loop")


def walk(
    network: NetworkSource,
    seeds: str | Sequence[int] = "0-7",
    *,
    child: NetworkSource | None = None,
    animate: Values | Sequence[str] | None = None,
    curve_file: str | os.PathLike[str] | Mapping[str, Sequence[float]] | None = None,
    frames: int | None = None,
    grid: tuple[int, int] = (1, 1),
    space: str | None = None,
    path: str = "seeds",
    curve: str | None = None,
    loop: bool = True,
    fps: float = 30.0,
    scale: int = 1,
    psi: float | None = None,
    cutoff: int | None = None,
    centre: CentreSource | None = None,
    mix: str | Sequence[int] | None = None,
    mix_layers: str | Sequence[int] | None = None,
    smooth: float | None = None,
    layer: str | None = None,
    label: int | None = None,
    noise: str = "const",
    noise_seed: int = 0,
    batch: int = 8,
    samples: int = COUNT,
    network_key: str = "G_ema",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    lossless: bool = False,
    report: Reporter = QUIET,
) -> Film:
    """Films a walk from seed to seed, and back to the first one, and what else moves along it.

    A key frame is the image of its seed, and every frame is to the bit the still image of its
    settings, drawn in equal batches: of `generate`, and of `interpolate` or `swap` before it.

    Args:
      network: a name, or a loaded network.
      seeds: a list, or text such as "0-7"; in a grid the first of them are those of the first cell,
        in reading order, and every cell has equally many. One alone stands still.
      child: towards which t1, t2 and swap lead.
      animate: what moves besides, by name: values at the key frames, of which one stays. "psi";
        with a child "t1" (latents, from the network's own to those that the child maps), "t2"
        (weights, from the network to the child, whatever maps) and "swap" (the last resolution
        whose layers are the network's, those above are the child's); and edits, whose values are
        strengths in sigmas of the network: style channels such as "15_45", files of directions,
        and "zoo:NAME". Or words such as "psi=0.3,1".
      curve_file: more of them frame by frame: a CSV file, or columns by name. With a column "time",
        in seconds, its rows are points that are joined straight; without, a row is a frame. A
        column "place" says where latents are: at key frame k it is k.
      frames: from a key frame to the next: key frame k is frame k * frames. None is 60, or what
        suits `curve_file`.
      grid: cells across and down, each with a walk of its own.
      space: "w" or "z", in which latents move; None is w, or z for a circle.
      path: "seeds", from each to the next; or "circle", the great circle in z through two seeds.
      curve: in w "cubic" (a spline, which the default None stands for) or "linear"; in z always
        along great circles. Parameters go smoothly and never beyond their values, or straight.
      loop: goes on from the last key frame to the first, which is not shown again.
      fps: frames a second.
      scale: a pixel becomes a square of so many pixels in the file.
      psi: truncation; 1 is none, and None is 1.
      cutoff: truncate only so many rows of W+, wherever the way goes.
      centre: towards which w is truncated in place of its mean: see `centre_of`.
      mix: seeds whose layers `mix_layers` are held: one for all cells, or one for each.
      mix_layers: rows of W+ that come from `mix`, in a list or text such as "0-6".
      smooth: width of a swap's switch in layers; the switch then moves without jumps.
      layer: shows the activations of a convolution, such as "b32/conv1", in place of images: their
        three principal components over the film as red, green and blue.
      label: class of a conditional network.
      noise: "const", "none", or "random", the same in all frames, which each cell has for itself;
        or "loop", random noise that moves round a circle once in the film.
      noise_seed: of random noise.
      batch: images at a time; changes an image by rounding at most.
      samples: latents on which the deviations of style channels are measured.
      network_key: "G_ema" or "G" of networks that are loaded.
      out: where the film will be written, if it will, NAME.webp, NAME.mp4, NAME.gif or a folder of
        frames: what cannot be is refused before any work.
      overwrite: of what is there.
      lossless: whether a webp will be written so.
      report: hears of statistics that are measured, and of strangers.

    Returns:
      A film whose frames are drawn when they are wanted.

    Raises:
      UserError: if something cannot be read, does not fit, or contradicts something else.
      NotFinite: from the film, naming frames whose numbers are not finite.
    """
    if noise not in _NOISES:
        raise UserError(f"noise is {noise!r:.40}; it is {', '.join(_NOISES)}")
    # Noise in a loop comes with the latents, in place of the stored maps.
    kept = "const" if noise == "loop" else noise
    options = RenderOptions(noise=kept, noise_seed=noise_seed, batch=batch)
    if out is not None:
        viz.check_video(out, overwrite, fps, None, scale, lossless)
    space, kind = kind_of_way(space, path, curve, loop)
    seeds = parse_seeds(seeds) if isinstance(seeds, str) else [*seeds]
    each = keys_of_a_cell(len(seeds), *grid)
    plan = schedule(
        each,
        as_values(animate),
        None if curve_file is None else read_table(curve_file),
        frames=frames,
        fps=fps,
        loop=loop,
        straight=curve == "linear",
        circle=kind == "circle",
    )
    plan = with_psi(plan, psi, cutoff, centre)
    held = held_seeds(mix, mix_layers, grid[0] * grid[1])
    check_child(plan, child, smooth)
    name, generator = named_network(network, network_key)
    if layer is None:
        viz.check_channels(generator.config.img_channels)
    else:
        convolution(generator.config, layer)
    other = None if child is None else named_network(child, network_key)[1]
    if other is not None and child is not None:
        translation.check_aligned(generator, other)
        warn_unrelated((network, child), (generator, other), report)
    weights = WalkWeights(generator, other, plan.tracks, smooth)
    weights.check()
    words = WordOptions(strength=1.0, label=_class_of(generator, label), samples=samples)
    edits = _edits(name, generator, plan, space, words, report)
    maker = _WalkMaker(seeds, each, space, kind, loop, label, cutoff, centre, held, batch)
    truncated = bool((plan.tracks[PSI] != 1).any())
    frames_of = WalkFrames(
        schedule=plan,
        weights=weights,
        own=maker.latents(generator, truncated),
        theirs=maker.latents(other, truncated) if other is not None and T1 in plan.tracks else None,
        edits=edits,
        options=options,
        grid=grid,
        moving_noise=NoiseLoop(generator.config, noise_seed) if noise == "loop" else None,
        layer=layer,
    )
    if out is not None:
        viz.check_video(out, overwrite, fps, frames_of.shape[:3], scale, lossless)
    usage = Usage(False, False, frozenset(), truncated, noise)
    return Film(frames_of.shape, frames_of.draw, fps, scale, usage)


@dataclass(frozen=True, eq=False)
class _WalkMaker:
    """What networks make their latents of; attributes as the arguments of `walk`.

    Attributes:
      each: seeds of a cell.
      kind: of the curve.
      held: seeds of `mix`, one for each cell, and the rows of theirs.
    """

    seeds: Sequence[int]
    each: int
    space: str
    kind: str
    loop: bool
    label: int | None
    cutoff: int | None
    centre: CentreSource | None
    held: tuple[Sequence[int], Sequence[int]] | None
    batch: int

    def latents(self, network: Network, truncated: bool) -> WalkLatents:
        """The latents of all cells in a network."""
        config = network.config
        asked = latents_of_seeds(config, self.seeds, self.label)
        in_z = self.space == "z"
        keys = asked.arrays["z"] if in_z else in_w(network, asked, self.batch)
        ways = [
            Way(
                keys[start : start + self.each],
                asked.arrays["c"][start : start + 1],
                in_z,
                self.kind,
                self.loop,
            )
            for start in range(0, len(self.seeds), self.each)
        ]
        for way in ways:
            way.points(np.zeros(1))  # refuses what no circle goes through
        centre = np.zeros(config.w_dim, np.float32)
        if truncated:
            centre = centre_of(network, self.centre, self.label)
        truncate(np.zeros((1, config.num_ws, config.w_dim), np.float32), centre, 1, self.cutoff)
        if self.held is None:
            return WalkLatents(network, ways, centre, self.cutoff)
        seeds, rows = self.held
        ws = in_w(network, latents_of_seeds(config, seeds, self.label), self.batch)
        mix_styles(ws, ws, rows)  # looks at the rows
        return WalkLatents(network, ways, centre, self.cutoff, ws, rows)


def _class_of(network: Network, label: int | None) -> int | None:
    """The class in which channels are measured: of conditional networks the one that is drawn."""
    return label if network.config.c_dim else None


def _edits(
    name: str,
    network: Network,
    plan: Schedule,
    space: str,
    options: WordOptions,
    report: Reporter,
) -> dict[str, Edit]:
    """The edits that move, by name; raises UserError with all that is wrong with any of them."""
    found: dict[str, Edit] = {}
    wrong = []
    for word in edit_names(plan.tracks):
        try:
            [found[word]] = read_edits(name, network, [word], options, report)
        except UserError as error:
            wrong.append(str(error))
    wrong += [
        f"{word} is in z: walk in z (`space='z'`)"
        for word, edit in found.items()
        if edit.space == "z" and space != "z"
    ]
    if wrong:
        raise UserError("; ".join(wrong))
    return found
