"""Draws images from seeds or from a file of latents.

A seed means the same image as in the official scripts. --out decides what is
written: NAME.npz holds float32 `images` [N, H, W, C], unclipped, with the
latents; NAME.png is a grid; NAME.html is a page of thumbnails; any other name is a
folder with a PNG for each image. A file of latents is an .npz with one of z [N, D] or [N, L, D],
ws [N, L, D], or styles/<layer> [N, C] of every layer, and labels c [N, K] if
there are any; noise/<layer> [N, R, R] of every convolution takes the place of the
stored maps. The .npz files of this verb and of `aligned invert` are such files: their
ws, truncated already, are drawn. W of other programs is read as ws: w and dlatents in an
.npz, and an .npy or .pt file of one array [N, L, D].

With --where only seeds are drawn whose pictures fulfil conditions, as --judge sees them: a
READER of `aligned attributes`, scores by seed (.csv or .npz), or FILE.py:FUNCTION. A
condition is NAME>0.8, NAME<0.2, NAME=-0.5..0.5, or NAME alone, which is more likely than
not; several are joined by commas. Numbers are probabilities where a reader tells what is
there or not, or a category ("hair=long>0.5"); else they are values, as of yaw.
"""

import argparse
from typing import Any

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError
from aligned_jax.utils.text import counted, options

EXAMPLE = """\
  aligned generate ffhq.pkl --seeds 0-15 --psi 0.7 --out faces.png
  aligned generate zoo:personas64 --where "glasses>0.8,yaw=-0.3..0.3" --judge zoo:people-reader \\
    --count 8 --out glasses.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument(
        "--latents",
        type=arguments.name,
        metavar="F.npz",
        help="or .npy, .pt: instead of seeds",
    )
    arguments.add_sampling(parser, seeds=None, psi=1.0)
    parser.add_argument(
        "--cutoff",
        type=arguments.whole(0),
        metavar="ROWS",
        help="truncate only the first rows of W+",
    )
    parser.add_argument(
        "--noise",
        choices=("const", "none", "random"),
        default="const",
        help="the stored maps (default), none, or maps drawn for every image",
    )
    parser.add_argument(
        "--noise-seed", type=arguments.seed, default=0, metavar="S", help="of random noise"
    )
    parser.add_argument(
        "--half", choices=("bfloat16", "float16"), help="half precision at high resolutions"
    )
    arguments.add_precision(parser)
    _add_where(parser.add_argument_group("pictures that fulfil conditions"))
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.npz, NAME.png, NAME.html, or a folder")


def _add_where(group: arguments.Arguments) -> None:
    add = group.add_argument
    add("--where", metavar="CONDITIONS", help='like "glasses>0.8,yaw=-0.3..0.3"')
    add("--judge", type=arguments.name, metavar="READER", help="or .csv, .npz, FILE.py:FUNCTION")
    add(
        "--count",
        type=arguments.whole(1),
        metavar="N",
        help="pictures wanted (default 16, of --seeds all)",
    )
    add(
        "--tries",
        type=arguments.whole(1, 10**6),
        metavar="N",
        help="seeds at most, without --seeds (default 5000)",
    )


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs

    seeds, judge = _candidates(args)
    drawing = jobs.generate(
        args.network,
        seeds,
        latents=args.latents,
        label=args.label,
        psi=args.psi,
        cutoff=args.cutoff,
        noise=args.noise,
        noise_seed=args.noise_seed,
        half=args.half,
        precision=args.precision or "exact",
        batch=args.batch,
        network_key=args.network_key,
        out=args.out,
        overwrite=args.overwrite,
    )
    if judge is not None:
        count = args.count or (None if args.seeds else 16)
        drawing = jobs.accepted(drawing, judge, args.where, count, console.CONSOLE)
        console.say("accepted {accepted} of {tried} seeds tried".format(**drawing.facts["where"]))
    drawing.write(args.out, command(args), args.overwrite, console.CONSOLE)
    size = drawing.network.config.img_resolution
    console.say(f"wrote {args.out}: {counted(len(drawing), 'image')} of {size} px")


def _candidates(args: argparse.Namespace) -> "tuple[str | list[int] | None, Any]":
    """Seeds that are drawn or tried, and the judge of those that are tried."""
    if args.where is None:
        given = [name for name in ("judge", "count", "tries") if getattr(args, name) is not None]
        if given:
            raise UserError(f"{options(given)} without --where change nothing")
        return args.seeds, None
    if args.latents is not None:
        raise UserError("--where tries seeds; leave out --latents")
    if args.judge is None:
        raise UserError("--where needs --judge READER, such as zoo:people-reader")
    if args.seeds is not None and args.tries is not None:
        raise UserError("give either --seeds to try, or --tries, how many of 0, 1, 2, ...")
    from aligned_jax import jobs

    jobs.parse_where(args.where)
    judge = jobs.load_judge(args.judge)
    return jobs.seeds_to_try(judge, args.seeds, args.tries or 5000), judge
