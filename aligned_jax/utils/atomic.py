"""Files and folders that a name holds whole or not at all, on a disk or in a bucket."""

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from aligned_jax.errors import CheckpointError, UserError
from aligned_jax.utils.paths import is_remote, remove_folder, uploading

_LOOKS = 40
_PAUSE = 0.05  # seconds
# What file systems and TensorStore say when a write cannot be completed.
_WRITE_FAILURE = re.compile(r"no space left|file too large|disk quota|permission denied", re.I)


def take_away(folder: Path, first: str) -> None:
    """Removes a folder; its name, or in a bucket its file `first`, goes before all else."""
    if is_remote(folder):
        (folder / first).unlink(missing_ok=True)
        remove_folder(folder)
        return
    hidden = _hidden_sibling(folder)
    folder.rename(hidden)
    remove_folder(hidden)


def take_name(partial: Path, path: Path, overwrite: bool) -> None:
    """Gives a finished file its name.

    Without `overwrite` a file that appeared under that name since anyone looked is never
    replaced: making a second link to a file fails where renaming would not.

    Raises:
      FileExistsError: if the name is taken and may not be.
      OSError: if the disk refuses.
    """
    if overwrite:
        partial.replace(path)
        return
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without such links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "it appeared meanwhile", str(path)) from None
        partial.rename(path)
    else:
        partial.unlink()


@contextlib.contextmanager
def writing_folder(folder: Path, last: str, check: Callable[[], None]) -> Iterator[Path]:
    """A folder to fill, which takes the place of `folder` when the block ends.

    On a disk it is a hidden sibling, renamed on success, removed on failure. In
    a bucket an old one goes first and the file `last` is written last: without
    it the folder does not count.

    Args:
      folder: the new folder.
      last: see above.
      check: raises if what stands under the name may not be replaced; called again at the
        last moment, because others can write while a long block goes on.

    Raises:
      CheckpointError: if the disk or the bucket refuses.
    """
    if is_remote(folder):
        with _uploading_folder(folder, last) as partial:
            yield partial
            check()
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = _hidden_sibling(folder)
        partial.mkdir()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{folder} cannot be written: {reason}") from None
    try:
        yield partial
        check()
        _replace(partial, folder)
    except Exception as error:
        _remove_for_good(partial)
        if isinstance(error, OSError) or _WRITE_FAILURE.search(str(error)):
            reason = (_WRITE_FAILURE.search(str(error)) or [str(error)])[0]
            raise CheckpointError(
                f"{folder} was not written: {reason}; nothing was left behind"
            ) from error
        raise
    except BaseException:
        _remove_for_good(partial)
        raise


def _remove_for_good(folder: Path) -> None:
    """Removes a folder that threads of a write that failed may fill for a moment longer."""
    for _ in range(_LOOKS):
        remove_folder(folder)
        time.sleep(_PAUSE)
        if not os.path.lexists(folder):
            return


@contextlib.contextmanager
def _uploading_folder(folder: Path, last: str) -> Iterator[Path]:
    """A folder on this machine to fill; on success it takes the place of the bucket's."""
    try:
        with uploading(folder, last) as partial:
            yield partial
            take_away(folder, first=last)
    except UserError as error:
        raise CheckpointError(f"{error}; without its {last} it is no checkpoint") from error


def _replace(partial: Path, folder: Path) -> None:
    """Renames `partial` to `folder`; what was there goes only after that."""
    if not os.path.lexists(folder):
        partial.rename(folder)
        return
    old = _hidden_sibling(folder)
    folder.rename(old)
    try:
        partial.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    remove_folder(old)


def _hidden_sibling(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
