"""What two kinds of files call the parameters of a CLIP, and sizes read from their shapes."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from aligned_jax.errors import FormatError
from aligned_jax.features.networks import from_torch

# Parameters that are [in, out] in the files too, or no matrices of layers.
AS_THEY_ARE = ("token_embedding.weight", "positional_embedding", "text_projection", "visual.proj")
# Numbers that files carry besides.
_IGNORED = ("input_resolution", "context_length", "vocab_size", "attn_mask", "logit_bias")
_PARTS = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_OUTER = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final": "text_model.final_layer_norm",
    "text_projection": "text_projection.weight",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1": "vision_model.embeddings.patch_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre": "vision_model.pre_layrnorm",  # their spelling
    "visual.ln_post": "vision_model.post_layernorm",
    "visual.proj": "visual_projection.weight",
}


class Shapes(NamedTuple):
    """Sizes of one of the two transformers that tensors tell: all but the number of heads."""

    width: int
    layers: int
    hidden: int


def is_hugging_face(names: Mapping[str, Any]) -> bool:
    """Whether tensors have the names of the transformers library.

    Raises:
      FormatError: if they are those of no CLIP, or of one whose pictures go through a ResNet.
    """
    if any(name.startswith(("visual.layer1.", "visual.attnpool.")) for name in names):
        raise FormatError(
            "its pictures go through a ResNet; only CLIPs whose pictures go through a transformer "
            "(ViT-B/32, ViT-L/14, ...) are read"
        )
    if any(name.startswith("visual.trunk.") for name in names):
        raise FormatError("its pictures go through a network of timm; CLIP's own ViT is read")
    if "vision_model.embeddings.patch_embedding.weight" in names:
        return True
    if "visual.conv1.weight" in names and "token_embedding.weight" in names:
        return False
    raise FormatError("it has not the tensors of a CLIP with a text and a picture transformer")


def theirs(ours: str, hugging_face: bool) -> tuple[str, ...]:
    """Names in a file, several where their rows are put together.

    Args:
      ours: dotted, "visual." before those of pictures.
      hugging_face: whose names; else those of OpenAI's code and open_clip.
    """
    if not hugging_face:
        return (ours.replace("attn.in_proj.", "attn.in_proj_"),)
    match = re.fullmatch(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)\.(weight|bias)", ours)
    if not match:
        stem, dot, leaf = ours.rpartition(".")
        if ours in _OUTER or ours == "logit_scale":
            return (_OUTER.get(ours, ours),)
        return (f"{_OUTER[stem]}{dot}{leaf}",)
    tower = "vision_model" if match[1] else "text_model"
    layer = f"{tower}.encoder.layers.{match[2]}"
    if match[3] == "attn.in_proj":
        return tuple(f"{layer}.self_attn.{part}_proj.{match[4]}" for part in "qkv")
    return (f"{layer}.{_PARTS[match[3]]}.{match[4]}",)


def our_layout(ours: str, parts: list[np.ndarray], hugging_face: bool) -> np.ndarray:
    """One of our parameters, float32, from the tensors of a file."""
    array = (
        np.concatenate([np.asarray(part, np.float32) for part in parts])
        if parts[1:]
        else (np.asarray(parts[0], np.float32))
    )
    if ours in ("text_projection", "visual.proj") and hugging_face:
        return np.ascontiguousarray(array.T)
    if ours.endswith(AS_THEY_ARE):
        return np.ascontiguousarray(array)
    return from_torch(array)


def their_layout(ours: str, array: np.ndarray) -> np.ndarray:
    """What `our_layout` of OpenAI's names is the inverse of."""
    if ours.endswith(AS_THEY_ARE) or array.ndim < 2:
        return array
    order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim, tuple(range(array.ndim)))
    return np.ascontiguousarray(array.transpose(order))


def left_over(names: Mapping[str, Any], used: set[str]) -> list[str]:
    """Names that are neither parameters nor known to mean nothing."""
    return [
        name
        for name in names
        if name not in used and name not in _IGNORED and not name.endswith("position_ids")
    ]


def shapes_of(tensors: Mapping[str, Any], hugging_face: bool, tower: str) -> Shapes:
    """Sizes of a transformer, `tower` "" for texts and "visual." for pictures.

    Raises:
      FormatError: if it has no layers, or lacks the tensors that tell.
    """

    def name(part: str) -> str:
        return theirs(f"{tower}transformer.resblocks.{part}", hugging_face)[0]

    layers = 0
    while name(f"{layers}.ln_1.weight") in tensors:
        layers += 1
    first = name("0.mlp.c_fc.weight")
    if not layers or first not in tensors or len(tensors[first].shape) != 2:
        raise FormatError(f"it lacks the first layer of a transformer ({first})")
    hidden, width = tensors[first].shape
    return Shapes(width, layers, hidden)
