"""Images of latents, batch by batch."""

import jax
import numpy as np
import pytest

from aligned_jax import loading
from aligned_jax.latents import noise_fields, z_from_seeds
from aligned_jax.rendering.draw import NotFinite, RenderOptions, batches, finite_batches, render
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from tests.helpers import DATA, relative_error


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


def in_w(network, ws, **maps):
    arrays = {"ws": np.asarray(ws), **maps}
    names = tuple(f"row {number}" for number in range(len(ws)))
    return LatentBatch(arrays, names, np.arange(len(ws), dtype=np.uint32))


def test_images_are_those_of_the_network(network):
    latents = latents_of_seeds(network.config, "0-2", psi=0.5)
    ws = network.mapping(latents.arrays["z"], psi=0.5, cutoff=2)
    drawn = render(network, latents, RenderOptions(cutoff=2))
    assert drawn.dtype == np.float32 and relative_error(drawn, network.synthesis(ws)) < 1e-5
    none = render(network, latents, RenderOptions(cutoff=2, noise="none"))
    assert relative_error(none, network.synthesis(ws, "none")) < 1e-5
    half = render(network, latents, RenderOptions(cutoff=2, half="bfloat16"))
    assert np.abs(half - drawn).max() > 1e-4


def test_random_noise_follows_the_number_of_a_row(network):
    options = RenderOptions(noise="random", noise_seed=4, batch=2)
    drawn = render(network, latents_of_seeds(network.config, "3-5"), options)
    key, z = jax.random.key(4), z_from_seeds(network.config, [5])
    fields = noise_fields(network.config, key, np.asarray([5], np.uint32))
    assert relative_error(drawn[2:], network.synthesis(network.mapping(z), fields)) < 1e-5
    other = RenderOptions(noise="random", noise_seed=5, batch=2)
    assert np.abs(render(network, latents_of_seeds(network.config, "3-5"), other) - drawn).max() > 1


def test_latents_may_bring_their_noise(network):
    ws = network.mapping(z_from_seeds(network.config, [0]))
    fields = noise_fields(network.config, jax.random.key(1), np.zeros(1, np.uint32))
    latents = in_w(network, ws, **{f"noise/{name}": np.asarray(v) for name, v in fields.items()})
    assert relative_error(render(network, latents), network.synthesis(ws, fields)) < 1e-5
    none = render(network, latents, RenderOptions(noise="none"))
    assert relative_error(none, network.synthesis(ws, "none")) < 1e-5


def test_batches_tell_what_was_drawn(network):
    told = []
    latents = latents_of_seeds(network.config, "0-4", psi=0.5)
    parts = list(
        batches(network, latents, RenderOptions(batch=2), lambda n, note="": told.append(n))
    )
    assert [len(part.images) for part in parts] == told == [2, 2, 1]
    assert [part.names for part in parts] == [
        ["seed 0", "seed 1"],
        ["seed 2", "seed 3"],
        ["seed 4"],
    ]
    ws = np.concatenate([part.latents["ws"] for part in parts])
    assert relative_error(ws, network.mapping(latents.arrays["z"], psi=0.5)) < 1e-5
    styles = list(batches(network, latents.styles(network), RenderOptions(batch=2)))
    assert styles[0].latents == {} and np.abs(styles[0].images - parts[0].images).max() < 1e-4


def test_images_that_are_not_finite_are_named(network):
    ws = np.array(network.mapping(z_from_seeds(network.config, range(4))))
    ws[[1, 3]] = 3e38
    latents = in_w(network, ws)
    [drawn] = batches(network, latents)
    assert drawn.finite.tolist() == [True, False, True, False]
    for draw in (lambda: render(network, latents), lambda: list(finite_batches(network, latents))):
        with pytest.raises(NotFinite, match="in the images of row 1, row 3; use smaller"):
            draw()
    first = next(finite_batches(network, latents, RenderOptions(batch=1)))
    assert first.finite.all()


def test_what_cannot_be_truncated(network):
    styles = latents_of_seeds(network.config, [0]).styles(network)
    styles.check(network)
    with pytest.raises(ValueError, match="styles cannot be truncated"):
        styles.check(network.config, cutoff=1)
