"""Labels and values of a child's pictures, from what its parent knows (figures 7 and 29)."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import translation
from aligned_jax.ancestry import warn_unrelated
from aligned_jax.errors import UserError
from aligned_jax.jobs.judges import NamedJudge
from aligned_jax.jobs.sources import PictureOptions
from aligned_jax.jobs.zero_shot.baselines import baselines
from aligned_jax.jobs.zero_shot.direction_teachers import DirectionFiles
from aligned_jax.jobs.zero_shot.knowledge import (
    FitOptions,
    Known,
    Teacher,
    known_by,
    read_teacher,
)
from aligned_jax.jobs.zero_shot.pictures import (
    Inverter,
    OwnSamples,
    Pictures,
    given_pictures,
    labelled_pictures,
    mirrored,
    plain_ws,
)
from aligned_jax.jobs.zero_shot.results import ZeroShotLabels, ZeroShotReading
from aligned_jax.jobs.zero_shot.ways import Carrier, Scores, check_ways
from aligned_jax.loading import NetworkSource, label_of, named_network
from aligned_jax.networks.network import Network
from aligned_jax.semantics.latent_models import check_space
from aligned_jax.semantics.linear_fits import check_scikit_learn
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed
from aligned_jax.zero_shot import (
    THRESHOLDS,
    Figures,
    decided,
    label_figures,
    mirror_figures,
    standardised,
    threshold_of,
    value_figures,
)

ODD = ("yaw", "roll")
_NAMED = (NamedJudge, DirectionFiles)
# Of so many pictures on they are a population of their own.
_POPULATION = 30


@dataclass(frozen=True)
class ZeroShotOptions:
    """What decides labels and values besides networks, pictures and the teacher.

    Attributes:
      ways: of `ways.WAYS`.
      space, method, samples, first_seed, psi, label: of the parent's models, see `FitOptions`.
      threshold: of labels, see `zero_shot.threshold_of`.
      tails: share of the population at either end, for the threshold "tails".
      standardise: whether values get the parent's mean and deviation.
      population: "samples" of the child, or the "pictures" themselves, which thresholds and
        standardising are taken from; None takes pictures where there are 30.
      child_samples: of the child, for the way "paired", and to invert where neither encoder
        nor optimiser does.
      supervised: pictures of a dataset's split train that a supervised model learns from.
      mirrored: pictures of which the mirrored ones are read too, by what is odd.
      odd: attributes that change their sign in the mirror.
      both_sides: whether values of what is odd are half the difference between a picture and its
        mirror, so that whatever is the same in both has no say.
      batch: images at a time.

    Raises:
      UserError: for values that cannot be.
    """

    ways: Sequence[str] = ("latent",)
    space: str = "w"
    method: str | None = None
    samples: int = 4000
    first_seed: int = 0
    psi: float = 1.0
    label: int | None = None
    threshold: str = "boundary"
    tails: float = 0.1
    standardise: bool = True
    population: str | None = None
    child_samples: int = 2000
    supervised: int = 1000
    mirrored: int = 100
    odd: Sequence[str] = ODD
    both_sides: bool = False
    batch: int = 8

    def __post_init__(self) -> None:
        if self.population not in (None, "samples", "pictures"):
            raise UserError(f"population is {self.population!r:.40}; it is samples or pictures")
        if self.threshold not in THRESHOLDS:
            raise UserError(
                f"the threshold is {self.threshold!r:.40}; it is {', '.join(THRESHOLDS)}"
            )
        if not 0 < self.tails <= 0.5:
            raise UserError(f"tails are {self.tails:g}; they are a share above 0 and at most 0.5")
        if self.child_samples < 2:
            raise UserError(f"{self.child_samples} samples of the child; give 2 at least")

    def fit(self, task: str) -> FitOptions:
        """How the parent's samples become models."""
        return FitOptions(
            task=task,
            space=check_space(self.space),
            method=self.method,
            samples=self.samples,
            first=self.first_seed,
            psi=self.psi,
            label=self.label,
            batch=self.batch,
            boundary=self.threshold != "tails",
        )


