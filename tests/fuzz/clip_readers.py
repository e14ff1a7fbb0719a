"""Readers of other people's CLIPs: folders of two kinds, OpenAI's archive, and tokenizers."""

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from aligned_jax.features import clip
from aligned_jax.features.clip.tokens import read_tokens
from tests.fuzz import mutations
from tests.fuzz.semantic_readers import Named, safetensors_header, with_header
from tests.helpers import DATA

TINY = DATA / "clip_tiny"
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
_HEADS = (3, 4)
_TEXTS = ["a red hat", "", "Ünïcode 日本 🙂", "x" * 300]


def _changes(name: str, change: st.SearchStrategy[bytes]) -> st.SearchStrategy[Named]:
    return change.map(lambda content: (name, content))


def _weights(file: Path, name: str) -> st.SearchStrategy[Named]:
    """Bytes of a safetensors file, and descriptions of its tensors."""
    header, body = safetensors_header(file.read_bytes())
    header.pop("__metadata__", None)
    described = mutations.texts(header).map(lambda text: with_header(text, body))
    shapes = st.sampled_from(sorted(header)).flatmap(
        lambda tensor: st.sampled_from([[], [0], [1], [0, 4], [2**40, 0], [1] * 40, [24]]).map(
            lambda shape: with_header(_reshaped(header, tensor, shape), body)
        )
    )
    return _changes(name, st.one_of(mutations.files(file.read_bytes()), described, shapes))


def _reshaped(header: dict[str, Any], tensor: str, shape: list[int]) -> bytes:
    """A description of the whole file in which one tensor has another shape, and its own bytes."""
    size = 4
    for side in shape:
        size *= side
    other = copy.deepcopy(header)
    begin = other[tensor]["data_offsets"][0]
    other[tensor] |= {"shape": shape, "data_offsets": [begin, begin + size]}
    return json.dumps(other).encode()


def hugging_face(folder: Path) -> st.SearchStrategy[Named]:
    place = folder / "clip"
    place.mkdir()
    for name in ("config.json", "preprocessor_config.json", "model.safetensors", *_TOKENIZER):
        shutil.copy(TINY / name, place)
    documents = [
        _changes(name, mutations.texts(json.loads((TINY / name).read_text())))
        for name in ("config.json", "config.json", "preprocessor_config.json", _TOKENIZER[1])
    ]
    return st.one_of(*documents, _weights(TINY / "model.safetensors", "model.safetensors"))


def open_clip(folder: Path) -> st.SearchStrategy[Named]:
    place = folder / "clip"
    place.mkdir()
    shutil.copy(TINY / "open_clip_layout.safetensors", place / "open_clip_model.safetensors")
    for name in _TOKENIZER:
        shutil.copy(TINY / name, place)
    document = {
        "model_cfg": {
            "embed_dim": 20,
            "quick_gelu": True,
            "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 8},
            "text_cfg": {"context_length": 77, "vocab_size": 685, "width": 24, "heads": 3},
        },
        "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]},
    }
    (place / "open_clip_config.json").write_text(json.dumps(document))
    return st.one_of(
        _changes("open_clip_config.json", mutations.texts(document)),
        _weights(TINY / "open_clip_layout.safetensors", "open_clip_model.safetensors"),
    )


def archive(folder: Path) -> st.SearchStrategy[Named]:
    place = folder / "clip"
    place.mkdir()
    for name in _TOKENIZER:
        shutil.copy(TINY / name, place)
    return _changes("clip.pt", mutations.files((TINY / "openai_layout.pt").read_bytes()))


def _loaded(source: Path, heads: tuple[int, int] | None) -> None:
    found = clip.load(source, heads=heads)
    assert found.tokenize(_TEXTS, cut=True).shape == (len(_TEXTS), found.config.context)
    assert found.config.image_size >= found.config.patch_size > 0


def reading(file: str = "", heads: tuple[int, int] | None = None) -> Callable[[Path, Named], None]:
    """Reads a folder, or a file in it, one of whose files is another one for the time."""

    def read(folder: Path, content: Named) -> None:
        path = folder / "clip" / content[0]
        original = path.read_bytes() if path.exists() else None
        try:
            path.write_bytes(content[1])
            _loaded(folder / "clip" / file, heads)
        finally:
            if original is not None:
                path.write_bytes(original)

    return read


read_folder, read_archive = reading(), reading("clip.pt", _HEADS)


def tokenizers(_: Path) -> st.SearchStrategy[Named]:
    """Documents in which not nearly all of what is changed is one of the words."""
    document = json.loads((TINY / "tokenizer.json").read_text())
    rest = copy.deepcopy(document)
    vocabulary, merges = (rest["model"].pop(name) for name in ("vocab", "merges"))

    def whole(changed: Any) -> bytes:
        if isinstance(changed, dict) and isinstance(changed.get("model"), dict):
            changed["model"] = {"vocab": vocabulary, "merges": merges} | changed["model"]
        return json.dumps(changed).encode("utf-8", "surrogatepass")

    words = {"<s>": 0, "</s>": 1, "<unk>": 2, "red": 3, "hat": 4}
    by_word = document | {
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "decoder": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "</s>", "type_id": 0}},
            ],
            "pair": [],
            "special_tokens": {
                name: {"id": name, "ids": [words[name]], "tokens": [name]}
                for name in ("<s>", "</s>")
            },
        },
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "<unk>"},
    }
    content = (TINY / "tokenizer.json").read_bytes()
    documents = st.one_of(
        mutations.documents(rest).map(whole),
        mutations.texts(by_word),
        mutations.texts(document),
        mutations.files(content),
    )
    lists = st.one_of(
        _changes("vocab.json", mutations.texts(json.loads((TINY / "vocab.json").read_text()))),
        _changes("vocab.json", mutations.files((TINY / "vocab.json").read_bytes())),
        _changes("merges.txt", mutations.files((TINY / "merges.txt").read_bytes())),
        _changes("merges.txt", mutations.files((TINY / "merges.txt").read_bytes())),
    )
    config = mutations.texts(json.loads((TINY / "tokenizer_config.json").read_text()))
    return st.one_of(
        _changes("tokenizer.json", documents), lists, _changes("tokenizer_config.json", config)
    )


def read_tokenizer(folder: Path, content: Named) -> None:
    """What is changed decides which files there are."""
    name, data = content
    place = folder / "tokens"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    kinds = ("vocab.json", "merges.txt") if name in ("vocab.json", "merges.txt") else _TOKENIZER
    for file in kinds:
        shutil.copy(TINY / file, place)
    (place / name).write_bytes(data)
    found = read_tokens(place)
    assert found.encode(_TEXTS, 77, cut=True).shape == (len(_TEXTS), 77)
    assert found.size > 0 and found.unknown(_TEXTS[0]) is not None
