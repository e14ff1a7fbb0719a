"""Speed of training: python -m benchmarks.train --resolution 64 --batch 16.

Times every phase of an iteration and the bare convolutions it cannot do
without, each alone, in the same run; then the reading of data alone. Rates of an
iteration average over the intervals of lazy regularisation.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image

from aligned_jax.config import (
    DiscriminatorConfig,
    EpilogueConfig,
    GeneratorConfig,
    MappingConfig,
    SynthesisConfig,
)
from aligned_jax.data import DataOptions, ImageSource, open_dataset, write_dataset
from aligned_jax.data.batches import batches
from aligned_jax.data.images import scan
from aligned_jax.training import parallel
from aligned_jax.training.gan_step import GanStep, phases
from aligned_jax.training.options import GanOptions
from aligned_jax.training.state import create_state
from aligned_jax.training.terms import Recipe
from benchmarks.flops import PASSES, Convolution, convolutions, critic_convolutions, phase_flops
from benchmarks.generate import at, bare_convolution, compiled_flops
from benchmarks.measure import median_seconds, peak_memory
from benchmarks.reporting import command, environment, report


def main(argv: list[str] | None = None) -> None:
    """Measures one configuration."""
    args = parse(argv)
    recipe = recipe_of(args)
    devices = jax.local_devices()[: args.devices]
    step = GanStep(recipe, devices)
    state = create_state(recipe.generator, recipe.discriminator, recipe.options)
    size = (args.batch, args.resolution, args.resolution, 3)
    batch = step.feed(np.random.RandomState(0).randint(0, 256, size).astype(np.uint8))
    state = parallel.replicate(state, devices)
    start = time.perf_counter()
    programs = step.compile(state, batch)
    compile_seconds = time.perf_counter() - start
    seconds, memory = phase_seconds(programs, state, batch, args.repeats), peak_memory()
    floor = {
        name: bare_seconds(name, recipe, args.batch, args.half, args.repeats) for name in PASSES
    }
    intervals = {phase.name: phase.interval for phase in phases(recipe.options)}
    iteration = sum(seconds[name] / every for name, every in intervals.items()) + seconds["finish"]
    bare = sum(floor[name] / every for name, every in intervals.items())
    rows: dict[str, Any] = {
        "resolution": args.resolution,
        "batch": args.batch,
        "devices": len(devices),
        "half": args.half or "none",
        "images_per_second": args.batch / iteration,
        "compile_seconds": compile_seconds,
        "peak_memory_mb": memory / 1e6,
        "time_over_bare_convolutions": iteration / bare,
    }
    for name in intervals:
        analytic = phase_flops(name, recipe.generator, recipe.discriminator) * args.batch
        rows[f"{name}_seconds"] = seconds[name]
        rows[f"{name}_over_bare_convolutions"] = seconds[name] / floor[name]
        # The compiler counts what one device does.
        flops = compiled_flops(programs[name]) * len(devices)
        rows[f"{name}_compiled_over_analytic_flops"] = flops / analytic
        rows[f"{name}_all_reduces"] = all_reduces(programs[name])
    rows["data_images_per_second"] = reading_rate(args)
    report("Training", rows | environment(command("benchmarks.train", argv)))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--channel-base", type=int, default=2048)
    parser.add_argument("--channel-max", type=int, default=128)
    parser.add_argument("--latent", type=int, default=128, help="width of z and w")
    parser.add_argument("--half", choices=("bfloat16", "float16"))
    parser.add_argument("--devices", type=int, help="how many share the batch (default all)")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args(argv)


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The usual training step for these sizes."""
    marked = 4 if args.half else 0
    sizes = {"channel_base": args.channel_base, "channel_max": args.channel_max}
    generator = GeneratorConfig(
        args.resolution,
        z_dim=args.latent,
        w_dim=args.latent,
        mapping=MappingConfig(num_layers=2),
        synthesis=SynthesisConfig(num_fp16_res=marked, **sizes),
    )
    epilogue = EpilogueConfig(mbstd_group_size=4)
    discriminator = DiscriminatorConfig(
        args.resolution, num_fp16_res=marked, epilogue=epilogue, **sizes
    )
    return Recipe(generator, discriminator, GanOptions(args.batch, half=args.half))


def phase_seconds(
    programs: dict[str, Any], state: Any, batch: Any, repeats: int
) -> dict[str, float]:
    """Median time of every program; each consumes the state and returns the next."""
    medians = {}
    for name, program in programs.items():

        def run(name: str = name, program: Callable = program) -> Any:
            nonlocal state
            state = program(state) if name == "finish" else program(state, batch)[0]
            return state

        medians[name] = median_seconds(run, repeats, warmup=1)
    return medians


def bare_seconds(phase: str, recipe: Recipe, batch: int, half: str | None, repeats: int) -> float:
    """Sum of the times of the convolutions of a phase and of their gradients, each run alone.

    Value and gradients come in the form that the layers use, which is the
    fastest known one; the measurement in `ops.strided_conv` says why the obvious
    form of some gradients would flatter us.
    """
    g_passes, g_weights, d_passes, d_weights = PASSES[phase]
    rows = batch // recipe.options.pl_batch_shrink if phase == "Greg" else batch
    half = half if phase.endswith("main") else None
    total = 0.0
    for layers, passes, weights in (
        (convolutions(recipe.generator), g_passes, g_weights),
        (critic_convolutions(recipe.discriminator), d_passes, d_weights),
    ):
        for layer in layers if passes else ():
            value, d_image, d_kernel = convolution_seconds(layer, rows, half, repeats)
            total += value * (passes - passes // 2) + d_image * (passes // 2) + d_kernel * weights
    return total


def convolution_seconds(
    layer: Convolution, rows: int, half: str | None, repeats: int
) -> tuple[float, float, float]:
    """Median times of one bare convolution, its image gradient and its weight gradient."""
    precision = "fast" if half else "exact"
    convolve, x, kernel = bare_convolution(layer, rows, half)
    d_image = at(precision, lambda x, k, y: jax.vjp(lambda x: convolve(x, k), x)[1](y))
    d_kernel = at(precision, lambda x, k, y: jax.vjp(lambda k: convolve(x, k), k)[1](y))
    value = at(precision, convolve)
    y = value(x, kernel)
    return (
        median_seconds(lambda: value(x, kernel), repeats, warmup=1),
        median_seconds(lambda: d_image(x, kernel, y), repeats, warmup=1),
        median_seconds(lambda: d_kernel(x, kernel, y), repeats, warmup=1),
    )


def all_reduces(program: jax.stages.Compiled) -> int:
    """Exchanges between devices in a compiled program; 0 on a single device."""
    lines = program.as_text().splitlines()
    return sum(" all-reduce(" in line or " all-reduce-start(" in line for line in lines)


def reading_rate(args: argparse.Namespace, count: int = 256, seconds: float = 3.0) -> float:
    """Images a second that the input pipeline delivers when nothing else runs."""
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        images.mkdir()
        ramp = np.linspace(0, 255, args.resolution)
        for i in range(count):  # smooth pictures, which PNG compresses as it does real ones
            plane = np.add.outer(ramp, np.roll(ramp, i)) / 2
            picture = np.stack([plane, plane[::-1], plane.T], axis=-1).astype(np.uint8)
            Image.fromarray(picture).save(images / f"{i}.png")
        source: ImageSource = scan(images, args.resolution, labelled=False)
        write_dataset(source, Path(folder) / "data", workers=1)
        dataset = open_dataset(DataOptions(str(Path(folder) / "data")))
        rows = batches(dataset, args.batch)
        next(rows)
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            next(rows)
            done += args.batch
        return done / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
