"""What a page saves: pictures as sheets and arrays, latents, the edit stack, commands."""

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aligned_jax import provenance
from aligned_jax.errors import UserError
from aligned_jax.jobs.drawings import Drawing
from aligned_jax.jobs.edits.family import EditedFamily
from aligned_jax.jobs.edits.recipes import EditRecipe
from aligned_jax.jobs.sources import Usage
from aligned_jax.rendering.draw import render
from aligned_jax.rendering.latent_files import write_latents
from aligned_jax.viewer.commands import PASTED, RECIPE, arrays_file, explain
from aligned_jax.viewer.engine import Engine, Scene
from aligned_jax.viewer.family import BLEND
from aligned_jax.viewer.own_pictures import FACES, OwnPictures
from aligned_jax.viewer.pasting import whole_photographs
from aligned_jax.viewer.rows import SEEDS, RowGroup
from aligned_jax.viz import png_bytes, to_uint8
from aligned_jax.viz.sheet import Sheet


def sheet_of(engine: Engine, scene: Scene, group: RowGroup, columns: Sequence[int]) -> Sheet:
    """The rows of a group as `aligned family` shows them, or with edits as `aligned edit` does.

    A blend whose latents are its own is shown as by `family`, and so are those beside it.

    Args:
      engine: that draws.
      scene: what is shown.
      group: of its rows.
      columns: numbers of the networks.

    Raises:
      UserError: if an image is not finite, or a blend or an edit cannot be.
    """
    networks = {scene.columns[k]: engine.network(scene, k) for k in columns}
    with engine.lock:
        if scene.edits and not (scene.apart and BLEND in networks):
            recipe, usage = EditRecipe(scene.edits), Usage.of([group.latents], scene.state.noise)
            options = scene.options
            return EditedFamily(
                networks, group.latents, recipe, None, options, False, usage
            ).sheet()
        rows = [
            to_uint8(
                render(networks[scene.columns[k]], engine.latents(scene, group, k), scene.options)
            )
            for k in columns
        ]
    return Sheet(np.stack(rows), tuple(networks), group.latents.names)


def saved(
    engine: Engine, scene: Scene, what: str, own: OwnPictures, origins: Sequence[str] = ()
) -> tuple[str, bytes]:
    """A file of a scene.

    Args:
      engine: that draws.
      scene: what is saved.
      what: "png", a sheet of the first rows; "recipe", the edit stack; "faces", where pictures lie
        in their photographs; "zip", everything.
      own: the pictures that the scene may show.
      origins: lines that tell, in a zip, how their latents were found.

    Returns:
      its name and content.

    Raises:
      UserError: for another word, or if there is nothing of it.
    """
    if what == "png":
        group, every = scene.groups[0], range(len(scene.columns))
        return f"{group.name}.png", _png(engine, scene, group, every)
    if what == "recipe":
        return RECIPE, recipe_bytes(scene)
    if what == "faces":
        return FACES, own.faces(scene.state.pictures)
    if what == "zip":
        return "view.zip", _everything(engine, scene, own, origins)
    raise UserError(f"{what!r:.40} cannot be saved; png, recipe, faces and zip can")


def recipe_bytes(scene: Scene) -> bytes:
    """The edits that are on, as `aligned edit --recipe` takes them; UserError if there are none."""
    if not scene.edits:
        raise UserError("no edit is on, so that there is no recipe to save")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / RECIPE
        EditRecipe(scene.edits).write(path)
        return path.read_bytes()


def latents_bytes(group: RowGroup) -> bytes:
    """The latents of a group, as --latents takes them."""
    file = io.BytesIO()
    write_latents(file, group.latents, {"versions": provenance.versions()})
    return file.getvalue()


def arrays_bytes(engine: Engine, scene: Scene, group: RowGroup, column: int) -> bytes:
    """Pictures and latents of a group by one network, as `aligned generate` writes them."""
    name = scene.columns[column]
    latents = engine.latents(scene, group, column)
    network = engine.network(scene, column)
    facts = {"edits": [edit.summary for edit in scene.edits]}
    drawing = Drawing(network, name, engine.family.key, latents, scene.options, facts)
    with tempfile.TemporaryDirectory() as folder, engine.lock:
        path = Path(folder) / "drawn.npz"
        drawing.write(path)
        return path.read_bytes()


def _png(engine: Engine, scene: Scene, group: RowGroup, columns: Sequence[int]) -> bytes:
    """A sheet that names the command that makes it, if there is one."""
    told = explain(scene, engine.family).commands
    line = next((one for one in told if one.endswith(f" {group.name}.png")), "")
    line = "" if scene.apart and len(scene.columns) - 1 in columns else line
    picture = sheet_of(engine, scene, group, columns).picture()
    return png_bytes(picture, provenance.png_text(line))


def _everything(engine: Engine, scene: Scene, own: OwnPictures, origins: Sequence[str]) -> bytes:
    told = explain(scene, engine.family)
    shell = "\n".join(("set -e", *origins, *told.commands, ""))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("commands.sh", shell)
        archive.writestr("view.py", told.python)
        if scene.edits:
            archive.writestr(RECIPE, recipe_bytes(scene))
        for group in scene.groups:
            if group.name != SEEDS:
                archive.writestr(f"{group.name}.npz", latents_bytes(group))
            for name, columns in _sheets(scene, group).items():
                archive.writestr(f"pictures/{name}", _png(engine, scene, group, columns))
            for column, name in enumerate(scene.columns):
                content = arrays_bytes(engine, scene, group, column)
                archive.writestr(f"pictures/{arrays_file(group, name)}", content)
        for name, content in own.files(scene.state.pictures).items():
            archive.writestr(name, content)
        for name, content in whole_photographs(engine, scene, own.album):
            archive.writestr(f"pictures/{PASTED}/{name}", content)
    return buffer.getvalue()


def _sheets(scene: Scene, group: RowGroup) -> dict[str, Sequence[int]]:
    """Sheets of a group with their columns: what no command draws is on one of its own."""
    every = range(len(scene.columns))
    if not scene.apart:
        return {f"{group.name}.png": every}
    return {f"{group.name}.png": every[:-1], f"{group.name}-{BLEND}.png": every[-1:]}
