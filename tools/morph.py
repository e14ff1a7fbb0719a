"""Films the way from a picture of one network to a picture of another, or draws the plane.

A is a latent of PARENT and B one of CHILD: a seed, a row of a file of latents (F.npz, F.npy,
F.pt, or F.npz@2), or a picture, which is inverted first. Latents go in W+ from A to B (t1),
and the weights that render go from PARENT to CHILD (t2), both at once. A z is
mapped once, by its own network and truncated towards its own mean of w. Noise is
the same in every frame.

There may be more key frames: 1 2 3, lists of seeds (0-7), whole files. Weights go on by the same
amount from each to the next, and a key frame on the way is a latent of the blend that draws
it. --loop goes on from the last to the first. Without CHILD the film stays in PARENT.

--out is a film: NAME.webp (lossy, unless --lossless), NAME.gif (256 colours), NAME.mp4 (lossy, with
the extra `video`), or NAME/, a folder of PNG frames. With --grid 5x5, --out NAME.png or NAME.html
has weights in rows and latents in columns (StyleAlign, figures 24 to 27).

--paste-back writes a second film, of the whole photograph: the face changes where the first key
frame was cut out that is of a photograph (--align F.json), wherever the others come from.
"""

import argparse
from typing import TYPE_CHECKING

from aligned_jax.cli import arguments, console, photos
from aligned_jax.cli.spelling import as_typed
from aligned_jax.errors import UserError
from aligned_jax.utils.text import options

if TYPE_CHECKING:
    from aligned_jax.jobs import MorphOptions

# Of films; a grid has none of them.
_FILM = {"frames": 60, "fps": 20.0, "easing": "smooth", "hold": 10, "scale": 1}
_FILM |= {"ping_pong": False, "loop": False, "lossless": False}
_MOST = 100_000
EXAMPLE = """\
  aligned morph zoo:personas64 zoo:critters64 3 3 --ping-pong --scale 4 --out morph.webp
  aligned morph ffhq.pkl dog.pkl me.npz rex.npz --frames 110 --fps 13 --out morph.mp4
  aligned morph zoo:personas64 1 5 7 2 --loop --hold 0 --scale 4 --out faces.webp
  aligned morph ffhq.pkl dog.pkl me.jpg 3 --align faces.json --paste-back party.webp --out me.webp
  aligned morph zoo:personas64 zoo:critters64 1 2 --grid 5x5 --out grid.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("parent", metavar="PARENT")
    add("child", metavar="CHILD", help="may be left out, for a film in PARENT")
    for name in "ab":  # apart, so that options may stand between them
        add(name, type=arguments.name, metavar=name.upper()).required = False
    add("more", type=arguments.name, nargs="*", default=(), metavar="C", help="key frames")
    add("--grid", type=_sizes, metavar="RxC", help="a picture of R weights and C latents")
    spaces = ("z", "z+", "w", "w+")
    add("--space", choices=spaces, help="of pictures (default w+, or the encoder's)")
    add("--psi", type=arguments.finite, help="truncation of z; 1 is none (default 0.5)")
    add("--label", type=arguments.whole(0), metavar="K", help="class of conditional networks")
    add("--noise", choices=("const", "none", "random"), default="const", help="(default const)")
    add("--noise-seed", type=arguments.seed, default=0, metavar="S", help="of random noise")
    add("--batch", type=arguments.whole(1), default=8, help="frames at a time (default 8)")
    film = parser.add_argument_group("films").add_argument
    film("--frames", type=arguments.whole(2, _MOST), metavar="N", help="from A to B (default 60)")
    film("--fps", type=arguments.finite, metavar="F", help="frames a second (default 20)")
    film(
        "--easing",
        choices=("linear", "smooth", "smoother", "sine", "ease-in", "ease-out"),
        help="(default smooth)",
    )
    held = "frames more for each key frame (default 10)"
    film("--hold", type=arguments.whole(0, _MOST), metavar="N", help=held)
    film("--ping-pong", action="store_true", default=None, help="and back, for a loop")
    film("--loop", action="store_true", default=None, help="from the last key frame to the first")
    film("--scale", type=arguments.whole(1), metavar="K", help="a pixel becomes KxK (default 1)")
    film("--lossless", action="store_true", default=None, help="a webp keeps every bit")
    arguments.add_inversion(parser)
    where = "the film in its photograph, of any form that --out may have"
    photos.add_paste(parser.add_argument_group("photographs"), "X", where)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.webp, .mp4, .gif or NAME/; with --grid, NAME.png or .html")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    given, paste = _fill_defaults(args), photos.paste_options(args)
    from aligned_jax import jobs, viz

    networks, keys = _positions(args)
    more: MorphOptions = {
        "space": args.space,
        "psi": args.psi,
        "noise": args.noise,
        "noise_seed": args.noise_seed,
        "label": args.label,
        "batch": args.batch,
        "pictures": arguments.picture_options(args),
        "network_key": args.network_key,
        "out": args.out,
        "overwrite": args.overwrite,
        "report": console.CONSOLE,
    }
    if args.grid:
        if len(keys) != 2 or not networks[1]:
            raise UserError("--grid has two networks and two key frames: PARENT CHILD A B")
        plane = jobs.morph_grid(networks[0], networks[1], keys[0], keys[1], *args.grid, **more)
        usage, said = plane.usage, plane.sheet.summary
        plane.sheet.write(args.out, arguments.used_command(args, usage), args.overwrite)
    else:
        chosen = {name: getattr(args, name) for name in _FILM}
        film = jobs.morph(*networks, *keys, **chosen, **more, paste=paste)
        photos.write_films(args, film)
        usage, said = film.usage, film.summary + as_typed(viz.loss_of(args.out, args.lossless))
    console.say(f"wrote {args.out}: {said}")
    arguments.warn_unused(args, usage, given)


def _fill_defaults(args: argparse.Namespace) -> list[str]:
    """Fills in what was not said, of films and of inversions; a grid is no film.

    Returns options of inversions that were given.
    """
    given = [name for name in (*_FILM, "paste_back") if getattr(args, name) is not None]
    if args.grid and given:
        raise UserError(f"{options(given, ' and ')} cannot be used together with --grid")
    for name, value in _FILM.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return [*arguments.fill_inversion_defaults(args), *(["space"] if args.space else [])]


def _positions(args: argparse.Namespace) -> tuple[tuple[str, str | None], list[str]]:
    """Networks, of which there may be one, and key frames."""
    from aligned_jax.jobs.key_frames import is_key_frame

    args.more = args.more or None
    keys = [word for word in (args.a, args.b, *(args.more or ())) if word is not None]
    if is_key_frame(args.child):
        return (args.parent, None), [args.child, *keys]
    return (args.parent, args.child), keys


def _sizes(text: str) -> tuple[int, int]:
    """(5, 7) of "5x7"."""
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdecimal() and 2 <= int(part) <= 100 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 5x5, both from 2 to 100")
    return int(parts[0]), int(parts[1])
