"""What describes a dataset on the disk, looked at before TFDS reads it.

TFDS imports whatever module `features.json` names, reads files wherever `dataset_info.json` leads,
and heeds no error in lists of class names. So all of it is checked here first; what TFDS then
reads holds only features that this project writes, in files beside it.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from aligned_jax.errors import FormatError
from aligned_jax.utils import reading
from aligned_jax.utils.paths import as_path, exists
from aligned_jax.utils.text import listed

INFO, FEATURES, METADATA, NAMES = (
    "dataset_info.json",
    "features.json",
    "metadata.json",
    ".labels.txt",
)
DESCRIBING = (INFO, FEATURES)
_HOME = "tensorflow_datasets.core.features"
_DICT = f"{_HOME}.features_dict.FeaturesDict"
# Where each class keeps its content, and what may be in it.
_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    f"{_HOME}.image_feature.Image": ("image", ("dtype", "encodingFormat", "shape", "useColormap")),
    f"{_HOME}.class_label_feature.ClassLabel": ("classLabel", ("numClasses",)),
    f"{_HOME}.tensor_feature.Tensor": ("tensor", ("dtype", "encoding", "shape")),
    f"{_HOME}.scalar.Scalar": ("tensor", ("dtype", "encoding", "shape")),
    f"{_HOME}.text_feature.Text": ("text", ()),
}
# What TFDS would ask TensorFlow about otherwise, which is not there.
_WORDS: dict[str, tuple[Any, ...]] = {
    "dtype": ("uint8", "bool", "int32", "int64", "float32", "float64"),
    "encoding": ("none",),
    "encodingFormat": ("png", "jpeg"),
    "useColormap": (True, False),
}
_DOCUMENTED = ("description", "valueRange")
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
_SHA256 = re.compile("[0-9a-f]{64}")
_NAME, _LONGEST_NAME = re.compile(r"\w[\w .-]*"), 200
_MOST_CLASSES, _LARGEST, _MOST_NUMBERS, _MOST_IMAGES = 10**6, 2**15, 2**24, 2**40
_LONGEST_METADATA = 2**26


def check_description(folder: str) -> None:
    """Looks at all files that describe a dataset, but not at its shards.

    Raises:
      OSError: if one cannot be read.
      FormatError: if one is damaged, changed, of wrong types, beyond all sizes, or names what is
        not read here.
    """
    info = reading.read_json(os.path.join(folder, INFO))
    file_format = info.get("fileFormat")
    if file_format != "array_record":
        raise FormatError(
            f"{folder} is in {file_format!s:.40} format; only array_record can be read"
        )
    _check_splits(folder, info)
    classes = _check_features(folder, reading.read_json(os.path.join(folder, FEATURES)))
    for name, count in classes.items():
        _check_names(folder, name, count)
    _check_metadata(folder)


def _check_splits(folder: str, info: Mapping[str, Any]) -> None:
    """No more files than there are, all of them in the folder."""
    where = os.path.join(folder, INFO)
    splits = info.get("splits")
    splits = splits if isinstance(splits, list) else []
    if not splits or not all(isinstance(split, dict) for split in splits):
        raise FormatError(f"{where} holds no list of splits")
    names = [info.get("name"), *(split.get("name") for split in splits)]
    wrong = [f"{name!r:.40}" for name in names if not _is_name(name)]
    templates = [split.get("filepathTemplate") or _TEMPLATE for split in splits]
    wrong += [f"{template!r:.80}" for template in templates if template != _TEMPLATE]
    if wrong:
        raise FormatError(f"{where} has names of files that are not read: {listed(wrong)}")
    here = sum(1 for _ in as_path(folder).iterdir())
    for split in splits:
        lengths = split.get("shardLengths", [])
        if not isinstance(lengths, list):
            raise FormatError(f"{where}: shardLengths of {split['name']} is no list")
        if len(lengths) > here:
            raise FormatError(
                f"{where} says that {split['name']} has {len(lengths):,} files; the folder holds "
                f"{here:,} in all: it is damaged, or not all was copied"
            )
        bad = [f"{value!r:.40}" for value in lengths if not _is_number(value, 0, _MOST_IMAGES)]
        if bad:
            raise FormatError(
                f"{where}: shardLengths of {split['name']} holds {listed(bad)}, which is no "
                "number of images"
            )


def _check_features(folder: str, features: Mapping[str, Any]) -> dict[str, int]:
    """The number of classes by feature, once all features are found to be known ones."""
    where = os.path.join(folder, FEATURES)
    inner = features.get("featuresDict")
    inner = inner if isinstance(inner, dict) else {}
    entries = inner.get("features")
    if features.get("pythonClassName") != _DICT or not isinstance(entries, dict):
        raise FormatError(
            f"{where} holds {features.get('pythonClassName')!s:.80}, which is no dictionary of "
            "features that can be read"
        )
    keys = {"pythonClassName", "featuresDict", *_DOCUMENTED}
    mistakes = [
        f"{key!r:.40} is unknown" for key in [*set(features) - keys, *set(inner) - {"features"}]
    ]
    mistakes += [
        f"{name!r:.80} {mistake}"
        for name, feature in entries.items()
        if (mistake := _mistake(name, feature))
    ]
    if mistakes:
        known = ", ".join(kind.rpartition(".")[2] for kind in _KINDS)
        raise FormatError(
            f"{where}: {listed(mistakes, separator='; ')}; features that are read are {known}"
        )
    kinds = {
        name: feature["classLabel"] for name, feature in entries.items() if "classLabel" in feature
    }
    return {name: int(content["numClasses"]) for name, content in kinds.items()}


def _mistake(name: str, feature: Any) -> str:
    """Why a feature is not read; nothing if it is."""
    if not _is_name(name):
        return "is no name for a feature"
    kind = feature.get("pythonClassName") if isinstance(feature, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        return f"is of the kind {kind!s:.120}, which is not read"
    content, known = _KINDS[kind]
    extra = set(feature) - {"pythonClassName", content, *_DOCUMENTED}
    inner = feature.get(content)
    if extra or not isinstance(inner, dict) or set(inner) - set(known):
        return f"is not written as a {kind.rpartition('.')[2]} is"
    if content == "classLabel" and not _is_number(inner.get("numClasses"), 1, _MOST_CLASSES):
        return f"has {inner.get('numClasses')!r:.40} classes"
    strange = [
        f"{inner[key]!r:.40} for {key}"
        for key, known in _WORDS.items()
        if key in inner and inner[key] not in known
    ]
    if strange:
        return f"has {listed(strange)}"
    if "shape" in inner and not _is_shape(inner["shape"], 3 if content == "image" else None):
        return f"is of shape {inner['shape']!r:.80}"
    return ""


def _is_shape(shape: Any, count: int | None = None) -> bool:
    """Whether a list of sizes, so many if told, is one that can be; -1 stands for any size."""
    if not isinstance(shape, dict) or set(shape) - {"dimensions"}:
        return False
    sizes = shape.get("dimensions", [])
    if not isinstance(sizes, list) or len(sizes) > 8 or (count and len(sizes) != count):
        return False
    total = 1
    for size in sizes:
        if not _is_number(size, -1, _LARGEST):
            return False
        total *= max(1, int(size))
    return total <= _MOST_NUMBERS * 16


def _check_names(folder: str, feature: str, count: int) -> None:
    """As many different names as there are classes, if there are names."""
    path = os.path.join(folder, f"{feature}{NAMES}")
    if not exists(path):
        return
    try:
        text = reading.read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{path} is no text in UTF-8") from None
    names = [name.strip() for name in text.split("\n") if name.strip()]
    if len(names) != count or len(set(names)) != count:
        raise FormatError(
            f"{path} has {len(names)} names, {len(set(names))} of them different; {feature} has "
            f"{count} classes"
        )


def _check_metadata(folder: str) -> None:
    """What `aligned data` records; that of other writers may hold anything."""
    path = os.path.join(folder, METADATA)
    if not exists(path):
        return
    metadata = reading.read_json(path, _LONGEST_METADATA)
    files = metadata.get("files", {})
    described = metadata.get("described", {})
    mistakes = []
    if not isinstance(metadata.get("command") or "", str):
        mistakes.append("command is no text")
    if not isinstance(files, dict) or not all(map(_is_record, files.values())):
        mistakes.append("files is no table of bytes and SHA-256")
    if not isinstance(described, dict) or not all(map(_is_described, described)):
        mistakes.append("described is no table of SHA-256")
    if mistakes:
        raise FormatError(f"{path} is damaged: {'; '.join(mistakes)}")
    known = {"command", "source", "versions", "files", "described", "sha256"}
    # Who takes `files` out means to; a damaged name would still be there.
    if described and ("files" in metadata or set(metadata) - known):
        from aligned_jax.utils import checksums  # which needs JAX

        checksums.check_seal(metadata, path)
        _check_described(folder, described)


def _check_described(folder: str, described: Mapping[str, Any]) -> None:
    changed = []
    for name, recorded in described.items():
        path = os.path.join(folder, name)
        content = reading.read_bytes(path) if exists(path) else b""
        if hashlib.sha256(content).hexdigest() != recorded:
            changed.append(name)
    if changed:
        raise FormatError(
            f"{folder}: {listed(changed)} was damaged or edited since it was written; make the "
            "dataset again, or copy it anew (who edits it on purpose removes the entries described "
            f"and sha256 of {METADATA})"
        )


def _is_described(name: str) -> bool:
    return os.sep not in name and (name in DESCRIBING or name.endswith(NAMES))


def _is_record(record: Any) -> bool:
    if not isinstance(record, dict):
        return False
    checks: dict[str, Callable[[Any], bool]] = {
        "bytes": lambda value: type(value) is int and value >= 0,
        "sha256": lambda value: isinstance(value, str) and _SHA256.fullmatch(value) is not None,
    }
    return all(check(record[key]) for key, check in checks.items() if key in record)


def _is_name(name: Any) -> bool:
    return (
        isinstance(name, str) and len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) is not None
    )


def _is_number(value: Any, least: int, most: int) -> bool:
    """Whether a whole number is within bounds; JSON of protocol buffers writes it as text."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value):
        value = int(value)
    return type(value) is int and least <= value <= most
