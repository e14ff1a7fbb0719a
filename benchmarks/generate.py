"""Speed of generation: python -m benchmarks.generate --resolution 256 --batch 8.

Prints images/s, compile time, peak memory, compiled over analytic FLOPs, and
the time over that of the bare convolutions run alone on the same device.
"""

import argparse
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp

from aligned_jax import ops
from aligned_jax.config import GeneratorConfig, SynthesisConfig
from aligned_jax.networks import Generator, init_variables
from aligned_jax.utils.precision import PRECISIONS, products
from benchmarks.flops import Convolution, convolutions, synthesis_flops
from benchmarks.measure import median_seconds, peak_memory
from benchmarks.reporting import command, environment, report


def main(argv: list[str] | None = None) -> None:
    """Measures one configuration."""
    args = parse(argv)
    config = GeneratorConfig(
        args.resolution,
        synthesis=SynthesisConfig(
            channel_base=args.channel_base, channel_max=args.channel_max, num_fp16_res=4
        ),
    )
    variables = init_variables(config, jax.random.key(0))
    ws = jax.random.normal(jax.random.key(1), (args.batch, config.num_ws, config.w_dim))
    module = Generator(config, args.half)

    @jax.jit
    def synthesize(variables, ws):
        with products(args.precision):
            return module.apply(variables, ws, args.noise, method="synthesize")

    lowered = synthesize.lower(variables, ws)
    start = time.perf_counter()
    compiled = lowered.compile()
    compile_seconds = time.perf_counter() - start
    seconds = median_seconds(lambda: compiled(variables, ws), args.repeats)
    memory = peak_memory()
    floor = sum(
        convolution_seconds(c, args.batch, args.half, args.precision, args.repeats)
        for c in convolutions(config)
    )
    analytic = synthesis_flops(config, args.batch)
    rows = {
        "resolution": args.resolution,
        "batch": args.batch,
        "half": args.half or "none",
        "images_per_second": args.batch / seconds,
        "compile_seconds": compile_seconds,
        "peak_memory_mb": memory / 1e6,
        "analytic_gflops_per_image": analytic / args.batch / 1e9,
        "compiled_over_analytic_flops": compiled_flops(compiled) / analytic,
        "time_over_bare_convolutions": seconds / floor,
        **environment(command("benchmarks.generate", argv)),
    }
    report("Generation", rows)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--channel-base", type=int, default=32768)
    parser.add_argument("--channel-max", type=int, default=512)
    parser.add_argument("--half", choices=("bfloat16", "float16"))
    parser.add_argument("--precision", choices=PRECISIONS, default="exact", help="of products")
    parser.add_argument("--noise", choices=("const", "none"), default="const")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args(argv)


def compiled_flops(compiled: jax.stages.Compiled) -> float:
    """FLOPs that XLA counts in its program."""
    analysis = compiled.cost_analysis()
    analysis = analysis[0] if isinstance(analysis, list) else analysis
    return float(analysis["flops"])


def convolution_seconds(
    layer: Convolution, batch: int, half: str | None, precision: str, repeats: int
) -> float:
    """Median time of one bare convolution of the network's shape."""
    convolve, x, kernel = bare_convolution(layer, batch, half)
    run = at(precision, convolve)
    return median_seconds(lambda: run(x, kernel), repeats, warmup=1)


def bare_convolution(
    layer: Convolution, batch: int, half: str | None
) -> tuple[Callable, jax.Array, jax.Array]:
    """One convolution in the form that the layers use, an image and a kernel for it."""
    dtype = jnp.dtype(half or "float32")
    x = jnp.ones((batch, layer.size, layer.size, layer.inputs), dtype)
    kernel = jnp.ones((layer.kernel, layer.kernel, layer.inputs, layer.outputs), dtype)

    def convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
        if layer.up > 1:
            return ops.conv_up(x, kernel, layer.up)
        if layer.down > 1:
            return ops.conv_down(x, kernel, layer.down)
        return ops.convolve(x, kernel, "SAME")

    return convolve, x, kernel


def at(precision: str, body: Callable) -> Callable:
    """`body` compiled with that precision of float32 products."""

    def run(*arrays: jax.Array) -> jax.Array:
        with products(precision):
            return body(*arrays)

    return jax.jit(run)


if __name__ == "__main__":
    main()
