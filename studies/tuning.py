"""What pivotal tuning is worth: python -m studies.tuning ...

Drawn faces that no network has seen are inverted in W, in W+ and by an encoder, and the network is
tuned at what was found. For each picture: how near each comes, in processor time and bytes; what
named directions do to it before and after, as a reader tells; how far pictures of other latents
have moved; and what the same difference does when it is added to a child of the network.

Each picture is a file of numbers in --work; the same line goes on after an interruption, and the
table between the marks of --docs is that of all pictures that are done.
"""

import argparse
import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image

import aligned_jax as aj
from aligned_jax import convert, features, inversion, viz
from aligned_jax.data.avatar_source import AvatarSource
from aligned_jax.features import Lpips
from aligned_jax.inversion import Settings, TuningSettings
from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.jobs.inversion.tuning import PIVOT
from aligned_jax.jobs.judges import NamedJudge, load_picture_judge
from aligned_jax.latents import z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.semantics.direction import Direction
from benchmarks.reporting import command, write_text
from studies.likeness import measures
from studies.tuning_tables import report

# What is tuned: the pivot, what differs from the defaults, and the network of LPIPS.
ALL = {"until": 0.0}
LOCAL = {"regulariser": "locality"}
PLANS: dict[str, tuple[str, dict[str, Any], str]] = {
    "W, tuned": ("W", {}, "alex"),
    "W, all steps": ("W", ALL, "alex"),
    "W, all steps, VGG": ("W", ALL, "vgg"),
    "W, locality": ("W", {**ALL, **LOCAL}, "alex"),
    "W, locality to 0.03": ("W", {"until": 0.03, **LOCAL}, "alex"),
    "encoder, all steps": ("encoder", ALL, "alex"),
    "encoder, locality": ("encoder", {**ALL, **LOCAL}, "alex"),
    "encoder, locality to 0.03": ("encoder", {"until": 0.03, **LOCAL}, "alex"),
}
WHOLE = "W, all steps"  # whose difference is kept in several ways, and added to children
SHOWN = ("W, tuned", "W, all steps", "W, locality", "encoder, all steps", "encoder, locality")
COLUMNS = ("target", "W", "W+", "encoder", *SHOWN)
RANKS = (4, 16)
PIVOTS = ("W", "W+", "encoder")
FRESH = 9000  # first seed of the random latents whose pictures should stay
KEEPING = convert.DeltaBase("", "G_ema", "")


@dataclass(frozen=True)
class Setting:
    """All that is compared with: networks, readers, directions, distances."""

    network: Network
    encoder: aj.networks.encoder_network.EncoderNetwork
    children: Mapping[str, Network]
    directions: Mapping[str, Direction]
    judge: NamedJudge
    vgg: inversion.Perceptual
    alex: Lpips
    strengths: tuple[float, ...]

    def lpips(self, name: str) -> inversion.Perceptual:
        """The distance by the name of its network."""
        return {"vgg": self.vgg, "alex": self.alex}[name]


