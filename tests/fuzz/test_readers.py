"""Every reader, fed with what strangers send: a result or one of our errors, in time, in memory.

Pickles and torch files, whose instructions need mutations of their own, are in
`tests/convert/test_fuzz.py`.
"""

import contextlib
import json
import resource
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aligned_jax import checkpoint
from aligned_jax.config import EncoderConfig, GeneratorConfig, SynthesisConfig
from aligned_jax.convert import (
    deduce,
    discriminator_config,
    forks,
    generator_config,
    read_official,
    write_safetensors,
)
from aligned_jax.convert.checks import tensor_problems
from aligned_jax.convert.files.inert import TFNetwork
from aligned_jax.convert.formats import nvidia_tf, tensor_dicts, tf_snapshot
from aligned_jax.convert.formats.own_exports import METADATA_KEY
from aligned_jax.errors import UserError
from aligned_jax.weights import parse_expression
from tests.checkpoint.test_checkpoint import tree
from tests.convert.small_networks import G_KWARGS, Lazy
from tests.convert.test_nvidia_tf import critic_variables, variables
from tests.convert.test_nvidia_tf import network as tf_network
from tests.convert.test_rosinality import discriminator_state, generator_state
from tests.convert.test_safetensors_file import tree as network_tree
from tests.convert.test_tf_snapshot import SIZES
from tests.fuzz import clip_readers, dataset_readers, mutations, semantic_readers

FEW, MANY = 60, 5_000
MAX_SECONDS = 5.0  # of this process, however busy the machine is
MAX_GROWTH = 600e6  # bytes
# Orbax leaves coroutines behind when its files are damaged.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SMALL = GeneratorConfig(8, z_dim=4, w_dim=4, synthesis=SynthesisConfig(32, 4))


@dataclass(frozen=True)
class Reader:
    """How to try one reader.

    Attributes:
      prepare: makes what is tried in an empty folder; returns a strategy of contents.
      read: reads a content, given that folder.
    """

    prepare: Callable[[Path], st.SearchStrategy[Any]]
    read: Callable[[Path, Any], object]


def checkpoint_config(folder: Path) -> st.SearchStrategy[bytes]:
    encoder = EncoderConfig(32, "w", 8, stages=((4, 1), (5, 1), (6, 1), (7, 1)))
    checkpoint.write(folder / "net", {"G_ema": (SMALL, tree()), "E": (encoder, tree())})
    document = json.loads((folder / "net/config.json").read_text())
    open_to_all = {key: value for key, value in document.items() if key != "sha256"}
    return st.one_of(mutations.texts(open_to_all), mutations.texts(document))


def read_checkpoint_config(folder: Path, content: bytes) -> None:
    (folder / "net/config.json").write_bytes(content)
    checkpoint.read_manifest(folder / "net")


def arrays(folder: Path) -> st.SearchStrategy[tuple[str, bytes]]:
    checkpoint.write(folder / "net", {"G_ema": (SMALL, tree())})
    found = {p: p.read_bytes() for p in (folder / "net/G_ema").rglob("*") if p.is_file()}
    return st.sampled_from(sorted(found)).flatmap(
        lambda path: st.tuples(st.just(path), st.just(found[path]), mutations.files(found[path]))
    )


def read_arrays(folder: Path, content: tuple[Path, bytes, bytes]) -> None:
    path, original, changed = content
    try:
        path.write_bytes(changed)
        read = checkpoint.read(folder / "net", "G_ema", expected=tree())
        assert read["params"]["a"]["weight"].tobytes() == tree()["params"]["a"]["weight"].tobytes()
    finally:
        path.write_bytes(original)


def export(folder: Path) -> st.SearchStrategy[bytes]:
    path = folder / "net.safetensors"
    write_safetensors(path, {"G_ema": network_tree(SMALL)}, {"kind": "test"})
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    manifest = json.loads(header["__metadata__"][METADATA_KEY])
    loose = {key: value for key, value in manifest.items() if key not in ("sha256", "checksum")}

    def packed(text: bytes) -> bytes:
        return struct.pack("<Q", len(text)) + text + body

    def described(document: bytes) -> bytes:
        metadata = {METADATA_KEY: document.decode("utf-8", "replace")}
        return packed(json.dumps(header | {"__metadata__": metadata}).encode())

    return st.one_of(
        mutations.files(content),
        mutations.texts(header).map(packed),
        mutations.texts(loose).map(described),
    )


