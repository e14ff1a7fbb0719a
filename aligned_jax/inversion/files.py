"""The inversion of one image as an .npz file, which can be drawn wherever latents can.

A file holds the latent under the names that files of latents use: `ws`
[1, L, w_dim] (of z as well, truncated, beside `z`), or `styles/<layer>` [1, C];
`noise/<layer>` [1, R, R] if the maps were kept; the label `c` [1, c_dim] of a
conditional network; `trace` [steps], the loss before every step; and
`meta_json`: space, settings, distances and whatever else is worth knowing.
"""

import json
import os
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from aligned_jax import provenance
from aligned_jax.config import GeneratorConfig
from aligned_jax.convert.files.arrays import (
    DAMAGE,
    ArrayFile,
    open_arrays,
    read_arrays,
    read_document,
    read_headers,
)
from aligned_jax.errors import ConfigError, FormatError
from aligned_jax.inversion.optimize import Inverted
from aligned_jax.inversion.options import Settings
from aligned_jax.inversion.spaces import is_z, latent_arrays, to_ws
from aligned_jax.latents import concatenate_styles, style_layers
from aligned_jax.latents.shapes import array_shapes, latent_shape
from aligned_jax.networks.network import Network
from aligned_jax.types import AnyArray
from aligned_jax.utils.jsonable import from_dict, to_dict
from aligned_jax.utils.text import listed, said

_VERSION = 1
_DAMAGE = (*DAMAGE, KeyError, TypeError, AttributeError, MemoryError, OverflowError)


@dataclass(frozen=True, eq=False)
class ImageInversion:
    """What the inversion of one image came to.

    Attributes:
      latent: float32 [1, ...] of the settings' space.
      settings: of the inversion, its space among them.
      distances: at the end, by name.
      noise: kept maps [1, R, R] by layer, or None.
      ws: W+ [1, L, w_dim] of a latent in Z or Z+, truncated; None in other spaces.
      c: label [1, c_dim] of a conditional network, or None.
      trace: the loss without its regulariser before every step, [steps].
      facts: JSON-able: name of the image, network, command.
    """

    latent: np.ndarray
    settings: Settings
    distances: dict[str, float]
    noise: dict[str, np.ndarray] | None = None
    ws: np.ndarray | None = None
    c: np.ndarray | None = None
    trace: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def space(self) -> str:
        """The space of the latent: z, z+, w, w+ or s."""
        return self.settings.space


def single(
    network: Network,
    inverted: Inverted,
    index: int,
    facts: dict[str, Any] | None = None,
    c: AnyArray | None = None,
) -> ImageInversion:
    """The inversion of one of several images.

    Args:
      network: in which they were inverted.
      inverted: what `invert` returned.
      index: of the image.
      facts: JSON-able, kept beside it.
      c: the label that `invert` was given.
    """
    settings, latent = inverted.settings, inverted.latent[index : index + 1]
    noise, ws = inverted.noise, None
    if noise is not None:
        noise = {layer: maps[index : index + 1] for layer, maps in noise.items()}
    if is_z(settings.space):
        ws = np.asarray(to_ws(network, settings.space, latent, settings.psi, c))
    return ImageInversion(
        latent,
        settings,
        {name: float(values[index]) for name, values in inverted.distances.items()},
        noise,
        ws,
        np.asarray(c, np.float32) if network.config.c_dim else None,
        inverted.trace["distance"][:, index].astype(np.float32),
        {**(facts or {}), "restart": int(inverted.restart[index])},
    )


def save(file: BinaryIO, network: Network, inversion: ImageInversion) -> None:
    """Writes an inversion made in `network` to an open file."""
    arrays: dict[str, Any] = {**latent_arrays(network, inversion.space, inversion.latent)}
    arrays |= {} if inversion.ws is None else {"ws": inversion.ws}
    arrays |= {f"noise/{layer}": maps for layer, maps in (inversion.noise or {}).items()}
    arrays |= {} if inversion.c is None else {"c": inversion.c}
    meta = {
        "inversion": _VERSION,
        "space": inversion.space,
        "settings": to_dict(inversion.settings),
        "distances": inversion.distances,
        "facts": inversion.facts,
        "versions": provenance.versions(),
    }
    np.savez(file, **arrays, trace=inversion.trace, meta_json=np.asarray(json.dumps(meta)))


