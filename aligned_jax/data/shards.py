"""One file of a dataset that is written: a range of items, made by one worker."""

import contextlib
import errno
import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aligned_jax.errors import FormatError
from aligned_jax.utils.reading import read_json

# An example, perhaps with numbers that conclusions are drawn from; or why there is none.
Example = dict[str, Any] | tuple[dict[str, Any], dict[str, float]] | str
Report = dict[str, Any]


class Source(Protocol):
    """What can be written; it travels to other processes by pickle."""

    name: str

    def check(self) -> None: ...
    def identity(self) -> dict[str, Any]: ...
    def splits(self) -> dict[str, int]: ...
    def features(self) -> dict[str, Any]: ...
    def examples(self, split: str, start: int, stop: int) -> Iterator[Example]: ...
    def conclusions(self, count: int, seen: Mapping[str, tuple[int, float]]) -> tuple[str, ...]: ...
    def licence(self) -> str: ...
    def description(self) -> str: ...


@dataclass(frozen=True)
class Shard:
    """A range of items of a split, and the file they go to."""

    split: str
    number: int
    of: int
    start: int
    stop: int

    def file(self, name: str) -> str:
        return f"{name}-{self.split}.array_record-{self.number:05d}-of-{self.of:05d}"


def note_of(partial: Path, source: Source, shard: Shard) -> Report | None:
    """What a shard holds, if it is whole."""
    file = partial / shard.file(source.name)
    note = file.with_name(f"{file.name}.json")
    with contextlib.suppress(OSError, FormatError):
        report = read_json(note)
        kinds = {"count": int, "bytes": int, "sha256": str, "bad": list, "seen": dict}
        whole = all(type(report.get(name)) is kind for name, kind in kinds.items())
        if whole and file.stat().st_size == report["bytes"]:
            return report
    return None


_source: Source  # of a worker process, which gets it once


def start_worker(source: Source) -> None:
    """Ctrl-C reaches all processes; workers finish their shard and are told to end."""
    global _source
    _source = source
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def work(partial: Path, shard: Shard) -> Report:
    """`write_shard` of the worker's source."""
    return write_shard(_source, partial, shard)


def write_shard(source: Source, partial: Path, shard: Shard) -> Report:
    """Makes one file and the note that says it is whole; runs in a worker."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.example_serializer import ExampleSerializer

    features = tfds.features.FeaturesDict(source.features())
    serializer = ExampleSerializer(features.get_serialized_info())
    file = partial / shard.file(source.name)
    count, bad = 0, []
    seen: dict[str, tuple[int, float]] = {}
    with _record_file(file) as write:
        for example in source.examples(shard.split, shard.start, shard.stop):
            if isinstance(example, str):
                bad.append(example)
                continue
            values, facts = example if isinstance(example, tuple) else (example, {})
            record = serializer.get_tf_example(features.encode_example(values))
            # Else the order of features would change from process to process.
            write(record.SerializeToString(deterministic=True))
            count += 1
            seen = merged(seen, {name: (int(v > 0), v) for name, v in facts.items()})
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    report = {"count": count, "bytes": len(data), "sha256": digest, "bad": bad, "seen": seen}
    write_text(file.with_name(f"{file.name}.json"), json.dumps(report))
    return report


def merged(
    first: Mapping[str, tuple[int, float]], second: Mapping[str, tuple[int, float]]
) -> dict[str, tuple[int, float]]:
    """By name, in how many examples something was seen, and the most of it, of two parts."""
    both = {}
    for name in {**first, **second}:
        one, other = first.get(name, (0, 0.0)), second.get(name, (0, 0.0))
        both[name] = (one[0] + other[0], max(one[1], other[1]))
    return both


@contextlib.contextmanager
def _record_file(file: Path) -> Iterator[Callable[[bytes], None]]:
    """Writes an array record, which takes its name when it is whole.

    Raises:
      OSError: where the disk refuses, for which the writer raises RuntimeError.
    """
    from array_record.python.array_record_module import ArrayRecordWriter

    # A worker that outlives a killed parent must not meet the one that replaces it.
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")

    def told(work: Callable[[], object]) -> None:
        try:
            work()
        except RuntimeError as error:
            raise OSError(_refusal(str(error))) from error

    try:
        writer = ArrayRecordWriter(os.fspath(unfinished), "group_size:1")
        try:
            yield lambda record: told(lambda: writer.write(record))
        except BaseException:
            with contextlib.suppress(RuntimeError):
                writer.close()
            raise
        told(writer.close)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)  # A full disk has room again for what goes on.


def _refusal(text: str) -> str:
    """What the system said, which stands amidst others' words: "write() failed: No space ..."."""
    known = (os.strerror(number) for number in errno.errorcode)
    return next((words for words in known if words in text), " ".join(text.split())[:120])


def write_text(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)
