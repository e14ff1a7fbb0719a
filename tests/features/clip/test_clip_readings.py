"""What the files of a CLIP say of it: heeded, settled by options, or refused."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from aligned_jax.errors import FormatError, UserError
from aligned_jax.features import clip
from aligned_jax.features.clip import names
from aligned_jax.features.clip.model import flat, parameter_shapes
from aligned_jax.features.clip.tokens import read_tokens
from tests.features.clip.conftest import FOLDER, HEADS, edit

OPEN_CLIP = "open_clip_layout.safetensors"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def vectors(network):
    """Of a text and of a picture."""
    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    both = (network.embed_texts(["a person"]), network.embed_images(picture))
    return np.concatenate([np.asarray(part)[0] for part in both])


def differs(network, other):
    return np.abs(vectors(network) - vectors(other)).max() > 1e-4


# Activation


@pytest.mark.slow
def test_open_clip_without_its_config_must_be_told_the_activation(copy):
    folder = copy(OPEN_CLIP, *TOKENIZER)
    with pytest.raises(FormatError, match=r"QuickGELU.*`activation="):
        clip.load(folder / OPEN_CLIP, heads=HEADS)
    quick, exact = (
        clip.load(folder / OPEN_CLIP, heads=HEADS, activation=name)
        for name in ("quick_gelu", "gelu")
    )
    assert differs(quick, exact)


def test_open_clip_config_tells_the_activation_and_the_heads(copy):
    folder = copy(OPEN_CLIP, *TOKENIZER)
    (folder / OPEN_CLIP).rename(folder / "open_clip_model.safetensors")
    text, vision = {"heads": 3, "width": 24}, {"head_width": 8, "width": 32}
    document = {"model_cfg": {"text_cfg": text, "vision_cfg": vision, "quick_gelu": True}}
    (folder / "open_clip_config.json").write_text(json.dumps(document))
    told = clip.load(folder)
    assert (told.config.text.heads, told.config.image.heads) == (3, 4)
    assert not differs(told, clip.load(FOLDER))
    edit(folder / "open_clip_config.json", model_cfg__quick_gelu=None)
    assert clip.load(folder).config.text.activation == "gelu"
    edit(folder / "open_clip_config.json", preprocess_cfg__mean=[0.5, 0.5, 0.5])
    assert clip.load(folder).config.mean == (0.5, 0.5, 0.5)
    document["model_cfg"]["vision_cfg"] = {"head_width": 0, "width": 32}  # as good as none
    (folder / "open_clip_config.json").write_text(json.dumps(document))
    assert clip.load(folder, heads=HEADS).config.image.heads == 4


def test_openai_archives_are_quickgelu():
    told = clip.load(FOLDER / "openai_layout.pt", heads=HEADS)
    assert (told.config.text.activation, told.config.image.activation) == ("quick_gelu",) * 2
    assert differs(told, clip.load(FOLDER / "openai_layout.pt", heads=HEADS, activation="gelu"))


def test_hugging_face_tells_the_activation_of_each(copy):
    folder = copy()
    edit(folder / "config.json", text_config__hidden_act="gelu", vision_config__hidden_act=None)
    told = clip.load(folder).config
    # What is left out is the library's default.
    assert (told.text.activation, told.image.activation) == ("gelu", "quick_gelu")
    edit(folder / "config.json", text_config__hidden_act="relu")
    with pytest.raises(FormatError, match="'relu'; it is quick_gelu or gelu"):
        clip.load(folder)


# Heads


@pytest.mark.slow
def test_heads_that_nothing_tells_are_asked_for(copy):
    folder = copy(OPEN_CLIP, *TOKENIZER)
    with pytest.raises(FormatError, match=r"text transformer of width 24 has.*`heads`"):
        clip.load(folder / OPEN_CLIP, activation="gelu")
    with pytest.raises(FormatError, match="5 heads do not divide the width 24"):
        clip.load(folder / OPEN_CLIP, activation="gelu", heads=(5, 4))
    options = {"activation": "quick_gelu"}
    right = clip.load(folder / OPEN_CLIP, heads=HEADS, **options)
    assert differs(right, clip.load(folder / OPEN_CLIP, heads=(2, 4), **options))
    assert differs(right, clip.load(folder / OPEN_CLIP, heads=(3, 2), **options))


# End token


def test_the_two_of_old_configs_means_the_largest_token(copy):
    folder = copy()
    edit(folder / "config.json", text_config__eos_token_id=2)
    assert clip.load(folder).config.end_token == 684
    edit(folder / "config.json", text_config__eos_token_id=None)
    assert not differs(clip.load(folder), clip.load(FOLDER))


def test_end_tokens_that_contradict_each_other_are_settled_by_the_option(copy):
    folder = copy()
    edit(folder / "config.json", text_config__eos_token_id=683)
    with pytest.raises(FormatError, match=r"token 683.*ends them with 684.*`end_token`"):
        clip.load(folder)
    assert not differs(clip.load(folder, end_token=684), clip.load(FOLDER))
    assert differs(clip.load(folder, end_token=683), clip.load(FOLDER))
    with pytest.raises(UserError, match="tokens are 0 to 684"):
        clip.load(folder, end_token=685)


def test_a_tokenizer_whose_end_is_not_the_largest_token_is_refused(copy):
    """OpenAI's rule reads the largest token of a text, which would be another one."""
    folder = copy(OPEN_CLIP, *TOKENIZER)
    document = json.loads((folder / "tokenizer.json").read_text())
    document["post_processor"].update(sep=["<|startoftext|>", 683], cls=["<|endoftext|>", 684])
    (folder / "tokenizer.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match=r"token 684 by.*ends them with 683"):
        clip.load(folder / OPEN_CLIP, heads=HEADS, activation="gelu")


# Length and padding


def test_texts_that_are_too_long_are_refused_or_cut(tiny, reference):
    long = max(reference["texts"], key=lambda text: len(text.split()))
    with pytest.raises(UserError, match=r"tokens; 77 is the most"):
        tiny.tokenize(["a face", long])
    rows = tiny.tokenize(["a face", long], cut=True)
    assert rows[1, -1] == tiny.config.end_token and tiny.config.end_token not in rows[1, :-1]


def test_a_text_that_holds_the_end_is_refused(tiny):
    with pytest.raises(UserError, match="leave it out"):
        tiny.tokenize(["a <|endoftext|> face"])


def test_one_text_alone_is_refused(tiny):
    with pytest.raises(UserError, match=r"give \['a face'\]"):
        tiny.tokenize("a face")


def test_padding_is_what_the_tokenizer_says(copy, tiny):
    assert tiny.config.pad_token == 684
    folder = copy()
    (folder / "tokenizer_config.json").unlink()
    plain = clip.load(folder)
    assert plain.config.pad_token == 0
    assert plain.tokenize(["a face"])[0, -1] == 0
    assert not differs(plain, tiny)


# Pictures


def test_the_preparation_is_what_its_file_says(copy, tiny):
    folder = copy()
    file = folder / "preprocessor_config.json"
    edit(file, image_mean=[0.5, 0.5, 0.5], image_std=[0.2, 0.2, 0.2])
    assert differs(clip.load(folder), tiny)
    edit(file, image_mean=[0.5])
    with pytest.raises(FormatError, match="three numbers"):
        clip.load(folder)
    edit(file, image_mean=None, resample=2)
    with pytest.raises(FormatError, match="not bicubically"):
        clip.load(folder)
    edit(file, resample=None, crop_size={"height": 64, "width": 64})
    with pytest.raises(FormatError, match="64 pixels, but the weights are for 32"):
        clip.load(folder)


# Files


def test_half_precision_is_read(copy, tiny):
    folder = copy()
    tensors = load_file(folder / "model.safetensors")
    halves = {name: value.astype(np.float16) for name, value in tensors.items()}
    halves["logit_scale"] = halves["logit_scale"].reshape(1)  # as some have it
    save_file(halves, folder / "model.safetensors")
    read = clip.load(folder)
    assert all(leaf.dtype == np.float32 for leaf in flat(read.variables).values())
    assert np.abs(vectors(read) - vectors(tiny)).max() < 1e-2


def test_every_wrong_tensor_is_named(copy):
    folder = copy()
    tensors = load_file(folder / "model.safetensors")
    del tensors["text_model.final_layer_norm.weight"]
    tensors["vision_model.post_layernorm.bias"] = np.zeros(5, np.float32)
    tensors["visual_projection.weight"][0, 0] = np.nan
    tensors["something.else"] = np.zeros(1, np.float32)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(FormatError) as error:
        clip.load(folder)
    for part in (
        r"final_layer_norm.weight [24] is missing",
        r"post_layernorm.bias has shape [5], expected [32]",
        r"visual_projection.weight holds values that are not finite",
        r"something.else is unexpected",
    ):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("added", "says"),
    [("visual.layer1.0.conv1.weight", "ResNet"), ("visual.trunk.patch_embed.weight", "timm")],
)
def test_other_kinds_of_clip_are_refused(copy, added, says):
    folder = copy(OPEN_CLIP, *TOKENIZER)
    tensors = load_file(folder / OPEN_CLIP)
    save_file(tensors | {added: np.zeros(1, np.float32)}, folder / OPEN_CLIP)
    with pytest.raises(FormatError, match=says):
        clip.load(folder / OPEN_CLIP, heads=HEADS, activation="gelu")


