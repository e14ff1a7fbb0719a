"""Checkpoints, official files and pictures under gs://, in a bucket that lives in memory."""

import jax
import pytest

from aligned_jax import checkpoint, loading, viz
from aligned_jax.errors import CheckpointError, UserError
from aligned_jax.networks import init_variables
from aligned_jax.networks.network import Network
from aligned_jax.utils import paths
from tests.helpers import DATA, same_values
from tests.training import tiny_gan as tiny
from tests.utils.memory_bucket import Bucket


@pytest.fixture(scope="module")
def networks():
    keys = jax.random.split(jax.random.key(0))
    return [Network(tiny.GENERATOR, init_variables(tiny.GENERATOR, key)) for key in keys]


@pytest.mark.slow
def test_checkpoints_of_a_run(bucket, networks):
    first, second = networks
    for kimg, network in ((4, first), (12, second)):
        folder = checkpoint.run_checkpoint("gs://b/run", kimg)
        loading.save(folder, {"G": first, "G_ema": network})
        assert Bucket.log[-1] == f"b/run/checkpoints/kimg-{kimg:06d}/config.json"
    assert list(checkpoint.run_checkpoints("gs://b/run")) == [4, 12]
    assert same_values(loading.load("gs://b/run"), second)
    assert same_values(loading.load("gs://b/run@4"), first)
    assert same_values(loading.load_all("gs://b/run@12")["G"], first)
    with pytest.raises(CheckpointError, match=r"no checkpoint at 8 kimg; it has 4, 12"):
        loading.load("gs://b/run@8")
    checkpoint.reduce("gs://b/run/checkpoints/kimg-000012", ("G_ema",))
    assert list(loading.load_all("gs://b/run@12")) == ["G_ema"]
    assert not any("kimg-000012/G/" in name for name in bucket)
    checkpoint.remove(checkpoint.run_checkpoint("gs://b/run", 4))
    assert list(checkpoint.run_checkpoints("gs://b/run")) == [12]


@pytest.mark.slow
def test_an_existing_checkpoint_is_replaced_only_if_asked(bucket, networks):
    first, second = networks
    loading.save("gs://b/net", {"G": first, "G_ema": first})
    with pytest.raises(CheckpointError, match="already exists"):
        loading.save("gs://b/net", second)
    loading.save("gs://b/net", second, overwrite=True)
    assert list(loading.load_all("gs://b/net")) == ["G_ema"]
    assert same_values(loading.load("gs://b/net"), second)
    bucket["b/other/notes.txt"] = b"mine"
    with pytest.raises(CheckpointError, match="not a checkpoint, or not only one"):
        loading.save("gs://b/other", first, overwrite=True)


def test_a_half_written_checkpoint_is_none(bucket, networks):
    Bucket.refuse_after = 2
    with pytest.raises(CheckpointError, match=r"429 too many requests; without its config.json"):
        loading.save("gs://b/run/checkpoints/kimg-000004", networks[0])
    assert bucket
    assert checkpoint.run_checkpoints("gs://b/run") == {}
    Bucket.refuse_after = None
    with pytest.raises(CheckpointError, match="no such file or folder"):
        loading.load("gs://b/nothing")


def test_official_files(bucket):
    file = "avatars_parent.pkl"
    bucket[f"b/{file}"] = (DATA / file).read_bytes()
    network = loading.load(f"gs://b/{file}")
    assert same_values(network, loading.load(DATA / file))
    assert network.provenance["file"] == loading.load(DATA / file).provenance["file"]


def test_pictures_and_pages(bucket):
    with viz.writing("gs://b/page.html") as file:
        file.write(b"page")
    with viz.writing_folder("gs://b/run") as folder:
        (folder / "a.png").write_bytes(b"a")
    assert bucket == {"b/page.html": b"page", "b/run/a.png": b"a"}
    with pytest.raises(UserError, match="already exists"), viz.writing("gs://b/page.html"):
        pass
    with pytest.raises(UserError, match="is a folder"), viz.writing("gs://b/run"):
        pass
    with pytest.raises(UserError, match="is not empty"), viz.writing_folder("gs://b/run"):
        pass
    with pytest.raises(ZeroDivisionError), viz.writing("gs://b/page.html", overwrite=True) as file:
        file.write(1 // 0)
    assert bucket["b/page.html"] == b"page"
    Bucket.refuse_after = 0
    with (
        pytest.raises(UserError, match=r"c\.png was not written: 429"),
        viz.writing("gs://b/c.png"),
    ):
        pass


def test_a_missing_service_is_named(monkeypatch):
    monkeypatch.setitem(paths.SERVICES, "gs", "no_such_package")
    with pytest.raises(UserError, match="pip install no_such_package"):
        loading.load("gs://b/net")
