"""Distances between sets of features, and what a generator's latents do: mathematics alone.

Features are NumPy arrays [N, D]; nothing here loads a network or reads a file.
"""

from aligned_jax.metrics.diversity import diversity_of, pairs_of
from aligned_jax.metrics.fid import frechet_distance
from aligned_jax.metrics.inception_score import inception_score_of, softmax
from aligned_jax.metrics.kid import kernel_distance
from aligned_jax.metrics.moments import Moments, RunningMoments, merge, moments_of
from aligned_jax.metrics.neighbours import nearest_rows
from aligned_jax.metrics.ppl import PathOptions, path_distances, path_length
from aligned_jax.metrics.precision_recall import precision_and_recall

__all__ = [
    "Moments",
    "PathOptions",
    "RunningMoments",
    "diversity_of",
    "frechet_distance",
    "inception_score_of",
    "kernel_distance",
    "merge",
    "moments_of",
    "nearest_rows",
    "pairs_of",
    "path_distances",
    "path_length",
    "precision_and_recall",
    "softmax",
]
