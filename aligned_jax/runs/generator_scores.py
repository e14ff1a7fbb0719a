"""Scores of the averaged generator while it trains, against the data it is trained on."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from aligned_jax import evaluation
from aligned_jax.data.dataset import Dataset
from aligned_jax.evaluation.collect import Gathered
from aligned_jax.networks.network import Network
from aligned_jax.runs.config import TrainConfig
from aligned_jax.training.parallel import Devices

# Images at a time; a score does not depend on it.
_BATCH = 16


@dataclasses.dataclass
class GeneratorScore:
    """One number of a metric, as the loop asks for it (`tasks.base.SnapshotScore`)."""

    name: str
    higher_is_better: bool
    scorer: "_Scorer"

    def __call__(self, network: Network, kimg: int) -> float:
        """The score at `kimg`."""
        return self.scorer.scores(network, kimg).values[self.name]

    @property
    def warnings(self) -> Sequence[str]:
        """What to bear in mind about the last scores."""
        return self.scorer.last.warnings

    @property
    def details(self) -> Mapping[str, Any]:
        """What the last scores were computed from, by metric."""
        return self.scorer.last.details


def scores_of(
    config: TrainConfig, dataset: Dataset, devices: Devices | None
) -> list[GeneratorScore]:
    """What `config.snapshots.metrics` asks for; the first one decides which network is the best.

    As in the official training the real images are all of the data, not mirrored,
    and the generated ones are not truncated.

    Args:
      config: of the run.
      dataset: that it is trained on.
      devices: of this machine; None takes all.

    Raises:
      UserError: for a metric that does not exist, or whose feature network is missing.
    """
    if not config.snapshots.metrics:
        return []
    names = evaluation.parse_names(config.snapshots.metrics)
    scorer = _Scorer(config, _reals(dataset), names, devices)
    return [
        GeneratorScore(value, metric.higher_is_better, scorer)
        for metric in (evaluation.METRICS[name] for name in names)
        for value in metric.values
    ]


def _reals(dataset: Dataset) -> evaluation.StoredImages:
    options = dataclasses.replace(dataset.options, mirror=False, subset=None)
    if options != dataset.options:
        from aligned_jax.data import open_dataset

        dataset = open_dataset(options)
    return evaluation.StoredImages(dataset, options.path)


class _Scorer:
    """Computes all scores of a snapshot when the first of them is asked for."""

    def __init__(
        self,
        config: TrainConfig,
        reals: evaluation.StoredImages,
        names: tuple[str, ...],
        devices: Devices | None,
    ) -> None:
        self._reals, self._names, self._devices = reals, names, devices
        self._count = config.snapshots.metric_images
        self._networks = evaluation.load_all(names, evaluation.load)
        self._labels = None
        if config.generator.c_dim:
            self._labels = evaluation.labels_like(reals.dataset, self._count)
        self._cache = _CacheInMemory(evaluation.default_folder())
        self._kimg, self.last = -1, evaluation.Scores({}, {}, [])

    def scores(self, network: Network, kimg: int) -> evaluation.Scores:
        if self._kimg != kimg:
            generated = evaluation.GeneratedImages(
                network, "G_ema", self._count, labels=self._labels, devices=self._devices
            )
            self.last = evaluation.evaluate(
                generated,
                self._reals,
                self._names,
                self._networks,
                batch=_BATCH,
                devices=self._devices,
                cache=self._cache,
            )
            self._kimg = kimg
        return self.last


class _CacheInMemory(evaluation.Cache):
    """The cache on the disk, of which this process reads everything once at most."""

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        self._known: dict[str, Gathered] = {}

    def load(self, key: Mapping[str, Any], need: str) -> Gathered | None:
        name = self._file(key, need).name
        if name not in self._known and (gathered := super().load(key, need)):
            self._known[name] = gathered
        return self._known.get(name)

    def save(self, key: Mapping[str, Any], need: str, gathered: Gathered) -> None:
        self._known[self._file(key, need).name] = gathered
        super().save(key, need, gathered)
