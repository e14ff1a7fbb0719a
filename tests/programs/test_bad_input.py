"""Every mishap that a user can mend: exit code 2, one line, nothing left behind."""

import zipfile

import numpy as np
import pytest

from aligned_jax import checkpoint, loading
from aligned_jax.latents import style_layers
from tests.helpers import DATA

COND = DATA / "generator_options16.pkl"


@pytest.fixture
def lines(refused, parent, child, tmp_path, contents):
    """lines("verb PARENT ... OUT") -> the one line on stderr; nothing may be left behind."""

    def run(line, **more):
        out = tmp_path / "out"
        places = {"PARENT": parent, "CHILD": child, "COND": COND, "OUT": out, **more}
        before = contents(tmp_path)
        said = refused(*(places.get(word, word) for word in line.split()))
        assert contents(tmp_path) == before
        return said

    return run


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # networks that are not there
        ("info nowhere.pkl", "nowhere.pkl: no such file or folder"),
        ("convert nowhere.pkl OUT", "nowhere.pkl: there is no such file"),
        ("generate nowhere --seeds 0 --out OUT", "nowhere: no such file or folder"),
        ("info EMPTY", "is not a checkpoint"),
        ("convert EMPTY OUT", "this is a folder"),
        ("info PARENT@12", "no such folder"),
        ("info zoo:unicorn", "there is no zoo:unicorn"),
        ("generate CHILD --network-key D --seeds 0 --out OUT", "invalid choice: 'D'"),
        ("export CHILD OUT.safetensors --network-key D", "no network 'D'; it has G_ema, G"),
        # seeds
        ("generate PARENT --seeds 3- --out OUT", "not a list of seeds: '3-'"),
        ("generate PARENT --seeds 5-3,x,7 --out OUT", "not a list of seeds: '5-3', 'x'"),
        ("compare PARENT CHILD --seeds 3- --out OUT", "not a list of seeds: '3-'"),
        ("generate PARENT --out OUT", "give either --seeds or --latents"),
        ("generate PARENT --seeds 1 --latents x.npz --out OUT", "either --seeds or --latents"),
        # labels
        ("generate PARENT --seeds 0 --label 1 --out OUT", "this network is unconditional"),
        ("generate COND --seeds 0 --out OUT", "choose a class with --label, from 0 to 2"),
        ("generate COND --seeds 0 --label 3 --out OUT", "no such class: [3]"),
        ("compare COND COND --out OUT", "this network is conditional"),
        # components, resolutions, weights
        ("reset PARENT CHILD --components conv,eyes,nose --out OUT", "'eyes', 'nose'; components"),
        ("reset PARENT CHILD --components conv --resolutions 9 --out OUT", "'9'; this network has"),
        ("interpolate PARENT CHILD --weight 1 --components eyes --out OUT", "'eyes'; components"),
        ("interpolate PARENT CHILD --weights eyes=1 --out OUT", "'eyes'; components are"),
        ("interpolate PARENT CHILD --weights conv --out OUT", "is not of the form NAME=WEIGHT"),
        ("interpolate PARENT CHILD --weights conv=1,conv=2 --out OUT", "'conv=2' is given twice"),
        ("interpolate PARENT CHILD --weight nan --out OUT", "'nan' is not a finite number"),
        ("interpolate PARENT CHILD --out OUT", "one of the arguments --weight --weights --strip"),
        ("interpolate PARENT CHILD --weight 1 --strip 0,1 --out OUT", "not allowed with argument"),
        ("swap PARENT CHILD --resolution 16 --out OUT", "resolution: 16; this network has 4, 8"),
        ("swap PARENT CHILD --strip 4,16 --out OUT.png", "resolution: 16; this network has 4, 8"),
        ("swap PARENT CHILD --resolution 4 --smooth -1 --out OUT", "a width must be 0 or more"),
        ("swap PARENT CHILD --strip 4 --out OUT", "go to NAME.png or NAME.html"),
        ("swap PARENT CHILD --resolution 4 --seeds 1 --psi 1 --out OUT", "--seeds and --psi can"),
        ("arithmetic p+q p=PARENT --out OUT", "no network called q"),
        ("arithmetic p*p p=PARENT --out OUT", "multiplies networks"),
        ("arithmetic p p=PARENT p=CHILD --out OUT", "given more than once: p"),
        ("arithmetic p PARENT --out OUT", "not of the form name=NETWORK"),
        ("resize PARENT --resolution 12 --out OUT", "img_resolution is 12; it must be one of"),
        # latents
        ("translate PARENT CHILD --latents in/a.png --out OUT", "in/a.png: no file of latents"),
        ("translate PARENT CHILD --latents a b.npz@1 c@0 --out OUT", "a, c@0: no file of latents"),
        ("translate PARENT CHILD --seeds 1 --texture 1 --layers all,3 --out OUT", "is all,3; give"),
        # numbers
        ("generate PARENT --seeds 0 --cutoff 9 --out OUT", "truncation cutoff is 9"),
        ("generate PARENT --seeds 0 --batch 0 --out OUT", "'0' is not a whole number from 1 on"),
        ("generate PARENT --seeds 0 --psi inf --out OUT", "'inf' is not a finite number"),
        ("generate PARENT --seeds 0 --half float64 --out OUT", "invalid choice: 'float64'"),
        ("generate PARENT --seeds 0 --sideways --out OUT", "there is no --sideways"),
        ("interpolate PARENT CHILD --weight 1e39 --out OUT", "'1e39' is not a finite number"),
        ("interpolate PARENT CHILD --weight 3e38 --out OUT", "in params/mapping/fc0/bias"),
        ("interpolate PARENT CHILD --strip 0,1e30 --out OUT.png", "images of seed 0, seed 1, seed"),
        ("generate PARENT --seeds 0 --psi 1e300 --out OUT", "'1e300' is not a finite number"),
        ("generate PARENT --seeds 4-20 --psi 1e38 --batch 9 --out OUT.png", "seed 11 and 1 more;"),
        ("generate PARENT --seeds 4 --psi 1e38 --out OUT.npz", "beyond all bounds in the images"),
        ("generate PARENT --seeds 4 --psi 1e38 --out OUT", "in the images of seed 4; use"),
        ("compare PARENT CHILD --psi 1e38 --out OUT", "in the images of seed 0, seed 1"),
        ("generate PARENT --seeds 0 --noise-seed 4294967296 --out OUT", "from 0 to 4294967295"),
        ("resize PARENT --resolution 8 --seed 4294967296 --out OUT", "from 0 to 4294967295"),
        # outputs
        ("generate PARENT --seeds 0 --out NOTHING", "argument --out: the name is empty"),
        ("generate PARENT --latents NOTHING --out OUT", "argument --latents: the name is empty"),
        ("convert PARENT NOTHING", "argument DST: the name is empty"),
        ("convert NOTHING OUT", "argument SRC: the name is empty"),
        ("generate PARENT --seeds 0 --out LONG", "is too long a name"),
        ("generate PARENT --seeds 0 --out LONG.png", "is too long a name"),
        ("compare PARENT CHILD --out LONG", "is too long a name"),
        ("export PARENT LONG.safetensors", "is too long a name"),
        ("generate PARENT --seeds 7,3-6,4,5,5 --out OUT", "given more than once: 4, 5; in a"),
        ("generate PARENT --seeds 0 --out OUT.jpg", "NAME.npz, NAME.png, NAME.html, or a folder"),
        ("generate PARENT --seeds 0", "the following arguments are required: --out"),
        ("export PARENT OUT.bin", "give a name that ends in .safetensors"),
    ],
)  # fmt: skip
def test_bad_arguments(line, expected, lines, tmp_path, parent):
    (tmp_path / "empty").mkdir()
    words = {"EMPTY": tmp_path / "empty", "PARENT@12": f"{parent}@12", "NOTHING": ""}
    words |= {f"LONG{end}": "x" * 300 + end for end in ("", ".png", ".safetensors")}
    words |= {
        f"OUT{end}": f"{tmp_path}/out{end}" for end in (".jpg", ".png", ".bin", ".safetensors")
    }
    words |= {f"p={name}": f"p={parent}" for name in ("PARENT", "CHILD")}
    assert expected in lines(line, **words)


