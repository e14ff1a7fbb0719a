"""Trains a network from scratch: a parent, or the control that a child is compared with.

PRESET is auto, stylegan2, paper256, paper512, paper1024, tiny32 or tiny64
(default auto); resolution, channels and labels are those of the data. Any field
of the config can be overridden: --gan.r1-gamma 0.2 --data.mirror
--generator.mapping.num-layers 4; --options lists them all. The same command
again goes on with an unfinished run, as `aligned resume RUN` does.
"""

import argparse

from aligned_jax.cli import training

EXAMPLE = "  aligned pretrain tiny64 --data D --run runs/personas --kimg 300"
OVERRIDES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("preset", nargs="?", default="auto", metavar="PRESET")
    training.add_generator_run(parser)


def run(args: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    from aligned_jax import jobs

    options = training.generator_run_options(args)
    return training.carry_out(args, jobs.plan_pretrain(args.preset, **options))
