"""Whatever tells scores of pictures: readers, tables of scores by seed, functions of the user."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.convert.files.arrays import DAMAGE, open_arrays, read_arrays, read_headers
from aligned_jax.errors import FormatError, UserError
from aligned_jax.features.attributes import Judge, Reader, Segment, load, zoo_readers
from aligned_jax.features.attributes.reader import check_names
from aligned_jax.jobs.user_functions import imported_function
from aligned_jax.utils import reading
from aligned_jax.utils.text import counted, listed

_SEED = "seed"
_LARGEST = 1 << 28  # bytes of a table
_LARGEST_SCORE = float(np.finfo(np.float32).max)
_KINDS = (
    "READER.safetensors, zoo:NAME, scores by seed (.csv with a column seed, .npz with an array "
    "seed), FILE.py:FUNCTION or MODULE:FUNCTION"
)


@dataclass(frozen=True, eq=False)
class NamedJudge:
    """A judge: images float32 [N, H, W, C] in [-1, 1] to named scores, float32 [N] each.

    Attributes:
      name: how it was given.
      judge: what it calls.
      names: of its scores; None if only a call shows them.
      odds: those that are log-odds; all others count as they are.
    """

    name: str
    judge: Judge
    names: tuple[str, ...] | None = None
    odds: frozenset[str] = frozenset()

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Scores of pictures.

        Raises:
          UserError: if what it calls returns anything but N finite numbers by name.
        """
        told = self.judge(images)
        if not isinstance(told, Mapping) or not all(isinstance(key, str) for key in told):
            raise UserError(
                f"{self.name} returns {type(told).__name__}; a judge returns a "
                "dictionary of numbers by name"
            )
        scores = {key: np.asarray(value) for key, value in told.items()}
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
        lengths = {name: np.shape(value) for name, value in self.values.items()}
        wrong = [name for name, shape in lengths.items() if shape != (len(self.seeds),)]
        if wrong or not self.values or not len(self.seeds):
            raise UserError(
                f"{self.name}: {counted(len(self.seeds), 'seed')} and {listed(wrong) or 'no'} "
                "scores of another number; each seed has one of every name"
            )
        if len(np.unique(self.seeds)) < len(self.seeds):
            raise UserError(f"{self.name}: seeds come twice")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the scores."""
        return tuple(self.values)

    def of(self, seeds: Sequence[int] | np.ndarray) -> dict[str, np.ndarray]:
        """Scores of some seeds, in this order, float32 [n] each.

        Raises:
          UserError: naming seeds that are not scored.
        """
        place = {int(seed): k for k, seed in enumerate(self.seeds)}
        missing = [str(seed) for seed in seeds if int(seed) not in place]
        if missing:
            raise UserError(f"{self.name} has no scores of seeds {listed(missing)}")
        rows = [place[int(seed)] for seed in seeds]
        return {name: value[rows] for name, value in self.values.items()}


def load_judge(text: str | os.PathLike[str]) -> NamedJudge | SeedScores:
    """The judge that a command line names.

    Args:
      text: READER.safetensors or zoo:NAME, a reader; NAME.csv or NAME.npz, scores by seed, as
        `aligned attributes read --seeds` writes them; FILE.py:FUNCTION or MODULE:FUNCTION, which
        is imported and run: only what the user names is.

    Raises:
      UserError: for anything else, or if it cannot be read or imported.
      FormatError: for a damaged file.
    """
    name = os.fspath(text)
    if is_reader(name):
        reader = load(name)
        odds = [h for h in reader.heads if h.kind in ("binary", "category")]
        known = frozenset(score for head in odds for score in head.scores)
        return NamedJudge(name, reader.judge(), reader.config.scores, known)
    if name.endswith((".csv", ".npz")):
        return _seed_scores(name)
    module, separator, function = name.rpartition(":")
    if separator and module and function.isidentifier():
        return NamedJudge(name, imported_function(name))
    readers = listed(f"zoo:{reader}" for reader in zoo_readers())
    raise UserError(
        f"{name!r:.80} is no judge; give {_KINDS}" + (f" ({readers})" if readers else "")
    )


def load_picture_judge(text: str | os.PathLike[str]) -> NamedJudge:
    """`load_judge` where pictures are judged that no seed has drawn; UserError for a table."""
    judge = load_judge(text)
    if isinstance(judge, SeedScores):
        raise UserError(
            f"{judge.name} tells scores of seeds, but here other pictures are judged as well; give "
            "a reader or a function"
        )
    return judge


def load_segment(text: str | os.PathLike[str]) -> Segment:
    """What tells the parts of pictures: READER.safetensors, zoo:NAME, or a function as above.

    Returns:
      Images float32 [N, H, W, C] in [-1, 1] to shares [N, H, W, parts]. `names` of a reader's, and
      perhaps of a function, are those of the parts.

    Raises:
      UserError: if it cannot be read or imported, or the reader was not trained on parts.
    """
    name = os.fspath(text)
    return segment_of(load(name), name) if is_reader(name) else imported_function(name)


def is_reader(name: str) -> bool:
    """Whether a name is that of a reader, rather than of a function or a table."""
    return name.startswith("zoo:") or name.endswith(".safetensors")


def segment_of(reader: Reader, name: str) -> Segment:
    """A reader as what tells parts; raises UserError if it was not trained on parts."""
    if not reader.part_names:
        raise UserError(
            f"{name} tells no parts of pictures; `aligned attributes parts` teaches a reader"
        )

    def segment(images: np.ndarray) -> np.ndarray:
        return reader.parts(images)

    vars(segment)["names"] = reader.part_names
    return segment


def told_parts(
    segment: Segment, images: np.ndarray, name: str = "the function"
) -> tuple[list[str], np.ndarray]:
    """Names of parts, and their shares float32 [N, H, W, K], of pictures float32 in [-1, 1].

    Parts that a function does not name are "part 0", "part 1" and so on.

    Raises:
      UserError: unless there is a share for every pixel and name.
    """
    covered = np.asarray(segment(images), np.float32)
    names = list(getattr(segment, "names", ()))
    if covered.ndim != 4 or covered.shape[:3] != images.shape[:3]:
        raise UserError(
            f"{name} gave parts of shape {covered.shape}; expected "
            f"[{len(images)}, {images.shape[1]}, {images.shape[2]}, K] for K parts"
        )
    names = names or [f"part {k}" for k in range(covered.shape[-1])]
    if len(names) != covered.shape[-1]:
        raise UserError(f"{name} names {len(names)} parts and gave {covered.shape[-1]}")
    return names, covered


def check_scores(judge: NamedJudge | SeedScores, wanted: Sequence[str]) -> None:
    """Raises UserError naming all scores that a judge does not know, with a list of those it does.

    Of a function nothing is known before it is called.
    """
    if judge.names is not None:
        check_names(judge.names, list(wanted), judge.name)


def scores_of(
    judge: NamedJudge, images: np.ndarray, wanted: Sequence[str]
) -> dict[str, np.ndarray]:
    """The scores of pictures that are wanted; UserError as `check_scores`."""
    scores = judge(images)
    check_names(tuple(scores), list(wanted), judge.name)
    return {name: scores[name] for name in wanted}


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
        # Scores are kept in single precision, which ends at 3e38.
        if numbers[key].ndim != 1 or not (np.abs(numbers[key]) <= _LARGEST_SCORE).all():
            wrong.append(key)
    seeds = numbers.pop(_SEED, np.empty(0))
    if not wrong and ((seeds != np.floor(seeds)) | (seeds < 0) | (seeds >= 2**32)).any():
        wrong.append(_SEED)
    if wrong:
        raise FormatError(f"{name}: {listed(wrong)} must be finite numbers, and seeds whole ones")
    values = {key: value.astype(np.float32) for key, value in numbers.items()}
    return SeedScores(seeds.astype(np.int64), values, name)


def _from_npz(name: str) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    try:
        with open_arrays(name) as file:
            headers, wrong = read_headers(file, file.keys)
            wrong += [
                f"{key} {header.problem or f'holds {header.dtype}'}"
                for key, header in headers.items()
                if header.problem or header.dtype.kind not in "biuf"
            ]
            if not wrong:
                arrays, wrong = read_arrays(file, file.keys)
    except (*DAMAGE, KeyError, TypeError) as error:
        wrong = [f"{error!s:.120}"]
    if wrong:
        raise FormatError(f"{name} is no .npz of arrays, or damaged: {listed(wrong)}")
    return arrays


def _from_csv(name: str) -> dict[str, list[str]]:
    try:
        text = reading.read_bytes(name, _LARGEST).decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
    except (csv.Error, UnicodeDecodeError) as error:
        raise FormatError(f"{name} is no CSV: {error!s:.120}") from None
    if len(lines) < 2 or len({len(line) for line in lines}) > 1 or len({*lines[0]}) < len(lines[0]):
        raise FormatError(f"{name}: a line of different names, and lines as long, were expected")
    return {key: [line[k] for line in lines[1:]] for k, key in enumerate(lines[0])}
