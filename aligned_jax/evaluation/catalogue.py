"""Every metric by name: which feature network it needs, and what of its features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aligned_jax.errors import ConfigError, UserError, too_small
from aligned_jax.metrics import PathOptions

# What can be wanted of a network's features.
MOMENTS, ROWS, PROBABILITIES = "moments", "rows", "probabilities"


@dataclass(frozen=True)
class MetricKind:
    """What a metric needs.

    Attributes:
      values: names of its numbers, without their spreads.
      says: what it measures, for people.
      network: the feature network that looks at the images.
      need: what is kept of the features: MOMENTS, ROWS, PROBABILITIES; None keeps nothing.
      paired: whether it compares with real images.
      latent: whether it needs a network in place of images.
      higher_is_better: whether larger numbers are better.
    """

    values: tuple[str, ...]
    says: str
    network: str
    need: str | None = None
    paired: bool = True
    latent: bool = False
    higher_is_better: bool = False


METRICS: Mapping[str, MetricKind] = {
    "fid": MetricKind(("fid",), "Fréchet distance of Inception features", "inception", MOMENTS),
    "kid": MetricKind(("kid",), "kernel distance of Inception features", "inception", ROWS),
    "pr": MetricKind(
        ("precision", "recall"),
        "precision and recall in the official VGG16 layer",
        "vgg16_fc2",
        ROWS,
        higher_is_better=True,
    ),
    "is": MetricKind(
        ("is",), "Inception Score", "inception", PROBABILITIES, paired=False, higher_is_better=True
    ),
    "ppl": MetricKind(("ppl",), "perceptual path length", "lpips_vgg", paired=False, latent=True),
    "fd_vgg": MetricKind(
        ("fd_vgg",), "Fréchet distance of VGG16 features; no FID", "vgg16", MOMENTS
    ),
    "kid_vgg": MetricKind(("kid_vgg",), "kernel distance of VGG16 features; no KID", "vgg16", ROWS),
    "pr_vgg": MetricKind(
        ("precision_vgg", "recall_vgg"),
        "precision and recall in pooled VGG16 features",
        "vgg16",
        ROWS,
        higher_is_better=True,
    ),
    "diversity": MetricKind(
        ("diversity",), "LPIPS of pairs of images", "lpips_vgg", paired=False, higher_is_better=True
    ),
    "diversity_z": MetricKind(
        ("diversity_z",),
        "LPIPS of images of one z with two noises",
        "lpips_vgg",
        paired=False,
        latent=True,
        higher_is_better=True,
    ),
}


@dataclass(frozen=True)
class Options:
    """Settings of the metrics; the defaults are the official ones.

    Attributes:
      ddof: of covariances.
      subsets, subset_size: of kernel distances.
      neighbours: of precision and recall.
      splits: of the Inception Score.
      path: which steps the path length is measured on.
      pairs: of diversity.
      seed: of subsets and pairs.
    """

    ddof: int = 0
    subsets: int = 100
    subset_size: int = 1000
    neighbours: int = 3
    splits: int = 10
    path: PathOptions = field(default_factory=PathOptions)
    pairs: int = 5000
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"ddof": 0, "subsets": 1, "subset_size": 2, "neighbours": 1, "splits": 1}
        least |= {"pairs": 1, "seed": 0}
        if wrong := too_small(self, least):
            raise ConfigError("; ".join(wrong))


OFFICIAL = Options()


def parse_names(text: str) -> tuple[str, ...]:
    """Metrics from "fid,kid"; raises UserError naming those that do not exist."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        raise UserError(
            f"no such metric: {', '.join(unknown) or repr(text)}; there are {', '.join(METRICS)}"
        )
    return names


def networks_of(names: Sequence[str]) -> list[str]:
    """Feature networks that these metrics need."""
    return list(dict.fromkeys(METRICS[name].network for name in names))


def wanted_of(names: Sequence[str]) -> dict[str, set[str]]:
    """What to gather, by feature network."""
    wanted: dict[str, set[str]] = {}
    for name in names:
        if need := METRICS[name].need:
            wanted.setdefault(METRICS[name].network, set()).add(need)
    return wanted
