"""What precision of products a training needs: python -m studies.precision --steps 0,10,40.

A small GAN is trained for some steps in float32 on pictures of a network, made smaller. On the way
the gradient of each loss is computed once more with the products of accelerators at each precision
(`studies.products`), and compared with float64. Beside these errors stands how much the gradient
differs from one batch to another. The same is asked of the discriminator's two layouts, in
float32, with and without the minibatch standard deviation.
"""

import argparse
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

import aligned_jax as aj
from aligned_jax.data.options import DataOptions
from aligned_jax.latents import z_from_seeds
from aligned_jax.networks.layout import PLAIN, folded_layout
from aligned_jax.networks.variables import module_of
from aligned_jax.runs import presets
from aligned_jax.training import parallel
from aligned_jax.training.draws import TERMS, Draws, draw
from aligned_jax.training.gan_step import GanStep
from aligned_jax.training.state import create_state
from aligned_jax.training.terms import LOSSES, Batch, Networks, Recipe
from aligned_jax.types import Array, PyTree
from aligned_jax.utils.precision import PRECISIONS, products
from benchmarks.reporting import command, markdown
from studies.products import MACHINES, Program, traced
from studies.tables import write_document

LANES = 128  # what folded maps fill
HEADINGS = ("loss", "step", "products", "error", "worst tensor", "of the mean", "batches differ by")
CAPTION = """\
Relative errors of the gradient against float64, as norms: of all parameters on the average, of the
worst parameter of any batch (those with a thousandth of the gradient or more), and of the mean over
the batches, where errors that go either way cancel. Last, by how much the gradient of a batch
differs from the mean."""


