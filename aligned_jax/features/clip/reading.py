"""Reads a CLIP from a folder or a file, running nothing from it."""

import math
import os
from collections.abc import Mapping
from pathlib import Path

from aligned_jax.convert.files.torch_tensors import read_tensors
from aligned_jax.errors import FormatError, UserError
from aligned_jax.features.clip import names
from aligned_jax.features.clip.config import ClipConfig, TowerConfig
from aligned_jax.features.clip.descriptions import (
    ClipDescription,
    described,
    head_count,
    settled_activation,
)
from aligned_jax.features.clip.model import Clip, parameter_shapes, tree_of
from aligned_jax.features.clip.tokens import TextTokens, read_tokens
from aligned_jax.features.files import problems
from aligned_jax.features.networks import torch_shape
from aligned_jax.utils import paths
from aligned_jax.utils.text import listed

# In a folder, the first of these.
_WEIGHTS = (
    "model.safetensors",
    "open_clip_model.safetensors",
    "pytorch_model.bin",
    "open_clip_pytorch_model.bin",
)
_TOWERS = ("", "visual.")
ZOO_CLIP = "zoo:avatars-clip"  # of drawn faces, whose words alone it knows
Tensors = Mapping[str, names.Any]


def load(
    source: str | os.PathLike[str] = ZOO_CLIP,
    *,
    tokenizer: str | os.PathLike[str] | None = None,
    activation: str | None = None,
    heads: tuple[int, int] | None = None,
    end_token: int | None = None,
) -> Clip:
    """A CLIP of a folder or a file.

    Args:
      source: a folder as the Hugging Face hub has them, of the transformers library (config.json)
        or of open_clip (open_clip_config.json); a file of weights under the names of either, or
        OpenAI's archive (ViT-B-32.pt); or zoo:NAME. Without it the small one of the zoo, which
        knows drawn faces and their words alone.
      tokenizer: folder or file of the tokenizer, if it is not beside the weights.
      activation: "quick_gelu" or "gelu", where the files do not say it, or say it wrongly.
      heads: of the text and the picture transformer, likewise.
      end_token: the token at which texts are read, likewise.

    Raises:
      UserError: if there are no such files, or for options that do not fit.
      FormatError: if they are damaged or of another kind of network, naming every tensor that is
        missing, left over, misshapen or not finite; or if they do not say, or contradict each
        other about, what one of the options above settles.
    """
    folder, file = _files(source)
    tensors, container = read_tensors(file)
    try:
        hugging_face = names.is_hugging_face(tensors)
        said = described(folder, hugging_face, container == "torch-script")
        tokens = read_tokens(tokenizer or folder)
        config = _config(tensors, hugging_face, said, tokens, activation, heads, end_token)
        arrays = _parameters(tensors, hugging_face, config, container == "torch-script")
    except FormatError as error:
        raise FormatError(f"{file.name}: {error}") from None
    return Clip(config, tree_of(config, arrays), tokens, os.fspath(source))


def zoo_clips() -> list[str]:
    """Names of the CLIPs that come with the package."""
    return paths.zoo_members(_WEIGHTS[0])


def _files(source: str | os.PathLike[str]) -> tuple[Path, Path]:
    """The folder of a source, and its file of weights."""
    text = os.fspath(source)
    if text.startswith("zoo:"):
        name = text.removeprefix("zoo:")
        if name not in zoo_clips():
            known = ", ".join(f"zoo:{clip}" for clip in zoo_clips()) or "none yet"
            raise UserError(f"there is no CLIP {text}; the zoo has {known}")
        text = str(paths.zoo_folder() / name)
    path = Path(text)
    if not path.exists():
        raise UserError(f"there is no {text}; give a folder or a file of weights of a CLIP")
    if not path.is_dir():
        return path.parent, path
    found = [path / name for name in _WEIGHTS if (path / name).is_file()]
    if not found:
        raise UserError(f"{text} has no weights of a CLIP: none of {', '.join(_WEIGHTS)}")
    return path, found[0]