@pytest.mark.parametrize(
    "line",
    [
        "reset PARENT COND --components conv --out OUT",
        "interpolate PARENT COND --weight 0.5 --out OUT",
        "swap PARENT COND --resolution 4 --out OUT",
        "compare PARENT COND --label 0 --out OUT",
    ],
)
def test_networks_of_different_sizes(line, aligned, parent, tmp_path):
    out = tmp_path / "out"
    words = [{"PARENT": parent, "COND": COND, "OUT": out}.get(word, word) for word in line.split()]
    result = aligned(*words)
    assert result.code == 2
    assert "does not fit" in result.err
    assert (
        "img_resolution: 8 versus 16" in result.err or "img_resolution: 16 versus 8" in result.err
    )
    assert not out.exists()


TARGETS = [
    ("convert PARENT OUT", ""),
    ("reset PARENT CHILD --components conv --out OUT", ""),
    ("interpolate PARENT CHILD --weight 0.5 --out OUT", ""),
    ("swap PARENT CHILD --resolution 4 --out OUT", ""),
    ("arithmetic p p=PARENT --out OUT", ""),
    ("resize PARENT --resolution 8 --out OUT", ""),
    ("export PARENT OUT", ".safetensors"),
    ("compare PARENT CHILD --seeds 0-2 --out OUT", ""),
    ("generate PARENT --seeds 0-2 --out OUT", ".npz"),
    ("generate PARENT --seeds 0-2 --out OUT", ".png"),
    ("generate PARENT --seeds 0-2 --out OUT", "/"),
    ("swap PARENT CHILD --strip 4 --seeds 0-2 --out OUT", ".png"),
]


