"""Everything that decides a training run, in one frozen, JSON-able object, and its overrides.

Overrides are typed as `--gan.r1-gamma 0.2 --data.mirror`: the name has a dot and is that of
one field of the config, however deeply nested it is (tyro reads it).
"""

import contextlib
import dataclasses
import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

from aligned_jax.augment.options import AdaConfig, AugmentConfig
from aligned_jax.config import DiscriminatorConfig, GeneratorConfig
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import ConfigError, UserError, too_large, too_small
from aligned_jax.training.options import GanOptions
from aligned_jax.utils.jsonable import from_dict, to_dict

# What may differ between a run and its continuation: where the data lie, and how long.
_FREE = ("data.path", "kimg")
# Images are counted in 32 bits; the rest is far beyond use, and would fill the memory.
_MOST = {"kimg": 2_000_000, "batch_size": 65_536}
_MOST_OF_SNAPSHOTS = {"tick_kimg": 2_000_000, "images": 4096, "metric_images": 1_000_000}
_LARGEST_GRID = 2**27  # pixels; Pillow opens no larger pictures
_BOX = "╭╮╰╯│─"
# Given by options of their own, or decided by the data.
_FIXED = (
    *("data.path", "gan.batch_size", "losses.batch_size", "gan.precision", "losses.precision"),
    *("start", "partial", "fingerprint"),
)
_INSTEAD = {
    "data.path": "use `data`",
    "gan.batch_size": "use `batch`",
    "losses.batch_size": "use `batch`",
    "gan.precision": "use `precision`",
    "losses.precision": "use `precision`",
}


@dataclass(frozen=True)
class SnapshotOptions:
    """What a run writes while it trains. A tick is so many thousand images.

    Statistics and a full state (from which the run can go on) come with every
    tick. The `latest` full states are kept. Of older ones the averaged
    generator is kept where the visible change is fast, in the first `dense`
    ticks, then every `every` ticks (StyleAlign, figures 4 and 13). At every
    multiple of `keep_kimg`, if that is not 0, a tick ends too, and all networks
    are kept, so that a child can start there. Pictures of `images` fixed latents
    come with each of these, and so do the scores `metrics` (names joined by commas,
    such as "fd_vgg,kid_vgg") of `metric_images` images; the network that is best by
    the first of them is kept as well.
    """

    tick_kimg: int = 4
    dense: int = 20
    every: int = 10
    keep_kimg: int = 0
    latest: int = 2
    images: int = 32
    metrics: str = ""
    metric_images: int = 5000

    def __post_init__(self) -> None:
        least = {"tick_kimg": 1, "dense": 0, "every": 1, "keep_kimg": 0, "latest": 1, "images": 1}
        least |= {"metric_images": 2}
        wrong = too_small(self, least, "snapshots.")
        if wrong := wrong + too_large(self, _MOST_OF_SNAPSHOTS, "snapshots."):
            raise ConfigError("; ".join(wrong))

    def is_kept(self, kimg: int) -> bool:
        """Whether the averaged generator at so many thousand images is kept for good."""
        tick, rest = divmod(kimg, self.tick_kimg)
        regular = rest == 0 and (tick <= self.dense or tick % self.every == 0)
        return regular or self.is_kept_whole(kimg)

    def is_kept_whole(self, kimg: int) -> bool:
        """Whether the other networks are kept as well."""
        return self.keep_kimg > 0 and kimg > 0 and kimg % self.keep_kimg == 0


