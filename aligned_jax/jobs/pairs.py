"""Datasets of aligned pairs: what a parent and its children make of the same latents."""

import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.data.writer import Written, write_dataset
from aligned_jax.errors import UserError
from aligned_jax.jobs.judges import NamedJudge, SeedScores
from aligned_jax.jobs.relatives import latents_for_all, load_relatives, name_of
from aligned_jax.loading import NetworkSource
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics import judged
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed
from aligned_jax.viz import png_bytes, to_uint8

_SCRIPT = Command()
_TAKEN = ("image", "z", "c", "seed")
_TEST_SEEDS = 2**31  # those of the split test begin so much later


@dataclass(frozen=True, eq=False)
class PairSource:
    """A dataset to be written by `write_dataset`: example k is drawn from seed `seed` + k.

    Attributes:
      networks: by name, the parent first.
      sources: how they were called.
      count, test: examples of the splits train and test; seeds of test begin 2^31 later.
      seed: of the first example.
      psi: truncation; 1 is none.
      label: class of conditional networks.
      judges: who scores the pictures of a network, by its name.
      batch: images at a time; changes an image by rounding at most.
    """

    networks: Mapping[str, Network]
    sources: Mapping[str, str]
    count: int
    test: int = 0
    seed: int = 0
    psi: float = 1.0
    label: int | None = None
    judges: Mapping[str, NamedJudge] | None = None
    batch: int = 8

    name = "pairs"

    def check(self) -> None:
        """Draws and scores one example; raises UserError for what cannot be."""
        if self.count < 1 or self.test < 0:
            raise UserError(f"{self.count} pairs and {self.test} for tests cannot be drawn")
        _ = self._scores

    def identity(self) -> dict[str, Any]:
        """All that decides the examples, JSON-able."""
        return {
            "networks": {
                name: {"source": self.sources[name], "sha256": fingerprint(network.variables)}
                for name, network in self.networks.items()
            },
            "count": self.count,
            "test": self.test,
            "seed": self.seed,
            "psi": self.psi,
            "label": self.label,
            "judges": {name: judge.name for name, judge in (self.judges or {}).items()},
            "batch": self.batch,
        }

    def splits(self) -> dict[str, int]:
        """How many examples each split has."""
        return {"train": self.count} | ({"test": self.test} if self.test else {})

    def features(self) -> dict[str, Any]:
        """The TFDS features: the parent's "image", one of each child, seed, z, labels, scores."""
        import tensorflow_datasets as tfds

        parent = next(iter(self.networks.values())).config
        side = parent.img_resolution
        picture = tfds.features.Image(
            shape=(side, side, parent.img_channels), encoding_format="png"
        )
        number = tfds.features.Scalar(dtype=np.float32)
        labels = {"c": tfds.features.Tensor(shape=(parent.c_dim,), dtype=np.float32)}
        return {
            **{self._feature(name): picture for name in self.networks},
            "seed": tfds.features.Scalar(dtype=np.int64),
            "z": tfds.features.Tensor(shape=(parent.z_dim,), dtype=np.float32),
            **(labels if parent.c_dim else {}),
            **dict.fromkeys(self._scores, number),
        }

    def examples(self, split: str, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Draws and scores examples `start` to `stop` of a split."""
        kept = ("z", "c") if next(iter(self.networks.values())).config.c_dim else ("z",)
        first = self.seed + (_TEST_SEEDS if split == "test" else 0)
        for begin in range(start, stop, self.batch):
            seeds = [first + k for k in range(begin, min(begin + self.batch, stop))]
            latents = self._latents(seeds)
            images, scores = self._drawn(latents)
            for place, seed in enumerate(seeds):
                yield {
                    **{name: png_bytes(pixels[place]) for name, pixels in images.items()},
                    **{key: latents.arrays[key][place] for key in kept},
                    "seed": seed,
                    **{name: float(values[place]) for name, values in scores.items()},
                }

    def conclusions(self, count: int, seen: Mapping[str, tuple[int, float]]) -> tuple[str, ...]:
        """What stands where in an example."""
        children = listed([self._feature(name) for name in list(self.networks)[1:]], most=9)
        return (f"the feature image is of {next(iter(self.networks))}; its partners: {children}",)

    def licence(self) -> str:
        """Text that goes beside the data."""
        return "Drawn by the networks that metadata.json names; their terms apply.\n"

    def description(self) -> str:
        """A sentence for the dataset's card."""
        parent, *children = self.networks
        return f"The same latents drawn by {parent} (image) and by {', '.join(children)}."

    @functools.cached_property
    def _scores(self) -> tuple[str, ...]:
        """Features that judges fill, which only a picture shows."""
        return tuple(self._drawn(self._latents([self.seed]))[1])

    def _latents(self, seeds: Sequence[int]) -> LatentBatch:
        return latents_for_all(self.networks, seeds, self.label, self.psi)

    def _drawn(self, latents: LatentBatch) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Pictures uint8 [n, R, R, C] of every network and scores float32 [n], by feature."""
        pictures, scores = {}, dict[str, np.ndarray]()
        for name, network in self.networks.items():
            images = render(network, latents, RenderOptions(batch=self.batch))
            pictures[self._feature(name)] = to_uint8(images)
            judge = (self.judges or {}).get(name)
            told = {} if judge is None else judged(judge, images)
            scores |= {_plain(f"{name} {score}"): values for score, values in told.items()}
        return pictures, scores

    def _feature(self, name: str) -> str:
        """What pictures of a network are called: those of the parent "image", as in any dataset."""
        return "image" if name == next(iter(self.networks)) else name


def draw_pairs(
    out: str | os.PathLike[str],
    parent: NetworkSource,
    children: Sequence[NetworkSource],
    count: int,
    *,
    test: int = 0,
    seed: int = 0,
    psi: float = 1.0,
    label: int | None = None,
    judge: NamedJudge | SeedScores | None = None,
    child_judge: NamedJudge | SeedScores | None = None,
    names: Sequence[str] | None = None,
    batch: int = 8,
    network_key: str = "G_ema",
    command: Command = _SCRIPT,
    report: Reporter = QUIET,
) -> Written:
    """Draws a dataset of aligned pairs, for pix2pix or distillation; an interrupted one goes on.

    Example k has the picture that `family` draws of seed `seed` + k by the parent ("image") and
    by each child (its name), the seed, z, labels c of conditional networks, and the scores that
    judges tell ("NETWORK SCORE").

    Args:
      out: the new folder.
      parent, children: names, or loaded networks.
      count: pairs to train on.
      test: pairs of the split "test", of other seeds.
      seed: of the first pair.
      psi: truncation; 1 is none, as GANs are distilled.
      label: class of conditional networks.
      judge: scores the parent's pictures.
      child_judge: scores those of every child.
      names: of the networks; by default their own.
      batch: images at a time.
      network_key: "G_ema" or "G" of networks that are loaded.
      command: recorded with the data.
      report: hears of every pair.

    Returns:
      pairs by split, and what became of the work of earlier calls.

    Raises:
      UserError: for networks that cannot be drawn together, names that no feature can have, or a
        folder that is taken or cannot be written.
    """
    if not children:
        raise UserError("a pair has a parent and a child; give one child or more")
    tables = [one.name for one in (judge, child_judge) if isinstance(one, SeedScores)]
    if tables:
        raise UserError(f"{', '.join(tables)}: scores of seeds; pairs need a judge of pictures")
    given = [parent, *children]
    networks = load_relatives(given, names, network_key)
    _check_names(list(networks))
    first, *others = networks
    judges = {first: judge} | dict.fromkeys(others, child_judge)
    kept = {name: one for name, one in judges.items() if isinstance(one, NamedJudge)}
    called = dict(zip(networks, map(name_of, given), strict=True))
    source = PairSource(networks, called, count, test, seed, psi, label, kept, batch)
    with report.progress(count + test, "pairs") as advance:
        return write_dataset(source, out, command.line, workers=1, advance=advance)


def _check_names(names: Sequence[str]) -> None:
    """Raises UserError naming networks whose names cannot be those of features."""
    wrong = [name for name in names[1:] if name in _TAKEN or _plain(name) != name]
    if wrong:
        raise UserError(
            f"no feature can be called {listed(wrong)}; choose others with `names`, of letters, "
            "digits, - and _"
        )


def _plain(name: str) -> str:
    """The name with what no feature's name may have replaced: "people hair-long"."""
    return re.sub(r"[^\w .-]", "-", name)
