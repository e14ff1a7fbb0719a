"""Our own exports: safetensors files with official names, whose header records the configs.

Files of others, without our header, are state dicts with official names: see `state_dicts`.
"""

import json
import os
from typing import Any

from aligned_jax.config import ALL_KEYS, KINDS, AnyConfig, GeneratorConfig, from_dict
from aligned_jax.convert.description import Description
from aligned_jax.convert.files.inert import plain
from aligned_jax.convert.files.problems import number
from aligned_jax.convert.files.safetensors_file import read_tensors
from aligned_jax.convert.formats import foreign_networks, state_dicts
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

METADATA_KEY = "aligned_jax"
FORMAT_VERSION = 1


def read(path: str | os.PathLike) -> tuple[dict[str, Description], dict[str, Any]]:
    """Networks of a file by key, and facts on where they come from.

    Raises FormatError for a damaged header, and for anything but StyleGAN2
    networks under official names.
    """
    entries, metadata = read_tensors(path)
    manifest = _manifest(metadata.get(METADATA_KEY))
    if manifest is None:
        return state_dicts.read(entries)
    networks = manifest["networks"]
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
        config = _config(key, networks[key])
        described[key] = Description(isinstance(config, GeneratorConfig), tensors, config=config)
    source: dict[str, Any] = {"code_base": "aligned_jax", "warnings": []}
    if manifest.get("provenance") is not None:
        source["provenance"] = manifest["provenance"]
    return described, source


def _manifest(text: str | None) -> dict[str, Any] | None:
    """Our metadata, or None in files of others."""
    if text is None:
        return None
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise FormatError("its header holds metadata of ours that is damaged") from None
    manifest = manifest if isinstance(manifest, dict) else {}
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        raise FormatError(
            f"its format version is {number(version)}, this release reads {FORMAT_VERSION}; "
            "update aligned_jax"
        )
    networks = plain(manifest.get("networks"))
    if not isinstance(networks, dict) or not networks or not set(networks) <= set(ALL_KEYS):
        raise FormatError(f"its header does not name networks out of {', '.join(ALL_KEYS)}")
    return {**manifest, "networks": networks}


def _config(key: str, recorded: Any) -> AnyConfig:
    kind = recorded.get("kind") if isinstance(recorded, dict) else None
    if kind not in KINDS:
        raise FormatError(f"the header says of {key} none of {', '.join(KINDS)}")
    return from_dict(KINDS[kind], recorded.get("config"), f"the config of {key}")
