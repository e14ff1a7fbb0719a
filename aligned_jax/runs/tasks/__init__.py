"""Kinds of training: one task for each kind of run."""

from typing import Any

from aligned_jax.runs.config import RunConfig
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.tasks.base import Task
from aligned_jax.runs.tasks.encoder import EncoderTask
from aligned_jax.runs.tasks.gan import GanTask

_TASKS: dict[str, Any] = {EncoderRun.kind: EncoderTask}


def task_of(config: RunConfig) -> Task[Any]:
    """The task of a run."""
    return _TASKS.get(config.kind, GanTask)(config)
