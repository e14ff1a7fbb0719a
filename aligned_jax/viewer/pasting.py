"""Faces of a page back in the photographs that they were cut out of."""

from collections.abc import Iterator, Mapping
from typing import Any

from aligned_jax import provenance
from aligned_jax.data.opening import pixels_of
from aligned_jax.errors import UserError
from aligned_jax.jobs.pasting import result_names
from aligned_jax.rendering.pasting import FEATHER, Face, pasted
from aligned_jax.viewer.album import PhotoAlbum, UploadedPhoto
from aligned_jax.viewer.commands import PASTED, explain
from aligned_jax.viewer.engine import Engine, Scene
from aligned_jax.viewer.family import BLEND
from aligned_jax.viz import png_bytes
from aligned_jax.viz.grid import reduced

_LEAST, _MOST = 16, 8192  # pixels of a side of a smaller copy


def asked_photograph(
    engine: Engine, scene: Scene, album: PhotoAlbum, given: Mapping[str, Any]
) -> tuple[str, bytes]:
    """The photograph that a page asks for, as a PNG.

    Args:
      engine: that draws the faces.
      scene: which faces are shown, and the width of their seams.
      album: of the photographs.
      given: `photograph`, the name of one, `column`, the number of the network, and perhaps
        `most`: a copy with at most so many pixels a side, for the screen.

    Returns:
      its name and content: of the photograph's own size unless `most` is given.

    Raises:
      UserError: for what is not there, or if a picture cannot be drawn.
    """
    column, most = given.get("column"), given.get("most")
    if type(column) is not int or not 0 <= column < len(scene.columns):
        raise UserError(f"column is {column!r:.40}; it is from 0 to {len(scene.columns) - 1}")
    if most is not None and (type(most) is not int or not _LEAST <= most <= _MOST):
        raise UserError(f"most is {most!r:.40}; it is a whole number from {_LEAST} to {_MOST}")
    if scene.state.paste is None:
        raise UserError("no face goes back into its photograph in this state; give paste")
    photo = album.named(given.get("photograph"))
    if photo not in _photos(scene, album):
        raise UserError(f"no face of {photo.name} is shown; choose one of its pictures")
    name = _names(scene, album)[photo.path, scene.columns[column]]
    return f"{name}.png", _png(engine, scene, album, photo, column, most)


def whole_photographs(
    engine: Engine, scene: Scene, album: PhotoAlbum
) -> Iterator[tuple[str, bytes]]:
    """Names and contents of all photographs of a scene by all networks; none without `paste`."""
    if scene.state.paste is None:
        return
    names = _names(scene, album)
    for photo in _photos(scene, album):
        for column, network in enumerate(scene.columns):
            name = f"{names[photo.path, network]}.png"
            yield name, _png(engine, scene, album, photo, column)


def _photos(scene: Scene, album: PhotoAlbum) -> list[UploadedPhoto]:
    return album.of(place for group in scene.placed for place in group.latents.placements or ())


def _names(scene: Scene, album: PhotoAlbum) -> dict[tuple[str, str], str]:
    """As the commands call the results; a blend that no command draws has a name of its own."""
    paths = [one.path for one in _photos(scene, album)]
    drawn = [name for name in scene.columns if not (scene.apart and name == BLEND)]
    apart = result_names(paths, [*drawn, BLEND]) if scene.apart else {}
    return apart | result_names(paths, drawn)


def _png(
    engine: Engine,
    scene: Scene,
    album: PhotoAlbum,
    photo: UploadedPhoto,
    column: int,
    most: int | None = None,
) -> bytes:
    faces = []
    for row, (group, place) in enumerate(scene.rows):
        where = group.latents.placements
        if where is None or where[place].digest != photo.digest:
            continue
        cell = engine.cell(scene, column, row, group, place)
        if cell.error:
            raise UserError(cell.error)
        faces.append(Face(pixels_of(cell.png), where[place]))
    before, paste = album.pixels(photo), scene.state.paste
    after = pasted(before.pixels, faces, paste.feather if paste else FEATHER)
    if most is not None:
        return png_bytes(reduced(after, most), profile=before.profile_of(after))
    told = explain(scene, engine.family).commands
    line = next((one for one in told if one.endswith(f" {PASTED}.png")), "")
    line = "" if scene.apart and scene.columns[column] == BLEND else line
    return png_bytes(after, provenance.png_text(line), before.profile_of(after))
