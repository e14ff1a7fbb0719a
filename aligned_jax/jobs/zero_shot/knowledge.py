"""What a parent knows of attributes: linear models of its latents, and scores of its samples."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.features.attributes import Judge
from aligned_jax.features.attributes.reader import check_names
from aligned_jax.jobs.judges import NamedJudge, SeedScores, check_scores, load_judge
from aligned_jax.jobs.seed_labels.answers import StoredLabels, read_labels
from aligned_jax.jobs.zero_shot.direction_teachers import DirectionFiles
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, finite_batches
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.semantics.direction import Direction
from aligned_jax.semantics.latent_models import (
    LatentModel,
    ModelSpace,
    model_latents,
    model_of_direction,
)
from aligned_jax.semantics.linear_fits import (
    BINARY_METHODS,
    NUMBER_METHODS,
    Fit,
    check_classes,
    check_varies,
    fit_binary,
    fit_distance,
    fit_ridge,
    fit_tails,
)
from aligned_jax.utils.reporting import Advance, Reporter
from aligned_jax.utils.text import listed
from aligned_jax.zero_shot import Threshold, decided, label_figures, value_figures

# A judge of pictures, scores by seed, answers with their model, or directions by name or in files.
_READ = NamedJudge | SeedScores | StoredLabels | Mapping[str, Direction] | DirectionFiles
Teacher = str | os.PathLike[str] | Judge | _READ
_JUDGED = 64  # pictures at a time
_HELD_OUT = 5  # every fifth sample is not fitted
_SAMPLES_LEAST = 50


@dataclass(frozen=True)
class FitOptions:
    """How a parent's samples become models.

    Attributes:
      task: "classify" or "regress".
      space: of the models, "w" or "s".
      method: "logistic" or "svm" of classes, "ridge" or "distance" of values; None is the first.
      samples: of the parent.
      first: seed of the first sample.
      psi, label: how samples are drawn.
      batch: images at a time.
      boundary: whether labels depend on where scores are 0.

    Raises:
      UserError: for a method of another task, or too few samples.
    """

    task: str
    space: ModelSpace = "w"
    method: str | None = None
    samples: int = 4000
    first: int = 0
    psi: float = 1.0
    label: int | None = None
    batch: int = 8
    boundary: bool = True

    def __post_init__(self) -> None:
        if self.method not in (None, *self.methods):
            raise UserError(
                f"method is {self.method!r:.40}; to {self.task} it is {' or '.join(self.methods)}"
            )
        if self.samples < _SAMPLES_LEAST:
            raise UserError(
                f"{self.samples} samples of the parent; {_SAMPLES_LEAST} are needed at least"
            )

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of the task."""
        return BINARY_METHODS if self.task == "classify" else NUMBER_METHODS

    def latents(self, network: Network) -> LatentBatch:
        """The samples' latents."""
        seeds = range(self.first, self.first + self.samples)
        return latents_of_seeds(network.config, seeds, self.label, self.psi)


@dataclass(frozen=True, eq=False)
class Known:
    """What a parent knows of one attribute.

    Attributes:
      name: of the attribute.
      model: linear, of the parent's latents.
      scores: of the parent's samples by whoever taught the model, float32 [M].
      latents: of these samples, in z.
      worth: figures of the model for samples that it was not fitted to; empty if it came fitted.
    """

    name: str
    model: LatentModel
    scores: np.ndarray
    latents: LatentBatch
    worth: Mapping[str, float]


def read_teacher(teacher: Teacher) -> _READ:
    """Who teaches, by name or as an object; a NAME.json is a file of labels.

    Raises:
      UserError: as `judges.load_judge` and `read_labels`.
    """
    if isinstance(teacher, NamedJudge | SeedScores | StoredLabels | DirectionFiles | Mapping):
        return teacher
    if callable(teacher):
        return NamedJudge(getattr(teacher, "__name__", "judge"), teacher)
    if os.fspath(teacher).endswith(".json"):
        return read_labels(teacher)
    return load_judge(teacher)


