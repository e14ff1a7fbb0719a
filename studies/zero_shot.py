"""Labels that nobody gave, on drawn domains: python -m studies.zero_shot --work DIR ...

A judge of people is fitted to drawn people alone. What it says of the parent's samples becomes
linear models of the parent's latents, which read pictures of a distant domain, of a near one, and,
as a control, the distant ones by a network that is aligned with nothing. The pictures
are drawn, so that roll, yaw, smiles, beards and colours are known.

zero_shot.md goes to --out, the numbers and a page for each domain to --work.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import aligned_jax as aj
from aligned_jax.data.attribute_tables import read_labelled
from aligned_jax.jobs.judges import NamedJudge, SeedScores
from aligned_jax.jobs.seed_labels.pool import pooled
from aligned_jax.jobs.sources import PictureOptions
from aligned_jax.jobs.zero_shot.knowledge import FitOptions, judged
from aligned_jax.jobs.zero_shot.pictures import Pictures, seen
from aligned_jax.jobs.zero_shot.results import ZeroShotLabels, shown
from aligned_jax.jobs.zero_shot.run import ZeroShotOptions
from aligned_jax.provenance import Command
from aligned_jax.semantics.linear_fits import fit_rows, fit_wide
from aligned_jax.utils.reporting import no_advance
from benchmarks.reporting import command, write_text
from studies.tables import write_document

NUMBERS = ("roll", "yaw", "skin_color.lightness", "hair_color.lightness")
POSE = ("roll", "yaw")
BINARIES = ("smile", "facial_hair")
_CHOSEN = {
    "regress": ("sign", "Spearman", "R2", "MAE"),
    "classify": ("balanced accuracy", "accuracy", "AUC"),
}
Results = dict[tuple[str, str, str], ZeroShotLabels]  # domain, task, how pictures are inverted


def main(argv: list[str] | None = None) -> None:
    """Fits the judge, labels by every way, and reports."""
    args, start = parse(argv), time.perf_counter()
    parent = aj.load(args.parent)
    people = labelled(args.data, parent, args.train, "train")
    judge = pixel_judge(people)
    worth = judge_worth(judge, labelled(args.data, parent, args.images, "test"))
    # The parent's samples are judged once; only translations ask the judge again.
    latents = FitOptions("regress", samples=args.samples, batch=args.batch).latents(parent)
    _, values = judged(parent, judge, latents, args.batch, no_advance)
    scores = SeedScores(np.arange(args.samples), values, "drawn people")
    results: Results = {}
    for domain, network, data, control in (
        ("distant", args.distant, args.distant_data, args.control),
        ("near", args.near, args.near_data, None),
    ):
        plans: list[tuple[str, str, Any, tuple[str, ...], Any]] = [
            ("regress", "regression", scores, ("latent", "paired"), control),
            ("regress", "both sides", scores, ("latent", "paired"), control),
            ("classify", "regression", scores, ("latent", "paired"), control),
        ]
        encoders = [e for e in args.encoder if domain == "distant"]
        plans += [
            ("regress", encoder, judge, ("latent", "translate"), None) for encoder in encoders
        ]
        for task, inverter, teacher, ways, against in plans:
            fast = inverter in ("regression", "both sides")
            results[domain, task, inverter] = found = aj.jobs.zero_shot(
                task,
                parent,
                network,
                teacher,
                data=data,
                most=args.images,
                control=against,
                attributes=shared(task, data, network)
                if inverter == "regression"
                else ["roll", "yaw"],
                options=ZeroShotOptions(
                    ways=ways,
                    threshold="prevalence",
                    samples=args.samples if teacher is scores else args.few,
                    child_samples=args.child_samples,
                    supervised=args.train,
                    mirrored=args.images,
                    both_sides=inverter == "both sides",
                    batch=args.batch,
                ),
                pictures=PictureOptions(encoders=() if fast else (inverter,)),
            )
            print(f"{domain}, {inverter}: {found.text()}", flush=True)
            name = f"{domain}-{task}-{inverter.replace(':', '-').replace(' ', '-')}.html"
            line = Command(command("studies.zero_shot", argv))
            found.write(Path(args.work) / name, line, overwrite=True)
    seconds = time.perf_counter() - start
    text = report(results, worth, args, command("studies.zero_shot", argv), seconds)
    write_text(Path(args.out or args.work) / "zero_shot.md", text)
    documents = {" ".join(key): found.document() for key, found in results.items()}
    for document in documents.values():
        document.pop("pictures")
    write_document(
        Path(args.work) / "zero_shot.json",
        command("studies.zero_shot", argv),
        vars(args),
        results=documents,
        judge=worth,
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--work", required=True, metavar="DIR", help="where numbers and pages go")
    add("--out", metavar="DIR", help="where the table goes (default --work)")
    for name, default in (
        ("parent", "personas64"),
        ("near", "toon-head64"),
        ("distant", "critters64"),
        ("control", "critters64-scratch"),
    ):
        add(f"--{name}", default=f"zoo:{default}", metavar="NETWORK")
    add("--data", required=True, help="the parent's dataset, for the judge alone")
    add("--near-data", required=True, metavar="DATA", help="the near child's")
    add("--distant-data", required=True, metavar="DATA", help="the distant child's")
    add("--encoder", action="append", default=[], metavar="E", help="of the distant child")
    add("--images", type=int, default=400, help="of each test split")
    add("--train", type=int, default=2000, help="labels for the judge and the supervised models")
    add("--samples", type=int, default=4000, help="of the parent")
    add("--few", type=int, default=1000, help="of the parent, where translations ask the judge")
    add("--child-samples", type=int, default=2000, help="of each child")
    add("--batch", type=int, default=50, help="images drawn at a time")
    return parser.parse_args(argv)


def labelled(path: str, network: Any, most: int, split: str) -> Pictures:
    """Pictures of a dataset and what is known of them."""
    found = read_labelled(path, network.config.img_resolution, split=split, most=most)
    return Pictures(found.images, tuple(map(str, range(len(found.images)))), found.columns, {})


def shared(task: str, data: str, network: str) -> list[str]:
    """Attributes that the judge knows and the data of a domain too."""
    pictures = labelled(data, aj.load(network), 200, "test")
    names = NUMBERS if task == "regress" else BINARIES
    return [name for name in names if pictures.truth(name, task) is not None]


def pixel_judge(people: Pictures) -> NamedJudge:
    """Linear readers of what is seen of a picture, fitted to drawn people."""
    rows, fits = seen(people.images), {}
    for task, names in (("regress", NUMBERS), ("classify", BINARIES)):
        for name in names:
            truth = people.truth(name, task)
            if truth is None:
                continue
            known = np.isfinite(truth)
            if task == "classify":
                fits[name] = fit_wide(rows[known], truth[known] > 0)
            else:
                matrix, offset = fit_rows(rows[known], truth[known, None])
                fits[name] = matrix[:, 0], float(offset[0])

    def judge(images: np.ndarray) -> dict[str, np.ndarray]:
        told = pooled(images)
        return {name: told @ weights + intercept for name, (weights, intercept) in fits.items()}

    return NamedJudge("drawn people", judge, tuple(fits), frozenset(BINARIES))


def judge_worth(judge: NamedJudge, people: Pictures) -> dict[str, float]:
    """Rank correlation, or AUC, of the judge for people that it did not see."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    said = judge(people.images.astype(np.float32) / 127.5 - 1)
    found = {}
    for name, values in said.items():
        truth = people.truth(name, "classify" if name in BINARIES else "regress")
        if truth is None:
            continue
        known = np.isfinite(truth)
        if name in BINARIES:
            found[name] = float(roc_auc_score(truth[known] > 0, values[known]))
        else:
            found[name] = float(spearmanr(truth[known], values[known]).statistic)
    return found


