"""Which networks a TensorFlow pickle holds: a snapshot (G, D, Gs), a part of one, or one alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from aligned_jax.convert.files.inert import TFNetwork, noun
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

ORDER = ("G", "D", "G_ema")  # the order of a snapshot; Gs is the averaged generator
_KEYS = {"G": "G", "D": "D", "Gs": "G_ema", "G_ema": "G_ema"}
_DEPTH, _ITEMS = 3, 1000


def is_snapshot(value: Any) -> bool:
    """Whether a value is a TensorFlow network, or holds some in a tuple, list or dictionary."""
    return bool(_holder(value))


def networks_of(value: Any) -> dict[str, TFNetwork]:
    """The networks by key, in the order of `ORDER`; None entries and other things are left out.

    In a snapshot of three the place says which network is which. Of fewer a discriminator is
    D, a generator alone, or the last of two, is G_ema. Raises FormatError if a place holds
    something else, or there are more networks than a snapshot has.
    """
    (holder,) = _holder(value)
    if isinstance(holder, Mapping):
        named = {_KEYS[key]: item for key, item in holder.items() if key in _KEYS}
        return _checked({key: named.get(key) for key in ORDER})
    if isinstance(holder, TFNetwork):
        holder = (holder,)
    if len(holder) >= len(ORDER) and not any(_is_network(item) for item in holder[len(ORDER) :]):
        return _checked(dict(zip(ORDER, holder, strict=False)))
    networks = [item for item in holder if item is not None]
    if len(networks) > len(ORDER):
        raise FormatError(
            f"it holds {len(networks)} networks; a TensorFlow snapshot holds G, D and Gs"
        )
    if strange := [noun(item) for item in networks if not _is_network(item)]:
        raise FormatError(f"it holds {listed(strange)} beside TensorFlow networks")
    critics = [item for item in networks if not is_generator(item)]
    generators = [item for item in networks if is_generator(item)]
    if len(critics) > 1 or len(generators) > 2:
        raise FormatError(
            f"it holds {len(generators)} generators and {len(critics)} discriminators; which is "
            "which cannot be told. A TensorFlow snapshot holds G, D and Gs"
        )
    found = dict(zip(("G_ema", "G"), reversed(generators), strict=False))
    found |= {"D": critics[0]} if critics else {}
    return {key: found[key] for key in ORDER if key in found}


def is_generator(network: TFNetwork) -> bool:
    """Whether a network has the components or variables of a generator."""
    components = network.state.get("components")
    names = list(components) if isinstance(components, dict) else []
    variables = network.state.get("variables")
    pairs = variables[:_ITEMS] if isinstance(variables, list) else []
    names += [pair[0] for pair in pairs if isinstance(pair, list | tuple) and pair]
    parts = [name.partition("/")[0] for name in names if isinstance(name, str)]
    return bool({"mapping", "synthesis", "dlatent_avg"} & set(parts))


def _checked(networks: Mapping[str, Any]) -> dict[str, TFNetwork]:
    """Without what is None; raises FormatError for what is no network."""
    present = {key: item for key, item in networks.items() if item is not None}
    wrong = [f"{key} is {noun(item)}" for key, item in present.items() if not _is_network(item)]
    if wrong or not present:
        what = listed(wrong) or "all of them are missing"
        raise FormatError(f"it is no snapshot of TensorFlow's G, D and Gs: {what}")
    return present


def _holder(value: Any, depth: int = 0) -> list[Any]:
    """The network, tuple, list or dictionary that holds the networks directly; empty if none."""
    if _is_network(value):
        return [value]
    if isinstance(value, dict):
        if any(_is_network(item) for key, item in value.items() if key in _KEYS):
            return [value]
    elif isinstance(value, list | tuple):
        if any(_is_network(item) for item in value):
            return [value]
    else:
        return []
    return _below(value, depth)


def _below(value: Any, depth: int) -> list[Any]:
    if depth >= _DEPTH or len(value) > _ITEMS:
        return []
    holders = [found for item in _items(value) for found in _holder(item, depth + 1)]
    if len(holders) > 1:
        raise FormatError(
            f"it holds TensorFlow networks in {len(holders)} places; give a snapshot (G, D, Gs)"
        )
    return holders


def _items(value: Any) -> Iterator[Any]:
    return iter(value.values() if isinstance(value, dict) else value)


def _is_network(value: Any) -> bool:
    return isinstance(value, TFNetwork)
