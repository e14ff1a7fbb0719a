"""Documents of the studies, and the options that they share."""

import argparse
import json
from pathlib import Path
from typing import Any

from aligned_jax.provenance import versions
from benchmarks.reporting import device, write_text


def write_document(path: Path, command: str, config: dict[str, Any], **parts: Any) -> None:
    """JSON of results, with the command, its settings and the machine they come from."""
    origin = {"command": command, "config": config, "device": device(), "versions": versions()}
    write_text(path, json.dumps(origin | parts, indent=2) + "\n")


def add_encoders(parser: argparse.ArgumentParser) -> None:
    """Declares --encoder."""
    parser.add_argument(
        "--encoder",
        type=named,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="an encoder of the network, a row of its own; may be given several times",
    )


def named(text: str) -> tuple[str, str]:
    """("e4e", "runs/e4e@40") of "e4e=runs/e4e@40"."""
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, path


def add_loss(parser: argparse.ArgumentParser, network: str, pixels: float) -> None:
    """Declares what an inversion makes small."""
    add = parser.add_argument
    add("--perceptual", choices=("vgg", "alex", "none"), default=network, help="network of LPIPS")
    add("--pixels", type=float, default=pixels, help="weight of the squared difference of pixels")


def spaces(text: str) -> list[str]:
    """Type of an argument that lists spaces."""
    listed = [part.strip() for part in text.split(",")]
    if wrong := [space for space in listed if space not in ("z", "z+", "w", "w+", "s")]:
        raise argparse.ArgumentTypeError(f"no such space: {', '.join(wrong)}")
    return listed
