"""The folder of a small CLIP that comes with the package, and the card that describes it."""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from safetensors.numpy import save

from aligned_jax import viz
from aligned_jax.data import artwork
from aligned_jax.features.clip.config import ClipConfig
from aligned_jax.features.clip.descriptions import OPEN_CLIP
from aligned_jax.features.clip.model import Clip, flat
from aligned_jax.features.clip.names import their_layout, theirs
from aligned_jax.features.clip.tokens import FILES, TextTokens
from aligned_jax.zoo.clip_scoring import LEARNED, accuracies, hardly_learned, retrieval
from aligned_jax.zoo.clip_training import END, ClipTraining, FactTable

NAME = "avatars-clip"
WEIGHTS = "model.safetensors"
_SAYS = (
    "Sees drawn faces and reads captions of them: a text and a picture encoder, trained together "
    "on avatars whose attributes are known. It knows the words below, and no others: other words "
    "are refused, not guessed. It was never shown a photograph."
)


def scored(clip: Clip, test: FactTable) -> dict[str, Any]:
    """Scores on pictures that it never saw, JSON-able."""
    right, chance = retrieval(clip, test)
    return {
        "pictures": len(test.images),
        "retrieval_64": right,
        "retrieval_64_chance": chance,
        "retrieval_64_says": "the nearest of 64 captions of pictures is true of the picture",
        "groups": accuracies(clip, test),
    }


def pack_clip(
    folder: str | os.PathLike[str],
    clip: Clip,
    scores: Mapping[str, Any],
    options: ClipTraining,
    styles: Sequence[str],
    commands: Sequence[Sequence[str]],
    overwrite: bool = False,
) -> None:
    """Writes a CLIP as open_clip's folders are, in half precision, and its card.

    Args:
      folder: that `features.clip.load` will read.
      clip: trained by `train_clip`.
      scores: of `scored`.
      options: it was trained with.
      styles: of the data, whose artwork is credited.
      commands: that drew the data and trained it.
      overwrite: replace files of the same names.

    Raises:
      UserError: if the folder is taken, or the disk refuses; or without a tokenizer.
    """
    tokens = clip.tokens
    assert tokens is not None, "a CLIP that was trained has a tokenizer"
    tensors = {
        theirs(ours, hugging_face=False)[0]: their_layout(ours, array).astype(np.float16)
        for ours, array in flat(clip.variables).items()
    }
    with viz.writing_folder(folder, overwrite) as staging:
        (staging / WEIGHTS).write_bytes(save(tensors, {"license": "Apache-2.0"}))
        (staging / FILES[0]).write_text(tokens.text, encoding="utf-8")
        (staging / FILES[3]).write_text(json.dumps({"pad_token": END}) + "\n", encoding="utf-8")
        (staging / OPEN_CLIP).write_text(_document(clip.config), encoding="utf-8")
        (staging / "scores.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
        card = _card(tokens, scores, options, styles, commands)
        (staging / "card.md").write_text(card, encoding="utf-8")


def _document(config: ClipConfig) -> str:
    text, image = config.text, config.image
    document = {
        "model_cfg": {
            "embed_dim": config.embedding,
            "quick_gelu": image.activation == "quick_gelu",
            "vision_cfg": {
                "image_size": config.image_size,
                "layers": image.layers,
                "width": image.width,
                "head_width": image.width // image.heads,
                "patch_size": config.patch_size,
            },
            "text_cfg": {
                "context_length": config.context,
                "vocab_size": config.vocabulary,
                "width": text.width,
                "heads": text.heads,
                "layers": text.layers,
            },
        },
        "preprocess_cfg": {"mean": list(config.mean), "std": list(config.std)},
    }
    return json.dumps(document, indent=2) + "\n"


def _card(
    tokens: TextTokens,
    scores: Mapping[str, Any],
    options: ClipTraining,
    styles: Sequence[str],
    commands: Sequence[Sequence[str]],
) -> str:
    words = ", ".join(word for word in tokens.words or () if not word.startswith("<|"))
    rows = [
        f"| {group} | {row['values']:.0f} | {row['pictures']:.0f} | {row['accuracy']:.0%} | "
        f"{row['balanced']:.0%} | {row['commonest']:.0%} |"
        for group, row in scores["groups"].items()
        if row["values"] > 1
    ]
    weak = hardly_learned(scores["groups"])
    parts = [
        f"# {NAME}\n",
        f"{_SAYS}\n",
        f"Its words: {words}.\n",
        f"Hardly learned, or not at all: {', '.join(weak) or 'none of them'}. Of these the share "
        f"that is found is not {LEARNED:.0%} above the share that is made up; do not ask for "
        "them.\n",
        "## Scores\n",
        f"On {scores['pictures']:,} pictures that it never saw. Each is asked which of several "
        "captions, worded alike, is its own; `balanced` counts every answer alike, `commonest` is "
        "what always giving the commonest one scores.\n",
        "| asked for | answers | pictures | right | balanced | commonest |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        f"Of 64 captions of such pictures, the nearest one is true of the picture in "
        f"{scores['retrieval_64']:.0%}; of one taken at random, in "
        f"{scores['retrieval_64_chance']:.0%}.\n",
        "## How it was made\n",
        f"{options.steps:,} steps of {options.batch} pictures and {options.captions} captions, "
        f"seed {options.seed}; pictures are seen at {options.image_size} pixels. Stored in half "
        "precision, as open_clip's folders are.\n",
        "```sh",
        *[shlex.join(command) for command in commands],
        "```\n",
        "## Artwork\n",
        *[f"{artwork.credit(style)}" for style in styles],
    ]
    return "\n".join(parts)
