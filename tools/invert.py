"""Finds latents whose images are like the given ones, by optimisation.

IMAGES are pictures, folders or zips of them, of any size and kind. A picture is cut
to its middle square and resized to the network's size; with --align none it must
be square already; --align F.json cuts out the faces that a file names, and every inversion
says where it lay in which picture. What cannot be read is skipped, and named at the end.

In W, W+ and S the settings are those of NVIDIA's projector, in Z and Z+ those of
StyleAlign's authors. Into DIR come, for every image, NAME.npz (latent, settings,
distances; `aligned generate --latents` draws it), NAME.png (the target and its
reconstruction), with --video NAME.webp; inversions.json with all distances; and
index.html, a page with all pictures.

With --tune the network itself is then bent until it draws each picture at its latent
(pivotal tuning): NAME.safetensors holds what is added to it, and stands for the tuned
network wherever a NETWORK is taken.

A run that was stopped goes on where it was with the same command line.
"""

import argparse
from typing import TYPE_CHECKING, Any

from aligned_jax.cli import arguments, console, inversion_options
from aligned_jax.cli.console import command
from aligned_jax.utils.text import counted, one_line

if TYPE_CHECKING:
    from aligned_jax.jobs import InvertedImages

EXAMPLE = """\
  aligned invert zoo:personas64 photos --space w+ --out inverted
  aligned invert ffhq.pkl party.jpg --align faces.json --space w+ --out party
  aligned invert zoo:personas64 photos --encoder runs/e4e --out encoded
  aligned invert zoo:personas64 photos --start runs/e4e --steps 100 --out refined
  aligned invert zoo:personas64 photos --tune --out tuned"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("images", nargs="+", type=arguments.name, metavar="IMAGES")
    add("--space", choices=("z", "z+", "w", "w+", "s"), help="(default w, or the encoder's)")
    add(
        "--label",
        type=arguments.whole(0),
        metavar="K",
        help="class of a conditional network, from 0",
    )
    arguments.add_align(parser)
    add(
        "--batch",
        type=arguments.whole(1),
        help="images times restarts at a time (default 8, or as many as fit into half the memory; "
        "on a CPU one)",
    )
    add("--seed", type=arguments.seed, help="of all random numbers (default 0)")
    add("--video", action="store_true", help="also show how each image came about")
    arguments.add_encoder(parser)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "DIR", "a folder")
    inversion_options.add_settings(parser)
    inversion_options.add_tuning(parser)


def run(args: argparse.Namespace) -> None:
    """Inverts and writes, image by image."""
    inversion_options.check_encoder(args)
    tune = inversion_options.tuning(args)
    from aligned_jax import jobs
    from aligned_jax.inversion import setup

    results = jobs.invert(
        args.network,
        args.images,
        space=args.space,
        encoder=args.encoder,
        start=args.start,
        label=args.label,
        perceptual=args.perceptual,
        pixels=args.pixels,
        align=args.align,
        seed=args.seed or 0,
        batch=args.batch,
        network_key=args.network_key,
        out=args.out,
        video=args.video,
        overwrite=args.overwrite,
        tune=tune,
        command=command(args),
        report=console.CONSOLE,
        **inversion_options.given_settings(args),
    )
    console.say(_table(args.out, results))
    inversion_options.warn_untuned(args, results)
    inversion_options.warn_unused_settings(args, results.settings, results.network.config)
    setup.warn_skipped(results.skipped, console.CONSOLE, "inversions.json")


def _table(out: str, results: "InvertedImages") -> str:
    """How near each image came, for people."""
    rows = [*({**row, "name": one_line(row["name"])} for row in results.rows)]
    rows += [{"name": "mean", **results.means, "tuned": results.tuned_means or None}]
    width = max(len(row["name"]) for row in rows)
    lines = [
        f"{row['name']:<{width}}  {row['perceptual']:.4f}  pixels {row['pixel']:.4f}"
        f"{_tuned(row.get('tuned'))}"
        for row in rows
    ]
    return "\n".join([*lines, f"wrote {out}: {counted(len(results), 'image')} {results.summary}"])


def _tuned(row: dict[str, Any] | None) -> str:
    """What the tuning of an image came to, for people."""
    if row is None:
        return ""
    near = f"pixels {row['pixel']:.4f}"
    if "perceptual" in row:
        near = f"LPIPS {row['before']['perceptual']:.4f} to {row['perceptual']:.4f}  {near}"
    return f"  tuned: {near}  {row['steps']:.0f} steps, {row['bytes']:,.0f} bytes"
