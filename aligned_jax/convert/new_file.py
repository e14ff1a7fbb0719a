"""Files of weights that appear whole or not at all, and hold finite numbers."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from aligned_jax.errors import FormatError
from aligned_jax.utils.atomic import take_name
from aligned_jax.utils.text import listed


def finite(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Raises FormatError naming every tensor with values that are not finite."""
    if bad := [name for name, tensor in tensors.items() if not np.isfinite(tensor).all()]:
        raise FormatError(f"{path} was not written: values that are not finite in {listed(bad)}")


@contextlib.contextmanager
def appearing(path: Path, overwrite: bool) -> Iterator[str]:
    """A file to write beside `path`, which takes its name when the block ends.

    Its folder is made. If the block fails nothing is left behind. Without `overwrite` a file
    that appeared meanwhile stays.

    Raises FormatError when the file cannot be written, for instance because the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FormatError(f"{path} cannot be written: {error.strerror}") from None
    os.close(descriptor)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        take_name(Path(temporary), path, overwrite)
    except FileExistsError:
        raise FormatError(
            f"{path} appeared meanwhile, and was not replaced; choose another name or pass "
            "`overwrite=True`"
        ) from None
    except (OSError, SafetensorError) as error:
        raise FormatError(
            f"{path} cannot be written ({error}); nothing was left behind. Is the disk full?"
        ) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    """The process's mask, which temporary files ignore; there is no way to only read it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
