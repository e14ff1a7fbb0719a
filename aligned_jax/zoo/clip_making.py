"""Makes the small CLIP that comes with the package: draws data, trains, scores and packs it."""

from pathlib import Path

from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.zoo.clip_packing import NAME, WEIGHTS, pack_clip, scored
from aligned_jax.zoo.clip_training import ClipTraining, fact_table, train_clip
from aligned_jax.zoo.making import ALIGNED, PYTHON, RESOLUTION, Say, run_command, unheard
from aligned_jax.zoo.members import DATA, POSE

COUNT, SEED = 6000, 11  # other faces than generators and readers were trained on
USUAL = ClipTraining()
LEARNED = ("personas", "critters")  # styles


def drawings() -> dict[str, list[str]]:
    """The command that draws each style, run in the working folder."""
    lines = {}
    for style in LEARNED:
        draw = [ALIGNED, "data", "avatars", "--style", style, "--zoom", str(DATA[style].zoom)]
        draw += [*POSE, "--count", str(COUNT), "--resolution", str(RESOLUTION)]
        lines[style] = [*draw, "--seed", str(SEED), "--out", _folder(style)]
    return lines


def training(options: ClipTraining = USUAL) -> list[str]:
    """The command that makes all of it, as the card says it."""
    line = [PYTHON, "-m", "aligned_jax.train.zoo_clip", "--steps", str(options.steps)]
    return [*line, "--seed", str(options.seed), "--work", "."]


def make(
    work: Path,
    into: Path,
    options: ClipTraining = USUAL,
    say: Say = unheard,
    report: Reporter = QUIET,
) -> None:
    """Draws, trains, scores and packs, leaving out what is done; what was stopped goes on.

    Args:
      work: folder for data and the unfinished training.
      into: folder that gets a folder of the CLIP's name.
      options: of the training.
      say: hears of every command before it runs, and of what is packed.
      report: hears of every step of the training.

    Raises:
      UserError: if a command fails, or the disk refuses.
    """
    if (into / NAME / WEIGHTS).exists():
        return
    (work / "data").mkdir(parents=True, exist_ok=True)
    for style, line in drawings().items():
        if not (work / _folder(style)).exists():
            run_command(line, work, say)
    data = {style: str(work / _folder(style)) for style in LEARNED}
    with report.progress(options.steps, "steps") as advance:
        clip = train_clip(fact_table(data, "train"), options, advance, work / "clip")
    scores = scored(clip, fact_table(data, "test"))
    commands = [*drawings().values(), training(options)]
    pack_clip(into / NAME, clip, scores, options, LEARNED, commands)
    say(f"packed {NAME}: {scores['retrieval_64']:.0%} of captions retrieved")


def _folder(style: str) -> str:
    return f"data/captioned-{style}"
