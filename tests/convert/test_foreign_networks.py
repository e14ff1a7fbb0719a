"""Networks that are not StyleGAN2 are refused by name, with what would work."""

import numpy as np
import pytest

from aligned_jax.convert import read_official
from aligned_jax.convert.files.inert import TFNetwork
from aligned_jax.convert.formats import foreign_networks, nvidia_tf, nvidia_torch
from aligned_jax.errors import FormatError, UserError
from tests.convert.small_networks import Lazy, discriminator, generator, module, nested
from tests.makers.official_file import write_rosinality, write_snapshot

ONE = Lazy(np.ones(1, np.float32))


def torch_network(path, class_name="Generator"):
    """A network object with one tensor at this path."""
    *modules, leaf = path.split(".")
    network = module(tensors={leaf: ONE}, class_name=class_name if not modules else "Layer")
    for depth, name in enumerate(reversed(modules)):
        last = depth == len(modules) - 1
        network = module({name: network}, class_name=class_name if last else "Layer")
    return network


@pytest.mark.parametrize(
    ("path", "class_name", "family"),
    [
        ("synthesis.input.transform", "Generator", "StyleGAN3"),
        ("synthesis.L0_36_512.weight", "Generator", "StyleGAN3"),
        ("synthesis.b4.conv1.magnitude_ema", "Generator", "StyleGAN3"),
        ("synthesis.b4.up_filter", "Generator", "StyleGAN3"),
        ("synthesis.L0_36_512.weight", "SuperresGenerator", "StyleGAN-XL"),
        ("mapping.embed_proj.weight", "Generator", "StyleGAN-XL"),
        ("synthesis.feat_8.weight", "Generator", "FastGAN"),
        ("feature_network.pretrained.weight", "ProjectedDiscriminator", "Projected GAN"),
        ("synthesis.b8.iwt.ll", "Generator", "SWAGAN"),
        ("synthesis.b16.attention.weight", "Generator", "attention"),
        ("g_synthesis.blocks.weight", "Generator", "StyleGAN1"),
    ],
)
def test_torch_families(path, class_name, family):
    with pytest.raises(FormatError, match=rf"{family}.*not StyleGAN2: .*Readable are StyleGAN2"):
        nvidia_torch.read({"G_ema": torch_network(path, class_name)})


def test_a_foreign_discriminator_is_refused_too():
    critic = torch_network("discriminator.mini_discs.0.weight", "ProjectedDiscriminator")
    with pytest.raises(FormatError, match="D is Projected GAN"):
        nvidia_torch.read({"G_ema": nested(generator()), "D": critic})


def test_stylegan2_itself_is_not_mistaken():
    for network in (generator(), discriminator()):
        assert foreign_networks.recognise(network.tensors, ["Generator", "SynthesisBlock"]) is None


def tensorflow(names, version=4, function="G_main", **kwargs):
    """A TensorFlow snapshot whose three networks have these variables."""
    state = {
        "version": version,
        "static_kwargs": kwargs,
        "components": {},
        "build_func_name": function,
        "variables": [(name, ONE) for name in names],
    }
    return tuple(TFNetwork(state) for _ in range(3))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (tensorflow(["4x4/Conv/weight"], 3, "G_style"), "StyleGAN1"),
        (tensorflow(["4x4/Dense/weight"], 2, "training.networks.G_paper"), "ProGAN"),
        (tensorflow(["4x4/Conv/weight"], 3), "version 3"),
        (tensorflow(["4x4/Conv/weight"], 17), "version 17"),
        (tensorflow(["4x4/Conv/weight"], True), "version True"),
        (tensorflow(["synthesis/ToRGB_lod3/weight"]), "configs A to D"),
        (tensorflow(["Output/weight"], synthesis_func="G_synthesis_stylegan"), "configs A to D"),
        (tensorflow(["mapping/LabelConcat/weight"]), "LabelConcat.*LabelEmbed"),
        (tensorflow(["synthesis/8x4/Conv1/weight"]), "not square"),
        (tensorflow(["dlatent_avg"], min_h=4, min_w=2, res_log2=7), r"not square: 512x256"),
        (tensorflow(["dlatent_avg"], resolution_w=512, resolution_h=256), r"not square: 256x512"),
        (tensorflow(["dlatent_avg"], spectral=True), "not known here: spectral"),
        (tensorflow(["synthesis/8x8/Other/weight"]), "synthesis/8x8/Other/weight"),
        (tensorflow([]), "no variables"),
        (2 * tensorflow(["dlatent_avg"]), "holds 6 networks"),
    ],
)
def test_tensorflow_families(value, said):
    with pytest.raises(FormatError, match=said):
        nvidia_tf.read(value)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"to_rgbs.0.iwt.ll": 1, "input.input": 1}, "SWAGAN"),
        ({"generator.progression.0.conv.weight": 1}, "StyleGAN1"),
        ({"init.0.weight": 1, "feat_8.0.weight": 1}, "FastGAN"),
        ({"encoder.layer.weight": 1}, "encoder.layer.weight.*Readable"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_torch_files_of_other_networks(state, said, wrapped, tmp_path):
    state = {name: np.ones(1, np.float32) for name in state}
    write_rosinality(tmp_path / "net.pt", {"g_ema": state} if wrapped else state)
    with pytest.raises(UserError, match=rf"net.pt: .*{said}"):
        read_official(tmp_path / "net.pt")


@pytest.mark.parametrize(
    "value", [{}, {"a": 1}, {"state": {"w": np.ones(2, np.float32)}}], ids=["empty", "a", "state"]
)
def test_other_files(value, tmp_path):
    write_rosinality(tmp_path / "other.pt", value)
    with pytest.raises(UserError, match=r"other.pt: it holds a dictionary.*Readable"):
        read_official(tmp_path / "other.pt")


def test_snapshots_without_network_objects(tmp_path):
    write_snapshot(tmp_path / "net.pkl", {"D": discriminator()}, G_ema=[1, 2])
    with pytest.raises(UserError, match="G_ema is a list, not a network"):
        read_official(tmp_path / "net.pkl")


def test_foreign_classes_name_the_family():
    with pytest.raises(FormatError, match="Projected GAN"):
        foreign_networks.refuse_unknown(["pg_modules.discriminator.ProjectedDiscriminator"])
    with pytest.raises(FormatError, match="StyleGAN-XL"):
        foreign_networks.refuse_unknown(["timm.models.efficientnet.Other"], ["SuperresGenerator"])
    with pytest.raises(FormatError, match=r"mentions posix\.system"):
        foreign_networks.refuse_unknown(["posix.system"], ["Generator"])
