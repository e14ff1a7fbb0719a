"""Which weight is what: the one place that knows a generator's parameter names.

Every leaf of a generator belongs to exactly one component (StyleAlign, figures
1 and 8): the mapping network, the affine layers before convolutions and before
tRGB, the convolutions, tRGB, the constant input, and noise. All but the mapping
also belong to a resolution.

A network here is any pytree whose leaf paths end in `params/...`, `noise/...`
or `stats/...`: the plain variables dictionary or a `Network`.
"""

import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax

from aligned_jax import networks
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.types import PyTree
from aligned_jax.utils.text import listed

COMPONENTS = ("mapping", "affine_conv", "affine_torgb", "conv", "torgb", "const", "noise")
GROUPS = {"affine": ("affine_conv", "affine_torgb"), "all": COMPONENTS}

_BLOCK = r"synthesis/b(?P<resolution>\d+)/"
_RULES = (
    ("mapping", r"params/mapping/(?:embed|fc\d+)/(?:weight|bias)"),
    ("mapping", r"stats/mapping/w_avg"),
    ("affine_conv", rf"params/{_BLOCK}(?P<layer>conv[01])/affine/(?:weight|bias)"),
    ("affine_torgb", rf"params/{_BLOCK}(?P<layer>torgb)/affine/(?:weight|bias)"),
    ("conv", rf"params/{_BLOCK}(?P<layer>conv[01]|skip)/(?:weight|bias)"),
    ("torgb", rf"params/{_BLOCK}(?P<layer>torgb)/(?:weight|bias)"),
    ("const", rf"params/{_BLOCK}(?P<layer>const)"),
    ("noise", rf"params/{_BLOCK}(?P<layer>conv[01])/noise_strength"),
    ("noise", rf"noise/{_BLOCK}(?P<layer>conv[01])/noise_const"),
)
# A residual skip reads what conv0 reads, so it goes along with conv0.
_LEVELS = {"const": 0, "conv0": 0, "skip": 0, "conv1": 1, "torgb": 1}


class Leaf(NamedTuple):
    """What one array of a generator is.

    `resolution` and `level` are None for the mapping network. `trainable` is
    False for what training never gives a gradient: noise maps and w_avg.
    """

    component: str
    resolution: int | None
    trainable: bool
    level: int | None = None

    @property
    def position(self) -> int | None:
        """Order of evaluation: 2 * (log2(resolution) - 2), plus 1 for conv1 and tRGB."""
        if self.resolution is None or self.level is None:
            return None
        return 2 * (int(math.log2(self.resolution)) - 2) + self.level


def leaf_of(path: Any) -> Leaf:
    """The component, resolution and kind of the weight at `path`.

    `path` is a string of names joined by slashes or a JAX key path; whatever
    stands before `params`, `noise` or `stats` is ignored.

    Raises:
      UserError: if no component owns the path.
    """
    name = _canonical(path)
    for component, rule in _RULES:
        if match := re.fullmatch(rule, name):
            named = match.groupdict()
            resolution = int(named["resolution"]) if "resolution" in named else None
            level = _LEVELS[named["layer"]] if "layer" in named else None
            return Leaf(component, resolution, name.startswith("params/"), level)
    raise UserError(
        f"{name or 'a bare array'} is no weight of a StyleGAN2 generator; a path reads like "
        "params/synthesis/b64/conv0/weight, with a resolution and names of the official release"
    )


def entries(network: PyTree) -> dict[str, tuple[Leaf, Any]]:
    """{path: (leaf, array)} of every weight, paths starting at params, noise or stats.

    Raises:
      UserError: naming the paths that belong to no component, or if the tree
        holds no network or several.
    """
    flat = jax.tree_util.tree_flatten_with_path(network)[0]
    known: dict[str, tuple[Leaf, Any]] = {}
    unknown = []
    for path, value in flat:
        name = _canonical(path)
        try:
            known[name] = (leaf_of(name), value)
        except UserError:
            unknown.append(name or "a bare array")
    if unknown:
        raise UserError(
            f"not the weights of a StyleGAN2 generator: {listed(unknown)}; "
            "weight surgery takes a generator's variables or a Network"
        )
    if not known:
        raise UserError("a network without weights; expected a generator's variables or a Network")
    if len(known) < len(flat):
        raise UserError("several networks in one tree; weight surgery takes them one by one")
    return known


