"""How near an encoder of the zoo comes to images that it never saw, beside optimisation."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax import evaluation, features, inversion, loading, viz
from aligned_jax.data import open_dataset
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import UserError
from aligned_jax.networks import fingerprint
from aligned_jax.networks.encoder_network import EncoderNetwork
from aligned_jax.networks.network import Network
from aligned_jax.provenance import versions
from aligned_jax.runs.encoder_scores import pixel_rmse
from aligned_jax.types import Array

STEPS, STEPS_AFTER = 200, 50
METHODS = {
    "encoder": "encoder, one pass",
    "both": f"encoder and {STEPS_AFTER} steps",
    "optimisation": f"{STEPS} steps from the mean",
}
_SHOWN = 8


def reconstruct(
    generator: Network, encoder: EncoderNetwork, images: np.ndarray, perceptual: Any
) -> dict[str, np.ndarray]:
    """What the methods make of images: uint8 [N, R, R, C] of each.

    All look for latents of the encoder's space without truncation, and leave the
    stored noise maps alone.

    Args:
      generator, encoder: of each other.
      images: uint8 [N, R, R, C].
      perceptual: what an optimisation makes small.
    """
    targets, space = jnp.asarray(images), encoder.space
    latents = jnp.asarray(inversion.encode(encoder, generator, targets))

    def optimised(steps: int, start: Array | None) -> np.ndarray:
        settings = inversion.Settings(space, steps, noise="const", psi=1.0)
        key = jax.random.key(0)
        return inversion.invert(generator, targets, perceptual, settings, key, start).images

    drawn = generator.synthesis(inversion.to_ws(generator, space, latents))
    reconstructions = {
        "encoder": np.asarray(drawn),
        "both": optimised(STEPS_AFTER, latents),
        "optimisation": optimised(STEPS, None),
    }
    return {name: viz.to_uint8(images) for name, images in reconstructions.items()}


def distances(images: np.ndarray, others: np.ndarray, lpips: Any) -> dict[str, float]:
    """Means over pairs of uint8 images: LPIPS, and root mean squared difference in [-1, 1]."""
    perceptual = evaluation.pair_distances(
        lpips, images.__getitem__, others.__getitem__, len(images)
    )
    rmse = pixel_rmse(images, others)
    return {"lpips_vgg": float(perceptual.mean()), "pixel_rmse": float(rmse.mean())}


def measure(
    generator: Network, encoder: EncoderNetwork, images: np.ndarray, networks: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Distances by method, and a picture of the first images beside what they became.

    Args:
      generator, encoder: of each other.
      images: uint8 [N, R, R, C].
      networks: LPIPS by name: "alex", by which optimisation goes, and "vgg".
    """
    perceptual = inversion.Weighted((networks["alex"], inversion.Pixels()), (1.0, 1.0))
    reconstructions = reconstruct(generator, encoder, images, perceptual)
    scores = [
        {"method": METHODS[name], **distances(images, made, networks["vgg"])}
        for name, made in reconstructions.items()
    ]
    columns = np.stack(
        [images[:_SHOWN], *(made[:_SHOWN] for made in reconstructions.values())], axis=1
    )
    return scores, viz.figure(columns, ["unseen image", *METHODS.values()])


def score(
    encoder: str, generator: str, data: str, out: str | os.PathLike, num: int = 50, line: str = ""
) -> None:
    """Writes the scores, and `samples.png` beside them.

    Args:
      encoder, generator: file, run or zoo:NAME.
      data: dataset, whose test split is looked at.
      out: where the scores go, X.json.
      num: images.
      line: the command line, which is recorded.

    Raises:
      UserError: if something is missing, or the encoder is another generator's.
    """
    network = loading.load(generator)
    if not isinstance(network, Network):
        raise UserError(f"{generator} is no generator")
    trained = loading.load_encoder(encoder, network)
    dataset = open_dataset(DataOptions(data, split="test"))
    images = np.stack([dataset[number][0] for number in range(min(num, len(dataset)))])
    networks = {name: features.lpips(name) for name in ("alex", "vgg")}
    scores, picture = measure(network, trained, images, networks)
    document = {
        "scores": scores,
        "images": len(images),
        "data": {"fingerprint": dataset.fingerprint, "split": "test"},
        "encoder_sha256": fingerprint(trained.variables),
        "generator_sha256": fingerprint(network.variables),
        "command": line,
        "versions": versions(),
    }
    out = Path(out)
    with viz.writing(out.with_name("samples.png"), overwrite=True) as file:
        viz.save_png(file, picture, {"Comment": line})
    with viz.writing(out, overwrite=True) as file:
        file.write((json.dumps(document, indent=2) + "\n").encode())
