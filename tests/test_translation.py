"""Translation and mixtures, against the same thing written out."""

import dataclasses
import itertools
import re

import jax
import numpy as np
import pytest

from aligned_jax import loading, translation
from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.inversion.spaces import WIDER
from aligned_jax.latents import style_layers, z_from_seeds
from tests.helpers import DATA, relative_error


def moved(network, seed=0, noise=False):
    """The network with its trained weights and w_avg, or its noise maps, changed."""
    random = np.random.default_rng(seed)

    def change(path, value):
        if ("noise_const" in jax.tree_util.keystr(path)) != noise:
            return value
        return value + np.float32(0.1) * random.standard_normal(value.shape, np.float32)

    return jax.tree_util.tree_map_with_path(change, network)


@pytest.fixture(scope="module")
def parent():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


@pytest.fixture(scope="module")
def child(parent):
    return moved(parent)


@pytest.fixture(scope="module")
def z(parent):
    return z_from_seeds(parent.config, range(3))


def expected_styles(network, z, psi):
    """By hand: mapping, truncation towards the network's own mean, affine layers."""
    ws, mean = np.asarray(network.mapping(z)), np.asarray(network.w_avg)
    return network.styles(mean + np.float32(psi) * (ws - mean))


def test_z_passes_the_mapping_and_the_mean_of_the_network_that_renders(parent, child, z):
    for network in (parent, child):
        styles = translation.styles_of(network, {"z": z})
        for name, value in expected_styles(network, z, 0.5).items():
            assert relative_error(styles[name], value) < 1e-5
        assert list(styles) == [layer.name for layer in style_layers(network.config)]
    ours, theirs = (translation.styles_of(network, {"z": z}) for network in (parent, child))
    assert relative_error(ours["b4.conv1"], theirs["b4.conv1"]) > 1e-2


def test_psi_truncates_z_and_z_plus_alone(child, z):
    rows = np.repeat(z[:, None], child.config.num_ws, axis=1)
    ws = np.asarray(child.mapping(z))
    styles = {f"styles/{k}": v for k, v in child.styles(ws).items()}
    for latents, truncated in (({"z": z}, True), ({"z": rows}, True), ({"ws": ws}, False),
                               ({"ws": ws[:, 0]}, False), (styles, False)):  # fmt: skip
        actual = translation.styles_of(child, latents, psi=0.3)
        plain = translation.styles_of(child, latents, psi=1.0)
        assert relative_error(plain["b8.conv1"], styles["styles/b8.conv1"]) < 1e-5
        assert (relative_error(actual["b8.conv1"], plain["b8.conv1"]) > 1e-2) == truncated


def test_every_space_gives_the_same_picture(child, z):
    ws = np.asarray(child.mapping(z, psi=0.5))
    styles = {f"styles/{k}": v for k, v in child.styles(ws).items()}
    expected = child(z, psi=0.5)
    for latents in ({"z": z}, {"ws": ws}, {"ws": ws[:, 0]}, styles):
        assert relative_error(translation.translate(child, latents), expected) < 1e-5


def test_what_the_parent_makes_itself_stays_in_the_child(parent, child, z):
    """In z the child maps, in w the parent does, in s its affine layers too."""
    ws = np.asarray(parent.mapping(z, psi=0.5))
    expected = {
        "z": child(z, psi=0.5),
        "w": child.synthesis(ws),
        "s": child.render(parent.styles(ws)),
    }
    expected |= {"z+": expected["z"], "w+": expected["w"]}
    for space, images in expected.items():
        latents = translation.in_space(parent, {"z": z}, space)
        assert relative_error(translation.translate(child, latents), images) < 1e-5
    assert relative_error(expected["w"], expected["z"]) > 1e-2
    assert relative_error(expected["s"], expected["w"]) > 1e-2
    np.testing.assert_array_equal(translation.in_space(parent, {"ws": ws}, "w")["ws"], ws)
    brought = translation.in_space(parent, {"z": z}, "w", psi=1.0)
    assert relative_error(brought["ws"], ws) > 1e-2


def test_no_way_leads_back(parent, z):
    ws = {"ws": np.asarray(parent.mapping(z))}
    styles = translation.in_space(parent, ws, "s")
    for latents, space in ((ws, "z"), (styles, "z+"), (styles, "w"), (ws, "p")):
        with pytest.raises(UserError, match="from which no way leads to"):
            translation.in_space(parent, latents, space)


def test_latents_are_in_no_narrower_space(parent, z):
    """Rows that differ are not in z or w, and those that do not, are."""
    rows = np.stack([z] * parent.config.num_ws, axis=1)
    ws = np.asarray(parent.mapping(z))
    apart, w_apart = rows.copy(), ws.copy()
    apart[:, 1] += 0.1
    w_apart[0, 1] += 0.1
    spaces = {"z": ({"z": z}, {"z": rows}), "z+": ({"z": apart},), "w+": ({"ws": w_apart},)}
    spaces |= {"w": ({"ws": ws}, {"ws": ws[:, 0]}, {"ws": ws * np.float32(1 + 1e-7)})}
    for space, several in spaces.items():
        for latents in several:
            assert translation.space_of(latents) == space
            for wanted in ("z", "z+", "w", "w+", "s"):
                if wanted in WIDER[space]:
                    assert translation.in_space(parent, latents, wanted)
                    continue
                message = re.escape(f"of {space}, from which no way leads to {wanted};")
                with pytest.raises(UserError, match=message):
                    translation.in_space(parent, latents, wanted)
    assert translation.space_of({"styles/b4.conv1": ws}) == "s"