def main(argv: list[str] | None = None) -> None:
    """Inverts, tunes, reads and reports."""
    args = parse(argv)
    work, network = Path(args.work), aj.load(args.network)
    found = {name: read_direction(name, network) for name in args.directions}
    setting = Setting(
        network,
        aj.load_encoder(args.encoder, network),
        {aj.loading.label_of(name): aj.load(name) for name in args.children},
        {name.removeprefix("zoo:"): one for name, one in found.items()},
        load_picture_judge(args.reader),
        features.lpips("vgg"),
        features.lpips("alex"),
        tuple(args.strengths),
    )
    size = network.config.img_resolution
    source = AvatarSource("personas", args.images, 0, size, roll=12.0, yaw=1.0, zoom=1.25)
    for number, example in enumerate(source.examples("unseen", 0, args.images)):
        if (work / f"{number}.json").exists():
            continue
        with Image.open(io.BytesIO(example["image"])) as image:
            target = np.asarray(image)[None]
        numbers, shown = measured(setting, target, args, work / f"{number}.npz")
        with viz.writing(work / f"{number}.png", overwrite=True) as file:
            viz.save_png(file, viz.tile(shown, len(shown)))
        write_text(work / f"{number}.json", json.dumps(numbers, indent=2) + "\n")
        print(f"picture {number}: {numbers['near']}", flush=True)
    pivots = {name: plan[0] for name, plan in PLANS.items()}
    report(work, args, command("studies.tuning", argv), pivots, COLUMNS)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--work", required=True, metavar="DIR", help="for the numbers of each picture")
    add("--docs", default="docs", metavar="DIR", help="whose page and picture are replaced")
    add("--network", default="zoo:personas64")
    add("--encoder", default="zoo:personas64-e4e")
    add("--children", nargs="*", default=["zoo:toon-head64", "zoo:critters64"])
    add("--directions", nargs="*", default=aj.zoo.names("directions"), metavar="zoo:NAME")
    add("--reader", default="zoo:people-reader")
    add("--images", type=int, default=20)
    add("--steps", type=int, default=PIVOT["steps"], help="of inversions")
    add("--tune-steps", type=int, default=TuningSettings().steps)
    add(
        "--strengths",
        nargs="*",
        type=float,
        default=[1.0, 2.0, 3.0],
        help="of directions, in sigmas",
    )
    add("--others", type=int, default=16, help="random latents whose pictures should stay")
    return parser.parse_args(argv)


def measured(
    setting: Setting, target: np.ndarray, args: argparse.Namespace, place: Path
) -> tuple[dict[str, Any], np.ndarray]:
    """All numbers of a picture, uint8 [1, R, R, C]; pictures of COLUMNS, uint8 [P, R, R, C].

    Its latents are kept in `place`.
    """
    network = setting.network
    near: dict[str, Any] = {}
    if not place.exists():
        with viz.writing(place, overwrite=True) as file:
            np.savez(file, **inverted(setting, target, args.steps))  # type: ignore[arg-type]
    with np.load(place) as kept:
        seconds = {name: float(kept[f"{name} seconds"]) for name in PIVOTS}
        pivots = {name: kept[name] for name in PIVOTS}
    drawn = {
        name: distances(setting, network, ws, target, near, name) for name, ws in pivots.items()
    }
    plain = TuningSettings(steps=args.tune_steps)
    others, sizes, effects, children, taken = {}, {}, {}, {}, {}
    effects["W"] = effect(setting, network, pivots["W"])
    effects["encoder"] = effect(setting, network, pivots["encoder"])
    for name, (pivot, changes, lpips) in PLANS.items():
        settings = replace(plain, **changes)
        begin = time.process_time()
        ws = pivots[pivot]
        tuned = inversion.tune(
            network, ws, target, setting.lpips(lpips), settings, jax.random.key(0)
        )
        seconds[name] = seconds[pivot] + time.process_time() - begin
        delta, taken[name] = difference(network, tuned.network), tuned.steps
        bent, sizes[name] = with_delta(network, delta), delta.bytes
        drawn[name] = distances(setting, bent, ws, target, near, name)
        effects[name] = effect(setting, bent, ws)
        others[name] = moved(setting, bent, args.others)
        if name != WHOLE:
            continue
        for kept, options in {
            "float32": {"dtype": "float32"},
            **{f"rank {rank}": {"rank": rank} for rank in RANKS},
        }.items():
            less = difference(network, tuned.network, **options)
            distances(setting, with_delta(network, less), ws, target, near, f"{name}, {kept}")
            sizes[f"{name}, {kept}"] = less.bytes
        for label, child in setting.children.items():
            children[label] = in_child(setting, child, delta, ws, target)
    shown = np.concatenate([target, *(drawn[name] for name in COLUMNS[1:])])
    numbers = {"near": near, "seconds": seconds, "steps": taken, "bytes": sizes, "effects": effects}
    return {**numbers, "others": others, "children": children}, shown


