"""CLIP (Radford et al. 2021): pictures and texts in one space, from a folder or file of weights.

clip = features.clip.load("clip-vit-base-patch32")      # a folder of the Hugging Face hub
clip = features.clip.load()                              # the small one of the zoo: drawn faces
texts = clip.embed_texts(["a face", "a face with glasses"])
images = clip.embed_images(pictures)                     # uint8, or floats in [-1, 1]
"""

from aligned_jax.features.clip.config import ClipConfig, TowerConfig
from aligned_jax.features.clip.model import Clip
from aligned_jax.features.clip.reading import ZOO_CLIP, load, zoo_clips

__all__ = ["ZOO_CLIP", "Clip", "ClipConfig", "TowerConfig", "load", "zoo_clips"]
