"""One run of `aligned invert`: what it draws and writes, and how it goes on after a stop."""

import argparse
import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from PIL import Image

from aligned_jax import inversion, provenance, viz
from aligned_jax.cli import console
from aligned_jax.data.targets import Target, Targets
from aligned_jax.errors import FormatError, UserError
from aligned_jax.inversion import ImageInversion, InversionProgress, Inverted, Settings
from aligned_jax.inversion.encoder_choice import EncoderChoice
from aligned_jax.jobs import image_files
from aligned_jax.jobs.inverting import DIVERGED, batch_for, watcher
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.provenance import versions
from aligned_jax.utils.jsonable import to_dict
from aligned_jax.viz import report

_TABLE, _PAGE = "inversions.json", "index.html"
_FRAMES, _FRAME_MS, _HOLD_MS = 40, 100, 1500
Row = dict[str, Any]
# What a film shows of an image, uint8 [R, R, C] each, by the first of the attempts that
# took their turn together.
Frames = dict[int, list[np.ndarray]]


def results(args: argparse.Namespace, targets: Targets) -> list[str]:
    """Paths of all files that a run of the verb will write."""
    endings = (".npz", ".png", ".webp") if args.video else (".npz", ".png")
    names = [f"{target.name}{ending}" for target in targets.targets for ending in endings]
    return [os.path.join(args.out, name) for name in (*names, _TABLE, _PAGE)]


def is_unfinished(args: argparse.Namespace) -> bool:
    """Whether the same command was stopped before it had inverted all images."""
    try:
        with open(os.path.join(args.out, _TABLE), encoding="utf-8") as file:
            known = json.load(file)
        return known["finished"] is False and known["command"] == args.command_line
    except (OSError, ValueError, KeyError, TypeError):
        return False


