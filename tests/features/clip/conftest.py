"""The tiny CLIP of tests/files/clip_tiny, and copies of its folder to change."""

import json
import shutil

import numpy as np
import pytest

from aligned_jax.features import clip
from tests.helpers import DATA

FOLDER = DATA / "clip_tiny"
HEADS = (3, 4)  # which OpenAI's layouts do not tell


@pytest.fixture(scope="package")
def reference():
    """Arrays that the transformers library computed, pictures as NHWC."""
    with np.load(FOLDER / "clip.npz", allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    for key in ("pixel_values", "pixel_gradient", "pre_pixel_values"):
        arrays[key] = np.moveaxis(arrays[key], 1, -1)
    return arrays | {"texts": json.loads(str(arrays["texts_json"]))}


@pytest.fixture(scope="package")
def tiny():
    return clip.load(FOLDER)


@pytest.fixture
def copy(tmp_path):
    """A function that copies files of the folder, all or those named."""

    def copied(*names):
        folder = tmp_path / "clip"
        folder.mkdir()
        for file in FOLDER.iterdir():
            if file.suffix != ".npz" and (not names or file.name in names):
                shutil.copy(file, folder)
        return folder

    return copied


def edit(file, **changes):
    """Changes entries of a JSON file; "text_config.heads" is inside, None removes."""
    document = json.loads(file.read_text())
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = document
        for name in outer:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    file.write_text(json.dumps(document))