@pytest.mark.parametrize(("line", "suffix"), TARGETS)
def test_existing_output_stays_unless_overwritten(
    line, suffix, aligned, parent, child, tmp_path, monkeypatch, contents
):
    out = f"{tmp_path}/out{suffix}"
    places = {"PARENT": parent, "CHILD": child, "p=PARENT": f"p={parent}", "OUT": out}
    words = [places.get(word, word) for word in line.split()]
    assert aligned(*words).code == 0

    def files():
        return {p: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}

    before = files()
    with monkeypatch.context() as patch:
        # Refused before any work: the network would not even load.
        patch.setattr(loading, "load", None)
        patch.setattr(loading, "load_all", None)
        result = aligned(*words)
    assert result.code == 2 and "--overwrite" in result.err
    assert result.err.count("\n") == 1
    assert files() == before
    assert aligned(*words, "--overwrite").code == 0
    assert contents(tmp_path) == [f"out{suffix.rstrip('/')}"]


def test_a_folder_that_is_no_checkpoint_is_never_replaced(refused, parent, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    line = refused("convert", parent, tmp_path / "mine", "--overwrite")
    assert "is not a checkpoint" in line and "it is not overwritten" in line
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"


def good_latents(config):
    return {
        "z": {"z": np.ones((2, config.z_dim), np.float32)},
        "ws": {"ws": np.ones((2, config.num_ws, config.w_dim), np.float32)},
        "styles": {
            f"styles/{layer.name}": np.ones((2, layer.channels), np.float32)
            for layer in style_layers(config)
        },
    }


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("z", {"z": np.ones((2, 7))}, "z has shape [2, 7], expected [N, 6] or [N, 4, 6]"),
        ("z", {"z": np.ones(6)}, "z has shape [6], expected"),
        ("z", {"z": np.float32(1)}, "z has shape [], expected"),
        ("z", {"z": np.ones((0, 6))}, "it has no rows"),
        ("z", {"z": np.ones((2, 6), complex)}, "z holds complex128, expected numbers"),
        ("z", {"z": np.ones((2, 6), bool)}, "z holds bool, expected numbers"),
        ("z", {"w": np.ones((2, 7)), "z": None}, "w has shape [2, 7], expected [N, 4, 6]"),
        ("ws", {"w": np.ones((2, 4, 6))}, "it holds ws and w; keep one of them"),
        ("z", {"z": np.full((2, 6), "x")}, "z holds <U1, expected numbers"),
        ("z", {"z": np.full((2, 6), np.nan)}, "z holds values that are not finite"),
        ("z", {"z": np.full((2, 6), 1e300)}, "z holds values that are not finite"),
        ("z", {"z": np.array([[object()]])}, "z holds pickled objects"),
        ("z", {"Z": np.ones((2, 6)), "y": np.ones(1)}, "Z is unknown; y is unknown"),
        ("z", {"c": np.ones((2, 3))}, "c has shape [2, 3], expected [N, 0]"),
        ("z", {"c": np.ones((3, 0))}, "the numbers of rows differ: z 2, c 3"),
        ("z", {"z": None}, "it holds no latents"),
        ("z", {"styles/b8.conv0": np.ones((2, 4))}, "it holds styles and z; keep one of them"),
        ("ws", {"ws": np.ones((2, 6))}, "ws has shape [2, 6], expected [N, 4, 6]"),
        ("ws", {"ws": np.ones((2, 5, 6))}, "ws has shape [2, 5, 6], expected [N, 4, 6]"),
        ("styles", {"styles/b8.conv0": None}, "styles/b8.conv0 is missing"),
        ("styles", {"styles/b8.conv0": np.ones((2, 5))}, "styles/b8.conv0 has shape [2, 5]"),
        ("styles", {"styles/b16.conv0": np.ones((2, 5))}, "styles/b16.conv0 is unknown"),
    ],
)
def test_latents_that_do_not_fit(kind, changes, expected, lines, parent, tmp_path):
    arrays = good_latents(loading.describe(parent).configs["G_ema"])[kind] | changes
    file = tmp_path / "latents.npz"
    np.savez(file, **{key: value for key, value in arrays.items() if value is not None})
    line = lines("generate PARENT --latents FILE --out OUT", FILE=file)
    assert expected in line
    assert "A file of latents holds" in line