def test_noise_is_that_of_the_argument(parent, z):
    noises = [("const", None), ("none", None)]
    noises += [("random", jax.random.key(seed)) for seed in (0, 1)]
    drawn = [np.asarray(translation.translate(parent, {"z": z}, 0.5, *noise)) for noise in noises]
    for i, j in ((0, 1), (0, 2), (1, 2), (2, 3)):
        assert (drawn[i] != drawn[j]).any()


def test_labels_go_with_z():
    network = loading.load(DATA / "generator_cond16.pkl")
    z, c = z_from_seeds(network.config, [0]), np.eye(network.config.c_dim, dtype=np.float32)
    first, second = (translation.styles_of(network, {"z": z, "c": c[k : k + 1]}) for k in (0, 1))
    assert relative_error(first["b4.conv1"], second["b4.conv1"]) > 1e-3
    with pytest.raises(UserError, match="conditional"):
        translation.styles_of(network, {"z": z})


def test_no_latents(child):
    with pytest.raises(UserError, match="no latents to render: c; give z or ws"):
        translation.styles_of(child, {"c": np.zeros((1, 0))})
    with pytest.raises(UserError, match=r"b8\.conv1 is missing"):
        translation.styles_of(child, {"styles/b4.conv1": np.zeros((1, 4), np.float32)})


@pytest.mark.parametrize(
    ("layers", "cut"),
    [(0, 0), (3, 3), (" 5 ", 5), ("4px", 0), ("8px", 2), ("16px", 5)],
)
def test_layers_are_an_index_or_a_resolution(parent, layers, cut):
    assert translation.cut_of(parent.config, layers) == cut


def test_the_papers_cuts():
    """23 layers at 512 pixels; 6 leaves the source all through the first layer of 16 pixels."""
    config = loading.load(DATA / "generator_skip256.pkl").config
    layers = style_layers(config)
    assert len(layers) == 20
    assert layers[translation.usual_layers(config) - 1].name == "b16.conv0"
    assert translation.cut_of(config, "32px") == 8


@pytest.mark.parametrize(
    ("resolution", "layers"), [(8, 2), (32, 2), (64, 2), (128, 4), (256, 6), (512, 6), (1024, 6)]
)
def test_small_networks_leave_more_to_a_reference(resolution, layers):
    assert translation.usual_layers(GeneratorConfig(resolution)) == layers


@pytest.mark.parametrize("layers", [6, -1, "-1", "12px", "32px", "2px", "px", "", "six", "²"])
def test_layers_that_do_not_exist(parent, layers):
    with pytest.raises(UserError, match="from 0 to 5, or a resolution from 4px to 16px"):
        translation.cut_of(parent.config, layers)


def test_mixtures_have_coarse_layers_of_the_source(child, z):
    sources = translation.styles_of(child, {"z": z[:2]})
    references = translation.styles_of(child, {"z": z[::-1]})
    cuts = [0, 2, 5]
    mixed = translation.mixtures(child.config, sources, references, cuts)
    for layer in style_layers(child.config):
        rows = [
            sources[layer.name][n] if layer.index < cut else references[layer.name][m]
            for n in range(2)
            for m in range(3)
            for cut in cuts
        ]
        np.testing.assert_array_equal(mixed[layer.name], rows)


def test_the_ends_of_a_row_are_the_reference_and_the_translation(child, z):
    sources, references = (translation.styles_of(child, {"z": z[k : k + 1]}) for k in (0, 1))
    mixed = translation.mixtures(child.config, sources, references, range(6))
    images = np.asarray(child.render(mixed))
    assert relative_error(images[:1], child.render(references)) < 1e-5
    assert relative_error(images[-1:], child.render(sources)) < 1e-5
    assert all((a != b).any() for a, b in itertools.pairwise(images))


def test_mixtures_of_styles_that_do_not_fit(child, z):
    styles = translation.styles_of(child, {"z": z})
    part = {name: value for name, value in styles.items() if name != "b8.torgb"}
    for pair in ((styles, part), (part, styles)):
        with pytest.raises(UserError, match=r"b8\.torgb is missing"):
            translation.mixtures(child.config, *pair, [2])


def test_networks_of_other_shapes_are_refused(parent, child):
    translation.check_aligned(parent, child)
    other = loading.load(DATA / "avatars_parent.pkl")
    with pytest.raises(ConfigError, match=r"not aligned(.|\n)*img_resolution: 8 versus 32"):
        translation.check_aligned(parent, other)


def test_equal_noise_maps_mean_a_common_ancestor(parent, child):
    assert translation.share_noise(parent, child) is True
    half = jax.tree.map(lambda v: np.asarray(v, np.float16).astype(np.float32), child)
    assert translation.share_noise(parent, half) is True
    assert translation.share_noise(parent, moved(parent, noise=True)) is False
    bare = dataclasses.replace(parent, variables={"params": parent.variables["params"]})
    assert translation.share_noise(bare, child) is None
    assert translation.share_noise(child, bare) is None


def test_presets():
    plain, toonify = (translation.PRESETS[name] for name in ("plain", "toonify"))
    assert (plain.space, plain.psi, plain.noise) == (None, None, "const")
    assert (toonify.space, toonify.psi, toonify.noise) == ("z", 0.5, "random")
