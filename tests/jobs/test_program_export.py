"""`jobs.export_program`: what is written, what is recorded, and what is refused."""

import json
import os
import resource

import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.config import GeneratorConfig, SynthesisConfig
from aligned_jax.convert import programs
from aligned_jax.convert.programs import onnx_model, packages, program, records
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs import program_export
from aligned_jax.provenance import Command
from aligned_jax.utils.checksums import sealed
from tests.jobs.small_inputs import PARENT, moved

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("flatbuffers", reason="the extra onnx is not installed")

COMMAND = Command("aligned export P X", {"space": "z"})
SUFFIXES = (".onnx", ".jaxexport")
IMAGES = {".onnx": ("N", 3, 8, 8), ".jaxexport": ("N", 8, 8, 3)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """{suffix: (file, what was said of it)}."""
    folder = tmp_path_factory.mktemp("programs")
    names = {suffix: folder / f"net{suffix}" for suffix in SUFFIXES}
    return {
        suffix: (path, jobs.export_program(PARENT, path, command=COMMAND))
        for suffix, path in names.items()
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_program_says_where_it_comes_from(suffix, written):
    path, exported = written[suffix]
    assert exported.inputs == {"z": ("N", 6), "psi": ()} and exported.images == IMAGES[suffix]
    assert 0 <= exported.difference < 1e-5
    record = programs.read_record(path)
    assert record["networks"]["G_ema"]["config"]["img_resolution"] == 8
    assert record["program"] == {
        "space": "z",
        "psi": None,
        "noise": "const",
        "half": False,
        "inputs": {"z": ["N", 6], "psi": []},
        "images": list(IMAGES[suffix]),
    }
    assert record["compared"] == {"pictures": 3, "largest_difference": exported.difference}
    told = record["provenance"]
    assert (told["verb"], told["command"]) == ("export", COMMAND.line)
    assert told["parents"]["network"]["file"] == PARENT.name
    packages_used = {".onnx": {"onnx", "onnxruntime"}, ".jaxexport": {"flatbuffers"}}[suffix]
    assert told["versions"].keys() == {"python", "aligned_jax", "jax", "jaxlib", "numpy"} | (
        packages_used
    )
    assert os.stat(path).st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_record_of_an_archive_is_its_last_line(written):
    path, _ = written[".jaxexport"]
    last = path.read_bytes().splitlines()[-1]
    assert json.loads(last) == programs.read_record(path)


def test_the_record_of_a_model_is_where_others_look(written):
    path, _ = written[".onnx"]
    model = onnx.load(path)
    (entry,) = model.metadata_props
    assert entry.key == "aligned_jax" and json.loads(entry.value) == programs.read_record(path)
    assert (model.producer_name, model.graph.input[0].name) == ("aligned_jax", "z")


def test_a_program_is_described(written):
    path, _ = written[".onnx"]
    described = jobs.info(path)
    lines = described.text().splitlines()
    assert lines[1].strip() == "origin      made by `aligned export P X`"
    assert lines[2].strip().startswith(f"network     {PARENT} (stylegan2-ada-pytorch")
    assert lines[3].strip() == "program     z [N, 6], psi to images [N, 3, 8, 8]"
    assert described.document()["program"]["space"] == "z"
    assert "program" not in jobs.info(PARENT).document()
    styles = {f"styles/b{i}.conv1": ("N", 4) for i in (4, 8)}
    assert jobs.describe.signature(styles, ("N", 1)) == "styles of 2 layers to images [N, 1]"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_is_noticed(suffix, written, tmp_path):
    path, _ = written[suffix]
    sound, copy = path.read_bytes(), tmp_path / f"copy{suffix}"
    text = sound.index(b'{"format_version": 1')
    for place in (text // 2, text // 3, text + 40):  # among the numbers, and in the record
        copy.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        with pytest.raises(FormatError, match=rf"^copy\{suffix}: "):
            programs.read_record(copy)
    copy.write_bytes(sound[:-5])
    with pytest.raises(FormatError, match=rf"^copy\{suffix}: "):
        programs.read_record(copy)
    copy.write_bytes(sound)
    assert programs.read_record(copy) == programs.read_record(path)


def ending(suffix, document):
    """Bytes that hold a record."""
    text = json.dumps(document)
    return records.onnx_ending(text) if suffix == ".onnx" else records.line_ending(text)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_records_of_others_are_refused(suffix, written, tmp_path):
    path, _ = written[suffix]
    record = programs.read_record(path)
    content = path.read_bytes()[: -len(ending(suffix, record))]
    copy = tmp_path / f"copy{suffix}"
    for change, said in (
        ({"format_version": 2}, "its format version is 2, this release reads 1"),
        ({"networks": 3, "provenance": None}, "its record is damaged: networks, provenance"),
        ({"program": {"inputs": {"z": 3}, "images": 4}}, r"program\.inputs, program\.images"),
        ({"program": []}, r"damaged: program\.inputs, program\.images"),
    ):
        copy.write_bytes(content + ending(suffix, sealed({**record, **change})))
        with pytest.raises(FormatError, match=said):
            programs.read_record(copy)
    copy.write_bytes(content)
    with pytest.raises(FormatError, match="aligned export` wrote it"):
        programs.read_record(copy)
    copy.write_bytes(content + ending(suffix, {**record, "compared": None}))
    with pytest.raises(FormatError, match="was edited"):
        programs.read_record(copy)
    copy.write_text("x")
    with pytest.raises(FormatError, match=rf"^copy\{suffix}: it is no "):
        programs.read_record(copy)
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        programs.read_record(tmp_path / f"none{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_program_is_no_network(suffix, written):
    path, _ = written[suffix]
    with pytest.raises(UserError, match="this is a program, of which networks are not read back"):
        loading.load(path)


def test_networks_in_memory_and_other_keys(tmp_path):
    network = moved(loading.load(PARENT), 0.1)
    jobs.export_program(network, tmp_path / "x.onnx", check=False)
    jobs.export_program(PARENT, tmp_path / "g.onnx", "G", check=False)
    jobs.export_program(PARENT, tmp_path / "ema.onnx", check=False)
    records = [programs.read_record(tmp_path / f"{name}.onnx") for name in ("x", "g", "ema")]
    assert [list(record["networks"]) for record in records] == [["G_ema"], ["G"], ["G_ema"]]
    assert [record["compared"] for record in records] == [None] * 3
    checksums = [record["checksum"] for record in records]
    assert checksums[0] != checksums[1] == checksums[2]  # G and G_ema of this file are the same


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("x.pkl", {}, r"x\.pkl: give a name that ends in \.onnx or \.jaxexport"),
        ("x.onnx", {"key": "D"}, "has no generator 'D', and a program holds one, G_ema or G"),
        ("x.onnx", {"key": "E"}, "has no generator 'E'.*; it has G_ema, G, D"),
        ("x.onnx", {"space": "w", "psi": 0.5}, "`psi` truncates what is mapped from z"),
        ("old.onnx", {}, "already exists"),
        ("", {}, "give a name that ends in"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(name, options, said, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "load", None)
    (tmp_path / "old.onnx").write_text("precious")
    with pytest.raises(UserError, match=said):
        jobs.export_program(PARENT, tmp_path / name, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["old.onnx"]
    assert (tmp_path / "old.onnx").read_text() == "precious"


def test_programs_are_another_job_than_files(tmp_path):
    with pytest.raises(UserError, match=r"or \.pt; jobs\.export_program writes programs"):
        jobs.export(PARENT, tmp_path / "x.onnx")


def test_large_networks_are_refused(tmp_path, monkeypatch):
    huge = GeneratorConfig(64, synthesis=SynthesisConfig(channels=(16384,) * 5))
    with pytest.raises(FormatError, match=r"take 81\.\d GiB, .* than 2; pass `half=True`, or exp"):
        programs.check_size("x.onnx", huge, False)
    with pytest.raises(FormatError, match=r"take 40\.\d GiB, .* than 2; export to a name"):
        programs.check_size("x.onnx", huge, True)
    monkeypatch.setattr(program, "_LIMIT", 2500)  # between half and all of these numbers
    with pytest.raises(UserError, match=r"x\.onnx was not written: the [\d,]+ numbers"):
        jobs.export_program(PARENT, tmp_path / "x.onnx", check=False)
    assert not list(tmp_path.iterdir())
    jobs.export_program(PARENT, tmp_path / "x.onnx", half=True, check=False)


def test_other_images_than_those_of_jax_are_refused(tmp_path, monkeypatch):
    draw = onnx_model.OnnxProgram.draw
    monkeypatch.setattr(onnx_model.OnnxProgram, "draw", lambda *args: draw(*args) + 0.01)
    path = tmp_path / "x.onnx"
    with pytest.raises(UserError, match=r"nothing was .* by 0\.01, where .* `check=False`"):
        jobs.export_program(PARENT, path)
    assert not list(tmp_path.iterdir())
    assert jobs.export_program(PARENT, path, check=False).difference is None
    assert path.exists()


def test_every_space_is_compared(monkeypatch, tmp_path):
    """With latents whose rows of W+ are not alike."""
    drawn = {}
    draw = onnx_model.OnnxProgram.draw

    def note(self, latents, psi=None):
        drawn.update(latents)
        return draw(self, latents, psi)

    monkeypatch.setattr(onnx_model.OnnxProgram, "draw", note)
    for space in ("w", "w+", "s"):
        path = tmp_path / "x.onnx"
        exported = jobs.export_program(PARENT, path, space=space, overwrite=True)
        assert exported.difference < 1e-5
    assert np.ptp(drawn["ws"], axis=1).min() > 0 and len(drawn) == 7  # w, ws, styles of 5 layers


def test_images_without_bounds_are_refused(tmp_path):
    network = moved(loading.load(PARENT), 1e30)
    with pytest.raises(UserError, match=r"the images of .* hold numbers that are not finite"):
        jobs.export_program(network, tmp_path / "x.onnx")
    with pytest.raises(UserError, match=r"not finite in mapping\.fc0\.bias"):
        jobs.export_program(network, tmp_path / "x.onnx", half=True)
    with pytest.raises(UserError, match="G_ema holds numbers that are not finite"):
        jobs.export_program(moved(network, np.nan), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("missing", "name", "said"),
    [
        ("onnx", "x.onnx", "writing .onnx needs the package onnx: pip install 'aligned_jax.onnx"),
        ("onnxruntime", "x.onnx", "comparing with JAX .`check=False` leaves it out. needs the"),
        ("flatbuffers", "x.jaxexport", "writing .jaxexport needs the package flatbuffers: pip"),
    ],
)
def test_packages_that_are_missing_are_named(missing, name, said, tmp_path, monkeypatch):
    real = packages.importlib.import_module

    def find(wanted):
        if wanted.partition(".")[0] == missing:
            raise ImportError(wanted)
        return real(wanted)

    monkeypatch.setattr(packages.importlib, "import_module", find)
    with pytest.raises(UserError, match=said):
        jobs.export_program(PARENT, tmp_path / name)
    if missing == "onnxruntime":
        jobs.export_program(PARENT, tmp_path / name, check=False)


def test_nothing_is_left_behind_when_the_disk_is_full(written, tmp_path):
    content = written[".onnx"][0].read_bytes()
    made = {
        ".onnx": onnx_model.OnnxProgram(content),
        ".jaxexport": programs.jax_archive.ArchiveProgram(content),
    }
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        for suffix, one in made.items():
            with pytest.raises(FormatError, match="nothing was left behind"):
                one.write(tmp_path / f"x{suffix}", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_stays(written, tmp_path):
    path = tmp_path / "x.onnx"
    path.write_text("precious")
    made = onnx_model.OnnxProgram(written[".onnx"][0].read_bytes())
    with pytest.raises(FormatError, match="appeared meanwhile"):
        made.write(path, {})
    assert path.read_text() == "precious" and len(list(tmp_path.iterdir())) == 1
    made.write(path, {}, overwrite=True)
    assert path.stat().st_size > 1000


def test_the_tolerance_is_that_of_the_documents():
    assert program_export.TOLERANCE == 1e-4
