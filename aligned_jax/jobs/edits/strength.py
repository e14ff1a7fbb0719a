"""The strength of an edit that is chosen by what it leaks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.judging import NamedJudge
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.editing import edited
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.edits import Edit
from aligned_jax.semantics.leakage import RISE, picture_leakage, score_leakage, strongest
from aligned_jax.utils.reporting import QUIET, Reporter

STRENGTHS = tuple(float(step) for step in range(1, 13))
_PICTURES = 16


@dataclass(frozen=True)
class ChosenStrength:
    """A strength, and what led to it.

    Attributes:
      strength: in sigmas.
      strengths, leakage: that were tried, and what they leak.
      by: "pictures" or the name of a judge.
    """

    strength: float
    strengths: tuple[float, ...]
    leakage: tuple[float, ...]
    by: str


def choose_strength(
    network: Network,
    latents: LatentBatch,
    edits: Sequence[Edit],
    judge: NamedJudge | None = None,
    target: str | None = None,
    rise: float = RISE,
    options: RenderOptions = RenderOptions(),  # noqa: B008  # it cannot change
    report: Reporter = QUIET,
) -> ChosenStrength:
    """Tries strengths from 1 to 12 sigmas, and stops where leakage rises.

    Args:
      network: the parent.
      latents: of which the first 16 are drawn.
      edits: whose amounts are all multiplied by the strength.
      judge: whose scores count; None leaves it to the pictures alone.
      target: the judge's score that the edits are for; None is what the only direction was found
        for.
      rise: of leakage that is too much.
      options: how pictures are drawn.
      report: hears of every image.

    Raises:
      UserError: for targets rather than shifts, a judge that does not know the target, or an edit
        that changes nothing.
    """
    if any(edit.to for edit in edits):
        raise UserError("a strength is chosen for shifts; a target says itself where it ends")
    if judge is not None and target is None:
        known = {edit.direction.found.get("attribute") for edit in edits}
        if len(known) != 1 or not isinstance(next(iter(known)), str):
            raise UserError("say which of the judge's attributes the edit is for")
        [target] = known
    shown = latents.take(np.arange(min(len(latents), _PICTURES)))
    images = []
    with report.progress((1 + len(STRENGTHS)) * len(shown), "images") as advance:
        for strength in (0.0, *STRENGTHS):
            moved = edited(network, shown, edits, strength)
            images.append(render(network, moved, options, advance))
    if judge is None or target is None:
        leakage, by = picture_leakage(images), "pictures"
    else:
        scores = [judge(np.clip(one, -1, 1)) for one in images]
        deviations = {name: float(np.std(values)) for name, values in scores[0].items()}
        leakage, by = score_leakage(target, scores, deviations), judge.name
    chosen = strongest(STRENGTHS, leakage, rise)
    return ChosenStrength(chosen, STRENGTHS, tuple(map(float, leakage)), by)
