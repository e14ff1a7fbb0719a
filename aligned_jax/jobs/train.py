"""Training runs: they are planned, begun, and gone on with."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any, Required, TypedDict, Unpack

import jax

from aligned_jax import loading
from aligned_jax.config.checks import MAX_RESOLUTION, block_resolutions
from aligned_jax.data import Dataset, open_dataset
from aligned_jax.errors import UserError
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.runs import encoder_run, hosts, presets
from aligned_jax.runs.config import TrainConfig, data_options, override, replaced
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.hosts import PLAIN, Session
from aligned_jax.runs.launch import Outcome, PlannedRun, check_data, length
from aligned_jax.runs.progress import QUIET, TrainingReporter
from aligned_jax.training.start import starting_configs
from aligned_jax.utils import paths
from aligned_jax.utils.text import listed


class RunOptions(TypedDict, total=False):
    """Options of every run that begins.

    Keys:
      data: folder of a dataset made by `aligned data`.
      run: folder of the run; new, or the same run's.
      kimg: length in thousands of images; None is the preset's.
      batch: images in a batch, over all devices and hosts; None is the preset's.
      seed: of the networks and of every draw; None is 0.
      precision: of float32 products, "exact", "high" or "fast"; None is exact.
      overrides: of fields of the config, as typed: ("--gan.r1-gamma", "0.2", "--data.mirror").
      session: how the run is computed; by default on all devices of this machine.
      report: who hears of warnings and progress; by default Python's warnings.
    """

    data: Required[str]
    run: Required[str | os.PathLike]
    kimg: int | None
    batch: int | None
    seed: int | None
    precision: str | None
    overrides: Sequence[str]
    session: Session
    report: TrainingReporter


class GeneratorRunOptions(RunOptions, total=False):
    """Options of runs of generators.

    Keys:
      augment: adaptive augmentation by bgc, bgcfnc, blit, ...; "none" switches it off, None
        is the preset's.
      metrics: scores of every snapshot, "fd_vgg,kid_vgg"; the best by the first is kept.
      metric_images: generated for a score; None is 5000.
    """

    augment: str | None
    metrics: str | None
    metric_images: int | None


def pretrain(
    preset: str = "auto",
    command: Command = Command(),  # noqa: B008  # it cannot change
    **options: Unpack[GeneratorRunOptions],
) -> Outcome:
    """Trains a network from scratch; the same call again goes on with an unfinished run.

    Args:
      preset: a name in `aligned_jax.runs.presets.PRESETS`.
      command: that is recorded as the run's origin.
      options: see `GeneratorRunOptions` and `RunOptions`; data and run are required.

    Raises:
      UserError: for options, data or a folder that do not suit, before anything is written.
    """
    return plan_pretrain(preset, **options).begin(command)


def plan_pretrain(preset: str = "auto", **options: Unpack[GeneratorRunOptions]) -> PlannedRun:
    """What `pretrain` would train; arguments and errors as there."""
    presets.find(preset)
    session = _prepared(options, GeneratorRunOptions)
    with hosts.together():
        dataset = _open_data(options)
        config = _settled(_preset_config(preset, dataset, session, options), dataset, options)
    return _planned(config, dataset, options)


def finetune(
    network: str | os.PathLike,
    preset: str = "auto",
    partial: bool = False,
    command: Command = Command(),  # noqa: B008  # it cannot change
    **options: Unpack[GeneratorRunOptions],
) -> Outcome:
    """Fine-tunes a trained network on other data: an aligned child of its parent.

    Args:
      network: checkpoint, run or RUN@KIMG, official file, or zoo:NAME, whose sizes are kept.
      preset: of losses, batch and augmentation.
      partial: copy what fits and draw the rest, where more than the resolution differs.
      command, options: as for `pretrain`.

    Raises:
      UserError: as `pretrain`, or if the network cannot be had or does not fit.
    """
    return plan_finetune(network, preset, partial, **options).begin(command)


def plan_finetune(
    network: str | os.PathLike,
    preset: str = "auto",
    partial: bool = False,
    **options: Unpack[GeneratorRunOptions],
) -> PlannedRun:
    """What `finetune` would train; arguments and errors as there."""
    presets.find(preset)
    session = _prepared(options, GeneratorRunOptions)
    with hosts.together():
        name, dataset = _named(network), _open_data(options)
        # The sizes are enough to plan with; arrays are read when the run begins.
        sizes = loading.describe(name).configs
        generator, discriminator = starting_configs(sizes, dataset.resolution, dataset.c_dim)
        config = _preset_config(preset, dataset, session, options)
        config = presets.fine_tuning(config, options.get("kimg"))
        # The group of the minibatch standard deviation belongs to the batch, not to the weights.
        group = config.discriminator.epilogue.mbstd_group_size
        epilogue = dataclasses.replace(discriminator.epilogue, mbstd_group_size=group)
        config = dataclasses.replace(
            config,
            generator=generator,
            discriminator=dataclasses.replace(discriminator, epilogue=epilogue),
            start=name,
            partial=partial,
        )
        config = _settled(config, dataset, options)
    return _planned(config, dataset, options)


def train_encoder(
    network: str | os.PathLike,
    space: str = "w+",
    plain_rows: bool = False,
    backbone: str | None = None,
    arcface: bool = False,
    command: Command = Command(),  # noqa: B008  # it cannot change
    **options: Unpack[RunOptions],
) -> Outcome:
    """Trains an encoder: a network that finds the latents from which a generator draws an image.

    Args:
      network: the generator, which stays as it is.
      space: of the latents: "w+", "w", "z" or "z+".
      plain_rows: rows of w+ each by itself (pSp), not e4e.
      backbone: "irse50", as published (the default from 256 pixels on), or "slim".
      arcface: start the irse50 with ArcFace's weights.
      command, options: as for `pretrain`; see `RunOptions`.

    Raises:
      UserError: as `pretrain`, or if a network is missing, saying how to get it.
    """
    return plan_encoder(network, space, plain_rows, backbone, arcface, **options).begin(command)


def plan_encoder(
    network: str | os.PathLike,
    space: str = "w+",
    plain_rows: bool = False,
    backbone: str | None = None,
    arcface: bool = False,
    **options: Unpack[RunOptions],
) -> PlannedRun:
    """What `train_encoder` would train; arguments and errors as there."""
    _prepared(options, RunOptions)
    with hosts.together():
        _check_sizes(options)
        source, dataset = _named(network), _open_data(options)
        generator = loading.load(source)
        if not isinstance(generator, Network):
            raise UserError(f"{network} holds no generator to train an encoder for")
        kimg = options.get("kimg") or encoder_run.KIMG
        batch = options.get("batch") or encoder_run.BATCH
        sizes = encoder_run.encoder_sizes(source, generator.config, space, plain_rows, backbone)
        losses = encoder_run.encoder_losses(sizes, kimg, batch)
        planned = EncoderRun(
            data=dataset.options,
            start=source,
            start_sha256=fingerprint(generator.variables),
            generator=generator.config,
            encoder=sizes,
            losses=losses,
            backbone=arcface,
            snapshots=encoder_run.encoder_snapshots(losses),
            fingerprint=dataset.fingerprint,
        )
        planned = replaced(planned, kimg=options.get("kimg"), seed=options.get("seed"))
        losses = dataclasses.replace(planned.losses, precision=options.get("precision") or "exact")
        planned = dataclasses.replace(planned, losses=losses)
        config = override(planned, options.get("overrides", ()))
        config = encoder_run.fill_defaults(config, planned)
        if config.generator != planned.generator:
            raise UserError("the generator is that of NETWORK; its options cannot be overridden")
        check_data(config, dataset)
    return _planned(config, dataset, options)


def resume(
    run: str | os.PathLike,
    kimg: int | None = None,
    data: str | None = None,
    session: Session = PLAIN,
    report: TrainingReporter = QUIET,
) -> Outcome:
    """Goes on with a run that was stopped, or lengthens one that has ended.

    Args:
      run: folder of the run.
      kimg: a new length of the whole run, in thousands of images; it cannot become shorter.
      data: where the same data lie now.
      session, report: as in `RunOptions`.

    Raises:
      UserError: if the folder holds no run, the data are others, or the state is damaged.
    """
    folder = RunFolder(run)
    config = folder.read_config()
    session.prepare()
    if data is not None:
        config = replaced(config, data=dataclasses.replace(config.data, path=data))
    elif not paths.exists(config.data.path):
        raise UserError(
            f"{config.data.path}, the data of {folder.path}, is not to be found from this working "
            "folder; give the place with `data`"
        )
    config = replaced(config, kimg=length(folder, config.kimg, kimg))
    with hosts.together():
        dataset = open_dataset(config.data)
    return PlannedRun(folder, config, dataset, kimg, session, report).go_on()


def _prepared(options: RunOptions, kind: Any) -> Session:
    """The session, made ready; TypeError for options that `kind`, a TypedDict, has otherwise."""
    known, required = kind.__required_keys__ | kind.__optional_keys__, kind.__required_keys__
    if wrong := [name for name in options if name not in known]:
        raise TypeError(f"unknown options {listed(wrong)}; there are {', '.join(sorted(known))}")
    if missing := sorted(name for name in required if name not in options):
        raise TypeError(f"missing options: {', '.join(missing)}")
    session = options.get("session", PLAIN)
    session.prepare()
    return session


def _named(network: str | os.PathLike) -> str:
    """How a network is called; a run records the name, from which it can be loaded again."""
    if not isinstance(network, str | os.PathLike):
        raise UserError(
            f"training starts from a {type(network).__name__} in memory; save it with aj.save and "
            "give the name of the folder, which the run records"
        )
    return loading.lasting_name(network)


def _open_data(options: RunOptions) -> Dataset:
    dataset = open_dataset(data_options(options["data"], options.get("overrides", ())))
    *others, largest = block_resolutions(MAX_RESOLUTION)[1:]
    if dataset.resolution not in (*others, largest):
        raise UserError(
            f"{dataset.options.path} holds images of {dataset.resolution} pixels; networks need "
            f"{', '.join(map(str, others))} or {largest}: make it again with such a `resolution`"
        )
    return dataset


def _check_sizes(options: RunOptions) -> None:
    """Looks at numbers from which others are computed."""
    for name, value in (("batch", options.get("batch")), ("kimg", options.get("kimg"))):
        if value is not None and value < 1:
            raise UserError(f"`{name}` is {value}; it must be at least 1")


def _preset_config(
    preset: str, dataset: Dataset, session: Session, options: GeneratorRunOptions
) -> TrainConfig:
    """The preset for this dataset and batch, with length and seed."""
    _check_sizes(options)
    sizes = presets.Sizes(dataset.resolution, dataset.channels, dataset.c_dim)
    config = presets.config_of(
        preset,
        dataset.options,
        sizes,
        options.get("batch"),
        options.get("augment"),
        session.device_count(),
    )
    snapshots = replaced(
        config.snapshots,
        metrics=options.get("metrics"),
        metric_images=options.get("metric_images"),
    )
    config = dataclasses.replace(config, snapshots=snapshots, fingerprint=dataset.fingerprint)
    return replaced(config, kimg=options.get("kimg"), seed=options.get("seed"))


def _settled(config: TrainConfig, dataset: Dataset, options: GeneratorRunOptions) -> TrainConfig:
    """Half precision where the device has a use for it, overrides, and the last checks."""
    marked = config.generator.half_resolutions + config.discriminator.half_resolutions
    if marked and jax.default_backend() != "cpu":
        config = override(config, ["--gan.half", "bfloat16"])
    gan = dataclasses.replace(config.gan, precision=options.get("precision") or "exact")
    config = dataclasses.replace(config, gan=gan)
    config = override(config, options.get("overrides", ()))
    check_data(config, dataset)
    return config


def _planned(config: TrainConfig | EncoderRun, dataset: Dataset, options: RunOptions) -> PlannedRun:
    return PlannedRun(
        RunFolder(options["run"]),
        config,
        dataset,
        options.get("kimg"),
        options.get("session", PLAIN),
        options.get("report", QUIET),
    )
