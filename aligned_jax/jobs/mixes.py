"""Style mixing: some layers of one seed, the others of another, for all pairs of several."""

import os
from collections.abc import Sequence

import numpy as np

from aligned_jax import viz
from aligned_jax.errors import UserError
from aligned_jax.latents import mix_styles, parse_rows, parse_seeds
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.rendering.records import latents_record, picture_facts
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import counted
from aligned_jax.viz.sheet import Sheet, check_sheet

# As the official script draws, rows 0 to 6: coarse layers to middle ones.
_COARSE = 7
_MOST = 10_000  # images of a sheet


def mix(
    network: NetworkSource,
    rows: str | Sequence[int],
    columns: str | Sequence[int],
    layers: str | Sequence[int] | None = None,
    *,
    psi: float = 1.0,
    label: int | None = None,
    noise: str = "const",
    noise_seed: int = 0,
    batch: int = 8,
    network_key: str = "G_ema",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> Sheet:
    """Draws every seed of the rows with some layers of every seed of the columns.

    The first column shows the seeds of the rows themselves, the first row those of the columns
    (StyleGAN, section 3.1; the picture of the official style_mixing.py).

    Args:
      network: a name, or a loaded network.
      rows, columns: seeds, in lists or text such as "85,100,75" or "0-3".
      layers: rows of W+ that come from the seed of the column, in a list or text such as "0-6";
        `aligned info` says how many there are. By default 0 to 6, of small networks the first
        half.
      psi: truncation; 1 is none.
      label: class of a conditional network.
      noise: "const" (the stored maps), "none", or "random" maps, for each row of images the same.
      noise_seed: of random noise.
      batch: images at a time; changes an image by rounding at most.
      network_key: "G_ema" or "G" of a network that is loaded.
      out: where the sheet will be written, if it will, NAME.png or NAME.html: what cannot be is
        refused before any work.
      overwrite: of what is there.
      report: hears of every image.

    Returns:
      A sheet whose corner is white.

    Raises:
      UserError: if something cannot be read, or does not fit the network.
      NotFinite: naming images whose numbers are not finite.
    """
    options = RenderOptions(noise=noise, noise_seed=noise_seed, batch=batch)
    seeds = [parse_seeds(one) if isinstance(one, str) else [*one] for one in (rows, columns)]
    _check_count(*map(len, seeds))
    chosen = parse_rows(layers) if isinstance(layers, str) else layers
    if out is not None:
        check_sheet(out, overwrite)
    name, generator = named_network(network, network_key)
    config = generator.config
    if chosen is None:
        chosen = range(_COARSE if config.num_ws > _COARSE else config.num_ws // 2)
    viz.check_channels(config.img_channels)
    asked = [latents_of_seeds(config, one, label, psi) for one in seeds]
    down, across = (one.in_space(generator, "w+") for one in asked)
    latents = _pairs(down, across, chosen)
    with report.progress(len(latents), "images") as advance:
        images = viz.to_uint8(render(generator, latents, options, advance))
    sources, mixed = np.split(images, [len(down) + len(across)])
    sheet = np.full((len(down) + 1, len(across) + 1, *images.shape[1:]), 255, np.uint8)
    sheet[1:, 0], sheet[0, 1:] = np.split(sources, [len(down)])
    sheet[1:, 1:] = mixed.reshape(len(down), len(across), *images.shape[1:])
    facts = {"layers of the columns": ", ".join(map(str, sorted(set(chosen)))), "psi": psi}
    labels = (("", *down.names), ("", *across.names))
    known = [latents_record(config, one) for one in asked]
    told = {"rows": known[0], "columns": known[1], "layers": sorted({*map(int, chosen)})}
    made_of = picture_facts({name: generator}) | told
    title = f"Styles mixed by {name}"
    return Sheet(sheet, *labels, title=title, facts=facts, made_of=made_of)


def _check_count(down: int, across: int) -> None:
    """Raises UserError for more images than one picture shows."""
    if (down + 1) * (across + 1) > _MOST:
        raise UserError(
            f"{counted(down, 'row')} and {counted(across, 'column')} of seeds are too many for one "
            f"picture, which holds {_MOST} images at most"
        )


def _pairs(down: LatentBatch, across: LatentBatch, layers: Sequence[int]) -> LatentBatch:
    """All rows, all columns, and then every row with some layers of every column."""
    first = np.repeat(down.arrays["ws"], len(across), axis=0)
    second = np.tile(across.arrays["ws"], (len(down), 1, 1))
    mixed = np.asarray(mix_styles(first, second, layers))
    names = (*(f"{row}, {column}" for row in down.names for column in across.names),)
    return LatentBatch(
        {"ws": np.concatenate([down.arrays["ws"], across.arrays["ws"], mixed])},
        (*down.names, *across.names, *names),
        np.concatenate([down.numbers, across.numbers, down.numbers.repeat(len(across))]),
    )
