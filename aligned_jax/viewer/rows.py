"""The rows of a page: seeds, a point of the pad, uploaded pictures."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.latents import labels_for, lerp, pad_point, truncate, z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch, check_mean, latents_of_seeds
from aligned_jax.viewer.state import Pad, ViewState

SEEDS, PAD = "seeds", "pad"


@dataclass(frozen=True, eq=False)
class RowGroup:
    """Rows that one command can draw.

    Attributes:
      name: "seeds", "pad" or "picture-ID".
      latents: of the parent.
      key: of all that decides them.
    """

    name: str
    latents: LatentBatch
    key: tuple[object, ...]


def row_groups(
    state: ViewState, parent: Network, pictures: Mapping[str, LatentBatch]
) -> list[RowGroup]:
    """The rows of a state, in the order in which they are shown.

    Args:
      state: that is shown.
      parent: whose latents they are.
      pictures: inversions that the session holds, of one picture each, by number.

    Raises:
      UserError: for latents that the network does not have, or pictures that are not there.
    """
    groups = []
    about = (state.label, state.psi)
    if state.seeds:
        latents = latents_of_seeds(parent.config, state.seeds, state.label, state.psi)
        groups.append(RowGroup(SEEDS, latents, (SEEDS, state.seeds, *about)))
    if state.pad is not None:
        latents = pad_latents(parent, state.pad, state.psi, state.label)
        groups.append(RowGroup(PAD, latents, (PAD, state.pad, *about)))
    if missing := [one for one in state.pictures if one not in pictures]:
        raise UserError(
            f"picture {', '.join(missing)} is not here any more; upload it again (pictures are "
            "kept while the page's program runs)"
        )
    groups += [
        RowGroup(f"picture-{one}", pictures[one], ("picture", one)) for one in state.pictures
    ]
    return groups


def pad_latents(parent: Network, pad: Pad, psi: float, label: int | None) -> LatentBatch:
    """The latent at a point of a pad: z, or w of the parent, truncated.

    Raises:
      UserError: for a label or a truncation that the network does not have, or w of a network that
        keeps no mean of it.
    """
    config = parent.config
    if pad.space == "z":
        z = pad_point(z_from_seeds(config, pad.seeds), pad.x, pad.y)
        arrays = {"z": z[None], "c": labels_for(config, label, 1)}
        latents = LatentBatch(arrays, (PAD,), np.zeros(1, np.uint32), psi)
        latents.check(config)
        return latents
    check_mean(config)
    corners = latents_of_seeds(config, pad.seeds, label).in_space(parent, "w+").arrays["ws"]
    ws = pad_point(corners, pad.x, pad.y, np.asarray(parent.w_avg))[None]
    ws = np.asarray(truncate(jnp.asarray(ws), parent.w_avg, psi))
    return LatentBatch({"ws": ws}, (PAD,), np.zeros(1, np.uint32))


def between(latents: LatentBatch, parent: Network, child: Network, t1: float) -> LatentBatch:
    """Latents in z as w between that of the parent and that of the child; others as they are."""
    if not latents.in_z:
        return latents
    ours, theirs = (latents.in_space(one, "w+").arrays["ws"] for one in (parent, child))
    own = latents.in_space(parent, "w+")
    ws = np.asarray(lerp(jnp.asarray(ours), jnp.asarray(theirs), t1))
    return dataclasses.replace(own, arrays={**own.arrays, "ws": ws})
