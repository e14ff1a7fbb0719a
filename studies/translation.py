"""Translation of pictures never seen in training: python -m studies.translation --work DIR ...

Avatars of the parent's test split are inverted in the parent by optimisation in
several spaces and by every --encoder, and drawn by a near child, a distant
child, and a network that is aligned with nothing. For each way and network one
row of one table: how near the inversion came, how well the translations fit the
child's domain, and what of each picture is still there.

Inversions are kept in DIR as `aligned invert` writes them, so that the same line
goes on after an interruption. translation_study.md and its picture go to --out,
the page and the numbers to DIR.
"""

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

import aligned_jax as aj
from aligned_jax import data, inversion, translation, viz
from aligned_jax.errors import FormatError
from aligned_jax.inversion import Settings, encode, setup
from aligned_jax.networks.network import Network
from aligned_jax.utils.blocks import blocks
from benchmarks.reporting import command
from studies import translation_report
from studies.tables import add_encoders, add_loss, spaces
from studies.translation_scores import Held, Scorer

CHILDREN = ("near", "distant", "control")


@dataclass(frozen=True)
class Way:
    """Latents of all pictures by one way, ready to be drawn.

    `latents` are of the keys that `translation.translate` takes; `psi` truncates z.
    """

    name: str
    latents: dict[str, np.ndarray]
    psi: float

    def drawn(self, network: Network, batch: int) -> np.ndarray:
        """uint8 images by a network."""
        count, images = len(next(iter(self.latents.values()))), []
        for rows, kept in blocks(count, batch):
            part = {key: value[rows] for key, value in self.latents.items()}
            drawn = np.asarray(translation.translate(network, part, self.psi))
            images.append(viz.to_uint8(drawn)[:kept])
        return np.concatenate(images)


