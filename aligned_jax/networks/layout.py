"""How the maps of a network lie in memory: one choice, made from its sizes and the backend.

TPUs hold channels in groups of 128 lanes. There convolutions that change the resolution are single
ones, filters included, maps of fewer channels are folded by rows until they fill a group
(`ops.folds`), and pictures are planar (`ops.planar`). On CPUs, where folded maps cost time and save
none, and on GPUs, where nobody has measured them, networks are computed as they are written.
Either way the parameters are the same, and the results agree to rounding.
"""

from typing import NamedTuple

from aligned_jax import ops
from aligned_jax.config import DiscriminatorConfig, GeneratorConfig
from aligned_jax.config.checks import Filter

LANES = 128  # of a TPU


class BlockLayout(NamedTuple):
    """Folds of a block's maps: as it is given them, between its convolutions, and as it leaves."""

    before: ops.RowFold
    between: ops.RowFold
    after: ops.RowFold


# One for each block in order of evaluation, without a discriminator's last; () is the plain
# formulation.
Layout = tuple[BlockLayout, ...]
PLAIN: Layout = ()


def layout_of(config: GeneratorConfig | DiscriminatorConfig, backend: str) -> Layout:
    """The layout for a backend as JAX names it: folded on "tpu", plain elsewhere.

    R1 of a discriminator of 1024 pixels does not fit a v5e otherwise, with four images at a time.
    """
    return folded_layout(config) if backend == "tpu" else PLAIN


def folded_layout(config: GeneratorConfig | DiscriminatorConfig, lanes: int = LANES) -> Layout:
    """Maps folded until their rows fill `lanes`, as far as the map before allows.

    A convolution that doubles or halves the resolution turns a row of its source into two, or two
    into one. So a generator's blocks have at most twice the rows of the one before, a
    discriminator's at least half of them. One of the two convolutions moves blocks by half of
    themselves, so that three taps meet two blocks.

    Returns:
      A layout, or `PLAIN` for what has no folded form: a generator of the "resnet" architecture, a
      discriminator of "skip", and resampling filters that are no outer product.
    """
    if isinstance(config, GeneratorConfig):
        synthesis = config.synthesis
        if synthesis.architecture == "resnet" or not _is_separable(synthesis.resample_filter):
            return PLAIN
        return _rising(config, lanes)
    if config.architecture == "skip" or not _is_separable(config.resample_filter):
        return PLAIN
    return _falling(config, lanes)


def _rising(config: GeneratorConfig, lanes: int) -> Layout:
    blocks: list[BlockLayout] = []
    for resolution in config.resolutions:
        before = blocks[-1].after if blocks else ops.FLAT
        most = 2 * before.rows if blocks else 1  # the first block begins with its constant
        rows = min(_rows(config.channels[resolution], lanes), most)
        blocks.append(BlockLayout(before, ops.RowFold(rows), ops.RowFold(rows, rows // 2)))
    return tuple(blocks)


def _falling(config: DiscriminatorConfig, lanes: int) -> Layout:
    blocks: list[BlockLayout] = []
    table = config.channels_by_resolution
    rows = min(_rows(table[config.img_resolution], lanes), config.img_resolution // 2)
    for resolution in config.resolutions[1:]:
        before, between = ops.RowFold(rows), ops.RowFold(rows, rows // 2)
        wanted = min(_rows(table[resolution], lanes), resolution // 2)
        rows = max(wanted, rows // 2, 1)
        blocks.append(BlockLayout(before, between, ops.RowFold(rows)))
    return tuple(blocks)


def _rows(channels: int, lanes: int) -> int:
    """The largest power of two of rows that `lanes` hold; at least one."""
    return 1 << max((lanes // channels).bit_length() - 1, 0)


def _is_separable(taps: Filter) -> bool:
    return ops.separated(ops.setup_filter(taps)) is not None
