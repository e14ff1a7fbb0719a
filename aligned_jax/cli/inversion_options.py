"""Arguments of `aligned invert` that are settings of the inversion, and when they count."""

import argparse
from typing import TYPE_CHECKING, cast

from aligned_jax.cli import arguments, console
from aligned_jax.errors import UserError
from aligned_jax.utils.text import options

if TYPE_CHECKING:
    from aligned_jax.config import GeneratorConfig
    from aligned_jax.inversion.options import GivenSettings, Settings

# Settings by the names of their options; --space has a parameter of its own.
_SETTINGS = {"lr": "learning_rate"} | {
    name: name
    for name in (
        *("steps", "rampup", "rampdown", "latent_noise", "latent_noise_ramp", "noise"),
        *("noise_weight", "psi", "restarts", "spread", "samples", "samples_seed", "resolution"),
    )
}
# Options that no encoder heeds.
_OPTIMISER = (
    *("seed", "video", "steps", "lr", "rampup", "rampdown", "latent_noise", "latent_noise_ramp"),
    *("noise_weight", "restarts", "spread", "samples", "samples_seed"),
)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Options of the optimiser, and of what is compared."""
    add = parser.add_argument_group("optimisation").add_argument
    add("--steps", type=arguments.whole(1), help="(default 1000; in z and z+ 500)")
    add("--lr", type=arguments.finite, metavar="R", help="greatest learning rate (default 0.1)")
    add("--rampup", type=arguments.finite, metavar="T", help="fraction of all steps (default 0.05)")
    add(
        "--rampdown",
        type=arguments.finite,
        metavar="T",
        help="fraction of all steps (default 0.25)",
    )
    add("--psi", type=arguments.finite, help="truncation in z and z+ (default 0.5)")
    add("--latent-noise", type=arguments.finite, metavar="S", help="at first (default 0.05)")
    add("--latent-noise-ramp", type=arguments.finite, metavar="T", help="until (default 0.75)")
    add(
        "--noise",
        choices=("drop", "keep", "const", "none"),
        help="optimise noise maps and forget them (default) or keep them; the stored maps; none",
    )
    add("--noise-weight", type=arguments.finite, metavar="W", help="of their regulariser (1e5)")
    add(
        "--restarts",
        type=arguments.whole(1),
        metavar="N",
        help="attempts, of which the best is kept",
    )
    add("--spread", type=arguments.finite, metavar="S", help="of random starts (default 0)")
    add("--samples", type=arguments.whole(2), metavar="N", help="for the mean of w (default 10000)")
    add("--samples-seed", type=arguments.seed, metavar="S", help="(default 123)")
    _add_perceptual(parser)


def _add_perceptual(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what is compared").add_argument
    add(
        "--perceptual",
        choices=("vgg", "alex", "none"),
        default="vgg",
        help="network of LPIPS (default vgg)",
    )
    add(
        "--pixels",
        type=arguments.finite,
        default=0.0,
        metavar="W",
        help="weight of the mean squared difference of pixels (default 0)",
    )
    add("--resolution", type=arguments.whole(1), metavar="R", help="at most (default 256)")


def check_encoder(args: argparse.Namespace) -> None:
    """Raises UserError for what was given beside --encoder, which optimises nothing."""
    arguments.refuse_without_optimiser(args, _OPTIMISER)
    if args.encoder and args.noise in ("drop", "keep"):
        raise UserError(
            f"--noise {args.noise} optimises noise, and --encoder nothing; give const or none"
        )


def given_settings(args: argparse.Namespace) -> "GivenSettings":
    """Settings as the command line gives them, None where it does not."""
    given = {name: getattr(args, option) for option, name in _SETTINGS.items()}
    return cast("GivenSettings", given)


def unused(args: argparse.Namespace, settings: "Settings", config: "GeneratorConfig") -> list[str]:
    """Names of options that were given and change nothing.

    Args:
      args: of the command line, None where nothing was given.
      settings: what they came to.
      config: of the network.
    """
    from aligned_jax.inversion.idle_settings import unused_settings

    given = {name for option, name in _SETTINGS.items() if getattr(args, option) is not None}
    given |= {"seed"} if args.seed is not None else set()
    return unused_settings(given, settings, config, bool(args.encoder or args.start))


def warn_unused_settings(
    args: argparse.Namespace, settings: "Settings", config: "GeneratorConfig"
) -> None:
    """Warns of options that were given and change nothing; arguments as for `unused`."""
    if names := unused(args, settings, config):
        console.warn(f"{options(names)}: without effect beside the other options")
