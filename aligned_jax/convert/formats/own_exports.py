"""Our own exports: safetensors files with official names, whose header records the configs.

Files of others, without our header, are state dicts: see `tensor_dicts`.
"""

import os
from collections.abc import Mapping
from typing import Any

from aligned_jax.config import ALL_KEYS, AnyConfig, GeneratorConfig, configs_of
from aligned_jax.convert.description import Description
from aligned_jax.convert.files.problems import number
from aligned_jax.convert.files.safetensors_file import read_tensors
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.formats import foreign_networks, state_dicts, tensor_dicts
from aligned_jax.errors import ConfigError, FormatError
from aligned_jax.utils.checksums import check_seal, checksum_of
from aligned_jax.utils.reading import parse_json
from aligned_jax.utils.text import listed

METADATA_KEY = "aligned_jax"
FORMAT_VERSION = 1


def read(path: str | os.PathLike) -> tuple[dict[str, Description], dict[str, Any]]:
    """Networks of a file by key, and facts on where they come from.

    Raises FormatError for a damaged header, and for anything but StyleGAN2
    networks under official names.
    """
    entries, metadata = read_tensors(path)
    manifest = _manifest(metadata)
    if manifest is None:
        return tensor_dicts.read(entries, guess=False) or state_dicts.read(entries)
    if manifest.get("kind") == "delta":
        raise FormatError(
            "it is the delta of a tuned network and holds no whole one; give its name as a NETWORK "
            "(`aligned export` makes a file of the whole)"
        )
    networks = _networks(manifest)
    _check_tensors(manifest, entries)
    parts = (
        dict.fromkeys(networks, entries)
        if len(networks) == 1
        else state_dicts.split(entries, ALL_KEYS)
    )
    if set(parts) != set(networks):
        raise FormatError(
            f"its header describes {listed(networks)}, its tensors are those of {listed(parts)}"
        )
    described = {}
    for key, tensors in parts.items():
        foreign_networks.refuse(key, tensors)
        config = networks[key]
        described[key] = Description(isinstance(config, GeneratorConfig), tensors, config=config)
    source: dict[str, Any] = {"code_base": "aligned_jax", "warnings": []}
    made = manifest.get("provenance")
    if made is not None:
        source["provenance"] = made
    if isinstance(made, dict) and isinstance(made.get("cautions"), list):
        source["cautions"] = [str(caution) for caution in made["cautions"]]
        source["warnings"] = list(source["cautions"])
    return described, source


def _manifest(metadata: dict[str, str]) -> dict[str, Any] | None:
    """Our part of the header, or None in files of others."""
    text = metadata.get(METADATA_KEY)
    if text is None:
        if any('"format_version"' in other for other in metadata.values()):
            raise FormatError("its header holds metadata of ours under a name that is damaged")
        return None
    manifest = parse_json(text, "the metadata of ours in its header")
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        raise FormatError(
            f"its format version is {number(version)}, this release reads {FORMAT_VERSION}; "
            "update aligned_jax"
        )
    return manifest


def _networks(manifest: dict[str, Any]) -> dict[str, AnyConfig]:
    """The networks that the header describes."""
    try:
        networks = configs_of(manifest.get("networks"))
    except ConfigError as error:
        raise FormatError(f"its header is damaged: {error}") from None
    check_seal(manifest, "its header")
    return networks


def _check_tensors(manifest: dict[str, Any], entries: Mapping[str, Tensor]) -> None:
    """Refuses tensors without the checksum that the header records, if it records one."""
    recorded = manifest.get("checksum")
    if recorded is None:  # written by an earlier release
        return
    if recorded != checksum_of((name, entries[name].numpy()) for name in sorted(entries)):
        raise FormatError(
            "it is damaged: its tensors are not those that were written (their checksum "
            "differs from the recorded one)"
        )
