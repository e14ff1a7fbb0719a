"""Makes the models that come with the package: draws data, trains, packs and scores."""

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from aligned_jax.errors import UserError
from aligned_jax.loading import ZOO_FILE
from aligned_jax.utils.paths import zoo_folder
from aligned_jax.zoo.card import Card, encoder_scores, gan_scores, write_card
from aligned_jax.zoo.members import DATA, ENCODERS, MODELS, POSE, Model, ZooEncoder

PACKAGE_ZOO = zoo_folder()
RESOLUTION = 64
SAMPLES = "0-63"
SCORES, SCORED = "scores.json", 5000
NETWORKS: dict[str, Model | ZooEncoder] = {**MODELS, **ENCODERS}
Say = Callable[[str], None]
# Every command is a process of its own, in the working folder, rather than a call of its job:
# paths are recorded as typed, relative to that folder, in what is packed; what is printed is
# all that happens, for anyone to type; and no training keeps the memory of the one before.
# Programs by the word that a command begins with:
ALIGNED, PYTHON = "aligned", "python"
_MODULE_OF = {ALIGNED: ("-m", "aligned_jax.tools.main"), PYTHON: ()}
ENCODER_SCORES = (PYTHON, "-m", "aligned_jax.train.zoo_encoders")


def unheard(text: str) -> None:
    """A `Say` that nobody listens to."""


def commands(name: str) -> tuple[list[str], list[str]]:
    """The commands that draw the data of a model and train it, run in the working folder."""
    model = NETWORKS[name]
    data, folder = DATA[model.data], f"data/{model.data}"
    draw = [ALIGNED, "data", "avatars", "--style", data.style, "--zoom", str(data.zoom), *POSE]
    draw += ["--count", str(data.count), "--resolution", str(RESOLUTION), "--out", folder]
    where = ["--data", folder, "--run", f"runs/{name}", "--kimg", str(model.kimg)]
    where += ["--seed", str(model.seed)]
    if isinstance(model, ZooEncoder):
        train = ["encoder", f"zoo:{model.generator}", "--space", model.space]
        return draw, [ALIGNED, *train, *where, *model.options]
    train = ["finetune", f"zoo:{model.start}"] if model.start else ["pretrain"]
    return draw, [ALIGNED, *train, "tiny64", *where, "--snapshots.images", "64"]


def scoring(name: str, source: str, out: str) -> list[str]:
    """The command that scores a model against the data it was trained on, or their test split."""
    model = NETWORKS[name]
    data = ["--data", f"data/{model.data}"]
    if isinstance(model, ZooEncoder):
        return [
            *ENCODER_SCORES,
            source,
            "--generator",
            f"zoo:{model.generator}",
            *data,
            "--out",
            out,
        ]
    counts = ["--num", str(SCORED), "--max-reals", str(SCORED)]
    metrics = ["--metrics", "fd_vgg,kid_vgg", *counts]
    return [ALIGNED, "evaluate", source, *data, *metrics, "--out", out]


def make(name: str, work: Path, into: Path, say: Say = unheard) -> None:
    """Draws, trains and packs one model, leaving out what is done.

    Args:
      name: in `NETWORKS`.
      work: folder for data and runs.
      into: folder that gets a folder of the model's name.
      say: hears of every command before it runs, and of the packed model.

    Raises:
      UserError: if a command fails.
    """
    draw, train = commands(name)
    if (into / name / ZOO_FILE).exists():
        return
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "data" / NETWORKS[name].data).exists():
        (work / "data").mkdir(exist_ok=True)
        run_command(draw, work, say)
    run_command(train, work, say)
    pack(name, work, into, say)


def pack(name: str, work: Path, into: Path, say: Say = unheard) -> None:
    """Writes INTO/NAME: the network, uncurated samples, scores and the card."""
    staging = work / "packed" / name
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    # Relative names: they are recorded in what is packed. G stays behind, since fine-tuning
    # starts it from G_ema.
    packed, keys = f"packed/{name}", "E" if name in ENCODERS else "G_ema,D"
    file = f"{packed}/{ZOO_FILE}"
    export = [ALIGNED, "export", f"runs/{name}", file, "--network-key", keys, "--half"]
    run_command(export, work, say)
    if name in MODELS:  # an encoder's samples come with its scores
        samples = [ALIGNED, "generate", file, "--seeds", SAMPLES]
        run_command([*samples, "--out", f"{packed}/samples.png"], work, say)
    run_command(scoring(name, file, f"{packed}/{SCORES}"), work, say)
    describe(name, work, staging)
    into.mkdir(parents=True, exist_ok=True)
    shutil.move(staging, into / name)
    size = sum(path.stat().st_size for path in (into / name).iterdir())
    say(f"packed {name}: {size / 1e6:.2f} MB")


def describe(name: str, work: Path, staging: Path) -> None:
    """Writes the card of a model from its run and what is packed of it."""
    model = NETWORKS[name]
    scores = json.loads((staging / SCORES).read_text(encoding="utf-8"))
    card = Card(
        name,
        model.says,
        model.flaws,
        samples="Unseen images, not chosen, and what becomes of them"
        if name in ENCODERS
        else "Seeds 0 to 63, no truncation, not chosen",
        commands=[shlex.join(command) for command in commands(name)],
        scores=encoder_scores(scores) if name in ENCODERS else gan_scores(scores),
        scored_by=shlex.join(scoring(name, f"zoo:{name}", SCORES)),
        licence=(work / "data" / model.data / "LICENSE").read_text(encoding="utf-8"),
    )
    write_card(staging, card, work / "runs" / name, f"{os.cpu_count()} cores of {_processor()}")


def run_command(command: list[str], work: Path, say: Say) -> None:
    """Runs a command with this interpreter in the working folder."""
    say(f"$ {shlex.join(command)}")
    line = [*_MODULE_OF[command[0]], *command[1:]]
    code = subprocess.run([sys.executable, *line], cwd=work, check=False).returncode
    if code:
        raise UserError(f"`{shlex.join(command)}` ended with exit code {code}")


def _processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
