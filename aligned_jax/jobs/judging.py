"""Whatever tells scores of pictures: functions of the user, and tables of scores by seed."""

import csv
import importlib
import importlib.util
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.convert.files.arrays import DAMAGE
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils import reading
from aligned_jax.utils.text import counted, listed

_SEED = "seed"
_LARGEST = 1 << 28  # bytes of a table
_KINDS = (
    "scores by seed (.csv with a column seed, .npz with an array seed), FILE.py:FUNCTION or "
    "MODULE:FUNCTION"
)
# Images float32 [N, H, W, C] in [-1, 1] to scores [N] by name.
Judge = Callable[[np.ndarray], Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class NamedJudge:
    """A judge: images float32 [N, H, W, C] in [-1, 1] to named scores, float32 [N] each.

    Attributes:
      name: how it was given.
      judge: what it calls.
      names: of its scores; None if only a call shows them.
    """

    name: str
    judge: Judge
    names: tuple[str, ...] | None = None

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Scores of pictures.

        Raises:
          UserError: if what it calls returns anything but N finite numbers by name.
        """
        told = self.judge(images)
        if not isinstance(told, Mapping) or not told:
            raise UserError(
                f"{self.name} returns {type(told).__name__}; a judge returns a "
                "dictionary of numbers by name"
            )
        scores = {str(key): np.asarray(value) for key, value in told.items()}
        wrong = [
            f"{key} ({value.dtype} {list(value.shape)})"
            for key, value in scores.items()
            if value.shape != (len(images),)
            or not np.issubdtype(value.dtype, np.number)
            or not np.isfinite(value).all()
        ]
        if wrong:
            raise UserError(
                f"{self.name} returns {listed(wrong)} of {counted(len(images), 'picture')}; a "
                "judge returns one finite number of each"
            )
        return {key: value.astype(np.float32) for key, value in scores.items()}


@dataclass(frozen=True, eq=False)
class SeedScores:
    """Scores that are known by seed: no picture need be drawn.

    Attributes:
      seeds: int64 [N], each once.
      values: {name: float32 [N]}.
      name: how they were given.
    """

    seeds: np.ndarray
    values: dict[str, np.ndarray]
    name: str = "scores"

    def __post_init__(self) -> None:
        wrong = [name for name, value in self.values.items() if value.shape != self.seeds.shape]
        if wrong or not self.values or not len(self.seeds):
            raise UserError(
                f"{self.name}: {counted(len(self.seeds), 'seed')} and {listed(wrong) or 'no'} "
                "scores of another number; each seed has one of every name"
            )
        if len(np.unique(self.seeds)) < len(self.seeds):
            raise UserError(f"{self.name}: seeds come twice")


def load_judge(text: str | os.PathLike[str]) -> NamedJudge | SeedScores:
    """The judge that a command line names.

    Args:
      text: NAME.csv or NAME.npz, scores by seed; FILE.py:FUNCTION or MODULE:FUNCTION, which
        is imported and run: only what the user names is.

    Raises:
      UserError: for anything else, or if it cannot be read or imported.
      FormatError: for a damaged file.
    """
    name = os.fspath(text)
    if name.endswith((".csv", ".npz")):
        return _seed_scores(name)
    module, separator, function = name.rpartition(":")
    if separator and module and function.isidentifier():
        return NamedJudge(name, _imported(module, function))
    raise UserError(f"{name!r:.80} is no judge; give {_KINDS}")


def _imported(module: str, function: str) -> Callable[[np.ndarray], Any]:
    try:
        if module.endswith(".py"):
            spec = importlib.util.spec_from_file_location("aligned_jax_judge", module)
            if spec is None or spec.loader is None or not os.path.isfile(module):
                raise UserError(f"{module} is no file")
            loaded = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(loaded)
        else:
            loaded = importlib.import_module(module)
    except UserError:
        raise
    except Exception as error:  # whatever the user's own code raises
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{module} cannot be imported: {type(error).__name__}: {reason}") from error
    found = getattr(loaded, function, None)
    if not callable(found):
        functions = [key for key, value in vars(loaded).items() if callable(value)]
        raise UserError(
            f"{module} has no function {function}; it has {listed(functions) or 'none'}"
        )
    judge: Callable[[np.ndarray], Any] = found
    return judge


def _seed_scores(name: str) -> SeedScores:
    if not os.path.isfile(name):
        raise UserError(f"{name} is no file; give {_KINDS}")
    columns = _from_npz(name) if name.endswith(".npz") else _from_csv(name)
    if _SEED not in columns:
        raise FormatError(f"{name} has no {_SEED}, but {listed(columns)}")
    numbers: dict[str, np.ndarray] = {}
    wrong = []
    for key, value in columns.items():
        try:
            numbers[key] = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            wrong.append(key)
            continue
        if numbers[key].ndim != 1 or not np.isfinite(numbers[key]).all():
            wrong.append(key)
    seeds = numbers.pop(_SEED, np.empty(0))
    if not wrong and ((seeds != np.floor(seeds)) | (seeds < 0) | (seeds >= 2**32)).any():
        wrong.append(_SEED)
    if wrong:
        raise FormatError(f"{name}: {listed(wrong)} must be finite numbers, and seeds whole ones")
    values = {key: value.astype(np.float32) for key, value in numbers.items()}
    return SeedScores(seeds.astype(np.int64), values, name)


def _from_npz(name: str) -> Mapping[str, Any]:
    try:
        with reading.open_regular(name) as file, np.load(file, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (*DAMAGE, KeyError, TypeError, MemoryError) as error:
        raise FormatError(f"{name} is no .npz of arrays, or damaged: {error!s:.120}") from None


def _from_csv(name: str) -> Mapping[str, Any]:
    try:
        text = reading.read_bytes(name, _LARGEST).decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
    except (csv.Error, UnicodeDecodeError) as error:
        raise FormatError(f"{name} is no CSV: {error!s:.120}") from None
    if len(lines) < 2 or len({len(line) for line in lines}) > 1 or len({*lines[0]}) < len(lines[0]):
        raise FormatError(f"{name}: a line of different names, and lines as long, were expected")
    return {key: [line[k] for line in lines[1:]] for k, key in enumerate(lines[0])}
