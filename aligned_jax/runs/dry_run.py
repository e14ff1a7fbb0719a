"""What a run would be: its config, sizes, memory and pace, measured on this machine.

The pace is a measurement, not an estimate: the step is compiled and every kind
of iteration (with and without each regularisation) runs on the first batch. Only
the reading of further data, saving and pictures are left out. Memory is what the
compiler reserves for the largest phase, so it is known even where the device
does not count it.
"""

import math
import time
from collections import Counter
from typing import Any

import jax

from aligned_jax.runs.loop import TrainingRun
from aligned_jax.runs.tasks.base import Step, Task
from aligned_jax.training import parallel
from aligned_jax.types import PyTree
from aligned_jax.utils.text import duration

_REPEATS = 2


def report(run: TrainingRun, state: PyTree) -> list[str]:
    """Lines for people: sizes, memory of a device, pace, and what would be kept where.

    Args:
      run: before its first step, which is compiled.
      state: host arrays that it would start from.
    """
    task, step, devices = run.task, run.step, run.devices
    config = task.config
    counts = ", ".join(f"{name} {count:,}" for name, count in task.counts(state).items())
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    batch = step.feed(*next(run.batches(int(state.step))))
    state = parallel.replicate(state, devices)
    began = time.perf_counter()
    programs = step.compile(state, batch)
    compiling = time.perf_counter() - began
    rate = images_per_second(task, step, state, batch)
    per_kimg = 1000 / rate
    used = list(devices or jax.devices())
    return [
        f"trainable parameters: {counts}",
        f"devices: {len(used)} x {used[0].device_kind}, {config.batch_size} images a batch",
        f"memory of a device: {_peak(programs) / 2**30:.2f} GiB by the compiler's count",
        f"compilation: {compiling:.0f} s, kept for the run unless `cache=False`",
        f"pace measured on the first batch: {rate:.1f} img/s, {per_kimg:.1f} s/kimg",
        f"{config.kimg} kimg would take {duration(config.kimg * per_kimg)}",
        place(run, size),
    ]


def place(run: TrainingRun, size: int) -> str:
    """A line on where checkpoints would go, how many stay, and the bytes of a whole one."""
    options = run.task.config.snapshots
    kept = sum(map(options.is_kept, [0, *run.task.config.marks()]))
    return (
        f"checkpoints: {run.folder.checkpoint(0).parent}, every {options.tick_kimg} kimg; networks "
        f"of {kept} would stay, and the {options.latest} latest whole, {size / 2**30:.2f} GiB each"
    )


def images_per_second(task: Task[Any], step: Step, state: Any, batch: Any) -> float:
    """Pace over a full cycle of main and regularisation phases; the state is consumed."""
    intervals = task.intervals()
    period = math.lcm(*intervals)
    kinds = Counter(tuple(i % k == 0 for k in intervals) for i in range(period))
    first = {tuple(i % k == 0 for k in intervals): i for i in reversed(range(period))}
    state, _ = step(state, batch, 0)  # the first run of a program is slower
    seconds = 0.0
    for kind, count in kinds.items():
        times = []
        for _ in range(_REPEATS):
            jax.block_until_ready(state)
            began = time.perf_counter()
            state, _ = step(state, batch, first[kind])
            jax.block_until_ready(state)
            times.append(time.perf_counter() - began)
        seconds += count * min(times)
    return period * task.config.batch_size / seconds


def _peak(programs: dict[str, Any]) -> int:
    """Bytes of the largest program: its arguments, results and working memory."""
    analyses = [program.memory_analysis() for program in programs.values()]
    return max(
        m.argument_size_in_bytes
        + m.output_size_in_bytes
        + m.temp_size_in_bytes
        - m.alias_size_in_bytes
        for m in analyses
    )
