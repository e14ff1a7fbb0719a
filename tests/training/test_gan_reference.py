"""Losses, gradients, optimiser steps and two iterations of the official implementation."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.convert.kwargs import discriminator_config, generator_config
from aligned_jax.convert.rules import from_official, official_shapes, to_official
from aligned_jax.networks.network import Network
from aligned_jax.training import parallel
from aligned_jax.training.draws import TERMS, Draws
from aligned_jax.training.ema import ema_rate, update_ema
from aligned_jax.training.gan_step import apply_gradients, finish_iteration, phase_gradients, phases
from aligned_jax.training.optimizer import correct_for_interval, finite
from aligned_jax.training.options import AdamOptions, GanOptions
from aligned_jax.training.state import create_state
from aligned_jax.training.terms import Batch, Recipe, mixed_ws
from tests.helpers import document, nchw, nhwc, reference, relative_error

pytestmark = pytest.mark.optimised("in long runs")

DEVICE = jax.local_devices()[:1]
# Gradients of the regularisation terms are derivatives of derivatives.
TOLERANCE = {"Gmain": 1e-4, "Greg": 1e-3, "Dmain": 1e-4, "Dreg": 1e-3, "Gboth": 1e-3, "Dboth": 1e-3}


@functools.cache
def data():
    arrays = reference("loss")
    return arrays, document(arrays, "meta_json")


@functools.cache
def configs():
    _, meta = data()
    return (
        generator_config(meta["g_init_kwargs"]),
        discriminator_config(meta["d_init_kwargs"]),
    )


def recipe(**options):
    """The settings of the reference run; its latents, in the order of its row numbers."""
    arrays, meta = data()
    g, d = configs()
    merged = options.get("g_reg_interval", 4) is None
    z = jnp.concatenate([arrays["z"], arrays["z_iter1"]])
    pl_noise = jnp.asarray(nhwc(arrays["pl_noise"]))

    def draw(key, term, rows):
        # A merged phase computes both of its terms on the latents of the main one.
        block = TERMS.index(term) - (merged and term == "Greg")
        return Draws(z[rows + 4 * block], None, None, "const", pl_noise, None, None)

    adam = AdamOptions(meta["base_lr"], tuple(meta["base_betas"]), meta["adam_eps"])
    settings = {
        "batch_size": meta["batch"],
        "g_adam": adam,
        "d_adam": adam,
        "g_reg_interval": meta["G_reg_interval"],
        "d_reg_interval": meta["D_reg_interval"],
        "r1_gamma": meta["r1_gamma"],
        "pl_weight": meta["pl_weight"],
        "pl_decay": meta["pl_decay"],
        "pl_batch_shrink": meta["pl_batch_shrink"],
        "style_mixing_prob": 0.0,
        "ema_kimg": meta["seq"]["ema_kimg"],
        "ema_rampup": meta["seq"]["ema_rampup"],
    }
    return Recipe(g, d, GanOptions(**(settings | options)), draw=draw)


def tensors(prefix):
    arrays, _ = data()
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def variables(config, prefix):
    """Variables from stored tensors."""
    stored = tensors(prefix)
    assert set(stored) <= set(official_shapes(config))
    return from_official(config, stored)


@functools.cache
def start():
    """The starting state, on the host."""
    _, meta = data()
    g, d = configs()
    networks = {
        "G": variables(g, "init/G/"),
        "D": variables(d, "init/D/"),
        "G_ema": variables(g, "init/G_ema/"),
    }
    state = create_state(g, d, recipe().options, networks=networks)
    return dataclasses.replace(
        state,
        pl_mean=jnp.float32(meta["pl_mean_before"]),
        images_seen=jnp.int32(meta["seq"]["cur_nimg_start"]),
    )


def batch(iteration=0):
    arrays, _ = data()
    images = nhwc(arrays["real_iter1" if iteration else "real"])
    rows = np.arange(4, dtype=np.int32) + 16 * iteration
    empty = np.zeros((4, 0), np.float32)
    return parallel.deal(Batch(images, rows, empty, np.zeros((4, 3, 0), np.float32)), DEVICE)


@functools.cache
def program(name, **options):
    """One compiled phase: (state, batch) -> gradients, reports, state after Adam."""
    chosen = recipe(**options)
    phase = next(p for p in phases(chosen.options) if p.name == name)

    def body(state, rows):
        gradients, reports, state = phase_gradients(chosen, phase, state, rows)
        return gradients, reports, apply_gradients(chosen, phase, state, gradients)

    return parallel.on_each_device(body, DEVICE)


@functools.cache
def outcome(name, **options):
    return parallel.local(program(name, **options)(parallel.replicate(start(), DEVICE), batch()))


def named(state, name, params):
    """Parameters of the network that phase `name` updates, by official name."""
    g, d = configs()
    if name.startswith("G"):
        return to_official(g, {**state.G, "params": params})
    return to_official(d, {"params": params})


def worst(actual, expected, mask=None):
    """Tensor names with their error, largest first."""
    errors = {}
    for key, value in expected.items():
        ours = np.asarray(actual[key])
        if mask is not None:
            ours = np.where(mask[key], ours, value)
        errors[key] = relative_error(ours, value)
    assert errors
    return sorted(((e, k) for k, e in errors.items()), reverse=True)


@pytest.mark.parametrize("name", TERMS)
def test_reports_and_running_means(name):
    arrays, meta = data()
    _, reports, state = outcome(name)
    listed = next(p for p in meta["phases"] if p["name"] == name)["reports"]
    assert set(reports) == set(listed)
    for key, value in reports.items():
        stored = arrays[f"{name}/report/{key.replace('/', '.')}/0"]
        assert relative_error(value, stored.mean()) < 1e-5, key
    w_avg = state.G["stats"]["mapping"]["w_avg"]
    assert relative_error(w_avg, arrays[f"{name}/w_avg_after"]) < 1e-6
    assert relative_error(state.pl_mean, arrays[f"{name}/pl_mean_after"]) < 1e-5


@pytest.mark.parametrize("name", TERMS)
def test_gradients_and_one_step_of_adam(name):
    gradients, _, state = outcome(name)
    expected = tensors(f"{name}/grad/")
    assert worst(named(state, name, gradients), expected)[0] < (TOLERANCE[name], "")
    # Adam's first step is almost the sign of the gradient: compare where that is certain.
    mask = {k: np.abs(v) > 1e-3 * np.abs(v).max() for k, v in expected.items()}
    after = tensors(f"{name}/after_adam/")
    params = named(state, name, (state.G if name[0] == "G" else state.D)["params"])
    assert worst(params, after, mask)[0] < (1e-5, "")
    before = tensors(f"init/{name[0]}/")
    moved = [np.abs(after[k] - before[k])[mask[k]] for k in after if mask[k].any()]
    assert np.concatenate(moved).min() > 1e-4  # so that a step left out would show


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Gboth", "Dboth"])
def test_main_and_regularisation_in_one_pass(name):
    arrays, _ = data()
    gradients, _, state = outcome(name, g_reg_interval=None, d_reg_interval=None)
    expected = tensors(f"{name}/grad/")
    assert worst(named(state, name, gradients), expected)[0] < (TOLERANCE[name], "")
    w_avg = state.G["stats"]["mapping"]["w_avg"]
    assert relative_error(w_avg, arrays[f"{name}/w_avg_after"]) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Gmain", "Dmain"])
def test_gradients_of_two_rounds_add_up(name):
    arrays, _ = data()
    gradients, _, state = outcome(name, rounds=2)
    expected = tensors(f"accum2/{name}/grad/")
    assert worst(named(state, name, gradients), expected)[0] < (TOLERANCE[name], "")
    w_avg = state.G["stats"]["mapping"]["w_avg"]
    assert relative_error(w_avg, arrays[f"accum2/{name}/w_avg_after"]) < 1e-6


def test_two_iterations():
    """The state after both iterations; the reference run kept none in between."""
    arrays, meta = data()
    finish = parallel.on_each_device(functools.partial(finish_iteration, recipe()), DEVICE)
    state = parallel.replicate(start(), DEVICE)
    for iteration, names in enumerate(meta["seq"]["phases"]):
        wanted = [p.name for p in phases(recipe().options) if iteration % p.interval == 0]
        assert wanted == names
        for name in names:
            _, _, state = program(name)(state, batch(iteration))
        state = finish(state)
    host, (g, d) = parallel.local(state), configs()
    assert host.step == 2
    assert host.images_seen == meta["seq"]["cur_nimg_start"] + 2 * meta["batch"]
    networks = {"G": (g, host.G), "D": (d, host.D), "G_ema": (g, host.G_ema)}
    for net, (config, tree) in networks.items():
        actual = to_official(config, tree)
        for name, value in tensors(f"seq/iter1/{net}/").items():
            assert np.abs(actual[name] - value).max() < 1e-6 * max(np.abs(value).max(), 1), name
    for key, tree in (("w_avg", host.G), ("w_avg_ema", host.G_ema)):
        w_avg = tree["stats"]["mapping"]["w_avg"]
        assert relative_error(w_avg, arrays[f"seq/iter1/{key}"]) < 1e-6
    assert relative_error(host.pl_mean, arrays["seq/iter1/pl_mean"]) < 1e-6
    same = jax.tree.map(np.array_equal, host.G_ema["noise"], host.G["noise"])
    assert jax.tree.leaves(same) and all(jax.tree.leaves(same))


@pytest.mark.parametrize("i", range(3))
def test_style_mixing(i):
    arrays, meta = data()
    case, chosen = meta["style_mixing"][i], recipe()
    assert case["mixed"]
    z_mix, cutoff = jnp.asarray(arrays[f"style_mixing/{i}/z2"]), jnp.int32(case["cutoff"])
    draws = Draws(jnp.asarray(arrays["z"][:4]), z_mix, cutoff, "const", None, None, None)
    ws, w_mean = mixed_ws(chosen, start().G, draws, jnp.zeros((4, 0)))
    assert relative_error(ws, arrays[f"style_mixing/{i}/ws"]) < 1e-5
    before = start().G["stats"]["mapping"]["w_avg"]
    after = w_mean + meta["w_avg_beta"] * (before - w_mean)
    assert relative_error(after, arrays[f"style_mixing/{i}/w_avg_after"]) < 1e-6
    if i == 0:
        image = Network(chosen.generator, start().G).synthesis(ws)
        assert relative_error(nchw(image), arrays[f"style_mixing/{i}/image"]) < 1e-5


def test_ema_coefficients():
    _, meta = data()
    for row in meta["ema_beta_table"]:
        rate = ema_rate(
            jnp.int32(row["cur_nimg"]), row["batch"], row["ema_kimg"], row["ema_rampup"]
        )
        assert float(rate) == pytest.approx(1 - row["beta"], rel=1e-6), row


def test_the_first_average_is_a_plain_copy_and_rate_zero_keeps_it():
    old, new = {"params": {"a": jnp.float32(0.1)}}, {"params": {"a": jnp.float32(3e7)}}
    assert update_ema(old, new, jnp.float32(1))["params"]["a"] == new["params"]["a"]
    assert update_ema(old, new, jnp.float32(0))["params"]["a"] == old["params"]["a"]


def test_adam_settings_under_lazy_regularisation():
    _, meta = data()
    for row in meta["lazy_adam_table"]:
        adam = correct_for_interval(AdamOptions(row["lr"], tuple(row["betas"])), row["interval"])
        assert adam.learning_rate == pytest.approx(row["lr_out"], rel=1e-12)
        assert adam.betas == pytest.approx(row["betas_out"], rel=1e-12)
    assert correct_for_interval(AdamOptions(), None) == AdamOptions()


def test_non_finite_gradients():
    arrays, _ = data()
    cleaned = finite({"a": jnp.asarray(arrays["nonfinite_grad_in"])})["a"]
    np.testing.assert_array_equal(cleaned, arrays["nonfinite_grad_out"])
