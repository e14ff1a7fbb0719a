"""What several verbs share: arguments, messages, progress, and the record of origin."""

import argparse
import contextlib
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from aligned_jax.errors import UserError
from aligned_jax.versions import versions

# What is worth repeating of where a parent came from; the rest stays with the parent.
_ORIGIN = ("kind", "file", "sha256", "format", "code_base", "verb", "command", "images")
_FLOAT32_MAX = (2 - 2**-23) * 2.0**127
INVERSION = {"restarts": 1, "invert_seed": 0, "perceptual": "vgg", "pixels": 0.0}
_STRIP = {"seeds": "0-3", "psi": 0.7, "label": None, "batch": 8}


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


def listed(parse: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """Type of an argument that is a list of values joined by commas."""
    return lambda text: [parse(part.strip()) for part in text.split(",")]


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


def add_sampling(parser: argparse.ArgumentParser, seeds: str | None, psi: float) -> None:
    """--seeds, --psi, --label and --batch of verbs that draw."""
    shown = f" (default {seeds})" if seeds else ""
    parser.add_argument(
        "--seeds", default=seeds, metavar="LIST", help=f"seeds like 0-15 or 1,4,10-12{shown}"
    )
    parser.add_argument(
        "--psi", type=finite, default=psi, help=f"truncation; 1 is none (default {psi:g})"
    )
    parser.add_argument(
        "--label", type=whole(0), metavar="K", help="class of a conditional network, from 0"
    )
    parser.add_argument(
        "--batch",
        type=whole(1),
        default=8,
        help="images at a time; changes an image by rounding at most (default 8)",
    )


def add_encoder(parser: argparse.ArgumentParser, **more: Any) -> None:
    """--encoder and --start, one of them; `more` is for argparse."""
    add = parser.add_mutually_exclusive_group().add_argument
    add("--encoder", type=name, metavar="E", help="take its latents, optimise nothing", **more)
    add("--start", type=name, metavar="E", help="begin at its latents, and optimise", **more)


def refuse_without_optimiser(args: argparse.Namespace, names: Iterable[str]) -> None:
    """With --encoder, raises UserError for options that were given though nothing heeds them."""
    values = {name: getattr(args, name) for name in names}
    given = [name for name, value in values.items() if value is not None and value is not False]
    if args.encoder and given:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UserError(
            f"{options} cannot be used together with --encoder, which optimises nothing; "
            "--start E optimises from the encoder's latents on"
        )


def add_inversion(parser: argparse.ArgumentParser) -> None:
    """How verbs that take pictures invert them; `aligned invert` has many more options.

    What is not given is None until `settle_inversion`.
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


def settle_inversion(args: argparse.Namespace) -> list[str]:
    """Fills in what was not given, and says what was; with --encoder, raises UserError for it."""
    refuse_without_optimiser(args, ("steps", *INVERSION))
    given = [name for name in ("steps", *INVERSION) if getattr(args, name) is not None]
    given += ["align"] if args.align != "center" else []
    for name, value in INVERSION.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return given


def add_align(parser: argparse.ArgumentParser) -> None:
    """--align of verbs that take pictures."""
    parser.add_argument(
        "--align",
        choices=("center", "none"),
        default="center",
        help="cut out the middle square of pictures (default), or cut nothing",
    )


def add_names(parser: argparse.ArgumentParser) -> None:
    """--names of verbs that draw a row for each network."""
    parser.add_argument(
        "--names",
        type=listed(str),
        metavar="LIST",
        help="labels of the rows (default: the networks' own names)",
    )


def add_strip_sampling(parser: argparse.ArgumentParser) -> None:
    """The options of `add_sampling` for a verb that draws only with --strip."""
    add_sampling(parser.add_argument_group("with --strip"), seeds="0-3", psi=0.7)
    parser.set_defaults(**dict.fromkeys(_STRIP))


def settle_strip_sampling(args: argparse.Namespace) -> None:
    """Fills in what was not given with --strip; without it, raises UserError for what was."""
    given = [name for name in _STRIP if getattr(args, name) is not None]
    if args.strip is None and given:
        raise UserError(f"--{' and --'.join(given)} can only be used together with --strip")
    for name in _STRIP.keys() - given:
        setattr(args, name, _STRIP[name] if args.strip else None)


def split_overrides(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """A verb's own arguments, and those with a dot in their name, each with its values."""
    own: list[str] = []
    overrides: list[str] = []
    target = own
    for word in argv:
        if word.startswith("--"):
            target = overrides if "." in word.partition("=")[0] else own
        target.append(word)
    return own, overrides


def say(text: str) -> None:
    """One line on stdout: what was done."""
    print(printable(text))


def warn(text: str) -> None:
    """One line on stderr: what the user should know, though the work goes on."""
    print(f"warning: {printable(text)}", file=sys.stderr)


def printable(text: str) -> str:
    """`text` without control characters, which could come from a hostile file."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def origin(args: argparse.Namespace, parents: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Provenance of a result: the command, its arguments, and the parents' origins.

    Args:
      args: the parsed command line.
      parents: by role, the NETWORK argument and the loaded network.
    """
    return {
        "kind": "made",
        "verb": args.command_line.split()[1],
        "command": args.command_line,
        "arguments": arguments(args, parents),
        "parents": {
            role: {"network": text, **summary(network.provenance or {})}
            for role, (text, network) in parents.items()
        },
        "versions": versions(),
    }


def arguments(args: argparse.Namespace, hidden: Iterable[str] = ()) -> dict[str, Any]:
    """Arguments that were given or have a default, but where the result goes."""
    unsaid = ("command_line", "overwrite", "out", *hidden)
    given = vars(args).items()
    return {key: value for key, value in given if key not in unsaid and value is not None}


def png_text(command: str) -> dict[str, str]:
    """Text chunks of a PNG: what made it."""
    made_by = " ".join(f"{name} {version}" for name, version in versions().items())
    return {"Software": made_by, "Comment": command}


def summary(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The few facts of a provenance that identify a network."""
    return {key: provenance[key] for key in _ORIGIN if key in provenance}


@contextlib.contextmanager
def progress(total: int, what: str) -> Iterator[Callable[..., None]]:
    """A bar with rate and time left on a terminal's stderr.

    Yields `advance(count, note="")`, where a note takes the place of the rate.
    """
    if not sys.stderr.isatty():
        yield lambda count, note="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeLeft(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(count: int, note: str = "") -> None:
            bar.update(task, advance=count)
            speed = bar.tasks[0].speed
            bar.update(task, rate=note or (f"{speed:.1f}/s" if speed else ""))

        yield advance
