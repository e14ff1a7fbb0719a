"""Publishes a network on the Hugging Face Hub, with a card and pictures that nobody chose.

The network becomes network.safetensors of hf://owner/name, which is made if it is not there,
or the file that the address names. README.md says license, sizes, hashes, how to use it, and
its family tree as far as files know it: parents, kimg, data and commands, as they were typed,
with the names of folders in them. Files that are there already are only replaced with
--overwrite. --dry-run sends nothing and shows what would be sent; --out keeps a copy of it.
`hf auth login` or HF_TOKEN say who you are (extra `hub`).
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned publish zoo:critters64 hf://you/critters64 --license cc0-1.0 --parent zoo:personas64 \\
    --dry-run --out critters64"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("address", metavar="hf://OWNER/NAME", help="or hf://OWNER/NAME/FILE.safetensors")
    add("--license", required=True, metavar="ID", help="such as cc0-1.0, cc-by-4.0 or other")
    add(
        "--parent",
        type=arguments.name,
        metavar="NETWORK",
        help="drawn beside it; one of the Hub becomes base_model of the card",
    )
    add("--tags", type=arguments.list_of(str), default=[], metavar="LIST", help="more tags")
    add(
        "--network-key",
        default="G_ema",
        metavar="KEYS",
        help="networks of the source: G_ema, G, D, E, some of them, or all (default G_ema)",
    )
    add("--half", action="store_true", help="store float16: half the size, about three digits")
    arguments.add_sampling(parser.add_argument_group("pictures"), seeds="0-15", psi=1.0)
    add("--private", action="store_true", help="make a new repository private")
    add("--dry-run", action="store_true", help="send nothing; show what would be sent")
    add("--out", type=arguments.name, metavar="DIR", help="a folder for a copy of what is sent")
    arguments.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Writes, draws, and sends."""
    from aligned_jax import jobs

    published = jobs.publish(
        args.network,
        args.address,
        license=args.license,
        parent=args.parent,
        tags=args.tags,
        keys=None if args.network_key == "all" else args.network_key.split(","),
        half=args.half,
        private=args.private,
        dry_run=args.dry_run,
        out=args.out,
        command=command(args),
        overwrite=args.overwrite,
        **arguments.sampling(args),
    )
    console.say(published.text())
    if args.out:
        console.say(f"wrote {args.out}")
    if published.commit is None:
        console.say(f"\n{published.card}\nnothing was sent to {published.address}")
    else:
        console.say(f"published {published.address}, commit {published.commit}")
