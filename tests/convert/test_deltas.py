"""Delta files: what is added to a base, which base it is, and everything that is refused."""

import functools
import json
import shutil

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from aligned_jax import convert, loading, weights
from aligned_jax.config import EncoderConfig
from aligned_jax.convert.deltas import Delta, DeltaBase, delta_of, read_delta, write_delta
from aligned_jax.convert.formats.own_exports import METADATA_KEY
from aligned_jax.errors import CheckpointError, ConfigError, FormatError, UserError
from aligned_jax.networks import fingerprint
from aligned_jax.networks.encoder_network import EncoderNetwork
from aligned_jax.networks.network import Network
from aligned_jax.utils.checksums import checksum_of, sealed
from tests.helpers import DATA

PARENT = str(DATA / "hostile_baseline_ok.pkl")


@functools.cache
def base():
    return loading.load(PARENT)


@functools.cache
def tuned():
    """The base with all trainable numbers of its synthesis moved."""
    random = np.random.RandomState(0)

    def move(leaf, value):
        moved = leaf.trainable and leaf.component != "mapping"
        return value + np.float32(0.01 * moved) * random.standard_normal(value.shape).astype("f4")

    return Network(base().config, weights.structure.combine(move, {"a": base().variables}, "a"))


def delta(name=PARENT, **options):
    known = DeltaBase(name, "G_ema", fingerprint(base().variables))
    return delta_of(base().config, base().variables, tuned().variables, known, **options)


@pytest.fixture
def file(tmp_path):
    """file(**options) -> a path of the delta."""

    def write(**options):
        path = tmp_path / "me.safetensors"
        write_delta(path, delta(**options), overwrite=True)
        return path

    return write


def gap(a, b=None):
    """Greatest difference of all numbers of two networks."""
    pairs = zip(
        jax.tree.leaves(a.variables), jax.tree.leaves((b or tuned()).variables), strict=True
    )
    return max(float(np.abs(x - y).max()) for x, y in pairs)


def test_a_delta_stands_for_the_tuned_network(file):
    path = file(dtype="float32", facts={"command": "aligned invert", "verb": "invert"})
    whole = loading.load(path)
    assert gap(whole) <= 1e-7 and gap(base()) > 0.01
    assert (np.asarray(whole.w_avg) == np.asarray(base().w_avg)).all()
    known = whole.provenance
    assert (known["kind"], known["verb"], known["file"]) == ("tuned", "invert", str(path))
    assert known["tuned_from"] == fingerprint(base().variables)
    assert known["parents"]["network"]["network"] == PARENT
    assert list(loading.describe(path).configs) == ["G_ema"]
    assert loading.label_of(str(path)) == "me"
    stored = load_file(path)
    assert "synthesis.b4.const" in stored and not any("noise_const" in name for name in stored)
    assert not any(name.startswith("mapping") for name in stored)
    # Official names and layouts: what adds them up in another program gets the same.
    theirs = convert.to_official(base().config, base().variables)
    ours = convert.to_official(base().config, whole.variables)
    for name, change in stored.items():
        assert np.abs(theirs[name] + change - ours[name]).max() <= 1e-7


def test_half_precision_halves_and_rank_shrinks(file):
    sizes, gaps = {}, {}
    for name, options in {
        "whole": {"dtype": "float32"},
        "half": {},
        "rank 1": {"rank": 1},
        "rank 2": {"rank": 2},
        "rank 99": {"rank": 99},
    }.items():
        read = read_delta(file(**options))
        sizes[name], gaps[name] = read.bytes, gap(loading.load(file(**options)))
    assert sizes["whole"] == 2 * sizes["half"]
    assert sizes["rank 1"] < sizes["rank 2"] < sizes["half"] == sizes["rank 99"]
    assert 1e-7 < gaps["half"] < 1e-4 and gaps["rank 99"] == gaps["half"]
    assert gaps["rank 1"] > 0.005
    change = np.random.RandomState(0).standard_normal((5, 3, 3)).astype(np.float32)
    # The nearest matrix of that rank: what is left has the other singular values.
    parts = convert.deltas._parts("x", change, 1)
    rest = change.reshape(5, 9) - parts["x.up"] @ parts["x.down"]
    values = np.linalg.svd(change.reshape(5, 9), compute_uv=False)
    assert np.linalg.norm(rest) == pytest.approx(np.linalg.norm(values[1:]), rel=1e-4)


