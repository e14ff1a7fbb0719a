"""Strips: the same latents in rows, networks in columns (StyleAlign, figures 31 and 32)."""

import argparse
from collections.abc import Callable, Sequence

import numpy as np

from aligned_jax import provenance
from aligned_jax.cli import console
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.networks.network import Network
from aligned_jax.rendering import render as rendering
from aligned_jax.viz import check_channels, check_file, figure, save_png, to_uint8, writing


def check_target(args: argparse.Namespace) -> None:
    """Raises UserError unless --out is a picture that may be written; before any work."""
    if not args.out.endswith(".png"):
        raise UserError(f"{args.out}: a strip is a picture; give --out NAME.png")
    check_file(args.out, args.overwrite)


def draw(
    args: argparse.Namespace,
    config: GeneratorConfig,
    columns: Sequence[tuple[str, Callable[[], Network]]],
) -> None:
    """Draws and writes a strip; networks are made one at a time.

    Args:
      args: the parsed command line.
      config: sizes of all the networks.
      columns: label and maker of each network.
    """
    check_channels(config.img_channels)
    inputs, manner = rendering.from_arguments(args, config)
    with console.progress(len(columns) * len(inputs), "images") as advance:
        images = [
            to_uint8(rendering.render(make(), inputs, manner, advance)) for _, make in columns
        ]
    labels = [label for label, _ in columns]
    with writing(args.out, args.overwrite) as file:
        # [columns, rows, H, W, C] -> [rows, columns, H, W, C]
        picture = figure(np.stack(images, axis=1), labels, inputs.names)
        save_png(file, picture, provenance.png_text(args.command_line))
    console.say(f"wrote {args.out}: {len(inputs)} rows, {len(columns)} columns")
