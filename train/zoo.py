"""Makes the models that come with the package: draws their data, trains them, packs them.

    python -m aligned_jax.train.zoo --work zoo-work

Every step is a command of `aligned` that anyone may type; they are printed
before they run and stand in the models' cards. What is there already is kept
and an unfinished run goes on, so the same line continues after an interruption.
"""

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from aligned_jax.errors import UserError
from aligned_jax.loading import ZOO_FILE
from aligned_jax.train.zoo_card import write_card

PACKAGE_ZOO = Path(str(resources.files("aligned_jax"))) / "zoo"
RESOLUTION = 64
SAMPLES = "0-63"


@dataclass(frozen=True)
class Drawn:
    """A dataset of drawn avatars: the options of `aligned data avatars`."""

    style: str
    count: int
    zoom: float = 1.0


@dataclass(frozen=True)
class Model:
    """One network of the zoo.

    Attributes:
      data: name in `DATA`.
      start: the model it is fine-tuned from, or None for one from scratch.
      kimg, seed: of the training.
      says: one sentence for the card.
      flaws: what its pictures do not do well.
    """

    data: str
    start: str | None
    kimg: int
    seed: int
    says: str
    flaws: str = ""


# Heads turn and tilt alike in all of them, so that pose is something a family can share.
POSE = ("--roll", "12", "--yaw", "1")
DATA = {
    "personas": Drawn("personas", 50000, zoom=1.25),
    "toon-head": Drawn("toon-head", 20000, zoom=1.1),
    "pixel-art": Drawn("pixel-art", 20000),
    "critters": Drawn("critters", 20000),
}
MODELS = {
    "personas64": Model(
        "personas",
        None,
        300,
        0,
        "The parent: people.",
        "Heads, hair, skin, shirts and who wears glasses are clear. Eyes are mostly two unequal "
        "dashes, glasses are broken strokes that take the place of the eyes, mouths are often "
        "crooked, a few faces have blue blots, and large hair is smeared.",
    ),
    "toon-head64": Model(
        "toon-head",
        "personas64",
        80,
        1,
        "A near child: people in another style.",
        "Heads, hair, skin and clothes are clear. Eyes, brows and mouths are thin strokes that "
        "often run into one another: about one face in five has no readable eyes, and some have "
        "a stray dark stroke. Beards blur the lower half of the face.",
    ),
    "pixel-art64": Model(
        "pixel-art",
        "personas64",
        80,
        2,
        "A near child of another texture.",
        "Faces, hair, skin, eyes and shirts are clear in most. Pixels are not square: straight "
        "edges came out wavy. Sunglasses are torn, and about one face in ten is blurred or has no "
        "eyes.",
    ),
    "critters64": Model(
        "critters",
        "personas64",
        80,
        3,
        "The distant child: monsters.",
        "Bodies, colours, eyes and mouths are clear. What floats above the heads is often a faint "
        "smear, pale bodies have blotches, and about one monster in sixty is dark and faceless.",
    ),
    "personas-again64": Model(
        "personas",
        "critters64",
        80,
        4,
        "A grandchild: people again, by way of monsters.",
        "Heads, hair, skin, shirts and mostly who wears glasses are clear. Mouths are small "
        "smudges, rims are thick and crooked, about one face in twelve has only fragments of "
        "glasses, and large hair is smeared.",
    ),
    "critters64-scratch": Model(
        "critters",
        None,
        80,
        5,
        "The control: as critters64 in data and length, but from scratch, so aligned with nothing.",
        "Bodies and faces are clear, but few kinds: brows are heavy, mouths much the same, colours "
        "fewer than in the data, and backgrounds are not quite white. From scratch this length is "
        "short.",
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Makes the models; returns the exit code."""
    args = parse(argv)
    try:
        unknown = [name for name in args.only if name not in MODELS]
        if unknown:
            raise UserError(f"there is no {', '.join(unknown)}; models are {', '.join(MODELS)}")
        for name in args.only or MODELS:
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
    model = MODELS[name]
    data = DATA[model.data]
    draw = ["aligned", "data", "avatars", "--style", data.style, "--zoom", str(data.zoom), *POSE]
    draw += ["--count", str(data.count), "--resolution", str(RESOLUTION)]
    draw += ["--out", f"data/{model.data}"]
    train = ["aligned", *(["finetune", f"zoo:{model.start}"] if model.start else ["pretrain"])]
    train += ["tiny64", "--data", f"data/{model.data}", "--run", f"runs/{name}"]
    train += ["--kimg", str(model.kimg), "--seed", str(model.seed), "--snapshots.images", "64"]
    return draw, train


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
    if not (work / "data" / MODELS[name].data).exists():
        (work / "data").mkdir(exist_ok=True)
        _aligned(draw, work)
    _aligned(train, work)
    pack(name, work, into)


def pack(name: str, work: Path, into: Path) -> None:
    """Writes INTO/NAME: the network, an uncurated grid of samples, and the card."""
    draw, train = commands(name)
    run, staging = work / "runs" / name, work / "packed" / name
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    # Relative names: they are recorded in what is packed. G stays behind, since fine-tuning
    # starts it from G_ema.
    file = f"packed/{name}/{ZOO_FILE}"
    export = ["aligned", "export", f"runs/{name}", file, "--network-key", "G_ema,D", "--half"]
    _aligned(export, work)
    samples = ["aligned", "generate", file, "--seeds", SAMPLES]
    _aligned([*samples, "--out", f"packed/{name}/samples.png"], work)
    write_card(
        staging,
        name,
        says=MODELS[name].says,
        flaws=MODELS[name].flaws,
        commands=[shlex.join(draw), shlex.join(train)],
        run=run,
        licence=(work / "data" / MODELS[name].data / "LICENSE").read_text(encoding="utf-8"),
        cores=f"{os.cpu_count()} cores of {_processor()}",
    )
    into.mkdir(parents=True, exist_ok=True)
    shutil.move(staging, into / name)
    size = sum(path.stat().st_size for path in (into / name).iterdir())
    print(f"packed {name}: {size / 1e6:.2f} MB", flush=True)


def _aligned(command: list[str], work: Path) -> None:
    """Runs a command of `aligned` with this interpreter in the working folder."""
    print(f"$ {shlex.join(command)}", flush=True)
    line = [sys.executable, "-m", "aligned_jax.tools.main", *command[1:]]
    code = subprocess.run(line, cwd=work, check=False).returncode
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
