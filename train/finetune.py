"""Fine-tunes a trained network on other data: an aligned child of its parent.

NETWORK is a checkpoint, a run or RUN@KIMG, an official file, or zoo:NAME. The
networks keep its sizes; losses, batch and augmentation are those of PRESET
(default auto). Weights and the mean of w are copied; the optimisers, the image
counter and the augmentation start afresh (the official rules). The data may have
another resolution. Overrides are those of `aligned pretrain`;
--discriminator.freeze-layers 4, for example, is FreezeD.
"""

import argparse
import dataclasses
from types import SimpleNamespace
from typing import Any

from aligned_jax.runs import hosts, launch, presets, session
from aligned_jax.runs.config import TrainConfig

EXAMPLE = "  aligned finetune runs/personas tiny64 --data D --run runs/critters --kimg 100"
OVERRIDES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument("preset", nargs="?", default="auto", metavar="PRESET")
    launch.add_run_arguments(parser)
    parser.add_argument(
        "--partial",
        action="store_true",
        help="copy what fits and draw the rest, where more than the resolution differs",
    )


def run(args: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    presets.find(args.preset)
    session.prepare(args)
    with hosts.together():
        config, dataset = _planned(args)
    return launch.begin(args, config, dataset)


def _planned(args: argparse.Namespace) -> tuple[TrainConfig, Any]:
    """Config and dataset of the run."""
    from aligned_jax import loading
    from aligned_jax.training.start import starting_configs

    dataset = launch.open_data(args)
    # The sizes are enough to plan with; arrays are read when the run begins.
    source = {
        key: SimpleNamespace(config=config)
        for key, config in loading.describe(args.network).configs.items()
    }
    generator, discriminator = starting_configs(source, dataset.resolution, dataset.c_dim)
    config = presets.fine_tuning(launch.config_for(args, dataset, args.preset), args.kimg)
    # The group of the minibatch standard deviation belongs to the batch, not to the weights.
    group = config.discriminator.epilogue.mbstd_group_size
    epilogue = dataclasses.replace(discriminator.epilogue, mbstd_group_size=group)
    config = dataclasses.replace(
        config,
        generator=generator,
        discriminator=dataclasses.replace(discriminator, epilogue=epilogue),
        start=args.network,
        partial=args.partial,
    )
    return launch.settle(config, args, dataset), dataset
