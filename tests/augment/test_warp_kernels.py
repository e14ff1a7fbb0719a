"""The kernels for TPUs, interpreted: values and derivatives; and where they are chosen."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.augment import AugmentConfig, apply, notices, preset
from aligned_jax.augment.geometry import Affine, margins_of
from aligned_jax.augment.warp import dispatch, windows
from aligned_jax.augment.warp.gather import warp_by_gather
from aligned_jax.data.options import DataOptions
from aligned_jax.runs import presets
from aligned_jax.runs.tasks import gan
from tests.augment import exact_warp
from tests.augment.recorded_cases import arrays, images, percentile_draws, random_case
from tests.augment.test_warp_taps import LINEAR, NARROW, SHIFT, WIDE
from tests.helpers import nhwc, relative_error

interpreted = functools.partial(dispatch.warp_by_windows, interpret=True)


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def pulled_back(warp):
    """Values, and what pulls numbers back to the images; compiled."""

    def both(x, inverse, margins, v):
        y, pull = jax.vjp(lambda x: warp(x, inverse, margins), x)
        return y, pull(v)[0]

    return jax.jit(both)


def agree(x, inverse, margins, limit=1e-5):
    """Kernels against the exact warp, and against the gather, which may round places otherwise."""
    v = pixels(*x.shape, seed=1)
    y, back = pulled_back(interpreted)(x, inverse, margins, v)
    exact = exact_warp.warp(x, *inverse, margins)
    assert relative_error(y, exact) < limit
    # <v, A x> = <A^T v, x> in float64, of random x and v.
    products = (np.float64(v) * exact).sum((1, 2, 3)), (np.float64(back) * x).sum((1, 2, 3))
    scale = np.linalg.norm(v) * np.linalg.norm(exact)
    assert np.abs(products[0] - products[1]).max() < limit * scale
    other, other_back = pulled_back(warp_by_gather)(x, inverse, margins, v)
    assert relative_error(y, other) < 2 * limit
    assert relative_error(back, other_back) < 2 * limit


def test_values_and_gradient():
    agree(pixels(2, 32, 32, 3), Affine(LINEAR[:2], SHIFT[:2]), jnp.asarray(WIDE))


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channels_and_margins(channels):
    x = pixels(4, 32, 32, channels)
    agree(x, Affine(LINEAR, SHIFT), jnp.asarray(NARROW))


@pytest.mark.slow
def test_images_that_are_not_square():
    agree(pixels(2, 40, 64, 3), Affine(LINEAR[:2], SHIFT[:2]), jnp.full((2, 2), 39, jnp.int32))


@pytest.mark.slow
def test_several_passes_over_windows():
    """Shrunk 3.7 and 5.3 times, a tile reads more than a window; margins at their largest."""
    size = 96
    linear = np.float32([[[3.2, 0.5], [-0.9, 3.5]], [[3.9, -1.4], [2.1, 3.2]]])
    inverse = Affine(linear, np.float32([[2.3, -7.1], [0.4, 5.5]]))
    margins = margins_of(inverse, size, size)
    assert np.abs(linear).sum(2).max() == pytest.approx(5.3) and int(margins.min()) == size - 1
    each = jnp.broadcast_to(margins[None], (2, 2, 2))
    plan = windows.plan(*map(jnp.asarray, inverse), each, windows.Tiling(size, size))
    assert (plan[:, :, 2:].max((1, 3)) >= 2).all()
    x = pixels(2, size, size, 3)
    # Places lie up to 600 samples away, where a float32 is a multiple of 6e-5.
    agree(x, inverse, margins, limit=6e-5)
    exact = exact_warp.warp(x, *inverse, np.asarray(margins))
    errors = [relative_error(f(x, inverse, margins), exact) for f in (interpreted, warp_by_gather)]
    assert errors[0] < 2 * errors[1]


@pytest.mark.slow
def test_gradients_of_gradients():
    """R1: the penalty, and its gradients by a weight after the warp and by the image."""
    x, weight = pixels(2, 32, 32, 3), pixels(2, 32, 32, 3, seed=2)
    inverse, margins = Affine(LINEAR[:2], SHIFT[:2]), jnp.asarray(WIDE)

    def penalty(warp, weight, x):
        scored = lambda x: jnp.sin(weight * warp(x, inverse, margins)).sum()  # noqa: E731
        return jnp.square(jax.grad(scored)(x)).sum()

    ours, theirs = (
        jax.jit(jax.value_and_grad(functools.partial(penalty, warp), (0, 1)))(weight, x)
        for warp in (interpreted, warp_by_gather)
    )
    assert float(ours[0]) == pytest.approx(float(theirs[0]), rel=1e-5)
    for one, other in zip(ours[1], theirs[1], strict=True):
        assert relative_error(one, other) < 1e-4


@pytest.mark.slow
def test_forward_mode_and_derivatives_along_the_map():
    x, inverse = pixels(2, 32, 32, 1), Affine(LINEAR[:2] + 0.013, SHIFT[:2])
    moved = pixels(2, 32, 32, 1, seed=3), Affine(LINEAR[2:] * 0.1, SHIFT[2:] * 0.01)
    ours, theirs = (
        jax.jit(
            lambda x, i, warp=warp: jax.jvp(
                lambda x, i: warp(x, i, jnp.asarray(WIDE)), (x, i), moved
            )
        )(x, inverse)
        for warp in (interpreted, warp_by_gather)
    )
    assert relative_error(ours[1], theirs[1]) < 1e-4
    assert relative_error(ours[0], theirs[0]) < 2e-5


@pytest.mark.slow
def test_samples_can_be_mapped_with_margins_of_their_own():
    x, inverse = pixels(2, 32, 32, 1), Affine(LINEAR[:2], SHIFT[:2])
    margins = jnp.stack([jnp.asarray(NARROW), jnp.asarray(WIDE)])

    def one(x, a, s, m, warp):
        return jax.grad(lambda x: jnp.sin(warp(x[None], Affine(a[None], s[None]), m)).sum())(x)

    ours, theirs = (
        jax.jit(jax.vmap(functools.partial(one, warp=warp)))(x, *inverse, margins)
        for warp in (interpreted, warp_by_gather)
    )
    assert relative_error(ours, theirs) < 2e-5


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("name", ["geom", "bgc", "gray"])
def test_recorded_results(name, monkeypatch):
    """Those of the official implementation, with gradients where they are stored."""
    monkeypatch.setattr(dispatch, "warp", interpreted)
    if name == "gray":
        config, x, draws, p = random_case("gray_bgc_p1")
        actual = jax.jit(lambda x: apply(x, draws, p, config))(x)
        assert relative_error(actual, nhwc(arrays()["random/gray_bgc_p1/y"])) < 2e-5
        return
    config, x = preset(name), images("rgb")
    draws = percentile_draws(0.7, config, len(x))
    augment = jax.jit(lambda x: apply(x, draws, 1.0, config))
    expected = nhwc(arrays()[f"preset/{name}/p0.7/y"])
    assert relative_error(augment(x)[: len(expected)], expected) < 2e-5
    if name == "bgc":
        _, pull = jax.vjp(augment, x)
        back = pull(nhwc(arrays()["grad/bgc/v"]))[0]
        assert relative_error(back, nhwc(arrays()["grad/bgc/dx"])) < 2e-5


def operations(shape, backend, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    x = jax.ShapeDtypeStruct((2, *shape), jnp.float32)
    inverse = Affine(LINEAR[:2], SHIFT[:2])
    return str(jax.make_jaxpr(lambda x: dispatch.warp(x, inverse, jnp.asarray(WIDE)))(x))


@pytest.mark.parametrize(
    "shape,backend,by_windows",
    [
        ((32, 32, 3), "tpu", True),
        ((64, 40, 4), "tpu", True),
        ((32, 32, 3), "cpu", False),
        ((32, 32, 3), "gpu", False),
        ((24, 24, 3), "tpu", False),
        ((36, 32, 3), "tpu", False),
        ((32, 32, 5), "tpu", False),
    ],
)
def test_windows_are_for_tpus_and_images_that_fit(shape, backend, by_windows, monkeypatch):
    assert ("warp_sample" in operations(shape, backend, monkeypatch)) == by_windows


def test_large_images_are_gathered_and_told_of(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    told = {}
    for mib in (16, 64, 128):
        monkeypatch.setattr(dispatch, "_memory", lambda mib=mib: mib * 2**20)
        for size in (256, 512, 1024):
            told[mib, size] = notices(preset("bgc"), (size, size, 3), 8)
    small = {key for key, lines in told.items() if not lines}
    assert small == {(16, 256), (64, 256), (64, 512), (128, 256), (128, 512)}
    assert told[16, 512][0].startswith(
        "augmentation gathers the pixels that it moves one by one, since the kernel needs 38 MiB "
        "of a core's own memory for images of 512x512, of which there are 16: on a TPU, by what "
        "its compiler counts, some 8.6 s for 8 images"
    )
    assert notices(AugmentConfig(brightness=1.0), (1024, 1024, 3), 8) == []
    assert (
        "from 32 px in steps of 8, the images are 24x24" in notices(preset("bg"), (24, 24, 3), 8)[0]
    )
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert notices(preset("bgc"), (1024, 1024, 3), 8) == []


@pytest.mark.slow
@pytest.mark.parametrize("platform,kernels", [("tpu", 2), ("cuda", 0), ("cpu", 0)])
def test_what_is_lowered_for_a_device(platform, kernels):
    """Kernels for TPUs alone, and then nothing is gathered or scattered."""
    inverse, margins = Affine(LINEAR[:2], SHIFT[:2]), jnp.asarray(WIDE)
    stage = lambda x: jnp.square(dispatch.warp_by_windows(x, inverse, margins)).sum()  # noqa: E731
    x = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
    program = jax.export.export(jax.jit(jax.grad(stage)), platforms=[platform])(x).mlir_module()
    assert program.count("@tpu_custom_call") == kernels
    gathers = [program.count(f"stablehlo.{name}") for name in ("gather", "scatter")]
    assert all(gathers) if kernels == 0 else not any(gathers)


def test_a_training_tells_of_gathered_images(monkeypatch):
    """The rows of a round on one of eight devices, where something geometric may happen."""
    config = presets.config_of("paper1024", DataOptions("none"), presets.Sizes(1024), 32)
    assert config.augment.uses(("rotate",)) and gan.GanTask(config).notices() == []
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    (told,) = gan.GanTask(config).notices()
    assert "some 4.3 s for 1 image and" in told and "1024x1024" in told
    still = dataclasses.replace(config, ada=dataclasses.replace(config.ada, mode="none"))
    assert gan.GanTask(still).notices() == []