def test_a_network_that_did_not_move_has_an_empty_delta(tmp_path):
    known = DeltaBase(PARENT, "G_ema", fingerprint(base().variables))
    same = delta_of(base().config, base().variables, base().variables, known)
    assert write_delta(tmp_path / "same.safetensors", same) > 0 and not same.tensors
    assert gap(loading.load(tmp_path / "same.safetensors"), base()) == 0


def test_the_base_may_have_moved(file, tmp_path):
    moved = tmp_path / "a+b" / "net.pkl"
    moved.parent.mkdir()
    shutil.copy(PARENT, moved)
    path = file(name=str(tmp_path / "gone.pkl"))
    with pytest.raises(CheckpointError, match=r"needs its base .*gone.pkl: .*no such.*: BASE\+"):
        loading.load(path)
    given = f"{moved}+{path}"
    assert gap(loading.load(given)) < 1e-4
    assert loading.label_of(given) == "me" and loading.lasting_name(given) == given
    # Names with + in them are names.
    shutil.copy(PARENT, tmp_path / "x+y.safetensors")
    assert gap(loading.load(tmp_path / "x+y.safetensors"), base()) == 0
    with pytest.raises(CheckpointError, match="no such file"):
        loading.load(f"{moved}+{tmp_path}/none.safetensors")
    whole = tmp_path / "whole.safetensors"
    loading.save(whole, base())
    with pytest.raises(FormatError, match="is no delta, so that nothing can be added to"):
        loading.load(f"{moved}+{whole}")


def test_another_base_is_refused(file, tmp_path):
    path, other = file(), tmp_path / "other"
    loading.save(other, tuned())
    said = r"belongs to .*ok.pkl \(fingerprint \w{12}\), and .*other is another network \(\w{12}\)"
    with pytest.raises(CheckpointError, match=said):
        loading.load(f"{other}+{path}")
    loading.save(tmp_path / "D", loading.load(PARENT, "D"))
    with pytest.raises(CheckpointError, match=r"the network G_ema of its base; .*D has none"):
        loading.load(f"{tmp_path / 'D'}+{path}")
    for key in ("E", "D"):
        with pytest.raises(CheckpointError, match=f"has no network '{key}'; it has G_ema"):
            loading.load(path, key)
    # In sums of networks it is one of them.
    networks = {"a": loading.load(other), "b": loading.load(path), "c": base()}
    assert gap(weights.arithmetic("a + (b - c)", networks)) > 0.01


def test_deltas_of_deltas(file, tmp_path):
    path = file(dtype="float32")
    once = loading.load(path)
    known = DeltaBase(str(path), "G_ema", fingerprint(once.variables))
    back = delta_of(base().config, once.variables, base().variables, known, dtype="float32")
    write_delta(tmp_path / "back.safetensors", back)
    assert gap(loading.load(tmp_path / "back.safetensors"), base()) <= 1e-7
    own = tmp_path / "own.safetensors"
    write_delta(own, Delta(DeltaBase(str(own), "G_ema", "0"), back.tensors))
    with pytest.raises(CheckpointError, match="one may be its own base"):
        loading.load(own)


def test_encoders_of_the_base_are_those_of_the_tuned(file):
    config = EncoderConfig(32, "w", base().config.num_ws, base().config.w_dim)
    known = {"generator": {"network": "base", "sha256": fingerprint(base().variables)}}
    encoder = EncoderNetwork(config, {}, known)
    encoder.check_generator(loading.load(file()))
    with pytest.raises(UserError, match="weights differ"):
        encoder.check_generator(tuned())


