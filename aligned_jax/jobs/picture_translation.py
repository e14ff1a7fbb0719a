"""Pictures of one network's domain in that of an aligned one."""

import os
from collections.abc import Sequence
from typing import Literal

from aligned_jax import translation
from aligned_jax.ancestry import warn_unrelated
from aligned_jax.data import targets
from aligned_jax.errors import UserError
from aligned_jax.jobs.drawings import check_file_names
from aligned_jax.jobs.edits.words import WordOptions, read_edits
from aligned_jax.jobs.keeping import KeepOptions
from aligned_jax.jobs.pasting import PasteOptions, with_pictures
from aligned_jax.jobs.pending import Pending, example_of
from aligned_jax.jobs.sources import (
    PictureOptions,
    Source,
    SourceOptions,
    Usage,
    file_names,
    read_source,
)
from aligned_jax.jobs.translation_facts import checked_mixing, child_psis, facts_of, in_space
from aligned_jax.jobs.translation_memory import TranslationMemory
from aligned_jax.jobs.translations import ONE_EACH, SEVERAL, SHEETS, Translation
from aligned_jax.latents import parse_seeds
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.rendering import mixing
from aligned_jax.rendering.draw import RenderOptions
from aligned_jax.rendering.editing import check_edits, edited
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.latent_words import WordKind
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz import check_channels
from aligned_jax.viz.sheet import image_form