def read_export(folder: Path, content: bytes) -> None:
    (folder / "net.safetensors").write_bytes(content)
    for network in read_official(folder / "net.safetensors").networks.values():
        network.variables()


def expressions(_: Path) -> st.SearchStrategy[str]:
    pieces = [*"ab+-*/() .,#0\n\x00é", "1e99", "1e-99", "0.7", "**", "if", "[0]", "0x10", "1_0"]
    words = st.lists(st.sampled_from(pieces), max_size=40).map("".join)
    return st.one_of(words, st.text(max_size=200), words.map(lambda text: "(" * 500 + text))


def dictionaries(_: Path) -> st.SearchStrategy[dict[str, Any]]:
    """State dicts behind prefixes and in dictionaries, with other things in places of some."""
    generator, critic = (
        {name: Lazy(array) for name, array in state().items()}
        for state in (generator_state, discriminator_state)
    )
    few = {name: generator[name] for name in list(generator)[::3]}
    around = {
        "state_dict": {f"module.{name}": tensor for name, tensor in few.items()},
        "model": {"g_ema": few, "d": {f"netD.{n}": t for n, t in list(critic.items())[::3]}},
        "latent_avg": Lazy(np.zeros(6, np.float32)),
        "args": {"size": 8, "device": "cpu"},
        "aligned_jax": json.dumps({"format_version": 1, "checksum": "", "provenance": {}}),
    }
    one_each = [{key: around[key] for key in around if key not in left} for left in around]
    return st.sampled_from([around, *one_each]).flatmap(mutations.documents)


def read_dictionary(_: Path, content: Any) -> None:
    described = tensor_dicts.read(content) if isinstance(content, dict) else None
    if described is None:
        raise UserError("no reader knows it")


def arguments(_: Path) -> st.SearchStrategy[Any]:
    """Constructor arguments with those of forks among them."""
    forked = G_KWARGS | {
        "square": True,
        "init_res": [4, 4],
        "min_h": 4,
        "min_w": 4,
        "res_log2": 1,
        "resolution_h": 8,
        "resolution_w": 8,
        "aspect_ratio": 1,
        "attention": None,
        "block_kwargs": {"square": True, "more": {}},
    }
    return mutations.documents(forked)


def read_arguments(_: Path, content: Any) -> None:
    if not isinstance(content, dict):
        raise UserError("no arguments")
    for config in (generator_config, discriminator_config):
        with contextlib.suppress(UserError):
            config(content)
    generator_config(content)


def snapshots(_: Path) -> st.SearchStrategy[Any]:
    """Parts of TensorFlow snapshots, whose arguments and variables are other ones."""
    g, d = tf_network(variables(), **SIZES), tf_network(critic_variables())

    def changed(pair: tuple[Any, Any]) -> TFNetwork:
        original, (kwargs, extra) = pair
        return TFNetwork(
            original.state
            | {"static_kwargs": kwargs}
            | ({"variables": [*original.state["variables"], *extra]})
        )

    odd = st.sampled_from(mutations.ODD_VALUES)
    kwargs = mutations.documents(SIZES | {"min_h": 4, "min_w": 4, "res_log2": 1, "fmap_base": 12})
    names = st.sampled_from(("epochs", "8x8/x", "8x4/Conv/x", "4x2/Const/const", "a/b", "\x1b"))
    tensors = st.sampled_from([Lazy(np.ones(s, np.float32)) for s in ((), (1,), (2, 0), (3, 3))])
    extra = st.lists(st.tuples(names, st.one_of(tensors, odd)), max_size=3)
    networks = st.tuples(st.sampled_from((g, d)), st.tuples(kwargs, extra)).map(changed)
    items = st.one_of(networks, networks, st.sampled_from((g, d)), st.none(), odd)
    keys = st.sampled_from(("G", "D", "Gs", "G_ema", "x"))
    return st.one_of(
        networks,
        st.lists(items, max_size=5),
        st.tuples(items, items, items),
        st.dictionaries(keys, items, max_size=4),
    )


