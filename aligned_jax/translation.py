"""Translation between aligned networks: a latent of one network, rendered by another.

What a picture is in the parent, its latent is in the child (StyleAlign, figures
5, 6, 16 to 22 and 37). The rules:

- z and z+ pass the mapping network of whichever network renders them, and are
  truncated towards that network's own mean of w. The authors invert and
  translate with psi 0.5.
- w and w+ go to the affine layers of the rendering network as they are; truncation
  is part of them already. Style vectors go to its convolutions as they are.
- Noise is the same in both pictures: the stored maps, which a child keeps from
  its parent, or maps drawn from the same key. The authors draw it anew.

References and textures are mixtures in StyleSpace: coarse layers of the source,
fine layers of something else, rendered by the network that translates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.inversion.spaces import WIDER
from aligned_jax.latents import check_styles, style_layers
from aligned_jax.networks.network import Network
from aligned_jax.types import Array, Styles
from aligned_jax.weights import differences
from aligned_jax.weights.structure import misfit

# Of translations, and of the inversions in Z before them.
PSI = 0.5


def usual_layers(config: GeneratorConfig) -> int:
    """Style layers that references and textures leave to the source, unless somebody says it.

    In figure 22 of StyleAlign 6 of 23 look best, at 512 pixels: all up to the first layer of 16
    pixels. So many would leave a reference nothing to say at 64 pixels, where two layers decide
    most of the colours: there, and below, it is 2, at 128 pixels 4, and above 6.
    """
    return min(max(2 * (config.img_resolution.bit_length() - 6), 2), 6)


# The arrays of a file of latents, or of a `rendering.LatentBatch`.
Latents = Mapping[str, Array | np.ndarray]
StyleVectors = Mapping[str, Array | np.ndarray]


@dataclass(frozen=True)
class TranslationPreset:
    """What a preset decides: the space of latents, their truncation, the noise.

    `psi` is that of the child, and of inversions by optimisation in the parent.
    Latents that were found at another psi, by an encoder or in a file, are shown by
    the parent as they were found: only there do they bring the picture back.
    """

    space: str | None = None  # None: any
    psi: float | None = None  # None: that of the latents
    noise: str = "const"


# Faces to cartoons (figure 20): z passes the child's mapping, is truncated towards the child's
# mean, and noise is drawn anew.
PRESETS = {
    "plain": TranslationPreset(),
    "toonify": TranslationPreset(space="z", psi=PSI, noise="random"),
}


@dataclass(frozen=True)
class Truncation:
    """Who decides psi, the truncation of z: the first who says one.

    Attributes:
      asked: by the user, for all latents alike.
      preset: by a preset.
      usual: where nobody says one.
    """

    asked: float | None = None
    preset: float | None = None
    usual: float = PSI

    def of_latents(self, recorded: float | None = None) -> float:
        """Of seeds, or of latents that were drawn or found at the psi `recorded`."""
        said = (self.asked, recorded, self.preset, self.usual)
        return next(psi for psi in said if psi is not None)

    def of_inversion(self, encoded: bool) -> float | None:
        """Of the inversion of pictures in z; None leaves it to encoders and settings.

        Args:
          encoded: an encoder alone finds the latents, at a psi that is the encoder's own.
        """
        return self.asked if encoded or self.asked is not None else self.preset

    @property
    def in_child(self) -> float | None:
        """Of all latents in the network that translates them; None is each one's own."""
        return self.preset if self.asked is None else self.asked


def preset_and_spaces(
    preset: str, space: str | Sequence[str] | None = None
) -> tuple[TranslationPreset, list[str | None]]:
    """The preset of a name, and the spaces of latents: those that are given, or its own.

    Raises:
      UserError: for an unknown preset, or spaces that it does not allow.
    """
    if preset not in PRESETS:
        raise UserError(f"there is no preset {preset!r:.40}; there are {', '.join(PRESETS)}")
    chosen = PRESETS[preset]
    if space is None:
        return chosen, [chosen.space]
    spaces: list[str | None] = [space] if isinstance(space, str) else [*space]
    if chosen.space and spaces != [chosen.space]:
        raise UserError(f"`preset='{preset}'` needs `space='{chosen.space}'`")
    return chosen, spaces


def check_aligned(parent: Network, child: Network) -> None:
    """Raises ConfigError, with every difference, if the networks cannot share latents."""
    misfits = differences(parent, child)
    if misfits:
        heading = "the networks are not aligned, child (second) does not fit parent (first):"
        raise misfit(heading, misfits)


def share_noise(parent: Network, child: Network) -> bool | None:
    """Whether the stored noise maps are the same, as they are if one was trained from the other.

    They are drawn when a network is made and kept ever after, so that equal maps
    mean a common ancestor; maps rounded to half precision count as equal. None
    if a network stores none.
    """
    maps = [network.variables.get("noise", {}).get("synthesis", {}) for network in (parent, child)]
    pairs = [
        (np.asarray(block[layer]["noise_const"]), np.asarray(maps[1][name][layer]["noise_const"]))
        for name, block in maps[0].items()
        for layer in block
        if layer in maps[1].get(name, {})
    ]
    if not pairs:
        return None
    return all(a.shape == b.shape and np.allclose(a, b, rtol=2e-3, atol=1e-5) for a, b in pairs)


