"""Generation compiled for a TPU that is not there: python -m benchmarks.ahead --resolution 1024.

Prints what the compiler counts: bytes that are moved, memory, padding, and its own estimate of the
time. Nothing runs, so nothing is measured. Needs libtpu (the extra `tpu-aot`), on any Linux
machine; each program takes minutes to compile.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from aligned_jax.config import GeneratorConfig, SynthesisConfig
from aligned_jax.networks import Generator, variable_shapes
from aligned_jax.networks.layout import PLAIN, layout_of
from aligned_jax.utils.precision import PRECISIONS, products
from benchmarks.absent import chips, traced_for
from benchmarks.compiled import estimated_cycles, padding
from benchmarks.measure import peak_memory
from benchmarks.reporting import command, environment, report

_PSI = 0.7


def main(argv: list[str] | None = None) -> None:
    """Compiles one configuration."""
    args = parse(argv)
    config = GeneratorConfig(
        args.resolution,
        synthesis=SynthesisConfig(
            channel_base=args.channel_base,
            channel_max=args.channel_max,
            num_fp16_res=4,
            conv_clamp=256.0,
        ),
    )
    start = time.perf_counter()
    compiled = compile_generation(
        config, args.topology, args.batch, args.half, args.layout, args.precision
    )
    seconds = time.perf_counter() - start
    if args.save:
        with open(args.save, "w", encoding="utf-8") as file:
            file.write(compiled.as_text())
    rows = {
        "topology": args.topology,
        "resolution": args.resolution,
        "batch": args.batch,
        "half": args.half or "none",
        "layout": args.layout,
        "precision": args.precision,
        **facts(compiled),
        "compile_seconds": seconds,
        "compiler_memory_mb": peak_memory() / 1e6,
        **environment(command("benchmarks.ahead", argv)),
    }
    report("Generation, compiled ahead of time", rows)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--topology", default="v5e:2x2", help="chips, as v5e:2x2; one is used")
    parser.add_argument("--resolution", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--channel-base", type=int, default=32768)
    parser.add_argument("--channel-max", type=int, default=512)
    parser.add_argument("--half", choices=("bfloat16", "float16"))
    parser.add_argument("--layout", choices=("tpu", "plain"), default="tpu")
    parser.add_argument("--precision", choices=PRECISIONS, default="exact", help="of products")
    parser.add_argument("--save", help="file for the text of the compiled program")
    return parser.parse_args(argv)


def compile_generation(
    config: GeneratorConfig,
    topology: str,
    batch: int,
    half: str | None,
    layout: str,
    precision: str = "exact",
) -> jax.stages.Compiled:
    """Images of z [batch, z_dim] on one chip of a topology.

    Args:
      layout: "tpu" for what a generator chooses there, "plain" for it as it is written.
      precision: of float32 products.
    """
    one = NamedSharding(Mesh(np.array(chips(topology)[:1]), ("chip",)), PartitionSpec())
    module = Generator(config, half, PLAIN if layout == "plain" else layout_of(config, "tpu"))

    def generate(variables, z):
        with products(precision):
            return module.apply(variables, z, psi=_PSI)

    # What else depends on the backend asks for it while it is traced.
    with traced_for("tpu"):
        z = jax.ShapeDtypeStruct((batch, config.z_dim), jnp.float32)
        shapes = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=one),
            (variable_shapes(config), z),
        )
        lowered = jax.jit(generate).lower(*shapes)
    return lowered.compile()


def facts(compiled: jax.stages.Compiled) -> dict[str, float]:
    """Numbers of the compiler: GB moved, GiB of temporaries, padding, cycles, GFLOPs."""
    counted, memory, text = compiled.cost_analysis(), compiled.memory_analysis(), compiled.as_text()
    return {
        "moved_gb": counted["bytes accessed"] / 1e9,
        "temporaries_gib": memory.temp_size_in_bytes / 2**30,
        "padding": padding(text),
        "estimated_million_cycles": estimated_cycles(text) / 1e6,
        "gflop": counted["flops"] / 1e9,
    }


if __name__ == "__main__":
    main()
