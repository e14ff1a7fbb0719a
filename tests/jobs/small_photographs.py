"""A photograph with two faces that a small network draws, and what goes with it."""

import dataclasses
import hashlib

import numpy as np
from PIL import Image, ImageCms

from aligned_jax import jobs, viz
from aligned_jax.data import placements
from aligned_jax.rendering import render
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.latent_files import write_latents
from aligned_jax.semantics import Direction

SIZE = (60, 40)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SQUARES = ((4, 6), (30, 20))  # of 8 pixels, which the network draws

READER = """import numpy as np
def halves(images):
    left = np.zeros(images.shape[:3], np.float32)
    left[:, :, :4] = 1
    return left[..., None]
halves.names = ("left",)
"""


def save_place(folder, network):
    """two.png, a photograph with two faces that the network draws of latents in two.npz; w.npz, a
    direction; mask.png, white to the left; reader.py."""
    random = np.random.RandomState(0)
    config = network.config
    ws = random.standard_normal((2, config.num_ws, config.w_dim)).astype(np.float32)
    batch = LatentBatch({"ws": ws}, ("a", "b"), np.arange(2, dtype=np.uint32))
    drawn = viz.to_uint8(render(network, batch))
    photo = random.randint(0, 256, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    for image, (x, y) in zip(drawn, SQUARES, strict=True):
        photo[y : y + 8, x : x + 8] = image
    file = folder / "two.png"
    Image.fromarray(photo).save(file, icc_profile=PROFILE)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    places = tuple(
        dataclasses.replace(placements.of_box(np.asarray([x, y, x + 8, y + 8]), SIZE),
                            photo=str(file), digest=digest)
        for x, y in SQUARES
    )  # fmt: skip
    with open(folder / "two.npz", "wb") as stream:
        write_latents(stream, dataclasses.replace(batch, placements=places), {})
    vector = np.float32([1, 2, 0, -1, 0, 1]) / np.sqrt(np.float32(7))
    jobs.write_direction(folder / "w.npz", Direction("w", {"w": vector}, 0.7, "", 0))
    mask = np.zeros((8, 8), np.uint8)
    mask[:, :4] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    (folder / "reader.py").write_text(READER)
    return folder


def photo_of(place):
    with Image.open(place / "two.png") as image:
        return np.asarray(image)


def in_square(photo, k):
    x, y = SQUARES[k]
    return photo[y : y + 8, x : x + 8].astype(int)


def outside(photo):
    kept = photo.copy()
    for x, y in SQUARES:
        kept[y : y + 8, x : x + 8] = 0
    return kept
