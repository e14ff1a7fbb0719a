"""Arguments that several verbs have: their values (argparse's `type`), and groups of them."""

import argparse
import math
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any

from aligned_jax.cli import console
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.utils.precision import PRECISIONS
from aligned_jax.utils.text import options

if TYPE_CHECKING:
    from aligned_jax.jobs.sources import PictureOptions, Usage

INVERSION_DEFAULTS = {"restarts": 1, "invert_seed": 0, "perceptual": "vgg", "pixels": 0.0}
# A parser, or a group of arguments in its help; what declares one in it.
Arguments = argparse._ActionsContainer
Add = Callable[..., argparse.Action]
_STRIP_DEFAULTS = {"seeds": "0-3", "psi": 0.7, "label": None, "batch": 8}
_FLOAT32_MAX = (2 - 2**-23) * 2.0**127


def finite(text: str) -> float:
    """A float from the command line; refuses nan, inf and what is infinite in float32."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= _FLOAT32_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Type of an argument that is a whole number from `least` on, or to `most`."""
    bound = "on" if most is None else f"to {most}"

    def parse(text: str) -> int:
        # Python converts no more than some thousands of digits.
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 100 else -1
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} {bound}")
        return value

    return parse


# JAX makes the same keys of larger seeds again, or none.
seed = whole(0, 2**32 - 1)


