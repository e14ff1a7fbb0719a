"""Answers about seeds, the model of them, and the files that hold both."""

import csv
import dataclasses
import io
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import UnionType
from typing import Any

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs.seed_labels.pool import SeedPool
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.semantics.active_labels import (
    NO,
    NOT_ASKED,
    UNCLEAR,
    YES,
    CrossValidation,
    cross_validated,
    fit_answers,
    next_examples,
)
from aligned_jax.semantics.latent_models import LatentModel, check_space
from aligned_jax.utils import reading
from aligned_jax.utils.text import listed, said

_VERSION = 1
SUGGESTED = 12
_KINDS = {"yes": YES, "no": NO, "unclear": UNCLEAR}
ANSWER_KINDS = tuple(_KINDS)
_LARGEST = 1 << 28
# What a file says of its question, and of which type it is.
_FACTS: dict[str, type | UnionType] = {
    "name": str,
    "network": str,
    "fingerprint": str,
    "psi": int | float,
    "label": int | None,
    "space": str,
}


@dataclass(frozen=True)
class SeedAnswers:
    """What somebody said of seeds; each seed is in one of the lists at most.

    Attributes:
      yes, no, unclear: seeds, in the order of the answers.

    Raises:
      UserError: naming seeds that have several answers.
    """

    yes: tuple[int, ...] = ()
    no: tuple[int, ...] = ()
    unclear: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        counts = Counter([*self.yes, *self.no, *self.unclear])
        twice = sorted(seed for seed, count in counts.items() if count > 1)
        if twice:
            raise UserError(f"seeds have several answers: {listed(map(str, twice))}")

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds that were answered."""
        return (*self.yes, *self.no, *self.unclear)

    def with_answer(self, seed: int, kind: str | None) -> "SeedAnswers":
        """The same with an answer to a seed, in place of any before; None takes it back."""
        lists = {
            one: tuple(other for other in getattr(self, one) if other != seed) for one in _KINDS
        }
        if kind is not None:
            lists[kind] = (*lists[kind], seed)
        return SeedAnswers(**lists)

    def along(self, seeds: np.ndarray) -> np.ndarray:
        """The answers as constants of `semantics.active_labels`, int64 [N], for seeds [N]."""
        known = {seed: value for kind, value in _KINDS.items() for seed in getattr(self, kind)}
        return np.asarray([known.get(int(seed), NOT_ASKED) for seed in seeds])


@dataclass(frozen=True, eq=False)
class LabelledSeeds:
    """Answers about seeds, and what a linear model makes of them.

    Attributes:
      answers: that were given.
      model: of log-odds; None where the answers are too few for one.
      validation: of the model, by answers that it did not see; None where there are too few.
      suggested: seeds whose answers would tell most, the most telling first.
      seeds: int64 [N] of the pool.
      scores: of the model, float32 [N]; None without one.
      facts: the label's name, the network, its fingerprint, psi, class, space; JSON-able.
    """

    answers: SeedAnswers
    model: LatentModel | None
    validation: CrossValidation | None
    suggested: tuple[int, ...]
    seeds: np.ndarray
    scores: np.ndarray | None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """How good the answers are, in one line."""
        answers = self.answers
        said = f"{len(answers.yes)} yes, {len(answers.no)} no, {len(answers.unclear)} unclear"
        if self.validation is None:
            return f"{said}; too few of both kinds to tell how good a model of them is"
        found = self.validation
        auc = f"AUC {found.auc:.2f} ({found.low:.2f} to {found.high:.2f}) of answers not seen"
        return f"{said}; {auc}; {'enough' if found.enough else f'not enough: {found.says}'}"

    def document(self, command: Command = Command()) -> dict[str, Any]:  # noqa: B008
        """Everything, JSON-able, as `read_labels` takes it."""
        model = self.model
        return {
            "labels": _VERSION,
            **self.facts,
            "answers": {kind: list(getattr(self.answers, kind)) for kind in _KINDS},
            "model": None
            if model is None
            else {"weights": model.weights.tolist(), "intercept": model.intercept},
            "cross_validation": asdict(self.validation) if self.validation else None,
            "suggested": list(self.suggested),
            "scores": None
            if self.scores is None
            else {"seed": self.seeds.tolist(), self.facts["name"]: _plain(self.scores)},
            **provenance.record(command),
        }

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes all to NAME.json, or the scores alone to NAME.csv: a column seed, and one more.

        NAME.csv.json says then how they were made.

        Raises:
          UserError: for another name, if the file exists or the disk refuses, or if there is no
            model, whose scores a CSV would hold.
        """
        if check_labels_file(out, overwrite) == "json":
            text = json.dumps(self.document(command), indent=1) + "\n"
        elif self.scores is None:
            raise UserError(f"{os.fspath(out)}: {self.summary}, so that there are no scores")
        else:
            lines = io.StringIO()
            table = csv.writer(lines, lineterminator="\n")
            table.writerow(["seed", self.facts["name"]])
            table.writerows(zip(self.seeds.tolist(), _plain(self.scores), strict=True))
            text = lines.getvalue()
            viz.write_record(out, command, dict(self.facts), overwrite)
        with viz.writing(out, overwrite) as file:
            file.write(text.encode())


