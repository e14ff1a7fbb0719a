"""A direction in style channels from words, and what it does to pictures."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import jax
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.features import clip as clips
from aligned_jax.features.clip import Clip
from aligned_jax.jobs.relevance import IndexOptions, known_index
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.latents import channel_name, labels_for, style_layer, z_from_seeds
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.semantics import text
from aligned_jax.semantics.direction import Direction
from aligned_jax.types import Array, Styles
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed

STRENGTH = 5.0
_CHECKED = 48  # seeds after those of the index
_AGREE, _ROSE, _CHANCE = 0.5, 0.7, 0.05
_SHOWN = 10


@dataclass(frozen=True)
class TextOptions:
    """What decides a direction besides the words.

    Attributes:
      templates: sentences with {} for the words.
      threshold: least size of a channel's relevance; None chooses it as StyleCLIP does.
      layers: only these style layers, by name or number; () for all.
      index: of the relevance index.
      strength: in sigmas of the most relevant channel, at which the direction is tried.
    """

    templates: tuple[str, ...] = text.TEMPLATES
    threshold: float | None = None
    layers: tuple[str, ...] = ()
    index: IndexOptions = field(default_factory=IndexOptions)
    strength: float = STRENGTH


USUAL = TextOptions()


@dataclass(frozen=True, eq=False)
class TextDirection:
    """A direction from words, and how far to trust it.

    Attributes:
      direction: in S.
      threshold: least size of a relevance that was kept.
      relevances: of the kept channels by name ("6_23"), the largest first.
      agreement: of the seeds on the relevances, at most 1.
      chance: share of random directions that channels follow as much.
      rise, rose: mean rise of the target's score at `strength` on fresh seeds, and the share of
        them in which it rises.
      problem: why it is not reliable; "" if it is.
    """

    direction: Direction
    threshold: float
    relevances: dict[str, float]
    agreement: float
    chance: float
    rise: float
    rose: float
    problem: str

    @property
    def summary(self) -> str:
        """What was found in words."""
        best = listed([f"{k} {v:+.2f}" for k, v in self.relevances.items()], _SHOWN)
        return (
            f"{len(self.relevances)} channels of relevance {self.threshold:.3g} and more ({best}); "
            f"seeds agree {self.agreement:.2f}, chance {self.chance:.3f}, score rises by "
            f"{self.rise:+.3f}, in {self.rose:.0%} of fresh seeds"
        )


def text_direction(
    network: NetworkSource,
    *,
    target: str,
    neutral: str,
    clip: str | os.PathLike[str] | Clip = clips.ZOO_CLIP,
    options: TextOptions = USUAL,
    unreliable: bool = False,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> TextDirection:
    """The direction in style channels from one text to another (StyleCLIP's global direction).

    Args:
      network: a name, or a loaded network; the parent, if there are children.
      target: what is wanted, such as "a face with glasses".
      neutral: what it is wanted of, such as "a face".
      clip: a folder or file of weights, zoo:NAME, or a loaded CLIP with a tokenizer; by default
        the small one of the zoo, which knows the words of drawn faces alone.
      options: thresholds, templates and seeds.
      unreliable: return the direction even if seeds do not agree on it.
      network_key: "G_ema" or "G" of a network that is loaded.
      report: hears of every channel of the index, unless it was measured before.

    Raises:
      UserError: for words that the CLIP does not know, equal texts, templates without {}, layers
        that do not exist, thresholds that no channel reaches, or if the direction is not
        reliable.
    """
    plan = prepare(network, target, neutral, clip, options, network_key, report)
    threshold = options.threshold
    if threshold is None:
        threshold = text.automatic_threshold(plan.relevances)
    vectors = plan.vectors(threshold)
    risen = _rises(plan, vectors, options)
    agreed = text.agreement(plan.index, plan.change)
    by_chance = text.chance(plan.index, plan.relevances)
    problem = _problem(agreed, by_chance, risen)
    if problem and not unreliable:
        raise UserError(
            f"there is no reliable direction from {neutral!r} to {target!r} in {plan.name}: "
            f"{problem}; try other words or more seeds, or keep it all the same (`unreliable=True`)"
        )
    merits = {
        "agreement": agreed,
        "chance": by_chance,
        "rise": float(risen.mean()),
        "rose": float((risen > 0).mean()),
    }
    return TextDirection(
        direction=_direction(plan, vectors, threshold, options, merits),
        threshold=threshold,
        relevances=_ranked(plan, threshold),
        problem=problem,
        **merits,
    )


@dataclass(frozen=True, eq=False)
class TextPlan:
    """All that a direction from words is made of.

    Attributes:
      name: of the network.
      parent, seer: the network and the CLIP.
      words: target and neutral text.
      ends: their vectors, of unit length.
      change: from the one to the other.
      index: of the channels.
      relevances: of the channels, [C]; 0 in layers that are left out.
      sigma: of every channel, {layer: [C]}.
    """

    name: str
    parent: Network
    seer: Clip
    words: tuple[str, str]
    ends: tuple[np.ndarray, np.ndarray]
    change: np.ndarray
    index: text.RelevanceIndex
    relevances: np.ndarray
    sigma: dict[str, np.ndarray]

    def vectors(self, threshold: float) -> dict[str, np.ndarray]:
        """The direction at a threshold; as `semantics.text.shift_of`."""
        config = self.parent.config
        return text.shift_of(config, self.index, self.relevances, self.sigma, threshold)


def prepare(
    network: NetworkSource,
    target: str,
    neutral: str,
    clip: str | os.PathLike[str] | Clip,
    options: TextOptions,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> TextPlan:
    """Loads, refuses what can be refused, and measures; arguments as of `text_direction`."""
    named, parent = named_network(network, network_key, report)
    config = parent.config
    only = [style_layer(config, int(x) if x.isdigit() else x).name for x in options.layers]
    if config.img_channels not in (1, 3, 4):
        raise UserError(f"CLIP sees pictures of 1, 3 or 4 channels, not {config.img_channels}")
    seer = clip if isinstance(clip, Clip) else clips.load(clip)
    # Words before the index, which may take long.
    change = text.text_change(seer.embed_texts, target, neutral, options.templates)
    first, second = (
        text.text_vector(seer.embed_texts, words, options.templates) for words in (target, neutral)
    )
    index = known_index(parent, seer, options.index, report)
    relevances = text.relevance(index, change)
    if only:
        outside = np.asarray([layer not in only for layer, _ in index.channels])
        relevances = np.where(outside, np.float32(0), relevances)
    statistics = known_statistics(
        parent, count=options.index.samples, label=options.index.label, report=report
    )
    words, ends = (target, neutral), (first, second)
    sigma = statistics.std
    return TextPlan(named, parent, seer, words, ends, change, index, relevances, sigma)


def _problem(agreed: float, by_chance: float, risen: np.ndarray) -> str:
    """Why a direction is not reliable."""
    problems = []
    if not agreed >= _AGREE:  # nan, of a single group, too
        problems.append(f"the seeds agree by {agreed:.2f} only, of 1 ({_AGREE} is needed)")
    if by_chance > _CHANCE:
        problems.append(
            f"{by_chance:.0%} of random directions move the channels as much (at most "
            f"{_CHANCE:.0%} may)"
        )
    if (risen > 0).mean() < _ROSE:
        problems.append(
            f"the target's score rises in {(risen > 0).mean():.0%} of fresh seeds only "
            f"({_ROSE:.0%} is needed)"
        )
    return "; ".join(problems)


def _rises(plan: TextPlan, vectors: dict[str, np.ndarray], options: TextOptions) -> np.ndarray:
    """By how much the target's score rises in seeds that the index has not seen, [N]."""
    index = options.index
    first = index.first + index.seeds
    risen = []
    for rows, kept in blocks(_CHECKED, index.group):
        styles = styles_of(plan.parent, [first + int(row) for row in rows], index)
        before, after = (
            np.asarray(_seen(plan.parent, plan.seer, moved(styles, vectors, strength)))
            for strength in (0.0, options.strength)
        )
        risen.append(text.rises(before, after, *plan.ends)[:kept])
    return np.concatenate(risen)


@jax.jit
def _seen(network: Network, seer: Clip, styles: Styles) -> Array:
    return seer.embed_images(network.render(styles))


def styles_of(network: Network, seeds: Sequence[int], index: IndexOptions) -> Styles:
    """Styles of seeds, truncated and of the class as an index is measured."""
    labels = labels_for(network.config, index.label, len(seeds))
    z = z_from_seeds(network.config, seeds)
    return network.styles(network.mapping(z, labels, index.psi))


def moved(styles: Styles, vectors: dict[str, np.ndarray], strength: float) -> Styles:
    """Styles with `strength` times the direction added to those layers that it has."""
    amount = np.float32(strength)
    return styles | {layer: styles[layer] + amount * v[None] for layer, v in vectors.items()}


def _ranked(plan: TextPlan, threshold: float) -> dict[str, float]:
    """Relevances of the kept channels by name, the largest first."""
    order = np.argsort(-np.abs(plan.relevances), kind="stable")
    kept = [k for k in order if abs(plan.relevances[k]) >= threshold and plan.relevances[k]]
    names = {k: channel_name(plan.parent.config, *plan.index.channels[k]) for k in kept}
    return {names[k]: float(plan.relevances[k]) for k in kept}


def _direction(
    plan: TextPlan,
    vectors: dict[str, np.ndarray],
    threshold: float,
    options: TextOptions,
    merits: dict[str, float],
) -> Direction:
    found = {
        "method": "text",
        "target": plan.words[0],
        "neutral": plan.words[1],
        "templates": list(options.templates),
        "clip": plan.seer.name,
        "clip_sha256": plan.seer.fingerprint,
        "threshold": threshold,
        "seeds": options.index.seeds,
        "psi": options.index.psi,
        "label": options.index.label,
        "channels": int(sum(np.count_nonzero(vector) for vector in vectors.values())),
        "strength": options.strength,
        "merits": merits,
    }
    return Direction("s", vectors, 1.0, fingerprint(plan.parent.variables), found=found)
