"""Conversion of a full-size snapshot: python -m benchmarks.convert --resolution 1024.

Writes a G/D/G_ema file in the official layout with random weights, converts and
exports it in processes of their own, and prints time and peak memory of each
as a multiple of the file.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig
from benchmarks.reporting import command, environment, report
from tests.helpers import random_tensors
from tests.makers.official_file import OfficialNetwork, write_snapshot

# A process inherits the peak memory of the one that starts it, so a small one stands between.
_WATCHER = """
import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:]).returncode
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def main(argv: list[str] | None = None) -> None:
    """Measures one resolution."""
    args = parse(argv)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        source = Path(folder) / "network.pkl"
        write_random_snapshot(source, args.resolution)
        size = source.stat().st_size
        rows = {"resolution": args.resolution, "file_mb": size / 1e6}
        for name, arguments in {
            "convert": ["convert", str(source), f"{folder}/network"],
            "export": ["export", f"{folder}/network", f"{folder}/network.safetensors"],
        }.items():
            seconds, peak = run_verb(arguments)
            rows[f"{name}_seconds"] = seconds
            rows[f"{name}_peak_mb"] = peak / 1e6
            rows[f"{name}_peak_over_file"] = peak / size
    report("Conversion", rows | environment(command("benchmarks.convert", argv)))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=1024)
    parser.add_argument("--folder", help="where to work; a temporary folder by default")
    return parser.parse_args(argv)


def write_random_snapshot(path: Path, resolution: int) -> None:
    """A snapshot with G, D and G_ema of the official default sizes."""
    generator, discriminator = GeneratorConfig(resolution), DiscriminatorConfig(resolution)
    sizes = {"c_dim": 0, "img_resolution": resolution, "img_channels": 3}
    g_kwargs = {"z_dim": 512, "w_dim": 512, **sizes, "mapping_kwargs": {"num_layers": 8}}
    g_kwargs["synthesis_kwargs"] = {"channel_base": 32768, "channel_max": 512}
    d_kwargs = {**sizes, "channel_base": 32768, "channel_max": 512}
    networks = {
        "G": OfficialNetwork(g_kwargs, random_tensors(generator, 0)),
        "D": OfficialNetwork(d_kwargs, random_tensors(discriminator, 1)),
        "G_ema": OfficialNetwork(g_kwargs, random_tensors(generator, 2)),
    }
    write_snapshot(path, networks)


def run_verb(arguments: list[str]) -> tuple[float, float]:
    """Seconds and peak resident bytes of `aligned` with these arguments."""
    command = [sys.executable, "-c", _WATCHER, sys.executable, "-m", "aligned_jax.tools.main"]
    result = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise SystemExit(f"aligned {' '.join(arguments)} failed with {result.returncode}")
    seconds, peak = result.stdout.split()[-2:]
    return float(seconds), float(peak) * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