def inverted(setting: Setting, target: np.ndarray, steps: int) -> dict[str, np.ndarray]:
    """Latents of a picture by the names of PIVOTS, and the seconds that each took."""
    found: dict[str, Any] = {}
    for name, space in (("W", "w"), ("W+", "w+")):
        settings = Settings(space=space, **{**PIVOT, "steps": steps})
        begin = time.process_time()
        key = jax.random.key(0)
        found[name] = inversion.invert(setting.network, target, setting.vgg, settings, key).latent
        found[f"{name} seconds"] = time.process_time() - begin
    begin = time.process_time()
    found["encoder"] = inversion.encode(setting.encoder, setting.network, target)
    found["encoder seconds"] = time.process_time() - begin
    return {name: np.asarray(value) for name, value in found.items()}


def difference(network: Network, tuned: Network, **options: Any) -> convert.Delta:
    """What is kept of a tuning; options as for `convert.delta_of`."""
    config = network.config
    return convert.delta_of(config, network.variables, tuned.variables, KEEPING, **options)


def with_delta(network: Network, delta: convert.Delta) -> Network:
    """The network with a delta added."""
    return Network(network.config, convert.added(network.config, network.variables, delta))


def distances(
    setting: Setting,
    network: Network,
    ws: np.ndarray,
    target: np.ndarray,
    near: dict[str, Any],
    name: str,
) -> np.ndarray:
    """The picture of a pivot, uint8 [1, R, R, C]; notes in `near` how near it comes."""
    alex = inversion.measure(network, ws, target, setting.alex)
    vgg = inversion.measure(network, ws, target, setting.vgg)
    near[name] = {
        "alex": float(alex.perceptual[0]),
        "vgg": float(vgg.perceptual[0]),
        "rmse": float(np.sqrt(alex.pixel[0])),
    }
    return viz.to_uint8(alex.images)


def effect(setting: Setting, network: Network, ws: np.ndarray) -> dict[str, float]:
    """By how much a sigma of each direction moves its attribute, on average over strengths."""
    found, amounts = {}, np.array(setting.strengths)
    sides = [*(-amounts), *amounts]
    for name, direction in setting.directions.items():
        way = direction.sigma * direction.vectors["w"]
        images = np.concatenate([network.synthesis(ws + side * way) for side in sides])
        scores = setting.judge(np.clip(images, -1, 1))[direction.found["attribute"]]
        less, more = np.split(np.asarray(scores, np.float64), 2)
        found[name] = float(np.mean((more - less) / (2 * amounts)))
    return found


def moved(setting: Setting, bent: Network, count: int) -> float:
    """Mean LPIPS between pictures of random latents before and after the tuning."""
    z = z_from_seeds(bent.config, range(FRESH, FRESH + count))
    ws = setting.network.mapping(z)
    a, b = (one.synthesis(ws) for one in (setting.network, bent))
    return float(np.mean(setting.alex(a, b)))


def in_child(
    setting: Setting, child: Network, delta: convert.Delta, ws: np.ndarray, target: np.ndarray
) -> dict[str, float]:
    """What the delta does in a child: is the picture there, and is it still one of the child's?

    Returns:
      by `before` and `after`: `colours`, mean difference of the colours of head, hair and clothes
      from the target's; `nearest`, LPIPS to the nearest of the child's own random pictures; and
      `lpips` to the target. `moved` is LPIPS between the two, `apart` between parent and child.
    """
    z = z_from_seeds(child.config, range(FRESH, FRESH + 64))
    own = np.asarray(child.synthesis(child.mapping(z)))
    plain, bent = (np.asarray(one.synthesis(ws)) for one in (child, with_delta(child, delta)))
    told: dict[str, float] = {}
    goal = target.astype(np.float32) / 127.5 - 1
    for name, image in (("before", plain), ("after", bent)):
        ours, theirs = measures(viz.to_uint8(image)), measures(target)
        gaps = [np.abs(ours[part] - theirs[part]) for part in ours if part.endswith("colour")]
        told[f"{name}: colours"] = float(np.mean(gaps))
        told[f"{name}: nearest"] = float(np.min(setting.alex(np.repeat(image, len(own), 0), own)))
        told[f"{name}: lpips"] = float(setting.alex(image, goal)[0])
    told["moved"] = float(setting.alex(plain, bent)[0])
    told["apart"] = float(setting.alex(plain, np.asarray(setting.network.synthesis(ws)))[0])
    return told


if __name__ == "__main__":
    main()
