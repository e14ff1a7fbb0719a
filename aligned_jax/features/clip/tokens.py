"""Texts to tokens, by the `tokenizers` package."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.reading import parse_json, read_bytes
from aligned_jax.utils.text import listed, said

FILES = ("tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json")
_START, _END = "<|startoftext|>", "<|endoftext|>"
# Of OpenAI's tokenizer: words, endings such as 's, single digits, runs of signs.
_PIECES = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)
_LARGEST = 64 << 20  # bytes
# The package goes through all numbers up to the highest one; no vocabulary comes near.
_HIGHEST = 1 << 22


class TextTokens:
    """Tokens of texts.

    Blanks are folded and letters made small. OpenAI's program also mends broken characters and
    HTML; texts that need neither get the same tokens.

    Attributes:
      end: number of the token that ends every text.
      pad: number of the token that follows the end; None if the files do not say.
      size: how many tokens there are.
      text: all that decides what tokens a text gets, as JSON.
    """

    def __init__(self, tokenizer: Any, pad: str | None = None) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        around = _unbroken(tokenizer.encode, "").ids
        if len(around) != 2:
            raise FormatError(
                f"the tokenizer puts {len(around)} tokens around a text; CLIP needs a start and an "
                "end"
            )
        word, highest = max(tokenizer.get_vocab().items(), key=lambda one: one[1])
        if highest > _HIGHEST:
            raise FormatError(f"the token {word!r:.40} has the number {highest}; there are fewer")
        self._tokenizer = tokenizer
        self.text: str = _unbroken(tokenizer.to_str)
        self.start, self.end = around
        self.size: int = tokenizer.get_vocab_size(with_added_tokens=True)
        self.pad: int | None = None if pad is None else _unbroken(tokenizer.token_to_id, pad)
        model = parse_json(self.text, "tokenizer.json")["model"]
        # Others spell what they do not know; only a list of whole words has none for some.
        by_word = model.get("type") == "WordLevel"
        self._stranger = tokenizer.token_to_id(model["unk_token"]) if by_word else None
        inner = {*around, self._stranger}
        self._words = [word for word, i in tokenizer.get_vocab().items() if i not in inner]

    def __eq__(self, other: object) -> bool:
        """Equal ones give equal tokens: what was compiled with one serves the other."""
        return isinstance(other, TextTokens) and (self.text, self.pad) == (other.text, other.pad)

    def __hash__(self) -> int:
        return hash((self.text, self.pad))

    @property
    def words(self) -> tuple[str, ...] | None:
        """All words it knows, sorted, if it knows whole words only; else None."""
        return None if self._stranger is None else tuple(sorted(self._words))

    def unknown(self, text: str) -> list[str]:
        """Words of a text that have no tokens; each once."""
        if self._stranger is None:
            return []
        encoding = _unbroken(self._tokenizer.encode, text)
        spans = zip(encoding.ids, encoding.offsets, strict=True)
        return list(dict.fromkeys(text[a:b] for i, (a, b) in spans if i == self._stranger))

    def encode(self, texts: Sequence[str], context: int, cut: bool = False) -> np.ndarray:
        """int32 [N, context]: start, tokens, end, and `pad` (or 0) until the end.

        Args:
          texts: of any length, "" among them.
          context: the most tokens of a text, start and end among them.
          cut: leave out what is too much of a text; its end stays.

        Raises:
          UserError: for words that have no tokens, for texts that are too long unless `cut`, or
            that hold the token of the end; naming all.
        """
        if isinstance(texts, str):
            raise UserError(f"texts are a list; give [{texts!r}]")
        rows = [one.ids for one in _unbroken(self._tokenizer.encode_batch, list(texts))]
        wrong = [self._problem(*pair, context, cut) for pair in zip(texts, rows, strict=True)]
        if any(wrong):
            raise UserError(listed([text for text in wrong if text], separator="; "))
        tokens = np.full((len(rows), context), self.pad or 0, np.int32)
        for row, ids in zip(tokens, rows, strict=True):
            ids = ids if len(ids) <= context else [*ids[: context - 1], self.end]
            row[: len(ids)] = ids
        return tokens

    def _problem(self, text: str, ids: list[int], context: int, cut: bool) -> str:
        shown = text if len(text) <= 60 else f"{text[:60]}..."
        if unknown := self.unknown(text):
            known = listed(self.words or (), most=200)
            return f"the words {listed(unknown)} of {shown!r} are not known; these are: {known}"
        if len(ids) > context and not cut:
            return f"{shown!r} has {len(ids)} tokens; {context} is the most: make it shorter"
        if ids[1:-1].count(self.end) or ids[1:-1].count(self.start):
            return f"{shown!r} holds the token that starts or ends texts; leave it out"
        return ""


def read_tokens(place: str | os.PathLike[str]) -> TextTokens:
    """The tokenizer of a folder, or of a file tokenizer.json.

    Args:
      place: the file, or a folder with it, or with vocab.json and merges.txt; what
        tokenizer_config.json beside it says of padding is heeded.

    Raises:
      UserError: if the package is not installed, or there are no such files.
      FormatError: if they cannot be read.
    """
    try:
        import tokenizers
    except ImportError as error:
        raise UserError(
            "texts need the package tokenizers: pip install 'aligned_jax[semantics]'"
        ) from error
    path = Path(place)
    folder = path if path.is_dir() else path.parent
    file = folder / "tokenizer.json" if path.is_dir() else path
    if file.is_file():
        content = read_bytes(file, _LARGEST)
        try:
            _check_template(parse_json(content, file.name).get("post_processor"))
            tokenizer = _unbroken(tokenizers.Tokenizer.from_buffer, content)
        except Exception as error:  # the package raises nothing more specific
            raise FormatError(f"{file} is no tokenizer that can be read: {said(error)}") from None
    elif (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        tokenizer = _from_merges(folder)
    else:
        raise UserError(
            f"{folder} has no tokenizer.json, nor vocab.json and merges.txt; name the folder that "
            "has (`tokenizer`)"
        )
    return TextTokens(tokenizer, _padding(folder))


def _padding(folder: Path) -> str | None:
    """What a folder says of the token for padding."""
    if not (folder / "tokenizer_config.json").is_file():
        return None
    file = folder / "tokenizer_config.json"
    token = parse_json(read_bytes(file, _LARGEST), str(file)).get("pad_token")
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else None


def _check_template(processor: Any) -> None:
    """Refuses a template with tokens that it does not define.

    The package would accept it, and write a trace of its own to the terminal at the first text.
    """
    if not isinstance(processor, dict):
        return
    known = processor.get("special_tokens")
    for part in ("single", "pair"):
        pieces = processor.get(part)
        for piece in pieces if isinstance(pieces, list) else ():
            token = piece.get("SpecialToken") if isinstance(piece, dict) else None
            name = token.get("id") if isinstance(token, dict) else None
            if isinstance(name, str) and not (isinstance(known, dict) and name in known):
                raise FormatError(f"its template names a token {name!r} that it does not define")
    processors = processor.get("processors")
    for one in processors if isinstance(processors, list) else ():
        _check_template(one)


def _unbroken(function: Callable[..., Any], *given: Any) -> Any:
    """What a function of the package returns.

    It accepts files that it stumbles over later, with what is not even an `Exception`.

    Raises:
      FormatError: if it stumbles.
    """
    try:
        return function(*given)
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise FormatError(f"the tokenizer contradicts itself ({said(error)})") from None


def _from_merges(folder: Path) -> Any:
    """OpenAI's byte-pair encoding of a vocabulary and a list of merges."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    try:
        vocabulary = parse_json(read_bytes(folder / "vocab.json", _LARGEST), "vocab.json")
        lines = read_bytes(folder / "merges.txt", _LARGEST).decode().splitlines()
        lines = [line for line in lines if line and not line.startswith("#version")]
        pairs = [(first, second) for first, second in map(str.split, lines)]
        tokenizer = Tokenizer(
            models.BPE(vocabulary, pairs, unk_token=_END, end_of_word_suffix="</w>")
        )
    except Exception as error:  # the package raises nothing more specific
        raise FormatError(f"{folder}: vocab.json and merges.txt do not fit: {error}") from None
    if missing := [token for token in (_START, _END) if token not in vocabulary]:
        raise FormatError(f"{folder / 'vocab.json'} lacks {listed(missing)}")
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}",
        special_tokens=[(_START, vocabulary[_START]), (_END, vocabulary[_END])],
    )
    tokenizer.add_special_tokens([_START, _END])
    return tokenizer
