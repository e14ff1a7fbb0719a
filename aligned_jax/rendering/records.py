"""What pictures say of their networks and latents, and latents that are kept beside them."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.config import GeneratorConfig
from aligned_jax.latents import z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.latent_files import write_latents
from aligned_jax.viz.video import VIDEOS

_SEED = re.compile(r"seed (\d+)")
_ROW = re.compile(r"@\d+$")


def seeds_of_rows(config: GeneratorConfig, latents: LatentBatch) -> list[int] | None:
    """The seeds whose z these latents are; None if there is anything else in them."""
    found = [_SEED.fullmatch(name) for name in latents.names]
    if latents.arrays.keys() - {"c"} != {"z"} or latents.arrays["z"].ndim != 2:
        return None
    seeds = [int(match[1]) for match in found if match]
    if len(seeds) < len(found) or max(seeds, default=0) >= 2**32:
        return None
    same = np.array_equal(z_from_seeds(config, seeds), latents.arrays["z"])
    return seeds if same and _label(latents) is not None else None


def latents_record(config: GeneratorConfig, latents: LatentBatch) -> dict[str, Any]:
    """What a picture says of its latents, JSON-able: enough to have them again, if they are seeds'.

    Returns:
      `names` and `psi`; and of seeds `seeds`, and `label` in conditional networks.
    """
    told: dict[str, Any] = {"names": list(latents.names), "psi": latents.psi}
    if (seeds := seeds_of_rows(config, latents)) is not None:
        told["seeds"] = seeds
        told |= {"label": _label(latents)} if config.c_dim else {}
    return told


def picture_facts(
    networks: Mapping[str, Network], latents: LatentBatch | None = None, **more: Any
) -> dict[str, Any]:
    """What a picture says besides its command, JSON-able.

    Args:
      networks: that drew it, by name, the one whose latents they are first.
      latents: of the first one.
      more: further facts.
    """
    first = next(iter(networks.values()))
    known = {name: provenance.summary(one.provenance) for name, one in networks.items()}
    told: dict[str, Any] = {"networks": known}
    if latents is not None:
        told["latents"] = latents_record(first.config, latents)
    return told | more


def beside(out: str | os.PathLike[str], what: str = "") -> str:
    """Where latents are kept of a picture, page or folder NAME.X: NAME.npz, or NAME-WHAT.npz."""
    stem, ending = os.path.splitext(os.fspath(out).rstrip("/"))
    stem = stem if ending in (".png", ".html", *VIDEOS) else stem + ending
    return f"{stem}{f'-{what}' if what else ''}.npz"


def to_keep(
    out: str | os.PathLike[str],
    batches: Iterable[str],
    given: Iterable[str] = (),
    overwrite: bool = False,
) -> list[str]:
    """Which batches `keep` will write; call it before long work.

    Args:
      out: of the pictures.
      batches: what tells the batches apart, "" for the only one.
      given: files that the latents come from, perhaps with @ROW; none is replaced by itself.
      overwrite: of what is there.

    Raises:
      UserError: if a file is there and may not be replaced.
    """
    sources = {os.path.realpath(_ROW.sub("", name)) for name in given}
    kept = [what for what in batches if os.path.realpath(beside(out, what)) not in sources]
    for what in kept:
        viz.check_file(beside(out, what), overwrite)
    return kept


def keep(
    out: str | os.PathLike[str],
    batches: Mapping[str, LatentBatch],
    command: Command,
    overwrite: bool = False,
) -> list[str]:
    """Writes latents beside what was drawn of them, and returns the names of the files.

    Raises:
      UserError: if a file is there and may not be replaced, or the disk refuses.
    """
    files = []
    for what, latents in batches.items():
        files.append(beside(out, what))
        with viz.writing(files[-1], overwrite) as file:
            write_latents(file, latents, provenance.record(command))
    return files


def _label(latents: LatentBatch) -> int | None:
    """The class of all rows, 0 without classes; None if there is no single one."""
    labels = latents.arrays.get("c")
    if labels is None or not labels.shape[-1]:
        return 0
    label = int(labels[0].argmax())
    expected = np.eye(labels.shape[-1], dtype=np.float32)[label]
    return label if (labels == expected).all() else None
