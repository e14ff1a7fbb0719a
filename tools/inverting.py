"""What `aligned invert` optimises, draws and writes."""

import argparse
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from aligned_jax import features, inversion, viz
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.inversion import ImageInversion, Inverted, Progress, Settings
from aligned_jax.jsonable import to_dict
from aligned_jax.latents import one_hot_labels
from aligned_jax.network import Network
from aligned_jax.tools import common, image_files
from aligned_jax.tools.encoders import Guide
from aligned_jax.tools.inversion_options import SETTINGS
from aligned_jax.tools.targets import Target, Targets
from aligned_jax.versions import versions
from aligned_jax.viz import report

_TABLE, _PAGE = "inversions.json", "index.html"
_FRAMES, _FRAME_MS, _HOLD_MS = 40, 100, 1500
# Why an image has no inversion.
DIVERGED = "its numbers grew beyond all bounds"
Row = dict[str, Any]
# What a film shows of an image, uint8 [R, R, C] each, by the first of the attempts that
# took their turn together.
Frames = dict[int, list[np.ndarray]]


def settings_of(args: argparse.Namespace, guide: Guide | None = None) -> Settings:
    """The settings of the command line; raises ConfigError for values that cannot be."""
    return settings({name: getattr(args, option) for option, name in SETTINGS.items()}, guide)


def settings(given: Mapping[str, Any], guide: Guide | None = None) -> Settings:
    """Settings of which those that are None are left to the encoder, if there is one."""
    known = {name: value for name, value in given.items() if value is not None}
    return Settings(**(guide.defaults(known.get("space")) if guide else {}) | known)


def check_perceptual(args: argparse.Namespace) -> None:
    """Raises UserError if nothing would be compared."""
    if args.pixels < 0 or (args.perceptual == "none" and args.pixels == 0):
        raise UserError(
            f"--pixels is {args.pixels:g}; with --perceptual none it must be above 0, and never "
            "negative"
        )


def perceptual_of(args: argparse.Namespace) -> inversion.Perceptual:
    """What is compared; raises UserError if the weights of a network are not there."""
    parts: list[tuple[Any, float]] = []
    if args.perceptual != "none":
        parts.append((features.lpips(args.perceptual), 1.0))
    if args.pixels:
        parts.append((inversion.Pixels(), args.pixels))
    return inversion.Weighted(*zip(*parts, strict=True))


def label_of(config: GeneratorConfig, label: int | None) -> np.ndarray | None:
    """[1, c_dim] of a conditional network; raises UserError if it is missing or not wanted."""
    if label is not None:
        return one_hot_labels(config, [label])
    if config.c_dim:
        raise UserError(
            "this network is conditional; choose a class with --label, "
            f"from 0 to {config.c_dim - 1}"
        )
    return None


def batch_for(config: GeneratorConfig, settings: Settings) -> int:
    """Rows at a time: 8, or fewer if half of the free memory holds fewer.

    On a CPU one: more are no faster there, and alone every attempt at an image comes to
    the same bits in any company.
    """
    device = jax.local_devices()[0]
    if device.platform == "cpu":
        return 1
    stats = device.memory_stats()
    if not stats or "bytes_limit" not in stats:
        return 8
    free = stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    return min(8, inversion.rows_that_fit(config, settings, free / 2))


def watcher(
    settings: Settings,
    advance: Callable[..., None],
    also: Callable[[Progress], None] | None = None,
) -> inversion.Watch:
    """Tells `advance` how many steps were done, times images, and how near they are.

    `also` hears of the same progress.
    """
    before = [0]  # steps of the present images that have been told

    def watch(progress: Progress) -> None:
        # All restarts together count as one inversion.
        attempts = progress.attempts
        steps = attempts.start * settings.steps + progress.step * len(attempts)
        done = steps // settings.restarts
        advance(
            (done - before[0]) * len(progress.distances), f"loss {np.mean(progress.distances):.4f}"
        )
        before[0] = done % settings.steps
        if also:
            also(progress)

    return watch


