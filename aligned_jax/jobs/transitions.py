"""How a child leaves its parent: the same latents over the snapshots of a run."""

import functools
import os
from collections.abc import Sequence

from aligned_jax import checkpoint, hub
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.jobs.strip import strip_sheet
from aligned_jax.loading import named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.rendering.records import latents_record
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz import check_channels, spread
from aligned_jax.viz.sheet import Sheet


def transition(
    run: str | os.PathLike[str],
    *,
    kimg: Sequence[int] | None = None,
    columns: int = 10,
    seeds: str | Sequence[int] = "0-3",
    psi: float = 0.7,
    label: int | None = None,
    batch: int = 8,
    report: Reporter = QUIET,
) -> Sheet:
    """Draws a row for each seed and a column for each snapshot (StyleAlign, figures 4 and 13).

    Args:
      run: folder of a run.
      kimg: snapshots to draw; by default chosen densely at the beginning, where the change is
        fast.
      columns: at most so many, unless `kimg` says which.
      seeds: a list, or text such as "0-3".
      psi: truncation; 1 is none.
      label: class of conditional networks.
      batch: images at a time.
      report: hears of every image.

    Raises:
      UserError: if the folder is no run or has no such snapshots, or for seeds, label and
        truncation that do not fit its network.
    """
    hub.check_source(run)
    snapshots = checkpoint.run_checkpoints(run)
    if not snapshots:
        raise UserError(f"{run} is not a run folder with checkpoints")
    marks = list(kimg or spread(sorted(snapshots), columns))
    missing = [str(mark) for mark in marks if mark not in snapshots]
    if missing:
        have = ", ".join(map(str, sorted(snapshots)))
        raise UserError(f"{run} has no snapshot at {', '.join(missing)} kimg; it has {have}")
    config = checkpoint.read_manifest(snapshots[marks[0]]).configs["G_ema"]
    if not isinstance(config, GeneratorConfig):
        raise UserError(f"{run}: G_ema is no generator")
    check_channels(config.img_channels)
    latents = latents_of_seeds(config, seeds, label, psi)
    makers = [(f"{mark} kimg", functools.partial(_load, snapshots[mark])) for mark in marks]
    title = f"The same latents while {os.path.basename(os.path.abspath(run))} was trained"
    facts = {"run": os.fspath(run), "kimg": marks, "latents": latents_record(config, latents)}
    return strip_sheet(makers, latents, RenderOptions(batch=batch), title, report, facts)


def _load(folder: os.PathLike[str]) -> Network:
    return named_network(folder)[1]