def test_all_problems_of_latents_are_listed(lines, tmp_path):
    file = tmp_path / "latents.npz"
    np.savez(file, z=np.ones((2, 7)), ws=np.ones((3, 1)), **{f"x{i}": np.ones(1) for i in range(9)})
    line = lines("generate PARENT --latents FILE --out OUT", FILE=file)
    for problem in ("x0 is unknown", "x7 is unknown", "and 2 more"):
        assert problem in line


def test_files_that_hold_no_latents(lines, tmp_path):
    file = tmp_path / "latents.npz"
    np.savez(file, z=np.ones((2, 6), np.float32))
    whole = file.read_bytes()
    kinds = {
        "no such file": None,
        "is no .npz file": b"nonsense",
        "is no .npz": b"",
        "is damaged": whole.replace(np.float32(1).tobytes() * 2, b"\1" * 8, 1),
        "is no .npz file: ": whole[:-30],
    }
    for expected, data in kinds.items():
        file.unlink(missing_ok=True)
        if data is not None:
            file.write_bytes(data)
        assert expected in lines("generate PARENT --latents FILE --out OUT", FILE=file)
    file = tmp_path / "z.npy"
    np.save(file, np.ones((2, 6)))
    line = lines("generate PARENT --latents FILE --out OUT", FILE=file)
    assert "the array has shape [2, 6], expected [N, 4, 6]; without a name it is read as" in line
    assert "np.savez(F.npz, ws=...)" in line


def test_headers_are_not_believed(lines, tmp_path):
    file = tmp_path / "latents.npz"
    for shape, expected in (
        ((10**9, 64), "z has shape [1000000000, 64], expected"),
        ((10**13, 6), "z is damaged (shape [10000000000000, 6], but 0 bytes"),
        ((2**70, 6), "z is damaged"),
        ((2, -6), "z has shape [2, -6]"),
    ):
        with zipfile.ZipFile(file, "w") as archive, archive.open("z.npy", "w") as entry:
            header = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(entry, header)
        assert expected in lines("generate PARENT --latents FILE --out OUT", FILE=file)
    for data in (b"", b"nonsense", b"\x93NUMPY\x09\x00"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("z.npy", data)
        line = lines("generate PARENT --latents FILE --out OUT", FILE=file)
        assert "z is damaged (" in line and "allow_pickle" not in line


def test_damaged_compression(lines, tmp_path):
    file = tmp_path / "latents.npz"
    np.savez_compressed(file, z=np.random.default_rng(0).standard_normal((20, 6)))
    whole = bytearray(file.read_bytes())
    for place in range(40, 400, 3):
        whole[place] ^= 0xFF
    file.write_bytes(whole)
    assert "z is damaged (" in lines("generate PARENT --latents FILE --out OUT", FILE=file)


@pytest.mark.slow
def test_networks_with_numbers_that_are_not_finite(lines, child, tmp_path, contents):
    network = loading.load(child)
    network.variables["params"]["mapping"]["fc0"]["bias"] = np.full(6, np.nan, np.float32)
    loading_source = tmp_path / "broken"
    checkpoint.write(loading_source, {"G_ema": (network.config, network.variables)}, {})
    for line in (
        "export BROKEN OUT.safetensors",
        "export BROKEN OUT.safetensors --network-key all",
        "resize BROKEN --resolution 16 --out OUT",
        "reset CHILD BROKEN --components conv --out OUT",
    ):
        words = {"BROKEN": loading_source, "OUT.safetensors": tmp_path / "out.safetensors"}
        assert "not finite, in params/mapping/fc0/bias" in lines(line, **words)


def test_labels_and_latents(lines, tmp_path):
    z, file = np.ones((2, 14), np.float32), tmp_path / "latents.npz"
    command = "generate COND --latents FILE --label 1 --out OUT"
    np.savez(file, z=z, c=np.eye(3, dtype=np.float32)[:2])
    assert "holds labels c already" in lines(command, FILE=file)
    np.savez(file, ws=np.ones((2, 6, 22), np.float32))
    assert "a label changes nothing" in lines(command, FILE=file)
    np.savez(file, z=z)
    unlabelled = "generate COND --latents FILE --out OUT"
    assert "choose a class with --label" in lines(unlabelled, FILE=file)
    one_too_many = "generate PARENT --latents FILE --label 0 --out OUT"
    np.savez(file, z=np.ones((2, 6), np.float32))
    assert "this network is unconditional" in lines(one_too_many, FILE=file)
