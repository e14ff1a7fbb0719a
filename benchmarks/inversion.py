"""Speed of inversion: python -m benchmarks.inversion --network zoo:personas64.

Prints how long a step takes for each image of batches of several sizes, with
LPIPS and with pixels alone, how much faster a batch is than single images, and
what a plain product of matrices says any batch could gain on this machine.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import aligned_jax as aj
from aligned_jax import features, inversion, viz
from aligned_jax.inversion import Settings, learning_rates, statistics, steps
from aligned_jax.latents import z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.utils import loops
from aligned_jax.utils.precision import products
from benchmarks.generate import compiled_flops
from benchmarks.measure import median_seconds
from benchmarks.reporting import command, environment, markdown

WANTED = 5  # times faster than single images
_WIDTH = 1024
_STEPS = 5  # of a call, where loops are not slow


def main(argv: list[str] | None = None) -> None:
    """Measures, prints and explains."""
    args = parse(argv)
    network = aj.load(args.network)
    z = z_from_seeds(network.config, range(max(args.batches)))
    images = viz.to_uint8(np.asarray(network(z, psi=0.7)))
    losses = {"LPIPS-VGG": features.lpips("vgg"), "pixels": inversion.Pixels()}
    rate, batches = matmul_rate(args.repeats), sorted({1, *args.batches})
    rows = rows_of(network, images, losses, rate, args.repeats, batches)
    print(markdown(list(rows[0]), [list(row.values()) for row in rows]))
    verdicts = [verdict([row for row in rows if row["loss"] == name], rate) for name in losses]
    print("\n" + "\n".join(verdicts))
    results = {"rows": rows, "matmul_gflops": rate / 1e9, "verdicts": verdicts}
    print(json.dumps(results | environment(command("benchmarks.inversion", argv))))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="zoo:personas64")
    parser.add_argument(
        "--batches", type=int, nargs="+", default=[2, 4, 8], metavar="N", help="beside 1"
    )
    parser.add_argument("--repeats", type=int, default=7, help="of each measurement")
    return parser.parse_args(argv)


def rows_of(
    network: Network,
    images: np.ndarray,
    losses: Mapping[str, Any],
    rate: float,
    repeats: int,
    batches: Sequence[int],
) -> list[dict[str, Any]]:
    """A row for every loss and batch of steps in W with optimised noise.

    The images, uint8 [N, R, R, C], are repeated to fill a batch. The first batch is what
    the others are compared with.
    """
    rows = []
    for name, loss in losses.items():
        alone = None
        for batch in batches:
            targets = np.resize(images, (batch, *images.shape[1:]))
            seconds, flops = step_cost(network, targets, loss, repeats)
            alone = alone or seconds / batch
            rows.append(
                {
                    "loss": name,
                    "batch": batch,
                    "steps/s": 1 / seconds,
                    "ms per image and step": 1000 * seconds / batch,
                    "times faster": alone / (seconds / batch),
                    "GFLOP per image and step": flops / batch / 1e9,
                    "GFLOP/s": flops / seconds / 1e9,
                    "% of matmul": 100 * flops / seconds / rate,
                }
            )
    return rows


def step_cost(
    network: Network, targets: np.ndarray, loss: Any, repeats: int
) -> tuple[float, float]:
    """Median seconds of a step, after a warm-up, and the FLOPs that XLA counts in it."""
    count = 1 if loops.slow() else _STEPS
    settings = Settings(space="w", steps=count, samples=100)
    middle = statistics(network, "w", settings.samples)
    options = steps.StepOptions.of(settings, network)
    goal = steps.embed(loss, targets.astype(np.float32) / 127.5 - 1, settings.resolution)
    weight = jnp.float32(settings.noise_weight)
    problem = steps.Problem(network, loss, goal, None, jnp.asarray(middle.spread), weight)
    keys = jax.random.split(jax.random.key(0), 1)
    schedule = {
        "step": np.arange(count, dtype=np.uint32),
        "learning_rate": learning_rates(settings).astype(np.float32),
        "latent_noise": np.zeros(count, np.float32),
    }
    latent = np.broadcast_to(middle.mean, (len(targets), *middle.mean.shape))
    state = steps.begin(problem, options, latent, keys, 0.0)
    run = steps.advance.lower(problem, options, state, keys, schedule).compile()
    flops = compiled_flops(run)  # a loop's body counts once

    def go() -> Any:
        nonlocal state  # its memory is given away for the next one
        state, terms = run(problem, state, keys, schedule)
        return terms

    return median_seconds(go, repeats) / count, flops


def matmul_rate(repeats: int, width: int = _WIDTH) -> float:
    """FLOP/s of a plain product of square matrices in float32, at the precision of networks."""
    x = jnp.ones((width, width), jnp.float32)
    with products("exact"):
        run = jax.jit(lambda x: x @ x)
        seconds = median_seconds(lambda: run(x), repeats)
    return 2 * width**3 / seconds


def verdict(rows: Sequence[Mapping[str, Any]], rate: float) -> str:
    """One loss: how much the largest batch gains, and how much any could."""
    first, last = rows[0], rows[-1]
    gain, most = last["times faster"], rate / 1e9 / first["GFLOP/s"]
    text = (
        f"{last['loss']}: a batch of {last['batch']} is {gain:.2f} times as fast per image as one "
        f"at a time."
    )
    if gain >= WANTED:
        return text
    text += (
        f" A single image reaches {first['GFLOP/s']:.1f} GFLOP/s, {first['% of matmul']:.0f} % of "
        f"the {rate / 1e9:.1f} GFLOP/s of a plain product of matrices on the same cores"
    )
    if most < WANTED:
        return f"{text}: no batch can be more than {most:.1f} times faster."
    return (
        f"{text}, so that the processor would allow {most:.1f} times; the batch reaches "
        f"{last['GFLOP/s']:.1f}."
    )


if __name__ == "__main__":
    main()
