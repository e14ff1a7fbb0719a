"""How the judged attributes of pictures answer to style channels, and whether networks agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.features.attributes import Judge
from aligned_jax.networks.network import Network
from aligned_jax.semantics.editing import Channel, shifted
from aligned_jax.types import AnyStyles
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import Advance, no_advance

# A slope counts as one if its mean is so many standard errors away from 0.
_SURE = 2.0


@dataclass(frozen=True)
class SlopeAgreement:
    """Whether the slopes of an attribute, channel by channel, are alike in two networks.

    Attributes:
      sign: share of the channels that move the attribute in the parent for sure, which move it
        to the same side in the child; nan if there are none.
      sure: how many those are.
      spearman: rank correlation of the slopes of all channels; nan if all are equal.
    """

    sign: float
    sure: int
    spearman: float


def judged(
    judge: Judge, images: np.ndarray, names: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """The scores of pictures, checked: float32 [N] by name.

    Args:
      judge: who scores.
      images: float32 [N, H, W, C]; shown to the judge clipped to [-1, 1].
      names: attributes that are wanted; by default all.

    Raises:
      UserError: naming attributes that the judge does not know, with those that it does, or
        scores that are no N finite numbers.
    """
    scores = judge(np.clip(np.asarray(images, np.float32), -1, 1))
    if not (isinstance(scores, Mapping) and scores):
        raise UserError("the judge gave no scores; it must return a dictionary of arrays [N]")
    if unknown := [name for name in names or () if name not in scores]:
        raise UserError(
            f"the judge knows no {', '.join(unknown)}; it knows {', '.join(map(str, scores))}"
        )
    kept = {name: np.asarray(scores[name], np.float32) for name in names or scores}
    wrong = [
        f"{name} has shape {value.shape}" if value.shape != (len(images),) else f"{name} has nan"
        for name, value in kept.items()
        if value.shape != (len(images),) or not np.isfinite(value).all()
    ]
    if wrong:
        raise UserError(
            f"the judge must give {len(images)} finite numbers for each attribute: "
            f"{', '.join(wrong)}"
        )
    return kept


def responses(
    network: Network,
    styles: AnyStyles,
    channels: Sequence[Channel],
    sigma: Mapping[str, np.ndarray],
    judge: Judge,
    *,
    strength: float,
    batch: int = 32,
    advance: Advance = no_advance,
) -> dict[str, np.ndarray]:
    """What shifts of channels do to every attribute.

    Args:
      network: whose pictures are judged.
      styles: {layer: [N, C]}, around which channels are shifted.
      channels: K of them; they do not influence each other.
      sigma: {layer: [C]} of the parent at psi 1.
      judge: who scores.
      strength: shift to either side, in sigma.
      batch: pictures at a time.
      advance: hears of every channel.

    Returns:
      {attribute: float32 [K, N]}: change of the score for each sigma.

    Raises:
      UserError: as `judged`, or if there is no such channel.
    """
    count = max(len(value) for value in styles.values())
    changes: list[dict[str, np.ndarray]] = []
    for layer, channel in channels:
        sides = []
        for way in (-1, 1):
            amount = np.full(count, way * strength * float(sigma[layer][channel]), np.float32)
            moved = shifted(styles, layer, channel, amount)
            sides.append(judged(judge, _drawn(network, moved, count, batch)))
        less, more = sides
        changes.append({name: (more[name] - less[name]) / (2 * strength) for name in less})
        advance(1)
    return {name: np.stack([one[name] for one in changes]) for name in changes[0]}


def slope_agreement(parent: np.ndarray, child: np.ndarray) -> SlopeAgreement:
    """Compares the slopes of one attribute in two networks.

    Args:
      parent, child: [K, N] of `responses`.
    """
    before, after = parent.mean(axis=1), child.mean(axis=1)
    error = parent.std(axis=1, ddof=1) / np.sqrt(parent.shape[1]) if parent.shape[1] > 1 else 0.0
    sure = np.abs(before) > np.maximum(_SURE * error, 1e-12)
    same = (np.sign(before) == np.sign(after))[sure]
    return SlopeAgreement(
        float(same.mean()) if len(same) else np.nan, int(sure.sum()), spearman(before, after)
    )


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation of two rows of numbers, ties sharing a rank; nan if one is constant."""
    a, b = _ranks(first), _ranks(second)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def attribute_agreement(
    parent: Mapping[str, np.ndarray], child: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Rank correlation of each attribute that both judges know, over the same latents.

    Args:
      parent, child: scores [N] by name, of pictures of the same latents.

    Raises:
      UserError: if the judges have no attribute in common.
    """
    common = [name for name in parent if name in child]
    if not common:
        raise UserError(
            f"the judges have no attribute in common: {', '.join(parent)}; {', '.join(child)}"
        )
    return {name: spearman(parent[name], child[name]) for name in common}


def _ranks(row: np.ndarray) -> np.ndarray:
    """Places in rising order, from 1; equal numbers share the mean of theirs."""
    _, place, times = np.unique(row, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    return (last - (times - 1) / 2)[place]


def _drawn(network: Network, styles: AnyStyles, count: int, batch: int) -> np.ndarray:
    parts = []
    for rows, kept in blocks(count, batch):
        some = {name: value[rows] for name, value in styles.items()}
        parts.append(np.asarray(network.render(some))[:kept])
    return np.concatenate(parts)
