"""A network and a CLIP in which it is known what channels and words mean."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax import loading
from aligned_jax.features import clip
from aligned_jax.features.clip import Clip
from aligned_jax.networks.network import Network
from tests.helpers import DATA

RED, GREEN, BLUE = ("b8.conv1", 3), ("b4.conv1", 0), ("b8.conv0", 1)
_SIGN = ("b8.conv1", 0)
_AXES = 16
# Words by axis: a face, three colours, and one that no picture has.
_WORDS = {"red": 1, "green": 2, "blue": 3, "blorp": 9}


@dataclasses.dataclass(eq=False, frozen=True)
class PlantedNetwork(Network):
    """Three channels move colours, one of them to and fro as another one says; the rest is dead."""

    def render(self, styles, *args, **kwargs):
        def level(channel):
            layer, number = channel
            return jnp.tanh(styles[layer][:, number] - 1)

        # As good as random from seed to seed.
        side = jnp.sign(jnp.sin(1000 * styles[_SIGN[0]][:, _SIGN[1]]))
        colours = jnp.stack([level(RED), level(GREEN), side * level(BLUE)], axis=1)
        return jnp.broadcast_to(colours[:, None, None], (len(colours), 8, 8, 3))


@dataclasses.dataclass(eq=False, frozen=True)
class PlantedClip(Clip):
    """Sees mean colours, and knows words for them."""

    def embed_images(self, images):
        colours = 0.5 * jnp.asarray(images).mean(axis=(1, 2))
        one = jnp.ones((len(colours), 1))
        rest = jnp.zeros((len(colours), _AXES - 4))
        return jnp.concatenate([one, colours, rest], axis=1)

    def embed_texts(self, texts, cut=False):
        vectors = np.zeros((len(texts), _AXES), np.float32)
        vectors[:, 0] = 1
        for row, text in zip(vectors, texts, strict=True):
            for word in text.split():
                if word in _WORDS:
                    row[_WORDS[word]] += 0.5
            # A word without meaning is somewhere, too.
            row[1] += 0.05 * ("blorp" in text)
            row[2] += 0.2 * ("photo" in text and "red" in text)
        return vectors


jax.tree_util.register_dataclass(
    PlantedClip, data_fields=["variables"], meta_fields=["config", "tokens", "name"]
)


def planted_network():
    parent = loading.load(DATA / "hostile_baseline_ok.pkl")
    return PlantedNetwork(parent.config, parent.variables, parent.provenance)


def planted_clip():
    tiny = clip.load(DATA / "clip_tiny")
    config = dataclasses.replace(tiny.config, embedding=_AXES)
    return PlantedClip(config, {"weights": jnp.zeros(1)}, None, "planted")
