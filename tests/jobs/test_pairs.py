"""`jobs.draw_pairs`: datasets of what a parent and its children make of the same latents."""

import io

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, loading
from aligned_jax.data import DataOptions, open_dataset
from aligned_jax.data.dataset import read_info
from aligned_jax.errors import UserError
from aligned_jax.jobs.judges import NamedJudge, SeedScores
from aligned_jax.latents import z_from_seeds
from tests.jobs.small_inputs import PARENT, aligned, save_child

JUDGE = """
def judge(images):
    return {"light": images.mean((1, 2, 3)), "tone=red": images[..., 0].mean((1, 2))}
"""


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    return save_child(tmp_path_factory.mktemp("networks") / "child")


def light(images):
    return {"light": images.mean((1, 2, 3))}


def rows(folder, split="train"):
    """Examples as they are stored: pictures as uint8 arrays, everything else by name."""
    import tensorflow_datasets as tfds

    source = tfds.builder_from_directory(str(folder)).as_data_source(split)
    return [dict(source[k]) for k in range(len(source))]


def test_pair_k_is_the_family_of_its_z(child, tmp_path):
    written = jobs.draw_pairs(tmp_path / "d", PARENT, [child], 5, test=2, seed=3, psi=0.7, batch=1)
    assert written.counts == {"train": 5, "test": 2}
    sheet = jobs.family([PARENT, child], seeds="3-7", psi=0.7, batch=1)
    network = loading.load(PARENT)
    found = rows(tmp_path / "d")
    for k, row in enumerate(found):
        np.testing.assert_array_equal(row["image"], sheet.images[0, k])
        np.testing.assert_array_equal(row["child"], sheet.images[1, k])
        np.testing.assert_array_equal(row["z"], z_from_seeds(network.config, [3 + k])[0])
        assert row["seed"] == 3 + k
    assert {int(row["seed"]) for row in rows(tmp_path / "d", "test")} == {2**31 + 3, 2**31 + 4}


def test_a_dataset_of_pairs_is_one_to_train_on(child, tmp_path):
    jobs.draw_pairs(tmp_path / "d", PARENT, [child, f"{child}/"], 4, names=["p", "one", "two"],
                    judge=NamedJudge("l", light), child_judge=NamedJudge("l", light))  # fmt: skip
    data = open_dataset(DataOptions(str(tmp_path / "d"), labels="p light"))
    assert len(data) == 4 and data.resolution == 8 and data.c_dim == 1
    image, label = data[1]
    assert label[0] == pytest.approx(image.astype(float).mean() / 127.5 - 1, abs=0.02)
    assert set(data.attributes(0)) == {"seed", "z", "p light", "one light", "two light"}
    described = jobs.inspect_data(tmp_path / "d").text()
    assert "The same latents drawn by p (image) and by one, two." in described
    assert read_info(str(tmp_path / "d")).metadata["source"]["networks"]["one"]["sha256"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "option",
    [{"seed": 1}, {"psi": 0.5}, {"network_key": "G"}, {"judge": NamedJudge("l", light)},
     {"child_judge": NamedJudge("l", light)}, {"names": ["a", "b"]}, {"test": 1}, {"count": 2}],
    ids=lambda option: next(iter(option)),
)  # fmt: skip
def test_every_option_changes_the_dataset(child, tmp_path, option):
    both = tmp_path / "both"
    network, other = loading.load(PARENT), loading.load(child)
    for folder in (both, tmp_path / "twin"):
        loading.save(folder, {"G_ema": network, "G": other}, {"kind": "made for a test"})

    def made(name, **given):
        written = jobs.draw_pairs(
            tmp_path / name, both, [tmp_path / "twin"], **{"count": 3} | given
        )
        return written.counts, str(rows(tmp_path / name))

    assert made("usual") != made("other", **option)


@pytest.mark.slow
def test_an_interrupted_command_goes_on(child, tmp_path, monkeypatch):
    from aligned_jax.data import writer

    monkeypatch.setattr(writer, "ITEMS_PER_SHARD", 2)
    done = []

    class Stop(Exception):
        pass

    def stop(drawn):
        def render(*given):
            done.append(1)
            if len(done) == 6:  # two to look at, one batch of both networks, and half of another
                raise Stop
            return drawn(*given)

        return render

    from aligned_jax.jobs import pairs

    with monkeypatch.context() as patch:
        patch.setattr(pairs, "render", stop(pairs.render))
        with pytest.raises(Stop):
            jobs.draw_pairs(tmp_path / "d", PARENT, [child], 4)
    assert not (tmp_path / "d").exists()
    again = jobs.draw_pairs(tmp_path / "d", PARENT, [child], 4)
    jobs.draw_pairs(tmp_path / "whole", PARENT, [child], 4)
    assert again.counts == {"train": 4}
    assert str(rows(tmp_path / "d")) == str(rows(tmp_path / "whole"))


def test_the_verb(child, tmp_path):
    (tmp_path / "own.py").write_text(JUDGE)
    judge = f"{tmp_path / 'own.py'}:judge"
    said = aligned("data", "pairs", PARENT, child, "--count", 3, "--judge", judge, "--out",
                   tmp_path / "d")  # fmt: skip
    assert "3 train pairs" in said and "its partners: child" in said
    [name] = {key for key in rows(tmp_path / "d")[0] if "tone" in key}
    assert name.endswith("tone-red")
    shown = aligned("data", "inspect", tmp_path / "d", "--check", "--out", tmp_path / "s.png")
    assert "made by: aligned data pairs" in shown
    Image.open(io.BytesIO((tmp_path / "s.png").read_bytes())).load()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"children": []}, "give one child or more"),
        ({"count": 0}, "0 pairs and 0 for tests"),
        ({"names": ["a", "z"]}, "no feature can be called z"),
        ({"names": ["a", "b=c"]}, "no feature can be called b=c"),
        ({"label": 1}, "unconditional"),
        ({"judge": SeedScores(np.arange(2), {"x": np.zeros(2)})}, "need a judge of pictures"),
    ],
)
def test_what_cannot_be_paired(child, tmp_path, options, message):
    given = {"children": [child], "count": 2} | options
    with pytest.raises(UserError, match=message):
        jobs.draw_pairs(tmp_path / "d", PARENT, **given)
    assert not (tmp_path / "d").exists()
