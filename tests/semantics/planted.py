"""Networks in which it is known what every style channel does."""

import dataclasses

import jax
import numpy as np

from aligned_jax import loading
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
