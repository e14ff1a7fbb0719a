"""Every option of `aligned evaluate` changes what it is there to change."""

import argparse
import importlib.util
import json

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import evaluation
from aligned_jax.data.avatar_source import AvatarSource
from aligned_jax.data.writer import write_dataset
from aligned_jax.tools import evaluate
from tests import standins
from tests.convert import small_networks as samples
from tests.makers.official_file import write_snapshot

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("dicebear"), reason="the extra avatars is not installed"
)

# What is scored, the score that must change, and the option's argument if it has one.
FLIPS = {
    "--num": ("images", "fid", 11),
    "--max-reals": ("images", "fid", 11),
    "--mirror": ("images", "fid"),
    "--half-pixel": ("images", "fid"),
    "--ddof": ("images", "fid", 1),
    "--subsets": ("images", "kid", 5),
    "--subset-size": ("images", "kid", 6),
    "--metric-seed": ("images", "kid", 1),
    "--neighbours": ("images", "recall", 1),
    "--splits": ("images", "is", 3),
    "--pairs": ("images", "diversity", 8),
    "--split": ("network", "fid", "test"),
    "--labels": ("network", "fid", "hair_color"),
    "--seed": ("network", "fid", 1),
    "--psi": ("network", "fid", 0.5),
    "--noise": ("network", "fid", "none"),
    "--half": ("network", "fid", "bfloat16"),
    "--network-key": ("network", "fid", "G"),
    "--ppl-space": ("network", "ppl", "z"),
    "--ppl-sampling": ("network", "ppl", "full"),
    "--ppl-epsilon": ("network", "ppl", 0.05),
    "--ppl-crop": ("network", "ppl"),
}
# Tests of their own below.
OTHERS = {
    "--data",
    "--source-split",
    "--metrics",
    "--batch",
    "--json",
    "--out",
    "--overwrite",
    "--no-cache",
}


def folder_of(folder, seed):
    """Twelve random pictures."""
    folder.mkdir()
    pixels = np.random.RandomState(seed).randint(0, 256, (12, 8, 8, 3)).astype(np.uint8)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{number:02d}.png")
    return folder


def generator(seed):
    """A conditional network whose images depend on its latents and labels."""
    network = samples.generator(samples.G_KWARGS | {"c_dim": 3}, seed)
    for name in network.tensors:
        if name.startswith("mapping.fc"):
            network.tensors[name] *= np.float32(100)  # the learning rate's multiplier is 0.01
    return network


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Stand-ins for the feature networks, one device, and things to score.

    `images` are two folders; `network` is a conditional generator, of which G
    and G_ema differ, and a dataset with labels and two splits.
    """
    folder = tmp_path_factory.mktemp("sources")
    write_dataset(AvatarSource("personas", 12, 8, 8), folder / "faces", "", workers=1)
    write_snapshot(folder / "net.pkl", {"G": generator(0), "G_ema": generator(1)})
    made = {
        "images": (folder_of(folder / "images", 0), "--data", folder_of(folder / "data", 1)),
        "network": (folder / "net.pkl", "--data", folder / "faces", "--labels", "skin_color"),
    }
    with pytest.MonkeyPatch.context() as patch:
        standins.replace(patch)
        patch.setenv("XDG_CACHE_HOME", str(folder / "home"))
        patch.setattr(jax, "local_devices", lambda: jax.devices()[:1])
        yield made


@pytest.fixture(scope="module")
def score(sources, aligned):
    """score("images" or "network", "--option", ...) -> scores by name."""
    base = {
        "images": (
            *("fid,kid,pr,is,diversity", "--subset-size", 5, "--subsets", 4),
            *("--splits", 2, "--pairs", 9),
        ),
        "network": ("fid,ppl", "--num", 10, "--ppl-epsilon", 0.1),
    }

    def run(source, *more):
        result = aligned("evaluate", *sources[source], "--metrics", *base[source], *more, "--json")
        assert result.code == 0, result.err
        idle = result.err.partition(": without effect")[0].removeprefix("warning: ").split(", ")
        assert not {*more} & {*idle}
        return json.loads(result.out)["scores"]

    return run


@pytest.fixture(scope="module")
def base(score):
    """Scores without a flip."""
    return {source: score(source) for source in ("images", "network")}


def test_no_option_is_forgotten():
    parser = argparse.ArgumentParser(add_help=False)
    evaluate.add_arguments(parser)
    options = {name for action in parser._actions for name in action.option_strings}
    assert options == FLIPS.keys() | OTHERS


@pytest.mark.slow
@pytest.mark.parametrize("option", FLIPS)
def test_an_option_changes_its_score(score, base, option):
    source, name, *argument = FLIPS[option]
    scored = score(source, option, *argument)
    assert scored[name] != pytest.approx(base[source][name], rel=1e-5)
    assert np.isfinite(list(scored.values())).all()


def test_what_is_compared_and_how(score, base, sources, tmp_path):
    scored = score("images", "--metrics", "fid", "--data", folder_of(tmp_path / "data", 2))
    assert scored.keys() == {"fid"} and scored["fid"] != base["images"]["fid"]
    same = score("images", "--metrics", "fid", "--data", sources["images"][0])
    assert same["fid"] == pytest.approx(0, abs=1e-9)
    # The labels that a network is given are drawn as well.
    other = score("network", "--metrics", "fid", "--metric-seed", 1)
    assert other["fid"] != pytest.approx(base["network"]["fid"], rel=1e-5)
    # Of a dataset that is scored the split is chosen as well.
    faces = sources["network"][2]
    argv = "--metrics", "fid", "--data", faces, "--split"
    assert score("images", *argv, "test") != score("images", *argv, "train")


def test_batches_change_nothing_but_their_size(score, base, monkeypatch):
    taken, take = [], evaluation.StoredImages.take
    monkeypatch.setattr(
        evaluation.StoredImages, "take", lambda self, n: taken.append(len(n)) or take(self, n)
    )
    scored = score("images", "--batch", 5, "--no-cache")
    assert set(taken) == {5, 2}  # pairs are two images each
    assert scored == pytest.approx(base["images"], rel=1e-5)


def test_where_results_go(aligned, sources, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    argv = "evaluate", *sources["images"], "--metrics", "fid"
    out = tmp_path / "scores.json"
    told = aligned(*argv, "--no-cache", "--out", out)
    assert not (tmp_path / "home").exists()
    assert "  fid  " in told.out
    written = json.loads(out.read_text())
    assert "already exists" in aligned(*argv, "--out", out).err
    out.write_text("")
    printed = json.loads(aligned(*argv, "--out", out, "--overwrite", "--json").out)
    assert printed == json.loads(out.read_text())
    assert printed["scores"] == written["scores"]
    assert len(list((tmp_path / "home").rglob("*.npz"))) == 1


def test_a_conditional_network_needs_labels(refused, sources):
    network, data, faces, *_ = sources["network"]
    for argv in ((network, data, faces), (network, "--metrics", "ppl", "--labels", "skin_color")):
        said = refused("evaluate", *argv)
        assert "net.pkl is conditional; give the data with --data" in said and "--labels" in said
    wrong = refused("evaluate", network, data, faces, "--labels", "yaw", "--num", 9)
    assert "it needs labels [9, 3]" in wrong
