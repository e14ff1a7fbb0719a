"""Films the way from a picture of one network to a picture of another, or draws the plane.

A is a latent of PARENT and B one of CHILD: a seed, a row of a file of latents (F.npz, or
F.npz@2), or a picture, which is inverted first. Latents go in W+ from A to B (t1),
and the weights that render go from PARENT to CHILD (t2), both at once. A z is
mapped once, by its own network and truncated towards its own mean of w. Noise is
the same in every frame.

--out NAME.webp or NAME.mp4 (with the extra `video`) is a film. With --grid 5x5, --out
NAME.png or NAME.html has weights in rows and latents in columns (StyleAlign, figures 24 to 27).
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aligned_jax import provenance
from aligned_jax.cli import console, groups, values
from aligned_jax.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from aligned_jax.jobs.wanted import Source
    from aligned_jax.networks.network import Network

# Of films; a grid has none of them.
_FILM = {"frames": 60, "fps": 20.0, "easing": "smooth", "hold": 10, "ping_pong": False, "scale": 1}
_MOST = 100_000  # frames; their pictures are kept in memory
EXAMPLE = """\
  aligned morph zoo:personas64 zoo:critters64 3 3 --ping-pong --scale 4 --out morph.webp
  aligned morph ffhq.pkl dog.pkl me.npz rex.npz --frames 110 --fps 13 --out morph.mp4
  aligned morph zoo:personas64 zoo:critters64 1 2 --grid 5x5 --out grid.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("parent", metavar="PARENT")
    add("child", metavar="CHILD")
    add("a", type=values.name, metavar="A")
    add("b", type=values.name, metavar="B")
    add("--grid", type=_sizes, metavar="RxC", help="a picture of R weights and C latents")
    spaces = ("z", "z+", "w", "w+")
    add("--space", choices=spaces, help="of pictures (default w+, or the encoder's)")
    add("--psi", type=values.finite, help="truncation of z; 1 is none (default 0.5)")
    add(
        "--label",
        type=values.whole(0),
        metavar="K",
        help="class of conditional networks, from 0",
    )
    add("--noise", choices=("const", "none", "random"), default="const", help="(default const)")
    add("--noise-seed", type=values.seed, default=0, metavar="S", help="of random noise")
    add("--batch", type=values.whole(1), default=8, help="frames at a time (default 8)")
    film = parser.add_argument_group("films").add_argument
    film("--frames", type=values.whole(2, _MOST), metavar="N", help="from A to B (default 60)")
    film("--fps", type=values.finite, metavar="F", help="frames a second (default 20)")
    film(
        "--easing",
        choices=("linear", "smooth", "smoother", "sine", "ease-in", "ease-out"),
        help="(default smooth)",
    )
    film(
        "--hold",
        type=values.whole(0, _MOST),
        metavar="N",
        help="frames more for each end (default 10)",
    )
    film("--ping-pong", action="store_true", default=None, help="and back, for a loop")
    film("--scale", type=values.whole(1), metavar="K", help="a pixel becomes KxK (default 1)")
    groups.add_inversion(parser)
    groups.add_network_key(parser)
    groups.add_out(parser, "X", "NAME.webp or NAME.mp4; with --grid, NAME.png or NAME.html")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    given = _settle(args)
    from aligned_jax import loading, translation, viz
    from aligned_jax.data import targets
    from aligned_jax.jobs import ancestry, wanted

    if args.grid:
        if not args.out.endswith((".png", ".html")):
            raise UserError(f"{args.out}: a grid is a picture; give --out NAME.png or NAME.html")
        viz.check_file(args.out, args.overwrite)
    else:
        viz.check_video(args.out, args.overwrite, args.fps)  # before networks are read
    targets.check_apart((args.a, args.b), [args.out])
    parent, child = (loading.load(source, args.network_key) for source in (args.parent, args.child))
    viz.check_channels(parent.config.img_channels)
    if not args.grid:
        shape = len(_timeline(args)), *[parent.config.img_resolution] * 2
        viz.check_video(args.out, args.overwrite, args.fps, shape, args.scale)
    translation.check_aligned(parent, child)
    ancestry.warn_unrelated((args.parent, args.child), (parent, child))
    # Both are looked at before either is inverted.
    found = [_end(args, *end) for end in (("A", parent, args.a), ("B", child, args.b))]
    ends = [
        end.take().in_space(network, "w+").inputs.arrays["ws"]
        for end, network in zip(found, (parent, child), strict=True)
    ]
    way = (parent, child, *ends)
    said = _grid(args, way, found) if args.grid else _film(args, way)
    console.say(f"wrote {args.out}: {said}")
    wanted.tell_idle(args, found, given)
    wanted.tell_idle_seed(args, args.noise)


