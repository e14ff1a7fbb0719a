"""Pictures at whose latents a generator is tuned, each alone or all together."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from aligned_jax import convert, features, inversion, loading, provenance, viz
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.inversion import Nearness, Settings, TuningSettings, tuning
from aligned_jax.jobs.inversion.folder import InversionFolder
from aligned_jax.jobs.inversion.request import InversionRequest
from aligned_jax.jobs.inversion.results import InvertedImage, TunedImage
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.utils.jsonable import to_dict
from aligned_jax.utils.precision import products
from aligned_jax.utils.reporting import Advance

# How a pivot is found unless other settings are given. The authors' projector is NVIDIA's, with
# these steps and samples; its rate is 0.01, which it sets anew in each step, so that the 5e-3 of
# their `first_inv_lr` decides nothing (training/projectors/w_projector.py).
PIVOT: Mapping[str, Any] = {"steps": 450, "learning_rate": 0.01, "samples": 600}
PERCEPTUAL = ("alex", "vgg", "none")
WORSE = "its tuning grew beyond all bounds"


@dataclass(frozen=True)
class TuneOptions:
    """How a generator is tuned, and what is kept of it.

    Attributes:
      settings: of the tuning.
      perceptual: network of LPIPS, "alex" as the authors have it, "vgg", or "none".
      together: whether all pictures get one generator; else each has its own.
      rank: of the differences of kernels that are kept; None for all of them.
      dtype: of the numbers that are kept, "float16" or "float32".
    """

    settings: TuningSettings = TuningSettings()  # noqa: RUF009  # it cannot change
    perceptual: str = "alex"
    together: bool = False
    rank: int | None = None
    dtype: str = "float16"

    def __post_init__(self) -> None:
        wrong = []
        if self.perceptual not in PERCEPTUAL:
            known = ", ".join(PERCEPTUAL)
            wrong.append(f"tuning has no LPIPS with {self.perceptual!r}; it can be {known}")
        if self.dtype not in convert.DTYPES:
            known = " or ".join(convert.DTYPES)
            wrong.append(f"what is kept of a tuning is {self.dtype!r}; it can be {known}")
        if self.rank is not None and self.rank < 1:
            wrong.append(f"the rank of what is kept of a tuning is {self.rank}; it is at least 1")
        if wrong:
            raise ConfigError("; ".join(wrong))

    def check(self, settings: Settings, config: GeneratorConfig) -> None:
        """Raises UserError for inversions at whose latents nothing is tuned.

        Args:
          settings: of the inversion that finds the pivots.
          config: of the network.
        """
        if settings.space not in ("w", "w+"):
            raise UserError(
                f"`space` is {settings.space!r}; a network is tuned at latents in w or w+"
            )
        if settings.noise in ("keep", "none"):
            raise UserError(
                f"`noise` is {settings.noise!r}; a network is tuned with its stored maps: give "
                "drop or const"
            )
        tuning.check_held(config, self.settings)


class Tuner:
    """Tunes a network at the latents of pictures, and writes what became of it."""

    def __init__(
        self, request: InversionRequest, options: TuneOptions, folder: InversionFolder | None
    ) -> None:
        """Reads the weights of LPIPS.

        Args:
          request: of the inversions.
          options: of the tuning.
          folder: where deltas are written, and may be already; None if they are not.

        Raises:
          UserError: if the weights of LPIPS are not there, or `options.check` refuses.
        """
        options.check(request.settings, request.network.config)
        self._request, self._options, self._folder = request, options, folder
        loss = options.perceptual
        self._loss = None if loss == "none" else features.lpips(loss)

    @property
    def steps(self) -> int:
        """Of a picture, at most."""
        return self._options.settings.steps

    def all(
        self, images: Sequence[InvertedImage], advance: Advance
    ) -> Iterator[tuple[range, tuple[TunedImage, ...]]]:
        """Tunes at some pictures after the other; yields as soon as some of them are finished.

        Args:
          images: pictures with their pivots.
          advance: hears of steps, `settings.steps` for each picture.

        Yields:
          Which of the pictures, and what became of each; nothing if their tuning did not stay
          finite.
        """
        size = len(images) if self._options.together else 1
        for first in range(0, len(images), size):
            group = tuple(images[first : first + size])
            yield range(first, first + len(group)), self._one(group, advance)

    def _one(self, group: tuple[InvertedImage, ...], advance: Advance) -> tuple[TunedImage, ...]:
        name = "tuned" if self._options.together else group[0].target.name
        total = len(group) * self._options.settings.steps
        facts = self._facts(group)
        known = self._folder.read_delta(self._request, name) if self._folder else None
        if known and {key: known.facts.get(key) for key in facts} == facts:
            advance(total)
            results = self._measured(group, known, f"{name}.safetensors")
            self._show(group, results)
            return results
        tuned = self._tuned(group, advance, total)
        if not tuned.finite:
            return ()
        delta = self._delta(tuned, facts)
        results = self._measured(group, delta, f"{name}.safetensors")
        said = [{**one.distances, "before": one.before} for one in results]
        names = [one.target.name for one in group]
        more = {"distances": dict(zip(names, said, strict=True)), **self._made_by()}
        delta = dataclasses.replace(delta, facts={**delta.facts, **more})
        if self._folder:
            size = self._folder.write_delta(name, delta)
            results = tuple(dataclasses.replace(one, bytes=size) for one in results)
            self._show(group, results)
        return results

    def _show(self, group: tuple[InvertedImage, ...], results: tuple[TunedImage, ...]) -> None:
        """Writes the pictures anew, those of the tuned network beside them."""
        for image, result in zip(group, results, strict=True):
            if self._folder:
                self._folder.write_pictures(self._request, image, result)

    def _tuned(
        self, group: tuple[InvertedImage, ...], advance: Advance, total: int
    ) -> inversion.Tuned:
        request, told = self._request, [0]

        def watch(turns: int, distance: float) -> None:
            advance(turns - told[0], f"LPIPS {distance:.4f}")
            told[0] = turns

        with products(request.settings.precision):
            tuned = inversion.tune(
                request.network,
                _pivots(group),
                _pixels(group),
                self._loss,
                self._options.settings,
                jax.random.key(request.seed),
                c=request.label,
                watch=watch,
            )
        advance(total - told[0])
        return tuned

    def _delta(self, tuned: inversion.Tuned, facts: Mapping[str, Any]) -> convert.Delta:
        network, options = self._request.network, self._options
        try:
            name = loading.pinned_name(self._request.network_name)
        except UserError:  # it was given in memory
            name = self._request.network_name
        key = self._request.network_key
        return convert.delta_of(
            network.config,
            network.variables,
            tuned.network.variables,
            convert.DeltaBase(name, key, fingerprint(network.variables)),
            rank=options.rank,
            dtype=options.dtype,
            facts={**facts, "steps": tuned.steps},
        )

    def _measured(
        self, group: tuple[InvertedImage, ...], delta: convert.Delta, file: str
    ) -> tuple[TunedImage, ...]:
        """What the delta as it is kept makes of each picture."""
        network = self._request.network
        bent = Network(network.config, convert.added(network.config, network.variables, delta))
        rows = [
            inversion.measure(one, _pivots(group), _pixels(group), self._loss)
            for one in (network, bent)
        ]
        size = self._folder.size_of(file) if self._folder else delta.bytes
        found = []
        for k in range(len(group)):
            before, after = (self._distances(row, k) for row in rows)
            image = viz.to_uint8(rows[1].images[k])
            steps = int(delta.facts["steps"])
            found.append(TunedImage(image, delta, file, size, steps, after, before))
        return tuple(found)

    def _distances(self, row: Nearness, index: int) -> dict[str, float]:
        pixel = {"pixel": float(row.pixel[index])}
        return {"perceptual": float(row.perceptual[index]), **pixel} if self._loss else pixel

    def _facts(self, group: tuple[InvertedImage, ...]) -> dict[str, Any]:
        """What decides the result of a tuning, as it comes back from a file."""
        digest = hashlib.sha256(_pivots(group).tobytes()).hexdigest()
        facts = {
            "pictures": [self._request.facts(one.target) for one in group],
            "pivots": digest,
            "tuning": to_dict(self._options),
        }
        return dict(json.loads(json.dumps(facts)))

    def _made_by(self) -> dict[str, Any]:
        command = self._request.command
        return {"verb": command.verb or "invert", **provenance.record(command)}


def _pivots(group: tuple[InvertedImage, ...]) -> np.ndarray:
    return np.concatenate([one.inversion.latent for one in group])


def _pixels(group: tuple[InvertedImage, ...]) -> np.ndarray:
    return np.stack([one.target.pixels for one in group])
