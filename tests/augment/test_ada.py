"""The probability controller against the official implementation's updates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.augment import (
    AdaConfig,
    AdaState,
    init_state,
    update,
)
from aligned_jax.config import from_dict, to_dict
from aligned_jax.errors import ConfigError
from tests.augment.recorded_cases import arrays, meta

step = jax.jit(update, static_argnums=(1, 3))


@pytest.mark.parametrize("case", meta()["ada_update"])
def test_single_updates(case):
    config = AdaConfig(target=case["target"], interval=case["ada_interval"], kimg=case["ada_kimg"])
    count = jnp.float32(1000)
    state = AdaState(jnp.float32(case["p"]), case["mean_real_sign"] * count, count)
    new = step(state, config, config.interval, case["batch_size"])
    assert abs(float(new.p) - case["p_new"]) <= 1.2e-7 * max(case["p_new"], 1)
    assert new.sign_sum == new.sign_count == 0


def test_a_run():
    run = meta()["ada_run"]
    config = AdaConfig(target=run["target"], interval=run["ada_interval"], kimg=run["ada_kimg"])
    state, history = init_state(config), []
    for iteration, logits in enumerate(arrays()["ada_run/real_logits"], start=1):
        signs = np.sign(logits)
        state = AdaState(state.p, state.sign_sum + signs.sum(), state.sign_count + signs.size)
        mean = float(state.sign_sum / state.sign_count)
        state = step(state, config, iteration, run["batch_size"])
        if iteration % config.interval == 0:
            history.append((mean, float(state.p)))
    np.testing.assert_allclose(
        history, [(h["mean_sign"], h["p"]) for h in run["history"]], rtol=1e-6
    )


def seen(p, config, iteration=4):
    state = AdaState(jnp.float32(p), jnp.float32(8), jnp.float32(8))
    return step(state, config, iteration, 64)


def test_every_option_changes_p():
    base = float(seen(0.5, AdaConfig()).p)
    assert base == pytest.approx(0.5 + 64 * 4 / 500e3, abs=1e-7)
    assert float(seen(0.5, AdaConfig(kimg=100)).p) == pytest.approx(0.5 + 64 * 4 / 100e3, abs=1e-7)
    assert float(seen(0.5, AdaConfig(interval=2)).p) == pytest.approx(
        0.5 + 64 * 2 / 500e3, abs=1e-7
    )
    assert float(seen(0.5, AdaConfig(target=1.0)).p) == 0.5
    assert float(init_state(AdaConfig(p=0.25)).p) == 0.25
    assert float(seen(0.5, AdaConfig("fixed", p=0.25)).p) == 0.25
    assert float(seen(0.5, AdaConfig("none")).p) == 0


def test_between_updates_statistics_are_kept():
    assert seen(0.5, AdaConfig(), iteration=3) == AdaState(0.5, 8, 8)
    unseen = step(init_state(AdaConfig(p=0.5)), AdaConfig(), 4, 64)
    assert float(unseen.p) == 0.5


def test_config_survives_json():
    config = AdaConfig("fixed", p=0.2, kimg=100.0)
    assert from_dict(AdaConfig, to_dict(config)) == config


@pytest.mark.parametrize(
    "values,words",
    [
        ({"mode": "auto", "p": -1.0}, ["'auto'", "ada, fixed, none", "p is -1.0"]),
        ({"mode": "none", "p": 0.3}, ["mode none takes no p"]),
        ({"target": 2.0, "interval": 0, "kimg": 0.0}, ["target is 2.0", "interval is 0", "kimg"]),
    ],
)
def test_bad_configs_are_refused(values, words):
    with pytest.raises(ConfigError) as error:
        AdaConfig(**values)
    assert all(word in str(error.value) for word in words), error.value
