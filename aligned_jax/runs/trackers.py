"""Where the numbers of a run go besides `stats.jsonl`: TensorBoard files, and Weights & Biases."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from aligned_jax.data.opening import opened, read_file
from aligned_jax.errors import UserError
from aligned_jax.runs.config import RunConfig
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.hosts import Session, tensorboard, wandb
from aligned_jax.runs.progress import TrainingReporter
from aligned_jax.utils.paths import is_remote
from aligned_jax.utils.text import said

_PROJECT = "aligned_jax"  # unless WANDB_PROJECT names another


class Tracker(Protocol):
    """Hears the numbers of every tick."""

    def log(self, kimg: int, numbers: Mapping[str, float], picture: Path | None) -> None:
        """Numbers by name at so many thousand images, and the picture of that snapshot if any."""


class TensorBoard:
    """A writer of TensorBoard files."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def log(self, kimg: int, numbers: Mapping[str, float], picture: Path | None) -> None:
        """Numbers alone, over thousands of images."""
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, kimg)
        with contextlib.suppress(OSError):
            self._writer.flush()


class WeightsAndBiases:
    """A run of wandb; that it fails is told once, and ends no training."""

    def __init__(self, run: Any, report: TrainingReporter) -> None:
        self._run, self._report, self._failed = run, report, False

    def log(self, kimg: int, numbers: Mapping[str, float], picture: Path | None) -> None:
        """Numbers, over thousands of images as `kimg`, and the picture."""
        if self._failed:
            return
        try:
            logged: dict[str, Any] = {"kimg": kimg, **numbers}
            if picture is not None and picture.exists():
                with opened(read_file(picture)) as image:
                    logged["images"] = wandb().Image(image)
            self._run.log(logged)
        except Exception as error:  # it has many kinds, and those of its service
            self._failed = True
            self._report.warn(f"Weights & Biases hears no more of this run: {said(error)}")


@contextlib.contextmanager
def tracking(
    session: Session, folder: RunFolder, config: RunConfig, images: int, report: TrainingReporter
) -> Iterator[list[Tracker]]:
    """What the session asks for, for the time of the block.

    Args:
      session: which trackers are wanted.
      folder, config: of the run.
      images: that have been shown; what TensorBoard has of later ones is hidden.
      report: hears where numbers go, and that a tracker failed.

    Raises:
      UserError: if wandb does not begin.
    """
    with contextlib.ExitStack() as stack:
        trackers: list[Tracker] = []
        if session.tensorboard:
            again = images // 1000 + 1 if images else None  # its steps are thousands of images
            writer = tensorboard()(str(folder.path / "tensorboard"), purge_step=again)
            trackers.append(TensorBoard(stack.enter_context(writer)))
        if session.wandb:
            run = stack.enter_context(_wandb_run(folder, config))
            if url := None if getattr(run, "offline", False) else getattr(run, "url", None):
                report.notice(f"numbers and pictures go to {url}")
            trackers.append(WeightsAndBiases(run, report))
        yield trackers


def _wandb_run(folder: RunFolder, config: RunConfig) -> Any:
    """The run of wandb, the same one each time that the training goes on.

    WANDB_MODE, WANDB_PROJECT and the login are wandb's own affair. It is told the config, and
    neither what is on the terminal nor code.
    """
    package = wandb()
    try:
        run = package.init(
            project=os.environ.get("WANDB_PROJECT") or _PROJECT,
            name=folder.path.name,
            id=_identity(folder),
            resume="allow",
            config=config.to_json(),
            dir=None if is_remote(folder.path) else str(folder.path),
            settings=package.Settings(
                silent=True, console="off", disable_git=True, save_code=False
            ),
        )
        run.define_metric("kimg")
        run.define_metric("*", step_metric="kimg")  # for a run that goes on steps can come twice
    except Exception as error:  # no login, no answer, no service: each has its own kind
        raise UserError(
            f"Weights & Biases did not begin: {said(error)}; log in by `wandb login`, or set "
            "WANDB_MODE=offline"
        ) from error
    return run


def _identity(folder: RunFolder) -> str:
    """What wandb calls the run, kept in its folder."""
    file = folder.path / "wandb-id"
    if file.exists():
        known = file.read_text(encoding="utf-8").strip()
        if known.isalnum() and len(known) <= 64:
            return known
    made = secrets.token_hex(8)
    file.write_text(f"{made}\n", encoding="utf-8")
    return made
