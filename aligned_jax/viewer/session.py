"""All that a page's program holds, and what it answers to the page."""

import base64
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aligned_jax.data.faces import with_file
from aligned_jax.errors import UserError
from aligned_jax.features.clip import Clip
from aligned_jax.jobs.judges import NamedJudge
from aligned_jax.jobs.relevance import IndexOptions
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.jobs.text_directions import TextOptions, text_direction
from aligned_jax.latents import broadcast_w, style_layers
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch, check_mean
from aligned_jax.semantics.statistics import COUNT
from aligned_jax.viewer import films, insights, moves, sliding
from aligned_jax.viewer.commands import explain
from aligned_jax.viewer.engine import Engine, Scene
from aligned_jax.viewer.export import latents_bytes, saved
from aligned_jax.viewer.family import ViewFamily
from aligned_jax.viewer.kept import Kept
from aligned_jax.viewer.own_pictures import OwnPicture, OwnPictures
from aligned_jax.viewer.pasting import asked_photograph
from aligned_jax.viewer.rows import RowGroup
from aligned_jax.viewer.shelf import EditShelf
from aligned_jax.viewer.state import read_state
from aligned_jax.viewer.tasks import TaskBoard, ViewTask
from aligned_jax.viewer.uploads import Uploads, cut_out, read_options
from aligned_jax.viz import png_bytes, tile, to_uint8
from aligned_jax.weights import COMPONENTS

_LONGEST_TEXT, _MOST_FILMS, _DEVIATIONS = 200, 8, 64


