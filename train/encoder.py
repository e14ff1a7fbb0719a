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

from aligned_jax.cli import training
from aligned_jax.config.encoder import SPACES
from aligned_jax.runs.encoder_run import BACKBONES, BATCH, KIMG

EXAMPLE = "  aligned encoder zoo:personas64 --space w+ --data D --run runs/e4e --kimg 200"
OVERRIDES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("--space", choices=SPACES, default="w+", help="of the latents (default w+)")
    add("--plain-rows", action="store_true", help="rows of w+ each by itself (pSp), not e4e")
    add(
        "--backbone",
        choices=tuple(BACKBONES),
        help="irse50, as published (default from 256 pixels on), or slim",
    )
    add("--arcface", action="store_true", help="start the irse50 with ArcFace's weights")
    training.add_run(parser, KIMG, BATCH)


def run(args: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    from aligned_jax import jobs

    planned = jobs.plan_encoder(
        args.network,
        args.space,
        args.plain_rows,
        args.backbone,
        args.arcface,
        **training.run_options(args),
    )
    return training.carry_out(args, planned)
