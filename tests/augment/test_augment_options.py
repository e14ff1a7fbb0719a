"""Every option changes the result; draws, derivatives and shapes behave as promised."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.augment import (
    PRESETS,
    TRANSFORMS,
    AugmentConfig,
    apply,
    check_images,
    draw,
    geometry,
    margins,
    preset,
)
from aligned_jax.augment.warp import gather
from aligned_jax.config import from_dict, to_dict
from aligned_jax.errors import ConfigError
from tests.augment.recorded_cases import images, percentile_draws, random_case
from tests.helpers import relative_error

augment = jax.jit(apply, static_argnums=3)
make = jax.jit(draw, static_argnums=(1, 3))
KEY = jax.random.key(7)
SPREADS = {
    "xint_max": ("xint", 0.3),
    "scale_std": ("scale", 0.4),
    "rotate_max": ("rotate", 0.5),
    "aniso_std": ("aniso", 0.4),
    "xfrac_std": ("xfrac", 0.25),
    "brightness_std": ("brightness", 0.4),
    "contrast_std": ("contrast", 0.25),
    "hue_max": ("hue", 0.5),
    "saturation_std": ("saturation", 0.5),
    "imgfilter_bands": ("imgfilter", (1.0, 0.0, 1.0, 1.0)),
    "imgfilter_std": ("imgfilter", 0.5),
    "noise_std": ("noise", 0.2),
    "cutout_size": ("cutout", 0.25),
}


def test_every_field_is_tried():
    fields = {field.name for field in dataclasses.fields(AugmentConfig)}
    assert fields == set(TRANSFORMS) | set(SPREADS)


@pytest.mark.slow
@pytest.mark.parametrize("field", SPREADS)
def test_each_spread_changes_the_result(field):
    name, other = SPREADS[field]
    x = images("rgb")[:1]
    results = [
        augment(x, percentile_draws(0.7, config, 1, np.ones_like(x)), 1.0, config)
        for config in (AugmentConfig(**{name: 1.0}), AugmentConfig(**{name: 1.0, field: other}))
    ]
    assert float(jnp.abs(results[0] - results[1]).max()) > 1e-2


@pytest.mark.slow
def test_strength_is_a_factor_of_the_probability():
    """A sample is changed exactly where its gate is below strength * p."""
    x = jnp.ones((400, 1, 1, 3)) * 0.25
    for strength, p in ((1.0, 0.5), (0.5, 1.0), (0.5, 0.5)):
        config = AugmentConfig(brightness=strength)
        draws = make(KEY, config, jnp.arange(400), (1, 1, 3))
        changed = np.asarray(augment(x, draws, p, config) != x).any((1, 2, 3))
        np.testing.assert_array_equal(changed, draws["brightness"].gate < strength * p)
        assert abs(changed.mean() - strength * p) < 0.1


def test_either_rotation_happens_with_probability_p():
    config = AugmentConfig(rotate=1.0)
    draws = make(KEY, config, jnp.arange(4000), (8, 8, 3))
    inverse = geometry.inverse_map(draws, jnp.float32(0.6), config, 4000, 8, 8)
    turned = np.asarray(inverse.linear != jnp.eye(2)[None]).any((1, 2))
    assert abs(turned.mean() - 0.6) < 0.03


def test_colors_at_zero_probability_are_left_alone():
    config, x = preset("color"), images("rgb")
    draws = make(KEY, config, jnp.arange(2), (32, 32, 3))
    assert relative_error(augment(x, draws, 0.0, config), x) < 1e-6
    assert relative_error(augment(x, draws, 1.0, config), x) > 0.1


def test_nothing_enabled_returns_the_images():
    x = images("rgb")
    assert apply(x, {}, 1.0, preset("none")) is x
    assert margins({}, 1.0, preset("none"), (32, 32, 3)) is None


def test_draws_depend_on_key_and_global_index_alone():
    config, shape = preset("bgcfnc"), (4, 5, 3)
    whole = make(KEY, config, jnp.arange(8), shape)
    part = make(KEY, config, jnp.arange(4, 8), shape)
    # The bits are the same; the normal function may round by the width of its vectors.
    for name, numbers in part.items():
        for ours, theirs in zip(numbers, whole[name], strict=True):
            if ours is not None:
                np.testing.assert_allclose(ours, theirs[4:], rtol=0, atol=1e-6)
    alone = make(KEY, AugmentConfig(cutout=1.0), jnp.arange(8), shape)
    assert set(alone) == {"cutout"}
    np.testing.assert_array_equal(alone["cutout"].value, whole["cutout"].value)
    other = make(jax.random.key(8), config, jnp.arange(8), shape)
    same = jax.tree.map(lambda a, b: bool((a == b).any()), whole, other)
    assert not any(jax.tree.leaves(same))
    assert whole["noise"].field.shape == (8, *shape)


def test_draws_have_the_stated_distributions():
    draws = make(KEY, preset("bgcfnc"), jnp.arange(4000), (1, 1, 1))
    normal = ("scale", "aniso", "xfrac", "brightness", "contrast", "saturation", "imgfilter")
    for name, (value, gate, _) in draws.items():
        assert abs(float(gate.mean()) - 0.5) < 0.03 and gate.min() >= 0 and gate.max() < 1, name
        mean, std = (0, 1) if name in (*normal, "noise") else (0.5, 12**-0.5)
        assert abs(float(value.mean()) - mean) < 0.06, name
        assert abs(float(value.std()) - std) < 0.05, name
    columns = [a.reshape(4000, -1) for value, gate, _ in draws.values() for a in (value, gate)]
    correlation = np.corrcoef(np.concatenate(columns, axis=1), rowvar=False)
    assert np.abs(correlation - np.eye(len(correlation))).max() < 0.08


def test_a_split_batch_with_the_margins_of_the_whole_is_the_whole():
    config, x, draws, p = random_case("geom_p1")
    # The last sample is shrunk to a third, so that it sees far beyond the border.
    draws["scale"] = draws["scale"]._replace(value=np.float32([0, 0, 0, -8]))
    whole = augment(x, draws, p, config)
    parts = [(x[i : i + 2], jax.tree.map(lambda a, i=i: a[i : i + 2], draws)) for i in (0, 2)]
    shared = margins(draws, p, config, x.shape[1:])
    with_shared = [augment(*part, p, config, shared) for part in parts]
    np.testing.assert_allclose(np.concatenate(with_shared), whole, rtol=0, atol=1e-5)
    narrow = augment(*parts[1], p, config, jnp.zeros((2, 2), jnp.int32))
    assert float(jnp.abs(narrow - whole[2:]).max()) > 1e-2
    assert shared.dtype == jnp.int32 and int(shared.max()) <= 23


def test_one_program_serves_all_draws():
    config, x = preset("bgc"), images("rgb_b4")
    program = jax.jit(
        lambda key, p: apply(x, draw(key, config, jnp.arange(4), x.shape[1:]), p, config)
    )
    first, second = program(KEY, 0.1), program(jax.random.key(1), 1.5)
    assert first.shape == second.shape == x.shape and first.dtype == jnp.float32
    assert program._cache_size() == 1
    assert float(jnp.abs(first - second).max()) > 0.1


def test_long_axes_are_filtered_alike(monkeypatch):
    config, x, draws, p = random_case("bgc_p0.6")
    short = augment(x, draws, p, config)
    monkeypatch.setattr(gather, "_LONG", 0)
    long = jax.jit(lambda x: apply(x, draws, p, config))(x)
    assert relative_error(long, short) < 1e-5


@pytest.mark.slow
def test_second_derivatives_and_forward_mode():
    """The pipeline is y = A x + b, so that derivatives of every order are products with A."""
    config, x, draws, p = random_case("bgcfnc_p0.8")
    f = jax.jit(lambda x: apply(x, draws, p, config))
    linear = lambda v: f(v) - f(jnp.zeros_like(v))  # noqa: E731
    weight = jax.random.normal(KEY, x.shape)

    def penalty(weight):
        return jnp.square(jax.grad(lambda x: (weight * f(x) ** 2).sum())(x)).sum()

    y, pull = jax.vjp(f, x)
    expected = 8 * y * linear(pull(weight * y)[0])
    assert relative_error(jax.grad(penalty)(weight), expected) < 1e-4
    assert relative_error(jax.jvp(f, (x,), (weight,))[1], linear(weight)) < 1e-4


def test_samples_can_be_mapped():
    config, x, draws, p = random_case("bgc_p0.6")
    shared = margins(draws, p, config, x.shape[1:])
    one = lambda x, d: apply(x[None], jax.tree.map(lambda a: a[None], d), p, config, shared)[0]  # noqa: E731
    mapped = jax.jit(jax.vmap(one))(x, draws)
    assert relative_error(mapped, augment(x, draws, p, config)) < 1e-5


def test_hue_and_saturation_leave_gray_images_alone():
    config, x = AugmentConfig(hue=1.0, saturation=1.0), images("gray")
    np.testing.assert_array_equal(augment(x, {}, 1.0, config), x)


def test_config_survives_json():
    config = preset("bgcfnc", scale_std=0.3, imgfilter_bands=(1.0, 0.5, 0.0, 0.0))
    assert from_dict(AugmentConfig, to_dict(config)) == config


def test_presets_grow():
    assert PRESETS["bgcfnc"] == TRANSFORMS
    assert set(PRESETS["bg"]) < set(PRESETS["bgc"]) < set(PRESETS["bgcf"]) < set(PRESETS["bgcfn"])


@pytest.mark.parametrize(
    "make_config,words",
    [
        (lambda: preset("bcg"), ["'bcg'", "bgcfnc", "none"]),
        (lambda: preset("bgc", scale_sdt=1.0, wobble=2.0), ["scale_sdt, wobble", "scale_std"]),
        (lambda: AugmentConfig(hue=-1.0, noise_std=float("nan")), ["hue -1.0", "noise_std nan"]),
        (lambda: AugmentConfig(imgfilter_bands=(1.0, -2.0, 1.0, 1.0)), ["imgfilter_bands", "-2.0"]),
        (lambda: AugmentConfig(imgfilter_bands=(1.0,)), ["1 numbers", "four"]),
        (lambda: AugmentConfig(scale="big"), ["scale 'big'"]),
    ],
)
def test_bad_configs_are_refused(make_config, words):
    with pytest.raises(ConfigError) as error:
        make_config()
    assert all(word in str(error.value) for word in words), error.value


def test_images_that_do_not_suit_are_refused():
    config = preset("bgcfnc")
    with pytest.raises(
        ConfigError, match=r"1, 3 or 4 channels.*have 5; imgfilter.*21 pixels.*21x64"
    ):
        check_images(config, (21, 64, 5))
    with pytest.raises(ConfigError, match="brightness, contrast"):
        apply(jnp.zeros((1, 32, 32, 2)), {}, 1.0, config)
    check_images(config, (22, 22, 3))
    check_images(preset("geom"), (4, 4, 7))
