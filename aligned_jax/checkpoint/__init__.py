"""Checkpoint folders: the only package that knows Orbax.

A checkpoint is a folder with one Orbax tree for each network (`G_ema`, `G`,
`D`, an encoder's `E`, any subset) and `config.json` with the format version, every network's
sizes, the checksums of its arrays, the provenance, and a checksum of all that. A run folder
holds checkpoints as `checkpoints/kimg-000400`. Reading one network never reads another.
"""

from aligned_jax.checkpoint.arrays import misfits, read
from aligned_jax.checkpoint.folders import check_target, reduce, remove, write
from aligned_jax.checkpoint.lookup import find, run_checkpoint, run_checkpoints
from aligned_jax.checkpoint.manifest import FORMAT_VERSION, Manifest, is_checkpoint, read_manifest

__all__ = [
    "FORMAT_VERSION",
    "Manifest",
    "check_target",
    "find",
    "is_checkpoint",
    "misfits",
    "read",
    "read_manifest",
    "reduce",
    "remove",
    "run_checkpoint",
    "run_checkpoints",
    "write",
]
