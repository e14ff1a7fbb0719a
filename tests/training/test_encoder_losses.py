"""Parts of the encoders' training: options, Ranger, the pool, losses of latents."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.errors import ConfigError
from aligned_jax.losses import delta_penalty, identity_loss, pixel_loss, w_norm
from aligned_jax.training import ranger
from aligned_jax.training.encoder_options import EncoderOptions
from aligned_jax.training.encoder_state import EncoderRecipe, with_backbone
from aligned_jax.training.latent_critic import empty_pool, init_critic, replay
from tests.networks.small_encoder import filled
from tests.training import tiny_encoder as tiny


def rectified_adam(gradients, start, options):
    """Ranger of one kernel [inputs, outputs], by the formulas of the papers."""
    (b1, b2), p, slow = options.betas, start.copy(), start.copy()
    m = v = np.zeros_like(p)
    longest = 2 / (1 - b2) - 1
    for t, g in enumerate(gradients, 1):
        g = g - g.mean(axis=0)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        length = longest - 2 * t * b2**t / (1 - b2**t)
        step = m / (1 - b1**t)
        if length >= 5:
            top = (length - 4) * (length - 2) * longest
            bottom = (longest - 4) * (longest - 2) * length
            step *= np.sqrt(top / bottom) / (np.sqrt(v / (1 - b2**t)) + options.eps)
        p = p - options.learning_rate * step
        if t % options.lookahead == 0:
            slow = slow + options.slow_step * (p - slow)
            p = slow.copy()
    return p, slow


def test_ranger():
    options = EncoderOptions(learning_rate=0.1, betas=(0.9, 0.95), lookahead=4)
    random = np.random.default_rng(0)
    gradients = random.standard_normal((10, 3, 2)).astype(np.float32)
    start = random.standard_normal((3, 2)).astype(np.float32)
    params = {"late": {"weight": jnp.asarray(start)}, "early": {"weight": jnp.asarray(start)}}
    state = ranger.init(options, params)
    step = jax.jit(lambda g, s, p: ranger.take_step(options, g, s, p))
    for t, g in enumerate(gradients):
        late = {"weight": jnp.asarray(g) * float(t >= 3)}
        params, state = step({"late": late, "early": {"weight": jnp.asarray(g)}}, state, params)
        if t < 3:
            np.testing.assert_array_equal(params["late"]["weight"], start)
    for name, seen in (("early", gradients), ("late", gradients[3:])):
        fast, slow = rectified_adam(seen.astype(np.float64), start.astype(np.float64), options)
        np.testing.assert_allclose(params[name]["weight"], fast, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(state.slow[name]["weight"], slow, rtol=1e-4, atol=1e-6)
    lost = {name: {"weight": jnp.full((3, 2), jnp.nan)} for name in params}
    after, _ = step(lost, state, params)
    np.testing.assert_array_equal(after["early"]["weight"], params["early"]["weight"])


@pytest.mark.slow
def test_pool():
    pool, run = empty_pool(6, 2), jax.jit(replay)
    latents = jnp.arange(80, dtype=jnp.float32).reshape(40, 2)
    seen, pool = run(pool, latents[:4], jax.random.key(0))
    np.testing.assert_array_equal(seen, latents[:4])
    assert pool.count == 4
    seen, pool = run(pool, latents[4:], jax.random.key(1))
    np.testing.assert_array_equal(seen[:2], latents[4:6])
    assert pool.count == 6
    old = np.asarray(seen[2:, 0] != latents[6:, 0])
    assert 8 <= old.sum() <= 26  # about half of 34
    assert (np.asarray(seen[2:, 0]) <= np.asarray(latents[6:, 0])).all()
    # Nothing is lost or doubled: what went in came out, or is still there. The pool's first
    # six came out as well, when they went in.
    out = sorted(np.concatenate([latents[:4, 0], seen[:, 0], pool.latents[:, 0]]).tolist())
    assert out == sorted(latents[:, 0].tolist() + latents[:6, 0].tolist())
    none, same = replay(empty_pool(0, 2), latents, jax.random.key(0))
    np.testing.assert_array_equal(none, latents)
    assert same.latents.shape == (0, 2)


def test_critic_has_the_published_layers():
    params = init_critic(512, jax.random.key(0))["params"]
    assert {name: layer["weight"].shape for name, layer in params.items()} == {
        "mlp.0": (512, 512),
        "mlp.2": (512, 512),
        "mlp.4": (512, 512),
        "mlp.6": (512, 1),
    }


@pytest.mark.slow
def test_losses_of_latents():
    random = np.random.default_rng(1)
    ws, origin = random.standard_normal((2, 4, 3)), random.standard_normal((4, 3))
    ws, origin = jnp.float32(ws), jnp.float32(origin)
    lengths = np.sqrt(np.square(ws[:, 1:] - ws[:, :1]).sum(-1)).sum(-1)
    np.testing.assert_allclose(delta_penalty(ws), lengths, rtol=1e-5)
    expected = np.sqrt(np.square(ws - origin[None]).sum((1, 2)))
    np.testing.assert_allclose(w_norm(ws, origin), expected, rtol=1e-5)
    same = jnp.repeat(ws[:, :1], 4, axis=1)
    slope = jax.grad(lambda x: delta_penalty(x).sum())(same)
    np.testing.assert_array_equal(slope, np.zeros((2, 4, 3)))
    np.testing.assert_allclose(pixel_loss(ws[..., None], 0 * ws[..., None]), (ws**2).mean((1, 2)))
    unit = jnp.eye(3)[:2]
    np.testing.assert_allclose(identity_loss(unit, unit[::-1]), [1, 1])
    np.testing.assert_allclose(identity_loss(unit, unit), [0, 0])


def test_options():
    with pytest.raises(ConfigError) as error:
        EncoderOptions(
            batch_size=0, eps=0, l2=-1, betas=(1.0, 0.9), slow_step=0, lpips_net="x", noise="y"
        )
    for part in ("batch_size", "eps", "l2", "betas", "slow_step", "lpips_net", "noise"):
        assert f"{part} " in str(error.value)
    assert EncoderOptions(progressive_start=None).progressive_start is None
    with pytest.raises(ConfigError, match=r"l2, lpips, identity, .* are all 0; without a loss"):
        EncoderOptions(l2=0, lpips=0, identity=0, delta_norm=0, adversarial=0)
    alone = EncoderOptions(l2=0, lpips=0, identity=0)
    assert EncoderOptions().compares_images and not alone.compares_images


# An option, and the other options and sizes with which it would count for nothing.
IDLE = [
    ({"adversarial": 0.2}, {}, {"space": "z", "latent_dim": 5, "deltas": False}),
    ({"w_norm": 0.2}, {}, {"space": "z+", "latent_dim": 5, "deltas": False}),
    ({"delta_norm": 0.2}, {}, {"deltas": False}),
    ({"progressive_start": 5}, {}, {"deltas": False}),
    ({"progressive_every": 5}, {}, {"deltas": False}),
    ({"progressive_every": 5}, {"progressive_start": None}, {}),
    ({"d_learning_rate": 1e-3}, {"adversarial": 0.0}, {}),
    ({"r1_gamma": 3.0}, {"adversarial": 0.0}, {}),
    ({"pool_size": 3}, {"adversarial": 0.0}, {}),
    ({"d_reg_interval": 3}, {"adversarial": 0.0}, {}),
    ({"d_reg_interval": 3}, {"r1_gamma": 0.0}, {}),
    ({"lpips_net": "vgg"}, {"lpips": 0.0}, {}),
]


@pytest.mark.parametrize(("option", "others", "sizes"), IDLE)
def test_options_that_nothing_heeds_are_refused(option, others, sizes):
    ((name, value),) = option.items()
    in_w = not sizes.get("space", "w").startswith("z")
    at_rest = {"delta_norm": 0.0} if sizes else {}
    at_rest |= {} if in_w else {"adversarial": 0.0}
    tiny.recipe(**option)  # where it counts
    tiny.recipe(sizes, **at_rest | others)
    with pytest.raises(ConfigError) as error:
        tiny.recipe(sizes, **at_rest | others | option)
    assert f"trained: {name} is {value}, but " in str(error.value)
    assert str(error.value).count("has no use for it: give ") == 1


def test_noise_without_a_generator_that_has_any():
    silent = dataclasses.replace(
        tiny.GENERATOR, synthesis=dataclasses.replace(tiny.GENERATOR.synthesis, use_noise=False)
    )
    EncoderRecipe(silent, tiny.E4E, EncoderOptions())
    with pytest.raises(ConfigError, match="noise is none, but a generator without noise has no"):
        EncoderRecipe(silent, tiny.E4E, EncoderOptions(noise="none"))


def test_a_backbone_that_starts_with_the_weights_of_arcface():
    encoder, other = filled(tiny.E4E), filled(tiny.E4E, 1)
    shared = {name for name in encoder["params"] if name.startswith(("input_layer", "body"))}
    arcface = {
        kind: {name: value for name, value in other[kind].items() if name in shared}
        for kind in ("params", "stats")
    }
    arcface["params"]["output_layer.3"] = {"weight": np.zeros((2, 2), np.float32)}
    merged = with_backbone(encoder, arcface)
    assert jax.tree.structure(merged) == jax.tree.structure(encoder)
    for kind in ("params", "stats"):
        for name, module in merged[kind].items():
            source = other if name in shared else encoder
            jax.tree.map(np.testing.assert_array_equal, module, source[kind][name])
