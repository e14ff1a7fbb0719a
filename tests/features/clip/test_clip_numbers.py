"""A CLIP against the transformers library's numbers, from three layouts of the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from aligned_jax.errors import UserError
from aligned_jax.features import clip
from aligned_jax.features.clip.model import unit
from aligned_jax.features.clip.pictures import preprocess
from tests.features.clip.conftest import FOLDER, HEADS
from tests.helpers import relative_error

LAYOUTS = {
    "hugging face": (FOLDER, {}),
    "open_clip": (FOLDER / "open_clip_layout.safetensors", {"activation": "quick_gelu"}),
    "openai": (FOLDER / "openai_layout.pt", {}),
}


@pytest.fixture(scope="module", params=LAYOUTS)
def network(request):
    path, options = LAYOUTS[request.param]
    heads = {} if path == FOLDER else {"heads": HEADS}
    return clip.load(path, **options, **heads)


def test_tokens_are_exact(network, reference):
    tokens = network.tokenize(reference["texts"], cut=True)
    assert tokens.dtype == np.int32
    np.testing.assert_array_equal(tokens, reference["input_ids"])


def test_a_vocabulary_and_merges_give_the_same_tokens(copy, reference):
    folder = copy("vocab.json", "merges.txt", "tokenizer_config.json")
    network = clip.load(FOLDER, tokenizer=folder)
    assert not (folder / "tokenizer.json").exists()
    tokens = network.tokenize(reference["texts"], cut=True)
    np.testing.assert_array_equal(tokens, reference["input_ids"])


def test_texts(network, reference):
    vectors = network.embed_tokens(reference["input_ids"].astype(np.int32))
    assert np.abs(vectors - reference["text_embeds"]).max() < 1e-5
    again = network.embed_texts(reference["texts"], cut=True)
    np.testing.assert_array_equal(vectors, again)


def test_pictures_and_logits(network, reference):
    images = network.embed_pixels(jnp.asarray(reference["pixel_values"]))
    assert np.abs(images - reference["image_embeds"]).max() < 1e-5
    logits = network.logits(images, jnp.asarray(reference["text_embeds"]))
    assert np.abs(logits - reference["logits_per_image"]).max() < 1e-4
    assert float(network.variables["logit_scale"]) == reference["logit_scale"]


@pytest.mark.slow
def test_gradients_to_pixels(network, reference):
    text = unit(jnp.asarray(reference["text_embeds"][0]))

    def cosines(pixels):
        return unit(network.embed_pixels(pixels)) @ text

    pixels = jnp.asarray(reference["pixel_values"])
    assert np.abs(cosines(pixels) - reference["cosine_with_text0"]).max() < 1e-5
    gradient = jax.grad(lambda x: cosines(x).sum())(pixels)
    assert relative_error(gradient, reference["pixel_gradient"]) < 1e-4


def test_the_three_layouts_are_one_network():
    hashes = set()
    for path, options in LAYOUTS.values():
        heads = {} if path == FOLDER else {"heads": HEADS}
        hashes.add(clip.load(path, **options, **heads).fingerprint)
    assert len(hashes) == 1
    other = clip.load(FOLDER, activation="gelu")
    assert other.fingerprint not in hashes


def test_the_padding_of_a_text_changes_nothing(tiny, reference):
    tokens = reference["input_ids"].astype(np.int32)
    ends = (tokens == tiny.config.end_token).argmax(axis=1)
    zeros = np.where(np.arange(tokens.shape[1]) > ends[:, None], 0, tokens)
    assert (zeros != tokens).any()
    np.testing.assert_array_equal(tiny.embed_tokens(tokens), tiny.embed_tokens(zeros))


def test_preparing_equals_the_recorded_picture(tiny, reference):
    made = np.asarray(preprocess(reference["pre_u8"][None], tiny.config))
    std = np.asarray(tiny.config.std)
    assert np.abs((made - reference["pre_pixel_values"]) * std).max() <= 1 / 255 + 1e-6
    # Almost everywhere it is the same number.
    assert np.abs((made - reference["pre_pixel_values"]) * std).mean() < 1e-4


@pytest.mark.parametrize("size", [(64, 64), (1024, 1024), (40, 100), (32, 48), (20, 20)])
def test_preparing_equals_pillow(tiny, size):
    height, width = size
    random = np.random.default_rng(height)
    small = random.integers(0, 256, (16, 16, 3), np.uint8)
    blown = Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR)
    grain = random.integers(-40, 41, (height, width, 3))
    pixels = np.clip(np.asarray(blown) + grain, 0, 255).astype(np.uint8)
    short, target = min(size), tiny.config.image_size
    new = (target * width // short, target * height // short)
    image = Image.fromarray(pixels).resize(new, Image.Resampling.BICUBIC)
    left, top = (new[0] - target) // 2, (new[1] - target) // 2
    wanted = np.asarray(image.crop((left, top, left + target, top + target))) / 255

    def seen(images):
        made = np.asarray(preprocess(images, tiny.config))[0]
        return made * np.asarray(tiny.config.std) + np.asarray(tiny.config.mean)

    assert np.abs(seen(pixels[None]) - wanted).max() <= 1 / 255 + 1e-5
    # Floats are not rounded in between: at most one step and a half from Pillow.
    floats = pixels[None].astype(np.float32) / 127.5 - 1
    assert np.abs(seen(floats) - wanted).max() <= 1.5 / 255


def test_antialias_matters(tiny):
    """Without it, the mean of black and white lines would be one of them."""
    lines = np.zeros((1, 1024, 1024, 3), np.uint8)
    lines[:, ::2] = 255
    made = np.asarray(preprocess(lines, tiny.config)) * np.asarray(tiny.config.std)
    assert np.abs(made + np.asarray(tiny.config.mean) - 0.5).max() < 0.05


@pytest.mark.slow
def test_pictures_are_differentiable_through_the_preparation(tiny):
    images = jnp.asarray(np.random.default_rng(0).uniform(-0.9, 0.9, (1, 64, 64, 3)), jnp.float32)
    total = jax.jit(lambda x: tiny.embed_images(x).sum())
    gradient = jax.grad(total)(images)
    step = 1e-2 * gradient / jnp.abs(gradient).max()
    rise = total(images + step) - total(images - step)
    assert float(rise) == pytest.approx(2 * float((step * gradient).sum()), rel=0.05)


def test_floats_and_bytes_are_the_same_picture(tiny):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    floats = pixels.astype(np.float32) / 127.5 - 1
    same = tiny.embed_images(pixels) - tiny.embed_images(floats)
    assert np.abs(same).max() < 1e-4


def test_gray_and_transparent_pictures(tiny):
    gray = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 1), np.uint8)
    three = np.repeat(gray, 3, axis=-1)
    np.testing.assert_array_equal(tiny.embed_images(gray), tiny.embed_images(three))
    clear = np.concatenate([three, np.zeros_like(gray)], axis=-1)
    white = np.full_like(three, 255)
    np.testing.assert_array_equal(tiny.embed_images(clear), tiny.embed_images(white))


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.zeros((8, 8, 3), np.uint8), r"\[8, 8, 3\]"),
        (np.zeros((1, 8, 8, 2), np.uint8), r"\[1, 8, 8, 2\]"),
        (np.full((1, 8, 8, 3), 200.0, np.float32), "numbers up to 200"),
    ],
)
def test_what_is_no_picture_is_refused(tiny, images, says):
    with pytest.raises(UserError, match=says):
        tiny.embed_images(images)
