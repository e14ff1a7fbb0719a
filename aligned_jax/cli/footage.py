"""Arguments of verbs that edit and translate films, and what becomes of them."""

import argparse
import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aligned_jax.cli import arguments, console, edits
from aligned_jax.cli.console import command
from aligned_jax.cli.photos import check_reader, photo_options
from aligned_jax.errors import UserError
from aligned_jax.utils.text import counted, listed, options

if TYPE_CHECKING:
    from aligned_jax.jobs import FilmOptions, RedrawnFilm

_OF_TRANSLATE = ("reference", "texture", "layers", "edit_in")
_OF_EDIT = ("both", "columns", "frames", "fps")


def add_footage(parser: argparse.ArgumentParser) -> None:
    """--film, --window and --beside."""
    add = parser.add_argument_group("films, frame by frame").add_argument
    add(
        "--film",
        type=arguments.name,
        metavar="FILM",
        help="mp4, mov, webm, webp, gif or a folder of frames; OUT and --paste-back are films too",
    )
    add(
        "--window",
        type=arguments.whole(1),
        metavar="N",
        help="frames over which squares and latents are averaged, an odd number (default 5)",
    )
    add("--beside", action="store_true", help="show what was cut out on the left of what is drawn")


def check_footage(args: argparse.Namespace) -> None:
    """Raises UserError for options of films without one."""
    idle = [name for name in ("window", "beside") if getattr(args, name)]
    if idle:
        raise UserError(f"{options(idle, ' and ')} can only be used together with --film")


def translate_film(args: argparse.Namespace) -> None:
    """`aligned translate --film`."""
    _refuse(args, "translate", ("images", "seeds", "latents"), _OF_TRANSLATE)
    if args.space is not None and len(args.space) > 1:
        raise UserError("several spaces make a page of pictures; a film has one --space")
    given = arguments.fill_inversion_defaults(args)
    check_reader(args, "keep")
    from aligned_jax import jobs

    with _stopped(args.out):
        film = jobs.translate_film(
            args.parent,
            args.child,
            args.film,
            args.out,
            options=_film_options(args),
            space=args.space and args.space[0],
            preset=args.preset,
            edits=args.edit or (),
            noise=args.noise,
            noise_seed=args.noise_seed,
            **_common(args),
        )
    _tell(film)
    arguments.warn_unused(args, film.usage, given)


def edit_film(args: argparse.Namespace, wanted: dict[str, Any]) -> None:
    """`aligned edit --film`, with what `edits.request_options` returns."""
    _refuse(args, "edit", ("seeds", "latents", "pictures"), _OF_EDIT)
    given = arguments.fill_inversion_defaults(args)
    from aligned_jax import jobs, viz
    from aligned_jax.jobs.edits.recipes import recipe_file

    recipe = recipe_file(args.out)
    rewritten = args.overwrite or args.recipe == recipe
    viz.check_file(recipe, rewritten)
    edits.check_apart(args, [args.out, recipe])
    with _stopped(args.out):
        film = jobs.edit_film(
            [args.parent, *args.children],
            jobs.EditRequest(**wanted),
            args.film,
            args.out,
            options=_film_options(args),
            invert_space=args.invert_space,
            names=args.names,
            **_common(args),
        )
    if film.recipe:
        film.recipe.write(recipe, command(args), rewritten)
    _tell(film)
    arguments.warn_unused(args, film.usage, given)


def _refuse(
    args: argparse.Namespace, verb: str, sources: tuple[str, ...], idle: tuple[str, ...]
) -> None:
    """Raises UserError for what a film takes the place of, and for what no film has."""
    if any(getattr(args, name) for name in sources):
        raise UserError("--film is all that is drawn: give no pictures, seeds or latents besides")
    given = [name for name in idle if getattr(args, name) not in (None, False)]
    if given:
        raise UserError(
            f"{options(given, ' and ')} cannot be used together with --film, whose frames "
            f"`aligned {verb}` draws one by one"
        )


@contextlib.contextmanager
def _stopped(out: str) -> Iterator[None]:
    """Says where the work waits if it is stopped."""
    try:
        yield
    except KeyboardInterrupt:
        from aligned_jax.jobs.footage.options import unfinished_folder

        if os.path.isdir(folder := unfinished_folder(out)):
            console.say(f"what is done waits in {folder}; the same command goes on")
        raise


def _film_options(args: argparse.Namespace) -> "FilmOptions":
    from aligned_jax import jobs

    given = {name: getattr(args, name, None) for name in ("window", "scale")}
    kept = {name: value for name, value in given.items() if value is not None}
    return jobs.FilmOptions(beside=args.beside, **kept)


def _common(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "psi": args.psi,
        "label": args.label,
        "batch": args.batch,
        "pictures": arguments.picture_options(args),
        **photo_options(args),
        "network_key": args.network_key,
        "command": command(args),
        "overwrite": args.overwrite,
        "report": console.CONSOLE,
    }


def _tell(film: "RedrawnFilm") -> None:
    console.say(f"wrote {film.out}: {film.summary}")
    if film.pasted:
        console.say(f"wrote {film.pasted}: the whole frames")
    if film.without_face:
        console.warn(
            f"no face was found in {counted(film.without_face, 'frame')}: their squares lie "
            "between those of others"
        )
    if film.diverged:
        console.warn(f"{counted(film.diverged, 'frame')} diverged and look like their neighbours")
    if film.lost_sound:
        console.warn(f"the sound is left out of {listed(film.lost_sound)}; an mp4 keeps it")
