"""Films a walk from seed to seed of one network, and back to the first.

A key frame is the image of its seed: key frame k is frame k * FRAMES. Latents move in w along a
spline, or straight on with --curve linear; with --space z along great circles. Noise is
the same in every frame.

--grid 3x2 shows 3 walks in a row and 2 rows of them. Seeds are dealt out in order: the first
of them belong to the cell on the upper left, and every cell has equally many, two or more.

--out is NAME.webp, or NAME.mp4 with the extra `video`.
"""

import argparse
import re

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

_MOST = 100_000  # frames; their pictures are kept in memory
EXAMPLE = """\
  aligned walk zoo:personas64 --seeds 0-7 --psi 0.7 --scale 4 --out walk.webp
  aligned walk ffhq.pkl --seeds 0-23 --grid 3x2 --frames 120 --fps 60 --out walk.mp4"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    arguments.add_sampling(parser, seeds="0-7", psi=1.0)
    add(
        "--frames",
        type=arguments.whole(1, _MOST),
        default=60,
        metavar="N",
        help="from a key frame to the next (default 60)",
    )
    add("--grid", type=_sizes, default=(1, 1), metavar="WxH", help="walks across and down")
    add("--space", choices=("w", "z"), default="w", help="in which latents move (default w)")
    add("--curve", choices=("cubic", "linear"), help="in w (default cubic, a spline)")
    add("--no-loop", action="store_true", help="end at the last seed")
    add("--fps", type=arguments.finite, default=30.0, metavar="F", help="(default 30)")
    add(
        "--scale",
        type=arguments.whole(1),
        default=1,
        metavar="K",
        help="a pixel becomes KxK (default 1)",
    )
    add("--noise", choices=("const", "none", "random"), default="const", help="(default const)")
    add("--noise-seed", type=arguments.seed, default=0, metavar="S", help="of random noise")
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.webp or NAME.mp4")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs

    film = jobs.walk(
        args.network,
        frames=args.frames,
        grid=args.grid,
        space=args.space,
        curve=args.curve,
        loop=not args.no_loop,
        fps=args.fps,
        scale=args.scale,
        noise=args.noise,
        noise_seed=args.noise_seed,
        network_key=args.network_key,
        out=args.out,
        overwrite=args.overwrite,
        **arguments.sampling(args),
    )
    film.write(args.out, command(args), args.overwrite)
    console.say(f"wrote {args.out}: {film.summary}")
    arguments.warn_idle_noise(args)


def _sizes(text: str) -> tuple[int, int]:
    """(3, 2) of "3x2"."""
    match = re.fullmatch(r"([1-9][0-9]?)x([1-9][0-9]?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 3x2, both from 1 to 99")
    return int(match[1]), int(match[2])
