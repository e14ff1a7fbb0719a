"""Reading a TFDS array_record dataset without TensorFlow."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from aligned_jax.data import records
from aligned_jax.data.description import check_description
from aligned_jax.data.options import DataOptions
from aligned_jax.data.pictures import MODES
from aligned_jax.data.variants import apply_variant, mirrored
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.paths import is_file, is_utf8
from aligned_jax.utils.text import listed

_T = TypeVar("_T")
# Numbers that change their sign when left and right are exchanged, or top and bottom.
_ODD_SIDEWAYS, _ODD_UPWARDS = ("roll", "yaw"), ("roll",)


class Dataset:
    """Images and labels by number; the same numbers always give the same values.

    Attributes:
      options: the options it was opened with.
      resolution, channels: of every image.
      c_dim: numbers in a label, 0 without labels.
      label_names: a name for each of them: classes, or feature[k].
      fingerprint: hexadecimal SHA-256 of what determines the content: features, shards
        (their own SHA-256 where recorded, else their sizes) and options, but not the path.
      recipe: how the images were made, as `aligned data` recorded it, or None.
    """

    def __init__(self, options: DataOptions, builder: Any) -> None:
        import tensorflow_datasets as tfds

        self.options = options
        self._features = builder.info.features
        self._label = _label_feature(self._features, options.labels)
        raw = tfds.decode.DeserializeMethod.RAW_BYTES
        with _explained(f"{options.split} of {options.path}"):
            self._records = builder.as_data_source(
                split=options.split, deserialize_method=raw
            ).data_source
            total = len(self._records)
        self._chosen = _chosen(total, options)
        self._count = total if self._chosen is None else len(self._chosen)
        self.resolution, self.channels = self._sizes()
        self.label_names = _label_names(self._features, options.labels)
        self.c_dim = len(self.label_names)
        self.fingerprint = _fingerprint(builder, options)
        self.recipe = (builder.info.metadata or {}).get("source")

    def __len__(self) -> int:
        """Images of an epoch."""
        return self._count * (2 if self.options.mirror else 1)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """An image uint8 [H, W, C] and its label float32 [c_dim].

        With `mirror`, the second half of the numbers are the mirrored images.

        Raises:
          IndexError: outside of the epoch.
          FormatError: a record that is damaged or not like the others.
        """
        record, flip = self._record(index)
        place = self._place(index)
        image = self._told(place, records.image, record, self.resolution, self.channels)
        variant = self.options.variant
        image = apply_variant(mirrored(image) if flip else image, variant)
        return np.ascontiguousarray(image), self._label_of(record, place, flip)

    def label(self, index: int) -> np.ndarray:
        """The label alone, float32 [c_dim], without decoding the image."""
        if self.c_dim == 0:
            return np.zeros(0, np.float32)
        record, flip = self._record(index)
        return self._label_of(record, self._place(index), flip)

    def is_class(self, name: str) -> bool:
        """Whether a feature is one of several named classes."""
        return hasattr(self._features[name], "num_classes")

    def attributes(self, index: int) -> dict[str, Any]:
        """All that is recorded with an image (before mirroring): texts, class names, numbers."""
        import tensorflow_datasets as tfds

        record, place = self._record(index)[0], self._place(index)
        recorded: dict[str, Any] = {}
        for name, feature in self._features.items():
            if isinstance(feature, tfds.features.Image):
                continue
            if isinstance(feature, tfds.features.Text):
                recorded[name] = self._told(place, records.text, record, name)
                continue
            values = self._told(place, records.numbers, record, name, feature)
            if isinstance(feature, tfds.features.ClassLabel):
                recorded[name] = feature.int2str(int(values[0]))
            else:
                recorded[name] = (
                    values.reshape(feature.shape) if feature.shape else float(values[0])
                )
        return recorded

    def _place(self, index: int) -> int:
        """Number of the record of an image."""
        if not 0 <= index < len(self):
            raise IndexError(f"{index} is not one of {len(self)} images")
        place = int(index) % self._count
        return place if self._chosen is None else int(self._chosen[place])

    def _record(self, index: int) -> tuple[Any, bool]:
        """A parsed record, and whether it is to be mirrored."""
        from tensorflow_datasets.proto import tf_example_pb2

        place = self._place(index)
        try:
            data = self._records[place]
            return tf_example_pb2.Example.FromString(data), index >= self._count
        except Exception as error:
            raise self._damaged(place, error) from error

    def _told(self, place: int, read: Callable[..., _T], *about: Any) -> _T:
        """What `read` finds in a record; what it raises becomes one sentence that names it."""
        try:
            return read(*about)
        except Exception as error:  # Decoders raise all kinds of errors.
            raise self._damaged(place, error) from error

    def _damaged(self, place: int, error: Exception) -> FormatError:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        return FormatError(
            f"{self.options.path}: record {place} of {self.options.split} is damaged ({reason}); "
            "make the dataset again, or copy it anew"
        )

    def _sizes(self) -> tuple[int, int]:
        """Height (equal to the width) and channels, of the first image where they may vary."""
        path = self.options.path
        height, width, channels = self._features["image"].shape
        if height is None or width is None:
            record, _ = self._record(0)
            width, height = self._told(0, records.image_size, record)
        if height != width or channels not in MODES:
            raise UserError(
                f"{path} holds images of {width}x{height} pixels and {channels} channels; they "
                "must be square, with 1, 3 or 4 channels: `aligned data images` makes them so"
            )
        return height, channels

    def _label_of(self, record: Any, place: int, flip: bool) -> np.ndarray:
        if self.options.labels is None:
            return np.zeros(0, np.float32)
        name = self.options.labels
        values = self._told(place, records.numbers, record, name, self._label)
        if hasattr(self._label, "num_classes"):
            label = np.zeros(self.c_dim, np.float32)
            label[int(values[0])] = 1
            return label
        odd = (flip and name in _ODD_SIDEWAYS) != (
            self.options.variant.upside_down and name in _ODD_UPWARDS
        )
        return -values if odd else values


def open_dataset(options: DataOptions) -> Dataset:
    """Opens a dataset, as `aligned data` or any TFDS array_record builder writes it.

    Raises:
      UserError: no dataset, an unknown split, labels it lacks, more images wanted
        than there are, or images that are not square.
      FormatError: a damaged description or missing shards.
    """
    with _explained(options.path):
        builder = _builder(options.path)
        name = options.split.split("[")[0]
        if name not in builder.info.splits:
            splits = ", ".join(builder.info.splits)
            raise UserError(f"{options.path} has no split {name!r}; it has {splits}")
        if not sum(builder.info.splits[name].shard_lengths):
            raise UserError(f"{options.path} has no images in {name}")
        _check_shards(options, builder.info, builder.info.splits[name])
    return Dataset(options, builder)


def read_info(path: str) -> Any:
    """The TFDS description of a dataset: splits, features, metadata.

    Raises:
      UserError, FormatError: as `open_dataset`.
    """
    with _explained(path):
        return _builder(path).info


def _builder(folder: str) -> Any:
    import tensorflow_datasets as tfds
    from etils import epath

    path = epath.Path(folder)
    if not is_utf8(folder):
        raise UserError(f"{folder}: the name is not UTF-8; rename the folder")
    if not path.exists():
        raise UserError(f"{folder} does not exist; `aligned data` makes datasets")
    if not (path / "dataset_info.json").exists():
        raise UserError(
            f"{folder} is no dataset (it has no dataset_info.json); `aligned data avatars` "
            "draws one and `aligned data images` imports a folder or zip"
        )
    check_description(folder)
    builder = tfds.builder_from_directory(folder)
    features = builder.info.features
    if not isinstance(dict(features.items()).get("image"), tfds.features.Image):
        raise UserError(f"{folder} has no feature image; it has {', '.join(features)}")
    return builder


def _check_shards(options: DataOptions, info: Any, split: Any) -> None:
    """Raises FormatError for shards that are missing or cut off, before a run has begun."""
    missing = [path.name for path in split.filepaths if not path.exists()]
    if missing:
        raise FormatError(f"{options.path} lacks {listed(missing)}; copy the whole folder")
    pipes = [path.name for path in split.filepaths if not is_file(path)]
    if pipes:
        raise FormatError(f"{options.path}: {listed(pipes)} is not a regular file")
    recorded = recorded_files(info)
    sizes = {path.name: path.stat().length for path in split.filepaths}
    wrong = [
        f"{name} (has {size} bytes of {recorded[name]['bytes']})"
        for name, size in sizes.items()
        if recorded.get(name, {}).get("bytes", size) != size
    ]
    if wrong:
        raise FormatError(f"{options.path}: {listed(wrong)} is cut off; copy the folder anew")
    few = [
        f"{name} ({length} images in {size} bytes)"
        for (name, size), length in zip(sizes.items(), split.shard_lengths, strict=True)
        if length > size
    ]
    if few:
        raise FormatError(f"{options.path}: {listed(few)} cannot hold what is said to be in it")


def recorded_files(info: Any) -> dict[str, dict[str, Any]]:
    """Bytes and SHA-256 of the shards, for datasets that `aligned data` wrote."""
    return (info.metadata or {}).get("files", {})


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turns what TFDS raises into one sentence."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # TFDS raises all kinds.
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise FormatError(f"{what} cannot be read: {reason}") from error


def _chosen(total: int, options: DataOptions) -> np.ndarray | None:
    if total == 0:
        raise UserError(f"{options.path} has no images in {options.split}")
    if options.subset is None:
        return None
    if options.subset > total:
        raise UserError(
            f"a subset of {options.subset} images was asked for; {options.path} has {total} in "
            f"{options.split}"
        )
    order = np.random.default_rng(options.subset_seed).permutation(total)
    return np.sort(order[: options.subset])


def _offered(features: Any) -> str:
    names = [name for name in features if _is_label(features[name])]
    return ", ".join(names) or "none"


def _is_label(feature: Any) -> bool:
    """Classes, numbers, and vectors of numbers of fixed length."""
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.ClassLabel):
        return True
    plain = type(feature) in (tfds.features.Tensor, tfds.features.Scalar)
    return plain and len(feature.shape) <= 1 and None not in feature.shape


def _label_feature(features: Any, name: str | None) -> Any:
    if name is None:
        return None
    if name not in features or not _is_label(features[name]):
        raise UserError(f"there are no labels {name!r}; the dataset has {_offered(features)}")
    return features[name]


def _label_names(features: Any, name: str | None) -> tuple[str, ...]:
    if name is None:
        return ()
    feature = features[name]
    if hasattr(feature, "num_classes"):
        return tuple(feature.names)
    return tuple(f"{name}[{k}]" for k in range(feature.shape[0])) if feature.shape else (name,)


def _fingerprint(builder: Any, options: DataOptions) -> str:
    from etils import epath

    values = asdict(options)
    del values["path"]
    if not options.variant.edges:
        del values["variant"]["edges"]  # earlier versions did not know it, and called it the same
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    digest.update((epath.Path(builder.data_path) / "features.json").read_bytes())
    split = builder.info.splits[options.split.split("[")[0]]
    recorded = recorded_files(builder.info)
    for path, length in zip(split.filepaths, split.shard_lengths, strict=True):
        content = recorded.get(path.name, {}).get("sha256", "")
        digest.update(f"{path.name} {length} {path.stat().length} {content}\n".encode())
    return digest.hexdigest()
