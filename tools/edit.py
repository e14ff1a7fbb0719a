"""Moves one style channel of a parent, and the same one of its children.

For every seed a picture with less of the channel, the plain picture, and one
with more of it; a row for each network. The shift is --strength standard
deviations of the channel in the PARENT, in all networks alike: what the channel
means in the parent it also means in aligned children (StyleAlign, figures 2, 3
and 9 to 12). --random chooses a channel by what it does to the parent alone.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from aligned_jax import provenance
from aligned_jax.cli import console, groups, values

if TYPE_CHECKING:
    import numpy as np

    from aligned_jax.networks.network import Network
    from aligned_jax.rendering.render import Inputs, Manner

STRENGTH = 8.0
EXAMPLE = """\
  aligned edit ffhq.pkl dog.pkl --channel 15_45 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --channel b16.conv1_23 --strength 8 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --random 0 --out edit.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("parent", metavar="PARENT")
    parser.add_argument("children", nargs="*", metavar="CHILD")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--channel", metavar="LAYER_CHANNEL", help="like 15_45 or b128.conv1_45 (StyleSpace)"
    )
    which.add_argument(
        "--random",
        type=values.seed,
        metavar="SEED",
        help="a channel drawn at random among those that show in the parent's images",
    )
    parser.add_argument(
        "--strength",
        type=values.finite,
        default=STRENGTH,
        metavar="S",
        help=f"shift to either side in standard deviations of the parent (default {STRENGTH:g})",
    )
    groups.add_names(parser)
    groups.add_sampling(parser, seeds="0-2", psi=0.7)
    groups.add_network_key(parser)
    groups.add_out(parser, "NAME.png", "the picture")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    import numpy as np

    from aligned_jax import latents, viz
    from aligned_jax.jobs import relatives, strip
    from aligned_jax.rendering import render as rendering

    strip.check_target(args)
    networks = relatives.load(args, [args.parent, *args.children])
    relatives.check_styles_fit(networks)
    parent = next(iter(networks.values()))
    inputs, manner = rendering.from_arguments(args, parent.config)
    for network in networks.values():
        rendering.check_manner(network.config, inputs, manner)
    (layer, channel), amount = _edit(args, parent, inputs)
    with console.progress(3 * len(networks) * len(inputs), "images") as advance:
        images = {
            label: _images(network, inputs, manner, (layer, channel, amount), advance)
            for label, network in networks.items()
        }
    less, more = f"{-args.strength:+g}", f"{args.strength:+g}"
    columns = [text for name in inputs.names for text in (less, name, more)]
    rows = np.stack([viz.to_uint8(values) for values in images.values()])
    with viz.writing(args.out, args.overwrite) as file:
        picture = viz.figure(rows, columns, list(images), group=3)
        viz.save_png(file, picture, provenance.png_text(args.command_line))
    name = latents.channel_name(parent.config, layer, channel)
    changes = ", ".join(f"{label} {_change(values):.3f}" for label, values in images.items())
    console.say(
        f"wrote {args.out}: channel {name} ({layer}_{channel}); change of a pixel: {changes}"
    )


def _edit(
    args: argparse.Namespace, parent: "Network", inputs: "Inputs"
) -> tuple[tuple[str, int], float]:
    """The channel and its shift, both from the parent alone."""
    from aligned_jax import latents, semantics

    if args.channel is not None:
        layer, channel = latents.parse_channel(parent.config, args.channel)
    c = inputs.arrays["c"][:1] if parent.config.c_dim else None
    deviations = semantics.style_deviations(parent, psi=args.psi, c=c)
    if args.channel is not None:
        chosen = layer.name, channel
    else:
        labels = inputs.arrays["c"] if parent.config.c_dim else None
        ws = parent.mapping(inputs.arrays["z"], labels, args.psi)
        [chosen] = semantics.visible_channels(parent, ws, 1, args.strength, deviations, args.random)
    return chosen, args.strength * float(deviations[chosen[0]][chosen[1]])


def _images(
    network: "Network",
    inputs: "Inputs",
    manner: "Manner",
    edit: tuple[str, int, float],
    advance: Callable[[int], None],
) -> "np.ndarray":
    """Images [3 * N, R, R, C]: less, as it is and more, for every latent."""
    import numpy as np

    from aligned_jax import semantics
    from aligned_jax.rendering import render as rendering

    layer, channel, amount = edit
    labels = inputs.arrays["c"] if network.config.c_dim else None
    ws = network.mapping(inputs.arrays["z"], labels, manner.psi)
    tripled = {name: np.repeat(value, 3, axis=0) for name, value in network.styles(ws).items()}
    amounts = np.tile(np.float32([-amount, 0, amount]), len(inputs))
    styles = semantics.shifted(tripled, layer, channel, amounts)
    rows = rendering.Inputs(
        {f"styles/{name}": np.asarray(value) for name, value in styles.items()},
        tuple(np.repeat(inputs.names, 3)),
        np.repeat(inputs.numbers, 3),
    )
    return rendering.render(network, rows, rendering.Manner(batch=manner.batch), advance)


def _change(images: "np.ndarray") -> float:
    """Mean absolute difference between less and more, [3 * N, R, R, C]."""
    import numpy as np

    shown = np.clip(images, -1, 1)
    return float(np.abs(shown[2::3] - shown[::3]).mean())
