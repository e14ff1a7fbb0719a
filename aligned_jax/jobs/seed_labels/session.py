"""One sitting of answers: which seed comes next, what is said of the answers so far, saving."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.seed_labels.answers import (
    ANSWER_KINDS,
    LabelledSeeds,
    SeedAnswers,
    read_labels,
)
from aligned_jax.jobs.seed_labels.pool import SeedPool
from aligned_jax.provenance import Command
from aligned_jax.semantics.active_labels import cross_validated, next_examples

# Answers between two choices of what to ask, and two looks at how good the model is.
ROUND = 6
Save = Callable[["LabelSession"], None]


class LabelSession:
    """Asks about seeds of a pool, one after the other.

    Attributes:
      name: of the label.
      pool: of seeds that can be asked about.
      answers: so far.
      facts: the question, which results name.
    """

    def __init__(
        self,
        name: str,
        pool: SeedPool,
        answers: SeedAnswers,
        facts: Mapping[str, Any],
        seed: int = 0,
        save: Save = lambda session: None,
    ) -> None:
        """Goes on from answers that are there already; `save` is called after every new one."""
        self.name, self.pool, self.answers, self.facts = name, pool, answers, facts
        self._seed, self._save = seed, save
        self._coordinates = pool.coordinates.of(pool.latents)
        self._waiting: list[int] = []
        self._history: list[int] = []
        self._said = ""
        self._look()

    @property
    def current(self) -> int | None:
        """The seed that is asked about; None when all were."""
        return self._waiting[0] if self._waiting else None

    def answer(self, seed: int, kind: str) -> None:
        """Takes an answer about the current seed; one about another seed came twice, and is old.

        Raises:
          UserError: for an answer that is none of yes, no and unclear.
        """
        if kind not in ANSWER_KINDS:
            raise UserError(f"{kind!r:.20} is no answer; it is {', '.join(ANSWER_KINDS)}")
        if seed != self.current:
            return
        self.answers = self.answers.with_answer(seed, kind)
        self._waiting.pop(0)
        self._save(self)
        self._history.append(seed)
        if not self._waiting:
            self._look()

    def undo(self) -> None:
        """Takes the last answer of this sitting back, and asks again."""
        if self._history:
            seed = self._history.pop()
            self.answers = self.answers.with_answer(seed, None)
            self._waiting.insert(0, seed)
            self._save(self)

    def status(self) -> dict[str, Any]:
        """What a page shows, JSON-able."""
        return {
            "name": self.name,
            "seed": self.current,
            "next": self._waiting[1] if len(self._waiting) > 1 else None,
            "counts": {kind: len(getattr(self.answers, kind)) for kind in ANSWER_KINDS},
            "said": self._said,
            "undo": bool(self._history),
        }

    def _look(self) -> None:
        """Chooses the next seeds, and looks at how good the model is."""
        along = self.answers.along(self.pool.seeds)
        rows = next_examples(self._coordinates, along, ROUND, self._seed)
        self._waiting = [int(self.pool.seeds[row]) for row in rows]
        found = cross_validated(self._coordinates, along, self._seed)
        if found is None:
            self._said = "A model needs answers of both kinds: go on."
        elif found.enough:
            self._said = f"Enough: AUC {found.auc:.2f} of answers not seen. More can do no harm."
        else:
            self._said = f"Not enough yet: {found.says}."


def progress_file(out: str | os.PathLike[str]) -> str:
    """Where answers are kept while they are given: a NAME.json itself, or a file beside it."""
    text = os.fspath(out)
    return text if text.endswith(".json") else f"{text}.answers.json"


def saver(out: str | os.PathLike[str], command: Command) -> Save:
    """Writes the answers of a session, without a model yet, whenever it is called."""

    def save(session: LabelSession) -> None:
        so_far = LabelledSeeds(
            session.answers, None, None, (), session.pool.seeds, None, session.facts
        )
        text = json.dumps(so_far.document(command), indent=1) + "\n"
        with viz.writing(progress_file(out), overwrite=True) as file:
            file.write(text.encode())

    return save


def earlier_answers(
    out: str | os.PathLike[str], facts: Mapping[str, Any], answers: SeedAnswers
) -> SeedAnswers:
    """Answers of an earlier sitting of the same question, and those given now.

    Args:
      out: where the sitting is kept.
      facts: of the question: name, fingerprint, psi and label.
      answers: given now.

    Raises:
      UserError: if the file holds answers to another question, or others about the same seeds.
    """
    path = progress_file(out)
    if not os.path.lexists(path):
        return answers
    stored = read_labels(path)
    names = ("name", "fingerprint", "psi", "label")
    other = [name for name in names if stored.facts[name] != facts[name]]
    if other:
        raise UserError(
            f"{path} holds answers to another question (other {', '.join(other)}); choose another "
            "`out`, or pass `overwrite=True` to begin anew"
        )
    merged = {
        kind: tuple(dict.fromkeys([*getattr(stored.answers, kind), *getattr(answers, kind)]))
        for kind in ANSWER_KINDS
    }
    return SeedAnswers(**merged)


def shown_picture(pool: SeedPool, seed: int) -> np.ndarray:
    """The picture of a seed of the pool, uint8 [R, R, C]; UserError for another seed."""
    if seed not in pool.seeds:
        raise UserError(f"seed {seed} is none of the pool")
    return viz.to_uint8(pool.picture(seed))
