import itertools
import shutil

import numpy as np
import pytest

from aligned_jax.data import DataOptions, open_dataset
from aligned_jax.data.batches import batches
from aligned_jax.errors import FormatError, UserError


@pytest.fixture(scope="module")
def data(faces):
    return open_dataset(DataOptions(str(faces), labels="skin_color"))


def take(data, count, *arguments, **options):
    return list(itertools.islice(batches(data, *arguments, **options), count))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_shapes(data, faces):
    (rows,) = take(data, 1, 8)
    assert rows.images.shape == (8, 16, 16, 3) and rows.images.dtype == np.uint8
    assert rows.labels.shape == (8, 3) and rows.labels.dtype == np.float32
    assert rows.gen_labels.shape == (8, 3, 3) and rows.gen_labels.dtype == np.float32
    (plain,) = take(open_dataset(DataOptions(str(faces))), 1, 8)
    assert plain.labels.shape == (8, 0) and plain.gen_labels.shape == (8, 3, 0)


def test_an_epoch_has_every_image_once_and_the_next_another_order(data):
    every = sorted(data[k][0].tobytes() for k in range(24))
    epochs = take(data, 6, 8)
    orders = [
        [image.tobytes() for rows in part for image in rows.images]
        for part in (epochs[:3], epochs[3:])
    ]
    assert sorted(orders[0]) == sorted(orders[1]) == every
    assert orders[0] != orders[1]


def test_labels_belong_to_their_images_and_others_to_the_dataset(data):
    known = {data[k][0].tobytes(): data[k][1].tolist() for k in range(24)}
    drawn = set()
    for rows in take(data, 6, 8):
        for image, label, others in zip(*rows, strict=True):
            assert known[image.tobytes()] == label.tolist()
            drawn |= {tuple(other) for other in others.tolist()}
    assert drawn <= {tuple(label) for label in known.values()}
    assert len(drawn) > 2


def test_a_batch_depends_on_the_seed_and_its_number_alone(data):
    ten = take(data, 10, 4, seed=3)
    assert all(map(same, ten[6:], take(data, 4, 4, seed=3, start=6)))
    assert all(map(same, ten[:4], take(data, 4, 4, seed=3, threads=0)))
    assert not same(ten[0], take(data, 1, 4, seed=4)[0])
    assert not same(ten[0], ten[1])


def test_labels_for_the_generator_differ_between_epochs(data):
    first, later = (take(data, 1, 24, start=start)[0] for start in (0, 1))
    assert not np.array_equal(first.gen_labels, later.gen_labels)


def test_hosts_share_the_same_global_batch(data):
    whole = take(data, 5, 8, seed=1, start=2)
    for hosts in (2, 4):
        parts = [take(data, 5, 8, seed=1, start=2, host=h, hosts=hosts) for h in range(hosts)]
        for t, rows in enumerate(whole):
            for host in range(hosts):
                assert same([part[host::hosts] for part in rows], parts[host][t])


def test_far_ahead_costs_nothing(data):
    (rows,) = take(data, 1, 8, seed=2**32 - 1, start=10**7)
    assert rows.images.shape == (8, 16, 16, 3)


def test_a_damaged_record_ends_reading_with_its_name(faces, tmp_path):
    shutil.copytree(faces, tmp_path / "copy")
    shard = next((tmp_path / "copy").glob("*train.array_record*"))
    data = bytearray(shard.read_bytes())
    data[2000:2040] = bytes(40)
    shard.write_bytes(data)
    with pytest.raises(FormatError, match="is damaged"):
        take(open_dataset(DataOptions(str(tmp_path / "copy"))), 3, 8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 9, "hosts": 2}, "2 hosts cannot share 9"),
        ({"batch_size": 0}, "cannot share 0"),
        ({"batch_size": 8, "host": 2, "hosts": 2}, "host 2 of 2"),
        ({"batch_size": 8, "seed": -1}, "negative"),
        ({"batch_size": 8, "start": -1}, "negative"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(data, options, message):
    with pytest.raises(UserError, match=message):
        batches(data, **options)
