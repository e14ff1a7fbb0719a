"""Latents from seeds, and ways to combine latents."""

import re
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.types import AnyArray, Array
from aligned_jax.utils.text import listed

_MAX_SEEDS = 10_000_000


def parse_seeds(text: str) -> list[int]:
    """Seeds from text such as "7", "0-15" or "1,4,10-12".

    Raises:
      UserError: naming every part that is no seed (0 to 2**32 - 1) or rising range.
    """
    seeds, bad = _numbers(text, 2**32)
    if bad:
        raise UserError(
            f"not a list of seeds: {listed(bad)}; write single seeds and ranges "
            'joined by commas, like "0-15" or "1,4,10-12"'
        )
    return seeds


def parse_rows(text: str) -> list[int]:
    """Rows of W+ from text such as "7", "0-6" or "1,4,10-12".

    Raises:
      UserError: naming every part that is no row (0 to 999) or rising range.
    """
    rows, bad = _numbers(text, 1000)
    if bad:
        raise UserError(
            f"not a list of layers: {listed(bad)}; write single ones and ranges joined by "
            'commas, like "0-6" or "0,4-7"'
        )
    return rows


def _numbers(text: str, end: int) -> tuple[list[int], list[str]]:
    """Numbers below `end` that a list of numbers and ranges names, and its parts that do not."""
    numbers: list[int] = []
    bad: list[str] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,10})(?:\s*-\s*([0-9]{1,10}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last or last >= end or last - first >= _MAX_SEEDS:
            bad.append(repr(part))
        else:
            numbers.extend(range(first, last + 1))
    return numbers, bad


def z_from_seeds(config: GeneratorConfig, seeds: Iterable[int]) -> np.ndarray:
    """Latents that the official scripts draw for `seeds`.

    One NumPy legacy generator a seed: z = RandomState(seed).randn(1, z_dim).

    Returns:
      float32 [N, z_dim], standard normal.

    Raises:
      UserError: naming the seeds outside 0..2**32 - 1.
    """
    seeds = list(seeds)
    bad = [seed for seed in seeds if not 0 <= seed < 2**32]
    if bad:
        raise UserError(f"not a seed: [{listed(map(str, bad))}]; seeds are 0 to 2**32 - 1")
    rows = [np.random.RandomState(seed).randn(config.z_dim) for seed in seeds]
    return np.asarray(rows, np.float32).reshape(len(seeds), config.z_dim)


def mix_styles(ws: AnyArray, other: AnyArray, rows: slice | Iterable[int]) -> Array:
    """`ws` with `rows` taken from `other` (style mixing; StyleGAN, section 3.1).

    Args:
      ws, other: [N, L, D].
      rows: indices into L, for example range(8) for the coarse styles or
        slice(cutoff, None) for all rows from `cutoff` on.

    Raises:
      UserError: naming rows that the network does not have, or if shapes differ.
    """
    if ws.shape != other.shape:
        raise UserError(f"latents to mix have shapes {ws.shape} and {other.shape}; expected one")
    count = ws.shape[1]
    if isinstance(rows, slice):
        rows = range(count)[rows]
    rows = sorted(set(rows))
    bad = [row for row in rows if not 0 <= row < count]
    if bad:
        raise UserError(
            f"no such row of W+: [{listed(map(str, bad))}]; this network has rows 0 to {count - 1}"
        )
    chosen = np.isin(np.arange(count), rows)[None, :, None]
    return jnp.where(chosen, other, ws)


def lerp(a: Array, b: Array, t: float | Array) -> Array:
    """Straight line from `a` (t = 0) to `b` (t = 1); the measure for W, W+ and S."""
    return (1 - t) * a + t * b


def slerp(a: Array, b: Array, t: float | Array) -> Array:
    """Great circle from `a` to `b` along the last axis; the measure for Z.

    The mapping network normalises z, so only the direction matters; lengths are
    interpolated linearly. Parallel vectors fall back to the straight line.

    Args:
      a, b: [..., D] of the same shape.
      t: number or array that broadcasts against [..., 1].
    """
    length_a = jnp.linalg.norm(a, axis=-1, keepdims=True)
    length_b = jnp.linalg.norm(b, axis=-1, keepdims=True)
    tiny = jnp.finfo(a.dtype).tiny
    unit_a, unit_b = a / jnp.maximum(length_a, tiny), b / jnp.maximum(length_b, tiny)
    cosine = jnp.sum(unit_a * unit_b, axis=-1, keepdims=True)
    angle = jnp.arccos(jnp.clip(cosine, -1 + 1e-7, 1 - 1e-7))
    sine = jnp.sin(angle)
    arc = (jnp.sin((1 - t) * angle) * unit_a + jnp.sin(t * angle) * unit_b) / sine
    arc = arc * ((1 - t) * length_a + t * length_b)
    return jnp.where(jnp.abs(cosine) > 1 - 1e-6, (1 - t) * a + t * b, arc)


def sample_z(key: Array, config: GeneratorConfig, count: int) -> Array:
    """`count` latents from a JAX key, float32 [count, z_dim], standard normal."""
    return jax.random.normal(key, (count, config.z_dim))
