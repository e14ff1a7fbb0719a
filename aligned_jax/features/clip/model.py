"""A CLIP as an object to call: arrays inside, pure, ready for `jax.jit`."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from aligned_jax.errors import UserError
from aligned_jax.features.clip.config import ClipConfig
from aligned_jax.features.clip.pictures import preprocess
from aligned_jax.features.clip.tokens import TextTokens
from aligned_jax.features.clip.towers import ImageTower, TextTower
from aligned_jax.networks import fingerprint
from aligned_jax.types import AnyArray, Array, PyTree

_PICTURES = "visual."  # begins our names of the picture transformer's parameters


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["variables"],
    meta_fields=["config", "tokens", "name"],
)
@dataclass(frozen=True, eq=False)
class Clip:
    """Texts and pictures to vectors of one space; a pytree whose leaves are the weights.

    Attributes:
      config: sizes.
      variables: {"text", "image": parameters, "logit_scale": logarithm of a number}.
      tokens: of texts; None if there is no tokenizer, so that only tokens can be embedded.
      name: of the folder or file that it is from.
    """

    config: ClipConfig
    variables: PyTree
    tokens: TextTokens | None = None
    name: str = ""

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the numbers, the sizes and the tokenizer: equal ones give equal vectors."""
        parts = [fingerprint(self.variables), repr(self.config)]
        parts += [self.tokens.text] if self.tokens else []
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def tokenize(self, texts: Sequence[str], cut: bool = False) -> np.ndarray:
        """Tokens int32 [N, context] of texts; as `TextTokens.encode`.

        Raises:
          UserError: as `TextTokens.encode`, or if there is no tokenizer.
        """
        if self.tokens is None:
            raise UserError(
                "there is no tokenizer, so that texts cannot be read; load the network with one"
            )
        rows = self.tokens.encode(texts, self.config.context, cut)
        after = np.cumsum(rows == self.config.end_token, axis=1)
        # Whatever the tokenizer says: the configuration may name another token to follow the end.
        ended = (after > 0) & ~((after == 1) & (rows == self.config.end_token))
        return np.where(ended, self.config.pad_token, rows).astype(np.int32)

    def embed_texts(self, texts: Sequence[str], cut: bool = False) -> Array:
        """Vectors float32 [N, embedding] of texts, not of unit length; errors as `tokenize`."""
        return self.embed_tokens(self.tokenize(texts, cut))

    def embed_tokens(self, tokens: AnyArray) -> Array:
        """Vectors float32 [N, embedding] of tokens int32 [N, T], each row with an end token."""
        return _text(self.config, self.variables["text"], jnp.asarray(tokens))

    def embed_images(self, images: AnyArray) -> Array:
        """Vectors float32 [N, embedding] of pictures, not of unit length; differentiable.

        Args:
          images: as for `features.clip.pictures.preprocess`.

        Raises:
          UserError: as it.
        """
        return self.embed_pixels(preprocess(images, self.config))

    def embed_pixels(self, pixels: Array) -> Array:
        """Vectors float32 [N, embedding] of what `preprocess` returns."""
        return _image(self.config, self.variables["image"], pixels)

    def logits(self, images: Array, texts: Array) -> Array:
        """Scaled cosines [N, M] of vectors [N, embedding] and [M, embedding]."""
        cosines = jnp.matmul(unit(images), unit(texts).T, precision=jax.lax.Precision.HIGHEST)
        return cosines * jnp.exp(self.variables["logit_scale"])


def unit(vectors: Array) -> Array:
    """Rows [..., D] divided by their lengths; rows of zeros stay zeros."""
    squares = jnp.square(vectors).sum(axis=-1, keepdims=True)
    return vectors / jnp.sqrt(jnp.where(squares > 0, squares, jnp.float32(1)))


def modules(config: ClipConfig) -> dict[str, nn.Module]:
    """The two transformers, by the names that `Clip.variables` has for them."""
    return {"text": TextTower(config), "image": ImageTower(config)}


def inputs(config: ClipConfig) -> dict[str, jax.ShapeDtypeStruct]:
    """Shape and type of one input of each transformer."""
    size = config.image_size
    return {
        "text": jax.ShapeDtypeStruct((1, config.context), jnp.int32),
        "image": jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32),
    }


def parameter_shapes(config: ClipConfig) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter by our dotted name, those of pictures after "visual."."""
    shapes: dict[str, tuple[int, ...]] = {"logit_scale": ()}
    for name, leaves in _templates(config).items():
        prefix = _PICTURES if name == "image" else ""
        shapes |= {prefix + ".".join(path): leaf.shape for path, leaf in leaves.items()}
    return shapes


@functools.lru_cache(maxsize=8)
def _templates(config: ClipConfig) -> dict[str, dict[tuple[str, ...], Any]]:
    """Shape and type of each parameter by its path, of both transformers; nothing is computed."""
    one = inputs(config)
    return {
        name: flatten_dict(jax.eval_shape(module.init, jax.random.key(0), one[name])["params"])
        for name, module in modules(config).items()
    }


def tree_of(config: ClipConfig, arrays: dict[str, Any]) -> PyTree:
    """`Clip.variables` from parameters by the names of `parameter_shapes`."""
    trees = {}
    for name, template in _templates(config).items():
        prefix = _PICTURES if name == "image" else ""
        leaves = {path: jnp.asarray(arrays[prefix + ".".join(path)]) for path in template}
        trees[name] = unflatten_dict(leaves)
    return {**trees, "logit_scale": jnp.asarray(arrays["logit_scale"], jnp.float32).reshape(())}


def flat(variables: PyTree) -> dict[str, np.ndarray]:
    """Parameters by the names of `parameter_shapes`: undoes `tree_of`."""
    arrays = {"logit_scale": np.asarray(variables["logit_scale"])}
    for name, prefix in (("text", ""), ("image", _PICTURES)):
        leaves = flatten_dict(variables[name])
        arrays |= {prefix + ".".join(path): np.asarray(leaf) for path, leaf in leaves.items()}
    return arrays


@functools.partial(jax.jit, static_argnums=0)
def _text(config: ClipConfig, params: PyTree, tokens: Array) -> Array:
    return cast(Array, TextTower(config).apply({"params": params}, tokens))


@functools.partial(jax.jit, static_argnums=0)
def _image(config: ClipConfig, params: PyTree, pixels: Array) -> Array:
    return cast(Array, ImageTower(config).apply({"params": params}, pixels))
