"""From a config to a run: what `pretrain`, `finetune` and `resume` share."""

import argparse
import contextlib
import json
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aligned_jax.errors import UserError
from aligned_jax.train import arguments, presets, session
from aligned_jax.train.config import TrainConfig
from aligned_jax.train.run_folder import RunFolder, locked

# (config) -> what the networks start from, for `create_state`, and lines about it.
Starter = Callable[[TrainConfig], tuple[dict[str, Any] | None, list[str]]]


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of a run that begins."""
    add = parser.add_argument
    add("--data", required=True, metavar="D", help="a dataset made by `aligned data`")
    add("--run", required=True, metavar="DIR", help="folder of the run; new, or the same run's")
    add("--kimg", type=int, help="length in thousands of images")
    add("--batch", type=int, help="images in a batch, over all devices and hosts")
    add("--seed", type=int, help="of the networks and of every draw (default 0)")
    add(
        "--augment",
        metavar="NAME",
        help="adaptive augmentation by bgc, bgcfnc, blit, ...; or none",
    )
    add("--dry-run", action="store_true", help="print what would happen, measure it, and stop")
    add("--options", action="store_true", help="list all overrides with their values, and stop")
    session.add_arguments(parser)
    parser.set_defaults(overrides=[])


def config_for(args: argparse.Namespace, dataset: Any, preset: str) -> TrainConfig:
    """The preset for this dataset and batch, `--kimg` and `--seed` in it."""
    if args.batch is not None and args.batch < 1:
        raise UserError(f"--batch is {args.batch}; it must be at least 1")
    sizes = presets.Sizes(dataset.resolution, dataset.channels, dataset.c_dim)
    config = presets.config_of(preset, dataset.options, sizes, args.batch, args.augment)
    return arguments.replaced(
        config, kimg=args.kimg, seed=args.seed, fingerprint=dataset.fingerprint
    )


def open_data(args: argparse.Namespace) -> Any:
    """The dataset of `--data` and its overrides."""
    from aligned_jax.data import open_dataset

    return open_dataset(arguments.data_options(args.data, args.overrides))


def settle(config: TrainConfig, args: argparse.Namespace, dataset: Any) -> TrainConfig:
    """Overrides, half precision where the device has a use for it, and the last checks."""
    import jax

    marked = config.generator.half_resolutions + config.discriminator.half_resolutions
    if marked and jax.default_backend() != "cpu":
        config = arguments.override(config, ["--gan.half", "bfloat16"])
    config = arguments.override(config, args.overrides)
    check_data(config, dataset)
    return config


def check_data(config: TrainConfig, dataset: Any) -> None:
    """Raises UserError naming everything in which the networks do not fit the dataset."""
    has = {
        "img_resolution": dataset.resolution,
        "img_channels": dataset.channels,
        "c_dim": dataset.c_dim,
    }
    wrong = [
        f"{part}.{name} is {getattr(getattr(config, part), name)}, the data have {value}"
        for part in ("generator", "discriminator")
        for name, value in has.items()
        if getattr(getattr(config, part), name) != value
    ]
    if wrong:
        raise UserError(f"the networks do not fit {config.data.path}: {'; '.join(wrong)}")


def begin(
    args: argparse.Namespace, config: TrainConfig, dataset: Any, start: Starter | None = None
) -> int:
    """Begins a run, or goes on with it if the folder holds the very same one."""
    if args.options:
        print(arguments.describe(config))
        return 0
    if args.dry_run:
        from aligned_jax.train import dry_run

        print(json.dumps(config.to_json(), indent=2))
        print("\n".join(dry_run.report(config, session.devices(args))))
        return 0
    run = RunFolder(args.run)
    run.check_empty()
    with locked(run, is_first()):
        run.check_empty()
        if run.exists():
            run.check_same(config)
            return go_on(args, run, config, dataset)
        networks, lines = start(config) if start else (None, [])
        origin = _origin(args, lines)
        state = _fresh(config, networks)
        if is_first():
            run.tidy()
            run.write_config(config, origin)
            for line in lines:
                print(line)
        return _train(args, run, config, origin, dataset, state, {})


def go_on(args: argparse.Namespace, run: RunFolder, config: TrainConfig, dataset: Any) -> int:
    """Continues a run from its latest state; the folder is locked by the caller."""
    from aligned_jax.train import snapshot

    known, origin = run.read_config(), run.read_origin()
    check_data(config, dataset)
    if config.fingerprint != dataset.fingerprint:
        raise UserError(
            f"{dataset.options.path} is not the data that {run.path} was trained on so far; give "
            "the right folder with --data, or fine-tune from the run in a new one"
        )
    if is_first():
        run.tidy()
    try:
        folder = snapshot.latest_state(run)
    except UserError:
        # Killed before the first checkpoint: nothing but a fresh start can be lost.
        if known.start is not None or run.read_stats():
            raise
        state, memory = _fresh(config, None), {}
    else:
        state, memory = snapshot.load_state(folder, config)
    if is_first():
        step, images = int(state.step), int(state.images_seen)
        run.forget_after(step, images // 1000)
        if config != known:
            run.write_config(config, origin)
        if images:
            print(f"going on with {run.path} at {images / 1000:.1f} of {config.kimg} kimg")
    return _train(args, run, config, origin, dataset, state, memory)


def _fresh(config: TrainConfig, networks: dict[str, Any] | None) -> Any:
    """The state at the start of a run, as host arrays."""
    import jax
    import numpy as np

    from aligned_jax.training.state import create_state

    state = create_state(
        config.generator, config.discriminator, config.gan, config.seed, networks, config.ada.p
    )
    return jax.tree.map(np.asarray, state)


def _train(
    args: argparse.Namespace,
    run: RunFolder,
    config: TrainConfig,
    origin: dict[str, Any],
    dataset: Any,
    state: Any,
    memory: dict[str, Any],
) -> int:
    from aligned_jax.train import loop

    with _writer(args, run, int(state.step)) as writer:
        job = loop.Job(
            run,
            config,
            dataset,
            origin,
            threads=args.threads,
            devices=session.devices(args),
            writer=writer,
        )
        number = loop.train(job, state, memory)
    if number is None:
        if job.first:
            print(f"{run.path} is trained: {config.kimg} kimg")
        return 0
    if job.first:
        name = signal.Signals(number).name
        print(f"stopped by {name} and saved; go on with: {shlex.join(resume_command(run))}")
    return 128 + number


def resume_command(run: RunFolder) -> Sequence[str]:
    """What to type to go on."""
    return ["aligned", "resume", str(run.path)]


@contextlib.contextmanager
def _writer(args: argparse.Namespace, run: RunFolder, step: int) -> Iterator[Any]:
    if not (args.tensorboard and is_first()):
        yield None
        return
    with session.tensorboard()(str(run.path / "tensorboard"), purge_step=step or None) as writer:
        yield writer


def is_first() -> bool:
    """Whether this host is the one that writes and speaks."""
    import jax

    return jax.process_index() == 0


def _origin(args: argparse.Namespace, lines: list[str]) -> dict[str, Any]:
    """Provenance of everything the run writes."""
    import platform
    from importlib import metadata

    import jax

    names = ("aligned_jax", "jax", "jaxlib", "numpy")
    versions = {"python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in names}
    device = jax.devices()[0]
    return {
        "verb": args.command_line.split()[1],
        "command": args.command_line,
        "start": lines,
        "versions": versions,
        "devices": f"{jax.device_count()} x {device.device_kind}",
    }
