"""The writer of official layouts against the reader."""

import tracemalloc

import numpy as np
import pytest

from aligned_jax.convert.files.container import read_pickle
from tests.convert.small_files import state_tensors, tensors
from tests.makers.official_file import OfficialNetwork, write_rosinality, write_snapshot


def networks(large: int = 0) -> dict[str, OfficialNetwork]:
    random = np.random.default_rng(0)
    generator = {
        "synthesis.b4.const": random.normal(size=(3, 4, 4)).astype(np.float32),
        "synthesis.b4.conv1.weight": random.normal(size=(40, 40, 3, 3)).astype(np.float32),
        "synthesis.b4.conv1.noise_strength": np.array(0.5, np.float32),
        "synthesis.b4.resample_filter": np.ones((4, 4), np.float32),
        "mapping.w_avg": np.ones(8, np.float32),
    }
    discriminator = {"b8.fromrgb.weight": np.ones((3, 3, 1, 1), np.float32)}
    if large:
        generator["synthesis.b4.conv1.weight"] = np.zeros((large, 1000, 3, 3), np.float32)
    shared = OfficialNetwork({"z_dim": 8, "synthesis_kwargs": {"channel_base": 64}}, generator)
    frozen = OfficialNetwork({"c_dim": 0}, discriminator, frozen=["b8.fromrgb.weight"])
    return {"G": shared, "D": frozen, "G_ema": shared}


@pytest.mark.parametrize("names", ["old", "new"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_written_snapshots_read_back(tmp_path, protocol, names):
    path, written = tmp_path / "net.pkl", networks()
    write_snapshot(path, written, protocol=protocol, numpy_names=names, extra={"a": 1})
    loaded = read_pickle(path)
    assert loaded.unknown_globals == () and loaded.value["extra"] == {"a": 1}
    assert loaded.value["G"] is loaded.value["G_ema"]
    for key, network in written.items():
        read_back = state_tensors(loaded.value[key])
        assert set(read_back) == set(network.tensors)
        for name, array in network.tensors.items():
            np.testing.assert_array_equal(read_back[name], array)
        assert loaded.value[key].meta["state"]["_init_kwargs"] == network.kwargs
    block = loaded.value["D"].meta["state"]["_modules"]["b8"].meta["state"]["_modules"]["fromrgb"]
    assert list(block.meta["state"]["_buffers"]) == ["weight"]
    text = path.read_bytes()
    assert (b"numpy.core.multiarray" in text) == (names == "old")


@pytest.mark.parametrize("legacy", [False, True])
def test_written_checkpoints_read_back(tmp_path, legacy):
    shared = np.arange(6, dtype=np.float32).reshape(2, 3)
    state = {"g_ema": {"a": shared, "b": shared}, "latent_avg": np.ones(3, np.float16), "step": 7}
    write_rosinality(tmp_path / "net.pt", state, legacy=legacy)
    loaded = read_pickle(tmp_path / "net.pt")
    assert loaded.container == ("torch-legacy" if legacy else "torch-zip")
    assert loaded.value["step"] == 7 and loaded.value["latent_avg"].dtype == "float16"
    np.testing.assert_array_equal(loaded.value["g_ema"]["a"].numpy(), shared)
    assert loaded.value["g_ema"]["a"].storage is loaded.value["g_ema"]["b"].storage


def test_large_files_cost_no_memory(tmp_path):
    path = tmp_path / "large.pkl"
    write_snapshot(path, networks(large=600))
    size = path.stat().st_size
    assert size > 20_000_000
    tracemalloc.start()
    try:
        arrays = [tensor.numpy() for tensor in tensors(read_pickle(path).value)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(array.nbytes for array in arrays) > 20_000_000
    assert peak < 2_000_000
    assert not any(array.flags.writeable for array in arrays)
