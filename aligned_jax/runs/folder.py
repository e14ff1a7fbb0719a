"""A run's folder: its config, its statistics, and the lock that makes it one process's own.

RUN/config.json             what decides the run, and how it began
RUN/stats.jsonl             one line for every tick
RUN/reals.png, init.png, fakes-kimg-000004.png, strip.png
RUN/checkpoints/kimg-000004, best
RUN/interrupted             the state of a run that was stopped between ticks; of one that was
                            stopped again it may be RUN/interrupted-again

The folder may lie in a bucket (gs://), which knows no locks: there, that two
processes do not train one run is up to the user.
"""

import contextlib
import errno
import fcntl
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from aligned_jax import checkpoint, hub, viz
from aligned_jax.errors import CheckpointError, ConfigError, FormatError, UserError
from aligned_jax.runs.config import RunConfig, TrainConfig, differences
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.records import shallow, statistics
from aligned_jax.utils import paths
from aligned_jax.utils.reading import open_lock, open_regular, read_bytes, read_json
from aligned_jax.utils.text import listed

FORMAT_VERSION = 1
_KINDS = {cls.kind: cls for cls in (TrainConfig, EncoderRun)}
_LISTED = 12
_LONGEST_STATS = 1 << 30  # bytes


class RunFolder:
    """Paths of a run, and what is read from and written to them."""

    def __init__(self, path: str | os.PathLike) -> None:
        hub.check_source(path)
        if hub.is_hub(path):
            raise UserError(f"{path}: a run is a folder; the Hugging Face Hub has networks alone")
        self.path = paths.as_path(path)
        self.config_file = self.path / "config.json"
        self.stats_file = self.path / "stats.jsonl"
        # Two names, so that a new state never takes the place of the only one.
        self.interrupted = (self.path / "interrupted", self.path / "interrupted-again")
        self.best = self.path / "checkpoints" / "best"

    def exists(self) -> bool:
        """Whether a run has begun here."""
        return paths.is_file(self.config_file)

    def fakes(self, kimg: int) -> Path:
        """The picture of the fixed latents at `kimg`; that of 0 has another name."""
        return self.path / (f"fakes-kimg-{kimg:06d}.png" if kimg else "init.png")

    def checkpoint(self, kimg: int) -> Path:
        """Where the checkpoint at `kimg` is kept."""
        return checkpoint.run_checkpoint(self.path, kimg)

    def kimg_of(self, folder: Path | None, images: int) -> int:
        """The mark that a checkpoint of this run stands for, or the last one before it."""
        kimgs = checkpoint.run_checkpoints(self.path).items()
        return next((kimg for kimg, path in kimgs if path == folder), images // 1000)

    def read_config(self) -> RunConfig:
        """The config of the run.

        Raises:
          CheckpointError: if the folder is no run or its config is damaged.
        """
        return self._read()[0]

    def read_origin(self) -> dict[str, Any]:
        """How the run began: command, versions, parent."""
        return self._read()[1]

    def _read(self) -> tuple[RunConfig, dict[str, Any]]:
        if not paths.is_dir(self.path):
            raise CheckpointError(f"{self.path}: no such folder")
        if not paths.is_file(self.config_file):
            raise CheckpointError(
                f"{self.path} is not a run folder: it has no config.json (`aligned pretrain`, "
                "`aligned finetune` and `aligned encoder` make run folders)"
            )
        try:
            record = shallow(read_json(self.config_file), str(self.config_file))
        except OSError as error:
            raise CheckpointError(f"{self.config_file} cannot be read: {error.strerror}") from None
        except FormatError as error:
            raise CheckpointError(str(error)) from None
        kind = record.get("kind")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise CheckpointError(f"{self.path} is not a run folder: its config.json is another's")
        version, origin = record.get("format_version"), record.get("origin") or {}
        if version != FORMAT_VERSION:
            raise CheckpointError(
                f"{self.path} has run format {version!r:.80}; this release reads {FORMAT_VERSION}"
            )
        try:
            if not isinstance(origin, dict):
                raise ConfigError("its origin is no object")
            return _KINDS[kind].from_json(record.get("config")), origin
        except (ConfigError, TypeError) as error:
            raise CheckpointError(f"{self.config_file} is damaged: {error}") from None

    def write_config(self, config: RunConfig, origin: dict[str, Any]) -> None:
        """Writes `config.json`."""
        record = {
            "format_version": FORMAT_VERSION,
            "kind": config.kind,
            "config": config.to_json(),
            "origin": origin,
        }
        with viz.writing(self.config_file, overwrite=True) as file:
            file.write((json.dumps(record, indent=2) + "\n").encode())

    def check_same(self, config: RunConfig) -> None:
        """Raises UserError listing the differences if the run that is here is another one."""
        if lines := differences(self.read_config(), config):
            indent = "\n  "
            raise UserError(
                f"{self.path} holds another run:{indent}{listed(lines, _LISTED, indent)}"
                "\nchoose another `run` folder, or go on with that run by `aligned resume "
                f"{self.path}`"
            )

    def check_empty(self) -> None:
        """Raises UserError if the folder holds anything but a run."""
        if not paths.is_utf8(self.path):
            raise UserError(f"{self.path}: the name is not UTF-8; choose another `run` folder")
        if not paths.exists(self.path):
            return
        if not paths.is_dir(self.path):
            raise UserError(f"{self.path} is a file; give the name of a folder")
        names = sorted(p.name for p in self.path.iterdir() if p.name != _LOCK)
        if names and not self.exists():
            raise UserError(
                f"{self.path} is not empty, and no run folder: it holds {listed(names)}; "
                "choose another `run` folder"
            )

    def write_stats(self, line: dict[str, Any]) -> None:
        """Adds one line to the statistics; UserError if the disk refuses."""
        text = json.dumps(line, allow_nan=False) + "\n"
        if paths.is_remote(self.path):  # where nothing can be added to a file
            before = self.stats_file.read_bytes() if self.stats_file.exists() else b""
            paths.put(self.stats_file, before + text.encode())
            return
        try:
            with self.stats_file.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise UserError(f"{self.stats_file} was not written: {error.strerror}") from None

    def read_stats(self) -> list[dict[str, Any]]:
        """Lines of the statistics; one that was cut off at the end is left out.

        Raises:
          CheckpointError: naming the lines that are damaged.
        """
        if not self.stats_file.exists():
            return []
        try:
            content = read_bytes(self.stats_file, _LONGEST_STATS)
        except OSError as error:
            raise CheckpointError(f"{self.stats_file} cannot be read: {error.strerror}") from None
        except FormatError as error:
            raise CheckpointError(str(error)) from None
        return statistics(content, str(self.stats_file))

    def forget_after(self, step: int, kimg: int) -> None:
        """Takes away what was written after a state that the run goes back to.

        The run comes to the same again: it is a function of its config.
        """
        kept = [line for line in self.read_stats() if line["step"] <= step]
        with viz.writing(self.stats_file, overwrite=True) as file:
            file.write("".join(json.dumps(line) + "\n" for line in kept).encode())
        for folder in self.interrupted:
            if checkpoint.is_checkpoint(folder) and step_of(folder) > step:
                checkpoint.remove(folder)
        for later, folder in checkpoint.run_checkpoints(self.path).items():
            if later > kimg:
                checkpoint.remove(folder)
                self.fakes(later).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Removes what a killed process left half-written, and nothing that is not a run's own."""
        if paths.is_remote(self.path):
            for folder in (*self.path.glob("checkpoints/*"), *self.interrupted):
                if _OWN.fullmatch(folder.name) and not checkpoint.is_checkpoint(folder):
                    paths.remove_folder(folder)
            return
        for folder in (self.path, self.path / "checkpoints"):
            for entry in folder.glob(".*"):
                name, _, token = entry.name[1:].rpartition(".")
                if not (_OWN.fullmatch(name) and _TOKEN.fullmatch(token)):
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)