def name(text: str) -> str:
    """Type of an argument that names a file or folder; an empty one would mean this folder."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    return text


def list_of(parse: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """Type of an argument that is a list of values joined by commas."""
    return lambda text: [parse(part.strip()) for part in text.split(",")]


def add_precision(parser: Arguments) -> None:
    """--precision exact|high|fast, None where it is not given, which means exact."""
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="of float32 products on accelerators; CPUs compute all alike (default exact)",
    )


def add_network_key(parser: argparse.ArgumentParser) -> None:
    """--network-key G_ema|G."""
    parser.add_argument(
        "--network-key",
        choices=("G_ema", "G"),
        default="G_ema",
        help="which generator of the file or folder: the averaged one (default) or the raw one",
    )


def add_out(parser: argparse.ArgumentParser, metavar: str, what: str) -> None:
    """--out and --overwrite."""
    parser.add_argument("--out", type=name, required=True, metavar=metavar, help=what)
    add_overwrite(parser)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """--overwrite."""
    parser.add_argument("--overwrite", action="store_true", help="replace what is there already")


def add_lossless(parser: Arguments) -> None:
    """--lossless of verbs that write films."""
    parser.add_argument(
        "--lossless", action="store_true", help="a webp keeps every bit, and is some times as large"
    )


def add_unit(parser: Arguments) -> None:
    """--statistics of verbs that shift style channels."""
    parser.add_argument(
        "--statistics",
        type=whole(1),
        metavar="N",
        help="latents from which the parent's standard deviations are measured, once on a machine "
        "(default 100000)",
    )


def add_sampling(parser: Arguments, seeds: str | None, psi: float, batch: int = 8) -> None:
    """--seeds, --psi, --label and --batch of verbs that draw."""
    shown = f" (default {seeds})" if seeds else ""
    parser.add_argument(
        "--seeds", default=seeds, metavar="LIST", help=f"seeds like 0-15 or 1,4,10-12{shown}"
    )
    parser.add_argument(
        "--psi", type=finite, default=psi, help=f"truncation; 1 is none (default {psi:g})"
    )
    parser.add_argument(
        "--label",
        type=whole(0),
        metavar="K",
        help="class of a conditional network, from 0",
    )
    parser.add_argument(
        "--batch",
        type=whole(1),
        default=batch,
        help=f"images at a time; changes an image by rounding at most (default {batch})",
    )


def sampling(args: argparse.Namespace) -> dict[str, Any]:
    """What `add_sampling` parsed, by the names that jobs give it, and the console as listener."""
    given = {name: getattr(args, name) for name in ("seeds", "psi", "label", "batch")}
    return {**given, "report": console.CONSOLE}


def add_encoder(parser: Arguments, **more: Any) -> None:
    """--encoder and --start, one of them; `more` is for argparse."""
    add = parser.add_mutually_exclusive_group().add_argument
    add(
        "--encoder",
        type=name,
        metavar="E",
        help="take its latents, optimise nothing",
        **more,
    )
    add(
        "--start",
        type=name,
        metavar="E",
        help="begin at its latents, and optimise",
        **more,
    )


def encoder_sources(args: argparse.Namespace) -> list[str]:
    """What --encoder or --start name, which some verbs take several times."""
    given = args.encoder or args.start or []
    return [given] if isinstance(given, str) else given


def warn_unused_encoders(args: argparse.Namespace, used: Container[str]) -> None:
    """Warns of every encoder that was given, but is not among those that were `used`."""
    option = "--encoder" if args.encoder else "--start"
    unused = [f"{option} {source}" for source in encoder_sources(args) if source not in used]
    if unused:
        verb = "changes" if len(unused) == 1 else "change"
        console.warn(
            f"{' and '.join(unused)} {verb} nothing: another encoder suits the network and the "
            "space better, or no picture is inverted there"
        )


def refuse_without_optimiser(args: argparse.Namespace, names: Iterable[str]) -> None:
    """With --encoder, raises UserError for options that were given though nothing heeds them."""
    asked = {name: getattr(args, name) for name in names}
    given = [name for name, value in asked.items() if value is not None and value is not False]
    if args.encoder and given:
        raise UserError(
            f"{options(given, ' and ')} cannot be used together with --encoder, which optimises "
            "nothing; --start E optimises from the encoder's latents on"
        )


def add_inversion(parser: argparse.ArgumentParser) -> None:
    """How verbs that take pictures invert them; `aligned invert` has many more options.

    What is not given is None until `fill_inversion_defaults`.
    """
    group = parser.add_argument_group("with pictures, which are inverted first")
    add = group.add_argument
    add_encoder(group, action="append")
    add("--steps", type=whole(1), help="of the optimiser (default 1000; in z and z+ 500)")
    add("--restarts", type=whole(1), metavar="N", help="attempts (default 1)")
    add("--invert-seed", type=seed, metavar="S", help="(default 0)")
    add("--perceptual", choices=("vgg", "alex", "none"), help="(default vgg)")
    add("--pixels", type=finite, metavar="W", help="weight (default 0)")
    add_align(group)


def fill_inversion_defaults(args: argparse.Namespace) -> list[str]:
    """Fills in what was not given, and says what was; with --encoder, raises UserError for it."""
    refuse_without_optimiser(args, ("steps", *INVERSION_DEFAULTS))
    given = [name for name in ("steps", *INVERSION_DEFAULTS) if getattr(args, name) is not None]
    given += ["align"] if args.align != "center" else []
    for name, value in INVERSION_DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return given


def picture_options(args: argparse.Namespace) -> "PictureOptions":
    """How pictures are inverted, after `fill_inversion_defaults`."""
    from aligned_jax.jobs.sources import PictureOptions

    return PictureOptions(
        encoders=tuple(args.encoder or ()),
        starts=tuple(args.start or ()),
        steps=args.steps,
        restarts=args.restarts,
        seed=args.invert_seed,
        perceptual=args.perceptual,
        pixels=args.pixels,
        align=args.align,
    )


def warn_unused(args: argparse.Namespace, usage: "Usage", given: Iterable[str]) -> None:
    """Warns of options that were given and changed nothing.

    Args:
      args: with --psi, --encoder and --start, and perhaps --noise-seed.
      usage: what counted.
      given: options of inversions that were given, but for --encoder and --start.
    """
    if usage.pictures:
        warn_unused_encoders(args, usage.encoders)
    else:
        also = [name for name in ("encoder", "start") if getattr(args, name)]
        _warn_of([*given, *also], "there are no pictures to invert")
    warn_idle_psi(args, usage.in_z)
    _warn_idle_noise_seed(args, usage.noise)


def warn_idle_psi(args: argparse.Namespace, in_z: bool) -> None:
    """Warns of --psi where no latents are in z."""
    if args.psi is not None and not in_z:
        _warn_of(["psi"], "these latents are not in z")


def warn_idle_noise(args: argparse.Namespace) -> None:
    """Warns of --noise-seed where --noise is not random."""
    _warn_idle_noise_seed(args, args.noise)


def _warn_idle_noise_seed(args: argparse.Namespace, noise: str) -> None:
    if getattr(args, "noise_seed", 0) and noise not in ("random", "loop"):
        _warn_of(["noise_seed"], f"noise is {noise}")


def _warn_of(names: list[str], why: str) -> None:
    if names:
        verb = "changes" if len(names) == 1 else "change"
        console.warn(f"{options(names, ' and ')} {verb} nothing: {why}")


def used_command(args: argparse.Namespace, usage: "Usage") -> Command:
    """The command without the arguments that changed nothing, for a page to tell."""
    unused = [] if usage.optimised else ["steps", *INVERSION_DEFAULTS]
    unused += [] if usage.pictures else ["align", "encoder", "start"]
    unused += [] if usage.noise == "random" else ["noise_seed"]
    unused += [] if usage.in_z else ["psi"]
    used = {name: value for name, value in vars(args).items() if name not in unused}
    return Command.of(args.command_line, used)


def add_align(parser: Arguments) -> None:
    """--align of verbs that take pictures."""
    parser.add_argument(
        "--align",
        type=name,
        default="center",
        metavar="A",
        help="how pictures are cut: center, the middle square (default); none; F.json, around the "
        "faces that it names by five points or a box; or FILE.py:FUNCTION, which finds them",
    )


def add_names(parser: argparse.ArgumentParser) -> None:
    """--names of verbs that draw a row for each network."""
    parser.add_argument(
        "--names",
        type=list_of(str),
        metavar="LIST",
        help="labels of the rows (default: the networks' own names)",
    )


def add_strip_sampling(parser: argparse.ArgumentParser) -> None:
    """The options of `add_sampling` for a verb that draws only with --strip."""
    add_sampling(parser.add_argument_group("with --strip"), seeds="0-3", psi=0.7)
    parser.set_defaults(**dict.fromkeys(_STRIP_DEFAULTS))


def fill_strip_defaults(args: argparse.Namespace) -> None:
    """Fills in what was not given with --strip; without it, raises UserError for what was."""
    given = [name for name in _STRIP_DEFAULTS if getattr(args, name) is not None]
    if args.strip is None and given:
        raise UserError(f"{options(given, ' and ')} can only be used together with --strip")
    for name in _STRIP_DEFAULTS.keys() - given:
        setattr(args, name, _STRIP_DEFAULTS[name] if args.strip else None)
