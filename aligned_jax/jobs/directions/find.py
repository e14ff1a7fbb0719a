"""Directions of attributes, from scores of random pictures (InterFaceGAN, Shen et al. 2020)."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import semantics
from aligned_jax.errors import UserError
from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.jobs.directions.found import FoundDirection, as_direction, document
from aligned_jax.jobs.judging import Judge, NamedJudge, SeedScores, load_judge
from aligned_jax.jobs.populations import (
    ScoredLatents,
    judged_population,
    scored_seeds,
    split,
)
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.editing import edited
from aligned_jax.semantics import directions
from aligned_jax.semantics.directions import Boundary, Features
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.reporting import QUIET, Reporter

_SHARE = 0.3  # of scored seeds that measure
_EFFECT = 2.0  # sigmas to either side
FILES = (".npz", ".npy", ".pt", ".pth")


@dataclass(frozen=True)
class SearchOptions:
    """How directions are found.

    Attributes:
      space: "z", "w" or "s".
      method: "svm", "logistic" or "mean".
      tails: share of the latents at either end of the scores that count; None for all.
      threshold: above which a score is positive; "median" is that of the scores.
      layers: rows of W+ in which directions are recommended; in S, those whose layers count.
      torgb: in S, whether layers that make colours count.
      bootstrap: draws that tell how stable a direction is; 0 for none.
      seed: of whatever is drawn at random.

    Raises:
      UserError: for values that cannot be, all at once.
    """

    space: semantics.Space = "w"
    method: directions.Method = "svm"
    tails: float | None = 0.02
    threshold: float | str = 0.0
    layers: tuple[int, ...] | None = None
    torgb: bool = False
    bootstrap: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = []
        if self.space not in directions.SPACES:
            wrong.append(f"space is {self.space!r:.40}; it is {', '.join(directions.SPACES)}")
        if self.method not in directions.METHODS:
            wrong.append(f"method is {self.method!r:.40}; it is {', '.join(directions.METHODS)}")
        if self.tails is not None and not 0 < self.tails <= 0.5:
            wrong.append(f"tails are {self.tails:g}; a share of the latents from 0 to 0.5")
        if isinstance(self.threshold, str) and self.threshold != "median":
            wrong.append(f"threshold is {self.threshold!r:.40}; a number, or median")
        if self.bootstrap < 0:
            wrong.append(f"bootstrap is {self.bootstrap}; 0 or more draws")
        if self.torgb and self.space != "s":
            wrong.append("toRGB is a matter of space s")
        if wrong:
            raise UserError("; ".join(wrong))

    def cut(self, scores: np.ndarray) -> float:
        """The threshold of these scores."""
        return float(np.median(scores) if isinstance(self.threshold, str) else self.threshold)


PLAIN = SearchOptions()


def find_directions(
    network: NetworkSource,
    judge: str | os.PathLike[str] | Judge | NamedJudge | SeedScores,
    attributes: Sequence[str] | None = None,
    *,
    options: SearchOptions = PLAIN,
    without: Sequence[str | semantics.Direction] = (),
    count: int = 5000,
    held_out: int = 2000,
    effect: int = 16,
    psi: float = 1.0,
    label: int | None = None,
    batch: int = 8,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> dict[str, FoundDirection]:
    """Draws latents, asks a judge about their pictures, and finds what tells attributes apart.

    What a direction is worth is measured on other random latents, not on the ends of the scores.

    Args:
      network: the parent.
      judge: images float32 [N, H, W, C] in [-1, 1] to scores [N] by name; or the name of one; or
        scores by seed, of which a random share measures.
      attributes: to be found; None is all that the judge knows and that vary.
      options: how.
      without: attributes of the judge, files of directions, or directions: what is found loses
        what it shares with them.
      count: latents that directions are fitted to; of scores by seed, the file decides.
      held_out: latents that measure them.
      effect: of these, whose pictures are drawn once more along the direction.
      psi: truncation with which pictures are drawn, or were drawn.
      label: class of a conditional network.
      batch: images at a time.
      network_key: "G_ema" or "G".
      report: hears of every image, and of what is wrong with a direction.

    Returns:
      directions by attribute.

    Raises:
      UserError: for attributes that the judge does not know, scores that tell nothing, other
        directions that do not fit, or numbers that cannot be.
    """
    name, loaded = named_network(network, network_key)
    known = _judge(judge)
    features = Features.of(
        loaded.config, options.space, torgb=options.torgb, rows=_rows_of_styles(loaded, options)
    )
    others = _files(name, loaded, features, without, report)
    drawn = RenderOptions(batch=batch)
    if isinstance(known, SeedScores):
        told = scored_seeds(loaded, known, psi, label)
        fitted, held = split(told, _SHARE, options.seed)
        _check_counts(len(fitted), len(held))
    else:
        _check_counts(count, held_out)
        seeds = range(count + held_out)
        told = judged_population(loaded, known, seeds, psi, label, drawn, report)
        fitted, held = told.take(np.arange(count)), told.take(np.arange(count, len(told)))
    targets = [told.target(one) for one in attributes or told.scores]
    without_names = [told.target(str(one)) for one in without if _is_attribute(one)]
    search = _Search(name, loaded, features, options, fitted, held, label)
    facts = {"psi": psi, "judge": known.name, "count": len(fitted), "effect_on": effect}
    conditions = {**others, **{one: search.normal(one) for one in without_names}}
    result: dict[str, FoundDirection] = {}
    for target in targets:
        try:
            found = search.found(target, conditions, facts)
        except UserError as error:
            if attributes:
                raise
            report.warn(f"no direction of {error}")
            continue
        if isinstance(known, NamedJudge) and effect:
            found = search.with_effects(found, known, effect, drawn, report)
        for sentence in found.warnings:
            report.warn(f"{target}: {sentence}")
        result[target] = found
    if not result:
        raise UserError(f"{known.name} tells nothing that varies in these pictures")
    return result


def _judge(
    judge: str | os.PathLike[str] | Judge | NamedJudge | SeedScores,
) -> "NamedJudge | SeedScores":
    if isinstance(judge, str | os.PathLike):
        return load_judge(judge)
    if isinstance(judge, NamedJudge | SeedScores):
        return judge
    return NamedJudge(getattr(judge, "__name__", "a function"), judge)


def _check_counts(count: int, held_out: int) -> None:
    if count < 10 or held_out < 10:
        raise UserError(
            f"{count} latents to fit to and {held_out} to measure on; there must be 10 of each"
        )


def _rows_of_styles(network: Network, options: SearchOptions) -> tuple[int, ...] | None:
    """Rows whose style layers count; checks rows of other spaces as well."""
    if options.layers is None or options.space == "s":
        return options.layers
    bad = [str(row) for row in options.layers if not 0 <= row < network.config.num_ws]
    if bad or options.space == "z":
        raise UserError(
            f"layers {','.join(map(str, options.layers))}: z is the same for all rows"
            if options.space == "z"
            else f"no row {', '.join(bad)} of W+; there are 0 to {network.config.num_ws - 1}"
        )
    return None


def _is_attribute(one: str | semantics.Direction) -> bool:
    return isinstance(one, str) and not one.endswith(FILES)


def _files(
    name: str,
    network: Network,
    features: Features,
    without: Sequence[str | semantics.Direction],
    report: Reporter,
) -> dict[str, np.ndarray]:
    """Rows of the directions that are files, or at hand, by name."""
    rows = {}
    for number, one in enumerate(without):
        if isinstance(one, semantics.Direction):
            rows[f"direction {number}"] = features.row(network.config, one)
        elif not _is_attribute(one):
            read = read_direction(one, network, space=features.space, name=name, report=report)
            rows[one] = features.row(network.config, read, one)
    return rows


@dataclass(eq=False)
class _Search:
    """One population, in which directions of several attributes are found."""

    name: str
    network: Network
    features: Features
    options: SearchOptions
    fitted: ScoredLatents
    held: ScoredLatents
    label: int | None

    def __post_init__(self) -> None:
        self._x = self.features.matrix(self.network, self.fitted.latents)
        self._held = self.features.matrix(self.network, self.held.latents)

    def _examples(self, target: str) -> tuple[np.ndarray, np.ndarray]:
        scores = self.fitted.scores[target]
        try:
            return directions.choose_examples(scores, self.options.cut(scores), self.options.tails)
        except UserError as error:
            raise UserError(f"{target}: {error}") from None

    def normal(self, target: str, method: directions.Method | None = None) -> np.ndarray:
        """Of an attribute, unconditioned."""
        rows, positive = self._examples(target)
        chosen = method or self.options.method
        return directions.fit_boundary(self._x[rows], positive, chosen).normal

    def _siblings(self, target: str) -> dict[str, np.ndarray]:
        """Shifts of means of the other attributes, as far as they vary."""
        normals = {}
        for other in self.fitted.scores:
            if other != target:
                try:
                    normals[other] = self.normal(other, "mean")
                except UserError:
                    continue  # what does not vary has no direction
        return normals

    def found(
        self, target: str, conditions: Mapping[str, np.ndarray], facts: Mapping[str, Any]
    ) -> FoundDirection:
        """The direction of an attribute, and its merits on the held-out latents."""
        options, scores = self.options, self.fitted.scores[target]
        rows, positive = self._examples(target)
        x = self._x[rows]
        plain = directions.fit_boundary(x, positive, options.method)
        others = {one: row for one, row in conditions.items() if one != target}
        boundary = directions.condition(plain, list(others.values()), x, positive)
        bootstrap = None
        if options.bootstrap:
            cosines = directions.bootstrap_cosines(
                x, positive, options.method, plain.normal, options.bootstrap, options.seed
            )
            bootstrap = float(cosines.mean())
        siblings = self._siblings(target)
        merits = directions.measure(
            target,
            boundary.scores(self._held),
            self.held.scores,
            options.cut(scores),
            {one: float(row @ boundary.normal) for one, row in siblings.items()},
            bootstrap,
            float(boundary.normal @ plain.normal) if others else None,
        )
        told = {
            "method": options.method,
            "attribute": target,
            "tails": options.tails,
            "threshold": options.cut(scores),
            "examples": len(rows),
            "without": list(others),
            "torgb": options.torgb,
            "seed": options.seed,
            "measured_on": f"{len(self.held)} random latents",
            **facts,
            **document(merits, {}),
        }
        return FoundDirection(target, self._direction(boundary, told), merits)

    def _direction(self, boundary: Boundary, told: Mapping[str, Any]) -> semantics.Direction:
        return as_direction(
            self.name, self.network, self.features, boundary, self.label, self.options.layers, told
        )

    def with_effects(
        self,
        found: FoundDirection,
        judge: NamedJudge,
        count: int,
        drawn: RenderOptions,
        report: Reporter,
    ) -> FoundDirection:
        """The same, with what a step of it changes of every score."""
        chosen = self.held.take(np.arange(min(count, len(self.held))))
        psi = float(found.direction.found["psi"])
        batch = chosen.batch(self.network.config, found.direction.space, psi, self.label)
        edit = Edit(found.direction, _EFFECT, name=found.name)
        means = []
        with report.progress(2 * len(chosen), "images") as advance:
            for side in (-1.0, 1.0):
                latents = edited(self.network, batch, [edit], side)
                images = render(self.network, latents, drawn, advance)
                means.append(
                    {name: float(v.mean()) for name, v in judge(np.clip(images, -1, 1)).items()}
                )
        less, more = means
        effects = {
            name: (more[name] - less[name]) / (2 * _EFFECT * float(scores.std()))
            for name, scores in self.held.scores.items()
            if np.ptp(scores)
        }
        told = {**found.direction.found, **document(found.merits, effects)}
        direction = dataclasses.replace(found.direction, found=told)
        return FoundDirection(found.name, direction, found.merits, effects)
