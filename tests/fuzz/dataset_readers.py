"""Readers of pictures, zips of them, and what describes a dataset."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from aligned_jax.data import DataOptions, images, open_dataset, targets
from aligned_jax.data.opening import FORMATS
from aligned_jax.data.writer import write_dataset
from tests.fuzz import mutations

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def pictures(_: Path) -> st.SearchStrategy[bytes]:
    return st.one_of(*(mutations.files(picture(kind)) for kind in FORMATS))


def read_picture(folder: Path, content: bytes) -> None:
    (folder / "a.tga").write_bytes(content)
    found = targets.read([str(folder / "a.tga")], 8, 4)
    assert found.images().shape == (1, 8, 8, 4)


def zips(_: Path) -> st.SearchStrategy[bytes]:
    listing = {"labels": [["a/0.png", 0], ["b/1.jpg", 1]]}

    def packed(text: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr("a/0.png", picture("PNG"))
            archive.writestr("b/1.jpg", picture("JPEG"))
            archive.writestr("dataset.json", text)
        return out.getvalue()

    text = json.dumps(listing).encode()
    return st.one_of(
        mutations.texts(listing).map(packed),
        *(mutations.files(packed(text, method)) for method in _METHODS),
    )


def read_zip(folder: Path, content: bytes) -> None:
    (folder / "x.zip").write_bytes(content)
    source = images.scan(folder / "x.zip", 8)
    for split, count in source.splits().items():
        for example in source.examples(split, 0, count):
            assert isinstance(example, str | tuple)


def descriptions(folder: Path) -> st.SearchStrategy[tuple[str, bytes]]:
    for name in ("a/0.png", "b/1.png"):
        (folder / "src" / name).parent.mkdir(parents=True)
        (folder / "src" / name).write_bytes(picture("PNG"))
    write_dataset(images.scan(folder / "src", 8), folder / "d", workers=1)
    metadata = json.loads((folder / "d" / "metadata.json").read_text())
    # Else what is recorded of the others would find every change.
    del metadata["described"], metadata["sha256"]
    (folder / "d" / "metadata.json").write_text(json.dumps(metadata))
    documents = ("metadata.json", "features.json", "dataset_info.json")
    changed = [
        mutations.texts(json.loads((folder / "d" / name).read_text())).map(
            lambda text, name=name: (name, text)
        )
        for name in documents
    ]
    names = (folder / "d" / "label.labels.txt").read_bytes()
    return st.one_of(*changed, mutations.files(names).map(lambda text: ("label.labels.txt", text)))


def read_dataset(folder: Path, content: tuple[str, bytes]) -> None:
    path = folder / "d" / content[0]
    original = path.read_bytes()
    try:
        path.write_bytes(content[1])
        data = open_dataset(DataOptions(str(folder / "d"), labels="label"))
        last = len(data) - 1
        assert len(data[last][1]) == data.c_dim
        assert data.attributes(last)["label"] in data.label_names
    finally:
        path.write_bytes(original)
