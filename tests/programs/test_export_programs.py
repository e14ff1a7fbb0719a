"""`aligned export NAME.onnx|NAME.jaxexport`: every option, and what does not fit together."""

import numpy as np
import pytest

from aligned_jax.convert.programs import read_record
from tests import test_documentation

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def images(path, **arrays):
    """What onnxruntime draws."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["images"], {k: np.asarray(v, np.float32) for k, v in arrays.items()})[0]


@pytest.fixture(scope="module")
def z():
    return np.random.RandomState(0).randn(2, 6).astype(np.float32)


def test_a_program_is_written_and_compared(parent, ok, tmp_path, z):
    out = tmp_path / "x.onnx"
    wrote, differs = ok("export", parent, out).splitlines()
    assert wrote == f"wrote {out}: z [N, 6], psi to images [N, 3, 8, 8]"
    assert differs.startswith("its images differ from those of JAX by ")
    assert images(out, z=z, psi=1).shape == (2, 3, 8, 8)
    assert read_record(out)["provenance"]["command"] == f"aligned export {parent} {out}"
    assert ok("info", out).splitlines()[3].endswith("psi to images [N, 3, 8, 8]")


def test_an_archive_is_written_and_compared(parent, ok, tmp_path):
    pytest.importorskip("flatbuffers", reason="the extra onnx is not installed")
    out = tmp_path / "x.jaxexport"
    wrote, differs = ok("export", parent, out, "--space", "w").splitlines()
    assert wrote == f"wrote {out}: w [N, 6] to images [N, 8, 8, 3]"
    assert float(differs.split(" by ")[1].split()[0]) < 1e-5


def test_every_option_changes_the_program(child, ok, tmp_path, z):
    def made(name, *options):
        said = ok("export", child, tmp_path / f"{name}.onnx", "--no-check", *options)
        assert said.count("\n") == 1  # nothing was compared
        assert read_record(tmp_path / f"{name}.onnx")["compared"] is None
        return tmp_path / f"{name}.onnx"

    plain = images(made("plain"), z=z, psi=0.5)
    built = images(made("built", "--psi", "0.5"), z=z)
    np.testing.assert_allclose(built, plain, atol=1e-5)
    others = {
        "psi": images(made("psi", "--psi", "1"), z=z),
        "noise": images(made("noise", "--noise", "none"), z=z, psi=0.5),
        "key": images(made("key", "--network-key", "G"), z=z, psi=0.5),
        "half": images(made("half", "--half"), z=z, psi=0.5),
    }
    for name, other in others.items():
        assert np.abs(other - plain).max() > 1e-5, name
    rows = np.zeros((1, 4, 6), np.float32)
    assert images(made("rows", "--space", "w+"), ws=rows).shape == (1, 3, 8, 8)
    assert list(read_record(made("styles", "--space", "s"))["program"]["inputs"]) == [
        "styles/b4.conv1",
        "styles/b4.torgb",
        "styles/b8.conv0",
        "styles/b8.conv1",
        "styles/b8.torgb",
    ]


def test_what_does_not_fit_together_is_refused(parent, ok, refused, tmp_path):
    out = tmp_path / "x.safetensors"
    for words, said in (
        (["--space", "z"], "--space can only be used together with .onnx or .jaxexport"),
        (["--psi", "1", "--no-check"], "--psi and --no-check can only be used together with"),
        (["--noise", "const"], "--noise can only be used together with"),
    ):
        assert said in refused("export", parent, out, *words)
    assert "ends in .safetensors, .pt, .onnx or .jaxexport" in refused(
        "export", parent, tmp_path / "x.ONNX", "--space", "z"
    )
    program = tmp_path / "x.onnx"
    assert "no generator 'all'" in refused("export", parent, program, "--network-key", "all")
    assert "leave it out for w" in refused("export", parent, program, "--space", "w", "--psi", "1")
    program.write_text("precious")
    assert "pass --overwrite" in refused("export", parent, program, "--no-check")
    assert program.read_text() == "precious"
    ok("export", parent, program, "--no-check", "--overwrite")
    said = refused("generate", program, "--seeds", "0", "--out", tmp_path / "x.png")
    assert "x.onnx: this is a program" in said
    assert not (tmp_path / "x.png").exists() and not out.exists()


def examples():
    """Python of the documents that draws with a program, by its suffix."""
    page = (test_documentation.ROOT / "docs" / "files.md").read_text("utf-8")
    found = test_documentation.blocks(page, "python")
    return {
        suffix: next(block for block in found if f'"toon{suffix}"' in block)
        for suffix in (".onnx", ".jaxexport")
    }


def test_the_example_of_the_documents_draws(parent, ok, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ok("export", parent, "toon.onnx", "--no-check")
    results = {}
    exec(examples()[".onnx"], results)
    assert results["images"].shape == (4, 3, 8, 8) and np.ptp(results["images"]) > 0.1
    assert (tmp_path / "toon.png").exists()


@pytest.mark.slow
def test_the_other_example_of_the_documents_draws(parent, ok, tmp_path, monkeypatch, capsys):
    pytest.importorskip("flatbuffers", reason="the extra onnx is not installed")
    monkeypatch.chdir(tmp_path)
    ok("export", parent, "toon.jaxexport", "--space", "w+", "--no-check")
    results = {}
    exec(examples()[".jaxexport"], results)
    assert results["images"].shape == (4, 8, 8, 3) and np.ptp(results["images"]) > 0.01
    assert "'ws': *" in capsys.readouterr().out
