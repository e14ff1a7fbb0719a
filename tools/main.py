"""The `aligned` command: finds the verb, runs it, and turns mishaps into one line.

Exit codes: 0 done, 2 the user can mend it, 1 a bug (with a traceback), 130
interrupted, 141 nobody reads the output any more, 143 terminated.
"""

import argparse
import difflib
import importlib
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import NoReturn

from aligned_jax import __version__
from aligned_jax.cli.command_line import split_overrides
from aligned_jax.errors import UserError
from aligned_jax.utils import text

# A verb is a module of the same name in this package with EXAMPLE,
# add_arguments(parser) and run(args); it is imported when it is called.
VERBS = {
    "demo": "the main job on the networks of the zoo, ending in a web page",
    "convert": "read an official file into a checkpoint folder",
    "export": "write a network as safetensors with the official names",
    "data": "draw avatars, import images, look at a dataset",
    "features": "add or list the networks that scores are computed with",
    "info": "show sizes, options, parameters and origin of a network",
    "generate": "draw images from seeds or from a file of latents",
    "compare": "show where a child differs from its parent, as a web page",
    "reset": "give a child some of its parent's components back",
    "interpolate": "blend two networks, or draw a strip of blends",
    "swap": "coarse layers of one network, fine layers of another",
    "arithmetic": "add and subtract networks: parent + 0.7*(dog - parent)",
    "resize": "start a network at another resolution from trained weights",
    "family": "draw the same latents by several networks",
    "edit": "move one style channel of a parent and of its children",
    "invert": "find the latents of images",
    "translate": "draw the latents of one network, or images, by an aligned one",
    "morph": "film or grid from one network's picture to another's",
    "evaluate": "score a network or images: FID, KID, precision, recall, PPL, ...",
    "perceptual": "show how far apart pairs of images look (LPIPS)",
    "transition": "draw the same latents over the snapshots of a training run",
}
# Verbs that train; with OVERRIDES = True a module takes dotted options besides its own.
TRAINING = {
    "pretrain": "train a network from scratch",
    "finetune": "train an aligned child of a trained network",
    "encoder": "train an encoder, which finds a network's latents of images",
    "resume": "go on with a run, or lengthen it",
}
VERBS |= TRAINING


class Parser(argparse.ArgumentParser):
    """Wrong arguments are a UserError like all other bad input."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (`{self.prog} --help` shows what is possible)")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line without the program's name, by default this process's.

    Returns the exit code.
    """
    if argv is None:
        sys.unraisablehook = _unraisable
        signal.signal(signal.SIGTERM, _terminate)
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Python flushes stdout once more on its way out; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def module_of(verb: str) -> ModuleType:
    """The module that carries out a verb."""
    folder = "train" if verb in TRAINING else "tools"
    return importlib.import_module(f"aligned_jax.{folder}.{verb}")


def _dispatch(argv: list[str]) -> int:
    first = argv[0] if argv else "--help"
    if first in ("-h", "--help"):
        print(_overview())
        return 0
    if first == "--version":
        print(f"aligned {__version__}")
        return 0
    name = f"aligned {first}" if first in VERBS else "aligned"
    try:
        return carry_out(argv)
    except UserError as error:
        print(f"{name}: {text.printable(str(error))}", file=sys.stderr)
        return 2


def carry_out(argv: Sequence[str]) -> int:
    """Parses and runs one verb with its arguments; UserError is left to the caller."""
    try:
        module, args = parse(argv)
    except SystemExit:  # argparse has shown its help
        return 0
    _quiet_orbax()
    return module.run(args) or 0


def parse(argv: Sequence[str]) -> tuple[ModuleType, argparse.Namespace]:
    """The module of a verb, and its arguments.

    Raises:
      UserError: if the verb or one of its arguments is not known or not possible.
      SystemExit: after the help asked for.
    """
    verb = argv[0]
    if verb not in VERBS:
        raise UserError(_unknown(verb))
    module = module_of(verb)
    own, overrides = list(argv[1:]), []
    if getattr(module, "OVERRIDES", False):
        own, overrides = split_overrides(own)
    args = _parser(verb, module).parse_args(own)
    args.command_line = shlex.join(["aligned", *argv])
    if overrides:
        args.overrides = overrides
    return module, args


def _overview() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:{width}}  {summary}" for verb, summary in VERBS.items())
    return (
        "usage: aligned VERB ...\n\n"
        "Convert, look into, blend and render aligned StyleGAN2 networks.\n\n"
        f"{verbs}\n\n"
        "`aligned VERB --help` explains a verb and shows an example. A NETWORK is a\n"
        "checkpoint folder, a run folder or RUN@KIMG, an official .pkl, .pt or\n"
        ".safetensors file, or zoo:NAME."
    )


def _unknown(verb: str) -> str:
    close = difflib.get_close_matches(verb, VERBS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"verbs are {', '.join(VERBS)}"
    return f"there is no verb {verb!r}; {hint}"


def _parser(verb: str, module: ModuleType) -> Parser:
    parser = Parser(
        prog=f"aligned {verb}",
        description=(module.__doc__ or "").strip(),
        epilog=f"example:\n{module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return parser


def _quiet_orbax() -> None:
    """Orbax logs what it raises as well, with a traceback; one line is enough."""
    from absl import logging

    logging.set_verbosity(logging.FATAL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Leaves through every context manager, so that half-written files are taken away."""
    raise SystemExit(128 + number)


def _unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Leaves out what TensorStore's threads say of further failures after the first."""
    if str(unraisable.exc_value) != "Event loop is closed":
        sys.__unraisablehook__(unraisable)


if __name__ == "__main__":
    sys.exit(main())
