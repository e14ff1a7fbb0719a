"""One program compiled for TPUs that are not there, and what the compiler says of it.

    python -m benchmarks.compilation v5e:2x2 paper256 Gmain

Prints a line of JSON. Nothing runs: sizes are exact, the bound is what products and memory cannot
do without. A program of its own, since libtpu stays loaded and compiling takes gigabytes; needs
the extra `tpu-aot`.
"""

import argparse
import dataclasses
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import jax

from aligned_jax.runs.config import TrainConfig
from benchmarks import programs
from benchmarks.absent import CHIPS, Chip, chips, kind_of, traced_for
from benchmarks.compiled import estimated_cycles, exchanges, padding, pickings
from benchmarks.measure import peak_memory
from benchmarks.products import Kind, product_flops
from benchmarks.programs import NAMES, RESOLUTIONS, Program
from benchmarks.reporting import command, environment

_NO_ROOM = re.compile(r"\(?(?P<needed>[\d.]+)G\)? (?:exceeds|of) .*?(?P<given>[\d.]+)G")
_KERNEL = 'custom_call_target="tpu_custom_call"'


def main(argv: Sequence[str] | None = None) -> None:
    """Compiles one program."""
    args = parse(argv)
    devices = chips(args.topology)
    config = programs.config_of(args.preset, len(devices), args.augment)
    if args.rounds:
        config = with_rounds(config, args.rounds)
    made = programs.program(args.program, config, len(devices))
    found = {
        "topology": args.topology,
        "preset": args.preset,
        "program": args.program,
        "chips": len(devices) if made.shared else 1,
        "augment": config.ada.mode != "none",
        "batch": config.gan.batch_size,
        "rows": made.rows,
        "rounds": made.rounds,
        **compiled(made, devices, CHIPS[kind_of(args.topology)], args.save),
        "libtpu": metadata.version("libtpu"),
        "compiler_memory_mb": peak_memory() / 1e6,
        **environment(command("benchmarks.compilation", argv)),
    }
    print(json.dumps(found))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("topology", help="chips, as v5e:2x2")
    parser.add_argument("preset", choices=RESOLUTIONS)
    parser.add_argument("program", choices=NAMES)
    parser.add_argument("--augment", help="transforms, or none; default: the preset's")
    parser.add_argument("--rounds", type=int, help="of a training; default: the preset's")
    parser.add_argument("--save", help="file for the text of the compiled program")
    return parser.parse_args(argv)


def with_rounds(config: TrainConfig, rounds: int) -> TrainConfig:
    """The same training, whose devices take their images in so many parts."""
    return dataclasses.replace(config, gan=dataclasses.replace(config.gan, rounds=rounds))


def compiled(
    made: Program, devices: Sequence[Any], chip: Chip, save: str | None = None
) -> dict[str, Any]:
    """What the compiler says of a program; `failed` if it does not fit the chip's memory."""
    begun = time.perf_counter()
    with traced_for("tpu"):
        lowered = made.lower(devices)
        products = product_flops(made.jaxpr(len(devices)))
    found: dict[str, Any] = {"trace_seconds": time.perf_counter() - begun}
    begun, worked = time.perf_counter(), time.process_time()
    error = None
    try:
        program = lowered.compile()
    except jax.errors.JaxRuntimeError as caught:
        error = str(caught)
    found["compile_seconds"] = time.perf_counter() - begun
    found["compile_cpu_seconds"] = time.process_time() - worked  # whatever else the machine does
    if error is not None:
        return found | {"chip_gib": chip.memory} | failure(error)
    text = program.as_text()
    if save:
        with open(save, "w", encoding="utf-8") as file:
            file.write(text)
    return found | facts(program, text, chip) | bound(products, program, chip)


def failure(message: str) -> dict[str, Any]:
    """What is known of a program that was not compiled."""
    found = {"failed": message[:500]}
    needed = _NO_ROOM.search(message)
    return found | ({"needed_gib": float(needed["needed"])} if needed else {})


def facts(program: jax.stages.Compiled, text: str, chip: Chip) -> dict[str, Any]:
    """Memory, padding, exchanges, and whether pixels are picked one by one."""
    memory: Any = program.memory_analysis()
    arguments, temporaries = memory.argument_size_in_bytes, memory.temp_size_in_bytes
    # Results that take the place of arguments need no room of their own.
    results = memory.output_size_in_bytes - memory.alias_size_in_bytes
    return {
        "arguments_gib": arguments / 2**30,
        "temporaries_gib": temporaries / 2**30,
        "needed_gib": (arguments + temporaries + results) / 2**30,
        "chip_gib": chip.memory,
        "padding": padding(text),
        "exchanges": {
            kind: {"count": one.count, "mb": one.size / 1e6}
            for kind, one in exchanges(text).items()
        },
        "pickings": pickings(text, PICKED),
        "kernels": text.count(_KERNEL),
        "estimated_million_cycles": estimated_cycles(text) / 1e6,
    }


# Numbers of a gather or scatter that counts as one over images: the smallest have 32 pixels a side.
PICKED = 32 * 32


def bound(products: Counter[Kind], program: jax.stages.Compiled, chip: Chip) -> dict[str, Any]:
    """Times that the images of one round take at least, kernels left out.

    By FLOPs of the products, as traced, over those of the chip; and by bytes as the compiler counts
    them, over its bandwidth.
    """
    counted: Any = program.cost_analysis()
    moved = counted["bytes accessed"]
    passed = sum(flops * kind.passes for kind, flops in products.items())
    compute, memory = passed / chip.flops, moved / chip.bandwidth
    return {
        "gflop": counted["flops"] / 1e9,
        "moved_gb": moved / 1e9,
        "product_gflop": {f"{k.dtype} x {k.passes}": n / 1e9 for k, n in products.items()},
        "compute_ms": 1e3 * compute,
        "memory_ms": 1e3 * memory,
        "bound_ms": 1e3 * max(compute, memory),
    }


if __name__ == "__main__":
    main()