def results(args: argparse.Namespace, targets: Targets) -> list[str]:
    """Paths of all files that a run of the verb will write."""
    endings = (".npz", ".png", ".webp") if args.video else (".npz", ".png")
    names = [f"{target.name}{ending}" for target in targets.found for ending in endings]
    return [os.path.join(args.out, name) for name in (*names, _TABLE, _PAGE)]


@dataclass
class Job:
    """One run of the verb: what it works on, and what it could not do, by file."""

    args: argparse.Namespace
    network: Network
    settings: Settings
    perceptual: Any
    targets: Targets
    label: np.ndarray | None
    guide: Guide | None = None
    skipped: dict[str, str] = field(default_factory=dict)
    _shown: list[list[str]] = field(default_factory=list)  # cells of the page, by image
    _frames: dict[int, Frames] = field(default_factory=dict)  # by image

    def carry_out(self, advance: Callable[..., None]) -> list[Row]:
        """Inverts, writes every image as soon as it is done, and says how near each came.

        Raises:
          UserError: if not one inversion stays finite, or the disk refuses.
        """
        self.skipped |= self.targets.skipped
        args, number, rows = self.args, 0, []
        images = self.targets.images()
        space, start = self.settings.space, None
        if self.guide:
            start = self.guide.latents(self.network, images, space, self.label)
        for part in inversion.parts(
            self.network,
            images,
            self.perceptual,
            self.settings,
            jax.random.key(args.seed),
            start,
            c=self.label,
            batch=args.batch or batch_for(self.network.config, self.settings),
            watch=watcher(self.settings, advance, self._film if args.video else None),
            every=max(1, self.settings.steps // _FRAMES),
        ):
            for index in range(len(part.latent)):
                rows += self._written(part, index, number)
                number += 1
        if not rows:
            raise UserError(
                "not one inversion stayed finite; use a smaller --lr, or look at the network"
            )
        self._write(_TABLE, lambda file: file.write(_json(self._document(rows))))
        self._write_page(rows)
        return rows

    def _write_page(self, rows: list[Row]) -> None:
        """index.html: every image, what it came to, and how."""
        args = self.args
        told = {"network": args.network, "align": args.align, "seed": args.seed}
        told |= {"perceptual": args.perceptual, "pixels": args.pixels, **to_dict(self.settings)}
        told |= {key: facts["encoder"] for key, facts in self._origin().items()}
        columns = ("target", "inversion", "perceptual distance", "pixels", "loss")
        sections = [report.sheet(columns, [row["name"] for row in rows], self._shown)]
        if self.skipped:
            table = report.table(("file", "why"), [*self.skipped.items()])
            sections.append(report.section("Skipped", table))
        image_files.save_page(
            os.path.join(args.out, _PAGE),
            f"Images {_done(self.settings)}",
            args.command_line,
            told,
            sections,
            args.overwrite,
        )

    def _film(self, progress: Progress) -> None:
        """Keeps a frame of each image, `_FRAMES` over all steps or fewer.

        Every turn of attempts has its own, since only the end shows which was the best.
        """
        turn = progress.attempts.start
        drawn = len(self._frames.get(progress.first, {}).get(turn, ()))
        if progress.step * _FRAMES // self.settings.steps <= drawn:
            return
        images = np.nan_to_num(progress.images())
        for number, image in enumerate(viz.to_uint8(images), progress.first):
            self._frames.setdefault(number, {}).setdefault(turn, []).append(image)

    def _written(self, part: Inverted, index: int, number: int) -> list[Row]:
        """Writes one image's results; nothing if they are not finite."""
        target = self.targets.found[number]
        turns = self._frames.pop(number, {})
        if not part.finite[index]:
            self.skipped[target.file] = DIVERGED
            return []
        facts = {"image": target.file, "align": self.args.align, "seed": self.args.seed}
        facts |= {"network": self._network(), "command": self.args.command_line}
        facts |= self._origin()
        result = inversion.single(self.network, part, index, facts, self.label)
        pair = np.stack([target.pixels, viz.to_uint8(part.images[index])])
        text = common.png_text(self.args.command_line)
        self._write(f"{target.name}.npz", lambda file: inversion.save(file, self.network, result))
        self._write(f"{target.name}.png", lambda file: viz.save_png(file, viz.tile(pair, 2), text))
        if self.args.video:
            frames = turns[max(turn for turn in turns if turn <= part.restart[index])]
            both = [viz.tile(np.stack([target.pixels, frame]), 2) for frame in frames]
            self._write(
                f"{target.name}.webp", lambda file: viz.save_webp(file, both, _FRAME_MS, _HOLD_MS)
            )
        self._shown.append(_cells(target, pair[1], result))
        return [_row(target.file, target.name, result)]

    def _write(self, name: str, write: Callable[[Any], Any]) -> None:
        with viz.writing(os.path.join(self.args.out, name), self.args.overwrite) as file:
            write(file)

    def _network(self) -> Mapping[str, Any]:
        source = {"network": self.args.network, "key": self.args.network_key}
        return source | common.summary(self.network.provenance or {})

    def _origin(self) -> Mapping[str, Any]:
        return self.guide.facts() if self.guide else {}

    def _document(self, rows: list[Row]) -> Mapping[str, Any]:
        return {
            "images": rows,
            "skipped": self.skipped,
            "mean": {name: _mean(rows, name) for name in ("perceptual", "pixel")},
            "settings": to_dict(self.settings),
            "perceptual": {"lpips": self.args.perceptual, "pixels": self.args.pixels},
            "network": self._network(),
            **self._origin(),
            "command": self.args.command_line,
            "versions": versions(),
        }


def table(out: str, settings: Settings, rows: list[Row]) -> str:
    """How near each image came, for people."""
    width = max(len("mean"), *(len(row["name"]) for row in rows))
    mean = {"name": "mean"} | {name: _mean(rows, name) for name in ("perceptual", "pixel")}
    lines = [
        f"{row['name']:<{width}}  {row['perceptual']:.4f}  pixels {row['pixel']:.4f}"
        for row in [*rows, mean]
    ]
    images = "1 image" if len(rows) == 1 else f"{len(rows)} images"
    return "\n".join([*lines, f"wrote {out}: {images} {_done(settings)}"])


def tell_skipped(skipped: Mapping[str, str]) -> None:
    """A warning for each image that was not inverted."""
    for file, reason in list(skipped.items())[:8]:
        common.warn(f"skipped {file}: {reason}")
    if len(skipped) > 8:
        common.warn(f"skipped {len(skipped) - 8} more; inversions.json names them")


def _done(settings: Settings) -> str:
    """What became of the images."""
    return f"{'inverted' if settings.steps else 'encoded'} in {settings.space}"


def _cells(target: Target, image: np.ndarray, result: ImageInversion) -> list[str]:
    """What the page shows of an image uint8 [R, R, C] and its target."""
    trace, line = result.trace, ""
    if len(trace):
        said = f"loss from {trace[0]:.4g} to {trace[-1]:.4g} in {len(trace)} steps"
        line = viz.spark(trace, said)
    return [
        report.thumbnail(target.pixels, f"{target.name}, target"),
        report.thumbnail(image, f"{target.name}, inversion"),
        *(f"{result.distances[name]:.4f}" for name in ("perceptual", "pixel")),
        line,
    ]


def _row(file: str, name: str, result: ImageInversion) -> Row:
    return {"image": file, "name": name, "restart": result.facts["restart"], **result.distances}


def _mean(rows: list[Row], name: str) -> float:
    return float(np.mean([row[name] for row in rows]))


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
