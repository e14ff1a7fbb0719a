"""Readers: small networks that tell which attributes a picture shows.

reader = attributes.load("zoo:people-reader")
reader(images)["glasses"]       # probabilities; images in [-1, 1]
judge = reader.judge()          # images to {"glasses": log-odds, "hair=long": ..., "yaw": ...}
"""

from aligned_jax.features.attributes.file import load, zoo_readers
from aligned_jax.features.attributes.reader import Judge, Reader, Segment

__all__ = ["Judge", "Reader", "Segment", "load", "zoo_readers"]
