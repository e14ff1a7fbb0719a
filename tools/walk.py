"""Films a walk from seed to seed of one network, and back to the first, and what moves besides.

A key frame is the image of its seed: key frame k is frame k * FRAMES. In w latents move along a
spline, or straight with --curve linear. In z (--space z) they follow great circles (slerp); --path
circle goes round the great circle through two seeds, on the sphere where latents in z are. A loop
does not show its first frame again. One seed alone stands still while something else moves.

--animate NAME=V0,V1,... gives values at the key frames, smoothly joined; one value stays. NAME is
psi; with --child CHILD t1 (latents, from NETWORK's own to CHILD's), t2 (weights, likewise) or swap
(the last resolution of NETWORK's layers, above are CHILD's); or an edit in sigmas, as of
`aligned edit`: a style channel (15_45), a file of a direction, zoo:NAME.

--curve-file F.csv gives numbers frame by frame: a column for each NAME, a row for each frame; or
with a column `time` in seconds, points that are joined straight, as analyses of music give them. A
column `place` moves the latents: at key frame k it is k.

--layer b32/conv1 shows activations in place of images: the three principal components of the
layer's channels, the same over the whole film, as red, green and blue.

--grid 3x2 shows 3 walks in a row and 2 rows of them. Seeds are dealt out in order: the first
of them belong to the cell on the upper left, and every cell has equally many.

--out is NAME.webp (lossy, unless --lossless), NAME.gif (256 colours), NAME.mp4 (lossy, with the
extra `video`), or NAME/, a folder of PNG frames, which keep every bit.
"""

import argparse
import re

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command
from aligned_jax.cli.spelling import as_typed

_MOST = 100_000
_PLAIN = (
    *("child", "animate", "curve_file", "frames", "grid", "space", "path", "curve", "fps", "scale"),
    *("cutoff", "centre", "mix", "mix_layers", "smooth", "layer", "noise", "noise_seed"),
    *("network_key", "out", "overwrite", "lossless"),
)
EXAMPLE = """\
  aligned walk zoo:personas64 --seeds 0-7 --psi 0.7 --scale 4 --out walk.webp
  aligned walk zoo:personas64 --seeds 3 --animate zoo:roll=-3,3 --scale 4 --out roll.gif
  aligned walk zoo:personas64 --child zoo:critters64 --seeds 1-4 --animate t2=0,0,1,1 --out w.webp
  aligned walk zoo:personas64 --seeds 0,1 --path circle --noise loop --psi 0.7 --out frames/
  aligned walk ffhq.pkl --seeds 0-23 --grid 3x2 --frames 120 --fps 60 --out walk.mp4"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    arguments.add_sampling(parser, seeds="0-7", psi=1.0)
    parser.set_defaults(psi=None)  # it may move
    add(
        "--frames",
        type=arguments.whole(1, _MOST),
        metavar="N",
        help="from a key frame to the next (default 60, or what suits --curve-file)",
    )
    add("--grid", type=_sizes, default=(1, 1), metavar="WxH", help="walks across and down")
    add("--space", choices=("w", "z"), help="in which latents move (default w; of a circle z)")
    add(
        "--path",
        choices=("seeds", "circle"),
        default="seeds",
        help="from seed to seed (default), or round the great circle in z through two",
    )
    add("--curve", metavar="cubic|linear", help="in w (default cubic, a spline)")
    add("--no-loop", action="store_true", help="end at the last seed")
    add("--fps", type=arguments.finite, default=30.0, metavar="F", help="(default 30)")
    scale = "a pixel becomes KxK (default 1)"
    add("--scale", type=arguments.whole(1), default=1, metavar="K", help=scale)
    add(
        "--noise",
        choices=("const", "none", "random", "loop"),
        default="const",
        help="the same in all frames, or random noise that moves in a loop (default const)",
    )
    add("--noise-seed", type=arguments.seed, default=0, metavar="S", help="of random noise")
    _add_moving(parser.add_argument_group("what moves besides").add_argument)
    _add_latents(parser.add_argument_group("latents").add_argument)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.webp, NAME.mp4, NAME.gif, or a folder of frames, NAME/")
    arguments.add_lossless(parser)


def _add_moving(add: arguments.Add) -> None:
    add("--animate", action="append", metavar="NAME=V0,V1,...", help="values at the key frames")
    add("--curve-file", type=arguments.name, metavar="F.csv", help="numbers frame by frame")
    add("--child", type=arguments.name, metavar="CHILD", help="where t1, t2 and swap lead")
    add("--smooth", type=arguments.finite, metavar="W", help="width in layers of a swap's switch")
    add("--layer", type=arguments.name, metavar="L", help="show its activations: b32/conv1")


def _add_latents(add: arguments.Add) -> None:
    add("--cutoff", type=arguments.whole(0), metavar="ROWS", help="truncate only the first of W+")
    add(
        "--centre",
        type=arguments.name,
        metavar="C",
        help="truncate towards it, not the mean of w: a seed, a file of latents, or a folder of "
        "`aligned invert` (their mean)",
    )
    add("--mix", metavar="LIST", help="seeds, one or one for each cell, that keep --mix-layers")
    add("--mix-layers", metavar="ROWS", help="of W+ that come from --mix, like 0-6")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs, viz

    chosen = {name: getattr(args, name) for name in _PLAIN}
    film = jobs.walk(args.network, loop=not args.no_loop, **chosen, **arguments.sampling(args))
    film.write(args.out, command(args), args.overwrite, console.CONSOLE, args.lossless)
    loss = as_typed(viz.loss_of(args.out, args.lossless))
    console.say(f"wrote {args.out}: {film.summary}{loss}")
    arguments.warn_idle_noise(args)


def _sizes(text: str) -> tuple[int, int]:
    """(3, 2) of "3x2"."""
    match = re.fullmatch(r"([1-9]\d?)x([1-9]\d?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 3x2, both from 1 to 99")
    return int(match[1]), int(match[2])
