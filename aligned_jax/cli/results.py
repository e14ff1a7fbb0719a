"""How verbs write and tell what a job returned."""

import argparse
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

if TYPE_CHECKING:
    from aligned_jax.networks.network import Network
    from aligned_jax.viz.sheet import Sheet


def write_checkpoint(args: argparse.Namespace, network: "Network") -> None:
    """Writes a network as the checkpoint --out, and says so."""
    from aligned_jax import jobs
    from aligned_jax.jobs.describe import headline

    jobs.write_network(args.out, network, command(args), args.overwrite)
    console.say(f"wrote {args.out}: {headline(network.config)}")


def write_blend(
    args: argparse.Namespace, blend: "Callable[[], Network]", strip: "Callable[..., Sheet]"
) -> None:
    """Writes the network that `blend` makes; with --strip the picture that `strip` draws.

    Args:
      args: with --strip, and those of `arguments.fill_strip_defaults`.
      blend: called when the target is known to be free.
      strip: the same, with the arguments of `arguments.sampling`.
    """
    from aligned_jax import checkpoint
    from aligned_jax.viz import sheet

    if args.strip is None:
        checkpoint.check_target(args.out, args.overwrite)
        write_checkpoint(args, blend())
    else:
        sheet.check_sheet(args.out, args.overwrite)
        write_sheet(args, strip(**arguments.sampling(args)))


def write_sheet(args: argparse.Namespace, sheet: "Sheet") -> None:
    """Writes a sheet of images as the picture or page --out, and says so."""
    sheet.write(args.out, command(args), args.overwrite)
    console.say(f"wrote {args.out}: {len(sheet.rows)} rows, {len(sheet.columns)} columns")


def tell_document(args: argparse.Namespace, document: Mapping[str, Any], table: str) -> None:
    """Writes a document to --out, and prints it with --json, or else the table for people."""
    from aligned_jax import viz

    written = json.dumps(document, indent=2)
    if args.out:
        with viz.writing(args.out, args.overwrite) as file:
            file.write(f"{written}\n".encode())
    console.say(written if args.json else table)