def translate(
    parent: NetworkSource,
    child: NetworkSource,
    sources: Source,
    *,
    kind: WordKind | None = None,
    space: str | Sequence[str] | None = None,
    preset: str = "plain",
    reference: Source | None = None,
    texture: str | Sequence[int] | None = None,
    layers: int | str | Sequence[int | str] | None = None,
    edits: Sequence[str | Edit] = (),
    edit_in: Literal["parent", "child"] = "child",
    psi: float | None = None,
    noise: str | None = None,
    noise_seed: int = 0,
    label: int | None = None,
    batch: int = 8,
    pictures: PictureOptions = PictureOptions(),  # noqa: B008  # it cannot change
    keep: KeepOptions = KeepOptions(),  # noqa: B008
    paste: PasteOptions = PasteOptions(),  # noqa: B008
    network_key: str = "G_ema",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> Translation:
    """Gets latents of a parent ready to be drawn by its child; pictures are inverted for that.

    Everything that may be wrong is looked at before the first picture is inverted.

    Args:
      parent, child: names, or loaded networks. Either may be the parent of the other.
      sources: seeds ("0-7" or [0, 1]), names of files of latents or of pictures, pictures uint8
        [N, H, W, 1, 3 or 4], or latents of the parent.
      kind: what names in `sources` stand for; None tells it by their form.
      space: what the parent makes itself, of z, z+, w, w+ and s: with z the child maps the latents
        on its own, with s the affine layers are the parent's too. Several make a sheet. By
        default latents stay as they come, and pictures are inverted in z, or the encoder's space.
      preset: one of `translation.PRESETS`.
      reference: latents of the child, as `sources`, whose fine layers take the place of
        those of the sources.
      texture: seeds of the child instead, for so many outputs of each source.
      layers: with either of them, what the source keeps: a number of style layers, a
        resolution ("32px") below which it keeps all, several of these, or "all" for every number.
      edits: of what is translated, as `read_edits` takes them, in sigmas of the parent.
      edit_in: whether the parent's latents are edited before, or the child's after they are
        translated; the sheet shows the child's with and without.
      psi: truncation of z. None is 0.5, or that of files and encoders, unless the preset says it.
      noise: of all images, "const", "none" or "random"; by default that of the preset.
      noise_seed: of random noise.
      label: class of conditional networks.
      batch: images at a time.
      pictures: how pictures are inverted.
      keep: what translations keep of the pictures that were given, or else of the parent's.
      paste: whether `photographs` of the result will be written, and how faces go back into them.
      network_key: "G_ema" or "G" of networks that are loaded.
      out: where the result will be written, if it will: what cannot be is refused at once.
      overwrite: of what is there.
      report: hears of every step of an inversion, and of strangers.

    Raises:
      UserError: if something cannot be read, does not fit, or contradicts something else; or if not
        one inversion stays finite.
    """
    form = None if out is None else image_form(out, overwrite)
    given = [*file_names(sources, kind), *file_names(reference)]
    if out is not None:
        targets.check_apart(given, [os.fspath(out)])
    mixes = checked_mixing(reference, texture, layers)
    chosen, spaces = translation.preset_and_spaces(preset, space)
    if len(spaces) > 1 and (mixes or (form and form not in SHEETS)):
        raise UserError(SEVERAL)
    if paste.paste_back is not None and (mixes or len(spaces) > 1):
        raise UserError(ONE_EACH)
    drawn = RenderOptions(noise=noise or chosen.noise, noise_seed=noise_seed, batch=batch)
    if isinstance(texture, str):
        texture = parse_seeds(texture)  # a slip of the hand should not wait for networks
    (parent_name, source), (child_name, target) = (
        named_network(network, network_key) for network in (parent, child)
    )
    if form not in (None, "npz"):
        check_channels(target.config.img_channels)
    translation.check_aligned(source, target)
    cuts = mixing.parse_cuts(target.config, layers) if mixes else []
    warn_unrelated((parent, child), (source, target), report)

    truncation = translation.Truncation(psi, chosen.psi)
    pictures = pictures if reference is None else pictures.shared()
    options = SourceOptions(label, truncation, "z", batch, pictures)
    moves = read_edits(parent_name, source, edits, WordOptions(label=label), report)
    before, after = (moves if edit_in == place else [] for place in ("parent", "child"))
    asked = read_source(source, sources, spaces, options, kind)
    mixed_in: Pending | None = None
    if texture is not None:
        [mixed_in] = read_source(target, texture, [None], options, "seeds")
    elif reference is not None:
        [mixed_in] = read_source(target, reference, spaces, options)
    # Pictures will be inverted in the right space at once.
    pending = [
        in_space(source, one, space, before) if isinstance(one, LatentBatch) else one
        for one, space in zip(asked, spaces, strict=True)
    ]
    named = {parent_name: source, child_name: target}
    memory = TranslationMemory.of(named, asked, spaces, mixed_in, given)
    if form in SHEETS and out is not None:
        memory.check(out, overwrite)
    for one in asked:
        check_edits(source.config, example_of(one), before)
    check_edits(target.config, example_of(pending[0]), after)
    psis = child_psis(target, pending, truncation)
    keeper = keep.keeper(target.config.img_resolution)
    paste.check(asked[0])
    if form == "folder":
        others = mixed_in.names if mixed_in else None
        check_file_names(mixing.mixture_names(pending[0].names, others, cuts))

    latents, mixing_in = memory.find(asked, pending, mixed_in, before, report)
    if keeper.keeps or paste.paste_back is not None:
        latents = [with_pictures(one, source.config) for one in latents]
    moved = edited(target, latents[0].with_psi(truncation.in_child), after)
    results, references = moved.styles(target), None
    if mixing_in:
        references = mixing_in.styles(target)
        results = mixing.mixed(target.config, results, references, cuts)
    inverted = [*latents, references] if references else latents
    return Translation(
        networks=(source, target),
        names=(parent_name, child_name),
        network_key=network_key,
        sources=latents,
        spaces=spaces,
        results=results,
        references=references,
        cuts=cuts,
        texture=texture is not None,
        psi=truncation.in_child,
        edits=tuple(after),
        options=drawn,
        usage=Usage.of([*asked, mixed_in] if mixed_in else asked, drawn.noise),
        facts=facts_of(drawn.noise, asked, spaces, mixed_in, psis, moves),
        memory=memory,
        keeper=keeper,
        feather=paste.feather,
        skipped={file: why for one in inverted for file, why in one.skipped.items()},
    )
