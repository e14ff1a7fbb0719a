"""Work that is a list of command lines, each of which makes one thing: demos and galleries."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from aligned_jax import checkpoint, latents, semantics, viz
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs.editing import STRENGTH
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.loading import NetworkSource, label_of, named_network
from aligned_jax.provenance import versions
from aligned_jax.utils.paths import exists
from aligned_jax.utils.reading import read_json

# Runs one command line without the program's name, and returns its exit code.
CarryOut = Callable[[Sequence[str]], int]


class StepStopped(Exception):  # somebody wanted it
    """A step was stopped.

    Attributes:
      code: its exit code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"stopped with exit code {code}")
        self.code = code


@dataclass(frozen=True)
class CommandStep:
    """One command line, and what it is for.

    Attributes:
      says: what it does, for people.
      argv: the command line without the program's name.
      product: a file that is there when, and only when, the step is done.
    """

    says: str
    argv: tuple[str, ...]
    product: str

    @property
    def command(self) -> str:
        """The command line as it is typed."""
        return shlex.join(["aligned", *self.argv])


def drawn_faces(
    style: str, count: int, test: int, folder: str, resolution: int, seed: int
) -> CommandStep:
    """Draws faces that turn and tilt, for a child to learn."""
    return CommandStep(
        f"draw {count:,} new faces in the style {style}",
        (
            *("data", "avatars", "--style", style, "--count", str(count), "--test", str(test)),
            *("--resolution", str(resolution), "--seed", str(seed)),
            *("--roll", "12", "--yaw", "1", "--out", folder),
        ),
        os.path.join(folder, "dataset_info.json"),
    )


def short_finetune(
    parent: str, preset: str, data: str, run: str, kimg: int, seed: int
) -> CommandStep:
    """Fine-tunes a child for so short that every thousand images count."""
    return CommandStep(
        f"fine-tune {label_of(parent)} on them for {kimg} thousand images",
        (
            *("finetune", parent, preset, "--data", data, "--run", run, "--kimg", str(kimg)),
            *("--seed", str(seed), "--snapshots.tick-kimg", "1", "--snapshots.images", "8"),
            # The usual average is longer than this whole run; it would show the parent.
            *("--gan.ema-kimg", "0.5"),
        ),
        str(checkpoint.run_checkpoint(run, kimg)),
    )


def shown_channels(
    network: NetworkSource, seeds: str, count: int, psi: float, seed: int
) -> list[str]:
    """Style channels like "5_23", chosen by what they do to a network's own pictures.

    Args:
      network: a name, or a loaded network.
      seeds: of the pictures that they are seen in.
      count: at most so many.
      psi: truncation of the pictures.
      seed: of the channels that are tried.
    """
    _, parent = named_network(network)
    z = jnp.asarray(latents.z_from_seeds(parent.config, latents.parse_seeds(seeds)))
    ws, unit = parent.mapping(z, psi=psi), known_statistics(parent).std
    chosen = semantics.visible_channels(parent, ws, count, STRENGTH, unit, seed)
    return [latents.channel_name(parent.config, *channel) for channel in chosen]


def run_aligned(argv: Sequence[str]) -> int:
    """Runs one command line of `aligned` in a process of its own; returns its exit code.

    Raises:
      UserError: what the process said last, if it is something that people can mend.
    """
    line = [sys.executable, "-m", "aligned_jax.tools.main", *argv]
    done = subprocess.run(line, check=False, text=True, capture_output=True)
    if done.returncode == 2:
        raise UserError(done.stderr.strip().rpartition("\n")[2])
    return done.returncode


def clock(seconds: float) -> str:
    """Minutes and seconds, "4:07"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def claim(out: str, record: str, what: str, plan: Mapping[str, Any]) -> None:
    """Makes a folder that of a plan, so that only the same plan goes on in it.

    Args:
      out: the folder.
      record: name of the file in it that holds the plan.
      what: is made there, in a word.
      plan: everything that decides it, JSON-able; its entry "out" does not count.

    Raises:
      UserError: if the folder holds anything else, or the disk refuses.
    """
    path = os.path.join(out, record)
    mine = {"version": versions()["aligned_jax"], **plan}
    mine = json.loads(json.dumps({key: value for key, value in mine.items() if key != "out"}))
    if not exists(path):
        try:
            viz.check_folder(out)
        except UserError as error:
            raise UserError(f"{str(error).partition(';')[0]}; choose another `out`") from None
    elif (recorded := _read(path)) != mine:
        differing = sorted(key for key in mine if recorded.get(key) != mine[key])
        raise UserError(
            f"{out} holds a {what} with another {', '.join(differing)}; choose another `out`"
        )
    with viz.writing(path, overwrite=True) as file:
        file.write((json.dumps(mine, indent=2) + "\n").encode())


def _read(record: str) -> Mapping[str, Any]:
    """What a record holds; nothing if it cannot be read."""
    try:
        return read_json(record)
    except (OSError, FormatError):
        return {}