def known_by(
    parent: Network,
    teacher: _READ,
    names: Sequence[str] | None,
    options: FitOptions,
    report: Reporter,
) -> list[Known]:
    """Fits a model to each attribute that is wanted.

    Args:
      parent: whose samples are scored.
      teacher: who scores them.
      names: of the attributes; None takes all that the teacher knows.
      options: of samples and models.
      report: hears of samples, and of models that are another network's.

    Raises:
      UserError: naming attributes that the teacher does not know; for scores that are all equal or
        of a single class; for models of other sizes.
    """
    if isinstance(teacher, DirectionFiles):
        teacher = teacher.read(parent)
    if isinstance(teacher, StoredLabels | Mapping):
        return _fitted_already(parent, teacher, names, options, report)
    check_scores(teacher, names or ())
    if isinstance(teacher, SeedScores):
        values = teacher.values
        latents = latents_of_seeds(
            parent.config, [int(seed) for seed in teacher.seeds], options.label, options.psi
        )
        ws = _w_of(parent, latents)
    else:
        latents = options.latents(parent)
        with report.progress(options.samples, "samples of the parent") as advance:
            ws, values = judged(parent, teacher, latents, options.batch, advance)
    check_names(tuple(values), list(names or ()), teacher.name)
    rows = model_latents(parent, ws, options.space)
    mark = fingerprint(parent.variables)
    wanted = names or [name for name in values if _is_told(values[name], options.task)]
    if not wanted:
        raise UserError(f"{teacher.name} scores all samples of the parent alike: {listed(values)}")
    return [_known(name, rows, latents, values[name], mark, options) for name in wanted]


def judged(
    network: Network, judge: NamedJudge, latents: LatentBatch, batch: int, advance: Advance
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """W [N, D] of latents that are not in S, and what a judge says of their pictures, [N] each."""
    ws, found, waiting = [], [], []
    for drawn in finite_batches(network, latents, RenderOptions(batch=batch), advance):
        ws.append(drawn.latents["ws"].mean(axis=1))
        waiting.append(np.clip(drawn.images, -1, 1))
        if sum(map(len, waiting)) >= _JUDGED:
            found.append(judge(np.concatenate(waiting)))
            waiting = []
    if waiting:
        found.append(judge(np.concatenate(waiting)))
    scores = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    return np.concatenate(ws), scores


def _is_told(values: np.ndarray, task: str) -> bool:
    """Whether there is something to fit."""
    if np.ptp(values) == 0:
        return False
    return task == "regress" or 2 <= (values > 0).sum() <= len(values) - 2


def _known(
    name: str,
    rows: np.ndarray,
    latents: LatentBatch,
    values: np.ndarray,
    mark: str,
    options: FitOptions,
) -> Known:
    check_varies(name, values)
    if options.task == "classify":
        check_classes(name, values > 0)
    left = np.arange(len(rows)) % _HELD_OUT == _HELD_OUT - 1
    weights, intercept = _fit(rows[~left], values[~left], options)
    facts = {
        "method": options.method or options.methods[0],
        "samples": int((~left).sum()),
        "psi": options.psi,
        "label": options.label,
    }
    binary = options.task == "classify"
    model = LatentModel(name, options.space, weights, intercept, binary, mark, facts)
    unseen = model.scores(rows[left])
    if binary:
        kinds = decided(unseen, Threshold("boundary", 0.0, 0.0))
        worth = label_figures(values[left] > 0, unseen, kinds)
    else:
        worth = value_figures(values[left], unseen)
    return Known(name, model, values, latents, worth)


def _fit(rows: np.ndarray, values: np.ndarray, options: FitOptions) -> Fit:
    method = options.method or options.methods[0]
    if method == "logistic":
        check_classes("the samples that are fitted", values > 0)
        return fit_binary(rows, values > 0)
    if method == "svm":
        return fit_tails(rows, values)
    return fit_ridge(rows, values) if method == "ridge" else fit_distance(rows, values)


def _fitted_already(
    parent: Network,
    teacher: StoredLabels | Mapping[str, Direction],
    names: Sequence[str] | None,
    options: FitOptions,
    report: Reporter,
) -> list[Known]:
    """Models that came fitted, with what they say of the parent's samples."""
    binary = options.task == "classify"
    if isinstance(teacher, StoredLabels):
        if teacher.model is None:
            raise UserError("the file of labels has too few answers for a model; give more")
        models = {teacher.model.name: teacher.model}
        teacher.model.check_network(parent.config)
    else:
        models = {
            name: model_of_direction(name, direction, parent.config, binary and options.boundary)
            for name, direction in teacher.items()
        }
    check_names(tuple(models), list(names or ()), "what was given")
    latents = options.latents(parent)
    ws = _w_of(parent, latents)
    mark = fingerprint(parent.variables)
    found = []
    for name, model in models.items():
        if model.network not in ("", mark):
            report.warn(f"the model of {name} was found in another network than this parent")
        if name in (names or models):
            scores = model.scores(model_latents(parent, ws, model.space))
            check_varies(name, scores)
            found.append(Known(name, model, scores, latents, {}))
    return found


def _w_of(network: Network, latents: LatentBatch) -> np.ndarray:
    """W [N, D] of latents in z."""
    return np.asarray(latents.in_space(network, "w+").arrays["ws"])[:, 0]
