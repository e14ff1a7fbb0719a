import shutil

import numpy as np
import pytest

from aligned_jax.data import DataOptions, Variant, apply_variant, open_dataset
from aligned_jax.data.dataset import read_info
from aligned_jax.errors import FormatError, UserError


def opened(path, **options):
    return open_dataset(DataOptions(str(path), **options))


def all_images(data):
    return np.stack([data[k][0] for k in range(len(data))])


@pytest.mark.slow
def test_sizes_images_and_seeds(faces):
    train, test = opened(faces), opened(faces, split="test")
    assert (len(train), len(test)) == (24, 6)
    assert (train.resolution, train.channels, train.c_dim, train.label_names) == (16, 3, 0, ())
    image, label = train[5]
    assert image.shape == (16, 16, 3) and image.dtype == np.uint8
    assert label.shape == (0,) and label.dtype == np.float32
    seeds = [data.attributes(k)["seed"] for data in (train, test) for k in range(len(data))]
    assert len(set(seeds)) == 30
    assert len(opened(faces, split="train[:25%]")) == 6
    with pytest.raises(IndexError):
        train[24]


def test_the_image_is_what_its_seed_draws(faces):
    from aligned_jax.data import draw_avatar

    data = opened(faces)
    row = data.attributes(3)
    drawn, attributes = draw_avatar(
        "personas", row["seed"], 16, roll=row["roll"], yaw=round(row["yaw"], 1)
    )
    assert row["hair"] == attributes.hair
    np.testing.assert_allclose(row["skin_color"], attributes.skin_color, atol=1e-6)
    # The roll is recorded as float32.
    assert np.abs(drawn.astype(int) - data[3][0]).max() <= 1


def test_labels(faces):
    classes = opened(faces, labels="glasses")
    assert classes.label_names == ("no", "yes", "unknown") and classes.c_dim == 3
    vector, number = opened(faces, labels="skin_color"), opened(faces, labels="yaw")
    assert vector.label_names == ("skin_color[0]", "skin_color[1]", "skin_color[2]")
    assert number.label_names == ("yaw",)
    for k in range(24):
        row = classes.attributes(k)
        hot = np.zeros(3, np.float32)
        hot[classes.label_names.index(row["glasses"])] = 1
        np.testing.assert_array_equal(classes[k][1], hot)
        np.testing.assert_array_equal(classes.label(k), hot)
        np.testing.assert_array_equal(vector[k][1], row["skin_color"])
        assert number[k][1].tolist() == [np.float32(row["yaw"])]
    assert classes.label(0).dtype == vector.label(0).dtype == np.float32


def test_mirrored_images_double_the_epoch(faces):
    plain, double = opened(faces), opened(faces, mirror=True, labels="yaw")
    assert len(double) == 48
    np.testing.assert_array_equal(all_images(double)[:24], all_images(plain))
    np.testing.assert_array_equal(all_images(double)[24:], all_images(plain)[:, :, ::-1])
    np.testing.assert_array_equal(double[24 + 3][1], -double[3][1])
    colors = opened(faces, mirror=True, labels="skin_color")
    np.testing.assert_array_equal(colors[24 + 3][1], colors[3][1])


def test_turning_upside_down_turns_the_roll_and_not_the_yaw(faces):
    variant = Variant(upside_down=True)
    for name, sign in (("roll", -1), ("yaw", 1)):
        plain, turned = opened(faces, labels=name), opened(faces, labels=name, variant=variant)
        assert plain[2][1] != 0
        np.testing.assert_array_equal(turned[2][1], sign * plain[2][1])


def test_subsets(faces):
    some, same = (opened(faces, subset=7, subset_seed=1) for _ in range(2))
    other, whole = opened(faces, subset=7, subset_seed=2), opened(faces, subset=24)

    def seeds(data):
        return [data.attributes(k)["seed"] for k in range(len(data))]

    assert seeds(some) == seeds(same) != seeds(other)
    assert len(set(seeds(some))) == 7
    assert sorted(seeds(whole)) == sorted(seeds(opened(faces)))
    assert len(opened(faces, subset=7, mirror=True)) == 14


def test_variants(faces):
    variant = Variant(shift_x=0.25, shift_y=-0.25, fill="edge", upside_down=True)
    plain, changed = opened(faces), opened(faces, variant=variant)
    np.testing.assert_array_equal(changed[4][0], apply_variant(plain[4][0], variant))
    assert (changed[4][0] != plain[4][0]).any()


