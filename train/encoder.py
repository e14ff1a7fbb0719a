"""Trains an encoder: a network that finds the latents from which a generator draws an image.

NETWORK is the generator, which stays as it is; the encoder belongs to it. w+ is
e4e, whose rows are differences to the first that begin one after another, with a
discriminator of latents; with --plain-rows, and in w, z and z+, it is pSp. Losses
are pixels and LPIPS (extra `lpips`); for faces aligned as FFHQ, --losses.identity
0.1 adds ArcFace's (`aligned features add`). Overrides have dots in their names:
--losses.l2, --snapshots.tick-kimg, ...; --options lists them.

The encoder is a checkpoint, and RUN can be given wherever one is asked for.
"""

import argparse
import dataclasses
from typing import Any

from aligned_jax.cli import overrides as arguments
from aligned_jax.config.encoder import IR_SE50, RESOLUTIONS, SLIM, SPACES
from aligned_jax.errors import UserError
from aligned_jax.runs import hosts, launch, session
from aligned_jax.runs.config import SnapshotOptions
from aligned_jax.runs.encoder_run import PIXELS, EncoderRun

EXAMPLE = "  aligned encoder zoo:personas64 --space w+ --data D --run runs/e4e --kimg 200"
OVERRIDES = True

_BACKBONES = {"irse50": IR_SE50, "slim": SLIM}
_LARGEST = 256  # images are reduced to this before they are encoded (pSp, section 3)
_KIMG, _BATCH = 1600, 8  # as published: 200,000 iterations
_SCORED = 64  # images, so that scores cost little beside a tick
# Parts of a run after which e4e's first delta begins, and each further one.
_FIRST, _NEXT = 10, 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("--space", choices=SPACES, default="w+", help="of the latents (default w+)")
    add("--plain-rows", action="store_true", help="rows of w+ each by itself (pSp), not e4e")
    add(
        "--backbone",
        choices=tuple(_BACKBONES),
        help="irse50, as published (default from 256 pixels on), or slim",
    )
    add("--arcface", action="store_true", help="start the irse50 with ArcFace's weights")
    launch.add_common_arguments(parser, _KIMG, _BATCH)


def run(args: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    session.prepare(args)
    with hosts.together():
        config, dataset = _planned(args)
    return launch.begin(args, config, dataset)


def _planned(args: argparse.Namespace) -> tuple[EncoderRun, Any]:
    """Config and dataset of the run."""
    from aligned_jax import loading
    from aligned_jax.networks import fingerprint
    from aligned_jax.runs.tasks import encoder as encoder_task

    launch.check_batch(args)
    dataset = launch.open_data(args)
    network = loading.load(args.network)
    kimg, batch = args.kimg or _KIMG, args.batch or _BATCH
    encoder = _sizes(args, network.config)
    losses = _losses(encoder, kimg, batch)
    planned = EncoderRun(
        data=dataset.options,
        start=args.network,
        start_sha256=fingerprint(network.variables),
        generator=network.config,
        encoder=encoder,
        losses=losses,
        backbone=args.arcface,
        snapshots=SnapshotOptions(metrics=_metrics(losses), metric_images=_SCORED),
        fingerprint=dataset.fingerprint,
    )
    planned = arguments.replaced(planned, kimg=args.kimg, seed=args.seed)
    config = _settled(arguments.override(planned, args.overrides), planned)
    if config.generator != planned.generator:
        raise UserError("the generator is that of NETWORK; its options cannot be overridden")
    launch.check_data(config, dataset)
    if not args.options:  # whatever the losses need is looked for before anything is written
        encoder_task.frozen_of(config)
        encoder_task.sources(config)
    return config, dataset


def _settled(config: EncoderRun, planned: EncoderRun) -> EncoderRun:
    """Without what was planned for losses that the overrides leave out."""
    losses, snapshots = config.losses, config.snapshots
    if losses.progressive_start is None and (
        losses.progressive_every == planned.losses.progressive_every
    ):
        every = type(losses).progressive_every
        losses = dataclasses.replace(losses, progressive_every=every)
    if snapshots.metrics == planned.snapshots.metrics:
        snapshots = dataclasses.replace(snapshots, metrics=_metrics(losses))
    return dataclasses.replace(config, losses=losses, snapshots=snapshots)


def _metrics(losses: Any) -> str:
    """Scores that need no other networks than the losses."""
    return f"{PIXELS},lpips_{losses.lpips_net}" if losses.lpips else PIXELS


def _sizes(args: argparse.Namespace, generator: Any) -> Any:
    from aligned_jax.config import EncoderConfig

    size = generator.img_resolution
    if size < RESOLUTIONS[0]:
        raise UserError(
            f"{args.network} draws {size} pixels; encoders begin at {RESOLUTIONS[0]} pixels"
        )
    if args.plain_rows and args.space != "w+":
        raise UserError(f"--plain-rows is about w+; --space is {args.space}")
    backbone = args.backbone or ("irse50" if size >= _LARGEST else "slim")
    return EncoderConfig(
        min(size, _LARGEST),
        args.space,
        generator.num_ws,
        generator.z_dim if args.space.startswith("z") else generator.w_dim,
        deltas=args.space == "w+" and not args.plain_rows,
        img_channels=generator.img_channels,
        stages=_BACKBONES[backbone],
    )


def _losses(encoder: Any, kimg: int, batch: int) -> Any:
    """The published losses, e4e's schedule in proportion to the run; no identity loss."""
    from aligned_jax.training.encoder_options import EncoderOptions

    if not encoder.deltas:
        return EncoderOptions(
            batch, identity=0.0, delta_norm=0.0, adversarial=0.0, progressive_start=None
        )
    iterations = -(-kimg * 1000 // batch)
    return EncoderOptions(
        batch,
        identity=0.0,
        progressive_start=iterations // _FIRST,
        progressive_every=max(iterations // _NEXT, 1),
    )
