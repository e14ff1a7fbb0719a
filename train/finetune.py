"""Fine-tunes a trained network on other data: an aligned child of its parent.

NETWORK is a checkpoint, a run or RUN@KIMG, an official file, or zoo:NAME. The
networks keep its sizes; losses, batch and augmentation are those of PRESET
(default auto). Weights and the mean of w are copied; the optimisers, the image
counter and the augmentation start afresh (the official rules). The data may have
another resolution. Overrides are those of `aligned pretrain`;
--discriminator.freeze-layers 4, for example, is FreezeD.
"""

import argparse

from aligned_jax.cli import training

EXAMPLE = "  aligned finetune runs/personas tiny64 --data D --run runs/critters --kimg 100"
OVERRIDES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument("preset", nargs="?", default="auto", metavar="PRESET")
    training.add_generator_run(parser)
    parser.add_argument(
        "--partial",
        action="store_true",
        help="copy what fits and draw the rest, where more than the resolution differs",
    )


def run(args: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    from aligned_jax import jobs

    options = training.generator_run_options(args)
    planned = jobs.plan_finetune(args.network, args.preset, args.partial, **options)
    return training.carry_out(args, planned)
