"""Writes TFDS array_record datasets in parallel, without TensorFlow, and goes on if stopped.

Every shard is made by one worker from a range of items, first under a hidden
name, so that what bears a shard's name is whole. An interrupted run leaves its
shards in a hidden folder beside the target; the same command takes them over.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from aligned_jax.data.description import DESCRIBING, METADATA, NAMES
from aligned_jax.data.shards import (
    Report,
    Shard,
    Source,
    merged,
    note_of,
    start_worker,
    work,
    write_shard,
    write_text,
)
from aligned_jax.errors import FormatError, UserError
from aligned_jax.provenance import versions
from aligned_jax.utils.paths import is_utf8
from aligned_jax.utils.reading import open_lock, read_json
from aligned_jax.utils.text import counted, listed

ITEMS_PER_SHARD = 500
_PLAN, _LOCK = "plan.json", ".lock"


@dataclass(frozen=True)
class Written:
    """What became of a dataset.

    Attributes:
      counts: images by split.
      bad: a line for each damaged item left out.
      reused: finished files of an earlier call that were taken over.
      told: lines on what an import decided: about labels, files passed over, pictures cropped.
    """

    counts: dict[str, int]
    bad: list[str]
    reused: int
    told: tuple[str, ...] = ()


def write_dataset(
    source: Source,
    out: str | os.PathLike,
    command: str = "",
    workers: int | None = None,
    skip_bad: bool = False,
    advance: Callable[[int], None] = lambda count: None,
) -> Written:
    """Writes a dataset; the folder takes its name when it is complete.

    The records are the same for any number of workers and interruptions.

    Args:
      source: an `AvatarSource` or `ImageSource`.
      out: a folder that does not exist, or is empty.
      command: recorded with the data.
      workers: processes; all cores by default, 1 works in this process.
      skip_bad: leaves damaged items out instead of refusing.
      advance: called with the number of items done.

    Raises:
      UserError: a target that is taken, a source that cannot be read, damaged
        items (all of them named), or a disk that refuses.
    """
    if "://" in os.fspath(out):
        raise UserError(f"{out}: datasets are written to local folders; copy it there afterwards")
    out = Path(out).absolute()
    _check_free(out)
    source.check()
    partial = out.with_name(f".{out.name}.partial")
    shards = _shards(source.splits())
    try:
        with _alone(partial):
            _take_over(partial, source)
            done = _done(partial, source, shards, skip_bad)
            reused = len(done)
            reports = _write_shards(source, partial, shards, done, workers, advance)
            bad = [line for report in reports for line in report["bad"]]
            if bad and not skip_bad:
                raise UserError(_bad_items(bad))
            if any(not _total(reports, shards, split) for split in source.splits()):
                raise UserError(f"nothing would be left of a split: {_bad_items(bad)}")
            counts = _finish(source, partial, shards, reports, command)
            if out.exists():
                out.rmdir()
            partial.rename(out)
    except BrokenProcessPool:
        raise UserError(
            f"{out} was not written: a worker was ended from outside, perhaps for want of memory; "
            "the same command goes on from where it stopped, and `workers=1` needs less"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{out} was not written: {reason}; the same command goes on from where it stopped"
        ) from error
    parts: list[Mapping[str, tuple[int, float]]] = [one.get("seen", {}) for one in reports]
    seen = functools.reduce(merged, parts)
    return Written(counts, bad, reused, source.conclusions(sum(counts.values()), seen))


def _check_free(out: Path) -> None:
    if not is_utf8(out):
        raise UserError(f"{out}: the name is not UTF-8; choose another one")
    try:
        free = not os.path.lexists(out) or (os.path.isdir(out) and not os.listdir(out))
    except OSError as error:
        raise UserError(f"{out} cannot be read: {error.strerror}") from None
    if not free:
        raise UserError(f"{out} exists already; choose another name or delete it")


def _shards(splits: dict[str, int]) -> list[Shard]:
    shards = []
    for split, count in splits.items():
        of = math.ceil(count / ITEMS_PER_SHARD)
        bounds = [count * k // of for k in range(of + 1)]
        shards += [Shard(split, k, of, bounds[k], bounds[k + 1]) for k in range(of)]
    return shards


@contextlib.contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """Keeps other processes from the hidden folder; a process that dies leaves no lock."""
    partial.mkdir(parents=True, exist_ok=True)
    with open_lock(partial / _LOCK) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another process is writing the same dataset in {partial}; wait for it or stop it"
            ) from None
        yield


def _take_over(partial: Path, source: Source) -> None:
    """Makes or empties the hidden folder unless it belongs to the same work."""
    # Through JSON, so that tuples compare equal to the lists they become.
    plan = json.loads(json.dumps({"source": source.identity(), "items": ITEMS_PER_SHARD}))
    with contextlib.suppress(OSError, FormatError):
        if read_json(partial / _PLAN) == plan:
            return
    for entry in partial.iterdir():
        if entry.name != _LOCK:
            entry.unlink()
    write_text(partial / _PLAN, json.dumps(plan))


def _done(
    partial: Path, source: Source, shards: list[Shard], skip_bad: bool
) -> dict[Shard, Report]:
    """Finished shards with their notes; those with damaged items are tried again."""
    notes = {shard: note_of(partial, source, shard) for shard in shards}
    return {shard: note for shard, note in notes.items() if note and (skip_bad or not note["bad"])}


def _write_shards(
    source: Source,
    partial: Path,
    shards: list[Shard],
    done: dict[Shard, Report],
    workers: int | None,
    advance: Callable[[int], None],
) -> list[Report]:
    """Makes what is not done yet; returns the notes of all shards, in their order."""
    reports = dict(done)
    missing = [shard for shard in shards if shard not in done]
    advance(sum(shard.stop - shard.start for shard in done))
    workers = min(workers or os.cpu_count() or 1, len(missing))
    if workers <= 1:
        for shard in missing:
            reports[shard] = write_shard(source, partial, shard)
            advance(shard.stop - shard.start)
        return [reports[shard] for shard in shards]
    # Fresh processes: a fork of one that runs JAX can hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), start_worker, (source,))
    try:
        running = {pool.submit(work, partial, shard): shard for shard in missing}
        for future in as_completed(running):
            shard = running[future]
            reports[shard] = future.result()
            advance(shard.stop - shard.start)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [reports[shard] for shard in shards]


def _finish(
    source: Source,
    partial: Path,
    shards: list[Shard],
    reports: list[Report],
    command: str,
) -> dict[str, int]:
    """Adds the description that TFDS reads, and removes the notes."""
    import tensorflow_datasets as tfds

    template = tfds.core.ShardedFileTemplate(
        data_dir=partial, dataset_name=source.name, filetype_suffix="array_record"
    )
    splits, counts = [], {}
    for split in source.splits():
        mine = [r for s, r in zip(shards, reports, strict=True) if s.split == split]
        counts[split] = _total(reports, shards, split)
        splits.append(
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=[report["count"] for report in mine],
                num_bytes=sum(report["bytes"] for report in mine),
                filename_template=template.replace(split=split),
            )
        )
    (partial / "LICENSE").write_text(source.licence(), "utf-8")
    identity = tfds.core.dataset_info.DatasetIdentity(
        name=source.name,
        version=tfds.core.Version("1.0.0"),
        data_dir=os.fspath(partial),
        module_name="",
    )
    info = tfds.core.DatasetInfo(
        builder=identity,
        description=source.description(),
        features=tfds.features.FeaturesDict(source.features()),
        license=source.licence(),
        metadata=tfds.core.MetadataDict(
            command=command,
            source=source.identity(),
            files=_files(source, shards, reports),
            versions=versions(),
        ),
    )
    info.set_file_format("array_record")
    info.set_splits(tfds.core.splits.SplitDict(splits))
    info.write_to_directory(os.fspath(partial))
    _seal(partial)
    for shard in shards:
        (partial / f"{shard.file(source.name)}.json").unlink()
    (partial / _PLAN).unlink()
    for hidden in partial.glob(".*"):  # the lock, and what killed workers left
        hidden.unlink()
    return counts


def _seal(partial: Path) -> None:
    """Records the SHA-256 of what describes the shards, and of the record itself."""
    from aligned_jax.utils import checksums  # which needs JAX: workers do not

    file = partial / METADATA
    described = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(partial.iterdir())
        if path.name in DESCRIBING or path.name.endswith(NAMES)
    }
    metadata = {**json.loads(file.read_text("utf-8")), "described": described}
    write_text(file, json.dumps(checksums.sealed(metadata)))


def _files(source: Source, shards: list[Shard], reports: list[Report]) -> dict[str, dict[str, Any]]:
    return {
        shard.file(source.name): {"bytes": report["bytes"], "sha256": report["sha256"]}
        for shard, report in zip(shards, reports, strict=True)
    }


def _total(reports: list[Report], shards: list[Shard], split: str) -> int:
    return sum(r["count"] for s, r in zip(shards, reports, strict=True) if s.split == split)


def _bad_items(bad: list[str]) -> str:
    files, lines = counted(len(bad), "file"), listed(bad, most=100, separator="\n  ")
    return (
        f"{files} cannot be used; mend them, or leave them out with `skip_bad=True`, which takes "
        f"over what is done already:\n  {lines}"
    )
