"""Scores of an encoder while it trains: how near fixed images come that it does not train on."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aligned_jax import evaluation, features, viz
from aligned_jax.data.dataset import Dataset
from aligned_jax.networks.encoder_network import EncoderNetwork
from aligned_jax.runs.encoder_run import PIXELS, EncoderRun, metric_names
from aligned_jax.utils.blocks import blocks

# Float32 images of uint8 [N, R, R, C], their labels [N, c_dim], and an encoder.
Rebuild = Callable[[np.ndarray, np.ndarray, EncoderNetwork], np.ndarray]
_TEST = "test"
_AT_A_TIME = 8


@dataclasses.dataclass
class EncoderScore:
    """The mean of one distance, as the loop asks for it (`tasks.base.SnapshotScore`)."""

    name: str
    lpips: Any  # None measures pixels
    rebuilt: "_Rebuilt"
    higher_is_better: bool = False

    def __call__(self, network: EncoderNetwork, kimg: int) -> float:
        """The score at `kimg`."""
        images, made = self.rebuilt.images, self.rebuilt.by(network, kimg)
        if self.lpips is None:
            return float(pixel_rmse(images, made).mean())
        pairs = images.__getitem__, made.__getitem__
        return float(evaluation.pair_distances(self.lpips, *pairs, len(images)).mean())

    @property
    def warnings(self) -> Sequence[str]:
        """What to bear in mind."""
        return self.rebuilt.warnings

    @property
    def details(self) -> Mapping[str, Any]:
        """What is measured."""
        return {"images": len(self.rebuilt.images), "split": self.rebuilt.split}


def scores_of(config: EncoderRun, dataset: Dataset, rebuild: Rebuild) -> list[EncoderScore]:
    """What `config.snapshots.metrics` asks for; the first one decides which encoder is the best.

    Images are those of the split "test", or of the run itself if the data have none.

    Args:
      config: of the run.
      dataset: that it is trained on.
      rebuild: what the generator makes of an encoder's latents.

    Raises:
      UserError: if the data or a network of LPIPS are missing.
    """
    names = metric_names(config)
    if not names:
        return []
    networks = {n: None if n == PIXELS else features.lpips(n.split("_")[1]) for n in names}
    rebuilt = _Rebuilt(dataset, config.snapshots.metric_images, rebuild)
    return [EncoderScore(name, network, rebuilt) for name, network in networks.items()]


def pixel_rmse(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Root mean squared difference in [-1, 1] of each pair of uint8 images [N, H, W, C]."""
    difference = (images.astype(np.float32) - others.astype(np.float32)) / 127.5
    return np.sqrt(np.square(difference).mean(axis=(1, 2, 3)))


class _Rebuilt:
    """Fixed images, and what the latest encoder's latents of them draw."""

    def __init__(self, dataset: Dataset, most: int, rebuild: Rebuild) -> None:
        from aligned_jax.data import open_dataset
        from aligned_jax.data.dataset import read_info

        options = dataset.options
        self.warnings: list[str] = []
        if options.split.split("[")[0] != _TEST and _TEST in read_info(options.path).splits:
            options = dataclasses.replace(options, split=_TEST, mirror=False, subset=None)
            dataset = open_dataset(options)
        else:
            self.warnings = [
                f"scores are of images that are trained on, for {options.path} has no others "
                f"(`aligned data images --test 0.1` makes some)"
            ]
        self.split = options.split
        count = min(most, len(dataset))
        places = np.random.RandomState(0).choice(len(dataset), count, replace=False)
        shown = [dataset[int(place)] for place in places]
        self.images, self._labels = (np.stack(values) for values in zip(*shown, strict=True))
        self._rebuild, self._kimg, self._made = rebuild, -1, self.images

    def by(self, encoder: EncoderNetwork, kimg: int) -> np.ndarray:
        """What the generator makes of the encoder's latents: uint8 as `images`."""
        if self._kimg != kimg:
            parts = []
            for rows, kept in blocks(len(self.images), _AT_A_TIME):
                drawn = self._rebuild(self.images[rows], self._labels[rows], encoder)
                parts.append(viz.to_uint8(drawn)[:kept])
            self._kimg, self._made = kimg, np.concatenate(parts)
        return self._made