def _settle(args: argparse.Namespace) -> list[str]:
    """Fills in what was not said, of films and of inversions; a grid is no film.

    Returns options of inversions that were given.
    """
    given = [name.replace("_", "-") for name in _FILM if getattr(args, name) is not None]
    if args.grid and given:
        raise UserError(f"--{' and --'.join(given)} cannot be used together with --grid")
    for name, value in _FILM.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return [*groups.settle_inversion(args), *(["space"] if args.space else [])]


def _end(args: argparse.Namespace, name: str, network: "Network", word: str) -> "Source":
    """One latent, in W+ if it need not be inverted first."""
    from aligned_jax.jobs import wanted
    from aligned_jax.rendering import codes

    found = wanted.read(args, network, [word], args.space, "w+")
    if isinstance(found, codes.Codes):
        found = found.in_space(network, "w+")
    if len(found.names) != 1:
        raise UserError(
            f"{name} is {word}, which has {len(found.names)} latents; give one seed, one picture, "
            "or one row of a file, like F.npz@0"
        )
    return found


def _noise(args: argparse.Namespace, network: "Network") -> Any:
    """One for all frames."""
    if args.noise != "random":
        return args.noise
    import jax
    import numpy as np

    from aligned_jax.latents import noise_fields

    drawn = noise_fields(network.config, jax.random.key(args.noise_seed), np.zeros(1, np.uint32))
    return {layer: field[0] for layer, field in drawn.items()}


def _timeline(args: argparse.Namespace) -> "np.ndarray":
    from aligned_jax import morphing

    return morphing.timeline(args.frames, args.easing, args.hold, args.ping_pong)


def _film(args: argparse.Namespace, way: tuple) -> str:
    import numpy as np

    from aligned_jax import morphing, viz

    times = _timeline(args)
    # Held frames, and those on the way back, are drawn once.
    drawn, places = np.unique(times.astype(np.float32), return_inverse=True)
    frames = []
    with console.progress(len(drawn), "frames") as advance:
        for images in morphing.frames(*way, drawn, _noise(args, way[0]), args.batch):
            frames.append(viz.to_uint8(images))
            advance(len(images))
    text = provenance.png_text(args.command_line)
    shown = np.concatenate(frames)[places]
    viz.save_video(args.out, shown, args.fps, text, args.overwrite, args.scale)
    return f"{len(times)} frames, {len(times) / args.fps:.1f} s"


def _grid(args: argparse.Namespace, way: tuple, found: "Sequence[Source]") -> str:
    import numpy as np

    from aligned_jax import morphing, viz
    from aligned_jax.jobs import image_files, wanted

    rows, columns = args.grid
    with console.progress(rows * columns, "images") as advance:
        images = []
        for row in morphing.grid(*way, rows, columns, _noise(args, way[0]), args.batch):
            images.append(viz.to_uint8(row))
            advance(columns)
    labels = [
        [f"{name} {t:.3g}" for t in np.linspace(0, 1, count)]
        for name, count in (("latents", columns), ("weights", rows))
    ]
    title = f"From {args.parent} to {args.child}"
    told = {f"latent {name}": one.told() for name, one in zip("AB", found, strict=True)}
    told = {name: value for name, value in told.items() if value}
    settled = wanted.settled(args, found, args.noise)
    return image_files.save_sheet(settled, title, *labels, np.stack(images), told)


def _sizes(text: str) -> tuple[int, int]:
    """(5, 7) of "5x7"."""
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdecimal() and 2 <= int(part) <= 100 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 5x5, both from 2 to 100")
    return int(parts[0]), int(parts[1])
