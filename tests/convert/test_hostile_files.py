"""Hostile and broken files end in one clear sentence; nothing of theirs is run."""

import glob
import json
from pathlib import Path

import pytest

from aligned_jax.convert import read_official
from aligned_jax.errors import UserError
from tests.helpers import DATA

MANIFEST = json.loads((DATA / "hostile_manifest.json").read_text("utf-8"))
MARKERS = MANIFEST["marker_files_glob"]

# What the message has to name.
SAID = {
    "hostile_broadcastable_shape.pkl": r"b4\.torgb\.bias has shape \[1\], expected \[3\]",
    "hostile_dotted_name.pkl": "os.system",
    "hostile_empty.pkl": "empty",
    "hostile_eval.pkl": "builtins.eval",
    "hostile_eval_proto2.pkl": "__builtin__.eval",
    "hostile_helper_lookup.pkl": "get_obj_by_name",
    "hostile_inf_weight.pkl": "mapping.fc0.bias holds 1 of 6 values that are not finite",
    "hostile_int_weight.pkl": "synthesis.b4.const holds int32",
    "hostile_kwargs_mismatch.pkl": "img_resolution is 16, in the tensors 8",
    "hostile_missing_weight.pkl": r"synthesis.b8.conv0.bias \[4\] is missing",
    "hostile_nan_weight.pkl": "synthesis.b8.conv0.weight holds 1 of 144 values that are not finite",
    "hostile_nested_storage.pkl": "posix.system",
    "hostile_no_g_ema.pkl": "no G_ema",
    "hostile_not_a_pickle.pkl": "web page",
    "hostile_os_system.pkl": "posix.system",
    "hostile_os_system_proto0.pkl": "os.system",
    "hostile_random_bytes.pkl": "neither a pickle nor a torch file",
    "hostile_tf_build_src.pkl": "no variables",
    "hostile_truncated.pkl": "truncated",
    "hostile_truncated_one_byte.pkl": "truncated",
    "hostile_view_negative_stride.pkl": "not whole numbers >= 0",
    "hostile_view_offset.pkl": "1000000063",
    "hostile_view_past_end.pkl": "storage of 64",
    "hostile_wrong_object.pkl": "keys a, b",
    "hostile_wrong_shape.pkl": r"conv1.weight has shape \[4, 5, 3, 3\], expected \[4, 4, 3, 3\]",
}


@pytest.fixture
def no_marker():
    """Files that hostile code would leave are absent before and after."""
    for path in glob.glob(MARKERS):
        Path(path).unlink()
    yield
    assert glob.glob(MARKERS) == []


@pytest.mark.parametrize("name", sorted(MANIFEST["files"]))
def test_manifest(name, no_marker):
    usable = MANIFEST["files"][name]["is_a_usable_network"]
    if usable is not False:
        networks = read_official(DATA / name).networks
        assert networks["G_ema"].variables()["params"]["synthesis"]
        return
    with pytest.raises(UserError, match=SAID[name]) as caught:
        read_official(DATA / name)
    message = str(caught.value)
    assert message.startswith(f"{name}: ") and "\n" not in message and len(message) < 500


def test_the_manifest_is_covered():
    refused = {n for n, what in MANIFEST["files"].items() if what["is_a_usable_network"] is False}
    assert refused == set(SAID)
    assert len(MANIFEST["files"]) == 27


def test_stylegan3_is_refused_by_name():
    with pytest.raises(UserError, match=r"G.* is StyleGAN3 .*synthesis\.input.*stylegan2-ada"):
        read_official(DATA / "stylegan3_refuse.pkl")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere.pkl: there is no such file"):
        read_official(tmp_path / "nowhere.pkl")
    with pytest.raises(UserError, match="folder"):
        read_official(tmp_path)
