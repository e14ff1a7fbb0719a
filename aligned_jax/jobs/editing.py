"""The same edits in a parent, its children and their control, as a picture or a film."""

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass

from aligned_jax import semantics
from aligned_jax.errors import UserError
from aligned_jax.jobs.direction_files import warn_of_strangers
from aligned_jax.jobs.directions.sets import in_folders
from aligned_jax.jobs.edits.family import EditedFamily
from aligned_jax.jobs.edits.masks import Mask
from aligned_jax.jobs.edits.part_masks import PartMask, PartReader, named_mask
from aligned_jax.jobs.edits.recipes import EditRecipe, joined, read_recipe
from aligned_jax.jobs.edits.strength import choose_strength
from aligned_jax.jobs.edits.words import (
    CHANNEL_STRENGTH,
    WordOptions,
    channel_in,
    read_edits,
    strength_in,
)
from aligned_jax.jobs.judges import NamedJudge, SeedScores, load_judge
from aligned_jax.jobs.keeping import KeepOptions
from aligned_jax.jobs.pasting import PasteOptions, with_pictures
from aligned_jax.jobs.pending import example_of, latents_of
from aligned_jax.jobs.relatives import check_styles_fit, load_relatives
from aligned_jax.jobs.sources import (
    PictureOptions,
    Source,
    SourceOptions,
    Usage,
    read_source,
)
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.latents import channel_name
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions
from aligned_jax.rendering.editing import check_edits
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.latent_words import WordKind
from aligned_jax.semantics.edits import Edit
from aligned_jax.semantics.leakage import RISE
from aligned_jax.semantics.statistics import COUNT
from aligned_jax.translation import Truncation
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import arguments

STRENGTH = CHANNEL_STRENGTH
AUTO = "auto"


@dataclass(frozen=True, eq=False)
class EditRequest:
    """What to edit, and how far.

    Attributes:
      edits: files of directions and style channels, with ":S" behind them for their strength, or
        edits.
      channel: like "15_45"; shown to both sides.
      random: in place of it, the seed of a channel drawn among those that show in the parent's
        images.
      recipe: a file that an earlier run wrote.
      strength: of edits that do not say it, in sigmas of the parent; "auto" stops where leakage
        rises; None is 3, or 6 of a channel.
      to: whether strengths are targets.
      layers: rows of W+ that move.
      mask: a picture that is white where edits show; with a reader, parts of each picture by
        name, such as "hair" or "hair,beard".
      reader: who finds the parts: see `part_masks.part_mask`.
      space: of vectors of other programs.
      judge: with "auto", whose scores tell what leaks; None leaves it to the pictures.
      attribute: of the judge, that the edits are for.
      rise: of leakage that is too much.
      samples: latents on which the deviations of channels are measured.
    """

    edits: Sequence[str | Edit] = ()
    channel: str | None = None
    random: int | None = None
    recipe: str | os.PathLike[str] | None = None
    strength: float | str | None = None
    to: bool = False
    layers: Sequence[int] | None = None
    mask: str | os.PathLike[str] | Mask | PartMask | None = None
    reader: PartReader | None = None
    space: str | None = None
    judge: str | os.PathLike[str] | NamedJudge | None = None
    attribute: str | None = None
    rise: float = RISE
    samples: int = COUNT

    def __post_init__(self) -> None:
        if not self.edits and self.channel is None and self.random is None and not self.recipe:
            raise UserError("nothing to edit: give edits, a channel, a random one, or a recipe")
        if self.reader is not None and not isinstance(self.mask, str):
            raise UserError(
                "a reader finds the parts that a mask names; name them, like hair,beard"
            )
        if self.channel is not None and self.random is not None:
            raise UserError("give either a channel or the seed of a random one")
        if self.random is not None and self.to:
            raise UserError("a random channel is in s, where no target is defined; use `to=False`")
        if isinstance(self.strength, str) and self.strength != AUTO:
            raise UserError(f"strength is {self.strength!r:.40}; a number, or auto")
        if self.strength == AUTO:
            said = [w for w in self.edits if isinstance(w, str) and strength_in(w)[1] is not None]
            if said or self.recipe or self.to:
                raise UserError("with auto, no edit may say its strength, and none may be a target")
        elif self.judge is not None or self.attribute is not None:
            raise UserError("a judge and its attribute are for the strength auto")

    @property
    def number(self) -> float | None:
        """The strength of edits that do not say it: 1 with auto, by which it is multiplied."""
        return 1.0 if isinstance(self.strength, str) else self.strength

    @property
    def both_sides(self) -> bool:
        """Whether less is shown as well as more, unless somebody says it."""
        return not self.edits and not self.recipe

    @property
    def idle(self) -> list[str]:
        """Names of what is given and changes nothing, since every edit says it itself."""
        words = [word for word in (*self.edits, self.channel) if isinstance(word, str)]
        read = bool(words) or self.random is not None
        silent = self.random is not None or any(strength_in(word)[1] is None for word in words)
        heeded = {"strength": silent, "layers": read, "space": bool(words)}
        return [
            name
            for name, heeds in heeded.items()
            if not heeds and getattr(self, name) not in (None, AUTO)
        ]


