"""Speed of the metrics: python -m benchmarks.metrics --images 50000 --width 2048.

Prints seconds, CPU seconds and peak memory of every metric's mathematics on random features of
so many images on both sides, and images/s of a feature network, if one is asked for.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from aligned_jax import metrics
from benchmarks.measure import median_seconds, peak_memory
from benchmarks.reporting import command, environment, report

_BATCH = 64


def main(argv: list[str] | None = None) -> None:
    """Measures one size."""
    args = parse(argv)
    real, generated = (drawn(args.images, args.width, seed) for seed in (0, 1))
    rows: dict[str, Any] = {"images": args.images, "width": args.width}
    rows["features_mb"] = 2 * real.nbytes / 1e6
    work = {
        "fid": lambda: frechet(real, generated),
        "kid": lambda: metrics.kernel_distance(real, generated),
        "pr": lambda: metrics.precision_and_recall(real, generated),
        "is": lambda: metrics.inception_score_of(metrics.softmax(real[:, :1008])),
        "ppl": lambda: metrics.path_length(real[:, 0] ** 2),
    }
    for name in args.metrics.split(","):
        rows[f"{name}_seconds"], rows[f"{name}_cpu_seconds"] = seconds(work[name])
        rows[f"peak_memory_mb_after_{name}"] = peak_memory() / 1e6
    if args.network:
        rows |= extraction(args.network, args.size, args.batch)
    report("Metrics", rows | environment(command("benchmarks.metrics", argv)))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=50_000, help="in each of two sets")
    parser.add_argument("--width", type=int, default=2048, help="numbers of an image")
    parser.add_argument("--metrics", default="fid,kid", help="of fid, kid, pr, is, ppl")
    parser.add_argument("--network", help="feature network whose speed is measured")
    parser.add_argument("--size", type=int, default=256, help="pixels of its images")
    parser.add_argument("--batch", type=int, default=16, help="images at a time")
    return parser.parse_args(argv)


def drawn(images: int, width: int, seed: int) -> np.ndarray:
    """Features like those of a network: float32 [N, D], not negative, of falling variance."""
    random = np.random.default_rng(seed)
    rows = np.empty((images, width), np.float32)
    scale = np.float32(1) / np.sqrt(1 + np.arange(width, dtype=np.float32))
    for start in range(0, images, 4096):
        part = random.standard_normal(rows[start : start + 4096].shape, np.float32)
        rows[start : start + 4096] = np.maximum(part * scale + np.float32(0.3), 0)
    return rows


def frechet(real: np.ndarray, generated: np.ndarray) -> float:
    """FID as `aligned evaluate` computes it: batch by batch."""
    moments = []
    for rows in (real, generated):
        running = metrics.RunningMoments()
        for start in range(0, len(rows), _BATCH):
            running.add(rows[start : start + _BATCH])
        moments.append(running.result())
    return metrics.frechet_distance(*moments)


def seconds(run: Callable[[], Any]) -> tuple[float, float]:
    """Wall time of one call, and the time of all cores, which other processes change less."""
    start, busy = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - busy


def extraction(name: str, size: int, batch: int) -> dict[str, Any]:
    """Images/s of a feature network on the default device."""
    from aligned_jax import features

    extractor = features.load(name)
    images = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3)).astype(np.float32)
    run = jax.jit(lambda extractor, images: extractor(images)["features"])
    time_ = median_seconds(lambda: run(extractor, images), repeats=3, warmup=1)
    return {"network": name, "size": size, "batch": batch, "images_per_second": batch / time_}


if __name__ == "__main__":
    main()
