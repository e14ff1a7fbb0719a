"""How far an edit can go before it changes what it should not.

With scores, leakage is the change of all other attributes over that of the target, each in its own
deviations. Without, it is the share of a picture's change that lies outside of what the weakest
edit changes: where an edit acts at first, it should go on acting.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from aligned_jax.errors import UserError

# Share of the weakest edit's change that lies inside of where it acts.
INSIDE = 0.8
RISE = 0.15


def picture_leakage(images: Sequence[np.ndarray]) -> np.ndarray:
    """Leakage of pictures that are edited more and more, without any labels.

    Args:
      images: [N, H, W, C] as they are, then with rising strength; in [-1, 1] after clipping.

    Returns:
      float64 [len(images) - 1], one for each strength, from 0 to 1; that of the first is near
      1 - `INSIDE`.

    Raises:
      UserError: if the weakest edit changes nothing.
    """
    shown = [np.clip(np.asarray(one, np.float64), -1, 1) for one in images]
    changes = [np.abs(one - shown[0]).sum(axis=-1).reshape(len(one), -1) for one in shown[1:]]
    first = changes[0]
    if not first.sum() > 0:
        raise UserError("the edit changes no picture, so that its strength cannot be chosen")
    # Of every picture the pixels that the weakest edit changes most, until they have their share.
    order = np.argsort(-first, axis=1, kind="stable")
    ranked = np.take_along_axis(first, order, axis=1)
    total = np.maximum(ranked.sum(axis=1, keepdims=True), 1e-12)
    before = (np.cumsum(ranked, axis=1) - ranked) / total
    inside = np.zeros(first.shape, bool)
    np.put_along_axis(inside, order, before < INSIDE, axis=1)
    return np.asarray([float((one * ~inside).sum() / max(one.sum(), 1e-12)) for one in changes])


def score_leakage(
    target: str, scores: Sequence[Mapping[str, np.ndarray]], deviations: Mapping[str, float]
) -> np.ndarray:
    """Leakage of an edit by what a judge says.

    Args:
      target: what the edit is for.
      scores: by name, [N] each, of pictures as they are, then with rising strength.
      deviations: of each score over random pictures.

    Returns:
      float64 [len(scores) - 1]: mean change of the others over the change of the target.

    Raises:
      UserError: if the judge does not know the target, or the first strength does not move it.
    """
    if target not in scores[0]:
        raise UserError(f"the judge does not know {target}; it knows {', '.join(scores[0])}")

    def moved(name: str, now: Mapping[str, np.ndarray]) -> float:
        change = float(np.mean(now[name].astype(np.float64) - scores[0][name]))
        return abs(change) / max(deviations[name], 1e-12)

    others = [name for name in scores[0] if name != target]
    result = []
    for now in scores[1:]:
        own = moved(target, now)
        if own < 1e-6:
            raise UserError(
                f"the edit does not move {target}, so that its strength cannot be chosen"
            )
        result.append(
            float(np.mean([moved(name, now) for name in others])) / own if others else 0.0
        )
    return np.asarray(result)


def strongest(strengths: Sequence[float], leakage: np.ndarray, rise: float = RISE) -> float:
    """The last strength before leakage has risen by `rise` above its lowest so far.

    Args:
      strengths: rising.
      leakage: of each.
      rise: that is too much.
    """
    lowest, last = leakage[0], strengths[0]
    for strength, leaks in zip(strengths, leakage, strict=True):
        lowest = min(lowest, leaks)
        if leaks > lowest + rise:
            break
        last = strength
    return float(last)
