"""Which style channels of a network do what: a survey, those of a part, those of an attribute."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Literal

import numpy as np

from aligned_jax import ancestry, semantics
from aligned_jax.errors import UserError
from aligned_jax.features.attributes import Segment
from aligned_jax.jobs.channel_evidence import Evidence, attribute_evidence, part_evidence
from aligned_jax.jobs.channel_family import ChannelFamily, load_channel_family, parent_statistics
from aligned_jax.jobs.channel_table import ChannelTable, RankedChannel
from aligned_jax.jobs.relatives import latents_for_all
from aligned_jax.loading import NetworkSource
from aligned_jax.semantics.effect_maps import STRENGTH
from aligned_jax.semantics.responses import Judge
from aligned_jax.utils.reporting import QUIET, Reporter

SurveyOrder = Literal["effect", "local", "untangled"]
ORDERS: tuple[SurveyOrder, ...] = ("effect", "local", "untangled")
TOP, SAMPLES = 12, 1000
# In rankings by other things, channels that do less than this share of the strongest come last;
# of those that act in a part so many times as are kept are looked at.
_VISIBLE, _CANDIDATES = 0.1, 4


def channels(
    networks: Sequence[NetworkSource],
    *,
    by: SurveyOrder | None = None,
    segment: Segment | None = None,
    masks: str | os.PathLike[str] | None = None,
    part: str | None = None,
    judge: Judge | None = None,
    attribute: str | None = None,
    examples: str | Sequence[int] | Sequence[str] | None = None,
    samples: int = SAMPLES,
    top: int = TOP,
    torgb: bool = True,
    strength: float = STRENGTH,
    names: Sequence[str] | None = None,
    seeds: str | Sequence[int] = "0-15",
    psi: float = 1.0,
    label: int | None = None,
    statistics: int | None = None,
    batch: int = 32,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> ChannelTable:
    """Ranks the style channels of a network, and shows what the first ones do, in children too.

    With `segment` or `masks`: by how often they act in a part of the picture (StyleSpace,
    section 4). With `judge` or `examples`: by how consistently pictures with an attribute have
    them on one side of the mean (StyleSpace, section 5). Else by what they do: a survey, which
    needs no labels.

    Args:
      networks: names, or loaded networks; channels are ranked in the first, and the others
        have to have the same style channels.
      by: order of the survey: the largest effect, the most local, or the least entangled with
        other channels.
      segment: from pictures [N, H, W, C] in [-1, 1] to parts [N, H, W, K] in [0, 1]; its
        attribute `names`, if it has one, names the parts.
      masks: in its place, a folder of PNGs, white where the part is: PART/SEED.png.
      part: which part; may be left out if there is one.
      judge: from pictures [N, H, W, C] in [-1, 1] to scores {name: [N]}.
      attribute: which of its scores; may be left out if there is one.
      examples: in place of a judge, seeds or files of latents of pictures with the attribute,
        better 10 to 30 than few; of inverted pictures, too. With a judge it tells the effect.
      samples: latents that the judge sees, at `psi`; the highest 2 % are the examples.
      top: channels that are kept.
      torgb: whether the channels of toRGB layers take part.
      strength: shift to either side, in standard deviations of the first network at psi 1.
      names: labels of the networks; by default their own names.
      seeds: of the pictures that are changed, a list, or text such as "0-15".
      psi: truncation of what is drawn; it never changes a shift.
      label: class of conditional networks.
      statistics: latents from which deviations are measured; by default 100,000.
      batch: images at a time.
      network_key: "G_ema" or "G" of networks that are loaded.
      report: hears of the progress, and a warning of children that are no relatives.

    Raises:
      UserError: if the networks do not fit together, for arguments that exclude each other,
        parts and attributes that are not known, too few examples, or attributes that do not vary.
    """
    _check(by, segment is not None or masks is not None, judge is not None or examples is not None)
    if segment is not None and masks is not None:
        raise UserError("give either a function that finds parts or a folder of masks")
    if top < 1:
        raise UserError(f"a table of {top} channels is empty; keep one or more")
    relatives = load_channel_family(networks, names, network_key)
    for source, network in zip(networks[1:], list(relatives.values())[1:], strict=True):
        pair = [next(iter(relatives.values())), network]
        ancestry.warn_unrelated([networks[0], source], pair, report)
    latents = latents_for_all(relatives, seeds, label, psi)
    first = next(iter(relatives.values()))
    unit = parent_statistics(first, statistics, label, report)
    family = ChannelFamily(relatives, latents, unit)
    if segment is not None or masks is not None:
        evidence = part_evidence(family, segment, masks, part, torgb, batch, report)
        evidence = _showing_first(family, evidence, top, strength, batch, report)
    elif judge is not None or examples is not None:
        evidence = attribute_evidence(
            family, judge, attribute, examples, samples, torgb, label, strength, top, batch, report
        )
    else:
        evidence = _survey(family, by or "effect", torgb, strength, batch, report)
    return _table(family, evidence, top, strength, batch, report)


def _check(by: str | None, parts: bool, attributes: bool) -> None:
    if by is not None and by not in ORDERS:
        raise UserError(f"channels cannot be surveyed by {by!r:.40}; choose {', '.join(ORDERS)}")
    if (by is not None) + parts + attributes > 1:
        raise UserError(
            "channels are ranked in one way: by a survey, by a part (a function or masks), or by "
            "an attribute (a judge or examples); give one of them"
        )


def _survey(
    family: ChannelFamily,
    by: SurveyOrder,
    torgb: bool,
    strength: float,
    batch: int,
    report: Reporter,
) -> Evidence:
    [maps] = family.alone.maps(strength, batch, report).values()
    maps = maps if torgb else maps.take(("conv",))
    found = semantics.survey(maps)
    visible = found.effect > _VISIBLE * found.effect.max(initial=0)
    keys = {"effect": -found.effect, "local": found.leakage, "untangled": found.entanglement}
    order = np.lexsort((keys[by], ~visible))
    entangled = {"entanglement": found.entanglement}
    titles = {
        "effect": "largest effect first",
        "local": "most local first",
        "untangled": "least entangled first",
    }
    alive = [row for row in order if found.effect[row] > 0]
    channels = [maps.channels[row] for row in alive]
    return Evidence(
        titles[by],
        channels,
        {name: value[alive] for name, value in entangled.items()},
        {"survey": by},
    )


def _showing_first(
    family: ChannelFamily,
    evidence: Evidence,
    top: int,
    strength: float,
    batch: int,
    report: Reporter,
) -> Evidence:
    """The same with candidates that hardly change a picture behind those that do."""
    candidates = evidence.channels[: _CANDIDATES * top]
    if not candidates:
        return evidence
    [maps] = family.alone.maps(strength, batch, report, candidates).values()
    effect = np.asarray([maps.effect[maps.channels.index(one)] for one in candidates])
    faint = effect < _VISIBLE * effect.max()
    order = [*np.flatnonzero(~faint), *np.flatnonzero(faint)]
    order += range(len(candidates), len(evidence.channels))
    channels = [evidence.channels[place] for place in order]
    figures = {name: value[order] for name, value in evidence.figures.items()}
    return dataclasses.replace(evidence, channels=channels, figures=figures)


def _table(
    family: ChannelFamily,
    evidence: Evidence,
    top: int,
    strength: float,
    batch: int,
    report: Reporter,
) -> ChannelTable:
    """The first channels with what they do in every network."""
    chosen = evidence.channels[:top]
    if not chosen:
        raise UserError("no channel of this network changes its pictures")
    found = family.maps(strength, batch, report, chosen)
    first = next(iter(found.values()))
    scored = {name: semantics.channel_scores(first, maps) for name, maps in found.items()}
    rows = []
    for place, channel in enumerate(chosen):
        row = first.channels.index(channel)
        rows.append(
            RankedChannel(
                name=first.names[row],
                layer=channel[0],
                channel=channel[1],
                figures={name: float(value[place]) for name, value in evidence.figures.items()},
                effects={name: float(maps.effect[row]) for name, maps in found.items()},
                leakages={name: float(one.leakage[row]) for name, one in scored.items()},
                cosines={name: float(one.cosine[row]) for name, one in scored.items()},
            )
        )
    return ChannelTable(family, tuple(rows), evidence.title, evidence.facts, strength, batch)