def read_snapshot(_: Path, content: Any) -> None:
    if not tf_snapshot.is_snapshot(content):
        raise UserError("no reader knows it")
    for item in nvidia_tf.read(content)[0].values():
        shapes = {name: tuple(tensor.shape) for name, tensor in item.tensors.items()}
        forks.check_shapes(shapes)
        read = deduce.generator if item.is_generator else deduce.discriminator
        tensor_problems(read(shapes, item.kwargs, item.code_base), item.tensors, False)


READERS = {
    "dictionaries of tensors": Reader(dictionaries, read_dictionary),
    "arguments of forks": Reader(arguments, read_arguments),
    "parts of snapshots": Reader(snapshots, read_snapshot),
    "config of a checkpoint": Reader(checkpoint_config, read_checkpoint_config),
    "arrays of a checkpoint": Reader(arrays, read_arrays),
    "export": Reader(export, read_export),
    "picture": Reader(dataset_readers.pictures, dataset_readers.read_picture),
    "zip of pictures": Reader(dataset_readers.zips, dataset_readers.read_zip),
    "description of a dataset": Reader(dataset_readers.descriptions, dataset_readers.read_dataset),
    "reader of attributes": Reader(
        semantic_readers.attribute_readers, semantic_readers.read_attribute_reader
    ),
    "direction": Reader(semantic_readers.directions, semantic_readers.read_direction),
    "vector of others": Reader(semantic_readers.foreign_vectors, semantic_readers.read_direction),
    "table of scores": Reader(semantic_readers.tables, semantic_readers.read_table),
    "curve table": Reader(semantic_readers.curve_tables, semantic_readers.read_curve_table),
    "recipe": Reader(semantic_readers.recipes, semantic_readers.read_a_recipe),
    "labels": Reader(semantic_readers.labels, semantic_readers.read_a_label_file),
    "kept arrays": Reader(semantic_readers.kept_files, semantic_readers.read_kept),
    "CLIP of Hugging Face": Reader(clip_readers.hugging_face, clip_readers.read_folder),
    "CLIP of open_clip": Reader(clip_readers.open_clip, clip_readers.read_folder),
    "archive of OpenAI": Reader(clip_readers.archive, clip_readers.read_archive),
    "tokenizer": Reader(clip_readers.tokenizers, clip_readers.read_tokenizer),
    "arithmetic": Reader(expressions, lambda _, text: parse_expression(text)),
}
# Orbax, and the shapes of a CLIP's parameters, take tens of milliseconds for each.
SLOW_READERS = (
    "arrays of a checkpoint",
    "CLIP of Hugging Face",
    "CLIP of open_clip",
    "archive of OpenAI",
)


def search(name: str, count: int, folder: Path) -> None:
    """Tries so many contents; a failure shows the smallest one that fails."""
    reader = READERS[name]
    strategy = reader.prepare(folder)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused: list[str] = []
    seen = 0

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(content: Any) -> None:
        nonlocal seen
        seen += 1
        start = time.process_time()
        try:
            reader.read(folder, content)
        except UserError as error:
            assert len(str(error)) < 6000
            refused.append(str(error))
        assert time.process_time() - start < MAX_SECONDS

    one()
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024
    assert growth < MAX_GROWTH, f"the memory grew by {growth / 1e6:.0f} MB"
    # If all passed, the contents would not be strange. A few of slow readers may all hit padding.
    assert len(refused) > seen / 20 or name in SLOW_READERS, f"{len(refused)} of {seen} refused"


@pytest.mark.parametrize("name", READERS)
def test_strange_contents(name, tmp_path):
    search(name, FEW // 4 if name in SLOW_READERS else FEW, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_strange_contents(name, tmp_path):
    search(name, MANY // 10 if name in SLOW_READERS else MANY, tmp_path)
