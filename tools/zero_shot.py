"""Labels pictures of a child's domain by what its parent knows; nobody labelled the domain.

--judge scores the parent's pictures (a reader, FILE.py:FUNCTION, or scores by seed in a
.csv or .npz), or --labels takes answers of `aligned label`. Linear models of the parent's
latents learn the scores; what latents mean in the parent they mean in aligned children.
--direction takes a direction's file as the model instead, its intercept as the boundary.

--way latent inverts pictures in CHILD and reads the latents; translate draws them by PARENT and
asks the judge; paired reads the picture, having learned from CHILD's own pictures with the scores
of PARENT's pictures of the same seeds. Pictures are inverted by --encoder, by --start
or --steps, or else by regression on the child's own pictures, in seconds.

classify says yes or no, regress values such as yaw; with --data, whose truth is known, how good
they are beside a supervised model, a --control that is aligned with nothing, and chance.
StyleAlign, figures 7 and 29. Beside NAME.png, the pictures in order, NAME.json has the numbers.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import finite, name, whole
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError
from aligned_jax.utils.text import options as options_text

EXAMPLE = """\
  aligned zero-shot classify zoo:personas64 zoo:critters64 --data data/critters \\
    --judge people.safetensors --way latent,paired --out labels.html
  aligned zero-shot regress zoo:personas64 zoo:critters64 --data data/critters \\
    --judge people.safetensors --attributes yaw,roll --control zoo:critters64-scratch --out yaw.html
  aligned zero-shot classify ffhq.pkl dog.pkl dogs --labels curly.json --out curly.csv"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-verbs and their arguments."""
    tasks = parser.add_subparsers(dest="task", required=True, metavar="classify|regress")
    for task, says in (("classify", "yes or no"), ("regress", "values, such as yaw")):
        _add_task(tasks.add_parser(task, help=says, allow_abbrev=False), task)


def _add_task(parser: argparse.ArgumentParser, task: str) -> None:
    add = parser.add_argument
    add("parent", metavar="PARENT")
    add("child", metavar="CHILD")
    add("images", nargs="*", type=name, metavar="IMAGES", help="files, folders, zips")
    add("--data", type=name, metavar="D", help="a dataset, or a table file,name,value")
    add("--data-images", type=name, metavar="DIR", help="folder or zip of a table's pictures")
    add("--split", default="test", help="of a dataset (default test)")
    add("--most", type=whole(1), metavar="N", help="pictures of the data (default all)")
    teacher = parser.add_mutually_exclusive_group(required=True)
    teacher.add_argument("--judge", type=name, metavar="J", help="who scores the parent's pictures")
    teacher.add_argument("--labels", type=name, metavar="F.json", help="of `aligned label`")
    teacher.add_argument(
        "--direction", action="append", type=name, metavar="F.npz", help="of PARENT; repeatable"
    )
    add("--attributes", metavar="LIST", help="such as glasses,hair=long (default all that fit)")
    add("--control", metavar="NETWORK", help="of the child's domain, aligned with nothing")
    add("--way", default="latent", metavar="LIST", help="latent, translate, paired, or several")
    add("--space", choices=("w", "s"), help="of the models (default w, or the directions')")
    methods = ("logistic", "svm") if task == "classify" else ("ridge", "distance")
    add("--method", choices=methods, help=f"(default {methods[0]})")
    add("--samples", type=whole(1), default=4000, metavar="N", help="of PARENT (default 4000)")
    add("--first-seed", type=arguments.seed, default=0, metavar="S", help="of them (default 0)")
    add("--child-samples", type=whole(1), default=2000, metavar="N", help="(default 2000)")
    add("--psi", type=finite, default=1.0, help="of samples; 1 is none (default)")
    add("--label", type=whole(0), metavar="K", help="class of conditional networks, from 0")
    if task == "classify":
        kinds = ("boundary", "prevalence", "tails")
        add(
            "--threshold", choices=kinds, default="boundary", help="of a yes (default the parent's)"
        )
        add("--tails", type=finite, default=0.1, metavar="T", help="share in each (default 0.1)")
    else:
        add("--as-it-is", action="store_true", help="keep mean and deviation of the child")
        add("--mirrored", type=whole(0), default=100, metavar="N", help="pictures (default 100)")
        add("--both-sides", action="store_true", help="half the difference to the mirror, if odd")
        add("--odd", default="yaw,roll", metavar="LIST", help="change sign in mirrors")
    add("--population", choices=("samples", "pictures"), help="(default pictures, from 30 on)")
    add("--supervised", type=whole(0), default=1000, metavar="N", help="pictures (default 1000)")
    add("--batch", type=whole(1), default=8, help="images at a time (default 8)")
    arguments.add_inversion(parser)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.html, NAME.png, NAME.json or NAME.csv")


def run(args: argparse.Namespace) -> None:
    """Labels, writes and tells."""
    if args.labels and not args.labels.endswith(".json"):
        raise UserError(f"--labels {args.labels}: `aligned label` writes them to NAME.json")
    idle = ["method"] if args.direction else ["space", "method"] if args.labels else []
    if idle := [one for one in idle if getattr(args, one) is not None]:
        raise UserError(
            f"{options_text(idle, ' and ')}: of models that are fitted; these came fitted"
        )
    given = [one for one in arguments.fill_inversion_defaults(args) if one != "align"]
    if given and args.steps is None and not args.start:
        raise UserError(f"{options_text(given)}: of the optimiser, which --steps or --start call")
    from aligned_jax import jobs
    from aligned_jax.inversion.setup import warn_skipped
    from aligned_jax.jobs.zero_shot.results import check_results_file

    check_results_file(args.out, args.overwrite)
    more = (
        {"threshold": args.threshold, "tails": args.tails}
        if args.task == "classify"
        else {
            "standardise": not args.as_it_is,
            "mirrored": args.mirrored,
            "odd": _list(args.odd),
            "both_sides": args.both_sides,
        }
    )
    same = ("method", "samples", "first_seed", "psi", "label", "population")
    options = jobs.ZeroShotOptions(
        ways=_list(args.way),
        child_samples=args.child_samples,
        supervised=args.supervised,
        batch=args.batch,
        space=args.space or "w",
        **{key: getattr(args, key) for key in same},
        **more,
    )
    directions = jobs.DirectionFiles(args.direction or (), args.space)
    teacher = directions if args.direction else args.judge or args.labels
    found = jobs.zero_shot(
        args.task,
        args.parent,
        args.child,
        teacher,
        args.images or None,
        data=args.data,
        data_images=args.data_images,
        split=args.split,
        most=args.most,
        attributes=_list(args.attributes) if args.attributes else None,
        control=args.control,
        options=options,
        pictures=arguments.picture_options(args),
        network_key=args.network_key,
        report=console.CONSOLE,
    )
    found.write(args.out, command(args), args.overwrite)
    console.say(found.text())
    console.say(f"wrote {args.out}: {len(found.pictures)} pictures")
    warn_skipped(found.pictures.skipped, console.CONSOLE)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
