"""The `aligned` commands and the Python lines that make the pictures of a page again, to the bit.

All pictures are drawn one at a time (--batch 1), so that no image depends on how many are drawn.
Where no verb makes a picture, only Python is told.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from aligned_jax.loading import label_of
from aligned_jax.viewer.engine import Scene
from aligned_jax.viewer.family import BLEND, ViewFamily
from aligned_jax.viewer.rows import PAD, SEEDS, RowGroup
from aligned_jax.viewer.state import Blend, Pad

RECIPE, PASTED = "recipe.json", "pasted"
_NO_VERB = "# no verb makes {}: run the Python lines"


@dataclass(frozen=True)
class Explanation:
    """How a page's pictures are made without it.

    Attributes:
      commands: lines of a shell; those that begin with # say what no verb does.
      python: lines of Python, after which `images[group][column]` is float32 [N, R, R, C].
      files: that both read, and the page saves.
    """

    commands: tuple[str, ...]
    python: str
    files: tuple[str, ...]


def explain(scene: Scene, family: ViewFamily) -> Explanation:
    """What makes the pictures of a scene."""
    files = [f"{group.name}.npz" for group in scene.groups if group.name.startswith("picture")]
    shell = _commands(scene, family)
    files += [f"{PAD}.npz"] if any(f" {PAD}.npz " in line for line in shell) else []
    files += [RECIPE] if scene.edits else []
    places = [place for group in scene.placed for place in group.latents.placements or ()]
    files += dict.fromkeys(place.photo for place in places) if scene.state.paste else []
    return Explanation(tuple(shell), _python(scene, family), tuple(files))


def _commands(scene: Scene, family: ViewFamily) -> list[str]:
    """Verbs, as far as they make the same."""
    if None in family.sources:
        return [_NO_VERB.format("pictures of networks in memory")]
    blend = scene.state.blend
    named = dict(zip(family.names, map(str, family.sources), strict=True))
    lines: list[str] = []
    if blend is not None:
        if blend.t1 is not None:
            lines.append(_NO_VERB.format(f"the column {BLEND}, whose latents are between two"))
        elif family.key != "G_ema":
            lines.append(_NO_VERB.format(f"the column {BLEND} of networks that are {family.key}"))
        else:
            lines += _surgery(family, blend, named)
            named[BLEND] = lines[-1].split()[-1] if lines else named[family.names[blend.child]]
    for group in scene.groups:
        lines += _group_commands(scene, family, group, named)
    return lines + _paste_commands(scene, family, named)


def _surgery(family: ViewFamily, blend: Blend, named: dict[str, str]) -> list[str]:
    """The verbs that make the network of a blend, the last of which writes it to `blend`."""
    parent, made = named[family.names[0]], named[family.names[blend.child]]
    steps: list[list[str]] = []
    if blend.reset:
        steps.append(["reset", parent, made, "--components", ",".join(blend.reset)])
        if blend.reset_at:
            steps[-1] += ["--resolutions", _listed(blend.reset_at)]
        made = f"{BLEND}-{len(steps)}"
    if blend.swap is not None:
        low, high = (parent, made) if blend.coarse == "parent" else (made, parent)
        steps.append(["swap", low, high, "--resolution", str(blend.swap)])
        steps[-1] += [] if blend.smooth is None else ["--smooth", _number(blend.smooth)]
        made = f"{BLEND}-{len(steps)}"
    if blend.t2 != 1:
        steps.append(["interpolate", parent, made, *_option("weight", blend.t2)])
    outs = [f"{BLEND}-{number}" for number in range(1, len(steps))] + [BLEND]
    pairs = zip(steps, outs, strict=bool(steps)) if steps else ()
    return [shlex.join(["aligned", *step, "--out", out]) for step, out in pairs]


def _group_commands(
    scene: Scene, family: ViewFamily, group: RowGroup, named: dict[str, str]
) -> list[str]:
    state, in_z = scene.state, group.latents.in_z
    what = ["--seeds", _listed(state.seeds)] if group.name == SEEDS else []
    what = what or ["--latents", f"{group.name}.npz"]
    what += _option("psi", group.latents.psi) if in_z else []
    if group.name == SEEDS and state.label is not None:
        what += ["--label", str(state.label)]
    what += ["--batch", "1"]
    what += ["--network-key", family.key] if family.key != "G_ema" else []
    labels = _labels(named)
    if scene.edits and state.noise != "const":
        return [_NO_VERB.format(f"edits with noise {state.noise} ({group.name})")]
    if scene.edits:
        verb = ["edit", *named.values(), "--recipe", RECIPE, *what, *labels]
        return [shlex.join(["aligned", *verb, "--out", f"{group.name}.png"])]
    if state.noise == "const":
        verb = ["family", *named.values(), *what, *labels]
        return [shlex.join(["aligned", *verb, "--out", f"{group.name}.png"])]
    what += [] if state.noise == "const" else ["--noise", state.noise]
    what += ["--noise-seed", str(state.noise_seed)] if state.noise == "random" else []
    return [
        shlex.join(["aligned", "generate", source, *what, "--out", arrays_file(group, name)])
        for name, source in named.items()
    ]


def _paste_commands(scene: Scene, family: ViewFamily, named: dict[str, str]) -> list[str]:
    """The verb that puts all faces back into their photographs."""
    state, groups = scene.state, scene.placed
    if state.paste is None or not groups:
        return []
    latents = [group.latents for group in groups]
    if state.noise != "const":
        return [_NO_VERB.format(f"photographs with noise {state.noise}")]
    if len({(frozenset(one.arrays), one.psi) for one in latents}) > 1:
        return [_NO_VERB.format("photographs of latents in different spaces")]
    verb = ["edit", *named.values(), "--recipe", RECIPE]
    verb = verb if scene.edits else ["family", *named.values()]
    verb += ["--latents", *(f"{group.name}.npz" for group in groups)]
    verb += _option("psi", latents[0].psi) if latents[0].in_z else []
    verb += ["--batch", "1", *_labels(named)]
    verb += ["--network-key", family.key] if family.key != "G_ema" else []
    verb += ["--paste-back", PASTED, "--feather", _number(state.paste.feather)]
    return [shlex.join(["aligned", *verb, "--out", f"{PASTED}.png"])]


def _labels(named: dict[str, str]) -> list[str]:
    names = list(named)
    usual = [label_of(one) for one in named.values()]
    return [] if names == usual else ["--names", ",".join(names)]


def arrays_file(group: RowGroup, column: str) -> str:
    """Where the pictures of a group by one network are saved as arrays."""
    return f"{group.name}-{column.replace('/', '-').replace(' ', '-')}.npz"


def _python(scene: Scene, family: ViewFamily) -> str:
    state, blend = scene.state, scene.state.blend
    loaded = [name for name, source in zip(family.names, family.sources, strict=True) if source]
    lines = ["import dataclasses", "", "import numpy as np", "", "import aligned_jax as aj"]
    lines += ["from aligned_jax.rendering import LatentBatch, RenderOptions, edited, render", ""]
    if len(loaded) < len(family.names):
        lines += ["# `networks`: by name, those that aj.view was given, in the same order"]
        lines += [f"assert list(networks) == {family.names!r}"]
    else:
        key = "" if family.key == "G_ema" else f", {family.key!r}"
        lines += ["networks = {"]
        pairs = zip(family.names, family.sources, strict=True)
        lines += [f"    {name!r}: aj.load({source!r}{key})," for name, source in pairs] + ["}"]
    lines += [f"parent = networks[{family.names[0]!r}]"]
    if blend is not None:
        lines += [f"child = networks[{family.names[blend.child]!r}]", *_python_surgery(blend)]
        lines += [f"networks = {{**networks, {BLEND!r}: made}}"]
    options = f"noise={state.noise!r}, noise_seed={state.noise_seed}, batch=1"
    lines += [f"options = RenderOptions({options})"]
    lines += [f"edits = aj.jobs.read_recipe({RECIPE!r}).edits" if scene.edits else "edits = ()"]
    lines += ["latents, images = {}, {}"]
    for group in scene.groups:
        lines += _python_latents(group, scene)
    lines += ["for group, rows in latents.items():", "    images[group] = {}"]
    lines += ["    for name, network in networks.items():", "        own = rows"]
    if blend is not None and blend.t1 is not None:
        lines += [
            f"        if name == {BLEND!r} and rows.in_z:",
            "            ours, theirs = (one.mapping(rows.arrays['z'], rows.labels(one.config),"
            " rows.psi) for one in (parent, child))",
            f"            ws = np.asarray(aj.latents.lerp(ours, theirs, {blend.t1!r}))",
            "            kept = {k: v for k, v in rows.arrays.items() if k.startswith('noise/')}",
            "            own = dataclasses.replace(rows, arrays={**kept, 'ws': ws}, psi=1.0)",
        ]
    lines += ["        images[group][name] = render(network, edited(network, own, edits), options)"]
    lines += _python_paste(scene)
    return "\n".join(lines) + "\n"


def _python_paste(scene: Scene) -> list[str]:
    """Lines after which `photographs[file, column]` is uint8 [H, W, C]."""
    paste, groups = scene.state.paste, [group.name for group in scene.placed]
    if paste is None or not groups:
        return []
    return [
        "from aligned_jax.data.photographs import read_photograph",
        "from aligned_jax.rendering.pasting import Face, pasted",
        "photographs = {}",
        "for name in networks:",
        "    faces = {}",
        f"    for group in {groups!r}:",
        "        [place] = latents[group].placements",
        "        [image] = aj.viz.to_uint8(images[group][name])",
        "        faces.setdefault(place.photo, []).append(Face(image, place))",
        "    for file, own in faces.items():",
        "        photo = read_photograph(own[0].placement).pixels",
        f"        photographs[file, name] = pasted(photo, own, {paste.feather!r})",
    ]


def _python_surgery(blend: Blend) -> list[str]:
    lines = ["made = child"]
    if blend.reset:
        at = f", {list(blend.reset_at)!r}" if blend.reset_at else ""
        lines.append(f"made = aj.weights.reset(parent, made, {list(blend.reset)!r}{at})")
    if blend.swap is not None:
        pair = "parent, made" if blend.coarse == "parent" else "made, parent"
        smooth = "" if blend.smooth is None else f", smooth={blend.smooth!r}"
        lines.append(f"made = aj.weights.swap({pair}, {blend.swap}{smooth})")
    if blend.t2 != 1:
        lines.append(f"made = aj.weights.interpolate(parent, made, {blend.t2!r})")
    return lines


def _python_latents(group: RowGroup, scene: Scene) -> list[str]:
    state, place = scene.state, f"latents[{group.name!r}]"
    if group.name == SEEDS:
        call = f"parent.config, {list(state.seeds)!r}, {state.label!r}, {state.psi!r}"
        return [f"{place} = aj.rendering.latents_of_seeds({call})"]
    if group.name == PAD and state.pad is not None:
        return _python_pad(state.pad, place, state.psi, state.label)
    psi = group.latents.psi if group.latents.in_z else None
    return [
        f"{place} = aj.rendering.latents_of_files("
        f"parent.config, [{group.name + '.npz'!r}], psi={psi!r})"
    ]


def _python_pad(pad: Pad, place: str, psi: float, label: int | None) -> list[str]:
    seeds, point = list(pad.seeds), f"{pad.x!r}, {pad.y!r}"
    number = "('pad',), np.zeros(1, np.uint32)"
    if pad.space == "z":
        return [
            f"corners = aj.latents.z_from_seeds(parent.config, {seeds!r})",
            f"z = aj.latents.pad_point(corners, {point})[None]",
            f"c = aj.latents.labels_for(parent.config, {label!r}, 1)",
            f"{place} = LatentBatch({{'z': z, 'c': c}}, {number}, {psi!r})",
        ]
    return [
        f"corners = aj.rendering.latents_of_seeds(parent.config, {seeds!r}, {label!r})",
        "corners = corners.in_space(parent, 'w+').arrays['ws']",
        f"ws = aj.latents.pad_point(corners, {point}, np.asarray(parent.w_avg))[None]",
        f"ws = np.asarray(aj.latents.truncate(ws, parent.w_avg, {psi!r}))",
        f"{place} = LatentBatch({{'ws': ws}}, {number})",
    ]


def _option(name: str, value: float) -> list[str]:
    """A number that may be negative, which would look like an option."""
    return [f"--{name}={_number(value)}"] if value < 0 else [f"--{name}", _number(value)]


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(value)


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))