_LOCK = ".lock"
# Names of a run's files and folders; one that is being written is hidden and bears a token.
_OWN = re.compile(
    r"config\.json|stats\.jsonl|diagnosis\.txt|(reals|init|strip|fakes-kimg-\d+)\.png"
    r"|kimg-\d+|best|interrupted(-again)?"
)
_TOKEN = re.compile("[0-9a-f]{8}")


def step_of(folder: Path) -> float:
    """Iterations before a state; infinitely many for one that does not tell."""
    try:
        return float(checkpoint.read_manifest(folder).provenance["step"])
    except (CheckpointError, KeyError, TypeError, ValueError):
        return float("inf")


@contextlib.contextmanager
def locked(run: RunFolder, mine: bool = True) -> Iterator[None]:
    """Makes the folder, and keeps other processes out of it until the block ends.

    The lock belongs to the process, so that one that was killed leaves none. With
    `mine` False (a host that writes nothing), or in a bucket, nothing happens.

    Raises:
      UserError: if another process is at work there, or the folder cannot be made.
    """
    if not mine or paths.is_remote(run.path):
        yield
        return
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        file = open_lock(run.path / _LOCK)
    except OSError as error:
        raise UserError(f"{run.path} cannot be used: {error.strerror}") from None
    with file:
        _take(file, fcntl.LOCK_EX, run)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextlib.contextmanager
def unlocked(run: RunFolder, mine: bool = True) -> Iterator[None]:
    """Raises what `locked` would raise; makes, writes and locks nothing."""
    if mine and not paths.is_remote(run.path):
        lock = run.path / _LOCK
        place = next(path for path in (lock, *lock.absolute().parents) if os.path.lexists(path))
        if place != lock and not place.is_dir():
            reason = errno.ENOTDIR
        elif os.statvfs(place).f_flag & os.ST_RDONLY:
            reason = errno.EROFS
        else:
            reason = 0 if os.access(place, os.W_OK) else errno.EACCES
        if reason:
            raise UserError(f"{run.path} cannot be used: {os.strerror(reason)}")
        if place == lock:
            with io.TextIOWrapper(open_regular(lock), "utf-8", "replace") as file:
                _take(file, fcntl.LOCK_SH, run)  # until the file is closed again
    yield


def _take(file: IO[str], kind: int, run: RunFolder) -> None:
    """Locks the open file of a run; UserError naming the process that holds it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        who = file.read().strip()
        by = f" (process {who})" if who.isdigit() else ""
        raise UserError(
            f"{run.path} is in use by another process{by}; wait for it, or stop it with "
            "Ctrl-C or SIGTERM, which saves its state"
        ) from None
    except OSError:
        # A file system without locks: better to train than to refuse.
        pass
