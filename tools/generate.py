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
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command
from aligned_jax.utils.text import counted

EXAMPLE = "  aligned generate ffhq.pkl --seeds 0-15 --psi 0.7 --out faces.png"


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
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.npz, NAME.png, NAME.html, or a folder")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs

    drawing = jobs.generate(
        args.network,
        args.seeds,
        latents=args.latents,
        label=args.label,
        psi=args.psi,
        cutoff=args.cutoff,
        noise=args.noise,
        noise_seed=args.noise_seed,
        half=args.half,
        batch=args.batch,
        network_key=args.network_key,
        out=args.out,
        overwrite=args.overwrite,
    )
    drawing.write(args.out, command(args), args.overwrite, console.CONSOLE)
    size = drawing.network.config.img_resolution
    console.say(f"wrote {args.out}: {counted(len(drawing), 'image')} of {size} px")
