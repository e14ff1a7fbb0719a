"""Compiles the geometric stage for a TPU that is not there, and tells what became of it.

    python -m tests.augment.tpu_program v5e:2x2 16 256

A program of its own: the compiler reads its settings once, and takes none that are meant for CPUs.
Prints one JSON line: bytes and FLOPs by the compiler's count and its estimated cycles, all without
what happens inside the kernels, how many kernels there are, and the numbers in the largest gather
and scatter. A file that is named last gets the program's text.
"""

import json
import re
import sys


def main(name: str, rows: int, size: int) -> None:
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    from aligned_jax.augment import draw, preset
    from aligned_jax.augment.geometry import inverse_map, margins_of
    from aligned_jax.augment.warp.dispatch import warp_by_windows
    from benchmarks.absent import chips

    mesh = Mesh(np.array(chips(name)[:1]), ("one",))
    config, shape = preset("bg"), (size, size, 3)

    def stage(images, weights, key):
        draws = draw(key, config, jnp.arange(rows), shape)
        inverse = inverse_map(draws, jnp.float32(0.6), config, rows, size, size)
        margins = margins_of(inverse, size, size)
        return (warp_by_windows(images, inverse, margins) * weights).sum()

    placed = NamedSharding(mesh, PartitionSpec())
    images = jax.ShapeDtypeStruct((rows, *shape), jnp.float32, sharding=placed)
    key = jax.eval_shape(lambda: jax.random.key(0))
    key = jax.ShapeDtypeStruct(key.shape, key.dtype, sharding=placed)
    program = jax.jit(jax.value_and_grad(stage)).lower(images, images, key).compile()
    text, cost = program.as_text(), program.cost_analysis()
    numbers = {
        kind: [
            int(np.prod([int(n) for n in dims.split(",") if n]))
            for dims in re.findall(rf"= \w+\[([\d,]*)\][^=]*? {kind}\(", text)
        ]
        for kind in ("gather", "scatter")
    }
    cycles = [int(n) for n in re.findall(r'"estimated_cycles":"(\d+)"', text)]
    print(
        json.dumps(
            {
                "gigabytes": cost["bytes accessed"] / 1e9,
                "gigaflops": cost["flops"] / 1e9,
                "optimal_seconds": cost.get("optimal_seconds"),
                "cycles_beside_kernels": sum(cycles),
                "kernels": text.count('custom_call_target="tpu_custom_call"'),
                **{kind: max(found, default=0) for kind, found in numbers.items()},
            }
        )
    )
    if len(sys.argv) > 4:
        with open(sys.argv[4], "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
