"""The frozen networks that scores are computed with: what is there, and adding to it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aligned_jax import features


@dataclass(frozen=True)
class FeatureList:
    """Which frozen networks there are.

    Attributes:
      folder: where added weights are kept.
      states: for every network, in words, where its weights are from or how to get them.
    """

    folder: Path
    states: Mapping[str, str]

    def text(self) -> str:
        """All of it for people, a line for every network."""
        width = max(map(len, self.states))
        lines = [f"  {name:{width}}  {state}" for name, state in self.states.items()]
        return "\n".join([f"weights are kept in {self.folder}", *lines])


def add_features(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Checks a file of weights, converts it and keeps it in the cache folder of this user.

    Args:
      path: a .pth, .pt or .safetensors file.

    Returns:
      `network`, and name, number of `bytes` and `sha256` of the `file`.

    Raises:
      UserError: if the file is of no network that can be added or is damaged, or the cache
        folder cannot be written.
    """
    return features.add(path)


def list_features() -> FeatureList:
    """The frozen networks, and whether their weights are there."""
    stored = features.stored()
    return FeatureList(
        features.folder(), {name: _state(name, stored.get(name, {})) for name in features.NETWORKS}
    )


def _state(name: str, origin: Mapping[str, Any]) -> str:
    if "problem" in origin:
        return origin["problem"]
    if origin:
        return f"{origin['file']}, sha256 {origin['sha256']}"
    if features.is_available(name):
        return "there, with the extra lpips"
    get = "get " if name in features.FROM_FILES else ""
    return f"missing; {get}{features.NETWORKS[name].source}"
