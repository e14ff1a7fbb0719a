"""How exactly float32 products are computed: one name for it, and one way to say it.

Matrix products and convolutions of float32 numbers are all that it changes, and only on
accelerators: CPUs compute all three alike. Sums that decide more than they cost (demodulation,
resizing, augmentation, the kernels of folds) are always exact. `half`, which stores numbers in 16
bits, is another matter.

JAX's own context tells a product how exact it shall be. It belongs to the key of every compiled
program, and derivatives take over what a product was told. So it is enough to be inside of it
while a function is traced.
"""

import contextlib
import enum
from typing import Any

from aligned_jax.errors import UserError


class Precision(enum.StrEnum):
    """Precision of float32 products (`jax.lax.Precision`), with what accelerators make of it."""

    EXACT = "exact"  # HIGHEST: six bfloat16 passes on TPUs, float32 on GPUs
    HIGH = "high"  # HIGH: three bfloat16 passes, TF32
    FAST = "fast"  # DEFAULT: one bfloat16 pass, TF32


PRECISIONS = tuple(str(one) for one in Precision)
_NAMES = {Precision.EXACT: "highest", Precision.HIGH: "high", Precision.FAST: "default"}


def products(precision: str | None = None) -> contextlib.AbstractContextManager:
    """A context in which products that ask for nothing themselves have this precision.

    Args:
      precision: a name in `PRECISIONS`. None is what a context around it asks for, ours or
        `jax.default_matmul_precision`, and "exact" where there is none.

    Raises:
      UserError: for another name.
    """
    import jax

    if precision is None:
        config: Any = jax.config
        asked = config.jax_default_matmul_precision
        return contextlib.nullcontext() if asked else jax.default_matmul_precision("highest")
    if wrong := mistakes(precision):
        raise UserError(wrong[0])
    return jax.default_matmul_precision(_NAMES[Precision(precision)])


def mistakes(precision: str) -> list[str]:
    """A sentence if this is no precision."""
    if precision in PRECISIONS:
        return []
    return [f"precision is {precision!r:.40}; it is {', '.join(PRECISIONS)}"]
