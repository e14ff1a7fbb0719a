"""Recovery of known latents: python -m studies.recovery --network zoo:personas64 --out DIR.

Images that a network draws of known latents (seeds, truncated, stored noise, 8
bits) are inverted in every space, by every --encoder, and from what the encoder
found. Prints a markdown table, and writes recovery.json and recovery.png. In Z
and Z+ an inversion truncates as the truth was truncated.

It also checks that the same seed gives the same bits, whether an image comes to
them alone, too, and how far a batch is from that. --speed adds how much
faster a batch is than single images, and what keeps it from being faster.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np

import aligned_jax as aj
from aligned_jax import evaluation, features, inversion, viz
from aligned_jax.inversion import Settings, encode, to_styles
from aligned_jax.jobs import inverting
from aligned_jax.latents import broadcast_w, concatenate_styles, z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.utils.text import printable
from benchmarks import inversion_speed
from studies.tables import add_encoders, add_loss, markdown, spaces, write_document

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
LOSSES, MOVED = 1e-4, 1e-7
_FIRST = 4  # losses; before the third nothing has moved


@dataclass
class Found:
    """Latents of all targets by one method."""

    name: str
    space: str
    latent: np.ndarray
    psi: float
    seconds: float
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """Known latents of a network, and their images."""

    network: Network
    z: np.ndarray
    psi: float
    images: np.ndarray  # uint8 [N, R, R, C]

    @classmethod
    def of(cls, network: Network, seeds: Sequence[int], psi: float) -> "Truth":
        """Draws the images."""
        z = np.asarray(z_from_seeds(network.config, seeds))
        return cls(network, z, psi, viz.to_uint8(np.asarray(network(z, psi=psi))))

    def latent(self, space: str) -> np.ndarray:
        """The true latents [N, ...] of a space."""
        if space == "z":
            return self.z
        if space == "z+":
            return np.asarray(broadcast_w(self.z, self.network.config.num_ws))
        ws = np.asarray(self.network.mapping(self.z, psi=self.psi))
        return ws[:, 0] if space == "w" else in_rows(self.network, space, ws)

    def cosines(self, space: str, latent: np.ndarray) -> np.ndarray:
        """Of latents with the true ones around the middle of the space, [N]."""
        middle = np.zeros(())
        if not space.startswith("z"):
            w_avg = np.asarray(self.network.w_avg)[None]
            middle = w_avg[0] if space != "s" else in_rows(self.network, "s", w_avg)[0]
        a, b = latent - middle, self.latent(space) - middle
        lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
        return ((a * b).sum(axis=-1) / lengths).reshape(len(a), -1).mean(axis=1)


def in_rows(network: Network, space: str, ws: np.ndarray) -> np.ndarray:
    """W or W+ as latents of w+ or s."""
    if space == "s":
        return np.asarray(concatenate_styles(network.config, network.styles(ws)))
    return np.asarray(broadcast_w(ws, network.config.num_ws))


def main(argv: list[str] | None = None) -> None:
    """Inverts, checks and reports."""
    args = parse(argv)
    network = aj.load(args.network)
    truth = Truth.of(network, range(args.seed, args.seed + args.images), args.psi)
    loss = inverting.perceptual_of(args.perceptual, args.pixels)
    parts: dict[str, Any] = {}
    if args.speed:
        parts["speed"] = inversion_speed.measured(network, truth.images, args.repeats)
    else:
        found = [optimised(args, truth, loss, space) for space in args.space]
        for name, path in args.encoder:
            found += encoded(args, truth, loss, name, path)
        parts["rows"] = scored(truth, found)
        compared = args.space if args.check_steps else []
        checks = [checked(args, truth, loss, space) for space in compared]
        parts["checks"] = checks
        write_picture(Path(args.out) / "recovery.png", truth, found, args.seed)
        print(markdown(HEADINGS, [list(row.values())[: len(HEADINGS)] for row in parts["rows"]]))
        print(f"\n{CAPTION}")
        if checks:
            print(f"\n{markdown(list(checks[0]), [list(check.values()) for check in checks])}")
            print(f"\n{CHECKED.format(losses=LOSSES, moved=MOVED)}")
    name = "speed.json" if args.speed else "recovery.json"
    write_document(Path(args.out) / name, vars(args), **parts)


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
    add("--speed", action="store_true", help="measure speed alone")
    add("--repeats", type=int, default=7, help="of a measurement of speed")
    add("--out", required=True, metavar="DIR")
    add_loss(parser, "vgg", 0.0)
    add_encoders(parser)
    args = parser.parse_args(argv)
    if 0 < args.check_steps < _FIRST:
        parser.error("--check-steps must be 0, or 4 or more: the first steps move little")
    return args


def settings_of(args: argparse.Namespace, space: str, psi: float) -> Settings:
    """Of an inversion; only z and z+ are truncated."""
    psi = psi if space.startswith("z") else 1.0
    return Settings(space=space, steps=args.steps, noise=args.noise, psi=psi)


def optimised(
    args: argparse.Namespace,
    truth: Truth,
    loss: Any,
    space: str,
    start: np.ndarray | None = None,
    psi: float | None = None,
    name: str = "optimised",
) -> Found:
    """Latents by optimisation."""
    settings = settings_of(args, space, truth.psi if psi is None else psi)
    clock = Clock(settings.steps, printable(f"{name} {space}"))
    every, batch = max(1, settings.steps // 10), batch_of(args, truth.network, settings)
    found = inversion.invert(
        truth.network,
        truth.images,
        loss,
        settings,
        jax.random.key(args.seed),
        start,
        batch=batch,
        watch=clock,
        every=every,
    )
    return Found(name, space, found.latent, settings.psi, clock.seconds(batch))


def encoded(args: argparse.Namespace, truth: Truth, loss: Any, name: str, path: str) -> list[Found]:
    """Latents by an encoder, and by optimisation from there."""
    encoder = aj.load_encoder(path, truth.network)
    images = truth.images.astype(np.float32) / 127.5 - 1
    encode(encoder, truth.network, images)  # compiles
    start = time.perf_counter()
    latent = encode(encoder, truth.network, images)
    seconds = (time.perf_counter() - start) / len(images)
    # An encoder of z is trained without truncation.
    alone = Found(name, encoder.space, latent, 1.0, seconds)
    further = optimised(
        args, truth, loss, encoder.space, latent, psi=1.0, name=f"optimised from {name}"
    )
    return [alone, further]


class Clock:
    """Hears the progress of an inversion, tells it, and times the steps."""

    def __init__(self, steps: int, name: str) -> None:
        self.steps, self.name = steps, name
        self.each: list[float] = []  # seconds of a step, of every stretch but the first
        self._last: tuple[int, int, float] | None = None

    def __call__(self, progress: inversion.InversionProgress) -> None:
        """Hears of a stretch; the first one of all was compiled in it."""
        now = time.perf_counter()
        if self._last and self._last[0] == progress.first:
            self.each.append((now - self._last[2]) / (progress.step - self._last[1]))
        self._last = progress.first, progress.step, now
        if progress.step == self.steps:
            done = progress.first + len(progress.distances)
            print(f"{self.name}: {done} images", flush=True)

    def seconds(self, images: int) -> float:
        """Of all steps, for each of so many images; nan if there was one stretch alone."""
        return float(np.median(self.each)) * self.steps / images if self.each else float("nan")


def scored(truth: Truth, found: Sequence[Found]) -> list[dict[str, Any]]:
    """A row of the table for every method."""
    lpips, rows = features.lpips("vgg"), []
    for one in found:
        images = drawn(truth.network, one)
        take = (lambda n: truth.images[n]), (lambda n, images=images: images[n])
        distances = evaluation.pair_distances(lpips, *take, len(images))
        cosines = truth.cosines(one.space, one.latent)
        values = (one.name, one.space, distances, rmse(truth.images, images), cosines)
        means = [v if isinstance(v, str) else float(np.mean(v)) for v in values]
        row = dict(zip(HEADINGS, [*means, one.seconds], strict=True))
        rows.append(
            row
            | {
                "each": {
                    h: np.asarray(v).tolist()
                    for h, v in zip(HEADINGS[2:5], values[2:], strict=True)
                }
            }
        )
    return rows


def drawn(network: Network, found: Found) -> np.ndarray:
    """uint8 images of the latents."""
    styles = to_styles(network, found.space, found.latent, found.psi)
    return viz.to_uint8(np.asarray(network.render(styles)))


def rmse(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Root mean squared difference of uint8 images, in units of [-1, 1]: [N]."""
    difference = (a.astype(np.float32) - b.astype(np.float32)) / 127.5
    return np.sqrt(np.square(difference).mean(axis=(1, 2, 3)))


