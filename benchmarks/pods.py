"""Programs compiled for TPUs that are not there: python -m benchmarks.pods --work DIR.

Every training phase, an encoder's iteration, generation, steps of an inversion and extraction of
features, at the sizes of presets, for slices by name. Each takes minutes and gigabytes, and is
compiled in a process of its own; what is done stays in DIR, a file of JSON for each, and is not
done again. The table of all that is done goes to --docs, and limits for the tests to --limits.
Needs the extra `tpu-aot`, on any Linux machine.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aligned_jax.errors import UserError
from aligned_jax.training.gan_step import phases
from aligned_jax.training.options import GanOptions
from benchmarks.absent import answer, kind_of
from benchmarks.programs import ALONE, NAMES, PHASES, RESOLUTIONS
from benchmarks.reporting import between_marks, markdown, write_text

PAGE = "pods.md"
LIMITS = Path(__file__).parents[1] / "tests" / "benchmarks" / "pods.json"
MARKS = "<!-- benchmarks.pods -->", "<!-- end of the table -->"
TOPOLOGIES = ("v5e:2x2", "v5e:16x16", "v6e:2x4", "v4:2x2x1")
PRESETS = ("paper256", "stylegan2")
# The kernels of the augmentation take pictures of up to 512 pixels; StyleGAN2 came without it.
AUGMENT = {"stylegan2": "none", "paper1024": "none"}
# What programs may need more than they did before a test fails: another compiler counts otherwise.
MARGIN = 1.1
LIMITED = ("padding", "moved_gb", "needed_gib")
# Iterations from one run of a phase to the next: no preset of these changes it.
_INTERVALS = {phase.name: phase.interval for phase in phases(GanOptions(1))}
_HEADINGS = (
    "topology", "preset", "program", "images a chip", "CPU s", "GiB", "of GiB", "TFLOP",
    "GB moved", "padding", "exchanged", "bound ms", "by",
)  # fmt: skip


class Case(NamedTuple):
    """One program: for which chips, at which sizes."""

    topology: str
    preset: str
    program: str

    @property
    def file(self) -> str:
        """Name of its file in the work folder."""
        return f"{self.topology.replace(':', '-')}_{self.preset}_{self.program}.json"


def main(argv: Sequence[str] | None = None) -> None:
    """Compiles what is not done, then writes the table."""
    args = parse(argv)
    args.work.mkdir(parents=True, exist_ok=True)
    todo = cases(args.topologies, args.presets, args.programs)
    missing = [case for case in todo if not (args.work / case.file).exists()]
    for number, case in enumerate(missing):
        begun = time.perf_counter()
        found = compiled(case)
        write_text(args.work / case.file, json.dumps(found, indent=2) + "\n")
        seconds, left = time.perf_counter() - begun, len(missing) - number - 1
        word = "failed" if "failed" in found else "compiled"
        print(f"{' '.join(case)}: {word} in {seconds:.0f} s; {left} to go", flush=True)
    done = list(results(args.work))
    text = tables(done)
    print(text)
    if args.docs:
        page = args.docs / PAGE
        write_text(page, between_marks(page.read_text(encoding="utf-8"), MARKS, text))
    if args.limits:
        write_text(args.limits, json.dumps(limits(done), indent=2) + "\n")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--work", type=Path, required=True, metavar="DIR", help="where results lie")
    add("--topologies", nargs="+", default=TOPOLOGIES, metavar="NAME", help="as v5e:2x2")
    add("--presets", nargs="+", default=PRESETS, choices=RESOLUTIONS)
    add("--programs", nargs="+", default=NAMES, choices=NAMES)
    add("--docs", type=Path, metavar="DIR", help=f"whose {PAGE} gets the table")
    add("--limits", type=Path, metavar="FILE", help="gets the limits that tests hold")
    return parser.parse_args(argv)


def cases(topologies: Iterable[str], presets: Iterable[str], programs: Iterable[str]) -> list[Case]:
    """All programs, the smallest sizes first; those of one chip once for each kind of chip."""
    found, kinds = [], set()
    for topology in topologies:
        first = kind_of(topology) not in kinds
        kinds.add(kind_of(topology))
        found += [
            Case(topology, preset, program)
            for preset in presets
            for program in programs
            if first or program not in ALONE
        ]
    return sorted(found, key=lambda case: RESOLUTIONS[case.preset])


def compiled(case: Case, *options: str) -> dict[str, Any]:
    """What `benchmarks.compilation` says of a program; raises as `answer`."""
    augment = ["--augment", AUGMENT[case.preset]] if case.preset in AUGMENT else []
    return answer("benchmarks.compilation", *case, *augment, *options)


def results(work: Path) -> Iterable[dict[str, Any]]:
    """All that is done, in the order of the table."""
    for topology in TOPOLOGIES:
        for preset in RESOLUTIONS:
            for program in NAMES:
                path = work / Case(topology, preset, program).file
                if path.exists():
                    yield json.loads(path.read_text(encoding="utf-8"))


def tables(done: Sequence[dict[str, Any]]) -> str:
    """The table of programs, and that of whole trainings, in Markdown."""
    if not done:
        return "Nothing is compiled yet."
    jax, libtpu = done[-1]["jax"], done[-1].get("libtpu", "unknown")
    lines = [
        "### What the compiler says: every program, and its bound",
        f"Compiled with jax {jax} and libtpu {libtpu}; nothing ran. Numbers are of one chip and "
        "of the images that it works on at a time, CPU seconds those of compiling; a bound is the "
        "larger of the time that its products take at the chip's bfloat16 rate, passes of "
        "precision included, and the bytes over its bandwidth, the augmentation's kernels left "
        "out of both.",
        markdown(_HEADINGS, [row(one) for one in done]),
    ]
    if whole := trainings(done):
        lines += [
            "A training's iteration on the average, regularisation every 4th and 16th time:",
            markdown(list(whole[0]), [list(one.values()) for one in whole]),
        ]
    return "\n\n".join(lines)


def row(one: dict[str, Any]) -> list[str | int | float]:
    """A row of the first table."""
    images = f"{one['rows']} x {one['rounds']}" if one["rounds"] > 1 else str(one["rows"])
    names = [one["topology"], one["preset"], one["program"]]
    if one["augment"] and one["program"] in PHASES:
        names[2] += " with ADA"
    memory = [f"{one['needed_gib']:.3g}" if "needed_gib" in one else "?", str(one["chip_gib"])]
    seconds = f"{one['compile_cpu_seconds']:.0f}" if "compile_cpu_seconds" in one else "?"
    start = [*names, images, seconds, *memory]
    if "failed" in one:
        return [*start, "", "", "", "", "does not fit", ""]
    exchanged = ", ".join(
        f"{e['count']} {kind}, {e['mb']:.3g} MB" for kind, e in one["exchanges"].items()
    )
    limit = "products" if one["compute_ms"] > one["memory_ms"] else "memory"
    counted = [f"{one['gflop'] / 1e3:.3g}", f"{one['moved_gb']:.3g}", f"{one['padding']:.3g}"]
    return [*start, *counted, exchanged or "none", f"{one['bound_ms']:.3g}", limit]


def trainings(done: Sequence[dict[str, Any]]) -> list[dict[str, str | float]]:
    """Trainings whose four phases are compiled: the average iteration, and chip hours."""
    by_case = {(one["topology"], one["preset"], one["program"]): one for one in done}
    found: list[dict[str, str | float]] = []
    for topology, preset in dict.fromkeys(key[:2] for key in by_case):
        phases = {name: by_case.get((topology, preset, name), {}) for name in PHASES}
        if not all(one and "failed" not in one for one in phases.values()):
            continue
        seconds = sum(
            one["bound_ms"] / 1e3 * one["rounds"] / _INTERVALS[name] for name, one in phases.items()
        )
        main = phases["Gmain"]
        images = main["batch"]
        found.append(
            {
                "topology": topology,
                "preset": preset,
                "batch": str(images),
                "bound of an iteration, ms": 1e3 * seconds,
                "images a second at most": images / seconds,
                "chip hours for 1,000 kimg at least": main["chips"] * 1e6 / images * seconds / 3600,
            }
        )
    return found


def limits(done: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Limits of every program that was compiled, with a margin: what tests hold it to."""
    return {
        " ".join((one["topology"], one["preset"], one["program"])): {
            name: float(f"{one[name] * MARGIN:.3g}") for name in LIMITED
        }
        for one in done
        if "failed" not in one
    }


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
