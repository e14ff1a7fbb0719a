"""Scores a network, a folder or zip of images, or a dataset against a dataset.

Metrics: fid, kid, is (Inception); pr (VGG16 with its dense layers); fd_vgg,
kid_vgg, pr_vgg (pooled VGG16 features: no FID, and comparable only among
themselves); ppl, diversity, diversity_z (LPIPS). The defaults are the official
ones: no truncation, fresh noise, reals as they are, all reals (for pr the published
numbers took 200,000 at most: --max-reals), 50,000 images. The deviation beside
kid is that of its subsets, not an error of their mean.
With --out, or --json, every score comes with what it was computed from.
"""

import argparse

from aligned_jax.cli import arguments, console, results
from aligned_jax.cli.arguments import finite, name, seed, whole
from aligned_jax.cli.console import command

EXAMPLE = "  aligned evaluate runs/dog@4000 --data dogs --metrics fid,kid --out dog.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("source", metavar="NETWORK|FOLDER|DATA", help="what is scored")
    add("--data", type=name, metavar="D", help="real images: a dataset, a folder or a zip")
    add("--metrics", default="fid,kid", metavar="LIST", help="joined by commas (default fid,kid)")
    add("--num", type=whole(1), default=50_000, help="images to score (default 50000)")
    add("--max-reals", type=whole(1), metavar="N", help="only the first N real images")
    add("--mirror", action="store_true", help="real images also come mirrored")
    add("--split", default="train", help="of the datasets (default train)")
    add("--source-split", metavar="SPLIT", help="of what is scored, where it is another one")
    add("--batch", type=whole(1), default=16, help="images at a time (default 16)")
    add("--json", action="store_true", help="print JSON instead of a table")
    add("--out", type=name, metavar="X.json", help="write the JSON to a file")
    arguments.add_overwrite(parser)
    add("--no-cache", action="store_true", help="keep no features of the real images")
    _add_network_options(parser)
    _add_metric_options(parser)


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("images of a network")
    add = group.add_argument
    add(
        "--seed",
        type=seed,
        default=0,
        help="of the first image; the next has the next one",
    )
    add("--psi", type=finite, default=1.0, help="truncation; 1 is none (default 1)")
    add(
        "--noise",
        choices=("random", "const", "none"),
        default="random",
        help="drawn for every image (default), the stored maps, or none",
    )
    add("--half", choices=("bfloat16", "float16"), help="half precision at high resolutions")
    add("--labels", metavar="NAME", help="feature of the data that conditions the network")
    arguments.add_network_key(parser)


def _add_metric_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("metrics")
    add = group.add_argument
    add("--half-pixel", action="store_true", help="Inception sees images as pytorch-fid's does")
    add("--ddof", type=whole(0, 1), default=0, help="of covariances (default 0)")
    add("--subsets", type=whole(1), default=100, help="of kid (default 100)")
    add("--subset-size", type=whole(2), default=1000, help="of kid (default 1000)")
    add("--neighbours", type=whole(1), default=3, help="of pr (default 3)")
    add("--splits", type=whole(1), default=10, help="of is (default 10)")
    add("--ppl-space", choices=("w", "z"), default="w", help="of ppl (default w)")
    add("--ppl-sampling", choices=("end", "full"), default="end", help="of ppl (default end)")
    add("--ppl-epsilon", type=finite, default=1e-4, help="of ppl (default 1e-4)")
    add("--ppl-crop", action="store_true", help="ppl of the middle, where a face is")
    add("--pairs", type=whole(1), default=5000, help="of diversity (default 5000)")
    add("--metric-seed", type=seed, default=0, metavar="S", help="of subsets and pairs")


def run(args: argparse.Namespace) -> None:
    """Scores, prints, writes."""
    from aligned_jax import evaluation, jobs, viz
    from aligned_jax.metrics import PathOptions

    evaluation.parse_names(args.metrics)
    options = evaluation.Options(
        ddof=args.ddof,
        subsets=args.subsets,
        subset_size=args.subset_size,
        neighbours=args.neighbours,
        splits=args.splits,
        path=PathOptions(args.ppl_space, args.ppl_sampling, args.ppl_epsilon, args.ppl_crop),
        pairs=args.pairs,
        seed=args.metric_seed,
    )
    if args.out:
        viz.check_file(args.out, args.overwrite)
    evaluated = jobs.evaluate(
        args.source,
        args.data,
        args.metrics,
        num=args.num,
        max_reals=args.max_reals,
        mirror=args.mirror,
        split=args.split,
        source_split=args.source_split,
        labels=args.labels,
        seed=args.seed,
        psi=args.psi,
        noise=args.noise,
        half=args.half,
        network_key=args.network_key,
        half_pixel=args.half_pixel,
        options=options,
        batch=args.batch,
        cache=not args.no_cache,
        report=console.CONSOLE,
    )
    results.tell_document(args, evaluated.document(command(args)), evaluated.table())