def zero_shot(
    task: str,
    parent: NetworkSource,
    child: NetworkSource,
    teacher: Teacher,
    images: Any = None,
    *,
    data: str | os.PathLike[str] | None = None,
    data_images: str | None = None,
    split: str = "test",
    most: int | None = None,
    attributes: Sequence[str] | None = None,
    control: NetworkSource | None = None,
    options: ZeroShotOptions = ZeroShotOptions(),  # it cannot change
    pictures: PictureOptions = PictureOptions(),  # noqa: B008  # it cannot change
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> ZeroShotLabels:
    """Labels, or values, of pictures of a child's domain, for which nobody labelled it.

    Args:
      task: "classify" or "regress".
      parent, child: names, or loaded networks; the child was trained from the parent.
      teacher: who knows the parent's domain: a judge of pictures (a function, or as
        `judges.load_judge` reads it), scores by seed, answers of `aligned label` (NAME.json), or
        directions by name or in files (`DirectionFiles`), whose intercepts are the boundaries.
      images: pictures of the child's domain: names, or an array [N, H, W, C]; or None for data.
      data: pictures with the truth: a dataset, or a table file,name,value.
      data_images: folder or zip of a table's pictures.
      split: of the dataset.
      most: pictures of the data.
      attributes: that are wanted; None takes all that the teacher knows, and with data those of
        them that are known there, if there are any.
      control: a network of the child's domain that is aligned with nothing, for comparison.
      options: everything else.
      pictures: encoders or optimiser that invert; without either W is regressed on the child's own
        pictures.
      network_key: "G_ema" or "G" of networks that are loaded.
      report: hears of images and steps.

    Raises:
      UserError: for networks of different shapes, a teacher that does not know an attribute or
        says the same of everything, pictures that cannot be read, and options that contradict each
        other.
    """
    check_scikit_learn()
    if task not in ("classify", "regress"):
        raise UserError(f"the task is {task!r:.20}; it is classify or regress")
    if (images is None) == (data is None):
        raise UserError("give either pictures, or data with pictures and the truth")
    read = read_teacher(teacher)
    judge = read if isinstance(read, NamedJudge) else None
    check_ways(options.ways, judge)
    fit = options.fit(task)
    (parent_name, source), (child_name, target) = (
        named_network(one, network_key) for one in (parent, child)
    )
    networks = {"child": target}
    translation.check_aligned(source, target)
    names = {"parent": parent_name, "child": child_name}
    if control is not None:
        names["control"], networks["control"] = named_network(control, network_key)
        translation.check_aligned(source, networks["control"])
    warn_unrelated((parent, child), (source, target), report)
    config, training = target.config, None
    if data is None:
        asked = given_pictures(config, images, pictures.align)
    else:
        asked = labelled_pictures(config, data, data_images, split, most, 0, report)
        if os.path.isdir(data) and options.supervised and split != "train":
            training = labelled_pictures(config, data, None, "train", options.supervised, 0, report)
    pictures = dataclasses.replace(pictures, align="center")  # they are cut already
    known = _told(task, known_by(source, read, attributes, fit, report), asked, attributes)
    run = _Run(task, source, known, judge, asked, training, options, pictures, report)
    readings: list[ZeroShotReading] = []
    for which, network in networks.items():
        readings += run.readings(which, network)
    return ZeroShotLabels(
        task=task,
        pictures=asked,
        readings=readings,
        baselines={one.name: run.baselines(one.name) for one in known},
        worth={one.name: dict(one.worth) for one in known},
        odd=tuple(options.odd),
        both_sides=options.both_sides,
        facts={
            **{which: label_of(name) for which, name in names.items()},
            "teacher": read.name if isinstance(read, _NAMED) else str(teacher)[:80],
            "inverted by": run.inverter.says() if run.inverts else "",
            "models": f"{_models(known)}; {fit.samples} samples",
            "population": run.population,
        },
    )


def _models(known: Sequence[Known]) -> str:
    """What kind the models are of, in words."""
    kinds = (f"{one.model.facts.get('method', 'given')} in {one.model.space}" for one in known)
    return listed(dict.fromkeys(kinds))


def _told(
    task: str, known: list[Known], asked: Pictures, attributes: Sequence[str] | None
) -> list[Known]:
    """With the truth at hand and nothing asked for, what is known of the pictures too."""
    if attributes is not None or not asked.columns:
        return known
    both = [one for one in known if asked.truth(one.name, task) is not None]
    return both or known


class _Run:
    """One teacher, one set of pictures; any number of networks."""

    def __init__(
        self,
        task: str,
        parent: Network,
        known: Sequence[Known],
        judge: NamedJudge | None,
        pictures: Pictures,
        training: Pictures | None,
        options: ZeroShotOptions,
        how: PictureOptions,
        report: Reporter,
    ) -> None:
        self._task, self._parent, self._known, self._judge = task, parent, known, judge
        self._pictures, self._training, self._options = pictures, training, options
        self.inverter = Inverter(how, options.label, options.batch)
        self._report = report
        self._latents: np.ndarray | None = None  # of the pictures, in the child
        many = len(pictures) >= _POPULATION
        self.population = options.population or ("pictures" if many else "samples")
        self.inverts = bool({"latent", "translate"} & set(options.ways))

    def readings(self, which: str, network: Network) -> list[ZeroShotReading]:
        """All attributes by all ways, in the child or in a control."""
        options = self._options
        samples = self._known[0].latents
        samples = samples.take(range(min(len(samples), options.child_samples)))
        own, inverter = None, self.inverter
        if which == "control" and inverter.options.encoders:
            # Encoders are the child's; what needs none is as good as any for the control.
            inverter = Inverter(PictureOptions(), options.label)
        if "paired" in options.ways or (self.inverts and inverter.by_regression):
            own = OwnSamples.drawn(network, samples, options.batch, self._report)
        carrier = Carrier(
            parent=self._parent,
            network=network,
            known=self._known,
            judge=self._judge,
            inverter=inverter,
            own=own,
            samples=samples,
            binary=self._task == "classify",
            batch=options.batch,
            report=self._report,
        )
        images = self._pictures.images
        odd = [one.name for one in self._known if one.name in options.odd]
        most = len(images) if options.both_sides else options.mirrored
        count = min(most, len(images)) if odd and self._task == "regress" else 0
        both = np.concatenate([images, mirrored(images[:count])])
        latents = carrier.latents(both) if self.inverts else None
        if latents is not None and which == "child":
            self._latents = plain_ws(network, latents)[: len(images)].mean(axis=1)
        found = {way: carrier.scores(way, both, latents) for way in options.ways}
        return [
            self._reading(which, way, one, found[way], carrier.population(way), count)
            for way in options.ways
            for one in self._known
        ]

    def _reading(
        self, which: str, way: str, one: Known, scores: Scores, samples: Scores, count: int
    ) -> ZeroShotReading:
        options, total = self._options, len(self._pictures)
        every = scores[one.name]
        values = every[:total]
        population = values if self.population == "pictures" else samples[one.name]
        truth = self._pictures.truth(one.name, self._task)
        kinds = threshold = mirror = None
        if self._task == "classify":
            threshold = threshold_of(options.threshold, population, one.scores, options.tails)
            kinds = decided(values, threshold)
        elif options.standardise:
            every = standardised(every, population, one.scores)
            values = every[:total]
        if count and one.name in options.odd:
            mirror = mirror_figures(every[:count], every[total : total + count])
            if options.both_sides:
                values = (values - every[total:]) / 2
                if options.standardise:
                    values = standardised(values, values, one.scores - one.scores.mean())
        figures = None
        if truth is not None and np.isfinite(truth).any():
            fine = np.isfinite(truth)
            figures = (
                value_figures(truth[fine], values[fine])
                if kinds is None
                else label_figures(truth[fine] > 0, values[fine], kinds[fine])
            )
        return ZeroShotReading(
            one.name, way, which, values.astype(np.float32), kinds, threshold, figures, mirror
        )

    def baselines(self, name: str) -> Mapping[str, Figures]:
        """What the labels of the child are worth to models that know them."""
        return baselines(name, self._task, self._pictures, self._training, self._latents)
