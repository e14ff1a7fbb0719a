"""The card of a network in the zoo: what it is, how it was made, and how it came along."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aligned_jax import viz
from aligned_jax.runs.config import TrainConfig
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.pictures import KIMG, score_curves


@dataclass(frozen=True)
class Card:
    """What a card says besides the records of the run.

    Attributes:
      name, says, flaws: of the network.
      samples: caption of its pictures.
      commands: those that made it.
      scores: markdown; see `gan_scores` and `encoder_scores`.
      scored_by: the command that computes them, as anyone can type it.
      licence: of the artwork it was trained on.
    """

    name: str
    says: str
    flaws: str
    samples: str
    commands: Sequence[str]
    scores: str
    scored_by: str
    licence: str


def write_card(folder: Path, card: Card, run: Path, cores: str) -> None:
    """Writes a network's `card.md` and `curve.svg` into its folder.

    Args:
      folder: of the network, holding its `samples.png`.
      card: what is to be said.
      run: the run folder of a finished run.
      cores: of this machine, for a run that used no accelerator.
    """
    record = RunFolder(run)
    lines, config, origin = record.read_stats(), record.read_config(), record.read_origin()
    kind = _KINDS[config.kind]
    ticks = [line["kimg"] for line in lines]
    drawn = {
        label: (ticks, [line["reports"].get(key, float("nan")) for line in lines])
        for label, key in kind.curves.items()
    }
    svg = viz.curves(drawn, f"{card.name}: {', '.join(kind.curves)}", KIMG)
    (folder / "curve.svg").write_text(svg, encoding="utf-8")
    scored = score_curves(lines)
    for name, svg in scored.items():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    shown = "".join(f"![{name} over the training]({name}.svg)\n\n" for name in scored)
    devices = origin["devices"]
    facts = kind.facts(config) | {
        "training": f"{lines[-1]['kimg']} kimg in batches of {config.batch_size}, "
        f"seed {config.seed}",
        "time": f"{lines[-1]['timing']['total_seconds'] / 3600:.1f} hours of training steps on "
        f"{cores if devices.endswith('cpu') else devices}",
        "software": ", ".join(f"{what} {number}" for what, number in origin["versions"].items()),
        "stored": f"float16: {kind.stored}",
    }
    rows = "\n".join(f"| {what} | {fact} |" for what, fact in facts.items())
    text = f"""# {card.name}

{card.says}

![{card.samples}](samples.png)

{card.flaws}

| | |
| --- | --- |
{rows}

Made by

```sh
{chr(10).join(card.commands)}
```

![Losses over the training](curve.svg)

## Scores

{shown}{card.scores}

```sh
{card.scored_by}
```

## Artwork

{card.licence.strip()}
"""
    (folder / "card.md").write_text(text, encoding="utf-8")


def _encoder_facts(config: EncoderRun) -> dict[str, str]:
    e, losses = config.encoder, config.losses
    kind = "e4e" if e.deltas else "pSp"
    weights = {"pixels": losses.l2, f"LPIPS-{losses.lpips_net}": losses.lpips}
    weights |= {"adversarial": losses.adversarial, "lengths of deltas": losses.delta_norm}
    return {
        "generator": config.start,
        "size": f"{kind}, {e.img_resolution} px to {e.space}, channels and units "
        + ", ".join(f"{channels} x {units}" for channels, units in e.stages),
        "losses": ", ".join(f"{what} {weight:g}" for what, weight in weights.items() if weight),
        "learning rate": f"{losses.learning_rate:g}",
    }


def _gan_facts(config: TrainConfig) -> dict[str, str]:
    g = config.generator
    channels = ", ".join(f"{count} at {size}" for size, count in sorted(g.channels.items()))
    return {
        "start": f"fine-tuned from {config.start}" if config.start else "from scratch",
        "size": f"{g.img_resolution} px, channels {channels}, z and w {g.w_dim}",
        "R1 gamma": f"{config.gan.r1_gamma:g}",
    }


@dataclass(frozen=True)
class _Kind:
    """What the cards of one kind of networks have in common.

    Attributes:
      facts: of a config: the start, the size, and what of the training is particular.
      stored: which networks are in the file.
      curves: reports of the training by label.
    """

    facts: Callable[[Any], dict[str, str]]
    stored: str
    curves: Mapping[str, str]


_KINDS = {
    TrainConfig.kind: _Kind(
        _gan_facts,
        "the averaged generator (G_ema) and the discriminator (D)",
        {
            "G loss": "Loss/G/loss",
            "D loss": "Loss/D/loss",
            "logit of real": "Loss/scores/real",
            "logit of generated": "Loss/scores/fake",
        },
    ),
    EncoderRun.kind: _Kind(
        _encoder_facts,
        "the encoder",
        {"loss": "Loss/E/loss", "pixels": "Loss/E/l2", "LPIPS": "Loss/E/lpips"},
    ),
}


def gan_scores(document: Mapping[str, Any]) -> str:
    """A table of what `aligned evaluate --out` wrote of a generator, and what it comes from."""
    values, reals = document["scores"], document["reals"]
    return f"""| fd_vgg | kid_vgg |
| --- | --- |
| {values["fd_vgg"]:.1f} | {values["kid_vgg"]:.3f} ± {values["kid_vgg_std"]:.3f} |

{document["images"]["images"]:,} images of seeds {document["images"]["seeds"]} against the first \
{reals["images"]:,} of the {reals["split"]} split, by VGG-16 features: no FID, and comparable \
only with scores of the same data. Lower is better, and 0 is not to be had: two halves of the \
same data differ as well. After ± stands the deviation over subsets of 1,000 images, which is no \
error of the mean."""


def encoder_scores(document: Mapping[str, Any]) -> str:
    """A table of how near an encoder comes to unseen images, beside optimisation."""
    rows = "\n".join(
        f"| {row['method']} | {row['lpips_vgg']:.3f} | {row['pixel_rmse']:.3f} |"
        for row in document["scores"]
    )
    return f"""| | LPIPS-VGG | pixel RMSE |
| --- | --- | --- |
{rows}

Means over the first {document["images"]} images of the test split, which no network has seen; \
pixels are in [-1, 1]. Optimisation is in the encoder's space, on LPIPS-Alex and pixels, with the \
stored noise."""
