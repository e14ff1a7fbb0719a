"""Draws the same latents by several networks: a parent and its children, row by row.

Each column is one seed, each row a network. In aligned networks a column shows
one and the same person in several styles (StyleAlign, figures 2, 14 and 34);
networks that were trained apart share nothing. --latents takes files in place of
seeds, such as those of `aligned invert`, and keeps what was drawn in NAME.npz.
--paste-back DIR puts what every network draws of them into the photographs that they
were cut out of.
"""

import argparse

from aligned_jax.cli import arguments, photos, results
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError

EXAMPLE = """\
  aligned family zoo:personas64 zoo:critters64 --seeds 0-7 --out family.png
  aligned family zoo:personas64 zoo:critters64 --latents inverted/me.npz --out me.png
  aligned family zoo:personas64 zoo:critters64 --latents inverted/party.npz \
    --paste-back party --out party.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("networks", nargs="+", metavar="NETWORK")
    arguments.add_names(parser)
    parser.add_argument(
        "--latents",
        nargs="+",
        type=arguments.name,
        metavar="F",
        help="files of latents of the first network, in place of --seeds",
    )
    arguments.add_sampling(parser, seeds="0-7", psi=0.7)
    parser.set_defaults(psi=None, seeds=None)  # files of latents say psi themselves
    photos.add_paste(parser, "DIR", f"{photos.FOLDER}, with --latents")
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.png or NAME.html")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    if args.seeds and args.latents:
        raise UserError("give one of --seeds and --latents")
    paste = photos.paste_options(args)
    from aligned_jax import jobs
    from aligned_jax.rendering.records import to_keep
    from aligned_jax.viz import sheet

    sheet.check_sheet(args.out, args.overwrite)
    to_keep(args.out, [""] if args.latents else [], args.latents or (), args.overwrite)
    given = arguments.sampling(args) | {"seeds": args.seeds or "0-7"}
    drawn = jobs.family(
        args.networks,
        names=args.names,
        latents=args.latents,
        network_key=args.network_key,
        paste=paste,
        **given,
    )
    arguments.warn_idle_psi(args, drawn.latents is None or drawn.latents.in_z)
    results.write_sheet(args, drawn)
    photos.write_photos(args, drawn, command(args))
