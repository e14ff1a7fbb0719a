"""Generator: mapping and synthesis under one roof."""

import flax.linen as nn

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import broadcast_w, truncate
from aligned_jax.networks.layout import Layout
from aligned_jax.networks.mapping import Mapping
from aligned_jax.networks.synthesis import Noise, Synthesis
from aligned_jax.types import Array, Styles


class Generator(nn.Module):
    """StyleGAN2 generator (StyleGAN2, section 2; StyleGAN2-ADA, appendix).

    Variables: `params`, `noise` (stored noise maps; absent without noise) and
    `stats` (`mapping/w_avg`). `apply` never changes them. Random noise needs
    `rngs={"noise": key}`; each layer draws from its own key. `half` and `layout` as in `Synthesis`.
    """

    config: GeneratorConfig
    half: str | None = None
    layout: Layout | None = None

    def setup(self) -> None:
        config = self.config
        self.mapping = Mapping(config.mapping, config.z_dim, config.c_dim, config.w_dim)
        self.synthesis = Synthesis(config, self.half, self.layout)

    def map(
        self,
        z: Array,
        c: Array | None = None,
        psi: float | Array = 1.0,
        cutoff: int | None = None,
    ) -> Array:
        """W+ [N, L, w_dim], truncated, of Z [N, z_dim] or Z+ [N, L, z_dim].

        Labels c are [N, c_dim]; every row of Z+ gets its sample's label. Raises
        UserError if truncation is asked of a network that keeps no mean of w.
        """
        if z.ndim == 2:
            w = self.mapping(z, c)
        else:
            n, rows, width = z.shape
            c = None if c is None else c.repeat(rows, axis=0)
            w = self.mapping(z.reshape(n * rows, width), c).reshape(n, rows, -1)
        ws = broadcast_w(w, self.config.num_ws)
        if self.config.mapping.w_avg_beta is None:
            if not (isinstance(psi, int | float) and psi == 1):
                raise UserError("this network keeps no mean of w (w_avg_beta is None); use psi = 1")
            return ws
        return truncate(ws, self.mapping.w_avg.value, psi, cutoff)

    def styles(self, ws: Array) -> Styles:
        """Style vectors {layer: [N, C]} of W+."""
        return self.synthesis.styles(ws)

    def render(self, styles: Styles, noise: Noise = "const") -> Array:
        """Image float32 [N, R, R, img_channels] of style vectors."""
        return self.synthesis.render(styles, noise)

    def synthesize(self, ws: Array, noise: Noise = "const") -> Array:
        """Image float32 [N, R, R, img_channels] of W+."""
        return self.synthesis(ws, noise)

    def __call__(
        self,
        z: Array,
        c: Array | None = None,
        psi: float | Array = 1.0,
        cutoff: int | None = None,
        noise: Noise = "const",
    ) -> Array:
        """Image float32 [N, R, R, img_channels], nominally in [-1, 1], of z and labels."""
        return self.synthesis(self.map(z, c, psi, cutoff), noise)