def test_the_fingerprint_tells_content_and_options_but_not_the_place(faces, tmp_path):
    copied = tmp_path / "elsewhere"
    shutil.copytree(faces, copied)
    assert opened(copied).fingerprint == opened(faces).fingerprint
    prints = {
        opened(faces).fingerprint,
        opened(faces, mirror=True).fingerprint,
        opened(faces, labels="smile").fingerprint,
        opened(faces, subset=5).fingerprint,
        opened(faces, variant=Variant(shift_x=0.5)).fingerprint,
        opened(faces, variant=Variant(edges=1.0)).fingerprint,
        opened(faces, split="test").fingerprint,
    }
    assert len(prints) == 7
    assert all(len(text) == 64 for text in prints)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "valid"}, "no split 'valid'; it has"),
        ({"labels": "species"}, "no labels 'species'; the dataset has .*hair_color"),
        ({"labels": "seed"}, "no labels 'seed'"),
        ({"labels": "image"}, "no labels 'image'"),
        ({"subset": 25}, "a subset of 25 images"),
        ({"split": "train[:x]"}, "train"),
    ],
)
def test_bad_options_are_refused(faces, options, message):
    with pytest.raises(UserError, match=message):
        opened(faces, **options)


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        opened(tmp_path / "nothing")
    with pytest.raises(UserError, match="is no dataset"):
        opened(tmp_path)
    (tmp_path / "dataset_info.json").write_text("{")
    with pytest.raises(FormatError, match="cannot be read"):
        opened(tmp_path)


@pytest.fixture
def copy(faces, tmp_path):
    shutil.copytree(faces, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_missing_shard_is_named(copy):
    shard = next(copy.glob("*train.array_record*"))
    shard.unlink()
    with pytest.raises(FormatError, match=f"lacks {shard.name}"):
        opened(copy)


@pytest.mark.parametrize("left", [0, 100, 1000, -70000, -1])
def test_a_truncated_shard_is_told(copy, left):
    shard = next(copy.glob("*train.array_record*"))
    data = shard.read_bytes()
    shard.write_bytes(data[:left])
    with pytest.raises(FormatError, match="is cut off"):
        all_images(opened(copy))


def test_a_truncated_shard_of_another_writer_is_told_when_it_is_read(copy):
    (copy / "metadata.json").unlink()
    shard = next(copy.glob("*train.array_record*"))
    shard.write_bytes(shard.read_bytes()[:-70000])
    with pytest.raises(FormatError, match=r"record \d+ of train is damaged|cannot be read"):
        all_images(opened(copy))


def test_a_damaged_record_is_named(copy):
    """Bytes changed within the file: its checksums find them."""
    shard = next(copy.glob("*train.array_record*"))
    data = bytearray(shard.read_bytes())
    middle = data.find(b"IDAT", len(data) // 100)
    if middle < 0:  # The records are compressed.
        middle = 2000
    data[middle : middle + 40] = bytes(40)
    shard.write_bytes(data)
    with pytest.raises(FormatError, match=r"record \d+ of train is damaged|cannot be read"):
        all_images(opened(copy))


def test_other_datasets_are_read_or_refused_with_a_reason(tmp_path):
    """Written by TFDS's own builder: another split name, sizes in the images alone."""
    import io

    import tensorflow_datasets as tfds
    from PIL import Image

    class Own(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        picture = tfds.features.Image(shape=(None, None, 3), encoding_format="png")
        name_of_image, size = "image", (8, 8)

        def _info(self):
            features = tfds.features.FeaturesDict({self.name_of_image: self.picture})
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, manager):
            return {"every": self._generate_examples()}

        def _generate_examples(self):
            for k in range(3):
                out = io.BytesIO()
                Image.new("RGB", self.size, (k, k, k)).save(out, "PNG")
                yield k, {self.name_of_image: out.getvalue()}

    class Wide(Own):
        size = (9, 8)

    class Photos(Own):
        name_of_image = "photo"

    def made(kind):
        builder = kind(data_dir=tmp_path, file_format="array_record")
        builder.download_and_prepare()
        return str(builder.data_path)

    data = opened(made(Own), split="every")
    assert (data.resolution, data.channels, len(data)) == (8, 3, 3)
    assert sorted(int(data[k][0].max()) for k in range(3)) == [0, 1, 2]
    assert list(read_info(made(Own)).splits) == ["every"]
    with pytest.raises(UserError, match="must be square"):
        opened(made(Wide), split="every")
    with pytest.raises(UserError, match="no feature image; it has photo"):
        opened(made(Photos), split="every")
