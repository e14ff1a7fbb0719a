"""What a direction from words does to pictures, at several thresholds and strengths."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.features.clip import ZOO_CLIP, Clip
from aligned_jax.jobs.text_directions import (
    USUAL,
    TextOptions,
    TextPlan,
    moved,
    prepare,
    styles_of,
)
from aligned_jax.loading import NetworkSource
from aligned_jax.networks import fingerprint
from aligned_jax.rendering.records import picture_facts
from aligned_jax.types import Styles
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import counted
from aligned_jax.viz import to_uint8
from aligned_jax.viz.sheet import Sheet

STRENGTHS = (-5.0, 0.0, 2.5, 5.0, 10.0)
_REACHED = (200, 60, 20, 6, 1)  # channels, of the thresholds that are shown by default


def text_sheet(
    network: NetworkSource,
    *,
    target: str,
    neutral: str,
    clip: str | os.PathLike[str] | Clip = ZOO_CLIP,
    options: TextOptions = USUAL,
    strengths: Sequence[float] = STRENGTHS,
    thresholds: Sequence[float] = (),
    seeds: Sequence[int] = (0, 1),
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> Sheet:
    """Strengths by thresholds: what each makes of some seeds, in one picture.

    Args:
      network, target, neutral, clip, options, network_key, report: as of `text_direction`.
      strengths: in sigmas of the most relevant channel; the columns, for each seed anew.
      thresholds: the rows; () for those that 200, 60, 20, 6 channels and 1 reach.
      seeds: that are drawn, at the psi of `options.index`.

    Raises:
      UserError: as `text_direction`, but for a direction that is not reliable; or without
        strengths or seeds.
    """
    if not strengths or not len(seeds):
        raise UserError("a sheet needs strengths and seeds")
    plan = prepare(network, target, neutral, clip, options, network_key, report)
    rows = list(dict.fromkeys(thresholds)) or _spread(plan.relevances)
    styles = styles_of(plan.parent, list(seeds), options.index)
    drawn = [_row(plan, row, styles, strengths) for row in rows]
    told: dict[str, Any] = {
        "target": target,
        "neutral": neutral,
        "seeds": list(seeds),
        "psi": options.index.psi,
    }
    told["label"] = options.index.label
    counts = [int((np.abs(plan.relevances) >= row).sum()) for row in rows]
    named = zip(rows, counts, strict=True)
    return Sheet(
        images=np.stack(drawn),
        rows=tuple(f"{row:.3f}: {counted(count, 'channel')}" for row, count in named),
        columns=tuple(f"seed {seed} {strength:+g}" for seed in seeds for strength in strengths),
        group=len(strengths),
        title=f"From {neutral} to {target}",
        facts={"target": target, "neutral": neutral, "sha256": fingerprint(plan.parent.variables)},
        made_of=picture_facts({plan.name: plan.parent}) | told,
    )


def _spread(relevances: np.ndarray) -> list[float]:
    """Thresholds that a few, some and many channels reach, each once."""
    sizes = np.sort(np.abs(relevances[relevances != 0]))[::-1]
    if not len(sizes):
        raise UserError("no style channel changes what this CLIP sees; there is no direction")
    return list(dict.fromkeys(float(sizes[min(count, len(sizes)) - 1]) for count in _REACHED))


def _row(
    plan: TextPlan, threshold: float, styles: Styles, strengths: Sequence[float]
) -> np.ndarray:
    """uint8 [seeds * strengths, H, W, C], the strengths of each seed side by side."""
    vectors = plan.vectors(threshold)
    images = [np.asarray(plan.parent.render(moved(styles, vectors, by))) for by in strengths]
    pixels = to_uint8(np.stack(images, axis=1))
    return pixels.reshape(-1, *pixels.shape[2:])
