"""Trains a small CLIP on drawn faces and captions made of their attributes."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from aligned_jax.data.dataset import open_dataset
from aligned_jax.data.options import DataOptions
from aligned_jax.features.clip.config import ClipConfig, TowerConfig
from aligned_jax.features.clip.model import Clip, inputs, modules, unit
from aligned_jax.features.clip.pictures import preprocess
from aligned_jax.features.clip.tokens import TextTokens
from aligned_jax.types import Array, PyTree
from aligned_jax.utils.reporting import Advance, no_advance
from aligned_jax.zoo import captions
from aligned_jax.zoo.clip_states import read_state, state_file, write_state

START, END, UNKNOWN = "<|startoftext|>", "<|endoftext|>", "<|unknown|>"
_SCALE = float(np.log(1 / 0.07))  # CLIP's, at first
_MOST_SCALE = float(np.log(100))
_KEPT = 50  # steps between two states on the disk


@dataclass(frozen=True)
class ClipTraining:
    """How it is trained.

    Attributes:
      steps, batch, seed: of the training.
      captions: for each batch, of its pictures.
      learning_rate, rise: the highest, and steps until it is reached; it ends at zero.
      width, layers: of the picture transformer; the text transformer has two layers.
      image_size, patch_size: pixels that it sees, and of its patches.
    """

    steps: int = 1500
    batch: int = 64
    seed: int = 0
    captions: int = 64
    learning_rate: float = 2e-3
    rise: int = 60
    width: int = 64
    layers: int = 3
    image_size: int = 48
    patch_size: int = 12

    @property
    def falls(self) -> int:
        """The step from which the learning rate falls, for three tenths of all."""
        return self.steps - 3 * self.steps // 10


@dataclass(frozen=True, eq=False)
class FactTable:
    """Pictures and what is known of them.

    Attributes:
      images: uint8 [N, H, W, 3].
      facts: of each, as `captions.facts_of` tells them.
      names: (group, value) of the columns of `holds`.
      holds: float32 [N, F]; 1 where a picture has the value.
    """

    images: np.ndarray
    facts: list[dict[str, str]]
    names: list[tuple[str, str]]
    holds: np.ndarray


def fact_table(data: Mapping[str, str], split: str, most: int | None = None) -> FactTable:
    """Pictures of datasets of `aligned data avatars`, by the style they are drawn in.

    Raises:
      UserError: if a dataset cannot be read.
    """
    images, facts = [], []
    for style, path in data.items():
        dataset = open_dataset(DataOptions(path, split=split))
        count = len(dataset) if most is None else min(most, len(dataset))
        images += [dataset[index][0] for index in range(count)]
        facts += [captions.facts_of(style, dataset.attributes(index)) for index in range(count)]
    names = sorted({item for fact in facts for item in fact.items()})
    holds = np.asarray([[fact.get(group) == value for group, value in names] for fact in facts])
    return FactTable(np.stack(images), facts, names, holds.astype(np.float32))


def word_tokens(facts: Sequence[tuple[str, str]]) -> TextTokens:
    """A tokenizer of the words that captions of these facts hold; signs count as blanks."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    # The end is the largest number, as in OpenAI's: readers of every kind find it.
    every = [UNKNOWN, *captions.words(facts), START, END]
    vocabulary = {word: number for number, word in enumerate(every)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[^\p{L}\p{N}]+"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        special_tokens=[(START, vocabulary[START]), (END, vocabulary[END])],
    )
    tokenizer.add_special_tokens([UNKNOWN, START, END])
    return TextTokens(tokenizer, END)


def small_config(tokens: TextTokens, options: ClipTraining) -> ClipConfig:
    """Sizes of the network."""
    width = options.width
    return ClipConfig(
        text=TowerConfig(48, 2, 3, 192, "quick_gelu"),
        image=TowerConfig(width, options.layers, max(width // 32, 1), 4 * width, "quick_gelu"),
        embedding=48,
        vocabulary=tokens.size,
        context=20,
        end_token=tokens.end,
        pad_token=tokens.end,
        image_size=options.image_size,
        patch_size=options.patch_size,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )


def train_clip(
    table: FactTable,
    options: ClipTraining = ClipTraining(),
    advance: Advance = no_advance,
    folder: Path | None = None,
) -> Clip:
    """A CLIP whose texts are near the pictures that they are true of.

    The loss is CLIP's, in both directions, but a caption of one picture may be true of others
    of the batch, which is known: all of them share its probability.

    Args:
      table: to learn from.
      options: of the training.
      advance: hears of every step, with the loss as a note.
      folder: for its state, every 50 steps; a training that was stopped goes on from there, to
        the same numbers.

    Raises:
      UserError: if the disk refuses the state.
    """
    tokens = word_tokens(table.names)
    config = small_config(tokens, options)
    rate = functools.partial(_rate, options)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=0.05))
    pixels = _resized(table.images, config)
    variables = _start(config, options.seed)
    state = optimizer.init(variables)
    step = functools.partial(jax.jit(_step, static_argnums=(0, 1)), config, optimizer)
    done = 0
    if folder:
        decided = {key: value for key, value in asdict(options).items() if key != "steps"}
        facts = {"options": decided, "facts": table.facts, "tokens": tokens.text}
        file = state_file(folder, facts, pixels)
        kept = (variables, state)
        done, (variables, state) = read_state(file, kept, options.steps, options.falls)
        advance(done, "as it was left")
    for number in range(done, options.steps):
        random = np.random.default_rng([options.seed, number])
        chosen = random.integers(len(pixels), size=options.batch)
        images = _roughened(pixels[chosen], random)
        rows, truth = _captioned(table, chosen, tokens, config, options, random)
        variables, state, loss = step(variables, state, images, rows, truth)
        advance(1, f"loss {float(loss):.3f}")
        if folder and (number + 1) % _KEPT == 0:
            write_state(file, number + 1, (variables, state), options.steps, options.falls)
    return Clip(config, variables, tokens, "trained")


