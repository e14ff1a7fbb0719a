"""Whether a seed decides every bit of an inversion, in any company, and what a batch changes."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from aligned_jax import inversion
from studies.known_latents import Search, Truth

# What rounding explains of the losses; how far a start is moved to see what rounding grows to.
LOSSES, MOVED = 1e-4, 1e-7
FIRST = 4  # losses; before the third nothing has moved


def checked(search: Search, truth: Truth, space: str, steps: int) -> dict[str, Any]:
    """A row of the table: inversions of `steps` steps again, alone, in a batch, and moved."""
    search = dataclasses.replace(search, steps=steps)
    settings, network = search.settings(space, truth.psi), truth.network

    def run(images: np.ndarray, batch: int, start: np.ndarray | None = None) -> inversion.Inverted:
        key = jax.random.key(search.seed)
        return inversion.invert(network, images, search.loss, settings, key, start, batch=batch)

    count, usual = len(truth.images), search.batch_for(network, settings)
    plain, again = (run(truth.images, usual) for _ in range(2))
    alone = [run(truth.images[k : k + 1], usual) for k in range(count)]
    batch = run(truth.images, count)
    mean = inversion.statistics(network, space, settings.samples, settings.samples_seed).mean
    noise = np.random.RandomState(search.seed).randn(count, *mean.shape)
    moved = run(truth.images, usual, (mean + MOVED * noise).astype(np.float32))
    losses, others = (result.trace["distance"][:FIRST] for result in (plain, batch))
    first = float((np.abs(losses - others) / np.abs(losses)).max())
    return {
        "space": space,
        "steps": settings.steps,
        "same bits twice": "yes" if same([plain], [again]) else "no",
        "same bits alone": "yes" if same([plain], alone) else "no",
        f"batch of {count}: first losses": first,
        "within rounding": "yes" if first <= LOSSES else "no",
        "its latents": apart(plain, batch),
        "latents from a moved start": apart(plain, moved),
    }


def apart(a: inversion.Inverted, b: inversion.Inverted) -> float:
    """The largest difference of latents, over the largest number in them."""
    return float(np.abs(a.latent - b.latent).max() / np.abs(a.latent).max())


def same(a: Sequence[inversion.Inverted], b: Sequence[inversion.Inverted]) -> bool:
    """Whether two lists of inversions agree in every bit of latents, images and losses."""

    def joined(results: Sequence[inversion.Inverted]) -> list[np.ndarray]:
        rows = [[x.latent, x.images, *(t.T for t in x.trace.values())] for x in results]
        return [np.concatenate(part) for part in zip(*rows, strict=True)]

    return all(x.tobytes() == y.tobytes() for x, y in zip(joined(a), joined(b), strict=True))
