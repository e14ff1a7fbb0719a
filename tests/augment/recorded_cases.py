"""Recorded draws of the official implementation in our form."""

import functools

import numpy as np

from aligned_jax.augment import AugmentConfig, Draw
from tests.helpers import document, nhwc, reference


@functools.cache
def arrays() -> dict[str, np.ndarray]:
    return reference("augment")


@functools.cache
def meta() -> dict:
    return document(arrays(), "meta_json")


def images(name: str) -> np.ndarray:
    return nhwc(arrays()[name])


def random_case(case: str) -> tuple[AugmentConfig, np.ndarray, dict[str, Draw], float]:
    """Config, images, draws and p of a case with recorded random numbers."""
    settings = meta()["random"][case]
    prefix = f"random/{case}/draw/"
    numbers = {key.removeprefix(prefix): a for key, a in arrays().items() if key.startswith(prefix)}
    draws = {}
    for name in dict.fromkeys(key.split(".")[0] for key in settings["order"]):
        if name == "imgfilter":
            value, gate = (
                np.stack([numbers[f"imgfilter.band{i}.{part}"] for i in range(4)], axis=1)
                for part in ("value", "gate")
            )
            draws[name] = Draw(value, gate)
            continue
        gate = numbers[f"{name}.gate"].reshape(-1)
        value = numbers[
            f"{name}.{ {'noise': 'sigma_value', 'cutout': 'center'}.get(name, 'value') }"
        ]
        value = value.reshape(len(gate), -1) if value.size > len(gate) else value.reshape(-1)
        field = nhwc(numbers["noise.field"]) if name == "noise" else None
        draws[name] = Draw(value, gate, field)
    kwargs = {name: float(value) for name, value in settings["kwargs"].items()}
    return AugmentConfig(**kwargs), images(settings["input"]), draws, settings["p"]
