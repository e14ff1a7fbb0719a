"""Scores of generators and of folders of images: pictures in, numbers with their origin out."""

from aligned_jax.evaluation.cache import Cache, default_folder
from aligned_jax.evaluation.catalogue import METRICS, Options, networks_of, parse_names
from aligned_jax.evaluation.image_sets import (
    GeneratedImages,
    ImageSet,
    StoredImages,
    labels_like,
    quantise,
)
from aligned_jax.evaluation.loaded import load, load_all
from aligned_jax.evaluation.pairs import pair_distances
from aligned_jax.evaluation.scores import Scores, check, evaluate, rows_of, work

__all__ = [
    "METRICS",
    "Cache",
    "GeneratedImages",
    "ImageSet",
    "Options",
    "Scores",
    "StoredImages",
    "check",
    "default_folder",
    "evaluate",
    "labels_like",
    "load",
    "load_all",
    "networks_of",
    "pair_distances",
    "parse_names",
    "quantise",
    "rows_of",
    "work",
]