class RunConfig(ABC):
    """What all kinds of runs have in common; fields are those of the subclasses.

    Every run has `data`, `fingerprint`, `generator`, `snapshots`, `kimg`, `seed` and
    `start`, and its kind's name in `config.json`.
    """

    kind: ClassVar[str]
    data: DataOptions
    generator: GeneratorConfig
    snapshots: SnapshotOptions
    kimg: int
    seed: int
    start: str | None
    fingerprint: str

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Images in a batch, over all devices and hosts."""

    def mistakes(self) -> list[str]:
        """Sentences on what cannot be."""
        wrong = too_small(self, {"kimg": 1}) + too_large(self, _MOST)
        side = self.generator.img_resolution
        if self.snapshots.images * side**2 > _LARGEST_GRID:
            wrong.append(
                f"snapshots.images is {self.snapshots.images}; of {side} pixels it must be at most "
                f"{_LARGEST_GRID // side**2}"
            )
        if not 0 <= self.seed < 2**32:
            wrong.append(f"seed is {self.seed}; it must lie between 0 and 2**32 - 1")
        if self.batch_size > self.snapshots.tick_kimg * 1000:
            wrong.append(
                f"a batch of {self.batch_size} is more than a tick of "
                f"{self.snapshots.tick_kimg} kimg; raise snapshots.tick_kimg"
            )
        return wrong

    def marks(self) -> list[int]:
        """Thousands of images at which a tick ends, the last one being the end of the run."""
        tick, keep, last = self.snapshots.tick_kimg, self.snapshots.keep_kimg, self.kimg
        ends = {self.iterations(mark): mark for mark in range(tick, last, tick)}
        if keep:
            # A large batch may reach two marks at once; what is kept whole comes first.
            ends |= {self.iterations(mark): mark for mark in range(keep, last, keep)}
        return [*(ends[end] for end in sorted(ends) if end < self.iterations(last)), last]

    def iterations(self, kimg: int) -> int:
        """Iterations after which so many thousand images have been shown."""
        return -(-kimg * 1000 // self.batch_size)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that JSON can hold; `from_json` is the inverse."""
        return to_dict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Raises ConfigError naming every field that is unknown or ill-typed."""
        return from_dict(cls, values)


@dataclass(frozen=True)
class TrainConfig(RunConfig):
    """A run: the same config on the same data gives the same networks.

    Attributes:
      data, fingerprint: what is trained on, and a hash of its content.
      start: the NETWORK that fine-tuning starts from; None trains from scratch.
      partial: whether only what fits was copied from `start`.
      generator, discriminator: sizes; the resolution, channels and labels are the data's.
      gan: losses, schedule and optimisers.
      augment, ada: what the discriminator's images go through, and how often.
      kimg: length, in thousands of real images shown.
      seed: of the networks, the order of the data, and every draw.
    """

    kind: ClassVar[str] = "training run"
    data: DataOptions
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    gan: GanOptions
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    ada: AdaConfig = field(default_factory=lambda: AdaConfig(mode="none"))
    snapshots: SnapshotOptions = field(default_factory=SnapshotOptions)
    kimg: int = 1000
    seed: int = 0
    start: str | None = None
    partial: bool = False
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if wrong := self.mistakes():
            raise ConfigError("; ".join(wrong))

    @property
    def batch_size(self) -> int:
        """Images in a batch, over all devices and hosts."""
        return self.gan.batch_size


_Config = TypeVar("_Config")


def replaced(config: _Config, **values: Any) -> _Config:
    """The config, a dataclass, with those of `values` that are not None."""
    given = {name: value for name, value in values.items() if value is not None}
    return dataclasses.replace(config, **given)  # type: ignore[type-var]  # RunConfig has no fields


def flat(config: Any, prefix: str = "") -> dict[str, Any]:
    """Fields of nested dataclasses by dotted name."""
    values: dict[str, Any] = {}
    for f in dataclasses.fields(config):
        value = getattr(config, f.name)
        name = prefix + f.name
        values |= flat(value, f"{name}.") if dataclasses.is_dataclass(value) else {name: value}
    return values


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """One line for every field in which two runs differ, where they lie and kimg aside."""
    before, after = flat(old), flat(new)
    if old.kind != new.kind:
        return [f"kind: {old.kind} there, {new.kind} here"]
    return [
        f"{name}: {before[name]} there, {after[name]} here"
        for name in before
        if name not in _FREE and before[name] != after[name]
    ]


@dataclass(frozen=True)
class _Data:
    data: DataOptions


def data_options(path: str, overrides: Sequence[str]) -> DataOptions:
    """Options of the data, which are needed before all others; UserError as `override`."""
    start = _Data(DataOptions(path))
    return override(start, [w for group in _groups(overrides, "data.") for w in group]).data


def override(config: _Config, overrides: Sequence[str]) -> _Config:
    """The config with the overrides in it.

    Raises:
      UserError: in one line, for an option that does not exist, a value of
        another type, or one that cannot be.
    """
    if not overrides:
        return config
    for group in _groups(overrides, ""):
        name = group[0].removeprefix("--").partition("=")[0].replace("-", "_")
        if name in _FIXED:
            raise UserError(f"{group[0]} cannot be overridden; {_INSTEAD[name]}")
    code, _, message, result = _parse(config, overrides)
    if code is None:
        return result
    raise UserError(_one_line(message))


def describe(config: RunConfig) -> str:
    """All overrides with their present values, as a help page."""
    return _parse(config, ["--help"])[1]


def _parse(config: Any, words: Sequence[str]) -> tuple[int | None, str, str, Any]:
    """(exit code or None, what went to stdout, to stderr, the result)."""
    import tyro

    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            result = tyro.cli(
                type(config), default=config, args=list(words), prog="aligned", use_underscores=True
            )
    except SystemExit as exit_:
        return int(exit_.code or 0), out.getvalue(), err.getvalue(), None
    return None, out.getvalue(), err.getvalue(), result


def _groups(overrides: Sequence[str], prefix: str) -> list[list[str]]:
    """Overrides whose names begin with `prefix`, each with its values."""
    groups: list[list[str]] = []
    for word in overrides:
        if word.startswith("--"):
            groups.append([])
        groups[-1].append(word)
    return [group for group in groups if group[0].startswith(f"--{prefix}")]


def _one_line(message: str) -> str:
    """What tyro says in a box, as one line."""
    lines = [line.strip(_BOX + " ") for line in message.splitlines()]
    useful = [line for line in lines[1:] if line.strip("-") and "helptext" not in line]
    return " ".join(useful)[:500] or "an override cannot be read"