def styles_of(network: Network, latents: Latents, psi: float = PSI) -> Styles:
    """Style vectors of latents in any space, by the rules above.

    Args:
      network: the one that will render them.
      latents: the keys of a file of latents: `z` [N, D] or [N, L, D], `ws` [N, D]
        or [N, L, D], or `styles/<layer>` [N, C] of every layer; and labels `c`
        [N, c_dim] beside z of a conditional network.
      psi: truncation of z.

    Returns:
      {layer: float32 [N, C]}, in order of evaluation.

    Raises:
      UserError: if a shape does not fit, or there are no latents.
    """
    if "ws" in latents:
        return network.styles(jnp.asarray(latents["ws"]))
    if "z" in latents:
        return network.styles(_ws_of(network, latents, psi))
    styles = {
        key.removeprefix("styles/"): jnp.asarray(value, jnp.float32)
        for key, value in latents.items()
        if key.startswith("styles/")
    }
    if not styles:
        raise UserError(f"no latents to render: {', '.join(latents) or 'nothing'}; give z or ws")
    check_styles(network.config, styles)
    return styles


def space_of(latents: Latents) -> str:
    """z, z+, w, w+ or s, whichever is the narrowest that holds the latents of `styles_of`.

    Rows that are alike but for rounding are those of z or w.
    """
    for key, space in (("z", "z"), ("ws", "w")):
        if key in latents:
            values = np.asarray(latents[key])
            apart = np.abs(values - values[:, :1]).max(initial=0) if values.ndim == 3 else 0
            return f"{space}+" if apart > 1e-5 * np.abs(values).max(initial=0) else space
    return "s"


def in_space(
    network: Network, latents: Latents, space: str, psi: float = PSI
) -> dict[str, Array | np.ndarray]:
    """Latents of `network` in another space, to be rendered by a relative (figures 17 and 19).

    What lies before the space is left to `network`, what comes after it to the
    relative: with w its mapping network makes the latents, with s its affine
    layers too.

    Args:
      network: whose latents they are.
      latents, psi: as in `styles_of`.
      space: z or z+ (as they are), w or w+, or s.

    Raises:
      UserError: if the space does not hold the latents, or is unknown: those of w
        are in w+ too, but those of w+ not in w.
    """
    own = space_of(latents)
    if space not in WIDER[own]:
        raise UserError(
            f"the latents are of {own}, from which no way leads to {space:.10}; they can be "
            f"brought to {', '.join(WIDER[own])}"
        )
    if space == "s":
        styles = styles_of(network, latents, psi)
        return {f"styles/{layer}": value for layer, value in styles.items()}
    if space in ("z", "z+"):
        return dict(latents)
    if "z" not in latents:
        return {"ws": latents["ws"]}
    return {"ws": _ws_of(network, latents, psi)}


def _ws_of(network: Network, latents: Latents, psi: float) -> Array:
    """W+ of z, truncated."""
    labels = latents.get("c") if network.config.c_dim else None
    c = None if labels is None else jnp.asarray(labels)
    return network.mapping(jnp.asarray(latents["z"]), c, psi)


def translate(
    child: Network,
    latents: Latents,
    psi: float = PSI,
    noise: str | Mapping[str, Array] = "const",
    key: Array | None = None,
) -> Array:
    """Images float32 [N, R, R, C] of the parent's latents in the child.

    Args:
      child: the network that renders; the parent itself shows the inversion.
      latents, psi: as in `styles_of`.
      noise, key: as in `Network.render`; pass the same for parent and child.
    """
    return child.render(styles_of(child, latents, psi), noise, key)


def cut_of(config: GeneratorConfig, layers: int | str) -> int:
    """How many style layers the source keeps: an S index, or a resolution.

    Args:
      config: of the network that renders.
      layers: a number n (6 or "6") leaves the layers 0 to n - 1 to the source:
        none with 0, all with the number of layers. "32px" leaves it all layers
        below 32 pixels.

    Raises:
      UserError: naming what is possible.
    """
    table = style_layers(config)
    text = str(layers).strip()
    if text.endswith("px") and text[:-2].isdecimal():
        below, sizes = int(text[:-2]), [*config.resolutions, 2 * config.img_resolution]
        if below in sizes:
            return sum(layer.resolution < below for layer in table)
    elif text.isdecimal() and int(text) <= len(table):
        return int(text)
    raise UserError(
        f"layers of the source are {layers!r:.40}; give a number of style layers from 0 to "
        f"{len(table)}, or a resolution from 4px to {2 * config.img_resolution}px to keep all below"
    )


def mixtures(
    config: GeneratorConfig, sources: StyleVectors, references: StyleVectors, cuts: Sequence[int]
) -> Styles:
    """Every source with every reference at every cut (figures 6 and 22).

    Args:
      config: of the network that renders.
      sources: styles [N, C] of what is translated.
      references: styles [M, C] of images of the child's domain.
      cuts: K numbers of layers, from `cut_of`, that come from the source.

    Returns:
      {layer: [N * M * K, C]}: sources outermost, cuts innermost. A cut of 0 is the
      reference, one of all layers the plain translation.

    Raises:
      UserError: if styles do not fit the network.
    """
    ours, theirs = (
        {layer: jnp.asarray(value) for layer, value in styles.items()}
        for styles in (sources, references)
    )
    check_styles(config, ours)
    check_styles(config, theirs)

    def mixed(index: int, coarse: Array, fine: Array) -> Array:
        kept = np.asarray([index < cut for cut in cuts])[None, None, :, None]
        shape = (len(coarse), len(fine), len(cuts), coarse.shape[-1])
        chosen = jnp.where(kept, coarse[:, None, None], fine[None, :, None])
        return jnp.broadcast_to(chosen, shape).reshape(-1, shape[-1])

    return {
        layer.name: mixed(layer.index, ours[layer.name], theirs[layer.name])
        for layer in style_layers(config)
    }
