"""Every option of an encoder's losses changes what the encoder learns.

The training step is the real one. The networks that it trains and draws with are
stand-ins of a layer or two, so that each option costs a small program.
"""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import features
from aligned_jax.networks.network import Network
from aligned_jax.networks.plain import Linear
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.tasks.encoder import EncoderTask
from aligned_jax.training import encoder_state, encoder_step, parallel
from aligned_jax.training.encoder_options import EncoderOptions
from tests import standins
from tests.runs import small_runs as runs
from tests.training import tiny_encoder as tiny

# Long enough for Adam to be rectified, for all rows to begin, and for pools to be full.
_ITERATIONS = 9
BASE = EncoderOptions(
    4,
    learning_rate=1e-2,
    betas=(0.9, 0.95),
    lookahead=2,
    w_norm=0.1,
    delta_norm=0.1,
    identity=0.3,
    d_learning_rate=1e-2,
    d_reg_interval=2,
    pool_size=6,
    progressive_start=1,
    progressive_every=1,
)
FLIPS = {
    "batch_size": [2],
    "learning_rate": [2e-2],
    "betas": [(0.8, 0.95), (0.9, 0.96)],
    "eps": [1e-2],
    "lookahead": [3],
    "slow_step": [0.6],
    "l2": [0.5, 0.0],
    "lpips": [0.5, 0.0],
    "lpips_net": ["vgg"],
    "identity": [0.2, 0.0],
    "w_norm": [0.2, 0.0],
    "delta_norm": [0.2, 0.0],
    "adversarial": [0.2, 0.0],
    "d_learning_rate": [2e-2],
    "r1_gamma": [5.0, 0.0],
    "d_reg_interval": [3],
    "pool_size": [5, 0],
    "progressive_start": [0, None],
    "progressive_every": [2],
    "noise": ["const", "none"],
}
# Those that reach the result in the most roundabout ways; all others are left to the slow tests.
QUICK = {
    ("lpips_net", "vgg"),
    ("d_learning_rate", 2e-2),
    ("r1_gamma", 5.0),
    ("pool_size", 5),
    ("noise", "const"),
}
# What counts only together with an option that is flipped to nothing.
WITHOUT = {
    ("lpips", 0.0): {"lpips_net": EncoderOptions.lpips_net},
    ("adversarial", 0.0): {
        name: getattr(EncoderOptions, name)
        for name in ("d_learning_rate", "r1_gamma", "pool_size", "d_reg_interval")
    },
    ("r1_gamma", 0.0): {"d_reg_interval": EncoderOptions.d_reg_interval},
    ("progressive_start", None): {"progressive_every": EncoderOptions.progressive_every},
}


class Glance(nn.Module):
    """In place of an encoder: a layer for the first row, and one for differences to it."""

    config: object
    moments: object = None

    @nn.compact
    def __call__(self, images, active):
        rows, width = self.config.latent_shape
        blocks = images.reshape(-1, 4, 8, 4, 8, 3).mean((2, 4)).reshape(len(images), -1)
        first = Linear(width, name="first")(blocks)[:, None]
        deltas = Linear(rows * width, name="deltas")(blocks).reshape(-1, rows, width)
        numbers = jnp.arange(rows)[None, :, None]
        origin = self.variable("stats", "latent_avg", jnp.zeros, (rows, width))
        return first + jnp.where((numbers > 0) & (numbers < active), deltas, 0) + origin.value[None]


class Brush:
    """In place of a generator: `map` and `synthesize` by one matrix each, with noise."""

    def apply(self, variables, x, other, method):
        params = variables["params"]
        if method == "map":
            w = jnp.tanh(x @ params["map"]) + variables["stats"]["mapping"]["w_avg"][None]
            return jnp.repeat(w[:, None], tiny.E4E.rows, axis=1)
        images = jnp.tanh(x.reshape(len(x), -1) @ params["paint"]).reshape(-1, 32, 32, 3)
        if isinstance(other, str):
            return images + {"const": 0.3, "none": 0.0}[other]
        return images + other["b32.conv1"][..., None]


def drawn():
    random = np.random.RandomState(0)
    g, size = tiny.GENERATOR, 32 * 32 * 3
    params = {
        "map": random.standard_normal((g.z_dim, g.w_dim)),
        "paint": random.standard_normal((tiny.E4E.rows * g.w_dim, size)) / 4,
    }
    params = {name: value.astype(np.float32) for name, value in params.items()}
    return {"params": params, "stats": {"mapping": {"w_avg": np.full(g.w_dim, 0.2, np.float32)}}}


@pytest.fixture
def learnt(monkeypatch):
    """learnt(options) -> the encoder after some iterations, as one row of numbers."""
    variables = drawn()
    start = Glance(tiny.E4E).init(jax.random.key(1), jnp.zeros((1, 32, 32, 3)), 1)
    monkeypatch.setattr(encoder_step, "Encoder", Glance)
    monkeypatch.setattr(encoder_step, "module_of", lambda config: Brush())
    monkeypatch.setattr(encoder_state, "init_variables", lambda config, key: start)
    monkeypatch.setattr(features, "lpips", standins.lpips)
    monkeypatch.setattr(features, "load", lambda name: standins.projection())
    monkeypatch.setattr(EncoderTask, "generator", Network(tiny.GENERATOR, variables))
    devices = jax.local_devices()[:1]

    def run(options):
        sizes = tiny.GENERATOR, tiny.E4E
        config = EncoderRun(runs.Images.options, "parent", "sha256", *sizes, options)
        task = EncoderTask(config)
        state = task.create({"G": variables})
        step, state = task.step(devices), parallel.replicate(state, devices)
        random = np.random.RandomState(2)
        for i in range(_ITERATIONS):
            images = random.randint(0, 256, (4, 32, 32, 3)).astype(np.uint8)
            state, _ = step(state, step.feed(images[: options.batch_size]), i)
        leaves = jax.tree.leaves(parallel.local(state).E["params"])
        return np.concatenate([np.ravel(leaf) for leaf in leaves])

    return run


@pytest.fixture(scope="module")
def before():
    """What the options of BASE, and those that were flipped, have come to so far."""
    return {}


def test_every_option_is_flipped():
    fields = {field.name for field in dataclasses.fields(EncoderOptions)}
    # CPUs compute products of every precision alike: tests/training/test_encoder_step.py.
    assert FLIPS.keys() | {"precision"} == fields


CASES = [
    pytest.param(name, value, marks=() if (name, value) in QUICK else pytest.mark.slow)
    for name, values in FLIPS.items()
    for value in values
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), CASES)
def test_every_option_changes_the_encoder(learnt, before, name, value):
    if not before:
        before["nothing"] = learnt(BASE)
    found = learnt(dataclasses.replace(BASE, **{name: value} | WITHOUT.get((name, value), {})))
    assert np.isfinite(found).all()
    for other, known in before.items():
        assert (found != known).any(), other
    before[name, value] = found
