"""A reader as an object to call, and the two contracts by which others use it."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config.attributes import AttributeHead, ReaderConfig
from aligned_jax.errors import UserError
from aligned_jax.features.attributes.network import AttributeNetwork, PartsNetwork
from aligned_jax.types import AnyArray, Array, PyTree
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.text import listed

# Pictures float32 [N, H, W, C] in [-1, 1] to named scores, float32 [N] each: log-odds of what is
# there or not and of categories ("hair=long", against all others), values of numbers and colours.
Judge = Callable[[np.ndarray], dict[str, np.ndarray]]
# Pictures float32 [N, H, W, C] in [-1, 1] to shares of the parts, float32 [N, H, W, K].
Segment = Callable[[np.ndarray], np.ndarray]
BATCH = 64
_LUMA = np.asarray([0.2126, 0.7152, 0.0722], np.float32)  # Rec. ITU-R BT.709
_LARGEST_ODDS = 50.0


@dataclass(frozen=True, eq=False)
class Reader:
    """Tells attributes, and perhaps parts, of pictures.

    Attributes:
      config: sizes, and the attributes.
      params: {"attributes": ..., "parts": ...}, the latter only with `config.parts`.
      card: what is known of it, JSON-able: how it was made, and how right it is.
    """

    config: ReaderConfig
    params: PyTree
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def heads(self) -> tuple[AttributeHead, ...]:
        """The attributes."""
        return self.config.heads

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts that `parts` tells apart; () if it tells none."""
        return self.config.parts

    def __call__(self, images: AnyArray, batch: int = BATCH) -> dict[str, np.ndarray]:
        """Attributes of pictures.

        Args:
          images: float32 [N, H, W, C] in [-1, 1], of any size, of one channel, three, or four
            with opacity, which are seen over white; values beyond are clipped.
          batch: pictures at a time; changes nothing but memory and time.

        Returns:
          {name: float32}: probabilities [N] of binary attributes, [N, values] of categories,
          RGB in [0, 1] [N, 3] of colours, numbers [N] as they are.

        Raises:
          UserError: for pictures of another kind.
        """
        outputs = self.outputs(images, batch)
        return {head.name: _reading(head, outputs[head.name]) for head in self.heads}

    def outputs(self, images: AnyArray, batch: int = BATCH) -> dict[str, np.ndarray]:
        """What the heads say, float32 [N, width] each, calibrated: log-odds, colours, numbers."""
        pictures = checked(images)
        found = _in_batches(functools.partial(_outputs, self.config, self.params), pictures, batch)
        return {head.name: _calibrated(head, found[head.name]) for head in self.heads}

    def judge(self, batch: int = BATCH) -> Judge:
        """The reader as a `Judge`, whose names are `config.scores`.

        Of a colour it tells "NAME.red", "NAME.green", "NAME.blue" in [0, 1], and
        "NAME.lightness", their mean by Rec. 709.
        """

        def judge(images: np.ndarray) -> dict[str, np.ndarray]:
            outputs = self.outputs(images, batch)
            scores: dict[str, np.ndarray] = {}
            for head in self.heads:
                columns = _scores(head, outputs[head.name])
                scores |= dict(zip(head.scores, columns.T.astype(np.float32), strict=True))
            return scores

        return judge

    def parts(self, images: AnyArray, batch: int = BATCH) -> np.ndarray:
        """Shares of the parts at every pixel, float32 [N, H, W, parts]; they add up to 1.

        Args:
          images, batch: as for a call.

        Raises:
          UserError: for pictures of another kind, or if the reader was not trained on parts.
        """
        if not self.config.parts:
            raise UserError(
                "this reader tells no parts of pictures; `aligned attributes parts` teaches it"
            )
        told = functools.partial(_parts, self.config, self.params)
        return _in_batches(told, checked(images), batch)


def checked(images: AnyArray) -> np.ndarray:
    """float32 [N, H, W, 3] in [-1, 1] of pictures [N, H, W, 1, 3 or 4]; UserError for others."""
    values = np.asarray(images)
    if values.ndim != 4 or values.shape[-1] not in (1, 3, 4) or min(values.shape[1:3]) < 1:
        raise UserError(
            f"a reader takes images [N, H, W, 1, 3 or 4], got shape {list(values.shape)}"
        )
    if not np.issubdtype(values.dtype, np.floating):
        raise UserError(f"a reader takes floats in [-1, 1], got {values.dtype}")
    if not np.isfinite(values).all():
        raise UserError("a reader takes finite numbers; these images hold others")
    values = np.clip(values, -1, 1).astype(np.float32)
    if values.shape[-1] == 4:
        opacity = (values[..., 3:] + 1) / 2
        values = values[..., :3] * opacity + (1 - opacity)
    return np.broadcast_to(values, (*values.shape[:3], 3))


