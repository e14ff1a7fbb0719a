"""From a config to a run: what `pretrain`, `finetune` and `resume` share."""

import argparse
import contextlib
import dataclasses
import json
import shlex
import signal
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aligned_jax.cli import overrides as arguments
from aligned_jax.errors import UserError
from aligned_jax.provenance import versions
from aligned_jax.runs import hosts, presets, session
from aligned_jax.runs.config import RunConfig, TrainConfig

if TYPE_CHECKING:
    from aligned_jax.runs.folder import RunFolder
    from aligned_jax.runs.loop import Metric

# What is worth repeating of where a parent came from; the rest stays with the parent.
_ORIGIN = ("kind", "file", "sha256", "format", "verb", "command", "images")


def add_common_arguments(
    parser: argparse.ArgumentParser, kimg: int | None = None, batch: int | None = None
) -> None:
    """Options of a run that begins, of networks of any kind; defaults only to be told."""
    add = parser.add_argument
    length, size = (f" (default {value})" if value else "" for value in (kimg, batch))
    add("--data", required=True, metavar="D", help="a dataset made by `aligned data`")
    add("--run", required=True, metavar="DIR", help="folder of the run; new, or the same run's")
    add("--kimg", type=int, help=f"length in thousands of images{length}")
    add("--batch", type=int, help=f"images in a batch, over all devices and hosts{size}")
    add("--seed", type=int, help="of the networks and of every draw (default 0)")
    add("--dry-run", action="store_true", help="print what would happen, measure it, and stop")
    add("--options", action="store_true", help="list all overrides with their values, and stop")
    session.add_arguments(parser)
    parser.set_defaults(overrides=[])


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of a run that begins, of generators."""
    add_common_arguments(parser)
    add = parser.add_argument
    add(
        "--augment",
        metavar="NAME",
        help="adaptive augmentation by bgc, bgcfnc, blit, ...; or none",
    )
    add(
        "--metrics",
        metavar="LIST",
        help="scores of every snapshot, such as fd_vgg,kid_vgg; the best by the first is kept",
    )
    add("--metric-images", type=int, metavar="N", help="generated for a score (default 5000)")


def check_batch(args: argparse.Namespace) -> None:
    """Raises UserError if --batch has no image."""
    if args.batch is not None and args.batch < 1:
        raise UserError(f"--batch is {args.batch}; it must be at least 1")


def config_for(args: argparse.Namespace, dataset: Any, preset: str) -> TrainConfig:
    """The preset for this dataset and batch, `--kimg` and `--seed` in it."""
    check_batch(args)
    sizes = presets.Sizes(dataset.resolution, dataset.channels, dataset.c_dim)
    count = session.device_count(args)
    config = presets.config_of(preset, dataset.options, sizes, args.batch, args.augment, count)
    snapshots = arguments.replaced(
        config.snapshots, metrics=args.metrics, metric_images=args.metric_images
    )
    config = dataclasses.replace(config, snapshots=snapshots, fingerprint=dataset.fingerprint)
    return arguments.replaced(config, kimg=args.kimg, seed=args.seed)


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


def check_data(config: RunConfig, dataset: Any) -> None:
    """Raises UserError naming everything in which the networks do not fit the dataset."""
    has = {
        "img_resolution": dataset.resolution,
        "img_channels": dataset.channels,
        "c_dim": dataset.c_dim,
    }
    parts = [part for part in ("generator", "discriminator") if hasattr(config, part)]
    wrong = [
        f"{part}.{name} is {getattr(getattr(config, part), name)}, the data have {value}"
        for part in parts
        for name, value in has.items()
        if getattr(getattr(config, part), name) != value
    ]
    if wrong:
        raise UserError(f"the networks do not fit {config.data.path}: {'; '.join(wrong)}")


def begin(args: argparse.Namespace, config: RunConfig, dataset: Any) -> int:
    """Begins a run, or goes on with it if the folder holds the very same one."""
    if args.options:
        if session.is_first():
            print(arguments.describe(config))
        return 0
    if args.dry_run:
        from aligned_jax.runs import dry_run
        from aligned_jax.runs.folder import RunFolder

        lines = dry_run.report(config, session.devices(args))  # measured on all hosts together
        lines.append(dry_run.place(config, RunFolder(args.run)))
        if session.is_first():
            print(json.dumps(config.to_json(), indent=2), *lines, sep="\n")
        return 0
    from aligned_jax.runs import loop
    from aligned_jax.runs.folder import RunFolder, locked

    # Whatever is wrong is found before the folder bears the mark of this run.
    with hosts.together():
        loop.check(config, session.devices(args))
        run = RunFolder(args.run)
        run.check_empty()
        metrics = _metrics(args, config, dataset)
    with hosts.entered(locked(run, session.is_first())):
        if hosts.gather(run.exists())[0]:
            with hosts.together():
                run.check_same(config)
                kimg = length(run, run.read_config().kimg, args.kimg)
            return go_on(args, run, dataclasses.replace(config, kimg=kimg), dataset, metrics)
        with hosts.together():
            origin, (state, memory) = _origin(args, config), _fresh(config)
            if session.is_first():
                run.write_config(config, origin)
        return _train(args, run, config, origin, dataset, metrics, state, memory)


def length(run: "RunFolder", planned: int, asked: int | None) -> int:
    """Thousands of images of a run that goes on; UserError if it would become shorter."""
    if asked is not None and asked < planned:
        raise UserError(
            f"--kimg is {asked}, but {run.path} is planned for {planned}; it can only be lengthened"
        )
    return asked or planned


def _latest(
    args: argparse.Namespace, run: "RunFolder", config: RunConfig, dataset: Any
) -> tuple[dict[str, Any], Any, Any, dict[str, Any], list[str]]:
    """What a run goes on from: origin, folder of the state or None, state, memory, notices."""
    from aligned_jax.runs import loop, snapshot

    check_data(config, dataset)
    loop.check(config, session.devices(args))
    if config.fingerprint != dataset.fingerprint:
        raise UserError(
            f"{dataset.options.path} is not the data that {run.path} was trained on so far; give "
            "the right folder with --data, or fine-tune from the run in a new one"
        )
    origin, notices = run.read_origin(), []
    folder = snapshot.latest_state(run)
    if folder is None and run.read_stats():
        raise UserError(
            f"{run.path} has no state left to go on from, only networks; fine-tune from them in a "
            "new run folder"
        )
    if folder is not None:
        folder, state, memory, notices = snapshot.load_latest(run, config)
    else:  # killed before its first checkpoint, a run has lost nothing by starting afresh
        (state, memory), notices = _fresh(config), []
    return origin, folder, state, memory, notices


def go_on(
    args: argparse.Namespace,
    run: "RunFolder",
    config: RunConfig,
    dataset: Any,
    metrics: Sequence["Metric"] | None = None,
) -> int:
    """Continues a run from its latest state; the folder is locked by the caller.

    Raises:
      UserError: if the data are others, or the state is damaged.
    """
    with hosts.together():
        origin, folder, state, memory, notices = _latest(args, run, config, dataset)
        metrics = _metrics(args, config, dataset) if metrics is None else metrics
    if len(set(hosts.gather(int(state.step)))) > 1:
        raise UserError(f"the hosts see different states of {run.path}; they must share the folder")
    with hosts.together():
        if session.is_first():
            run.tidy()
            images = int(state.images_seen)
            run.forget_after(int(state.step), run.kimg_of(folder, images))
            run.write_config(config, origin)
            print(*notices, sep="\n", end="\n" if notices else "")
            if images:
                print(f"going on with {run.path} at {images / 1000:.1f} of {config.kimg} kimg")
    return _train(args, run, config, origin, dataset, metrics, state, memory)


def _metrics(args: argparse.Namespace, config: RunConfig, dataset: Any) -> list["Metric"]:
    """The scores of snapshots, on the host that computes them."""
    if not (config.snapshots.metrics and session.is_first()):
        return []
    from aligned_jax.runs.tasks.gan import task_of

    return task_of(config).scores(config, dataset, session.devices(args))


def _fresh(config: RunConfig) -> tuple[Any, dict[str, Any]]:
    """The state at the start of a run, as host arrays, and an empty memory."""
    from aligned_jax.runs.tasks.gan import fresh

    return fresh(config), {}


def _train(
    args: argparse.Namespace,
    run: "RunFolder",
    config: RunConfig,
    origin: dict[str, Any],
    dataset: Any,
    metrics: Sequence["Metric"],
    state: Any,
    memory: dict[str, Any],
) -> int:
    from aligned_jax.runs import loop

    with hosts.together():
        note = loop.check(config, session.devices(args))
    if session.is_first() and note:
        print(note)
    with hosts.entered(_writer(args, run, int(state.images_seen))) as writer:
        job = loop.Job(
            run,
            config,
            dataset,
            origin,
            metrics=metrics,
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


def resume_command(run: "RunFolder") -> Sequence[str]:
    """What to type to go on."""
    return ["aligned", "resume", str(run.path)]


@contextlib.contextmanager
def _writer(args: argparse.Namespace, run: "RunFolder", images: int) -> Iterator[Any]:
    """A TensorBoard writer that hides what is written again from this state on, or None."""
    if not (args.tensorboard and session.is_first()):
        yield None
        return
    again = images // 1000 + 1 if images else None  # its steps are thousands of images
    with session.tensorboard()(str(run.path / "tensorboard"), purge_step=again) as writer:
        yield writer


def _belonging(config: RunConfig) -> dict[str, Any]:
    """Whose encoder is trained."""
    if not hasattr(config, "start_sha256"):
        return {}
    return {"generator": {"network": config.start, "sha256": config.start_sha256}}


def _origin(args: argparse.Namespace, config: RunConfig) -> dict[str, Any]:
    """Provenance of everything the run writes."""
    import jax

    device, parents = jax.devices()[0], {}
    if config.start is not None:
        from aligned_jax import loading

        known = loading.describe(config.start).provenance
        kept = {key: known[key] for key in _ORIGIN if key in known}
        parents = {"network": {"network": config.start, **kept}}
    return {
        **_belonging(config),
        "verb": args.command_line.split()[1],
        "command": args.command_line,
        "parents": parents,
        "versions": versions(),
        "devices": f"{jax.device_count()} x {device.device_kind}",
    }
