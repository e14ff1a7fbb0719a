"""Draws the pictures of a state, one by one, and keeps those that may be wanted again."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.judges import NamedJudge
from aligned_jax.latents import noise_fields
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import Noise, RenderOptions, render
from aligned_jax.rendering.editing import edited
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.edits import Edit
from aligned_jax.semantics.responses import judged
from aligned_jax.utils.text import one_line
from aligned_jax.viewer.blends import blend_child, blended
from aligned_jax.viewer.family import BLEND, ViewFamily
from aligned_jax.viewer.kept import Kept
from aligned_jax.viewer.rows import RowGroup, between, row_groups
from aligned_jax.viewer.shelf import EditShelf
from aligned_jax.viewer.state import ViewState
from aligned_jax.viz import png_bytes, to_uint8

_KEPT_BYTES = 256 << 20
_NETWORKS, _BATCHES = 6, 128


@dataclass(frozen=True)
class Cell:
    """One picture of a page.

    Attributes:
      column, row: where it stands.
      key: of all that decides it.
      png: the picture; empty if there is none.
      scores: of readers, by name: chances in [0, 1] of what is there or not, or values.
      read: the same with log-odds in place of chances.
      error: why there is no picture.
    """

    column: int
    row: int
    key: str
    png: bytes = b""
    scores: Mapping[str, float] = field(default_factory=dict)
    read: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, eq=False)
class Scene:
    """A state with its rows and edits; every picture of it is a network's and a latent's.

    Attributes:
      state: that is shown.
      columns: names of the networks.
      groups: of rows.
      edits: those that are on.
    """

    state: ViewState
    columns: tuple[str, ...]
    groups: tuple[RowGroup, ...]
    edits: tuple[Edit, ...]

    @property
    def rows(self) -> list[tuple[RowGroup, int]]:
        """The group of each row, and its place in it."""
        return [(group, place) for group in self.groups for place in range(len(group.latents))]

    @property
    def placed(self) -> list[RowGroup]:
        """The groups that lie in photographs, of one row each."""
        return [group for group in self.groups if group.latents.placements is not None]

    @property
    def apart(self) -> bool:
        """Whether the latents of the blend, its last column, go their own way."""
        return self.state.blend is not None and self.state.blend.t1 is not None

    @property
    def options(self) -> RenderOptions:
        """How all pictures are drawn: alone, so that their bits do not depend on neighbours."""
        return RenderOptions(noise=self.state.noise, noise_seed=self.state.noise_seed, batch=1)


class Engine:
    """Draws for one page. Any thread may call it; one draws at a time."""

    def __init__(
        self,
        family: ViewFamily,
        shelf: EditShelf,
        readers: tuple[NamedJudge, ...] = (),
    ) -> None:
        self.family, self.shelf, self.readers = family, shelf, readers
        self.pictures: dict[str, LatentBatch] = {}
        self.lock = threading.RLock()
        size = family.parent.config.img_resolution
        most = max(64, _KEPT_BYTES // (size * size * 4))
        self._cells: Kept[tuple[bytes, dict[str, float]]] = Kept(most)
        self._blends: Kept[Network] = Kept(_NETWORKS)
        self._latents: Kept[LatentBatch] = Kept(_BATCHES)

    def scene(self, state: ViewState) -> Scene:
        """What a state shows, before anything is drawn.

        Raises:
          UserError: if seeds, labels, edits or pictures are not there or do not fit.
        """
        with self.lock:
            if state.blend is not None:
                blend_child(self.family, state.blend)
            groups = tuple(row_groups(state, self.family.parent, self.pictures))
            columns = (*self.family.names, *([BLEND] if state.blend else []))
            edits = self.shelf.edits(state.active, state.label)
            return Scene(state, columns, groups, edits)

    def cells(self, scene: Scene, wanted: Callable[[], bool] = lambda: True) -> Iterator[Cell]:
        """The pictures of a scene, row by row, until they are not `wanted` any more."""
        for row, (group, place) in enumerate(scene.rows):
            for column, _ in enumerate(scene.columns):
                with self.lock:  # while it waited, another state may have been asked for
                    if not wanted():
                        return
                    cell = self.cell(scene, column, row, group, place)
                yield cell

    def cell(self, scene: Scene, column: int, row: int, group: RowGroup, place: int) -> Cell:
        """One picture, or why there is none."""
        key = hashlib.sha1(
            repr((self._latents_key(scene, group, column), place, scene.options)).encode(),
            usedforsecurity=False,
        ).hexdigest()
        try:
            with self.lock:
                png, read = self._cells.get(key, lambda: self._drawn(scene, column, group, place))
        except UserError as error:
            return Cell(column, row, key, error=one_line(str(error))[:500])
        return Cell(column, row, key, png, self._chances(read), read)

    def network(self, scene: Scene, column: int) -> Network:
        """The network of a column; raises UserError if a blend cannot be made."""
        blend, name = scene.state.blend, scene.columns[column]
        if name != BLEND or blend is None:
            return self.family.networks[name]
        with self.lock:
            keep = self._blends.get
            return keep(blend.weights, lambda: blended(self.family, blend, keep))

    def latents(self, scene: Scene, group: RowGroup, column: int) -> LatentBatch:
        """What a network draws of a group, edited; raises UserError as `edited`."""
        key = self._latents_key(scene, group, column)

        def make() -> LatentBatch:
            network = self.network(scene, column)
            return edited(network, self.plain_latents(scene, group, column), scene.edits)

        with self.lock:
            return self._latents.get(key, make)

    def plain_latents(self, scene: Scene, group: RowGroup, column: int) -> LatentBatch:
        """The same before edits."""
        blend = scene.state.blend
        if scene.columns[column] != BLEND or blend is None or blend.t1 is None:
            return group.latents
        child = blend_child(self.family, blend)
        return between(group.latents, self.family.parent, child, blend.t1)

    def images(self, scene: Scene, group: RowGroup, column: int) -> np.ndarray:
        """All pictures of a group by a network, float32 [N, R, R, C], unclipped."""
        latents = self.latents(scene, group, column)
        with self.lock:
            return render(self.network(scene, column), latents, scene.options)

    def noise(self, scene: Scene, latents: LatentBatch) -> Noise:
        """What `Network.render` takes for the noise of pictures of a scene."""
        own = {key: value for key, value in latents.arrays.items() if key.startswith("noise/")}
        if own and scene.state.noise == "const":
            return {key.removeprefix("noise/"): jnp.asarray(value) for key, value in own.items()}
        if scene.state.noise != "random":
            return scene.state.noise
        key = jax.random.key(scene.state.noise_seed)
        return noise_fields(self.family.parent.config, key, jnp.asarray(latents.numbers))

    def _drawn(
        self, scene: Scene, column: int, group: RowGroup, place: int
    ) -> tuple[bytes, dict[str, float]]:
        latents = self.latents(scene, group, column).take([place])
        images = render(self.network(scene, column), latents, scene.options)
        return png_bytes(to_uint8(images[0])), self.read(images)

    def read(self, images: np.ndarray) -> dict[str, float]:
        """What readers tell of one picture [1, R, R, C], by name: log-odds or values."""
        return {
            name: float(value[0])
            for reader in self.readers
            for name, value in judged(reader, images).items()
        }

    def _chances(self, read: Mapping[str, float]) -> dict[str, float]:
        """The same with chances in place of log-odds."""
        odds = {name for reader in self.readers for name in reader.odds}
        return {
            name: float(1 / (1 + np.exp(-value))) if name in odds else value
            for name, value in read.items()
        }

    def _latents_key(self, scene: Scene, group: RowGroup, column: int) -> tuple[object, ...]:
        state, name = scene.state, scene.columns[column]
        made = (state.blend.weights, state.blend.t1) if state.blend and name == BLEND else None
        return (name, made, group.key, state.active, state.label if state.active else None)
