"""Mixtures of latents in StyleSpace: coarse layers of the source, fine layers of a reference."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from aligned_jax import translation
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers
from aligned_jax.rendering.latent_batch import LatentBatch


def parse_cuts(
    config: GeneratorConfig, layers: int | str | Sequence[int | str] | None = None
) -> list[int]:
    """How many style layers sources keep, in several ways.

    Args:
      config: of the network that renders.
      layers: numbers and resolutions as `translation.cut_of` takes them, or "all" for every
        number there is; None is `translation.usual_layers`.

    Raises:
      UserError: naming what is possible.
    """
    if layers is None:
        layers = translation.usual_layers(config)
    listed = [layers] if isinstance(layers, int | str) else list(layers)
    if "all" not in listed:
        return [translation.cut_of(config, layer) for layer in listed]
    count = len(style_layers(config))
    if len(listed) > 1:
        raise UserError(
            f"`layers` is {','.join(map(str, listed)):.40}; give either all, which is the whole "
            f"row from 0 to {count}, or numbers and resolutions"
        )
    return list(range(count + 1))


def mixture_names(
    sources: Sequence[str], references: Sequence[str] | None, cuts: Sequence[int]
) -> tuple[str, ...]:
    """The names of the rows of `mixed`: of sources, with those of references and cuts, if any."""
    if references is None:
        return tuple(sources)
    return tuple(
        f"{source}, {reference}" + (f", layers {cut}" if len(cuts) > 1 else "")
        for source in sources
        for reference in references
        for cut in cuts
    )


def texture_names(references: Sequence[str], cuts: Sequence[int]) -> list[str]:
    """The names of the columns in which one source has every reference at every cut."""
    return [
        reference + (f", keeps {cut}" if len(cuts) > 1 else "")
        for reference in references
        for cut in cuts
    ]


def mixed(
    config: GeneratorConfig, sources: LatentBatch, references: LatentBatch, cuts: Sequence[int]
) -> LatentBatch:
    """Every source with every reference at every cut, sources outermost and cuts innermost.

    Args:
      config: of the network that renders.
      sources: N style vectors; their noise maps and noise numbers are those of the mixtures.
      references: M style vectors.
      cuts: K numbers of layers that come from the source.

    Returns:
      Style vectors of N * M * K rows.

    Raises:
      UserError: if styles do not fit the network.
    """
    styles = translation.mixtures(config, sources.style_vectors(), references.style_vectors(), cuts)
    each = len(references) * len(cuts)
    arrays = {f"styles/{layer}": np.asarray(value) for layer, value in styles.items()}
    noise = {key: value for key, value in sources.arrays.items() if key.startswith("noise/")}
    arrays |= {key: value.repeat(each, axis=0) for key, value in noise.items()}
    return dataclasses.replace(
        sources,
        arrays=arrays,
        names=mixture_names(sources.names, references.names, cuts),
        numbers=sources.numbers.repeat(each),
        pictures=None,
        skipped={},
    )