def _config(
    tensors: Tensors,
    hugging_face: bool,
    said: ClipDescription,
    tokens: TextTokens,
    activation: str | None,
    heads: tuple[int, int] | None,
    end_token: int | None,
) -> ClipConfig:
    towers = []
    for k, (which, prefix) in enumerate(zip(("text", "picture"), _TOWERS, strict=True)):
        width, layers, hidden = names.shapes_of(tensors, hugging_face, prefix)
        count = head_count(width, said.heads[k], heads[k] if heads else None, which)
        act = settled_activation(said.activations[k], activation, "the file")
        towers.append(TowerConfig(width, layers, count, hidden, act, said.epsilons[k]))

    def shape(ours: str, rank: int) -> tuple[int, ...]:
        name = names.theirs(ours, hugging_face)[0]
        if name not in tensors or len(tensors[name].shape) != rank:
            raise FormatError(f"{name} is missing or has not {rank} dimensions")
        return tuple(tensors[name].shape)

    vocabulary = shape("token_embedding.weight", 2)[0]
    places = shape("visual.positional_embedding", 2)[0] - 1
    patch, grid = shape("visual.conv1.weight", 4)[-1], math.isqrt(max(places, 0))
    if grid**2 != places or not places:
        raise FormatError(f"{places} places are no square of patches")
    if said.size not in (None, grid * patch):
        raise FormatError(
            f"pictures are prepared with {said.size} pixels, but the weights are for {grid * patch}"
        )
    end = _end_token(said, tokens, vocabulary, end_token)
    return ClipConfig(
        text=towers[0],
        image=towers[1],
        embedding=shape("text_projection", 2)[0 if hugging_face else 1],
        vocabulary=vocabulary,
        context=shape("positional_embedding", 2)[0],
        end_token=end,
        pad_token=0 if tokens.pad is None else tokens.pad,
        image_size=grid * patch,
        patch_size=patch,
        mean=(said.mean[0], said.mean[1], said.mean[2]),
        std=(said.std[0], said.std[1], said.std[2]),
    )


def _end_token(
    said: ClipDescription, tokens: TextTokens, vocabulary: int, given: int | None
) -> int:
    """Where texts are read; OpenAI's code and old files mean the largest token of each."""
    if tokens.size > vocabulary:
        raise FormatError(
            f"the tokenizer has {tokens.size} tokens, the weights {vocabulary}: they do not belong "
            "together; name the right one (`tokenizer`)"
        )
    if given is not None:
        if not 0 <= given < vocabulary:
            raise UserError(f"the end token is {given}; tokens are 0 to {vocabulary - 1}")
        return given
    end = tokens.size - 1 if said.end is None else said.end
    if end != tokens.end:
        whose = "the configuration" if said.end is not None else "the largest token's rule"
        raise FormatError(
            f"texts are read at token {end} by {whose}, but the tokenizer ends them with "
            f"{tokens.end}; say which (`end_token`)"
        )
    return end


def _parameters(
    tensors: Tensors, hugging_face: bool, config: ClipConfig, is_program: bool
) -> dict[str, names.Any]:
    """Ours by name, float32, after all were checked."""
    wanted = {ours: names.theirs(ours, hugging_face) for ours in parameter_shapes(config)}
    used = {name for several in wanted.values() for name in several}
    expected: dict[str, tuple[int, ...]] = {}
    for ours, shape in parameter_shapes(config).items():
        whole = _their_shape(ours, shape, hugging_face)
        count = len(wanted[ours])
        for name in wanted[ours]:
            expected[name] = (whole[0] // count, *whole[1:]) if count > 1 else whole
    scale = tensors.get("logit_scale")
    if scale is not None and tuple(scale.shape) == (1,):  # as newer releases of open_clip do
        expected["logit_scale"] = (1,)
    wrong = problems(tensors, expected)
    if not is_program:  # a program may have constants of its own
        wrong += [f"{name:.80} is unexpected" for name in names.left_over(tensors, used)]
    if wrong:
        raise FormatError(f"it is not the CLIP it seems to be: {listed(wrong, separator='; ')}")
    return {
        ours: names.our_layout(ours, [tensors[name].numpy() for name in several], hugging_face)
        for ours, several in wanted.items()
    }


def _their_shape(ours: str, shape: tuple[int, ...], hugging_face: bool) -> tuple[int, ...]:
    if ours in ("text_projection", "visual.proj"):
        return shape[::-1] if hugging_face else shape
    if ours.endswith(names.AS_THEY_ARE):
        return shape
    return torch_shape(shape)
