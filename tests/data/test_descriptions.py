"""Datasets of strangers: nothing is imported by name, and what cannot be is refused at once."""

import json
import os
import shutil
import sys
import time

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import DataOptions, images, open_dataset
from aligned_jax.data.dataset import read_info
from aligned_jax.data.integrity import check_files
from aligned_jax.data.writer import write_dataset
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs import inspect_data

HOME = "tensorflow_datasets.core.features"


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Six images of two classes."""
    folder = tmp_path_factory.mktemp("described")
    for k in range(6):
        path = folder / "src" / ("cats", "dogs")[k % 2] / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (k, k, k)).save(path)
    write_dataset(images.scan(folder / "src", 8), folder / "d", "by hand", workers=1)
    return folder / "d"


@pytest.fixture
def copy(labelled, tmp_path):
    shutil.copytree(labelled, tmp_path / "d")
    return tmp_path / "d"


def edited(folder, name, change, sealed=False):
    """Changes a JSON file of a dataset; by default without what would notice any change."""
    if not sealed:
        metadata = json.loads((folder / "metadata.json").read_text())
        for key in ("described", "sha256"):
            metadata.pop(key, None)
        (folder / "metadata.json").write_text(json.dumps(metadata))
    document = json.loads((folder / name).read_text())
    changed = change(document)
    text = json.dumps(document if changed is None else changed)
    (folder / name).write_text(text)


def refused(folder, message, **options):
    """Both ways to look at a dataset refuse it, within a moment."""
    for look in (
        lambda: open_dataset(DataOptions(str(folder), **options)),
        lambda: read_info(str(folder)),
    ):
        begun = time.monotonic()
        with pytest.raises(UserError, match=message) as caught:
            look()
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 2000
        assert time.monotonic() - begun < 3


# ---- features.json


def entries(document):
    return document["featuresDict"]["features"]


def strange(kind, content=None, key="tensor"):
    return {"pythonClassName": kind, key: content or {"shape": {}, "dtype": "int64"}}


@pytest.fixture
def payload(copy, monkeypatch):
    """The name of a module that lies in the dataset and says if it was imported."""
    (copy / "payload.py").write_text(
        "import sys\nsys.modules['payload_ran'] = sys\nclass X: pass\n"
    )
    monkeypatch.syspath_prepend(copy)
    yield "payload.X"
    assert "payload_ran" not in sys.modules and "payload" not in sys.modules


@pytest.mark.parametrize(
    "hide",
    [
        lambda d, name: entries(d).update(zz=strange(name)),
        lambda d, name: entries(d).update(image=strange(name)),
        lambda d, name: d.update(pythonClassName=name),
        lambda d, name: entries(d).update(zz={"python_class_name": name, "tensor": {}}),
        lambda d, name: entries(d).update(zz={"type": name, "content": {}}),
        lambda d, name: d.update(type=name, content={}),
        lambda d, name: entries(d).update(
            zz=strange(
                f"{HOME}.features_dict.FeaturesDict",
                {"features": {"a": strange(name)}},
                "featuresDict",
            )
        ),
        lambda d, name: entries(d).update(
            zz=strange(f"{HOME}.sequence_feature.Sequence", {"feature": strange(name)}, "sequence")
        ),
        lambda d, name: entries(d)["image"]["image"].update(label={"pythonClassName": name}),
        lambda d, name: entries(d)["file"].update(jsonFeature={"json": name}),
    ],
)
def test_no_module_is_imported_by_its_name(copy, payload, hide):
    edited(copy, "features.json", lambda document: hide(document, payload))
    refused(copy, r"features\.json")


def test_features_that_are_not_read_are_all_named(copy):
    def change(document):
        entries(document).update(
            sound=strange(f"{HOME}.audio_feature.Audio", {}, "audio"),
            flow=strange("os.system"),
            fine=strange(f"{HOME}.scalar.Scalar"),
        )

    edited(copy, "features.json", change)
    refused(
        copy, r"'sound' is of the kind .*Audio.*'flow' is of the kind os\.system.*read are Image"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda d: [],
        lambda d: {},
        lambda d: d.update(featuresDict=3),
        lambda d: d["featuresDict"].update(features=[]),
        lambda d: entries(d).update(label=5),
        lambda d: entries(d)["label"].update(classLabel=[]),
        lambda d: entries(d)["label"].update(classLabel={"numClasses": str(10**9)}),
        lambda d: entries(d)["label"].update(classLabel={"numClasses": -2}),
        lambda d: entries(d)["label"].update(classLabel={"numClasses": {}}),
        lambda d: entries(d)["image"]["image"].update(shape={"dimensions": ["1000000"] * 3}),
        lambda d: entries(d)["image"]["image"].update(shape={"dimensions": 8}),
        lambda d: entries(d)["image"]["image"].update(shape={"dimensions": ["8", "8", "3", "0"]}),
        lambda d: entries(d)["image"]["image"].update(shape={"dimensions": ["8", "8"]}),
        lambda d: entries(d).update({"../x": strange(f"{HOME}.scalar.Scalar")}),
        lambda d: entries(d).update({"n" * 999: strange(f"{HOME}.scalar.Scalar")}),
    ],
)
def test_features_of_wrong_types_and_sizes(copy, change):
    edited(copy, "features.json", change)
    refused(copy, r"features\.json")


# ---- dataset_info.json


def splits(**changed):
    return lambda document: document["splits"][0].update(changed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (splits(shardLengths=["1"] * 10**6), "has 1,000,000 files; the folder holds 6 in all"),
        (splits(shardLengths=["-1"]), "'-1', which is no number of images"),
        (splits(shardLengths=[2**60]), "which is no number of images"),
        (splits(shardLengths=[[1]]), "which is no number of images"),
        (splits(shardLengths="6"), "is no list"),
        (splits(shardLengths=[10**9]), "cannot hold what is said to be in it|read"),
        (splits(name="../../etc"), "names of files that are not read"),
        (splits(name=None), "names of files that are not read"),
        (splits(filepathTemplate="/dev/zero"), "'/dev/zero'"),
        (lambda d: d.update(name="/dev/stdin"), "'/dev/stdin'"),
        (lambda d: d.update(splits=[3]), "no list of splits"),
        (lambda d: d.update(splits={}), "no list of splits"),
        (lambda d: d.update(splits=[]), "no list of splits"),
        (lambda d: d.update(fileFormat="tfrecord"), "in tfrecord format; only array_record"),
        (lambda d: d.update(fileFormat=["os"]), "format; only array_record"),
        (lambda d: d.update(description={"a": 1}), "cannot be read"),
        (lambda d: [], "holds no JSON object but a list"),
    ],
)
def test_descriptions_that_cannot_be(copy, change, said):
    edited(copy, "dataset_info.json", change)
    begun = time.monotonic()
    with pytest.raises(UserError, match=said):
        open_dataset(DataOptions(str(copy)))
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json", "metadata.json"])
def test_files_that_are_none_or_are_nested_too_deeply(copy, name):
    (copy / name).write_text("[" * 200_000)
    refused(copy, f"{name} cannot be read: it is nested too deeply")
    (copy / name).unlink()
    os.mkfifo(copy / name)
    refused(copy, f"{name} is not a regular file")
    (copy / name).unlink()
    (copy / name).symlink_to("/dev/zero")
    refused(copy, f"{name} is not a regular file")


def test_shards_and_names_that_are_no_files(copy):
    names = copy / "label.labels.txt"
    names.unlink()
    os.mkfifo(names)
    (copy / "metadata.json").unlink()
    refused(copy, r"label\.labels\.txt is not a regular file")
    names.unlink()
    names.write_text("cats\ndogs\n")
    shard = next(copy.glob("*array_record*"))
    shard.unlink()
    os.mkfifo(shard)
    with pytest.raises(FormatError, match="is not a regular file"):
        open_dataset(DataOptions(str(copy)))


# ---- metadata.json, names of classes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: [], "holds no JSON object but a list"),
        (lambda d: d.update(files=[1]), "files is no table"),
        (lambda d: d.update(files={"a": "b"}), "files is no table"),
        (lambda d: d.update(files={"a": {"bytes": "9"}}), "files is no table"),
        (lambda d: d.update(files={"a": {"bytes": -9}}), "files is no table"),
        (lambda d: d.update(files={"a": {"sha256": "\ud800"}}), "files is no table"),
        (lambda d: d.update(command=[1]), "command is no text"),
        (lambda d: d.update(described=["x"]), "described is no table"),
        (lambda d: d.update(described={"../x": "0"}), "described is no table"),
    ],
)
def test_metadata_of_other_types(copy, change, said):
    edited(copy, "metadata.json", change)
    refused(copy, rf"metadata\.json.*{said}")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("cats", "has 1 names, 1 of them different; label has 2 classes"),
        ("a\nb\nc", "has 3 names"),
        ("a\na", "has 2 names, 1 of them different"),
        (b"\xff\xfe\n\xff", "is no text in UTF-8"),
    ],
)
def test_names_that_do_not_fit_the_classes(copy, names, said):
    (copy / "metadata.json").unlink()
    (copy / "label.labels.txt").write_bytes(names if isinstance(names, bytes) else names.encode())
    refused(copy, said)


def test_what_was_changed_since_it_was_written_is_named(copy):
    original = {
        path: path.read_bytes() for path in copy.iterdir() if path.suffix in (".json", ".txt")
    }
    assert len(original) == 4
    for path, content in original.items():
        place = len(content) // 2
        while not chr(content[place]).isalpha():  # else the JSON might be none
            place += 1
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        refused(copy, rf"{path.name}|damaged|edited|cannot be read")
        path.write_bytes(content)
    assert len(open_dataset(DataOptions(str(copy), labels="label"))) == 6
    (copy / "label.labels.txt").write_text("cats\nwolves\n")
    refused(copy, r"label\.labels\.txt was damaged or edited since it was written")
    edited(copy, "metadata.json", lambda document: None)
    assert open_dataset(DataOptions(str(copy), labels="label")).label_names == ("cats", "wolves")
    assert check_files(str(copy)) == 1


# ---- records


def written(folder, records):
    """The dataset with other records."""
    from array_record.python.array_record_module import ArrayRecordWriter

    shard = next(folder.glob("*array_record*"))
    writer = ArrayRecordWriter(os.fspath(shard), "group_size:1")
    for record in records:
        writer.write(record.SerializeToString())
    writer.close()
    (folder / "metadata.json").unlink()
    return open_dataset(DataOptions(str(folder), labels="label"))


def parsed(folder):
    from array_record.python.array_record_module import ArrayRecordReader
    from tensorflow_datasets.proto import tf_example_pb2

    reader = ArrayRecordReader(os.fspath(next(folder.glob("*array_record*"))))
    records = [tf_example_pb2.Example.FromString(record) for record in reader.read_all()]
    reader.close()
    return records


def numbers(record, *values):
    record.features.feature["label"].int64_list.value[:] = values


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: numbers(r, -1), "label is -1, which is none of 2 classes, 0 to 1"),
        (lambda r: numbers(r, 2), "label is 2, which is none"),
        (lambda r: numbers(r, 2**62), r"label is 4\.6.*e\+18, which is none"),
        (lambda r: numbers(r, 0, 1), "label has 2 numbers instead of 1"),
        (lambda r: numbers(r), "label has 0 numbers instead of 1|it has no label"),
        (lambda r: r.features.feature.pop("label"), "it has no label"),
        (
            lambda r: r.features.feature["label"].bytes_list.value.append(b"x"),
            "label holds no numbers",
        ),
        (
            lambda r: r.features.feature["label"].float_list.value.append(float("nan")),
            "label is nan, which is not finite",
        ),
    ],
)
def test_labels_that_no_class_has(copy, change, said):
    records = parsed(copy)
    change(records[3])
    data = written(copy, records)
    assert data[2][1].sum() == 1
    reads = (lambda: data[3], lambda: data.label(3), lambda: data.attributes(3))
    for read in (*reads, lambda: inspect_data(copy).text()):
        with pytest.raises(FormatError, match=rf"record 3 of train is damaged \({said}"):
            read()


def test_images_that_are_other_than_described(copy):
    import io

    records = parsed(copy)
    for k, image in enumerate((Image.new("RGB", (9, 8)), Image.new("L", (8, 8)))):
        out = io.BytesIO()
        image.save(out, "PNG")
        records[k].features.feature["image"].bytes_list.value[:] = [out.getvalue()]
    records[2].features.feature["image"].bytes_list.value[:] = [b"%!PS-Adobe-3.0 EPSF-3.0\n"]
    records[3].features.feature.pop("image")
    data = written(copy, records)
    for k, said in enumerate(
        ("9x8 pixels and mode RGB", "mode L", "cannot identify", "it has no image")
    ):
        with pytest.raises(FormatError, match=rf"record {k} of train is damaged.*{said}"):
            data[k]
    assert np.asarray(data[4][0]).max() == 2 or data[4][0].shape == (8, 8, 3)