def rewritten(path, change=None, header=None, seal=True):
    """The file with other tensors or another header, whose checksums are right again."""
    read = read_delta(path)
    tensors = {**read.tensors} | (change or {})
    tensors = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    document = {
        "format_version": 1,
        "kind": "delta",
        "base": vars(read.base),
        "facts": {},
        "checksum": checksum_of(sorted(tensors.items())),
    } | (header or {})
    document = sealed(document) if seal else document | {"sha256": "0"}
    save_file(tensors, path, {METADATA_KEY: json.dumps(document)})


WEIGHT = "synthesis.b4.conv1.weight"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({WEIGHT: np.zeros((2, 2), np.float16)}, rf"{WEIGHT} has shape \[2, 2\], expected"),
        ({"mapping.fc0.weight": np.zeros((6, 6), np.float16)}, "mapping.fc0.weight .*unexpected"),
        ({"synthesis.b4.conv1.noise_const": np.zeros((4, 4), "f2")}, "noise_const .*unexpected"),
        ({f"{WEIGHT}.up": np.zeros((4, 2), np.float16)}, "up has no counterpart"),
        (
            {f"{WEIGHT}.up": np.zeros((4, 2), "f2"), f"{WEIGHT}.down": np.zeros((3, 7), "f2")},
            "down has shape .*, expected .*up has shape",
        ),
    ],
    ids=["shape", "mapping", "noise", "half a pair", "ranks"],
)
def test_deltas_of_another_shape(change, said, file):
    path = file()
    whole = WEIGHT if f"{WEIGHT}.up" in change else ""
    rewritten(path, {whole: None, **change} if whole else change)
    with pytest.raises(FormatError, match=f"me.safetensors: it does not fit its base: .*{said}"):
        loading.load(path)


def test_a_tensor_is_whole_or_a_product(file):
    path = file()
    up, down = np.zeros((4, 2), np.float16), np.zeros((2, 36), np.float16)
    pair = {f"{WEIGHT}.up": up, f"{WEIGHT}.down": down}
    rewritten(path, pair)
    with pytest.raises(FormatError, match=f"{WEIGHT}.down stands beside {WEIGHT}; .*{WEIGHT}.up"):
        loading.load(path)
    rewritten(path, {WEIGHT: None, **pair})
    assert gap(loading.load(path)) > 1e-3


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"header": {"format_version": 2}}, "delta of format 2, this release reads 1"),
        ({"header": {"base": 3}}, "a delta says its base and its facts"),
        ({"header": {"base": {"network": "x"}}}, "its header is damaged: .*sha256"),
        ({"header": {"checksum": "0"}}, "its tensors are not those that were written"),
        ({"seal": False}, "its header is damaged or was edited"),
        ({"change": {WEIGHT: np.zeros(3, np.int32)}}, f"not floating-point numbers: {WEIGHT}"),
        ({"change": {WEIGHT: np.full(3, np.nan, "f4")}}, f"not finite in {WEIGHT}"),
    ],
    ids=["later", "no base", "half a base", "checksum", "seal", "whole numbers", "nan"],
)
def test_damaged_deltas(more, said, file):
    path = file()
    rewritten(path, **more)
    with pytest.raises(FormatError, match=f"^me.safetensors: .*{said}"):
        loading.load(path)


def test_files_that_are_cut_short(file):
    path = file()
    whole = path.read_bytes()
    for length in (0, 7, 20, 400, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError, match=r"me.safetensors"):
            loading.load(path)


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(ConfigError, match="dtypes are float16 and float32"):
        delta(dtype="int8")
    with pytest.raises(ConfigError, match="a rank is at least 1"):
        delta(rank=0)
    large = Delta(delta().base, {WEIGHT: np.float16([np.inf])})
    with pytest.raises(FormatError, match=f"not finite in {WEIGHT}"):
        write_delta(tmp_path / "x.safetensors", large)
    write_delta(tmp_path / "x.safetensors", delta())
    with pytest.raises(FormatError, match="overwrite=True"):
        write_delta(tmp_path / "x.safetensors", delta())
    with pytest.raises(FormatError, match="the delta of a tuned network and holds no whole one"):
        loading.read_official(tmp_path / "x.safetensors")
