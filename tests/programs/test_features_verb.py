"""`aligned features`: adding and listing."""

import hashlib

import pytest

from aligned_jax.features import store
from tests.features.conftest import cache_folder, tiny  # noqa: F401
from tests.helpers import DATA
from tests.makers.official_file import write_rosinality


def test_add_and_list(ok, tiny, cache_folder, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(store, "_package_folder", lambda: None)
    before = ok("features", "list")
    assert f"weights are kept in {tmp_path}" in before
    assert "arcface     missing; get model_ir_se50.pth" in before
    assert "vgg16       missing; comes with the extra lpips" in before
    file = tmp_path / "net.pth"
    write_rosinality(file, tiny)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    said = ok("features", "add", file)
    assert said == f"added arcface from net.pth, {file.stat().st_size:,} bytes\nsha256 {digest}\n"
    monkeypatch.setattr(store, "_package_folder", lambda: tmp_path)
    after = ok("features", "list")
    assert f"arcface     net.pth, sha256 {digest}" in after
    assert "vgg16       there, with the extra lpips" in after
    (cache_folder / "arcface.safetensors").write_bytes(b"")
    assert "add the network again" in ok("features", "list")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "required"),
        ("add", "required"),
        ("remove x", "invalid choice"),
        ("add nowhere.pt", "nowhere.pt: there is no such file"),
        ("add SNAPSHOT", "it holds no tensors by name"),
    ],
)
def test_bad_input(refused, cache_folder, line, expected):  # noqa: F811
    places = {"SNAPSHOT": DATA / "generator_gray16.pkl"}
    words = [places.get(word, word) for word in line.split()]
    assert expected in refused("features", *words)
    assert not cache_folder.exists()