def edit(
    networks: Sequence[NetworkSource],
    request: EditRequest,
    *,
    latents: Source = "0-2",
    kind: WordKind | None = None,
    invert_space: str | None = None,
    pictures: PictureOptions = PictureOptions(),  # noqa: B008  # it cannot change
    keep: KeepOptions = KeepOptions(),  # noqa: B008
    paste: PasteOptions = PasteOptions(),  # noqa: B008
    both: bool | None = None,
    names: Sequence[str] | None = None,
    psi: float | None = None,
    label: int | None = None,
    batch: int = 8,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> EditedFamily:
    """Gets the same edits of the same latents ready in a parent and its children.

    Strengths are counted in the parent alone: what a direction means in the parent it also means
    in aligned children (StyleAlign, figures 2, 3 and 9 to 12). Truncation of what is drawn
    changes no shift. Everything that may be wrong is looked at before a picture is inverted.

    Args:
      networks: names, or loaded networks, the parent first.
      request: what to edit.
      latents: seeds, files of latents, folders that `aligned invert` wrote, or pictures: names, or
        an array uint8 [N, H, W, 1, 3 or 4], which are inverted in the parent.
      kind: what names in `latents` stand for; None tells it by their form.
      invert_space: in which pictures are inverted, z, z+, w, w+ or s; None is w+, or the encoder's.
      pictures: how they are inverted.
      keep: what edited pictures keep of those that were given, or else of the parent's.
      paste: whether `photographs` of the result will be written, and how faces go back into them.
      both: whether less is shown as well as more; None shows it of channels alone.
      names: labels of the rows; by default the networks' own names.
      psi: truncation of z; None is that of files, or 0.7.
      label: class of conditional networks.
      batch: images at a time.
      network_key: "G_ema" or "G" of networks that are loaded.
      report: hears of every image.

    Raises:
      UserError: if the networks do not fit together, edits cannot be read or do not fit, or for
        latents, label and truncation that do not fit.
    """
    relatives = load_relatives(networks, names, network_key)
    called = named_network(networks[0])[0] if isinstance(networks[0], Network) else str(networks[0])
    parent = next(iter(relatives.values()))
    options = RenderOptions(batch=batch)
    source = SourceOptions(label, Truncation(psi, usual=0.7), "w+", batch, pictures)
    named = latents if kind == "pictures" else in_folders(latents)
    [pending] = read_source(parent, named, [invert_space], source, kind)
    example = example_of(pending)
    known = _class_of(parent, example, label)
    recipe = _recipe(called, parent, request, known, report)
    if request.idle:
        report.warn(f"{arguments(request.idle)}: without effect on edits that say it themselves")
    if request.random is not None and not {"z", "ws"} & example.arrays.keys():
        raise UserError("a random channel is chosen by latents in z or w; these are style vectors")
    wanted = request.both_sides if both is None else both
    if wanted and any(one.to for one in recipe.edits):
        raise UserError("a target has no other side; leave it out, or show one side")
    for network in relatives.values():
        example.check(network)
        check_edits(network.config, example, recipe.edits)
    if request.random is not None or any(one.space == "s" for one in recipe.edits):
        check_styles_fit(relatives)
    if isinstance(recipe.mask, Mask):
        recipe.mask.resized(parent.config.img_resolution)
    keeper = keep.keeper(parent.config.img_resolution)
    paste.check(pending)
    judge = _judge(request)
    batch_of = latents_of(pending, report)
    if keeper.keeps or paste.paste_back is not None:
        batch_of = with_pictures(batch_of, parent.config)
    if request.random is not None:
        drawn = _random_channel(parent, batch_of, request, known, report)
        recipe = dataclasses.replace(recipe, edits=(*recipe.edits, drawn))
    chosen = None
    if request.strength == AUTO:
        chosen = choose_strength(
            parent, batch_of, recipe.edits, judge, request.attribute, request.rise, options, report
        )
        moved = (one.with_amount(chosen.strength * one.amount) for one in recipe.edits)
        recipe = dataclasses.replace(recipe, edits=tuple(moved))
    usage = Usage.of([pending], options.noise)
    return EditedFamily(
        relatives, batch_of, recipe, chosen, options, wanted, usage, keeper, paste.feather
    )


def _class_of(parent: Network, latents: LatentBatch, label: int | None) -> int | None:
    """The class in which channels of a conditional parent are measured: that of the latents."""
    if label is not None or not parent.config.c_dim:
        return label
    return int(latents.arrays["c"][0].argmax()) if "c" in latents.arrays else 0


def _judge(request: EditRequest) -> NamedJudge | None:
    if request.judge is None or isinstance(request.judge, NamedJudge):
        return request.judge
    judge = load_judge(request.judge)
    if isinstance(judge, SeedScores):
        raise UserError(
            f"{judge.name} scores seeds; edited pictures need a judge that looks at them"
        )
    return judge


def _recipe(
    name: str,
    parent: Network,
    request: EditRequest,
    label: int | None,
    report: Reporter,
) -> EditRecipe:
    """All edits that are asked for but a random one, in the parent's sigmas."""
    rows = None if request.layers is None else tuple(request.layers)
    options = WordOptions(request.number, request.to, rows, request.space, label, request.samples)
    words: list[str | Edit] = list(request.edits)
    if request.channel is not None:
        words.append(request.channel)
    mask = named_mask(request.mask, request.reader)
    own = EditRecipe(tuple(read_edits(name, parent, words, options, report)), mask)
    if request.recipe is None:
        return own
    kept = read_recipe(request.recipe)
    if isinstance(kept.mask, PartMask):
        # Parts that are named again, perhaps of another reader, take the place of a recipe's.
        kept = dataclasses.replace(kept, mask=None if own.mask else kept.mask.loaded())
    for one in kept.edits:
        one.check(parent.config)
        warn_of_strangers(one.name, one.direction, parent, name, report)
    return joined([kept, own])


def _random_channel(
    parent: Network,
    latents: LatentBatch,
    request: EditRequest,
    label: int | None,
    report: Reporter,
) -> Edit:
    """A channel that shows in the parent's images, which alone decide."""
    strength = CHANNEL_STRENGTH if request.number is None else request.number
    known = known_statistics(parent, count=request.samples, label=label, report=report)
    ws = latents.in_space(parent, "w+").arrays["ws"]
    seed = 0 if request.random is None else request.random
    [(layer, number)] = semantics.visible_channels(parent, ws, 1, strength, known.std, seed)
    name = channel_name(parent.config, layer, number)
    direction = channel_in(parent, name, label, request.samples, report)
    rows = None if request.layers is None else tuple(request.layers)
    return Edit(direction, strength, request.to, rows, name)
