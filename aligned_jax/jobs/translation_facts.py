"""What a translation is asked for: what contradicts itself, and what its page tells."""

from collections.abc import Iterable, Sequence
from typing import Any

from aligned_jax import translation
from aligned_jax.errors import UserError
from aligned_jax.jobs.pending import Pending
from aligned_jax.networks.network import Network
from aligned_jax.rendering.editing import edited
from aligned_jax.rendering.latent_batch import LatentBatch, check_mean
from aligned_jax.semantics.edits import Edit


def checked_mixing(reference: object, texture: object, layers: object) -> bool:
    """Whether fine layers come from elsewhere; raises UserError for what contradicts itself."""
    if reference is not None and texture is not None:
        raise UserError("give either a reference or a texture")
    mixes = reference is not None or texture is not None
    if layers is not None and not mixes:
        raise UserError("`layers` can only be used together with `reference` or `texture`")
    return mixes


def child_psis(
    child: Network, pending: Sequence[Pending], truncation: translation.Truncation
) -> set[float]:
    """Truncations of z in the child; raises UserError if it cannot truncate."""
    psi = truncation.in_child
    psis = {one.psi if psi is None else psi for one in pending if one.in_z}
    if psis - {1}:
        check_mean(child.config)
    return psis


def in_space(
    network: Network, latents: LatentBatch, space: str | None, edits: Sequence[Edit]
) -> LatentBatch:
    """Latents of a network after edits, in the space that was asked for."""
    moved = edited(network, latents, edits)
    return moved.in_space(network, space) if space else moved


def facts_of(
    noise: str,
    sources: Sequence[Pending],
    spaces: Sequence[str | None],
    reference: Pending | None,
    psis: Iterable[float],
    edits: Sequence[Edit] = (),
) -> dict[str, Any]:
    """What was done, as far as the options do not say it."""
    facts: dict[str, Any] = {"noise": noise}
    for source, space in zip(sources, spaces, strict=True):
        facts[f"latents {space}" if len(spaces) > 1 else "latents"] = source.summary
    if reference:
        facts["latents of the child"] = reference.summary
    facts["psi"] = ", ".join(f"{psi:g}" for psi in sorted(psis))
    facts["edits"] = ", ".join(edit.summary for edit in edits)
    return {name: value for name, value in facts.items() if value != ""}
