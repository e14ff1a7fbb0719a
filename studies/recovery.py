"""Recovery of known latents: python -m studies.recovery --network zoo:personas64 --out DIR.

Images that a network draws of known latents (seeds, truncated, stored noise, 8
bits) are inverted in every space, by every --encoder, and from what the encoder
found. Prints a markdown table, and writes recovery.json and recovery.png. In Z
and Z+ an inversion truncates as the truth was truncated.

It also checks that the same seed gives the same bits, whether an image comes to
them alone, too, and how far a batch is from that.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import aligned_jax as aj
from aligned_jax import evaluation, features, viz
from aligned_jax.inversion import setup
from benchmarks.reporting import command, markdown
from studies import same_bits
from studies.known_latents import Recovered, Search, Truth, encoded, optimised
from studies.likeness import rmse
from studies.tables import add_encoders, add_loss, spaces, write_document

HEADINGS = ("latents", "space", "LPIPS-VGG", "pixel RMSE", "cosine", "seconds an image")
CAPTION = """\
Means over the images. LPIPS-VGG and root mean squared difference of pixels in [-1, 1] are between
8-bit images. Cosine is between the latent found and the true one: of z as it is, of w minus
w_avg, of styles minus those of w_avg; in z+ and w+ the mean over rows. Seconds leave compilation
out."""
CHECKED = """\
The same inversions again, each image alone, and all in one batch. A batch rounds otherwise: the
largest relative difference of the first losses, and at the end of latents (over the largest number
in them). Rounding explains at most {losses:g} of the losses; what it grows to in latents is shown
by inversions whose start was moved by {moved:g}."""


def main(argv: list[str] | None = None) -> None:
    """Inverts, checks and reports."""
    args = parse(argv)
    network, out = aj.load(args.network), Path(args.out)
    truth = Truth.of(network, range(args.seed, args.seed + args.images), args.psi)
    loss = setup.perceptual_of(args.perceptual, args.pixels)
    search = Search(loss, args.steps, args.noise, args.batch, args.seed)
    recovered = [optimised(search, truth, space) for space in args.space]
    for name, path in args.encoder:
        recovered += encoded(search, truth, name, path)
    rows = scored(truth, recovered)
    compared = args.space if args.check_steps else []
    checks = [same_bits.checked(search, truth, space, args.check_steps) for space in compared]
    write_picture(out / "recovery.png", truth, recovered, args.seed)
    print(markdown(HEADINGS, [list(row.values())[: len(HEADINGS)] for row in rows]))
    print(f"\n{CAPTION}")
    if checks:
        print(f"\n{markdown(list(checks[0]), [list(check.values()) for check in checks])}")
        print(f"\n{CHECKED.format(losses=same_bits.LOSSES, moved=same_bits.MOVED)}")
    line = command("studies.recovery", argv)
    write_document(out / "recovery.json", line, vars(args), rows=rows, checks=checks)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--network", default="zoo:personas64")
    add("--images", type=int, default=8, help="for consecutive seeds")
    add("--seed", type=int, default=0, help="of the first image, and of the inversions")
    add("--psi", type=float, default=0.7, help="truncation of the true latents")
    add("--space", type=spaces, default="z,z+,w,w+,s", metavar="LIST", help="where to invert")
    add("--steps", type=int, help="of every inversion (500 in z and z+, else 1000)")
    add("--noise", choices=("drop", "const"), default="const", help="as in `aligned invert`")
    add("--batch", type=int, help="images at a time (default as in `aligned invert`)")
    add("--check-steps", type=int, default=20, help="of the inversions compared; 0: none")
    add("--out", required=True, metavar="DIR")
    add_loss(parser, "vgg", 0.0)
    add_encoders(parser)
    args = parser.parse_args(argv)
    if 0 < args.check_steps < same_bits.FIRST:
        parser.error("--check-steps must be 0, or 4 or more: the first steps move little")
    return args


def scored(truth: Truth, recovered: Sequence[Recovered]) -> list[dict[str, Any]]:
    """A row of the table for every method; under "each" the values of all images."""
    lpips, rows = features.lpips("vgg"), []
    for one in recovered:
        images = one.images(truth.network)
        take = (lambda n: truth.images[n]), (lambda n, images=images: images[n])
        each = {
            "LPIPS-VGG": evaluation.pair_distances(lpips, *take, len(images)),
            "pixel RMSE": rmse(truth.images, images),
            "cosine": truth.cosines(one.space, one.latent),
        }
        means = {name: float(np.mean(values)) for name, values in each.items()}
        row = {"latents": one.method, "space": one.space, **means}
        row |= {"seconds an image": one.seconds}
        rows.append(row | {"each": {name: np.asarray(v).tolist() for name, v in each.items()}})
    return rows


def write_picture(path: Path, truth: Truth, recovered: Sequence[Recovered], seed: int) -> None:
    """Rows: the targets, then what every method draws."""
    rows = [truth.images, *(one.images(truth.network) for one in recovered)]
    columns = [f"seed {seed + k}" for k in range(len(truth.images))]
    labels = ["target", *(f"{one.method} {one.space}" for one in recovered)]
    with viz.writing(path, overwrite=True) as file:
        viz.save_png(file, viz.figure(np.stack(rows), columns, labels))


if __name__ == "__main__":
    main()
