"""Draws images from seeds or from a file of latents.

A seed means the same image as in the official scripts. --out decides what is
written: NAME.npz holds float32 `images` [N, H, W, C], unclipped, with the
latents; NAME.png is a grid; NAME.html is a page of thumbnails; any other name is a
folder with a PNG for each image. A file of latents is an .npz with one of z [N, D] or [N, L, D],
ws [N, L, D], or styles/<layer> [N, C] of every layer, and labels c [N, K] if
there are any; noise/<layer> [N, R, R] of every convolution takes the place of the
stored maps. The .npz files of this verb and of `aligned invert` are such files: their
ws, truncated already, are drawn.
"""

import argparse

from aligned_jax.cli import console, groups, values
from aligned_jax.errors import UserError

EXAMPLE = "  aligned generate ffhq.pkl --seeds 0-15 --psi 0.7 --out faces.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument(
        "--latents", type=values.name, metavar="F.npz", help="latents instead of seeds"
    )
    groups.add_sampling(parser, seeds=None, psi=1.0)
    parser.add_argument(
        "--cutoff",
        type=values.whole(0),
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
        "--noise-seed", type=values.seed, default=0, metavar="S", help="of random noise"
    )
    parser.add_argument(
        "--half", choices=("bfloat16", "float16"), help="half precision at high resolutions"
    )
    groups.add_network_key(parser)
    groups.add_out(parser, "X", "NAME.npz, NAME.png, NAME.html, or a folder")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    if (args.seeds is None) == (args.latents is None):
        raise UserError("give either --seeds or --latents")
    from aligned_jax import latents, loading, viz
    from aligned_jax.jobs import image_files
    from aligned_jax.rendering import render as rendering

    write = image_files.writer(args.out, args.overwrite)
    if args.seeds is not None:
        # A slip of the hand should not wait for the network.
        seeds = latents.parse_seeds(args.seeds)
        if write is image_files.write_folder:
            image_files.check_once(seeds)
    network = loading.load(args.network, args.network_key)
    config = network.config
    if write is not image_files.write_npz:
        viz.check_channels(config.img_channels)
    if args.latents is not None:
        inputs = rendering.from_file(config, args.latents, args.label)
    else:
        inputs = rendering.from_seeds(config, args.seeds, args.label)
    manner = rendering.Manner(
        args.psi, args.cutoff, args.noise, args.noise_seed, args.half, args.batch
    )
    rendering.check_manner(config, inputs, manner)
    meta = image_files.describe(args, network, inputs, manner)
    with console.progress(len(inputs), "images") as advance:
        batches = rendering.batches(network, inputs, manner, advance)
        write(args.out, batches, inputs, meta, args.overwrite)
    images = "1 image" if len(inputs) == 1 else f"{len(inputs)} images"
    console.say(f"wrote {args.out}: {images} of {config.img_resolution} px")