def report(
    results: Results, worth: Mapping[str, float], args: Any, line: str, seconds: float
) -> str:
    """The page of tables."""
    judged_so = ", ".join(f"{name} {value:.2f}" for name, value in worth.items())
    parts = [
        "# Labels that nobody gave",
        "",
        f"`{line}`, {seconds / 60:.0f} minutes on a shared machine. {args.images} pictures of each "
        f"domain, none of which a network has seen. The judge is linear in blocks of pixels and "
        f"knows drawn people alone (Spearman or AUC there: {judged_so}). Supervised models are "
        f"of the same kind, but learned from {args.train} labelled pictures of the domain itself. "
        "Labels begin where as many of the pictures are positive as of the parent's samples.",
        "",
        "Pictures are inverted by regression on the child's own pictures, or by an encoder; `both "
        "sides` is the regression, with half the difference of a picture and its mirror as the "
        "value (supervised models read one side). A share of right signs of n pictures is known to "
        "about 1/sqrt(n).",
    ]
    for domain in dict.fromkeys(key[0] for key in results):
        parts += ["", f"## The {domain} child"]
        for task, columns in _CHOSEN.items():
            rows = [
                (name, f"{who}, {inverter}" if "zero-shot" in who else who, figures)
                for (where, what, inverter), found in results.items()
                if (where, what) == (domain, task)
                for name in found.attributes
                for who, figures in found.rows(name)
                if inverter == "regression"
                or "zero-shot" in who
                or ("latents" in who and ":" in inverter)
            ]
            if rows:
                parts += ["", f"| attribute | who | {' | '.join(columns)} |"]
                parts.append("|---|---|" + "---:|" * len(columns))
            for name, who, figures in sorted(rows, key=lambda row: row[0]):
                cells = " | ".join(shown(figures[column]) for column in columns)
                parts.append(f"| {name} | {who} | {cells} |")
        parts += ["", *_said(results, domain)]
    return "\n".join(parts) + "\n"


def _said(results: Results, domain: str) -> list[str]:
    """Verdicts and mirrors, a line each."""
    lines = []
    for (where, _, inverter), found in results.items():
        if where != domain:
            continue
        for name, text in found.verdicts().items():
            lines.append(f"- {name}, {inverter}: {text}.")
        for one in found.readings:
            if one.mirror and one.network == "child" and inverter != "both sides":
                lines.append(
                    f"- {name_of(one)}, {inverter}: {one.mirror['sign changes']:.0%} of the signs "
                    f"change in the mirror (correlation {one.mirror['correlation']:.2f}, bias "
                    f"{one.mirror['bias']:+.2f} deviations)."
                )
    return lines


def name_of(reading: Any) -> str:
    """Attribute and way of a reading."""
    return f"{reading.name} by {reading.way}"


if __name__ == "__main__":
    main()
