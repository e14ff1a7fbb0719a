"""What the loop needs to know of the kind of networks that a run trains."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import jax
import numpy as np

from aligned_jax.config import AnyConfig
from aligned_jax.data.dataset import Dataset
from aligned_jax.errors import UserError
from aligned_jax.runs.config import RunConfig
from aligned_jax.training.parallel import Devices
from aligned_jax.types import PyTree
from aligned_jax.utils.text import listed

Config = TypeVar("Config", bound=RunConfig)


class SnapshotScore(Protocol):
    """A score of the network of a snapshot: the averaged generator, or the encoder."""

    @property
    def name(self) -> str:
        """As it stands in the statistics."""

    @property
    def higher_is_better(self) -> bool:
        """Which of two networks is the better one."""

    @property
    def warnings(self) -> Sequence[str]:
        """What to bear in mind about the last score."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What the last score was computed from."""

    def __call__(self, network: Any, kimg: int) -> float:
        """The score of the network at `kimg`."""


@dataclass(frozen=True)
class Start:
    """What a run starts from.

    Attributes:
      sources: variables by network; None if the run starts from scratch.
      lines: for people, on what became of every array; often none.
    """

    sources: Mapping[str, Any] | None = None
    lines: Sequence[str] = ()


def check_finite(source: str, networks: PyTree) -> None:
    """Raises UserError if the numbers that a run would start from are not all finite.

    Args:
      source: the NETWORK that they come from.
      networks: variables by network.
    """
    if broken := not_finite(networks):
        raise UserError(
            f"{source} cannot be started from: it holds numbers that are not finite, in "
            f"{listed(broken, 4)}; take another snapshot of it"
        )


def not_finite(tree: PyTree) -> list[str]:
    """Paths of leaves that hold a number that is not finite: "G/params/synthesis/b4/const"."""
    return [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        if not np.isfinite(leaf).all()
    ]


class Step(Protocol):
    """The compiled iteration of a run."""

    @property
    def device_dependence(self) -> Sequence[str]:
        """Why another number of devices would compute another step; often nothing."""

    def feed(
        self,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        gen_labels: np.ndarray | None = None,
    ) -> Any:
        """This host's rows of a batch, dealt to its devices."""

    def compile(self, state: Any, batch: Any) -> dict[str, jax.stages.Compiled]:
        """Compiles everything ahead of the first iteration; the programs by name."""

    def __call__(self, state: Any, batch: Any, iteration: int) -> tuple[Any, Any]:
        """One iteration: the new state, and reports; the old state is consumed."""


class Task(ABC, Generic[Config]):
    """A kind of training, made for the config of one run.

    Attributes:
      config: of the run.
      rest: fields of the state that are not networks of a checkpoint.
      state_type: class of the state.
      advice: what usually helps a run that diverges.
      whose: what the scores are of, in words.
    """

    rest: ClassVar[tuple[str, ...]]
    state_type: ClassVar[type]
    advice: ClassVar[str]
    whose: ClassVar[str]

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def configs(self) -> dict[str, AnyConfig]:
        """Configs of the networks of a checkpoint by key, which is also a field of the state.

        The first one is what is kept of older checkpoints.
        """

    @abstractmethod
    def start(self) -> Start:
        """What a run starts from.

        Raises:
          UserError: if it cannot be had, saying how to get it, or does not fit.
        """

    @abstractmethod
    def create(self, sources: Mapping[str, Any] | None) -> PyTree:
        """The state at the start of a run; traced. Without sources only its shapes count."""

    @abstractmethod
    def step(self, devices: Devices | None) -> Step:
        """The iteration on these devices, which compiles when it is first needed; None is all.

        Raises:
          ConfigError: if the step cannot be made, or dealt to the devices.
          UserError: if a network that the losses need is missing, saying how to get it.
        """

    @abstractmethod
    def notices(self) -> list[str]:
        """What to bear in mind about the run, in sentences."""

    @abstractmethod
    def intervals(self) -> list[int]:
        """Of the parts of a step that not every iteration computes."""

    @abstractmethod
    def counts(self, state: Any) -> dict[str, int]:
        """Trainable numbers by network."""

    @abstractmethod
    def facts(self, state: Any) -> dict[str, float]:
        """What the statistics tell of a state."""

    @abstractmethod
    def network(self, state: Any) -> Any:
        """The network of a state that is scored."""

    @abstractmethod
    def scores(self, dataset: Dataset, devices: Devices | None) -> Sequence[SnapshotScore]:
        """What `snapshots.metrics` asks for; the first one decides which network is the best.

        Args:
          dataset: that the run is trained on.
          devices: of this machine; None takes all.

        Raises:
          UserError: if something that they need is missing.
        """

    @abstractmethod
    def pictures(self, state: Any, reals: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """What there is to see of a state: float32 [N, R, R, C].

        Args:
          state: host arrays.
          reals: uint8 [n, R, R, C], the real images of `reals.png`.
          labels: float32 [snapshots.images, c_dim] of them, repeated where they are few.
        """

    @abstractmethod
    def picture_count(self, reals: int) -> int:
        """How many `pictures` there are, of so many real images."""

    @abstractmethod
    def belonging(self) -> dict[str, Any]:
        """Provenance of a network that belongs to another one; often nothing."""

    def expected(self) -> PyTree:
        """Shapes of the state."""
        return jax.eval_shape(lambda: self.create(None))

    def created(self, sources: Mapping[str, Any] | None) -> PyTree:
        """The state that starts from these variables, as host arrays; None: only shapes count."""
        # One program; drawn array by array, hundreds would be compiled.
        return jax.tree.map(np.asarray, jax.jit(self.create)(sources))

    def notes(self, step: Step) -> list[str]:
        """What to bear in mind about a run and its step, in sentences; often nothing."""
        reasons = "; ".join(step.device_dependence)
        first = [f"another number of devices would compute another step: {reasons}"]
        return first * bool(reasons) + self.notices()
