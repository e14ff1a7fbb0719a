"""Draws latents of one network by another: a picture of the parent's domain in the child's.

IMAGES are inverted in PARENT first, or give --seeds, or --latents as `aligned
invert` and `aligned generate` write them. Either network may be the parent of
the other: for the way back, swap them. --space says what PARENT makes itself: with z
(the default) CHILD maps the latents on its own, which suits distant domains,
with w and w+ PARENT does, with s its affine layers too.

--reference takes the fine layers from other latents of CHILD, --texture from random
ones; --layers is what the source keeps, a number of style layers (by default 6; at 128 pixels 4,
at fewer 2), a resolution below which it keeps all (32px), or `all`: the whole row.

--align F.json cuts faces out of IMAGES, --paste-back DIR puts their translations back into the
photographs; --keep and --keep-colour leave them parts and colours of the pictures, or of what
PARENT draws.

--film FILM translates a face in every frame of a film; --out and --paste-back are then films of
the square and of the whole frames.

--out NAME.png or NAME.html is a page with a row for each source; NAME.npz and a folder hold
the results alone. StyleAlign, figures 5, 6, 16 to 22 and 37.
"""

import argparse
from typing import TYPE_CHECKING

from aligned_jax.cli import arguments, console, footage, photos
from aligned_jax.errors import UserError

if TYPE_CHECKING:
    from aligned_jax.rendering.latent_words import WordKind

EXAMPLE = """\
  aligned translate zoo:personas64 zoo:critters64 photos --space z --out animals.png
  aligned translate zoo:personas64 zoo:critters64 --seeds 0-7 --space z,w,s --out spaces.png
  aligned translate ffhq.pkl mega.pkl --latents inverted/*.npz --preset toonify --out toons
  aligned translate ffhq.pkl dog.pkl party.jpg --align faces.json --paste-back party --out dogs.png
  aligned translate ffhq.pkl dog.pkl --film me.mp4 --align faces.json --encoder e4e.pt \
    --paste-back dog.mp4 --out square.mp4
  aligned translate cat.pkl dog.pkl --seeds 0-3 --reference 5,6 --layers all --out row.png
  aligned translate zoo:personas64 zoo:critters64 --seeds 0-3 --edit 5_23:6 --out edited.png
  aligned translate edges.pkl shoes.pkl --seeds 0-3 --texture 0-4 --layers 32px --out shoes.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("parent", metavar="PARENT")
    add("child", metavar="CHILD")
    add("images", nargs="*", type=arguments.name, metavar="IMAGES")
    add("--latents", nargs="+", type=arguments.name, metavar="F.npz", help="F.npz@2 is its row 2")
    add("--space", type=_spaces, metavar="LIST", help="of z, z+, w, w+, s, side by side")
    add(
        "--preset",
        choices=("plain", "toonify"),
        default="plain",
        help="toonify: latents in z, noise drawn anew (figure 20)",
    )
    mixing = parser.add_mutually_exclusive_group()
    mixing.add_argument(
        "--reference",
        nargs="+",
        type=arguments.name,
        metavar="R",
        help="latents of CHILD: a list of seeds, files of latents, or pictures",
    )
    mixing.add_argument("--texture", metavar="LIST", help="seeds, for so many outputs each")
    add(
        "--layers",
        type=arguments.list_of(str),
        metavar="LIST",
        help="with --reference and --texture: what the source keeps (default by size)",
    )
    add("--edit", action="append", metavar="X[:S]", help="as of `aligned edit`")
    add("--edit-in", choices=("parent", "child"), help="before, or after (default child)")
    add("--noise", choices=("const", "none", "random"), help="of all pictures (default const)")
    add("--noise-seed", type=arguments.seed, default=0, metavar="S", help="of random noise")
    arguments.add_sampling(parser, seeds=None, psi=0.5)
    parser.set_defaults(psi=None)  # files of latents say it themselves
    arguments.add_inversion(parser)
    photos.add_photos(parser)
    footage.add_footage(parser)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.png or NAME.html, NAME.npz, a folder, or a film")


def run(args: argparse.Namespace) -> None:
    """Translates, draws and writes."""
    if args.film:
        footage.translate_film(args)
        return
    footage.check_footage(args)
    kinds: dict[str, WordKind] = {"images": "pictures", "seeds": "seeds", "latents": "latents"}
    sources = [name for name in kinds if getattr(args, name)]
    if len(sources) != 1:
        raise UserError("give one of IMAGES, --seeds, --latents and --film")
    if args.edit_in and not args.edit:
        raise UserError("--edit-in can only be used together with --edit")
    given = arguments.fill_inversion_defaults(args)
    photos.check_reader(args, "keep")
    back = photos.photo_options(args)
    from aligned_jax import jobs
    from aligned_jax.inversion.setup import warn_skipped

    translation = jobs.translate(
        args.parent,
        args.child,
        getattr(args, sources[0]),
        kind=kinds[sources[0]],
        space=args.space,
        preset=args.preset,
        reference=args.reference,
        texture=args.texture,
        layers=args.layers,
        edits=args.edit or (),
        edit_in=args.edit_in or "child",
        psi=args.psi,
        noise=args.noise,
        noise_seed=args.noise_seed,
        label=args.label,
        batch=args.batch,
        pictures=arguments.picture_options(args),
        **back,
        network_key=args.network_key,
        out=args.out,
        overwrite=args.overwrite,
        report=console.CONSOLE,
    )
    command = arguments.used_command(args, translation.usage)
    said = translation.write(args.out, command, args.overwrite, console.CONSOLE)
    console.say(f"wrote {args.out}: {said}")
    photos.write_photos(args, translation, command)
    arguments.warn_unused(args, translation.usage, given)
    warn_skipped(translation.skipped, console.CONSOLE)


def _spaces(text: str) -> list[str]:
    spaces = [part.strip() for part in text.split(",")]
    wrong = [space for space in spaces if space not in ("z", "z+", "w", "w+", "s")]
    if wrong or len(set(spaces)) < len(spaces):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of different z, z+, w, w+ and s")
    return spaces