def checked(args: argparse.Namespace, truth: Truth, loss: Any, space: str) -> dict[str, Any]:
    """Whether a seed decides all bits, in any company, and what a batch changes."""
    args = argparse.Namespace(**{**vars(args), "steps": args.check_steps})
    settings, network = settings_of(args, space, truth.psi), truth.network

    def run(images: np.ndarray, batch: int, start: np.ndarray | None = None) -> inversion.Inverted:
        key = jax.random.key(args.seed)
        return inversion.invert(network, images, loss, settings, key, start, batch=batch)

    count, usual = len(truth.images), batch_of(args, network, settings)
    plain, again = (run(truth.images, usual) for _ in range(2))
    alone = [run(truth.images[k : k + 1], usual) for k in range(count)]
    batch = run(truth.images, count)
    mean = inversion.statistics(network, space, settings.samples, settings.samples_seed).mean
    noise = np.random.RandomState(args.seed).randn(count, *mean.shape)
    moved = run(truth.images, usual, (mean + MOVED * noise).astype(np.float32))
    losses, others = (found.trace["distance"][:_FIRST] for found in (plain, batch))
    first = float((np.abs(losses - others) / np.abs(losses)).max())
    return {
        "space": space,
        "steps": settings.steps,
        "same bits twice": "yes" if same([plain], [again]) else "no",
        "same bits alone": "yes" if same([plain], alone) else "no",
        f"batch of {count}: first losses": first,
        "within rounding": "yes" if first <= LOSSES else "no",
        "its latents": apart(plain, batch),
        "latents from a moved start": apart(plain, moved),
    }


