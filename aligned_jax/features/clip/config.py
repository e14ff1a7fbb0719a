"""Sizes of a CLIP: two transformers, and what their inputs look like."""

from dataclasses import dataclass

ACTIVATIONS = ("quick_gelu", "gelu")
# Of OpenAI's pictures, in [0, 1].
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class TowerConfig:
    """A transformer with normalisation before each of its two halves.

    Attributes:
      width, layers, heads: of the transformer; heads divide the width.
      hidden: width of the layer between the two of each perceptron.
      activation: "quick_gelu", x * sigmoid(1.702 x), as in OpenAI's networks; or "gelu", the exact.
      epsilon: of the normalisations.
    """

    width: int
    layers: int
    heads: int
    hidden: int
    activation: str
    epsilon: float = 1e-5


@dataclass(frozen=True)
class ClipConfig:
    """What the numbers of a CLIP do not tell by themselves.

    Attributes:
      text, image: the two transformers.
      embedding: width of the space that both lead to.
      vocabulary: number of different tokens.
      context: the most tokens of a text, start and end among them.
      end_token: the token whose place is read.
      pad_token: what follows the end; it changes nothing, since no token sees later ones.
      image_size, patch_size: in pixels.
      mean, std: of pictures in [0, 1], by colour.
    """

    text: TowerConfig
    image: TowerConfig
    embedding: int
    vocabulary: int
    context: int
    end_token: int
    pad_token: int
    image_size: int
    patch_size: int
    mean: tuple[float, float, float] = MEAN
    std: tuple[float, float, float] = STD
