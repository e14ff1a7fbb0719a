"""What a small CLIP of drawn faces knows: captions told apart, and captions found."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aligned_jax.features.clip.model import Clip, unit
from aligned_jax.zoo import captions
from aligned_jax.zoo.clip_training import FactTable

LEARNED = 0.4  # share found less share made up, of what counts as learned


def accuracies(clip: Clip, table: FactTable) -> dict[str, dict[str, Any]]:
    """How often the right one of a group's captions is nearest to a picture.

    Returns:
      For every group: accuracy, accuracy over its values evenly (`balanced`), the share of its
      commonest value (`commonest`), the numbers of pictures and values, and of each value that
      occurs the share that is found, and the share of others of which it is said (`by_value`).
    """
    vectors = embedded(clip, table.images)
    result: dict[str, dict[str, Any]] = {}
    for group in dict.fromkeys(name for name, _ in table.names):
        values = [value for name, value in table.names if name == group]
        kept = [row for row, fact in enumerate(table.facts) if group in fact]
        truth = np.asarray([values.index(table.facts[row][group]) for row in kept])
        answers = _answers(
            clip, vectors[kept], [table.facts[row]["kind"] for row in kept], group, values
        )
        counts = np.bincount(truth, minlength=len(values))
        by_value = {
            values[v]: {
                "found": float((answers[truth == v] == v).mean()),
                "made up": float((answers[truth != v] == v).mean())
                if counts[v] < len(kept)
                else 0.0,
            }
            for v in np.flatnonzero(counts)
        }
        result[group] = {
            "accuracy": float((answers == truth).mean()),
            "balanced": float(np.mean([shares["found"] for shares in by_value.values()])),
            "commonest": float(counts.max() / counts.sum()),
            "pictures": len(kept),
            "values": len(values),
            "by_value": by_value,
        }
    return result


def hardly_learned(groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What of `accuracies` a picture can hardly be asked for, in words: "hair brown"."""
    return [
        f"{group.replace('_', ' ')} {value}"
        for group, row in groups.items()
        for value, shares in row["by_value"].items()
        if row["values"] > 1 and shares["found"] - shares["made up"] < LEARNED
    ]


def _answers(
    clip: Clip, vectors: np.ndarray, kinds: Sequence[str], group: str, values: list[str]
) -> np.ndarray:
    """Number of the nearest value for each picture, asked with the noun of its kind."""
    answers = np.zeros(len(vectors), int)
    for kind in dict.fromkeys(kinds):  # of others a CLIP may not even know the noun
        rows = np.asarray([row for row, one in enumerate(kinds) if one == kind], int)
        texts = captions.statements(group, values, kind)
        cosines = vectors[rows] @ np.asarray(unit(clip.embed_texts(texts))).T
        answers[rows] = cosines.argmax(axis=1)
    return answers


def retrieval(clip: Clip, table: FactTable, among: int = 64, seed: int = 0) -> tuple[float, float]:
    """How often the nearest of `among` captions of pictures is true of one of the pictures.

    Returns:
      That share, and the share of captions taken at random, many of which tell little.
    """
    random = np.random.default_rng(seed)
    vectors = embedded(clip, table.images)
    hits, chances = [], []
    for _ in range(max(len(vectors) // among, 1)):
        rows = random.choice(len(vectors), min(among, len(vectors)), replace=False)
        texts, told = [], []
        for row in rows:
            text, groups = captions.caption(table.facts[row], random)
            texts.append(text)
            told.append({group: table.facts[row][group] for group in groups})
        near = vectors[rows] @ np.asarray(unit(clip.embed_texts(texts))).T
        for row, best in zip(rows, near.argmax(axis=1), strict=True):
            true = [facts.items() <= table.facts[row].items() for facts in told]
            hits.append(true[best])
            chances.append(np.mean(true))
    return float(np.mean(hits)), float(np.mean(chances))


def embedded(clip: Clip, images: np.ndarray, batch: int = 200) -> np.ndarray:
    """Vectors of unit length, float32 [N, embedding], of uint8 pictures."""
    parts = [
        np.asarray(unit(clip.embed_images(images[k : k + batch])))
        for k in range(0, len(images), batch)
    ]
    return np.concatenate(parts)
