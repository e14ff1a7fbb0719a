"""Finds what in a network's style channels does what words say (StyleCLIP's global direction).

Two texts are named: what is wanted (--target) and what it is wanted of (--neutral). A CLIP tells
which style channels change pictures as the texts differ. It is measured once for a network and a
CLIP how every channel changes pictures: that takes minutes to hours, goes on where it was stopped,
and serves all words afterwards. Without --clip the small CLIP of the zoo is asked, which knows
the words of drawn faces alone; give it others and it lists them.

Said is whether seeds agree on the channels, how often a direction without meaning would fare as
well, and whether the target's score rises in pictures that were not used. Shifts are in sigmas of
the network, whatever --psi is.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned directions text zoo:personas64 --target "a face with glasses" --neutral "a face" \\
      --out glasses.npz --sheet glasses.png
  aligned directions text ffhq.pkl --clip clip-vit-base-patch32 --target "a smiling face" \\
      --neutral "a face" --out smile.npz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK", help="the parent, if it has children")
    add("--target", required=True, metavar="TEXT", help="what is wanted")
    add("--neutral", required=True, metavar="TEXT", help="what it is wanted of")
    add("--template", action="append", metavar="T", help="a sentence with {}; may be repeated")
    add("--threshold", type=arguments.finite, metavar="B", help="least relevance of a channel")
    add("--layers", type=arguments.list_of(str), default=[], metavar="LIST", help="only these")
    add("--strength", type=arguments.finite, default=5.0, help="at which it is tried (default 5)")
    add("--unreliable", action="store_true", help="keep a direction that seeds do not agree on")
    _add_clip(parser.add_argument_group("the CLIP"))
    _add_index(parser.add_argument_group("pictures in which channels are measured"))
    _add_sheet(parser.add_argument_group("a picture of thresholds by strengths"))
    arguments.add_network_key(parser)
    arguments.add_out(parser, "NAME.npz", "the direction")


def _add_clip(group: arguments.Arguments) -> None:
    add = group.add_argument
    add("--clip", metavar="C", help="a folder, a file, or zoo:NAME (default zoo:avatars-clip)")
    add("--tokenizer", type=arguments.name, metavar="T", help="its folder, if it is elsewhere")
    add("--activation", choices=("quick_gelu", "gelu"), help="where the files do not say it")
    add(
        "--heads",
        type=arguments.list_of(arguments.whole(1)),
        metavar="TEXT,PICTURES",
        help="likewise",
    )
    add("--end-token", type=arguments.whole(0), metavar="N", help="likewise")


def _add_index(group: arguments.Arguments) -> None:
    add = group.add_argument
    add("--index-seeds", type=arguments.whole(1), default=100, metavar="N", help="(default 100)")
    add("--first-seed", type=arguments.seed, default=0, metavar="S", help="(default 0)")
    add("--psi", type=arguments.finite, default=0.7, help="their truncation (default 0.7)")
    add("--label", type=arguments.whole(0), metavar="K", help="class of a conditional network")
    add("--group", type=arguments.whole(1), default=10, metavar="N", help="at a time (default 10)")
    add(
        "--samples",
        type=arguments.whole(1),
        default=100_000,
        metavar="N",
        help="latents for mean and sigma of the channels (default 100000)",
    )


def _add_sheet(group: arguments.Arguments) -> None:
    numbers = arguments.list_of(arguments.finite)
    add = group.add_argument
    add("--sheet", type=arguments.name, metavar="NAME.png", help="or NAME.html")
    add("--seeds", type=arguments.list_of(arguments.seed), default=[0, 1], metavar="LIST")
    add("--strengths", type=numbers, default=[-5.0, 0.0, 2.5, 5.0, 10.0], metavar="LIST")
    add("--thresholds", type=numbers, default=[], metavar="LIST", help="(default: five)")


def run(args: argparse.Namespace) -> None:
    """Finds, writes and says what was found."""
    from aligned_jax import jobs
    from aligned_jax.errors import UserError
    from aligned_jax.features import clip
    from aligned_jax.jobs.direction_files import check_direction_file, write_direction
    from aligned_jax.viz import sheet

    check_direction_file(args.out, args.overwrite)
    if args.sheet:
        sheet.check_sheet(args.sheet, args.overwrite)
    heads = tuple(args.heads) if args.heads else None
    if heads is not None and len(heads) != 2:
        raise UserError(f"--heads has {len(heads)} numbers; it is two: of texts and of pictures")
    seer = clip.load(
        args.clip or clip.ZOO_CLIP,
        tokenizer=args.tokenizer,
        activation=args.activation,
        heads=heads,
        end_token=args.end_token,
    )
    index = jobs.IndexOptions(
        seeds=args.index_seeds,
        first=args.first_seed,
        psi=args.psi,
        label=args.label,
        group=args.group,
        samples=args.samples,
    )
    more = {"templates": tuple(args.template)} if args.template else {}
    options = jobs.TextOptions(
        threshold=args.threshold,
        layers=tuple(args.layers),
        index=index,
        strength=args.strength,
        **more,
    )
    words = {"target": args.target, "neutral": args.neutral}
    asked = {**words, "clip": seer, "options": options, "network_key": args.network_key}
    if args.sheet:
        drawn = jobs.text_sheet(
            args.network,
            **asked,
            strengths=args.strengths,
            thresholds=args.thresholds,
            seeds=args.seeds,
            report=console.CONSOLE,
        )
        drawn.write(args.sheet, command(args), args.overwrite)
        console.say(f"wrote {args.sheet}: {drawn.summary}")
    found = jobs.text_direction(
        args.network, **asked, unreliable=args.unreliable, report=console.CONSOLE
    )
    if found.problem:
        console.warn(f"this direction is not reliable: {found.problem}")
    write_direction(args.out, found.direction, command(args), args.overwrite)
    console.say(f"wrote {args.out}: {found.summary}")
