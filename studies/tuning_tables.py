"""Tables, picture and page of the study of tuning, of what its work folder holds."""

import argparse
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from aligned_jax import viz
from benchmarks.reporting import between_marks, markdown, write_text
from studies.tables import write_document

PAGE, PICTURE = "inversion.md", "images/tuning.png"
MARKS = "<!-- studies.tuning -->", "<!-- end of the table -->"


def report(
    work: Path,
    args: argparse.Namespace,
    line: str,
    pivots: Mapping[str, str],
    columns: Sequence[str],
) -> None:
    """Tables of all pictures that are done, the page, and a picture of the first of them.

    Args:
      work: a JSON of numbers and a PNG for each picture, by number.
      args: with `docs`.
      line: the command.
      pivots: at which latent each plan tunes the network.
      columns: names of the pictures in a PNG.
    """
    files = sorted(work.glob("[0-9]*.json"), key=lambda path: int(path.stem))
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    text = "\n\n".join(markdown(*table) for table in tables(rows, pivots))
    shown = [np.asarray(Image.open(path.with_suffix(".png"))) for path in files[:8]]
    size = shown[0].shape[0]
    images = np.stack([np.split(row, row.shape[1] // size, axis=1) for row in shown])
    file = io.BytesIO()
    viz.save_png(file, viz.figure(images, list(columns), [str(k) for k in range(len(images))]))
    docs = Path(args.docs)
    with viz.writing(docs / PICTURE, overwrite=True) as out:
        out.write(file.getvalue())
    page = (docs / PAGE).read_text(encoding="utf-8")
    told = (
        f"{counted(len(rows))}\n\n```\n{line}\n```\n\n{text}\n\n![{'; '.join(columns)}]({PICTURE})"
    )
    write_text(docs / PAGE, between_marks(page, MARKS, told))
    write_document(work / "tuning.json", line, vars(args), rows=rows)
    print(text)


def counted(count: int) -> str:
    """A sentence on how many pictures the tables are of."""
    return (
        f"Means over {count} drawn faces that no network has seen; behind the directions' effects "
        "their standard errors. Seconds are those of the processor."
    )


def tables(
    rows: list[dict[str, Any]], pivots: Mapping[str, str]
) -> list[tuple[list[str], list[list[Any]]]]:
    """Headings and rows: nearness, directions, and children."""

    def mean(part: str, *names: str) -> float | str:
        found = []
        for row in rows:
            value: Any = row[part]
            for name in names:
                value = value.get(name) if isinstance(value, dict) else None
            found += [] if value is None else [value]
        return float(np.mean(found)) if found else "-"

    # The first picture has waited for compilers.
    timed = [row["seconds"] for row in rows[1:] or rows]
    near = []
    for name in dict.fromkeys(name for row in rows for name in row["near"]):
        took = [row[name] for row in timed if name in row]
        near.append(
            [
                name,
                *(mean("near", name, kind) for kind in ("alex", "vgg", "rmse")),
                mean("steps", name),
                float(np.mean(took)) if took else "-",
                f"{mean('bytes', name):,.0f}" if name in rows[0]["bytes"] else "-",
                mean("others", name),
            ]
        )
    headings = [
        "",
        "LPIPS-Alex",
        "LPIPS-VGG",
        "pixel RMSE",
        "steps of tuning",
        "seconds",
        "bytes",
        "others moved",
    ]
    effects = []
    for name in rows[0]["effects"]["W"]:
        whole = [mean("effects", pivot, name) for pivot in dict.fromkeys(pivots.values())]
        kept = [share(rows, plan, pivot, name) for plan, pivot in pivots.items()]
        effects.append([name.rpartition("/")[2], *whole, *kept])
    shifted = ["direction", *(f"effect at {pivot}" for pivot in dict.fromkeys(pivots.values()))]
    shifted += list(pivots)
    result: list[tuple[list[str], list[list[Any]]]] = [(headings, near), (shifted, effects)]
    if names := list(rows[0]["children"]):
        facts = list(rows[0]["children"][names[0]])
        cells = [[name, *(mean("children", name, fact) for fact in facts)] for name in names]
        result.append((["child", *facts], cells))
    return result


def share(rows: list[dict[str, Any]], plan: str, pivot: str, direction: str) -> str:
    """How much of a direction's effect is left after a tuning: "0.95 ± 0.02"."""
    before, after = (
        np.array([row["effects"][name][direction] for row in rows]) for name in (pivot, plan)
    )
    whole = before.mean()
    if not whole:
        return "-"
    left = after.mean() / whole
    error = np.std(after - left * before) / abs(whole) / math.sqrt(len(rows))
    return f"{left:.2f} ± {error:.2f}"