def question(
    network: Network, source: str, name: str, space: str, psi: float, label: int | None
) -> dict[str, Any]:
    """What labels say of themselves besides answers; a space is no part of what is asked."""
    return {
        "name": name,
        "network": source,
        "fingerprint": fingerprint(network.variables),
        "psi": psi,
        "label": label,
        "space": space,
    }


def labelled(
    pool: SeedPool,
    name: str,
    answers: SeedAnswers,
    facts: Mapping[str, Any],
    suggest: int = SUGGESTED,
    seed: int = 0,
) -> LabelledSeeds:
    """What answers come to, whether or not they are enough for a model.

    Args:
      pool: that all answered seeds are in.
      name: of the label.
      answers: so far.
      facts: the `question`.
      suggest, seed: as of `label_seeds`.
    """
    along = answers.along(pool.seeds)
    coordinates = pool.coordinates.of(pool.latents)
    following = next_examples(coordinates, along, suggest, seed)
    validation = cross_validated(coordinates, along, seed)
    result = LabelledSeeds(
        answers=answers,
        model=None,
        validation=validation,
        suggested=tuple(int(pool.seeds[row]) for row in following),
        seeds=pool.seeds,
        scores=None,
        facts=facts,
    )
    if validation is None:
        return result
    known = np.isin(along, (YES, NO))
    weights, intercept = fit_answers(
        name, pool.latents[known], pool.coordinates, along[known] == YES, seed
    )
    model = LatentModel(
        name=name,
        space=pool.space,
        weights=weights,
        intercept=intercept,
        network=facts["fingerprint"],
        facts={"method": "answers", "psi": pool.psi, "yes": validation.yes, "no": validation.no},
    )
    return dataclasses.replace(result, model=model, scores=model.scores(pool.latents))


def check_labels_file(out: str | os.PathLike[str], overwrite: bool = False) -> str:
    """ "json" or "csv", as the name says; raises UserError if it cannot be written."""
    form = os.path.splitext(out)[1].removeprefix(".")
    if form not in ("json", "csv"):
        raise UserError(f"{os.fspath(out)}: labels are written to NAME.json or NAME.csv")
    viz.check_file(out, overwrite)
    if form == "csv":
        viz.check_file(viz.record_file(out), overwrite)
    return form


@dataclass(frozen=True, eq=False)
class StoredLabels:
    """What a file of labels holds.

    Attributes:
      answers: that were given.
      model: of log-odds; None if there were too few answers.
      facts: as of `LabelledSeeds`.
    """

    answers: SeedAnswers
    model: LatentModel | None
    facts: Mapping[str, Any]


def read_labels(path: str | os.PathLike[str]) -> StoredLabels:
    """Reads NAME.json of `LabelledSeeds.write`.

    Raises:
      UserError: if there is no such file.
      FormatError: if it is no file of labels, or a damaged one.
    """
    shown = os.fspath(path)
    try:
        document = reading.read_json(path, _LARGEST)
    except OSError as error:
        raise UserError(f"{shown} cannot be read: {error.strerror}") from None
    if document.get("labels") != _VERSION:
        raise FormatError(f"{shown} is no file of labels; `aligned label` makes them")
    try:
        kinds = {kind: _seeds(document["answers"][kind]) for kind in _KINDS}
        facts = {name: document[name] for name in _FACTS}
        wrong = [name for name, kind in _FACTS.items() if not isinstance(facts[name], kind)]
        if wrong:
            raise ValueError(f"{listed(wrong)} of another type")
        found = document["model"]
        model = None
        if found is not None:
            model = LatentModel(
                name=facts["name"],
                space=check_space(facts["space"]),
                weights=_finite(found["weights"]),
                intercept=float(_finite([found["intercept"]])[0]),
                network=facts["fingerprint"],
                facts={"method": "answers", "psi": float(facts["psi"])},
            )
        return StoredLabels(SeedAnswers(**kinds), model, facts)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{shown} is no file of labels, or a damaged one ({said(error)})"
        ) from None


def _seeds(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or any(
        type(value) is not int or not 0 <= value < 2**32 for value in values
    ):
        raise ValueError("answers must be lists of seeds")
    return tuple(values)


def _finite(values: Sequence[Any]) -> np.ndarray:
    array = np.asarray(values, np.float64)
    # They are kept in single precision.
    if array.ndim != 1 or not (np.abs(array) <= np.finfo(np.float32).max).all():
        raise ValueError("the model must be finite numbers")
    return array


def _plain(scores: np.ndarray) -> list[float]:
    return [float(f"{value:.6g}") for value in scores]
