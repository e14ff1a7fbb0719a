"""Feature networks by the names that metrics give them."""

from typing import Any

from aligned_jax import features


def load(name: str, half_pixel: bool = False) -> Any:
    """A `features.Extractor`, or a `features.Lpips` for lpips_NET.

    Args:
      name: as in `METRICS`.
      half_pixel: Inception prepares images as pytorch-fid does.

    Raises:
      UserError: saying which file is missing and how to add it.
    """
    net = name.removeprefix("lpips_")
    if net != name:
        return features.lpips(net)
    options = {"half_pixel": True} if half_pixel and name == "inception" else {}
    return features.load(name, **options)
