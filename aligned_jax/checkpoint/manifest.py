"""`config.json` of a checkpoint: what it holds, written and read with every check."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aligned_jax.config import AnyConfig, configs_of, describe
from aligned_jax.errors import CheckpointError, ConfigError, FormatError
from aligned_jax.utils.checksums import check_seal, sealed
from aligned_jax.utils.paths import as_path, is_dir, is_file
from aligned_jax.utils.reading import read_json

FORMAT_VERSION = 1
CONFIG = "config.json"


@dataclass(frozen=True)
class Manifest:
    """What `config.json` says.

    Attributes:
      configs: sizes of every network, by key.
      provenance: where they come from.
      checksums: `utils.checksums.checksum` of each collection of each network, by key; none in
        checkpoints of earlier releases.
    """

    configs: dict[str, AnyConfig]
    provenance: dict[str, Any]
    checksums: dict[str, dict[str, str]] = field(default_factory=dict)


def is_checkpoint(folder: str | os.PathLike) -> bool:
    """Whether the folder claims to be a checkpoint."""
    return is_file(as_path(folder) / CONFIG)


def manifest_text(
    configs: Mapping[str, AnyConfig],
    checksums: Mapping[str, Mapping[str, str]],
    provenance: Mapping[str, Any],
) -> str:
    """The text of `config.json`; arguments as in `Manifest`."""
    document = {
        "format_version": FORMAT_VERSION,
        "networks": describe(configs),
        "provenance": dict(provenance),
        "checksums": {key: dict(checksums[key]) for key in configs if key in checksums},
    }
    return json.dumps(sealed(document), indent=2) + "\n"


def read_manifest(folder: str | os.PathLike) -> Manifest:
    """The checkpoint's `config.json`, checked.

    Raises:
      CheckpointError: if the folder is no checkpoint, damaged, or of a later format.
    """
    folder = as_path(folder)
    if not is_dir(folder):
        raise CheckpointError(f"{folder}: no such folder")
    document = _document(folder)
    version = document.get("format_version")
    if type(version) is not int:
        raise CheckpointError(f"{folder} is not a checkpoint: its {CONFIG} is of another kind")
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{folder} has checkpoint format {version!r:.20}; this release reads {FORMAT_VERSION}"
        )
    try:
        checksums = _object(document, "checksums")
        manifest = Manifest(
            configs_of(document.get("networks")),
            _object(document, "provenance"),
            {key: _object(checksums, key) for key in checksums},
        )
        check_seal(document, os.fspath(folder / CONFIG))
        return manifest
    except ConfigError as error:
        raise CheckpointError(f"{folder / CONFIG} is damaged: {error}") from None
    except FormatError as error:
        raise CheckpointError(str(error)) from None


def _document(folder: Any) -> dict[str, Any]:
    try:
        return read_json(folder / CONFIG)
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is not a checkpoint: it has no {CONFIG} (a checkpoint is a folder made "
            "by `aligned convert` or by training)"
        ) from None
    except OSError as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be read: {error}") from None
    except FormatError as error:
        raise CheckpointError(str(error)) from None


def _object(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{key} is a {type(value).__name__}, not an object")
    return value
