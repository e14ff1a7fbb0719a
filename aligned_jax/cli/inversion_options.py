"""Arguments of `aligned invert` that are settings of the inversion, and when they count."""

import argparse
from typing import TYPE_CHECKING, cast

from aligned_jax.cli import arguments, console
from aligned_jax.errors import UserError
from aligned_jax.utils.text import options

if TYPE_CHECKING:
    from aligned_jax.config import GeneratorConfig
    from aligned_jax.inversion.options import GivenSettings, Settings
    from aligned_jax.jobs import InvertedImages, TuneOptions

# Settings by the names of their options; --space has a parameter of its own.
_SETTINGS = {"lr": "learning_rate"} | {
    name: name
    for name in (
        *("steps", "rampup", "rampdown", "latent_noise", "latent_noise_ramp", "noise"),
        *("noise_weight", "psi", "restarts", "spread", "samples", "samples_seed", "resolution"),
        "precision",
    )
}
# Options that no encoder heeds.
_OPTIMISER = (
    *("seed", "video", "steps", "lr", "rampup", "rampdown", "latent_noise", "latent_noise_ramp"),
    *("noise_weight", "restarts", "spread", "samples", "samples_seed"),
)


# Options of the tuning by the fields of `TuningSettings` and `TuneOptions`.
_TUNING = {"tune_steps": "steps", "tune_rate": "learning_rate", "tune_until": "until"}
_TUNING |= {"tune_pixels": "pixel_weight", "tune_regulariser": "regulariser"}
_KEPT = {"tune_perceptual": "perceptual", "tune_rank": "rank", "tune_dtype": "dtype"}


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
    arguments.add_precision(parser)
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


def add_tuning(parser: argparse.ArgumentParser) -> None:
    """Options of pivotal tuning."""
    group = parser.add_argument_group(
        "tuning", "the network is bent until it draws the pictures at their latents (PTI)"
    )
    which = group.add_mutually_exclusive_group().add_argument
    which("--tune", action="store_true", help="a network for each picture, NAME.safetensors")
    which("--tune-together", action="store_true", help="one for all, tuned.safetensors")
    add = group.add_argument
    add("--tune-steps", type=arguments.whole(0), metavar="N", help="a picture's most (default 350)")
    add("--tune-rate", type=arguments.finite, metavar="R", help="learning rate (default 3e-4)")
    add("--tune-until", type=arguments.finite, metavar="D", help="end at this LPIPS (default 0.06)")
    add("--tune-pixels", type=arguments.finite, metavar="W", help="weight of pixels (default 1)")
    add(
        "--tune-perceptual",
        choices=("alex", "vgg", "none"),
        help="network of LPIPS in the tuning (default alex)",
    )
    add(
        "--tune-regulariser",
        choices=("none", "locality"),
        help="hold the pictures of other latents where they were (default none)",
    )
    add(
        "--tune-rank",
        type=arguments.whole(1),
        metavar="R",
        help="of deltas (default full)",
    )
    add("--tune-dtype", choices=("float16", "float32"), help="of deltas (default float16)")


def tuning(args: argparse.Namespace) -> "TuneOptions | None":
    """How the network is tuned, None for not at all.

    Raises:
      UserError: for options of a tuning that was not asked for, or values that cannot be.
    """
    given = {name for name in (*_TUNING, *_KEPT) if getattr(args, name) is not None}
    if not (args.tune or args.tune_together):
        if given:
            raise UserError(f"{options(sorted(given))}: nothing is tuned without --tune")
        return None
    from aligned_jax.inversion import TuningSettings
    from aligned_jax.jobs import TuneOptions

    if args.tune_perceptual == "none" and args.tune_until is not None:
        raise UserError("--tune-until is an LPIPS, and --tune-perceptual none computes none")
    if args.tune_perceptual == "none" and args.tune_pixels == 0:
        raise UserError("without LPIPS and pixels the tuning compares nothing; give --tune-pixels")
    settings = {field: getattr(args, name) for name, field in _TUNING.items() if name in given}
    kept = {field: getattr(args, name) for name, field in _KEPT.items() if name in given}
    return TuneOptions(TuningSettings(**settings), together=args.tune_together, **kept)


def warn_untuned(args: argparse.Namespace, results: "InvertedImages") -> None:
    """Warns of pictures that were so near from the start that nothing was tuned."""
    tuned = [one.tuned for one in results.images if one.tuned]
    asked = args.tune_steps != 0
    if asked and (idle := sum(one.steps == 0 for one in tuned)):
        console.warn(
            f"{idle} of {len(tuned)} pictures were nearer than --tune-until from the start, so "
            "that nothing was tuned; give a lower one (0 takes all steps)"
        )


def check_encoder(args: argparse.Namespace) -> None:
    """Raises UserError for what was given beside --encoder, which optimises nothing."""
    # Locality draws latents.
    drawn = ("seed",) if args.tune_regulariser == "locality" else ()
    arguments.refuse_without_optimiser(args, [one for one in _OPTIMISER if one not in drawn])
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