def _rate(options: ClipTraining, count: Array) -> Array:
    """The learning rate of a step: a rise, the highest for long, and a straight fall to zero.

    Until the fall, trainings of any length are the same.
    """
    step, first = jnp.asarray(count, jnp.float32), options.falls
    rise = (step + 1) / options.rise
    fall = (options.steps - step) / max(options.steps - first, 1)
    return options.learning_rate * jnp.clip(jnp.minimum(rise, fall), 0, 1)


def _start(config: ClipConfig, seed: int) -> PyTree:
    one = {name: jnp.zeros(value.shape, value.dtype) for name, value in inputs(config).items()}
    keys = dict(zip(one, jax.random.split(jax.random.key(seed)), strict=True))
    trees = {
        name: jax.jit(module.init)(keys[name], one[name])["params"]
        for name, module in modules(config).items()
    }
    return {**trees, "logit_scale": jnp.float32(_SCALE)}


def _resized(images: np.ndarray, config: ClipConfig, batch: int = 500) -> np.ndarray:
    """uint8 pictures of the size that the network sees."""
    std, mean = np.asarray(config.std, np.float32), np.asarray(config.mean, np.float32)
    parts = [
        np.asarray(preprocess(images[k : k + batch], config)) * std + mean
        for k in range(0, len(images), batch)
    ]
    return np.round(np.concatenate(parts) * 255).astype(np.uint8)


def _captioned(
    table: FactTable,
    chosen: np.ndarray,
    tokens: TextTokens,
    config: ClipConfig,
    options: ClipTraining,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of captions, and which are true of which of the chosen pictures, float32 [M, N]."""
    place = {name: column for column, name in enumerate(table.names)}
    texts = []
    told = np.zeros((options.captions, len(table.names)), np.float32)
    for row in range(options.captions):
        facts = table.facts[chosen[row % options.batch]]
        text, groups = captions.caption(facts, random)
        texts.append(text)
        told[row, [place[group, facts[group]] for group in groups]] = 1
    truth = told @ table.holds[chosen].T >= told.sum(axis=1, keepdims=True)
    return tokens.encode(texts, config.context), truth.astype(np.float32)


def _roughened(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Float pictures in [-1, 1], a little shifted, blurred and noisy, as generators draw them."""
    shifts = random.integers(-2, 3, size=(len(images), 2))
    moved = np.stack(
        [np.roll(image, shift, (0, 1)) for image, shift in zip(images, shifts, strict=True)]
    )
    x = moved.astype(np.float32) / 127.5 - 1
    blurred = (x + np.roll(x, 1, 1) + np.roll(x, -1, 1) + np.roll(x, 1, 2) + np.roll(x, -1, 2)) / 5
    share = random.uniform(0, 1, (len(x), 1, 1, 1)).astype(np.float32)
    noise = random.uniform(0, 0.06, (len(x), 1, 1, 1)).astype(np.float32)
    x = x + share * (blurred - x) + noise * random.standard_normal(x.shape, np.float32)
    return np.clip(x, -1, 1)


def _step(
    config: ClipConfig,
    optimizer: Any,
    variables: PyTree,
    state: Any,
    images: Array,
    rows: Array,
    truth: Array,
) -> tuple[PyTree, Any, Array]:
    loss, gradient = jax.value_and_grad(_loss)(variables, config, images, rows, truth)
    with jax.numpy_dtype_promotion("standard"):  # optax raises betas to an integer power
        updates, state = optimizer.update(gradient, state, variables)
    return optax.apply_updates(variables, updates), state, loss


def _loss(variables: PyTree, config: ClipConfig, images: Array, rows: Array, truth: Array) -> Array:
    """Mean cross entropy of both directions; `truth` [M, N] is shared out evenly."""
    towers = modules(config)
    mean, std = (jnp.asarray(v, jnp.float32)[None, None, None] for v in (config.mean, config.std))
    pixels = ((images + 1) / 2 - mean) / std
    pictures = towers["image"].apply({"params": variables["image"]}, pixels)
    texts = towers["text"].apply({"params": variables["text"]}, rows)
    scale = jnp.exp(jnp.minimum(variables["logit_scale"], jnp.float32(_MOST_SCALE)))
    logits = scale * (unit(jnp.asarray(texts)) @ unit(jnp.asarray(pictures)).T)
    of_texts = _shared_entropy(logits, truth)
    return (of_texts + _shared_entropy(logits.T, truth.T)) / 2


def _shared_entropy(logits: Array, truth: Array) -> Array:
    counts = jnp.maximum(truth.sum(axis=1, keepdims=True), 1)
    shares = truth / counts
    # Less the entropy of what is to be reached, so that a perfect network has 0.
    least = jnp.log(counts[:, 0])
    return -(jnp.sum(shares * jax.nn.log_softmax(logits, axis=1), axis=1) + least).mean()