@dataclass
class Job:
    """One run of the verb: what it works on, and what it could not do, by file."""

    args: argparse.Namespace
    network: Network
    settings: Settings
    perceptual: Any
    targets: Targets
    label: np.ndarray | None
    guide: EncoderChoice | None = None
    skipped: dict[str, str] = field(default_factory=dict)
    _rows: dict[int, Row] = field(default_factory=dict)  # by image, like the others
    _shown: dict[int, list[str]] = field(default_factory=dict)  # cells of the page
    _frames: dict[int, Frames] = field(default_factory=dict)

    def carry_out(self, advance: Callable[..., None]) -> list[Row]:
        """Inverts, writes every image as soon as it is done, and says how near each came.

        What an earlier run of the same command has left is taken as it is. If this
        one is stopped, table and page of what is done are written all the same.

        Raises:
          UserError: if not one inversion stays finite, or the disk refuses.
        """
        self.skipped |= self.targets.skipped
        try:
            self._invert(advance)
        except BaseException as stop:
            with contextlib.suppress(UserError):  # what has stopped us is to be told
                self._conclude(finished=False)
            if self._rows and isinstance(stop, KeyboardInterrupt | SystemExit):
                console.warn(
                    f"stopped after {len(self._rows)} of {len(self.targets.targets)} images; the "
                    "same command goes on from there"
                )
            raise
        if not self._rows:
            raise UserError(
                "not one inversion stayed finite; use a smaller --lr, or look at the network"
            )
        return self._conclude(finished=True)

    def _invert(self, advance: Callable[..., None]) -> None:
        """Fills in the rows."""
        args, space, start = self.args, self.settings.space, None
        if is_unfinished(args):
            advance(sum(map(self._take, range(len(self.targets.targets)))) * self.settings.steps)
        todo = [k for k in range(len(self.targets.targets)) if k not in self._rows]
        if not todo:
            return
        images = self.targets.images()[todo]
        if self.guide:
            start = self.guide.latents(self.network, images, space, self.label)
        numbers = iter(todo)
        for part in inversion.parts(
            self.network,
            images,
            self.perceptual,
            self.settings,
            jax.random.key(args.seed),
            start,
            c=self.label,
            batch=args.batch or batch_for(self.network.config, self.settings),
            watch=watcher(
                self.settings,
                advance,
                functools.partial(self._film, todo) if args.video else None,
            ),
            every=max(1, self.settings.steps // _FRAMES),
        ):
            for index in range(len(part.latent)):
                self._keep(part, index, next(numbers))
            self._write_table(finished=False)

    def _take(self, number: int) -> bool:
        """Whether an earlier run has left the results of an image, which are then taken."""
        target = self.targets.targets[number]
        path = os.path.join(self.args.out, target.name)
        shape, size = target.pixels.shape, self.network.config.img_resolution
        try:
            result = inversion.load(f"{path}.npz", self.network)
            with Image.open(f"{path}.png") as pair:
                image = np.asarray(pair)[:, size:].reshape(shape)
        except (FormatError, OSError, SyntaxError, ValueError):
            return False
        told = {key: value for key, value in result.facts.items() if key != "restart"}
        if self.args.video and not os.path.isfile(f"{path}.webp"):
            return False
        if result.settings != self.settings or told != self._facts(target):
            return False
        self._tell(number, image, result)
        return True

    def _facts(self, target: Target) -> dict[str, Any]:
        """What the file of an inversion says beside its settings."""
        facts = {"image": target.file, "align": self.args.align, "seed": self.args.seed}
        facts |= {"network": self._network(), "command": self.args.command_line}
        digest = hashlib.sha256(self._weights.encode() + target.pixels.tobytes()).hexdigest()
        # As it comes back from a file.
        return json.loads(json.dumps(facts | self._origin() | {"input": digest}))

    @functools.cached_property
    def _weights(self) -> str:
        """Tells networks apart whose files have the same names."""
        encoder = fingerprint(self.guide.encoder.variables) if self.guide else ""
        return fingerprint(self.network.variables) + encoder

    def _conclude(self, finished: bool) -> list[Row]:
        """Writes the table and the page, if there is anything to tell; returns the rows."""
        if self._rows:
            self._write_table(finished)
            self._write_page(self._told(self._rows))
        return self._told(self._rows)

    def _told(self, by_image: Mapping[int, Any]) -> list[Any]:
        """In the order of the images."""
        return [by_image[number] for number in sorted(by_image)]

    def _write_table(self, finished: bool) -> None:
        if self._rows:
            document = self._document(self._told(self._rows), finished)
            self._write(_TABLE, lambda file: file.write(_json(document)), again=True)

    def _write_page(self, rows: list[Row]) -> None:
        """index.html: every image, what it came to, and how."""
        args = self.args
        told = {"network": args.network, "align": args.align, "seed": args.seed}
        told |= {"perceptual": args.perceptual, "pixels": args.pixels, **to_dict(self.settings)}
        told |= {key: facts["encoder"] for key, facts in self._origin().items()}
        columns = ("target", "inversion", "perceptual distance", "pixels", "loss")
        sections = [report.sheet(columns, [row["name"] for row in rows], self._told(self._shown))]
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

    def _film(self, todo: Sequence[int], progress: InversionProgress) -> None:
        """Keeps a frame of each image, `_FRAMES` over all steps or fewer.

        Every turn of attempts has its own, since only the end shows which was the best.
        """
        turn = progress.attempts.start
        drawn = len(self._frames.get(todo[progress.first], {}).get(turn, ()))
        if progress.step * _FRAMES // self.settings.steps <= drawn:
            return
        images = np.nan_to_num(progress.images())
        for number, image in zip(todo[progress.first :], viz.to_uint8(images), strict=False):
            self._frames.setdefault(number, {}).setdefault(turn, []).append(image)

    def _keep(self, part: Inverted, index: int, number: int) -> None:
        """Writes one image's results; nothing if they are not finite."""
        target = self.targets.targets[number]
        turns = self._frames.pop(number, {})
        if not part.finite[index]:
            self.skipped[target.file] = DIVERGED
            return
        result = inversion.single(self.network, part, index, self._facts(target), self.label)
        pair = np.stack([target.pixels, viz.to_uint8(part.images[index])])
        text = provenance.png_text(self.args.command_line)
        self._write(f"{target.name}.npz", lambda file: inversion.save(file, self.network, result))
        self._write(f"{target.name}.png", lambda file: viz.save_png(file, viz.tile(pair, 2), text))
        if self.args.video:
            frames = turns[max(turn for turn in turns if turn <= part.restart[index])]
            both = [viz.tile(np.stack([target.pixels, frame]), 2) for frame in frames]
            self._write(
                f"{target.name}.webp", lambda file: viz.save_webp(file, both, _FRAME_MS, _HOLD_MS)
            )
        self._tell(number, pair[1], result)

    def _tell(self, number: int, image: np.ndarray, result: ImageInversion) -> None:
        target = self.targets.targets[number]
        self._shown[number] = _cells(target, image, result)
        self._rows[number] = _row(target.file, target.name, result)

    def _write(self, name: str, write: Callable[[Any], Any], again: bool = False) -> None:
        path, overwrite = os.path.join(self.args.out, name), self.args.overwrite or again
        with viz.writing(path, overwrite) as file:
            write(file)

    def _network(self) -> Mapping[str, Any]:
        source = {"network": self.args.network, "key": self.args.network_key}
        return source | provenance.summary(self.network.provenance or {})

    def _origin(self) -> Mapping[str, Any]:
        return self.guide.facts() if self.guide else {}

    def _document(self, rows: list[Row], finished: bool) -> Mapping[str, Any]:
        return {
            "finished": finished,
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
