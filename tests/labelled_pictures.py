"""Small pictures with attributes known by construction, and a reader that was never trained."""

import csv

import jax
import numpy as np
from PIL import Image

from aligned_jax.config.attributes import AttributeHead, ReaderConfig
from aligned_jax.features.attributes import Reader
from aligned_jax.features.attributes.network import PartsNetwork, start

SIDE = 8
HEADS = (
    AttributeHead("glasses", "binary"),
    AttributeHead("hair", "category", ("curly", "long", "short")),
    AttributeHead("skin", "colour"),
    AttributeHead("age", "number", (), 40.0, 12.0),
    AttributeHead("yaw", "number", (), 0.0, 0.5, odd=True),
)


def reader(seed=0, **more):
    """A reader of 8 px that was never trained, whose answers still depend on all of a picture."""
    config = ReaderConfig(**{"heads": HEADS, "resolution": SIDE, "widths": (8,), "dense": 8} | more)
    params = {"attributes": start(config, seed)}
    if config.parts:
        decoder = PartsNetwork(config).init(jax.random.key(seed), noise(1))["params"]
        params["parts"] = {name: leaf for name, leaf in decoder.items() if name != "trunk"}
    return Reader(config, params)


def noise(count, *shape, seed=0):
    """float32 images in [-1, 1]."""
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, (count, *(shape or (SIDE, SIDE, 3)))).astype(np.float32)


def drawn(count, seed=0):
    """uint8 [N, 8, 8, 3] and their attributes by name, as texts.

    A dark bar is glasses; where a bright column lies is yaw; the colour of the ground is skin;
    rows of grey at the bottom, none to two, are the kind of hair.
    """
    random = np.random.default_rng(seed)
    images, table = [], []
    for _ in range(count):
        glasses, hair = int(random.integers(2)), int(random.integers(3))
        column = int(random.integers(SIDE))
        skin = random.integers(60, 196, 3)
        image = np.empty((SIDE, SIDE, 3), np.uint8)
        image[:] = skin
        image[3 - glasses : 3] = 0
        image[5:, column] = 255
        image[SIDE - hair : SIDE] = 128
        images.append(image)
        table.append(
            {
                "glasses": ("no", "yes")[glasses],
                "hair": ("curly", "long", "short")[hair],
                "skin": "#" + bytes(map(int, skin)).hex(),
                "yaw": str(column - (SIDE - 1) / 2),
            }
        )
    return np.stack(images), table


def save_table(folder, count, seed=0):
    """Writes pictures, and beside them table.csv of file, name, value; returns its path."""
    images, table = drawn(count, seed)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "table.csv", "w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["file", "name", "value"])
        for number, (image, row) in enumerate(zip(images, table, strict=True)):
            Image.fromarray(image).save(folder / f"{number:04d}.png")
            lines.writerows([[f"{number:04d}.png", name, value] for name, value in row.items()])
    return folder / "table.csv"
