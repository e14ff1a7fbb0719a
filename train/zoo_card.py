"""The card of a model: what it is, how it was made, and how it came along."""

from collections.abc import Sequence
from pathlib import Path

from aligned_jax import viz
from aligned_jax.train.run_folder import RunFolder

_CURVES = {
    "G loss": "Loss/G/loss",
    "D loss": "Loss/D/loss",
    "logit of real": "Loss/scores/real",
    "logit of generated": "Loss/scores/fake",
}


def write_card(
    folder: Path,
    name: str,
    says: str,
    flaws: str,
    commands: Sequence[str],
    run: Path,
    licence: str,
    cores: str,
) -> None:
    """Writes `card.md` and `curve.svg` from the records of a finished run.

    Args:
      folder: of the model, holding its samples.
      name, says, flaws: of the model.
      commands: those that made it.
      run: its run folder.
      licence: of the artwork it was trained on.
      cores: of this machine, for a run that used no accelerator.
    """
    record = RunFolder(run)
    lines, config, origin = record.read_stats(), record.read_config(), record.read_origin()
    ticks = [line["kimg"] for line in lines]
    drawn = {
        label: (ticks, [line["reports"].get(key, float("nan")) for line in lines])
        for label, key in _CURVES.items()
    }
    svg = viz.curves(drawn, f"{name}: losses and logits", "thousands of images")
    (folder / "curve.svg").write_text(svg, encoding="utf-8")
    last, g = lines[-1], config.generator
    hours = last["timing"]["total_seconds"] / 3600
    versions = ", ".join(f"{what} {number}" for what, number in origin["versions"].items())
    devices = origin["devices"]
    hardware = cores if devices.endswith("cpu") else devices
    start = f"fine-tuned from {config.start}" if config.start else "from scratch"
    text = f"""# {name}

{says}

![Seeds 0 to 63, no truncation, not chosen](samples.png)

{flaws}

| | |
| --- | --- |
| start | {start} |
| size | {g.img_resolution} px, channels {_channels(g.channels)}, z and w {g.w_dim} |
| training | {last["kimg"]} kimg in batches of {config.gan.batch_size}, seed {config.seed} |
| R1 gamma | {config.gan.r1_gamma:g} |
| time | {hours:.1f} hours of training steps on {hardware} |
| software | {versions} |
| stored | float16: the averaged generator (G_ema) and the discriminator (D) |

Made by

```sh
{chr(10).join(commands)}
```

![Losses and logits over the training](curve.svg)

## Artwork

{licence.strip()}
"""
    (folder / "card.md").write_text(text, encoding="utf-8")


def _channels(channels: dict[int, int]) -> str:
    return ", ".join(f"{count} at {resolution}" for resolution, count in sorted(channels.items()))