def batch_of(args: argparse.Namespace, network: Network, settings: Settings) -> int:
    """Images at a time."""
    return args.batch or inverting.batch_for(network.config, settings)


def apart(a: inversion.Inverted, b: inversion.Inverted) -> float:
    """The largest difference of latents, over the largest number in them."""
    return float(np.abs(a.latent - b.latent).max() / np.abs(a.latent).max())


def same(a: Sequence[inversion.Inverted], b: Sequence[inversion.Inverted]) -> bool:
    """Whether two lists of inversions agree in every bit of latents, images and losses."""

    def joined(found: Sequence[inversion.Inverted]) -> list[np.ndarray]:
        rows = [[x.latent, x.images, *(t.T for t in x.trace.values())] for x in found]
        return [np.concatenate(part) for part in zip(*rows, strict=True)]

    return all(x.tobytes() == y.tobytes() for x, y in zip(joined(a), joined(b), strict=True))


def write_picture(path: Path, truth: Truth, found: Sequence[Found], seed: int) -> None:
    """Rows: the targets, then what every method found."""
    rows = [truth.images, *(drawn(truth.network, one) for one in found)]
    columns = [f"seed {seed + k}" for k in range(len(truth.images))]
    labels = ["target", *(f"{one.name} {one.space}" for one in found)]
    with viz.writing(path, overwrite=True) as file:
        viz.save_png(file, viz.figure(np.stack(rows), columns, labels))


if __name__ == "__main__":
    main()
