"""How much of what a parent's style channels mean is kept by its children: scores and a page."""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import ancestry, checkpoint, semantics
from aligned_jax.errors import UserError
from aligned_jax.jobs.alignment_report import AlignedNetwork, Alignment
from aligned_jax.jobs.channel_family import ChannelFamily, load_channel_family, parent_statistics
from aligned_jax.jobs.relatives import latents_for_all, name_of
from aligned_jax.loading import NetworkSource, label_of
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.alignment import RESAMPLES
from aligned_jax.semantics.effect_maps import STRENGTH, EffectMaps
from aligned_jax.semantics.responses import Judge
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz import spread

# Snapshots of a run that are scored; channels that judges look at, and that are shown.
SNAPSHOTS, JUDGED, _SHOWN = 8, 32, 6


def alignment(
    parent: NetworkSource,
    children: Sequence[NetworkSource],
    *,
    control: NetworkSource | None = None,
    names: Sequence[str] | None = None,
    seeds: str | Sequence[int] = "0-15",
    psi: float = 1.0,
    label: int | None = None,
    strength: float = STRENGTH,
    torgb: bool = True,
    judge: Judge | None = None,
    child_judge: Judge | None = None,
    judged: int = JUDGED,
    moved: Sequence[str] | None = None,
    snapshots: int = SNAPSHOTS,
    resamples: int = RESAMPLES,
    statistics: int | None = None,
    batch: int = 32,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> Alignment:
    """Scores children by how alike every style channel acts in them and in their parent.

    Every channel is shifted alone, by the same amount in all networks, around each latent's own
    value; its map is the mean change of the picture. No labels are needed, and networks of any
    origin do, if they have the same shape.

    Args:
      parent: a name, or a loaded network.
      children: the same; a folder of a run stands for its snapshots.
      control: a network that did not come from the parent, for comparison.
      names: labels of the networks in this order; by default their own names.
      seeds: a list, or text such as "0-15"; their errors come from drawing seeds anew.
      psi: truncation of what is drawn; it never changes a shift.
      label: class of conditional networks.
      strength: shift to either side, in standard deviations of the parent at psi 1.
      torgb: whether the channels of toRGB layers count.
      judge: names and scores attributes of the parent's pictures, float32 [N, H, W, C]; without
        a `child_judge`, of the children's as well.
      child_judge: the same for the children's pictures; agreement is told of the attributes that
        both know.
      judged: channels whose slopes are judged, the most effective ones of the parent.
      moved: what was done to the pictures that each child was trained on, such as "right:8",
        "flip:vertical" or "none" (`semantics.Moved.parse`); adds scores of locality (figure 15).
      snapshots: of each run, at most; chosen densely at its beginning.
      resamples: draws for the errors of scores.
      statistics: latents from which the parent's deviations are measured; by default 100,000.
      batch: images at a time.
      network_key: "G_ema" or "G" of networks that are loaded.
      report: hears of the progress, and a warning of children that are no relatives.

    Raises:
      UserError: if the networks cannot be loaded or are of different shapes, or for seeds, label,
        truncation and judges that do not fit them.
    """
    if isinstance(children, str | os.PathLike):
        raise UserError(f"children are a list of names; give [{os.fspath(children)!r}]")
    if not children:
        raise UserError("no child was given; give one or more after the parent")
    if child_judge and not judge:
        raise UserError("a judge of the children needs one of the parent beside it")
    if moved is not None and len(moved) != len(children):
        raise UserError(f"{len(moved)} moves for {len(children)} children; give one for each")
    moves = [semantics.Moved.parse(text) for text in moved or ()]
    given = [parent, *children, *([] if control is None else [control])]
    members = _expanded(given, names, snapshots)
    sources = [member.source for member in members]
    networks = load_channel_family(sources, [member.label for member in members], network_key)
    _warn_unrelated(sources, networks, control is not None, report)
    latents = latents_for_all(networks, seeds, label, psi)
    first = next(iter(networks.values()))
    unit = parent_statistics(first, statistics, label, report)
    family = ChannelFamily(networks, latents, unit)
    maps = family.maps(strength, batch, report)
    if not torgb:
        maps = {name: one.take(("conv",)) for name, one in maps.items()}
    parent_name, *others = networks
    scored = _scored(maps, others, resamples, report)
    judged_scores = {}
    if judge:
        judged_scores = _judged(family, maps, judge, child_judge, strength, judged, batch, report)
    rows = [
        AlignedNetwork(
            name=member.label,
            control=control is not None and member is members[-1],
            run=member.run,
            kimg=member.kimg,
            locality=_locality(maps, member, moves, first.config.img_resolution),
            **scored[member.label],
            **judged_scores.get(member.label, {}),
        )
        for member in members[1:]
    ]
    return Alignment(
        family=family,
        sources=dict(zip(networks, map(name_of, sources), strict=True)),
        maps=maps[parent_name],
        rows=tuple(rows),
        shown=tuple(_shown(maps[parent_name])),
        batch=batch,
    )


@dataclass(frozen=True, eq=False)
class _Member:
    """A network to compare, and its place among what was given; a snapshot of a run knows when."""

    source: NetworkSource
    label: str
    place: int = 0
    run: str | None = None
    kimg: int | None = None


def _locality(
    maps: dict[str, EffectMaps], member: _Member, moves: Sequence[semantics.Moved], resolution: int
) -> semantics.LocalityScores | None:
    """That of a child whose data were moved; the control's were not."""
    if not 1 <= member.place <= len(moves):
        return None
    before = next(iter(maps.values()))
    move = moves[member.place - 1]
    return semantics.locality_scores(before, maps[member.label], move, resolution)


def _expanded(
    sources: Sequence[NetworkSource], names: Sequence[str] | None, most: int
) -> list[_Member]:
    """What was given, where folders of runs after the first are replaced by snapshots."""
    if names is not None and len(names) != len(sources):
        raise UserError(f"`names` has {len(names)} names for {len(sources)} networks")
    labels = names or [label_of(name_of(source)) for source in sources]
    found: list[_Member] = []
    for place, (source, label) in enumerate(zip(sources, labels, strict=True)):
        marks = {}
        if place and not isinstance(source, Network):
            marks = checkpoint.run_checkpoints(source)
        if len(marks) < 2:
            found.append(_Member(source, label, place))
            continue
        found += [
            _Member(f"{name_of(source)}@{kimg}", f"{label}@{kimg}", place, label, kimg)
            for kimg in spread(sorted(marks), most)
        ]
    return found


def _warn_unrelated(
    sources: Sequence[NetworkSource],
    networks: dict[str, Network],
    has_control: bool,
    report: Reporter,
) -> None:
    pairs = list(zip(sources, networks.values(), strict=True))
    for source, network in pairs[1 : len(pairs) - has_control]:
        ancestry.warn_unrelated([pairs[0][0], source], [pairs[0][1], network], report)


def _scored(
    maps: dict[str, EffectMaps], others: Sequence[str], resamples: int, report: Reporter
) -> dict[str, dict[str, Any]]:
    """What `AlignedNetwork` holds of every network but the first, without judges."""
    before = next(iter(maps.values()))
    found = {}
    with report.progress(len(others), "scores") as advance:
        for name in others:
            found[name] = {
                "channels": semantics.channel_scores(before, maps[name]),
                "scores": semantics.intervals(before, maps[name], resamples),
                "chance": semantics.permuted(before, maps[name]),
            }
            advance(1, name)
    return found


def _judged(
    family: ChannelFamily,
    maps: dict[str, EffectMaps],
    judge: Judge,
    child_judge: Judge | None,
    strength: float,
    count: int,
    batch: int,
    report: Reporter,
) -> dict[str, dict[str, Any]]:
    """Slopes and attributes of every network but the first, by name."""
    before = next(iter(maps.values()))
    strongest = np.argsort(-before.effect, kind="stable")[:count]
    channels = [family.channel(before.names[row]) for row in np.sort(strongest)]
    answers, scores = [], []
    with report.progress(len(channels) * len(maps), "judged channels") as advance:
        for place, (name, network) in enumerate(family.networks.items()):
            who = child_judge if child_judge and place else judge
            scores.append(semantics.judged(who, _images(network, family.latents, batch)))
            answers.append(
                semantics.responses(
                    network,
                    family.styles(network),
                    channels,
                    family.statistics.std,
                    who,
                    strength=strength,
                    batch=batch,
                    advance=functools.partial(advance, note=name),
                )
            )
    found = {}
    for name, answer, score in zip(list(maps)[1:], answers[1:], scores[1:], strict=True):
        agreement = semantics.attribute_agreement(scores[0], score)
        slopes = {k: semantics.slope_agreement(answers[0][k], answer[k]) for k in agreement}
        found[name] = {"slopes": slopes, "attributes": agreement}
    return found


def _images(network: Network, latents: LatentBatch, batch: int) -> np.ndarray:
    return render(network, latents, RenderOptions(batch=batch))


def _shown(maps: EffectMaps) -> list[semantics.Channel]:
    """The channels that show most in the parent, at most one of a layer, in order of layers."""
    best: dict[str, int] = {}
    channels = maps.channels
    for row in np.argsort(-maps.effect, kind="stable"):
        best.setdefault(channels[row][0], int(row))
    return [channels[row] for row in sorted(list(best.values())[:_SHOWN])]