def main(argv: list[str] | None = None) -> None:
    """Inverts, translates, scores and reports."""
    args = parse(argv)
    networks = {name: aj.load(getattr(args, name)) for name in ("parent", *CHILDREN)}
    for child in CHILDREN:
        translation.check_aligned(networks["parent"], networks[child])
    held = {
        "parent": opened(args.data, args.images, args.reals),
        "near": opened(args.near_data, args.images, args.reals),
        "distant": opened(args.distant_data, args.images, args.reals),
    }
    held["control"] = held["distant"]
    sources = held["parent"].first
    search = Search(
        Path(args.work) / "inversions",
        args.data,
        args.parent,
        args.perceptual,
        args.pixels,
        args.steps,
        args.noise,
        args.seed,
    )
    ways = [optimised(search, networks["parent"], sources, space) for space in args.space]
    ways += [encoded(networks["parent"], sources, *one) for one in args.encoder]
    scorer = Scorer.loaded(Path(args.work) / "features", args.seed)
    rows, images = [], {}
    for way in ways:
        images[way.name] = {n: way.drawn(network, args.batch) for n, network in networks.items()}
        rows += scorer.rows(way.name, sources, images[way.name], held)
        say(f"scored {way.name}")
    rows += scorer.floors(networks, held, args.batch)
    translation_report.write(
        Path(args.work),
        Path(args.out or args.work),
        command("studies.translation", argv),
        vars(args),
        translation_report.caption(len(sources), args.steps, args.perceptual, args.pixels),
        translation_report.picture(sources, images, args.show, args.show_ways or list(images)),
        rows,
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--work", required=True, metavar="DIR", help="where inversions are kept")
    add("--out", metavar="DIR", help="where the table and the picture go (default --work)")
    for name, default, says in (
        ("parent", "personas64", "in which pictures are inverted"),
        ("near", "toon-head64", "a child of a near domain"),
        ("distant", "critters64", "a child of a distant domain"),
        ("control", "critters64-scratch", "of the distant domain, but no child"),
    ):
        add(f"--{name}", default=f"zoo:{default}", metavar="NETWORK", help=says)
    add("--data", required=True, help="the parent's dataset; its split `test` is used")
    add("--near-data", required=True, metavar="DATA", help="the near child's")
    add("--distant-data", required=True, metavar="DATA", help="the distant child's")
    add("--images", type=int, default=50, help="the first of the test split")
    add("--reals", type=int, default=2000, help="of the rest, to compare with")
    add("--space", type=spaces, default="z,z+,w,w+", metavar="LIST", help="of the optimiser")
    add("--steps", type=int, default=200, help="of the optimiser")
    add("--noise", choices=("drop", "const"), default="const", help="as in `aligned invert`")
    add("--seed", type=int, default=0, help="of the optimiser, the floors and the permutation")
    add("--batch", type=int, default=8, help="images drawn at a time")
    add("--show", type=int, default=12, help="pictures of the figure")
    add("--show-ways", type=lambda text: text.split(","), metavar="LIST", help="default: all")
    add_loss(parser, "alex", 1.0)
    add_encoders(parser)
    args = parser.parse_args(argv)
    if "s" in args.space:
        parser.error("--space takes z, z+, w and w+; style vectors are not part of this study")
    return args


def opened(path: str, first: int, rest: int) -> Held:
    """The first images of a test split, and those after them."""
    dataset = data.open_dataset(data.DataOptions(path=path, split="test"))
    numbers = range(min(len(dataset), first + rest))
    images = np.stack([dataset[number][0] for number in numbers])
    return Held(images[:first], images[first:])


@dataclass(frozen=True)
class Search:
    """How pictures are inverted by optimisation, and where that is kept.

    Attributes:
      folder: of the inversions, which are files as `aligned invert` writes them.
      data, network: names of the dataset and of the parent.
      perceptual, pixels: what is made small, see `setup.perceptual_of`.
      steps, noise, seed: as in `aligned invert`.
    """

    folder: Path
    data: str
    network: str
    perceptual: str
    pixels: float
    steps: int
    noise: str
    seed: int

    def facts(self, number: int, image: np.ndarray) -> dict[str, Any]:
        """What a file says of its inversion; all but `image` decides it, beside its settings."""
        return {
            "image": f"{self.data} test {number}",
            "sha256": hashlib.sha256(image.tobytes()).hexdigest(),
            "network": self.network,
            "seed": self.seed,
            "lpips": self.perceptual,
            "pixels": self.pixels,
        }


def optimised(search: Search, parent: Network, sources: np.ndarray, space: str) -> Way:
    """Latents by optimisation; what is on the disk already is read."""
    settings = Settings(space=space, steps=search.steps, noise=search.noise)
    folder, count = search.folder / space, len(sources)
    facts = [search.facts(k, image) for k, image in enumerate(sources)]
    kept = [stored(folder / f"{k}.npz", parent, settings, facts[k]) for k in range(count)]
    missing = [k for k, inverted in enumerate(kept) if inverted is None]
    if missing:
        loss, done = setup.perceptual_of(search.perceptual, search.pixels), 0
        key = jax.random.key(search.seed)
        batch = setup.batch_for(parent.config, settings)
        for part in inversion.parts(parent, sources[missing], loss, settings, key, batch=batch):
            for row in range(len(part.latent)):
                k = missing[done]
                kept[k] = inversion.single(parent, part, row, facts[k])
                with viz.writing(folder / f"{k}.npz", overwrite=True) as file:
                    inversion.save(file, parent, kept[k])
                done += 1
            say(f"{space}: {count - len(missing) + done} of {count} inverted")
    latents = np.concatenate([inverted.latent for inverted in kept])
    return Way(space, {"z" if space in ("z", "z+") else "ws": latents}, settings.psi)


def stored(
    path: Path, parent: Network, settings: Settings, facts: dict[str, Any]
) -> inversion.ImageInversion | None:
    """An inversion from the disk, if it is the one that is wanted."""
    try:
        inverted = inversion.load(path, parent)
    except FormatError:
        return None
    agree = all(inverted.facts.get(name) == facts[name] for name in facts if name != "image")
    return inverted if inverted.settings == settings and agree else None


def encoded(parent: Network, sources: np.ndarray, name: str, path: str) -> Way:
    """Latents by an encoder; those of z are meant without truncation."""
    encoder = aj.load_encoder(path, parent)
    latents = encode(encoder, parent, sources.astype(np.float32) / 127.5 - 1)
    return Way(name, {"z" if encoder.space.startswith("z") else "ws": latents}, 1.0)


def say(text: str) -> None:
    """Progress."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