class ViewSession:
    """Answers a page. Every method raises UserError with a sentence for the page to show.

    Attributes:
      engine: that draws.
      uploads: how pictures are inverted.
      board: of long work.
    """

    def __init__(
        self,
        family: ViewFamily,
        shelf: EditShelf,
        readers: Sequence[NamedJudge] = (),
        uploads: Uploads | None = None,
        clip: Clip | None = None,
        samples: int = COUNT,
    ) -> None:
        self.engine = Engine(family, shelf, tuple(readers))
        self.uploads = uploads or Uploads()
        self.board = TaskBoard()
        self._clip, self._samples = clip, samples
        self._own = OwnPictures()
        self._films: dict[str, bytes] = {}
        self._deviations: moves.Deviations = Kept(_DEVIATIONS)

    def info(self) -> dict[str, Any]:
        """What a page can offer, JSON-able."""
        family, config = self.engine.family, self.engine.family.parent.config
        directions = self.engine.shelf.directions
        scores = [name for reader in self.engine.readers for name in reader.names or ()]
        return {
            "columns": family.names,
            "resolution": config.img_resolution,
            "resolutions": list(config.resolutions),
            "rows_of_w": config.num_ws,
            "labels": config.c_dim,
            "truncates": config.mapping.w_avg_beta is not None,
            "components": list(COMPONENTS),
            "layers": [one.name for one in style_layers(config) if one.kind == "conv"],
            "directions": {name: one.space for name, one in directions.items()},
            "encoders": list(self.uploads.encoders),
            "words": self._clip is not None,
            "scores": scores,
            "most_bytes": self.uploads.most_bytes,
            "pictures": list(self.engine.pictures),
            "photographs": dict(self._own.photographs()),
        }

    def mean(self) -> bytes:
        """What the parent draws of its mean of w, as a PNG; UserError if it keeps no mean."""
        parent = self.engine.family.parent
        check_mean(parent.config)
        ws = broadcast_w(parent.w_avg[None], parent.config.num_ws)
        latents = LatentBatch({"ws": np.asarray(ws)}, ("mean",), np.zeros(1, np.uint32))
        with self.engine.lock:
            image = render(parent, latents, RenderOptions(batch=1))
        return png_bytes(to_uint8(image)[0])

    def explain(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The commands and Python lines of a state."""
        scene = self._scene(given)
        told = explain(scene, self.engine.family)
        return {
            "commands": [*self._origins(scene), *told.commands],
            "python": told.python,
            "files": told.files,
        }

    def save(self, given: Mapping[str, Any]) -> tuple[str, bytes]:
        """A file of a state, by name."""
        scene, what = self._scene(given, "what"), given.get("what")
        return saved(self.engine, scene, str(what), self._own, self._origins(scene))

    def photograph(self, given: Mapping[str, Any]) -> tuple[str, bytes]:
        """A photograph with the faces of a network in their places, as a PNG."""
        scene = self._scene(given, "photograph", "column", "most")
        return asked_photograph(self.engine, scene, self._own.album, given)

    def region(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The style channels that move a region of a picture most."""
        scene = self._scene(given, "column", "row", "box")
        box = given.get("box")
        if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
            raise UserError("box is left, top, right and bottom of a region, from 0 to 1")
        column, group, place = self._place(scene, given)
        parent, label = self.engine.family.parent, scene.state.label
        sigma = known_statistics(parent, count=self._samples, label=label).std
        network = self.engine.network(scene, column)
        latents = self.engine.latents(scene, group, column).take([place])
        with self.engine.lock:
            styles = latents.styles(network).style_vectors()
            region = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
            noise = self.engine.noise(scene, latents)
            found = insights.region_channels(network, styles, region, sigma, noise)
        return {"channels": [vars(one) for one in found]}

    def features(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Feature maps of a layer, as one picture."""
        scene = self._scene(given, "column", "row", "layer")
        layer = given.get("layer")
        if not isinstance(layer, str):
            raise UserError("layer is the name of a convolution, such as b16.conv1")
        column, group, place = self._place(scene, given)
        network = self.engine.network(scene, column)
        latents = self.engine.latents(scene, group, column).take([place])
        with self.engine.lock:
            styles = latents.styles(network).style_vectors()
            noise = self.engine.noise(scene, latents)
            maps, numbers = insights.feature_maps(network, styles, layer, noise)
        across = min(8, len(maps))
        picture = tile(to_uint8(maps[..., None]), across)
        return {
            "png": base64.b64encode(png_bytes(picture)).decode(),
            "channels": numbers,
            "across": across,
        }

    def upload(self, content: bytes, query: Mapping[str, str]) -> ViewTask:
        """Begins to invert a picture; the task's result names it."""
        options = read_options(query)
        self.uploads.check(options)
        self._own.check_room(content)
        parent = self.engine.family.parent
        picture, place = cut_out(content, options, parent)

        def work(task: ViewTask) -> dict[str, Any]:
            photo = self._own.album.add(content, options.name)
            where = with_file(place, photo.path, photo.digest)
            latents, distances = self.uploads.invert(parent, picture, where, options, task)
            number = self._own.add(OwnPicture(photo, where, options))
            self.engine.pictures[number] = dataclasses.replace(
                latents.take([0]), names=(f"picture {number}",)
            )
            png = base64.b64encode(png_bytes(picture)).decode()
            return {
                "picture": number,
                "photograph": photo.name,
                "png": png,
                "distances": distances,
            }

        return self.board.start(work)

    def words(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Begins to find the direction from one text to another; the task's result names it."""
        target, neutral = given.get("target"), given.get("neutral")
        texts = (target, neutral)
        if not all(isinstance(one, str) and 0 < len(one) <= _LONGEST_TEXT for one in texts):
            raise UserError("give two texts: target (a face with glasses) and neutral (a face)")
        label = given.get("label")
        if label is not None and type(label) is not int:
            raise UserError(f"label is {label!r:.40}; it is a whole number, or null")
        options = TextOptions(index=IndexOptions(label=label))
        clip = self._clip
        if clip is None:
            raise UserError("no CLIP was given; start the page with --clip zoo:avatars-clip")
        parent = self.engine.family.parent

        def work(task: ViewTask) -> dict[str, Any]:
            found = text_direction(
                parent,
                target=str(target),
                neutral=str(neutral),
                clip=clip,
                options=options,
                report=task,
            )
            name = f"words: {target}"[:100]
            self.engine.shelf.add(name, found.direction)
            return {"edit": name, "summary": found.summary}

        return self.board.start(work).status()

    def film(self, given: Mapping[str, Any]) -> tuple[str, bytes]:
        """A film that is done ({"done": number}), as webp."""
        number = given.get("done")
        if not isinstance(number, str) or number not in self._films:
            raise UserError("there is no such film; ask for it again")
        return "film.webp", self._films[number]

    def begin_film(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Begins a film between pins; the task's result names it, and how to make it."""
        request = films.read_film(given, len(self.engine.family.names))
        with self.engine.lock:
            latents = films.pinned(self.engine, request)

        def work(task: ViewTask) -> dict[str, Any]:
            self._keep(task, films.film_bytes(self.engine, request, latents, task))
            group = RowGroup("pins", latents, ())
            return {
                "film": task.number,
                "command": films.film_command(self.engine, request, latents),
                "pins": base64.b64encode(latents_bytes(group)).decode(),
            }

        return self.board.start(work).status()

    def begin_slide(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Begins a film of all that is shown while a slider moves; the task's result names it."""
        request = sliding.read_slide(given)

        def work(task: ViewTask) -> dict[str, Any]:
            self._keep(task, sliding.slide_bytes(self.engine, request, task))
            return {"film": task.number}

        return self.board.start(work).status()

    def begin_moves(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Begins to measure what an edit moves, as readers see it; the task's result tells."""
        request = moves.read_moves(given, self.engine)
        work = functools.partial(moves.moves, self.engine, request, known=self._deviations)
        return self.board.start(work).status()

    def _keep(self, task: ViewTask, film: bytes) -> None:
        """Keeps a film for `film`; old ones give way."""
        while len(self._films) >= _MOST_FILMS:
            self._films.pop(next(iter(self._films)))
        self._films[task.number] = film

    def _scene(self, given: Mapping[str, Any], *others: str) -> Scene:
        unknown = [key for key in given if key not in ("state", *others)]
        if unknown:
            raise UserError(f"this call has no {', '.join(unknown)[:80]}")
        return self.engine.scene(read_state(given.get("state")))

    def _place(self, scene: Scene, given: Mapping[str, Any]) -> tuple[int, RowGroup, int]:
        column, row = given.get("column"), given.get("row")
        for name, value, end in (
            ("column", column, len(scene.columns)),
            ("row", row, len(scene.rows)),
        ):
            if type(value) is not int or not 0 <= value < end:
                raise UserError(f"{name} is {value!r:.40}; it is from 0 to {end - 1}")
        group, place = scene.rows[int(row or 0)]
        return int(column or 0), group, place

    def _origins(self, scene: Scene) -> list[str]:
        """How the latents of uploads were found."""
        source = self.engine.family.sources[0] or "PARENT"
        return self._own.origins(scene.state.pictures, source, self.uploads)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)
