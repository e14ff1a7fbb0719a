"""Makes the models that come with the package: draws data, trains, packs and scores.

    python -m aligned_jax.train.zoo --work zoo-work

Every step is a command of `aligned` that anyone may type; they are printed
before they run and stand in the models' cards. What is there already is kept
and an unfinished run goes on, so the same line continues after an interruption.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

from aligned_jax.errors import UserError
from aligned_jax.loading import ZOO_FILE
from aligned_jax.zoo.card import Card, encoder_scores, gan_scores, write_card
from aligned_jax.zoo.members import DATA, ENCODERS, MODELS, POSE, Encoder

PACKAGE_ZOO = Path(str(resources.files("aligned_jax"))) / "zoo"
RESOLUTION = 64
SAMPLES = "0-63"
SCORES, SCORED = "scores.json", 5000
NETWORKS = MODELS | ENCODERS


def main(argv: list[str] | None = None) -> int:
    """Makes the models; returns the exit code."""
    args = parse(argv)
    try:
        unknown = [name for name in args.only if name not in NETWORKS]
        if unknown:
            raise UserError(f"there is no {', '.join(unknown)}; models are {', '.join(NETWORKS)}")
        for name in args.only or NETWORKS:
            make(name, Path(args.work), Path(args.into), args.show)
    except UserError as error:
        print(f"zoo: {error}", file=sys.stderr)
        return 2
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", default="zoo-work", help="folder for data and runs")
    parser.add_argument(
        "--into",
        default=str(PACKAGE_ZOO),
        help="where the models go (default: the package, from which children start)",
    )
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="some of the models")
    parser.add_argument("--show", action="store_true", help="print the commands and stop")
    return parser.parse_args(argv)


def commands(name: str) -> tuple[list[str], list[str]]:
    """The commands that draw the data of a model and train it, run in the working folder."""
    model = NETWORKS[name]
    data, folder = DATA[model.data], f"data/{model.data}"
    draw = ["aligned", "data", "avatars", "--style", data.style, "--zoom", str(data.zoom), *POSE]
    draw += ["--count", str(data.count), "--resolution", str(RESOLUTION), "--out", folder]
    where = ["--data", folder, "--run", f"runs/{name}", "--kimg", str(model.kimg)]
    where += ["--seed", str(model.seed)]
    if isinstance(model, Encoder):
        train = ["encoder", f"zoo:{model.generator}", "--space", model.space]
        return draw, ["aligned", *train, *where, *model.options]
    train = ["finetune", f"zoo:{model.start}"] if model.start else ["pretrain"]
    return draw, ["aligned", *train, "tiny64", *where, "--snapshots.images", "64"]


def scoring(name: str, source: str, out: str) -> list[str]:
    """The command that scores a model against the data it was trained on, or their test split."""
    model = NETWORKS[name]
    data = ["--data", f"data/{model.data}"]
    if isinstance(model, Encoder):
        module = ["python", "-m", "aligned_jax.zoo.encoder_scores"]
        return [*module, source, "--generator", f"zoo:{model.generator}", *data, "--out", out]
    counts = ["--num", str(SCORED), "--max-reals", str(SCORED)]
    metrics = ["--metrics", "fd_vgg,kid_vgg", *counts]
    return ["aligned", "evaluate", source, *data, *metrics, "--out", out]


def make(name: str, work: Path, into: Path, show: bool = False) -> None:
    """Draws, trains and packs one model, leaving out what is done.

    Raises:
      UserError: if a command fails.
    """
    draw, train = commands(name)
    if show:
        print(f"{shlex.join(draw)}\n{shlex.join(train)}")
        return
    if (into / name / ZOO_FILE).exists():
        return
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "data" / NETWORKS[name].data).exists():
        (work / "data").mkdir(exist_ok=True)
        _run(draw, work)
    _run(train, work)
    pack(name, work, into)


def pack(name: str, work: Path, into: Path) -> None:
    """Writes INTO/NAME: the network, uncurated samples, scores and the card."""
    staging = work / "packed" / name
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    # Relative names: they are recorded in what is packed. G stays behind, since fine-tuning
    # starts it from G_ema.
    packed, keys = f"packed/{name}", "E" if name in ENCODERS else "G_ema,D"
    file = f"{packed}/{ZOO_FILE}"
    export = ["aligned", "export", f"runs/{name}", file, "--network-key", keys, "--half"]
    _run(export, work)
    if name in MODELS:  # an encoder's samples come with its scores
        samples = ["aligned", "generate", file, "--seeds", SAMPLES]
        _run([*samples, "--out", f"{packed}/samples.png"], work)
    _run(scoring(name, file, f"{packed}/{SCORES}"), work)
    describe(name, work, staging)
    into.mkdir(parents=True, exist_ok=True)
    shutil.move(staging, into / name)
    size = sum(path.stat().st_size for path in (into / name).iterdir())
    print(f"packed {name}: {size / 1e6:.2f} MB", flush=True)


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


def _run(command: list[str], work: Path) -> None:
    """Runs a command with this interpreter in the working folder."""
    print(f"$ {shlex.join(command)}", flush=True)
    ours = command[0] == "aligned"
    line = ["-m", "aligned_jax.tools.main", *command[1:]] if ours else command[1:]
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


if __name__ == "__main__":
    sys.exit(main())
