"""Directions without labels: components of latents (GANSpace), factors of weights (SeFa)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aligned_jax import semantics
from aligned_jax.ancestry import origin_of
from aligned_jax.errors import UserError
from aligned_jax.jobs.populations import mapped
from aligned_jax.latents import style_layer
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.semantics.directions import Factors, closed_form, principal_components

SAMPLES = 10_000


def component_directions(
    network: NetworkSource,
    count: int = 10,
    *,
    style_layers: Sequence[str | int] = (),
    rows: Sequence[int] | None = None,
    samples: int = SAMPLES,
    label: int | None = None,
    network_key: str = "G_ema",
) -> dict[str, semantics.Direction]:
    """Principal components of W, or of the style vectors of single layers.

    Args:
      network: the parent.
      count: of components, in each layer.
      style_layers: names or numbers of layers, for directions in S; none for W.
      rows: of W+, in which components of W are recommended.
      samples: random latents at psi 1.
      label: class of a conditional network.
      network_key: "G_ema" or "G".

    Returns:
      directions by name, "pca-00" or "pca-b16.conv1-00", those that vary most first. A step is one
      deviation; scores are counted from the mean.

    Raises:
      UserError: for more components than there can be, layers or rows that are not there, or
        samples or labels that do not fit.
    """
    name, loaded = named_network(network, network_key)
    layers = [style_layer(loaded.config, _number(one)).name for one in style_layers]
    if layers and rows is not None:
        raise UserError("give either style layers, or rows in which components of W are meant")
    _check_rows(loaded, rows)
    if samples < 2:
        raise UserError(f"{samples} latents; principal components need at least 2")
    ws = mapped(loaded, latents_of_seeds(loaded.config, range(samples), label))
    facts = {"method": "pca", "samples": samples, "label": label, "psi": 1.0}
    if not layers:
        factors, mean = _components(ws[:, 0], count)
        return _directions(name, loaded, "pca", factors, mean, rows, facts)
    found: dict[str, semantics.Direction] = {}
    styles = loaded.styles(ws)
    for layer in layers:
        factors, mean = _components(np.asarray(styles[layer]), count)
        told = {**facts, "layer": layer}
        for key, direction in _directions(
            name, loaded, f"pca-{layer}", factors, mean, None, told
        ).items():
            found[key] = _in_styles(direction, layer)
    return found


def closed_form_directions(
    network: NetworkSource,
    count: int = 10,
    *,
    rows: Sequence[int] | None = None,
    normalise: bool = True,
    torgb: bool = True,
    samples: int = SAMPLES,
    label: int | None = None,
    network_key: str = "G_ema",
) -> dict[str, semantics.Direction]:
    """Directions of W in which styles change most, by the weights alone (SeFa).

    Args:
      network: the parent.
      count: of directions.
      rows: of W+, whose layers are looked at; the directions are recommended there.
      normalise, torgb: the variant, as of `semantics.directions.closed_form`.
      samples: random latents that tell sigma and the mean.
      label: class of a conditional network.
      network_key: "G_ema" or "G".

    Returns:
      directions by name, "sefa-00" and so on, largest values first.

    Raises:
      UserError: for more directions than there can be, or rows or labels that do not fit.
    """
    name, loaded = named_network(network, network_key)
    _check_rows(loaded, rows)
    factors = closed_form(loaded, count, rows, normalise, torgb)
    ws = mapped(loaded, latents_of_seeds(loaded.config, range(samples), label))
    facts = {
        "method": "sefa",
        "normalised": normalise,
        "torgb": torgb,
        "samples": samples,
        "label": label,
        "psi": 1.0,
    }
    w = np.asarray(ws[:, 0], np.float64)
    spread = (w @ factors.vectors.T).std(axis=0)
    return _directions(name, loaded, "sefa", factors, w.mean(axis=0), rows, facts, spread)


def _number(layer: str | int) -> str | int:
    return int(layer) if isinstance(layer, str) and layer.isdecimal() else layer


def _check_rows(network: Network, rows: Sequence[int] | None) -> None:
    if bad := [str(row) for row in rows or () if not 0 <= row < network.config.num_ws]:
        raise UserError(
            f"no row {', '.join(bad)} of W+; there are 0 to {network.config.num_ws - 1}"
        )


def _components(x: np.ndarray, count: int) -> tuple[Factors, np.ndarray]:
    wide = np.asarray(x, np.float64)
    return principal_components(wide, count), wide.mean(axis=0)


def _directions(
    name: str,
    network: Network,
    prefix: str,
    factors: Factors,
    mean: np.ndarray,
    rows: Sequence[int] | None,
    facts: dict[str, Any],
    spread: np.ndarray | None = None,
) -> dict[str, semantics.Direction]:
    """One direction in W for each vector; `spread` is by default the root of its value."""
    deviations = np.sqrt(factors.values) if spread is None else spread
    origin, mark = origin_of(name, network), fingerprint(network.variables)
    found = {}
    for number, vector in enumerate(factors.vectors):
        if not deviations[number] > 0:
            raise UserError(f"nothing varies beyond {number} directions; ask for so many")
        found[f"{prefix}-{number:02}"] = semantics.Direction(
            space="w",
            vectors={"w": vector.astype(np.float32)},
            sigma=float(deviations[number]),
            network=mark,
            intercept=-float(mean @ vector),
            layers=None if rows is None else tuple(rows),
            found={
                **facts,
                "number": number,
                "value": float(factors.values[number]),
                "share": float(factors.share[number]),
                "origin": origin,
            },
        )
    return found


def _in_styles(direction: semantics.Direction, layer: str) -> semantics.Direction:
    """The same for the styles of a layer: a step is one deviation, and sigma is 1."""
    sigma = direction.sigma
    [vector] = direction.vectors.values()
    return semantics.Direction(
        space="s",
        vectors={layer: (sigma * vector).astype(np.float32)},
        sigma=1.0,
        network=direction.network,
        intercept=sigma * (direction.intercept or 0.0),
        found=direction.found,
    )
