"""Exports of conditional networks without their label embedding: read, and said each time."""

import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax import loading
from aligned_jax.convert import read_official
from aligned_jax.convert.formats import lost_labels
from aligned_jax.jobs import convert_file, export
from aligned_jax.tools.main import main
from aligned_jax.utils.reporting import Reporter
from tests.convert.small_networks import Lazy, generator
from tests.convert.test_rosinality import MEAN, generator_state
from tests.makers.official_file import write_rosinality


class Listener(Reporter):
    """Keeps what it hears."""

    def __init__(self):
        self.heard = []

    def warn(self, text):
        self.heard.append(text)


def port_file(path, z):
    state = generator_state()
    state["style.1.weight"] = np.ones((6, z), np.float32)
    write_rosinality(path, {"g_ema": state, "g": generator_state(3), "latent_avg": MEAN})
    return path


@pytest.mark.parametrize(("z", "times"), [(12, r"twice as long \(12, w has 6\)"), (9, "9 numbers")])
def test_loading_says_that_labels_were_lost(z, times, tmp_path):
    path = port_file(tmp_path / "net.pt", z)
    said = rf"G_ema: in this port z is as long as w; here it is {times}.*conditional.*the original"
    for load in (aj.load, loading.named_network, loading.load_all):
        with pytest.warns(UserWarning, match=rf"net\.pt: {said}"):
            load(path)
    listener = Listener()
    loading.load(path, report=listener)
    loading.named_network(path, report=listener)
    loading.load_all(path, listener)
    assert len(listener.heard) == 3 and len(set(listener.heard)) == 1
    loading.load(path, "G")  # the other one is sound
    assert loading.describe(path).provenance["warnings"][0] in listener.heard[0]


def test_checkpoints_that_were_made_of_it_say_so_too(tmp_path):
    converted = convert_file(port_file(tmp_path / "net.pt", 12))
    assert "label embedding" in converted.warnings[0]
    converted.write(tmp_path / "net")
    with pytest.warns(UserWarning, match="label embedding"):
        aj.load(tmp_path / "net")


def test_exports_of_it_say_so_too(tmp_path):
    path = port_file(tmp_path / "net.pt", 12)
    with pytest.warns(UserWarning, match="label embedding"):
        export(path, tmp_path / "net.safetensors")
    with pytest.warns(UserWarning, match=r"net\.safetensors: G_ema: .*label embedding"):
        aj.load(tmp_path / "net.safetensors")


@pytest.mark.filterwarnings("default")  # as outside of tests
def test_the_command_line_says_it_in_one_line(tmp_path, capsys):
    path = port_file(tmp_path / "net.pt", 12)
    assert main(["export", str(path), str(tmp_path / "net.safetensors")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: {path}: G_ema: in this port z is as long as w")


def test_sound_files_are_silent(tmp_path):
    path = port_file(tmp_path / "net.pt", 6)
    assert "cautions" not in read_official(path).source
    aj.load(path)  # a warning would be an error


def test_official_names_tell_only_twice_the_length():
    tensors = {name: Lazy(array) for name, array in generator().tensors.items()}
    w = tensors["synthesis.b4.conv1.affine.weight"].shape[1]
    for z, count in ((2 * w, 1), (2 * w + 1, 0), (w, 0)):
        tensors["mapping.fc0.weight"] = Lazy(np.ones((6, z), np.float32))
        assert len(lost_labels.cautions("G", tensors, as_long_as_w=False)) == count
    tensors["mapping.fc0.weight"] = Lazy(np.ones((6, 2 * w), np.float32))
    tensors["mapping.embed.weight"] = Lazy(np.ones((6, 3), np.float32))
    assert lost_labels.cautions("G", tensors, as_long_as_w=False) == []