def load(path: str | os.PathLike, network: Network) -> ImageInversion:
    """Reads what `save` has written; nothing in the file is run.

    Raises:
      FormatError: a file that is damaged, no inversion, or of a network of other sizes.
    """
    try:
        with open_arrays(path) as file:
            meta = read_document(file)
            if meta["inversion"] != _VERSION:
                raise FormatError(f"{path} is an inversion of format {meta['inversion']}, not 1")
            settings = from_dict(Settings, meta["settings"])
            distances = {str(name): float(value) for name, value in meta["distances"].items()}
            facts = dict(meta["facts"])
            arrays = _arrays(path, network, settings, file)
    except FormatError:
        raise
    except ConfigError as error:
        raise FormatError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise FormatError(f"{path}: no such file") from None
    except _DAMAGE as error:
        raise FormatError(f"{path} is no inversion, or a damaged one ({said(error)})") from None
    noise = {k.removeprefix("noise/"): v for k, v in arrays.items() if k.startswith("noise/")}
    ws = arrays["ws"] if is_z(settings.space) else None
    latent, c = _latent(network, settings.space, arrays), arrays.get("c")
    return ImageInversion(latent, settings, distances, noise or None, ws, c, arrays["trace"], facts)


def _latent(network: Network, space: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    if is_z(space):
        return arrays["z"]
    if space == "s":
        styles = {
            layer.name: arrays[f"styles/{layer.name}"] for layer in style_layers(network.config)
        }
        return np.asarray(concatenate_styles(network.config, styles))
    return arrays["ws"][:, 0] if space == "w" else arrays["ws"]


def _arrays(
    path: Any, network: Network, settings: Settings, file: ArrayFile
) -> dict[str, np.ndarray]:
    """The arrays of an inversion, none of which is read before all are known to fit.

    Raises:
      FormatError: naming the arrays that are missing, unknown or damaged, or do not fit.
    """
    shapes = _shapes(network.config, settings)
    keys = [key for key in file.keys if key != "meta_json"]
    headers, damaged = read_headers(file, keys)
    wrong = [f"{key} is missing" for key in shapes if key not in keys]
    for key, header in headers.items():
        if key not in shapes:
            wrong.append(f"{key} is unknown")
        elif header.shape != shapes[key] or header.dtype != np.float32:
            wrong.append(f"{key} is {header.dtype} {list(header.shape)}, not {list(shapes[key])}")
        elif header.problem:
            damaged.append(f"{key} {header.problem}")
    arrays: dict[str, np.ndarray] = {}
    if not (wrong or damaged):
        arrays, damaged = read_arrays(file, keys)
        wrong = [
            f"{key} is not finite"
            for key, value in arrays.items()
            if key != "trace" and not np.isfinite(value).all()
        ]
    if wrong:
        raise FormatError(f"{path} does not fit this network: {listed(wrong, separator='; ')}")
    if damaged:
        raise FormatError(f"{path} is no inversion, or a damaged one ({listed(damaged)})")
    return arrays


def _shapes(config: GeneratorConfig, settings: Settings) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays that the file of an inversion with these settings holds, by name."""
    kept = settings.noise == "keep"
    wanted = ["styles/" if settings.space == "s" else "ws"]
    wanted += ["c"] if config.c_dim else []
    wanted += ["noise/"] if kept else []
    shapes: dict[str, tuple[int, ...]] = {"trace": (settings.steps,)}
    for name, [shape, *_] in array_shapes(config).items():
        if name.startswith(tuple(wanted)):
            shapes[name] = (1, *shape)
    if is_z(settings.space):
        shapes["z"] = (1, *latent_shape(config, settings.space))
    return shapes
