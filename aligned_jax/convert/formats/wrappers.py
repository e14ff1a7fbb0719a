"""Finds state dicts in what people save around them.

Training scripts put names before all names of a network (`module.`, `_orig_mod.`,
`generator.`, `netG.`), keep state dicts in dictionaries (`state_dict`, `params_ema`, `model`),
or several networks in one. What is found is handed on in the two forms that the readers know:
official names behind `G_ema.`, `G.` and `D.`, or the dictionary of the community port with
`g_ema`, `g` and `d`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aligned_jax.convert.files.inert import show
from aligned_jax.convert.formats.port_names import KEYS, METADATA_KEY
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import counted, listed

_MAX_DEPTH, _MAX_ITEMS = 8, 300_000
_MEAN = "latent_avg"

# Names that only networks of one kind have: (code base, whether it is a generator).
_SIGNS = {
    ("official", True): r"synthesis\.b\d{1,4}\.",
    ("port", True): r"input\.input$|conv1\.conv\.|convs\.\d{1,2}\.conv\.|to_rgb1\.conv\.",
    ("port", False): r"final_linear\.\d\.|final_conv\.\d\.|convs\.\d{1,2}\.conv2\.\d\.",
    ("official", False): r"b\d{1,4}\.(fromrgb|conv|conv0|conv1|fc|out)\.(weight|bias)$",
}
_AVERAGED = re.compile(r"ema|avg|average|shadow|smooth|swa|^gs$", re.IGNORECASE)
_PORT_KEYS = {ours: theirs for theirs, ours in KEYS.items()}


@dataclass(frozen=True, eq=False)
class _Found:
    """A state dict of a network; `path` are the keys and prefixes on the way to it."""

    path: tuple[str, ...]
    code_base: str
    is_generator: bool
    tensors: dict[str, Any]
    mean: Any  # of w, from beside it or above it

    @property
    def where(self) -> str:
        return show(".".join(self.path)) or "the top"


def unwrapped(value: Mapping[Any, Any]) -> tuple[Mapping[Any, Any], list[str]]:
    """The value in a form that the readers know, and warnings on what was left out.

    A value in which no network is found comes back as it is, for the readers to refuse.
    Raises FormatError if it is not clear which network is which.
    """
    if (encoder := _encoder(value)) is not None:
        return encoder, []
    left_out: list[str] = []
    found = list(_networks(value, left_out))
    if not found:
        return value, []
    if len({item.code_base for item in found}) > 1:
        places = [f"{item.where} ({item.code_base})" for item in found]
        raise FormatError(f"it holds networks under names of two code bases: {listed(places)}")
    by_key = _keyed(found)
    warnings = [f"left out, as they are no part of a network: {listed(left_out)}"] * bool(left_out)
    if found[0].code_base == "official":
        named = {
            f"{key}.{name}": tensor
            for key, item in by_key.items()
            for name, tensor in item.tensors.items()
        }
        return named, warnings
    result: dict[str, Any] = {_PORT_KEYS[key]: item.tensors for key, item in by_key.items()}
    means = [item.mean for item in by_key.values() if item.mean is not None]
    result |= {_MEAN: means[0]} if means else {}
    result |= {key: value[key] for key in ("ada_aug_p", METADATA_KEY) if key in value}
    return result, warnings


def _encoder(value: Mapping[Any, Any]) -> dict[Any, Any] | None:
    """A checkpoint of pSp or e4e, without a prefix that all names of its state dict have."""
    state = value.get("state_dict")
    for _ in range(_MAX_DEPTH):
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            return None
        if any(name.startswith("encoder.") for name in state):
            return {**value, "state_dict": state}
        first = {name.partition(".")[0] for name in state}
        if len(first) != 1:
            return None
        state = {name.partition(".")[2]: tensor for name, tensor in state.items()}
    return None


def _networks(value: Mapping[Any, Any], left_out: list[str]) -> Iterator[_Found]:
    """State dicts of networks in a tree of dictionaries, in the order of the file."""
    pending: list[tuple[tuple[str, ...], Mapping[Any, Any], Any]] = [((), value, None)]
    items = 0
    while pending:
        path, node, mean = pending.pop()
        items += len(node)
        if items > _MAX_ITEMS or len(path) > _MAX_DEPTH:
            raise FormatError("it nests dictionaries beyond measure")
        if not all(isinstance(name, str) for name in node):
            continue  # the state of an optimiser, by number
        mean = node.get(_MEAN) if hasattr(node.get(_MEAN), "numpy") else mean
        # Settings between the tensors are no part of a network; other things are, to be refused.
        state = {name: item for name, item in node.items() if not _is_setting(item)}
        yield from _grouped(path, state, mean, left_out)
        below = [(name, item) for name, item in node.items() if isinstance(item, dict)]
        pending += [((*path, name), item, mean) for name, item in reversed(below)]


def _is_setting(value: Any) -> bool:
    return value is None or isinstance(value, dict | bool | int | float | str | bytes)


def _grouped(
    path: tuple[str, ...], state: Mapping[str, Any], mean: Any, left_out: list[str]
) -> Iterator[_Found]:
    """Networks in one dictionary of tensors, whose names can have names before them."""
    kind = _kind(state)
    if kind is not None:
        if hasattr(state.get(_MEAN), "numpy"):
            state = {name: tensor for name, tensor in state.items() if name != _MEAN}
        yield _Found(path, *kind, dict(state), mean)
        return
    if len(path) > _MAX_DEPTH:
        return
    groups: dict[str, dict[str, Any]] = {}
    for name, tensor in state.items():
        first, dot, rest = name.partition(".")
        if dot and rest:
            groups.setdefault(first, {})[rest] = tensor
    networks = {
        first: list(_grouped((*path, first), group, group.get(_MEAN, mean), left_out))
        for first, group in groups.items()
    }
    if any(networks.values()):
        left_out += [
            f"{show('.'.join((*path, first)))} ({counted(len(group), 'tensor')})"
            for first, group in groups.items()
            if not networks[first]
        ]
    for found in networks.values():
        yield from found


def _kind(names: Mapping[str, Any]) -> tuple[str, bool] | None:
    """Code base and kind of the network that has tensors with these names."""
    for kind, pattern in _SIGNS.items():
        if any(re.match(pattern, name) for name in names):
            return kind
    return None


def _keyed(found: list[_Found]) -> dict[str, _Found]:
    """Networks by key: the averaged generator, or the only one, is G_ema."""
    generators = [item for item in found if item.is_generator]
    averaged = [item for item in generators if any(map(_AVERAGED.search, item.path))]
    others = [item for item in generators if item not in averaged]
    critics = [item for item in found if not item.is_generator]
    if not averaged and len(others) == 1 and others[0].path[-1:] not in (("g",), ("G",)):
        averaged, others = others, []
    for items, what in ((averaged, "averaged generators"), (critics, "discriminators")):
        _refuse_several(items, what)
    _refuse_several(others, "generators that are not said to be averaged")
    by_key = {"G_ema": averaged, "G": others, "D": critics}
    return {key: items[0] for key, items in by_key.items() if items}


def _refuse_several(found: list[_Found], what: str) -> None:
    if len(found) > 1:
        places = listed(item.where for item in found)
        raise FormatError(
            f"it holds {len(found)} {what}, at {places}; which one is meant cannot be told. Save "
            "the one that you need: torch.save(network.state_dict(), FILE)"
        )