def fitted(images: Array, side: int) -> Array:
    """Pictures [N, H, W, C] of another size as [N, side, side, C], bilinear with antialiasing."""
    if images.shape[1:3] == (side, side):
        return images
    shape = (images.shape[0], side, side, images.shape[3])
    return jax.image.resize(images, shape, "bilinear", antialias=True)


def mirrored_outputs(config: ReaderConfig, params: PyTree, images: Array) -> dict[str, Array]:
    """Outputs of the network [N, width]: with `config.mirror` the mean of a picture and its mirror.

    What is odd counts with the other sign in the mirror.
    """
    network = AttributeNetwork(config)
    plain = cast("dict[str, Array]", network.apply({"params": params}, images))
    if not config.mirror:
        return plain
    mirrored = cast("dict[str, Array]", network.apply({"params": params}, images[:, :, ::-1]))
    return {
        head.name: (plain[head.name] + (-1 if head.odd else 1) * mirrored[head.name]) / 2
        for head in config.heads
    }


@functools.partial(jax.jit, static_argnums=0)
def _outputs(config: ReaderConfig, params: PyTree, images: Array) -> dict[str, Array]:
    return mirrored_outputs(config, params["attributes"], fitted(images, config.resolution))


@functools.partial(jax.jit, static_argnums=0)
def _parts(config: ReaderConfig, params: PyTree, images: Array) -> Array:
    params = {"trunk": params["attributes"]["trunk"], **params["parts"]}
    logits = PartsNetwork(config).apply({"params": params}, fitted(images, config.resolution))
    shares = jax.nn.softmax(cast("Array", logits), axis=-1)
    shape = (*images.shape[:3], shares.shape[-1])
    return jax.image.resize(shares, shape, "bilinear") if shape != shares.shape else shares


def _in_batches(apply: Callable[[Array], PyTree], images: np.ndarray, batch: int) -> PyTree:
    """What a program says of pictures, block by block, as NumPy arrays."""
    if not len(images):
        raise UserError("there are no pictures to read")
    found = []
    for rows, kept in blocks(len(images), batch):
        said = apply(jnp.asarray(images[rows]))
        found.append(jax.tree.map(lambda value, kept=kept: np.asarray(value)[:kept], said))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *found)


def _calibrated(head: AttributeHead, output: np.ndarray) -> np.ndarray:
    """Outputs [N, width] in the attribute's own terms."""
    if head.kind == "binary":
        return output * np.float32(head.scale) + np.float32(head.offset)
    if head.kind == "category":
        return output * np.float32(head.scale)
    if head.kind == "number":
        return output * np.float32(head.deviation) + np.float32(head.mean)
    return np.clip((output + 1) / 2, 0, 1)


def _reading(head: AttributeHead, output: np.ndarray) -> np.ndarray:
    """What people read: probabilities, colours, numbers."""
    if head.kind == "binary":
        return (1 / (1 + np.exp(-_bounded(output)))).astype(np.float32)[:, 0]
    if head.kind == "category":
        powers = np.exp(output - output.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    return output[:, 0] if head.kind == "number" else output


def _scores(head: AttributeHead, output: np.ndarray) -> np.ndarray:
    """What a judge tells, [N, number of scores]."""
    if head.kind == "category":
        return _against_the_rest(output)
    if head.kind == "colour":
        return np.concatenate([output, (output @ _LUMA)[:, None]], axis=1)
    return _bounded(output) if head.kind == "binary" else output


def _against_the_rest(output: np.ndarray) -> np.ndarray:
    """Log-odds of each category against all others together, of logits [N, K]."""
    columns = [
        output[:, k] - np.logaddexp.reduce(np.delete(output, k, axis=1), axis=1)
        for k in range(output.shape[1])
    ]
    return _bounded(np.stack(columns, axis=1))


def _bounded(odds: np.ndarray) -> np.ndarray:
    return np.clip(odds, -_LARGEST_ODDS, _LARGEST_ODDS)


def check_names(known: tuple[str, ...], wanted: list[str], what: str) -> None:
    """Raises UserError naming all that are wanted but not known, with a list of those known."""
    unknown = [name for name in dict.fromkeys(wanted) if name not in known]
    if unknown:
        raise UserError(f"{what} does not know {listed(unknown)}; it knows {listed(known, 200)}")
