"""Small networks and pictures to call jobs with, and the command line to compare them with."""

import contextlib
import io

import jax
import numpy as np
from PIL import Image

from aligned_jax import loading, weights
from aligned_jax.data.footage import open_footage
from aligned_jax.tools.main import main
from tests.helpers import DATA

PARENT = DATA / "hostile_baseline_ok.pkl"  # 8 px
# A file of a function that scores pictures of 8 px: how light they are, and where.
JUDGE = """
import numpy as np
def judge(images):
    light = images.mean(axis=(1, 2, 3))
    return {"bright": light - np.median(light), "yaw": images[:, :, 4:].mean(axis=(1, 2, 3))}
"""


def moved(network, amount, seed=0):
    """The network with all trained weights and w_avg moved."""
    random = np.random.default_rng(seed)

    def move(path, value):
        leaf = weights.leaf_of(path)
        if leaf.component == "noise" and not leaf.trainable:
            return value
        return value + np.float32(amount) * random.standard_normal(value.shape, np.float32)

    return jax.tree_util.tree_map_with_path(move, network)


def save_child(folder, amount=0.1):
    """A checkpoint of the parent, moved; returns its path."""
    loading.save(folder, moved(loading.load(PARENT), amount), {"kind": "made for a test"})
    return folder


def noise_images(count, size=8):
    """uint8 [count, size, size, 3]."""
    shape = (count, size, size, 3)
    return np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)


def save_images(folder, images):
    """Writes 0.png and so on; returns the folder."""
    folder.mkdir(parents=True)
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def frames_of(path):
    """All frames of a film or a folder of them, uint8 [T, H, W, C]."""
    return np.stack(list(open_footage(path).frames()))


def aligned(*argv):
    """Runs a command line that must succeed; returns what it says."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main([str(argument) for argument in argv]) == 0
    return out.getvalue()
