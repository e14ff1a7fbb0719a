"""Files of frozen networks: recognised, checked as a whole, kept, and what is said if not."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from aligned_jax import features
from aligned_jax.errors import FormatError, UserError
from aligned_jax.features import networks
from aligned_jax.features.files import read_weights
from tests.convert.small_files import FLOAT, REBUILD, script_file
from tests.helpers import DATA
from tests.makers.official_file import write_rosinality
from tests.makers.pickle_writer import Call, Name, Reference


@pytest.fixture
def refusal(tmp_path):
    """refusal(state dictionary) -> why its file is refused."""

    def read(state) -> str:
        write_rosinality(tmp_path / "net.pth", state)
        with pytest.raises(FormatError) as caught:
            read_weights(tmp_path / "net.pth")
        assert str(caught.value).startswith("net.pth: ")
        return str(caught.value)

    return read


@pytest.mark.parametrize("kind", ["zip", "legacy", "nested", "safetensors"])
def test_every_kind_of_file_is_kept_and_loaded(tiny, tmp_path, cache_folder, kind):
    file = tmp_path / "net.pth"
    more = tiny | {"body.0.num_batches_tracked": np.array(7, np.int64)}
    if kind == "safetensors":
        save_file(more, file)
    else:
        write_rosinality(
            file, {"epoch": 3, "state_dict": more} if kind == "nested" else more, kind == "legacy"
        )
    assert not features.is_available("arcface") and features.stored() == {}
    origin = features.add(file)
    assert origin["network"] == "arcface" and origin["bytes"] == file.stat().st_size
    assert features.stored() == {"arcface": origin} and features.is_available("arcface")
    assert [path.name for path in cache_folder.iterdir()] == ["arcface.safetensors"]
    extractor = features.load("arcface")
    assert extractor.sha256 == origin["sha256"]
    params = extractor.variables["params"]
    np.testing.assert_array_equal(params["fc"]["weight"], tiny["fc.weight"].T)
    kernel = tiny["body.1.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(params["body.1"]["weight"], kernel)
    images = np.random.default_rng(1).uniform(0, 255, (2, 5, 4, 1)).astype(np.float32)
    extracted = extractor(images)["features"]
    np.testing.assert_array_equal(extracted, extractor(np.repeat(images, 3, -1))["features"])
    np.testing.assert_array_equal(extracted, features.load("arcface", file)(images)["features"])


def scripted(path, state) -> None:
    """A TorchScript archive of a state dictionary, whose objects are nested by its names."""
    storages, tree = {}, {}
    for key, (name, array) in enumerate(state.items()):
        *modules, leaf = name.split(".")
        node = tree
        for module in modules:
            node = node.setdefault(module, {})
        reference = Reference(("storage", FLOAT, str(key), "cpu", array.size))
        strides = tuple(stride // array.itemsize for stride in array.strides)
        node[leaf] = Call(REBUILD, (reference, 0, array.shape, strides, False, {}))
        storages[str(key)] = array

    def members(tree):
        return {
            name: Call(Name("__torch__.layers", "Layer"), state=members(node), new=True)
            if isinstance(node, dict)
            else node
            for name, node in tree.items()
        }

    script_file(path, members(tree), storages)


def test_programs_may_hold_constants_besides_weights(tiny, tmp_path, cache_folder, refusal):
    constant = {"mean": np.float32([3, 4]), "head.scale": np.float32([5])}
    scripted(tmp_path / "net.pt", tiny | constant)
    origin = features.add(tmp_path / "net.pt")
    assert origin["network"] == "arcface" and origin["file"] == "net.pt"
    params = features.load("arcface").variables["params"]
    np.testing.assert_array_equal(params["fc"]["weight"], tiny["fc.weight"].T)
    np.testing.assert_array_equal(params["fc"]["bias"], tiny["fc.bias"])
    # In a state dictionary the same are of another network, and no constant makes up for a weight.
    assert "head.scale [1] is unexpected" in refusal(tiny | constant)
    scripted(tmp_path / "net.pt", {k: v for k, v in tiny.items() if k != "fc.bias"} | constant)
    with pytest.raises(FormatError, match=r"fc.bias \[5\] is missing"):
        features.add(tmp_path / "net.pt")


def test_what_is_wrong_is_said_at_once(tiny, refusal):
    state = dict(tiny)
    del state["fc.bias"]
    state["fc.weight"] = tiny["fc.weight"][:, :3]
    state["body.0.bias"] = tiny["body.0.bias"].astype(np.int64)
    state["body.0.weight"] = np.full(4, np.nan, np.float32)
    state["body.0.running_var"] = -tiny["body.0.running_var"]
    state["head.weight"] = np.zeros((2, 2), np.float32)
    said = refusal(state)
    for part in (
        "fc.bias [5] is missing",
        "fc.weight has shape [5, 3], expected [5, 4]",
        "body.0.bias holds int64, expected floating-point numbers",
        "body.0.weight holds values that are not finite",
        "body.0.running_var holds negative variances",
        "head.weight [2, 2] is unexpected",
        "Get model_ir_se50.pth",
    ):
        assert part in said


def test_unknown_networks_are_refused(tiny, refusal):
    said = refusal({"a": np.zeros(2, np.float32), "b": np.zeros(2, np.float32)})
    assert "its tensors (a, b) are those of no network" in said
    assert all(networks.NETWORKS[name].source in said for name in networks.FROM_FILES)
    assert "no tensors by name" in refusal({"epoch": 1})


def test_vgg_is_recognised_under_three_sets_of_names(tiny, refusal):
    """With a tensor each of the wrong shape, so that no large file is written."""
    empty = np.zeros(1, np.float32)
    nvidia = {f"layers.{name}": empty for name in networks.shapes("vgg16_fc2")}
    said = refusal(nvidia | {"layers.fc3.weight": empty, "lpips0": empty})
    assert "it is not the vgg16_fc2" in said and "layers.conv1.bias has shape [1]" in said
    assert "unexpected" not in said
    torchvision = dict.fromkeys(networks.NETWORKS["vgg16_fc2"].renamed[1].values(), empty)
    assert "features.28.bias" in torchvision and "classifier.3.weight" in torchvision
    said = refusal(torchvision | {"classifier.6.bias": empty, "classifier.9.bias": empty})
    assert "classifier.9.bias [1] is unexpected; features.0.bias has shape [1]" in said
    assert "it is not the vgg16_fc2" in refusal(dict.fromkeys(networks.shapes("vgg16_fc2"), empty))


def test_missing_networks_say_what_to_get(cache_folder):
    for name in networks.FROM_FILES:
        with pytest.raises(UserError) as caught:
            features.load(name)
        assert networks.NETWORKS[name].source in str(caught.value)
        assert str(caught.value).endswith("then: aligned features add FILE")
    with pytest.raises(UserError, match="there is no network 'clip'; networks are inception"):
        features.load("clip")


def test_damaged_weights_are_noticed(tiny, tmp_path, cache_folder):
    write_rosinality(tmp_path / "net.pth", tiny)
    features.add(tmp_path / "net.pth")
    kept = cache_folder / "arcface.safetensors"
    whole = kept.read_bytes()
    for data in (whole[:-1], b"", whole.replace(b"format_version", b"format_version2")):
        kept.write_bytes(data)
        with pytest.raises(FormatError, match=r"add the network again: aligned features add"):
            features.load("arcface")
        assert "damaged" in features.stored()["arcface"]["problem"]
    kept.write_bytes(whole)
    tensors = load_file(kept)
    from safetensors import safe_open

    with safe_open(kept, framework="np") as file:
        metadata = file.metadata()
    save_file({k: v for k, v in tensors.items() if k != "fc.bias"}, kept, metadata)
    with pytest.raises(FormatError, match=r"fc.bias \[5\] is missing"):
        features.load("arcface")


def test_a_failure_leaves_what_was_there(tiny, tmp_path, cache_folder, monkeypatch):
    write_rosinality(tmp_path / "net.pth", tiny)
    features.add(tmp_path / "net.pth")
    before = (cache_folder / "arcface.safetensors").read_bytes()
    write_rosinality(tmp_path / "net.pth", tiny | {"fc.bias": tiny["fc.bias"] + 1})
    assert features.add(tmp_path / "net.pth")
    after = (cache_folder / "arcface.safetensors").read_bytes()
    assert after != before
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match="file"):
        features.add(tmp_path / "net.pth")
    assert (cache_folder / "arcface.safetensors").read_bytes() == after


def test_other_files_are_refused(cache_folder):
    for name, reason in (
        ("generator_gray16.pkl", "it holds no tensors by name"),
        ("hostile_os_system.pkl", "posix.system|nt.system|os.system"),
        ("torch_script.pt", "those of no network that can be added"),
        ("inception_fid.npz", "compressed|no data.pkl"),
    ):
        with pytest.raises(FormatError, match=reason):
            features.add(DATA / name)
    assert not cache_folder.exists()