@dataclass(frozen=True)
class Setting:
    """A GAN and its pictures, uint8 [P, R, R, 3]."""

    recipe: Recipe
    pictures: np.ndarray

    @property
    def batch_size(self) -> int:
        """Pictures in a batch."""
        return self.recipe.options.batch_size

    def images(self, number: int) -> np.ndarray:
        """The pictures of a batch, uint8."""
        chosen = np.random.RandomState(number).choice(len(self.pictures), self.batch_size)
        return self.pictures[chosen]

    def inputs(self, state: Any, term: str, number: int) -> tuple:
        """Arguments of a loss: networks, mean path length, images, and draws."""
        shrink = self.recipe.options.pl_batch_shrink if term == "Greg" else 1
        rows = jnp.arange(self.batch_size // shrink, dtype=jnp.int32)
        drawn = draw(jax.random.key(number), rows, self.recipe.generator, 0.9)
        images = jnp.float32(self.images(number)) / 127.5 - 1
        return state.G, state.D, state.pl_mean, images, drawn._replace(
            augment_fake=jnp.zeros(()), augment_real=jnp.zeros(())
        )  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    """Trains, compares, prints tables, and writes a document."""
    args = parse(argv)
    setting = prepared(args)
    rows: list[dict[str, Any]] = []
    for step, state in states(setting, args.steps):
        for term in args.terms:
            rows += errors(setting, state, step, term, args.batches)
            table = markdown(HEADINGS, [[row[name] for name in HEADINGS] for row in rows])
            print(table, flush=True)
    print(CAPTION)
    layouts = layout_errors(setting, args.batches)
    print(markdown(list(layouts[0]), [list(row.values()) for row in layouts]))
    line = command("studies.precision", argv)
    config = {name: str(value) for name, value in vars(args).items()}
    write_document(args.out / "precision.json", line, config, rows=rows, layouts=layouts)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--network", default="zoo:personas64", help="draws the pictures")
    add("--resolution", type=int, default=32)
    add("--pictures", type=int, default=256, help="to train on")
    add("--batch", type=int, default=8)
    add("--batches", type=int, default=4, help="whose gradients are compared")
    add("--steps", type=numbers, default=[0, 10, 40], help="after which gradients are compared")
    add("--terms", type=terms, default=["Dreg"], help=f"some of {', '.join(TERMS)}")
    add("--out", type=Path, default=Path("."), metavar="DIR")
    return parser.parse_args(argv)


def numbers(text: str) -> list[int]:
    """[0, 10] of "0,10"."""
    return sorted(int(part) for part in text.split(","))


def terms(text: str) -> list[str]:
    """Names of losses, joined by commas."""
    if wrong := [part for part in text.split(",") if part not in TERMS]:
        raise argparse.ArgumentTypeError(f"no such loss: {', '.join(wrong)}")
    return text.split(",")


def prepared(args: argparse.Namespace) -> Setting:
    """The smallest preset, and pictures that the network draws of the first seeds."""
    sizes = presets.Sizes(args.resolution)
    config = presets.config_of("tiny32", DataOptions("-"), sizes, args.batch)
    network = aj.load(args.network)
    factor = network.config.img_resolution // args.resolution
    images = np.concatenate(
        [np.asarray(network(z_from_seeds(network.config, [k]))) for k in range(args.pictures)]
    )
    shape = (args.pictures, args.resolution, factor, args.resolution, factor, 3)
    smaller = images.reshape(shape).mean(axis=(2, 4))
    pictures = np.clip(np.rint(smaller * 127.5 + 127.5), 0, 255).astype(np.uint8)
    return Setting(Recipe(config.generator, config.discriminator, config.gan), pictures)


def states(setting: Setting, steps: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """Numbers of steps, and the state of a training after them."""
    recipe = setting.recipe
    state = create_state(recipe.generator, recipe.discriminator, recipe.options, seed=0)
    if list(steps) == [0]:
        yield 0, state
        return
    devices = jax.local_devices()[:1]
    step, placed = GanStep(recipe, devices), parallel.replicate(state, devices)
    for number in range(max(steps) + 1):
        if number in steps:
            yield number, parallel.local(placed)
        placed, _ = step(placed, step.feed(setting.images(number)), number)


def errors(
    setting: Setting, state: Any, step: int, term: str, batches: int
) -> list[dict[str, Any]]:
    """Rows of the table: what each way to compute products does to the gradient of a loss."""
    programs = {one: program(setting, term, one, state) for one in PRECISIONS}
    exact = programs["exact"]
    inputs = [setting.inputs(state, term, 1000 + number) for number in range(batches)]
    truth = [exact.in_float64(*one) for one in inputs]
    ways: dict[str, Callable] = {
        "TPU, fast": _on("tpu", programs["fast"]),
        "TPU, high": _on("tpu", programs["high"]),
        "TPU, exact": _on("tpu", exact),
        "GPU, fast and high": _on("gpu", programs["high"]),
        "GPU, exact": _on("gpu", exact),
    }
    spread = _spread([flat(one) for one in truth])
    rows = []
    for name, run in ways.items():
        found = [run(*one) for one in inputs]
        each = [_apart(flat(a), flat(b)) for a, b in zip(found, truth, strict=True)]
        means = [np.mean([flat(one) for one in many], axis=0) for many in (found, truth)]
        worst = max(_worst(a, b) for a, b in zip(found, truth, strict=True))
        values = (term, step, name, float(np.mean(each)), worst, _apart(*means), spread)
        rows.append(dict(zip(HEADINGS, values, strict=True)))
    return rows


def program(setting: Setting, term: str, precision: str, state: Any) -> Program:
    """The gradient of a loss as accelerators are given it, at a precision; see `Setting.inputs`."""
    options = dataclasses.replace(setting.recipe.options, precision=precision)
    which = 0 if term[0] == "G" else 1

    def gradient(g: PyTree, d: PyTree, pl_mean: Array, images: Array, drawn: Draws) -> PyTree:
        recipe = dataclasses.replace(
            setting.recipe, options=options, draw=lambda key, term, rows: drawn
        )
        n = len(images)
        labels = jnp.zeros((n, 0)), jnp.zeros((n, 3, 0))
        batch = Batch(images, jnp.arange(n, dtype=jnp.int32), *labels)

        def loss(params: PyTree) -> Array:
            both = [g, d]
            both[which] = {**both[which], "params": params}
            nets = Networks(both[0], both[1], jnp.float32(0), pl_mean)
            return LOSSES[term](recipe, nets, batch, jax.random.key(0))[0]

        # One device, whose name the mean over devices asks for.
        one = jax.vmap(
            lambda _: jax.grad(loss)((g, d)[which]["params"]),
            axis_name=parallel.AXIS,
            out_axes=None,
            axis_size=1,
            in_axes=None,
        )
        return one(0)

    with mock.patch.object(jax, "default_backend", lambda: "gpu"):
        return traced(gradient, *setting.inputs(state, term, 0))


def layout_errors(setting: Setting, batches: int) -> list[dict[str, Any]]:
    """Rows of the second table: R1's gradient of folded and plain discriminators in float32."""
    whole = setting.recipe.discriminator
    end = dataclasses.replace(whole.epilogue, mbstd_num_channels=0)
    rows = []
    for config in (whole, dataclasses.replace(whole, epilogue=end)):
        state = create_state(setting.recipe.generator, config, setting.recipe.options, seed=0)
        found: dict[str, list[float]] = {}
        for number in range(batches):
            images = jnp.float32(setting.images(number)) / 127.5 - 1
            both = {}
            for name, layout in (("plain", PLAIN), ("folded", folded_layout(config, LANES))):
                module: Any = module_of(config, None, layout)
                made = traced(_r1_gradient(module), state.D, images)
                both[name] = jax.jit(lambda *x, p=made: p.on(MACHINES["gpu"], *x))(state.D, images)
                truth = made.in_float64(state.D, images)
                found.setdefault(name, []).append(_apart(flat(both[name]), flat(truth)))
            apart = _apart(flat(both["folded"]), flat(both["plain"]))
            found.setdefault("apart", []).append(apart)
        means = {name: float(np.mean(values)) for name, values in found.items()}
        kept = "with" if config.epilogue.mbstd_num_channels else "without"
        rows.append({"minibatch std": kept, **means})
    return rows


def _r1_gradient(module: Any) -> Callable:
    def penalty(params: PyTree, images: Array) -> Array:
        slope = jax.grad(lambda x: module.apply({"params": params}, x).sum())(images)
        return jnp.square(slope).sum()

    def gradient(variables: PyTree, images: Array) -> PyTree:
        with products("exact"):
            return jax.grad(penalty)(variables["params"], images)

    return gradient


def flat(tree: PyTree) -> np.ndarray:
    """All numbers of a tree, float64."""
    return np.concatenate([np.asarray(x, np.float64).ravel() for x in jax.tree.leaves(tree)])


def _on(machine: str, made: Program) -> Callable:
    return jax.jit(lambda *args: made.on(MACHINES[machine], *args))


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def _worst(found: PyTree, truth: PyTree) -> float:
    whole = np.linalg.norm(flat(truth))
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(truth), strict=True)
    return max(_apart(flat(a), flat(b)) for a, b in pairs if np.linalg.norm(b) >= 1e-3 * whole)


def _spread(rows: Sequence[np.ndarray]) -> float:
    mean = np.mean(rows, axis=0)
    squares = sum(float(np.square(row - mean).sum()) for row in rows) / max(len(rows) - 1, 1)
    return float(np.sqrt(squares) / np.linalg.norm(mean))


if __name__ == "__main__":
    main()