def test_another_model_is_refused(copy):
    folder = copy()
    edit(folder / "config.json", model_type="siglip")
    with pytest.raises(FormatError, match="of a 'siglip', not a clip"):
        clip.load(folder)


def test_a_generator_is_no_clip():
    with pytest.raises(FormatError, match="hostile_baseline_ok"):
        clip.load(FOLDER.parent / "hostile_baseline_ok.pkl", tokenizer=FOLDER)


def test_what_is_missing_is_said(tmp_path, copy):
    with pytest.raises(UserError, match="there is no"):
        clip.load(tmp_path / "nothing")
    with pytest.raises(UserError, match="no weights of a CLIP"):
        clip.load(tmp_path)
    with pytest.raises(UserError, match="there is no CLIP zoo:nothing; the zoo has"):
        clip.load("zoo:nothing")
    folder = copy("config.json", "model.safetensors")
    with pytest.raises(UserError, match=r"no tokenizer.json.*`tokenizer`"):
        clip.load(folder)
    assert not differs(clip.load(folder, tokenizer=FOLDER), clip.load(FOLDER))


def test_a_padding_that_is_no_text_is_refused(copy):
    folder = copy()
    (folder / "tokenizer_config.json").write_text('{"pad_token": "\\ud800"}')
    with pytest.raises(FormatError, match="contradicts itself"):
        clip.load(folder)


