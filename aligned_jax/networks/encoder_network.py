"""An encoder as one object, and the generator that it belongs to."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from aligned_jax.config import EncoderConfig, GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.networks import facts, fingerprint
from aligned_jax.networks.network import GanNetwork, Network, NetworkBase, apply
from aligned_jax.ops import resize
from aligned_jax.types import AnyArray, Array, Variables


@dataclass(eq=False, frozen=True)
class EncoderNetwork(NetworkBase):
    """An encoder: sizes, variables {params, stats}, and where it comes from; a pytree.

    `provenance["generator"]` tells whose latents it finds: `network`, as it was
    named, and `sha256`, its `networks.fingerprint`.
    """

    config: EncoderConfig
    variables: Variables
    provenance: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return facts.summary(self, "EncoderNetwork", f"to {self.config.space}")

    @property
    def space(self) -> str:
        """The space in which its latents lie: "w", "z", "z+" or "w+"."""
        return self.config.space

    def __call__(self, images: AnyArray) -> Array:
        """Latents [N, D], or [N, L, D] in a space with rows, of images [N, S, S, C].

        Images are in [-1, 1], or uint8; larger ones than the encoder's are reduced
        to its size by area. Jitted and differentiable, in float32, with exact products
        unless a context asks for less (`utils.precision`).

        Raises:
          UserError: if images have another shape, or are smaller.
        """
        images, config = jnp.asarray(images), self.config
        scaled = images.dtype != jnp.uint8
        images = images.astype(jnp.float32)
        images = images if scaled else images / 127.5 - 1
        size = images.shape[1] if images.ndim == 4 else 0
        if images.shape[1:] != (size, size, config.img_channels) or size < config.img_resolution:
            raise UserError(
                f"images have shape {list(images.shape)}; this encoder takes [N, S, S, "
                f"{config.img_channels}] with S of {config.img_resolution} or more"
            )
        return _encode(self, images)

    def check_generator(self, network: Network, name: str | None = None) -> None:
        """Raises UserError if the encoder's latents are those of another generator.

        A tuned generator has the latents of the one that it was tuned from. The message calls the
        generator `name`, or after the file that it was made of.
        """
        known = (self.provenance or {}).get("generator")
        known = known if isinstance(known, dict) else {}
        whose = known.get("network") or "another generator"
        wrong = misfits(self.config, network.config)
        ours = (network.provenance or {}).get("tuned_from")
        if not wrong and known.get("sha256") in (ours or "-", fingerprint(network.variables)):
            return
        if not wrong and "sha256" not in known:
            wrong = ["nothing is recorded about its generator"]
        given = name or (network.provenance or {}).get("file") or "the one given"
        raise UserError(
            f"the encoder belongs to {whose}, not to this generator ({given}): "
            f"{'; '.join(wrong) or 'their weights differ'}. Give that generator, or train an "
            "encoder for this one with `aligned encoder`"
        )


AnyNetwork = GanNetwork | EncoderNetwork


def misfits(encoder: EncoderConfig, generator: GeneratorConfig) -> list[str]:
    """Everything in which the sizes of an encoder are not those of a generator's latents."""
    width = "z_dim" if encoder.space.startswith("z") else "w_dim"
    pairs = [
        ("latents of width", encoder.latent_dim, getattr(generator, width)),
        ("rows", encoder.rows, generator.num_ws),
        ("image channels", encoder.img_channels, generator.img_channels),
    ]
    return [
        f"{what} {ours} in the encoder, {theirs} in the generator"
        for what, ours, theirs in pairs
        if ours != theirs
    ]


@jax.jit
def _encode(encoder: EncoderNetwork, images: Array) -> Array:
    if images.shape[1] != encoder.config.img_resolution:
        images = resize.area(images, encoder.config.img_resolution)
    return apply(encoder, images)
