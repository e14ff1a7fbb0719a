"""Finds style channels: those that do most, those of a part, those of an attribute.

Without more options a survey, which needs no labels: --by effect, local or
untangled. With --segment or --masks, channels that act in --part of the picture
(StyleSpace's rule for localised channels). With --judge, or with --examples of 10
to 30 pictures that have an attribute, channels that those have in common
(StyleSpace's rule for attributes). Channels of NETWORK are ranked; what they do in
a CHILD is shown beside it. Shifts are --strength of NETWORK's standard deviations
at psi 1, around each seed's own value.

DIR/index.html holds the table and pictures, DIR/channels.json the numbers. What the
table calls 15_45 is moved, in NETWORK and its children, by
`aligned edit NETWORK CHILD --channel 15_45 --out edit.png`.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command
from aligned_jax.errors import UserError

EXAMPLE = """\
  aligned channels zoo:personas64 zoo:critters64 --out channels
  aligned channels zoo:personas64 --by local --no-torgb --out channels
  aligned channels zoo:personas64 zoo:critters64 --judge zoo:people-reader \\
    --attribute hair=long --out channels
  aligned channels zoo:personas64 zoo:critters64 --segment zoo:people-reader --part hair \\
    --out channels
  aligned channels ffhq.pkl --masks masks --part hair --seeds 0-29 --out channels
  aligned channels ffhq.pkl dog.pkl --judge judges.py:faces --attribute smile --out channels
  aligned channels ffhq.pkl --examples 3,8,15,21,22,40,57,61,77,80 --out channels
  aligned channels ffhq.pkl --examples inverted/*.npz --out channels"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("children", nargs="*", metavar="CHILD")
    add(
        "--by",
        choices=("effect", "local", "untangled"),
        help="order of the survey: largest effect (default), least leakage, or least like other "
        "channels; the last two among channels that show",
    )
    part = parser.add_argument_group("channels of a part").add_argument
    part(
        "--segment",
        metavar="S",
        help="a reader that was taught parts (`aligned attributes parts`), or FILE.py:FUNCTION "
        "from pictures [N,H,W,C] in [-1,1] to parts [N,H,W,K]; FUNCTION.names names them",
    )
    part("--masks", type=arguments.name, metavar="DIR", help="PART/SEED.png, white in the part")
    part("--part", metavar="NAME", help="which part")
    attribute = parser.add_argument_group("channels of an attribute").add_argument
    attribute(
        "--judge",
        metavar="J",
        help="a reader, such as zoo:people-reader or a file of `aligned attributes train`, or "
        "FILE.py:FUNCTION from pictures [N,H,W,C] in [-1,1] to {name: [N]}",
    )
    attribute(
        "--attribute",
        metavar="NAME",
        help="which score, like glasses, hair=long or hair_color.red (`aligned attributes show "
        "READER` tells a reader's)",
    )
    attribute(
        "--examples",
        nargs="+",
        metavar="SEEDS|F.npz",
        help="seeds or files of latents of pictures that have it",
    )
    attribute(
        "--samples",
        type=arguments.whole(1),
        default=1000,
        metavar="N",
        help="pictures that the judge sees to find examples (default 1000)",
    )
    add("--top", type=arguments.whole(1), default=12, metavar="N", help="channels (default 12)")
    add("--no-torgb", action="store_true", help="leave out the channels of toRGB layers")
    add(
        "--strength",
        type=arguments.finite,
        default=5.0,
        metavar="S",
        help="shift to either side in standard deviations of NETWORK (default 5)",
    )
    arguments.add_unit(parser)
    arguments.add_names(parser)
    arguments.add_sampling(parser, seeds="0-15", psi=1.0, batch=32)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "DIR", "the folder of the report")


def run(args: argparse.Namespace) -> None:
    """Searches, draws and writes."""
    from aligned_jax import jobs, viz
    from aligned_jax.jobs.judges import load_picture_judge, load_segment

    if args.part and not (args.segment or args.masks):
        raise UserError("--part needs --segment or --masks, such as --segment zoo:people-reader")
    if args.attribute and not args.judge:
        raise UserError("--attribute needs --judge, such as --judge zoo:people-reader")
    viz.check_folder(args.out, args.overwrite)
    found = jobs.channels(
        [args.network, *args.children],
        by=args.by,
        segment=args.segment and load_segment(args.segment),
        masks=args.masks,
        part=args.part,
        judge=args.judge and load_picture_judge(args.judge),
        attribute=args.attribute,
        examples=args.examples,
        samples=args.samples,
        top=args.top,
        torgb=not args.no_torgb,
        strength=args.strength,
        names=args.names,
        statistics=args.statistics,
        network_key=args.network_key,
        **arguments.sampling(args),
    )
    found.write(args.out, command(args), args.overwrite)
    console.say(f"{found.table()}\nwrote {args.out}: open index.html there")
