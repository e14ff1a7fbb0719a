"""Generators whose label embedding was lost when somebody exported them."""

from collections.abc import Mapping

from aligned_jax.convert.files.tensor import Tensor

_FIRST, _STYLE = "mapping.fc0.weight", "synthesis.b4.conv1.affine.weight"
_LABELS = "mapping.embed.weight"


def cautions(key: str, tensors: Mapping[str, Tensor], as_long_as_w: bool) -> list[str]:
    """What to say of a mapping network that takes other latents than it should; or nothing.

    Args:
      key: of the generator.
      tensors: its official tensors; nothing is read.
      as_long_as_w: whether z is as long as w in all networks of the code base. Else only
        twice its length is remarkable: z and an embedded label, as the official code has them.
    """
    shapes = [tuple(tensors[name].shape) for name in (_FIRST, _STYLE) if name in tensors]
    if _LABELS in tensors or len(shapes) != 2 or not all(len(shape) == 2 for shape in shapes):
        return []
    z, w = shapes[0][1], shapes[1][1]
    if z == w or not (as_long_as_w or z == 2 * w):
        return []
    rule = "in this port z is as long as w" if as_long_as_w else "the file does not record z"
    times = "twice as long" if z == 2 * w else f"{z} numbers"
    return [
        f"{key}: {rule}; here it is {times} ({z}, w has {w}), as in an export of a conditional "
        "network without its label embedding. Its labels cannot be recovered, and what is drawn "
        "comes from latents of another distribution; convert the original file instead"
    ]