def parse_components(names: str | Iterable[str]) -> frozenset[str]:
    """Component names of "mapping,affine" or of an iterable of names.

    Groups stand for their members: `affine` for both affines, `all` for
    everything. Case and the choice of `-` or `_` do not matter; `tRGB` and
    `affine-tRGB` are understood.

    Raises:
      UserError: naming every unknown name and all valid ones, or if there are none.
    """
    given = names.split(",") if isinstance(names, str) else list(names)
    valid = f"components are {', '.join(COMPONENTS)}, and groups {', '.join(GROUPS)}"
    chosen: set[str] = set()
    unknown = []
    for item in given:
        name = re.sub(r"(^|_)trgb$", r"\1torgb", str(item).strip().lower().replace("-", "_"))
        if name in GROUPS:
            chosen.update(GROUPS[name])
        elif name in COMPONENTS:
            chosen.add(name)
        else:
            unknown.append(repr(item))
    if unknown:
        raise UserError(f"no such component: {listed(unknown)}; {valid}")
    if not chosen:
        raise UserError(f"no component named; {valid}")
    return frozenset(chosen)


def parse_resolutions(
    values: str | int | Iterable[str | int], valid: Iterable[int]
) -> frozenset[int]:
    """Resolutions of "4,8,16", of one number, or of an iterable of numbers.

    Raises:
      UserError: naming every one that is not in `valid`, and those that are.
    """
    if isinstance(values, str):
        given: list[Any] = values.split(",")
    else:
        given = list(values) if isinstance(values, Iterable) else [values]
    known = {str(resolution): resolution for resolution in sorted(valid)}
    unknown = [repr(item) for item in given if str(item).strip() not in known]
    if unknown or not given:
        problem = f"no such resolution: {listed(unknown)}" if unknown else "no resolution named"
        raise UserError(f"{problem}; this network has {', '.join(known)}")
    return frozenset(known[str(item).strip()] for item in given)


def components_of(network: PyTree) -> tuple[str, ...]:
    """The components that this network has any weight of, in the order of COMPONENTS."""
    present = {leaf.component for leaf, _ in entries(network).values()}
    return tuple(name for name in COMPONENTS if name in present)


def resolutions_of(network: PyTree) -> tuple[int, ...]:
    """Block resolutions of a network, ascending."""
    present = {leaf.resolution for leaf, _ in entries(network).values()}
    return tuple(sorted(resolution for resolution in present if resolution is not None))


def select(
    network: PyTree,
    components: str | Iterable[str] | None = None,
    resolutions: str | int | Iterable[str | int] | None = None,
) -> frozenset[Leaf]:
    """The leaves of `network` that belong to `components` and `resolutions`; None means all.

    The mapping network has no resolution, so a choice of resolutions leaves it
    out, also of "all"; naming it together with resolutions is refused.

    Raises:
      UserError: for unknown names, or if the choice holds no weight of this network.
    """
    chosen = frozenset(COMPONENTS) if components is None else parse_components(components)
    leaves = {leaf for leaf, _ in entries(network).values()}
    if resolutions is not None:
        if "mapping" in chosen and chosen != frozenset(COMPONENTS):
            raise UserError(
                "mapping has no resolution; leave it out, or change it in a step of its own "
                "without resolutions"
            )
        wanted = parse_resolutions(resolutions, resolutions_of(network))
        leaves = {leaf for leaf in leaves if leaf.resolution in wanted}
    selected = frozenset(leaf for leaf in leaves if leaf.component in chosen)
    if not selected:
        names = ", ".join(name for name in COMPONENTS if name in chosen)
        where = (
            "" if resolutions is None else f" at resolution {', '.join(map(str, sorted(wanted)))}"
        )
        raise UserError(
            f"this network has no {names}{where}; it has {', '.join(components_of(network))}"
        )
    return selected


def count(config: GeneratorConfig) -> dict[str, int]:
    """Trainable parameters of each component; noise maps and w_avg are not counted."""
    totals = dict.fromkeys(COMPONENTS, 0)
    for leaf, shape in entries(networks.variable_shapes(config)).values():
        totals[leaf.component] += math.prod(shape.shape) if leaf.trainable else 0
    return totals


def _canonical(path: Any) -> str:
    """The path from its collection on: `variables/params/...` becomes `params/...`."""
    if not isinstance(path, str):
        path = jax.tree_util.keystr(path, simple=True, separator="/")
    match = re.search(r"(?:^|/)((?:params|noise|stats)/.*)$", path)
    return match[1] if match else path
