"""How the maps of a generator lie in memory: one choice, made from its sizes and the backend.

TPUs hold channels in groups of 128 lanes. There every upsampling convolution is one convolution in
phases, maps of fewer channels are folded by rows until they fill a group (`ops.folds`), and
pictures are planar (`ops.planar`). On CPUs, where folded maps cost time and save none, and on
GPUs, where nobody has measured them, a generator is computed as it is written. Either way the
parameters are the same, and the images agree to rounding.
"""

from typing import NamedTuple

from aligned_jax import ops
from aligned_jax.config import GeneratorConfig

LANES = 128  # of a TPU


class BlockLayout(NamedTuple):
    """Folds of a block's maps: as it is given them, between its convolutions, and as it leaves."""

    before: ops.RowFold
    between: ops.RowFold
    after: ops.RowFold


# One for each resolution of a generator, rising; () is the plain formulation.
Layout = tuple[BlockLayout, ...]
PLAIN: Layout = ()


def layout_of(config: GeneratorConfig, backend: str) -> Layout:
    """The layout for a backend as JAX names it: folded on "tpu", plain elsewhere."""
    return folded_layout(config) if backend == "tpu" else PLAIN


def folded_layout(config: GeneratorConfig, lanes: int = LANES) -> Layout:
    """Maps folded until their rows fill `lanes`, as far as the map before allows.

    An upsampling convolution turns each row of its source into two, so a block has at most twice
    the rows of the block before. The second convolution moves blocks by half of themselves, so
    that three taps meet two blocks.

    Returns:
      A layout for every resolution, or `PLAIN` for what has no folded form: the "resnet"
      architecture, and resampling filters that are no outer product.
    """
    synthesis = config.synthesis
    taps = ops.separated(ops.setup_filter(synthesis.resample_filter))
    if synthesis.architecture == "resnet" or taps is None:
        return PLAIN
    blocks, before = [], ops.FLAT
    for resolution in config.resolutions:
        rows = 1
        most = 2 * before.rows if blocks else 1  # the first block begins with its constant
        while 2 * rows <= most and 2 * rows * config.channels[resolution] <= lanes:
            rows *= 2
        layout = BlockLayout(before, ops.RowFold(rows), ops.RowFold(rows, rows // 2))
        blocks.append(layout)
        before = layout.after
    return tuple(blocks)
