"""Networks in which it is known what every style channel does, and a CLIP that has words for it.

`planted` moves quarters of pictures; `planted_network` moves colours, which `planted_clip` names.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax import loading
from aligned_jax.features import clip
from aligned_jax.features.clip import Clip
from aligned_jax.networks.network import Network
from tests.helpers import DATA

LAYER = "b4.conv1"
# The quarter of the 8 px picture that each channel moves; its number is that of the colour.
QUARTERS = {
    0: (slice(0, 4), slice(0, 4)),
    1: (slice(4, 8), slice(4, 8)),
    2: (slice(0, 4), slice(4, 8)),
}
PARTS = ("upper left", "lower right", "upper right")


def planted(places=(0, 1, 2), shift=0):
    """Channel k of b4.conv1 moves colour k in a quarter, channel 3 all of the picture.

    No other channel ever varies. Each of the four depends on another number of z.

    Args:
      places: quarter that channels 0, 1 and 2 move, each with its colour.
      shift: rows of 4 by which the quarters are rolled to the right.
    """
    plain = loading.load(DATA / "hostile_baseline_ok.pkl")
    params = jax.tree.map(np.asarray, plain.variables["params"])
    params = jax.tree.map(np.zeros_like, params)
    params["mapping"]["fc0"]["weight"] = 100 * 6**0.5 * np.eye(6, dtype=np.float32)  # times 0.01
    block = params["synthesis"]["b4"]
    const, weight = np.zeros((4, 4, 4), np.float32), np.zeros((3, 3, 4, 4), np.float32)
    const[:, :, 3] = 1
    for channel, place in enumerate(places):
        rows, columns = (slice(s.start // 2, s.stop // 2) for s in QUARTERS[place])
        const[rows, columns, channel] = 10
        # Bright, with a small weight: so that demodulation, which sees weights alone, stays.
        weight[1, 1, channel, place] = 0.1
        weight[1, 1, 3, place] = 1
    block["const"], block["conv1"]["weight"] = np.roll(const, shift, axis=1), weight
    block["conv1"]["affine"]["weight"] = np.eye(6, 4, dtype=np.float32)
    block["conv1"]["affine"]["weight"][3, 3] = 0.1  # it hardly varies
    for layer in ("conv1", "torgb"):
        block[layer]["affine"]["bias"] = np.ones(4, np.float32)
    block["torgb"]["weight"] = 0.2 * np.eye(4, 3, dtype=np.float32)[None, None]
    return dataclasses.replace(plain, variables={**plain.variables, "params": params})


def judge(images):
    """How strong each colour is in its quarter."""
    return {name: images[:, *QUARTERS[k], k].mean(axis=(1, 2)) for k, name in enumerate(PARTS)}


def segment(images):
    """The three quarters."""
    parts = np.zeros((*images.shape[:3], 3), np.float32)
    for k, (rows, columns) in QUARTERS.items():
        parts[:, rows, columns, k] = 1
    return parts


segment.names = PARTS


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
