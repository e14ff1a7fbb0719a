"""Finds latents whose images are like the given ones, by optimisation.

IMAGES are pictures, folders or zips of them, of any size and kind. A picture is cut
to its middle square and resized to the network's size; with --align none it must
be square already. What cannot be read is skipped, and named at the end.

In W, W+ and S the settings are those of NVIDIA's projector, in Z and Z+ those of
StyleAlign's authors. Into DIR come, for every image, NAME.npz (latent, settings,
distances; `aligned generate --latents` draws it), NAME.png (the target and its
reconstruction), with --video NAME.webp; inversions.json with all distances; and
index.html, a page with all pictures.

A run that was stopped goes on where it was with the same command line.
"""

import argparse

from aligned_jax.cli import console, groups, values
from aligned_jax.errors import UserError

# Options that no encoder heeds.
_OPTIMISER = ("steps", "lr", "rampup", "rampdown", "latent_noise", "latent_noise_ramp")
_OPTIMISER += ("noise_weight", "restarts", "spread", "samples", "samples_seed")
EXAMPLE = """\
  aligned invert zoo:personas64 photos --space w+ --out inverted
  aligned invert zoo:personas64 photos --encoder runs/e4e --out encoded
  aligned invert zoo:personas64 photos --start runs/e4e --steps 100 --out refined"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("images", nargs="+", type=values.name, metavar="IMAGES")
    add("--space", choices=("z", "z+", "w", "w+", "s"), help="(default w, or the encoder's)")
    add(
        "--label",
        type=values.whole(0),
        metavar="K",
        help="class of a conditional network, from 0",
    )
    groups.add_align(parser)
    add(
        "--batch",
        type=values.whole(1),
        help="images times restarts at a time (default 8, or as many as fit into half the memory; "
        "on a CPU one)",
    )
    add("--seed", type=values.seed, help="of all random numbers (default 0)")
    add("--video", action="store_true", help="also show how each image came about")
    groups.add_encoder(parser)
    groups.add_network_key(parser)
    groups.add_out(parser, "DIR", "a folder")
    _add_settings(parser)
    _add_perceptual(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("optimisation").add_argument
    add("--steps", type=values.whole(1), help="(default 1000; in z and z+ 500)")
    add("--lr", type=values.finite, metavar="R", help="greatest learning rate (default 0.1)")
    add("--rampup", type=values.finite, metavar="T", help="fraction of all steps (default 0.05)")
    add(
        "--rampdown",
        type=values.finite,
        metavar="T",
        help="fraction of all steps (default 0.25)",
    )
    add("--psi", type=values.finite, help="truncation in z and z+ (default 0.5)")
    add("--latent-noise", type=values.finite, metavar="S", help="at first (default 0.05)")
    add("--latent-noise-ramp", type=values.finite, metavar="T", help="until (default 0.75)")
    add(
        "--noise",
        choices=("drop", "keep", "const", "none"),
        help="optimise noise maps and forget them (default) or keep them; the stored maps; none",
    )
    add("--noise-weight", type=values.finite, metavar="W", help="of their regulariser (1e5)")
    add(
        "--restarts",
        type=values.whole(1),
        metavar="N",
        help="attempts, of which the best is kept",
    )
    add("--spread", type=values.finite, metavar="S", help="of random starts (default 0)")
    add("--samples", type=values.whole(2), metavar="N", help="for the mean of w (default 10000)")
    add("--samples-seed", type=values.seed, metavar="S", help="(default 123)")


def _add_perceptual(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what is compared").add_argument
    add(
        "--perceptual",
        choices=("vgg", "alex", "none"),
        default="vgg",
        help="network of LPIPS (default vgg)",
    )
    add(
        "--pixels",
        type=values.finite,
        default=0.0,
        metavar="W",
        help="weight of the mean squared difference of pixels (default 0)",
    )
    add("--resolution", type=values.whole(1), metavar="R", help="at most (default 256)")


def run(args: argparse.Namespace) -> None:
    """Inverts and writes, image by image."""
    from aligned_jax import loading, viz
    from aligned_jax.data import targets
    from aligned_jax.inversion.encoder_choice import EncoderChoices
    from aligned_jax.jobs import inversion_options, invert_job, inverting
    from aligned_jax.latents import labels_for

    _check(args)
    inverting.check_perceptual(args.perceptual, args.pixels)
    args.overwrite |= invert_job.is_unfinished(args)
    viz.check_folder(args.out, args.overwrite)
    viz.try_folder(args.out)
    network = loading.load(args.network, args.network_key)
    guide = EncoderChoices.load(
        groups.encoder_sources(args), network, alone=bool(args.encoder), network_name=args.network
    ).choose(args.space)
    settings = inverting.settings(inversion_options.given(args), guide)
    config = network.config
    idle = inversion_options.idle(args, settings, config)
    args.seed = args.seed or 0
    label = labels_for(config, args.label)
    found = targets.read(args.images, config.img_resolution, config.img_channels, args.align)
    targets.check_apart(args.images, invert_job.results(args, found))
    perceptual = inverting.perceptual_of(args.perceptual, args.pixels)
    job = invert_job.Job(args, network, settings, perceptual, found, label, guide)
    with console.progress(len(found.targets) * settings.steps, "steps") as advance:
        rows = job.carry_out(advance)
    console.say(invert_job.table(args.out, settings, rows))
    inversion_options.tell_idle(idle)
    inverting.warn_skipped(job.skipped, console.CONSOLE, "inversions.json")


def _check(args: argparse.Namespace) -> None:
    """Checks what was given beside --encoder."""
    groups.refuse_without_optimiser(args, ("seed", "video", *_OPTIMISER))
    if args.encoder and args.noise in ("drop", "keep"):
        raise UserError(
            f"--noise {args.noise} optimises noise, and --encoder nothing; give const or none"
        )