def test_a_damaged_tokenizer_is_refused(copy):
    folder = copy()
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(FormatError, match="no tokenizer that can be read"):
        clip.load(folder)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text("[]")
    with pytest.raises(FormatError, match="do not fit"):
        clip.load(folder)


@pytest.mark.parametrize("nested", [False, True])
def test_a_template_of_tokens_that_it_does_not_define_is_refused(copy, capfd, nested):
    """The package would accept it and panic at the first text."""
    folder = copy("config.json", "model.safetensors", *TOKENIZER)
    document = json.loads((folder / "tokenizer.json").read_text())
    pieces = [
        {"SpecialToken": {"id": "<|x|>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ]
    template = {"type": "TemplateProcessing", "single": pieces, "pair": [], "special_tokens": {}}
    nest = {"type": "Sequence", "processors": [template]}
    document["post_processor"] = nest if nested else template
    (folder / "tokenizer.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match="that it does not define"):
        clip.load(folder)
    assert capfd.readouterr().err == ""


def test_a_tokenizer_without_its_own_unknown_word_is_refused(copy):
    folder = copy("config.json", "model.safetensors", *TOKENIZER)
    document = json.loads((folder / "tokenizer.json").read_text())
    document["model"] = {"type": "WordLevel", "vocab": {"red": 0}, "unk_token": "<unk>"}
    document |= {"pre_tokenizer": {"type": "Whitespace"}}
    (folder / "tokenizer.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match="contradicts itself"):
        read_tokens(folder).encode(["blue"], 77)


@pytest.mark.parametrize("file", ["tokenizer.json", "vocab.json"])
def test_a_token_of_an_absurd_number_is_refused_at_once(copy, file):
    """The package would count up to it, for minutes."""
    folder = copy()
    document = json.loads((folder / file).read_text())
    vocabulary = document if file == "vocab.json" else document["model"]["vocab"]
    vocabulary["\u0116"] = 2**31
    (folder / file).write_text(json.dumps(document))
    if file == "vocab.json":
        (folder / "tokenizer.json").unlink()
    with pytest.raises(FormatError, match="has the number 2147483648"):
        clip.load(folder)


def test_a_tokenizer_of_more_words_is_refused(copy):
    folder = copy("config.json", "model.safetensors", *TOKENIZER)
    document = json.loads((folder / "tokenizer.json").read_text())
    more = dict(document["added_tokens"][0], id=685, content="<|more|>")
    document["added_tokens"].append(more)
    (folder / "tokenizer.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match="686 tokens, the weights 685"):
        clip.load(folder)


def test_without_the_package_texts_are_refused(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(UserError, match=r"aligned_jax\[semantics\]"):
        clip.load(FOLDER)


def test_layouts_are_turned_back(tiny):
    tensors = load_file(FOLDER / OPEN_CLIP)
    for ours, array in flat(tiny.variables).items():
        [theirs] = names.theirs(ours, hugging_face=False)
        np.testing.assert_array_equal(names.their_layout(ours, array), tensors[theirs])
    assert flat(tiny.variables).keys() == parameter_shapes(tiny.config).keys()
