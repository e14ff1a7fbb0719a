"""Serves a live page: latents, edits and blends of a parent and its children.

A column is a network, a row a seed, all from the same latents. Sliders move latents, weights and
edits; pictures can be uploaded; everything has an address, and the page shows the `aligned` command
and the Python lines that make the same pictures, to the bit. See docs/viewer.md.

The page is served to this machine alone, at an address with a random token. Through SSH keep the
port: ssh -L 8890:localhost:8890 HOST, and here --port 8890.
"""

import argparse

from aligned_jax.cli import arguments, console

EXAMPLE = """\
  aligned view zoo:personas64 zoo:critters64
  aligned view zoo:personas64 zoo:critters64 zoo:toon-head64 --reader zoo:people-reader \\
    --encoder zoo:personas64-e4e --clip zoo:avatars-clip --port 8890
  aligned view ffhq.pkl dog.pkl --direction smile.npz --direction yaw.npz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK", help="the parent")
    add("children", nargs="*", metavar="CHILD")
    arguments.add_names(parser)
    for name, metavar, told in (
        ("direction", "F", "a file of a direction; those of the zoo that fit are there"),
        ("reader", "R", "of attributes, whose scores stand beside every picture"),
        ("encoder", "E", "of NETWORK, for uploaded pictures"),
    ):
        add(f"--{name}", action="append", type=arguments.name, metavar=metavar, help=told)
    add("--clip", type=arguments.name, metavar="C", help="for edits by words: zoo:avatars-clip")
    add("--host", default="127.0.0.1", type=arguments.name, help="to bind to (default 127.0.0.1)")
    add("--port", type=arguments.whole(0, 65535), default=0, help="(default any that is free)")
    add(
        "--allow-host",
        action="append",
        type=arguments.name,
        metavar="NAME",
        help="by which the page may be called besides localhost, behind a proxy",
    )
    add(
        "--upload-limit",
        type=arguments.whole(1, 1024),
        default=20,
        metavar="MB",
        help="of an uploaded picture (default 20)",
    )
    arguments.add_unit(parser)
    arguments.add_network_key(parser)


def run(args: argparse.Namespace) -> None:
    """Serves until it is interrupted."""
    from aligned_jax.semantics.statistics import COUNT
    from aligned_jax.viewer import serving

    serving.check_extra()
    serving.bound(args.host, args.port).close()  # before anything is loaded
    options = serving.ViewOptions(
        directions=args.direction or (),
        readers=args.reader or (),
        encoders=args.encoder or (),
        clip=args.clip,
        samples=args.statistics or COUNT,
        most_bytes=args.upload_limit << 20,
    )
    networks = [args.network, *args.children]
    session = serving.open_session(networks, options, args.names, args.network_key, console.CONSOLE)
    allowed = args.allow_host or ()
    with serving.ViewPage(session, host=args.host, port=args.port, allowed=allowed) as page:
        console.say(f"open {page.url} (Ctrl-C ends it)")
        page.wait()
